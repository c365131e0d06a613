/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

/* Integers wrap around. */
PM_PAIR_LOOP(f32, float, float, p - q)
PM_PAIR_LOOP(f64, double, double, p - q)
PM_PAIR_LOOP(i64, uint64_t, uint64_t, p - q)
PM_BINARY_OPERATOR(sub, "Sub", binary, PM_IN_PLACE, PM_NUMBERS, f32, f64, i64, 0)
