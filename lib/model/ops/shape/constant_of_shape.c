/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/ops.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_attribute *value = pm_attribute(call->node, "value");
    int64_t extents[PRUNE_MAX_RANK], count;
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_ints_of(call, NULL, 0, PRUNE_MAX_RANK, extents, &count));
    if (value && (value->kind != PM_TENSOR || !value->tensor || prune_tensor_count(value->tensor) != 1))
        return pr_fail(PRUNE_E_SHAPE, "the attribute value must be a tensor of one number");
    return pm_type_set(&call->outputs[0].type, value ? prune_tensor_dtype(value->tensor) : PRUNE_F32, (int32_t)count,
                       extents);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_attribute *value = pm_attribute(call->node, "value");
    const struct pm_operand *out = &call->outputs[0];
    int64_t size = prune_dtype_size(out->type.dtype);
    char *to = out->data;
    if (!value) {
        memset(to, 0, (size_t)pm_type_bytes(&out->type));
        return PRUNE_OK;
    }
    for (int64_t i = 0; i < out->type.count; i++)
        memcpy(to + i * size, prune_tensor_const_data(value->tensor), (size_t)size);
    return PRUNE_OK;
}

const struct pm_operator pm_operator_constant_of_shape = {.op = "ConstantOfShape", .infer = infer, .run = run};
