/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* Comparisons that are false for NaN, so that it stays. */
#define PM_WITHIN(v) ((v) < 0 ? 0 : (v) > 1 ? 1 : (v))

PM_FLOAT_LOOP(f32, p *PM_WITHIN(p / 6 + 0.5f))
PM_DOUBLE_LOOP(f64, p *PM_WITHIN(p / 6 + 0.5))
PM_UNARY_OPERATOR(hard_swish, "HardSwish", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
