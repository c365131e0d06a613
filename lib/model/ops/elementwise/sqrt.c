/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, sqrtf(p))
PM_DOUBLE_LOOP(f64, sqrt(p))
PM_UNARY_OPERATOR(sqrt, "Sqrt", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
