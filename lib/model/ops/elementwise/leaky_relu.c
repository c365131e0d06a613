/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, p < 0 ? k0 * p : p)
PM_DOUBLE_LOOP(f64, p < 0 ? k0 * p : p)
PM_UNARY_OPERATOR(leaky_relu, "LeakyRelu", PM_FLOATING, f32, f64, NULL,
                  settings.real[0] = (double)pm_attribute_float(call->node, "alpha", 0.01f))
