/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What QuantizeLinear and DequantizeLinear share: where scale and zero point of each element stand.
 */
#ifndef PM_OPS_QUANTIZATION_H
#define PM_OPS_QUANTIZATION_H

#include "model/ops/elementwise/numbers.h"

/* x is [outer, steps, inner]; step i of the middle axis has scale i. Of one scale for all, steps is 1. */
struct pm_quantization {
    int64_t outer, steps, inner;
};

/* From the inputs' types: x, scale, zero point (may be left out); `axis` is an attribute from opset 13. */
int32_t pm_quantization_of(const struct pm_call *call, struct pm_quantization *quantization);

#endif
