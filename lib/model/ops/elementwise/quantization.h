/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What QuantizeLinear and DequantizeLinear share: where scale and zero point of each element stand.
 */
#ifndef PM_OPS_QUANTIZATION_H
#define PM_OPS_QUANTIZATION_H

#include "model/ops/elementwise/numbers.h"

/* x is [outer, steps, inner]. Step i of the middle axis has scale i; of one scale for all, steps is 1. With blocks the
 * scale is [outer, blocks, inner], each for so many steps. */
struct pm_quantization {
    int64_t outer, steps, inner, block; /* block 0 for none */
};

/* From the inputs' types: x, scale, zero point (may be left out); `axis` is an attribute from opset 13, `block_size`
 * from 21. */
int32_t pm_quantization_of(const struct pm_call *call, struct pm_quantization *quantization);

/* Scale and zero point of elements that lie together: element j has number j * stride of both. */
struct pm_scales {
    float scale[PM_CHUNK];
    int64_t zero[PM_CHUNK], stride;
};

/* Of n elements from `at` on in row `row`, one of outer * steps; n <= PM_CHUNK. */
void pm_scales_of(const struct pm_call *call, const struct pm_quantization *quantization, int64_t row, int64_t at,
                  int64_t n, struct pm_scales *scales);

#endif
