/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

PM_PAIR_LOOP(f32, float, uint8_t, p >= q)
PM_PAIR_LOOP(f64, double, uint8_t, p >= q)
PM_PAIR_LOOP(i64, int64_t, uint8_t, p >= q)
PM_BINARY_OPERATOR(greater_or_equal, "GreaterOrEqual", binary, 0, PM_NUMBERS, f32, f64, i64, 1)
