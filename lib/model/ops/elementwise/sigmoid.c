/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, 1 / (1 + expf(-p)))
PM_DOUBLE_LOOP(f64, 1 / (1 + exp(-p)))
PM_UNARY_OPERATOR(sigmoid, "Sigmoid", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
