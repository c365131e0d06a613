/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/elementwise/quantization.h"

#include "base/checked.h"

static int32_t axis_of(const struct pm_call *call, int32_t *axis)
{
    return pm_axis(call->opset < 13 ? 1 : pm_attribute_int(call->node, "axis", 1), call->inputs[0].type.rank, 0, axis);
}

/* The scale has the shape of x but for the axis, of which it has one step for each block. */
static int32_t blocks_of(const struct pm_call *call, int64_t block, struct pm_quantization *quantization)
{
    const struct pm_type *x = &call->inputs[0].type, *scale = &call->inputs[1].type;
    char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
    int32_t axis = 0;
    if (block < 0)
        return pr_fail(PRUNE_E_FORMAT, "block_size is %lld; it must be 0 or more", (long long)block);
    PR_TRY(axis_of(call, &axis));
    int fits = scale->rank == x->rank;
    for (int32_t i = 0; fits && i < x->rank; i++)
        fits = scale->extents[i] == (i == axis ? pr_ceil_div(x->extents[i], block) : x->extents[i]);
    if (!fits)
        return pr_fail(PRUNE_E_SHAPE,
                       "the scale is %s for blocks of %lld along axis %d of %s; it must have one step each",
                       pm_type_text(scale, text), (long long)block, (int)axis, pm_type_text(x, more));
    *quantization =
        (struct pm_quantization){pm_type_span(x, 0, axis), x->extents[axis], pm_type_span(x, axis + 1, x->rank), block};
    return PRUNE_OK;
}

int32_t pm_quantization_of(const struct pm_call *call, struct pm_quantization *quantization)
{
    const struct pm_type *x = &call->inputs[0].type, *scale = &call->inputs[1].type;
    int64_t block = pm_attribute_int(call->node, "block_size", 0);
    int32_t axis = 0;
    if (pm_has_input(call, 2) && call->inputs[2].type.count != scale->count)
        return pr_fail(PRUNE_E_SHAPE, "the zero point has %lld elements and the scale %lld; they must be as many",
                       (long long)call->inputs[2].type.count, (long long)scale->count);
    if (block != 0)
        return blocks_of(call, block, quantization);
    if (scale->rank > 1)
        return pr_fail(PRUNE_E_SHAPE, "the scale has %d axes; it must be one number or a vector", (int)scale->rank);
    if (scale->count == 1) {
        *quantization = (struct pm_quantization){1, 1, x->count, 0};
        return PRUNE_OK;
    }
    PR_TRY(axis_of(call, &axis));
    if (x->extents[axis] != scale->count)
        return pr_fail(PRUNE_E_SHAPE, "the scale has %lld elements; axis %d of the input has %lld",
                       (long long)scale->count, (int)axis, (long long)x->extents[axis]);
    *quantization =
        (struct pm_quantization){pm_type_span(x, 0, axis), x->extents[axis], pm_type_span(x, axis + 1, x->rank), 0};
    return PRUNE_OK;
}

void pm_scales_of(const struct pm_call *call, const struct pm_quantization *quantization, int64_t row, int64_t at,
                  int64_t n, struct pm_scales *scales)
{
    const struct pm_operand *scale = &call->inputs[1], *zero = &call->inputs[2];
    int64_t step = row % quantization->steps, outer = row / quantization->steps, block = quantization->block;
    int64_t first = step;
    if (block)
        first = (outer * pr_ceil_div(quantization->steps, block) + step / block) * quantization->inner + at;
    scales->stride = block != 0;
    for (int64_t j = 0; j < (block ? n : 1); j++) {
        scales->scale[j] = (float)pm_number(scale->type.dtype, scale->data, first + j);
        scales->zero[j] = pm_has_input(call, 2) ? pm_whole(zero->type.dtype, zero->data, first + j) : 0;
    }
}
