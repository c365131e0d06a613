/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/elementwise/quantization.h"

int32_t pm_quantization_of(const struct pm_call *call, struct pm_quantization *quantization)
{
    const struct pm_type *x = &call->inputs[0].type, *scale = &call->inputs[1].type;
    int32_t axis = 0;
    if (pm_attribute_int(call->node, "block_size", 0) != 0)
        return pr_fail(PRUNE_E_UNSUPPORTED, "block_size is %lld; only one scale, or one for each step of an axis",
                       (long long)pm_attribute_int(call->node, "block_size", 0));
    if (scale->rank > 1)
        return pr_fail(PRUNE_E_SHAPE, "the scale has %d axes; it must be one number or a vector", (int)scale->rank);
    if (pm_has_input(call, 2) && call->inputs[2].type.count != scale->count)
        return pr_fail(PRUNE_E_SHAPE, "the zero point has %lld elements and the scale %lld; they must be as many",
                       (long long)call->inputs[2].type.count, (long long)scale->count);
    if (scale->count == 1) {
        *quantization = (struct pm_quantization){1, 1, x->count};
        return PRUNE_OK;
    }
    PR_TRY(pm_axis(call->opset < 13 ? 1 : pm_attribute_int(call->node, "axis", 1), x->rank, 0, &axis));
    if (x->extents[axis] != scale->count)
        return pr_fail(PRUNE_E_SHAPE, "the scale has %lld elements; axis %d of the input has %lld",
                       (long long)scale->count, (int)axis, (long long)x->extents[axis]);
    *quantization =
        (struct pm_quantization){pm_type_span(x, 0, axis), x->extents[axis], pm_type_span(x, axis + 1, x->rank)};
    return PRUNE_OK;
}
