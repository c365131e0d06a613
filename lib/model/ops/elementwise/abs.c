/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, fabsf(p))
PM_DOUBLE_LOOP(f64, fabs(p))
PM_WHOLE_LOOP(i64, p < 0 ? (int64_t)(0 - (uint64_t)p) : p)
PM_UNARY_OPERATOR(abs, "Abs", PM_NUMBERS, f32, f64, i64, PM_NO_SETTINGS)
