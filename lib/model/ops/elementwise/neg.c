/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_FLOAT_LOOP(f32, -p)
PM_DOUBLE_LOOP(f64, -p)
PM_WHOLE_LOOP(i64, (int64_t)(0 - (uint64_t)p))
PM_UNARY_OPERATOR(neg, "Neg", PM_FLOATING | PM_SIGNED, f32, f64, i64, PM_NO_SETTINGS)
