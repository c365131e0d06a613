/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

/* Axis i of the output is axis order[i] of the input; reversed where nothing is said. */
static int32_t find_order(const struct pm_call *call, int32_t rank, int32_t *order)
{
    const int64_t *listed;
    int64_t count = pm_attribute_ints(call->node, "perm", &listed);
    int seen[PRUNE_MAX_RANK] = {0};
    if (!pm_attribute(call->node, "perm")) {
        for (int32_t i = 0; i < rank; i++)
            order[i] = rank - 1 - i;
        return PRUNE_OK;
    }
    if (count != rank)
        return pr_fail(PRUNE_E_SHAPE, "perm has %lld numbers for rank %d", (long long)count, (int)rank);
    for (int32_t i = 0; i < rank; i++) {
        PR_TRY(pm_axis(listed[i], rank, 0, &order[i]));
        if (seen[order[i]]++)
            return pr_fail(PRUNE_E_SHAPE, "perm has axis %d twice", (int)order[i]);
    }
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int32_t order[PRUNE_MAX_RANK];
    int64_t extents[PRUNE_MAX_RANK];
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(find_order(call, in->rank, order));
    for (int32_t i = 0; i < in->rank; i++)
        extents[i] = in->extents[order[i]];
    return pm_type_set(&call->outputs[0].type, in->dtype, in->rank, extents);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *in = &call->inputs[0], *out = &call->outputs[0];
    struct pm_box plain = pm_box_of(&in->type, in->data), from = plain, to = pm_box_of(&out->type, out->data);
    int32_t order[PRUNE_MAX_RANK];
    PR_TRY(find_order(call, in->type.rank, order));
    for (int32_t i = 0; i < in->type.rank; i++)
        from.strides[i] = plain.strides[order[i]];
    pm_box_copy(&to, &from, out->type.rank, out->type.extents, prune_dtype_size(in->type.dtype));
    return PRUNE_OK;
}

const struct pm_operator pm_operator_transpose = {.op = "Transpose", .infer = infer, .run = run};
