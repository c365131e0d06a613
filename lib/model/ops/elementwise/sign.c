/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* NaN stays; for both zeros the sign is 0. */
PM_FLOAT_LOOP(f32, p > 0 ? 1 : p < 0 ? -1 : p == 0 ? 0 : p)
PM_DOUBLE_LOOP(f64, p > 0 ? 1 : p < 0 ? -1 : p == 0 ? 0 : p)
PM_WHOLE_LOOP(i64, p > 0 ? 1 : p < 0 ? -1 : 0)
PM_UNARY_OPERATOR(sign, "Sign", PM_NUMBERS, f32, f64, i64, PM_NO_SETTINGS)
