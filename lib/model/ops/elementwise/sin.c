/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, sinf(p))
PM_DOUBLE_LOOP(f64, sin(p))
PM_UNARY_OPERATOR(sin, "Sin", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
