/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/ops.h"
#include "model/ops/reduce/reduction.h"

PM_REDUCTION_LOOPS(f64, double, 0, t + v * v, t + v)
PM_REDUCTION_LOOPS(i64, int64_t, 0, (int64_t)((uint64_t)t + (uint64_t)v * (uint64_t)v),
                   (int64_t)((uint64_t)t + (uint64_t)v))

static const struct pm_reduction reduction = {
    .dtypes = PM_NUMBERS,
    .opset = 18,
    .start_f64 = 0,
    .start_i64 = 0,
    .along_f64 = along_f64,
    .across_f64 = across_f64,
    .along_i64 = along_i64,
    .across_i64 = across_i64,
};

PM_REDUCTION_OPERATOR(reduce_sum_square, "ReduceSumSquare")
