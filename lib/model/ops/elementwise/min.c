/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

/* NaN on either side gives NaN. */
PM_PAIR_LOOP(f32, float, float, (p < q || p != p) ? p : q)
PM_PAIR_LOOP(f64, double, double, (p < q || p != p) ? p : q)
PM_PAIR_LOOP(i64, int64_t, int64_t, (p < q || p != p) ? p : q)
PM_BINARY_OPERATOR(min, "Min", variadic, PM_IN_PLACE, PM_NUMBERS, f32, f64, i64, 0)
