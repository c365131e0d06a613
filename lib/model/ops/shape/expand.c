/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    struct pm_type wanted;
    int64_t extents[PRUNE_MAX_RANK], count;
    PR_TRY(pm_expect_inputs(call, 2, 2));
    PR_TRY(pm_ints_of(call, NULL, 1, PRUNE_MAX_RANK, extents, &count));
    PR_TRY(pm_type_set(&wanted, in->dtype, (int32_t)count, extents));
    return pm_broadcast(in, &wanted, &call->outputs[0].type);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *in = &call->inputs[0], *out = &call->outputs[0];
    struct pm_box plain = pm_box_of(&in->type, in->data), from = plain, to = pm_box_of(&out->type, out->data);
    int32_t more = out->type.rank - in->type.rank;
    for (int32_t i = 0; i < out->type.rank; i++)
        from.strides[i] = i < more || in->type.extents[i - more] == 1 ? 0 : plain.strides[i - more];
    pm_box_copy(&to, &from, out->type.rank, out->type.extents, prune_dtype_size(in->type.dtype));
    return PRUNE_OK;
}

const struct pm_operator pm_operator_expand = {.op = "Expand", .infer = infer, .run = run};
