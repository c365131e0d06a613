/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, floorf(p))
PM_DOUBLE_LOOP(f64, floor(p))
PM_UNARY_OPERATOR(floor, "Floor", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
