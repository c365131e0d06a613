/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/ops.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type, *indices = &call->inputs[1].type;
    int64_t extents[2 * PRUNE_MAX_RANK];
    int32_t axis, rank = 0;
    PR_TRY(pm_expect_inputs(call, 2, 2));
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", 0), in->rank, 0, &axis));
    if (indices->dtype != PRUNE_I32 && indices->dtype != PRUNE_I64)
        return pr_fail(PRUNE_E_DTYPE, "indices are %s; they must be i32 or i64", prune_dtype_name(indices->dtype));
    for (int32_t i = 0; i < axis; i++)
        extents[rank++] = in->extents[i];
    for (int32_t i = 0; i < indices->rank; i++)
        extents[rank++] = indices->extents[i];
    for (int32_t i = axis + 1; i < in->rank; i++)
        extents[rank++] = in->extents[i];
    return pm_type_set(&call->outputs[0].type, in->dtype, rank, extents);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *in = &call->inputs[0], *indices = &call->inputs[1];
    int32_t axis;
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", 0), in->type.rank, 0, &axis));
    int64_t outer = pm_type_span(&in->type, 0, axis), extent = in->type.extents[axis];
    int64_t bytes = pm_type_span(&in->type, axis + 1, in->type.rank) * prune_dtype_size(in->type.dtype);
    char *to = call->outputs[0].data;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < indices->type.count; i++, to += bytes) {
            int64_t index = indices->type.dtype == PRUNE_I64 ? ((const int64_t *)indices->data)[i]
                                                             : ((const int32_t *)indices->data)[i];
            if (index < -extent || index >= extent)
                return pr_fail(PRUNE_E_VALUE, "index %lld at position %lld is outside %lld to %lld", (long long)index,
                               (long long)i, (long long)-extent, (long long)(extent - 1));
            index += index < 0 ? extent : 0;
            if (bytes)
                memcpy(to, (const char *)in->data + (o * extent + index) * bytes, (size_t)bytes);
        }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_gather = {.op = "Gather", .infer = infer, .run = run};
