/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/ops.h"
#include "model/ops/reduce/reduction.h"

/* A NaN stays the largest. */
PM_REDUCTION_LOOPS(f64, double, -INFINITY, (t > v || t != t) ? t : v, (t > v || t != t) ? t : v)
PM_REDUCTION_LOOPS(i64, int64_t, INT64_MIN, (t > v || t != t) ? t : v, (t > v || t != t) ? t : v)

static const struct pm_reduction reduction = {
    .dtypes = PM_NUMBERS,
    .opset = 18,
    .of_truth = 20,
    .start_f64 = -INFINITY,
    .start_i64 = INT64_MIN,
    .along_f64 = along_f64,
    .across_f64 = across_f64,
    .along_i64 = along_i64,
    .across_i64 = across_i64,
};

PM_REDUCTION_OPERATOR(reduce_max, "ReduceMax")
