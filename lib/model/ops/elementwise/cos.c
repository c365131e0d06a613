/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, cosf(p))
PM_DOUBLE_LOOP(f64, cos(p))
PM_UNARY_OPERATOR(cos, "Cos", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
