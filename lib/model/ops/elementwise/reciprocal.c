/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, 1 / p)
PM_DOUBLE_LOOP(f64, 1 / p)
PM_UNARY_OPERATOR(reciprocal, "Reciprocal", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
