/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* Comparisons that are false for NaN, so that it stays. */
#define PM_WITHIN(v) ((v) < 0 ? 0 : (v) > 1 ? 1 : (v))

PM_FLOAT_LOOP(f32, PM_WITHIN(k0 *p + k1))
PM_DOUBLE_LOOP(f64, PM_WITHIN(k0 *p + k1))
PM_UNARY_OPERATOR(hard_sigmoid, "HardSigmoid", PM_FLOATING, f32, f64, NULL,
                  settings.real[0] = (double)pm_attribute_float(call->node, "alpha", 0.2f);
                  settings.real[1] = (double)pm_attribute_float(call->node, "beta", 0.5f))
