/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/ops.h"
#include "model/ops/reduce/reduction.h"

PM_REDUCTION_LOOPS(f64, double, 1, t *v, t *v)
PM_REDUCTION_LOOPS(i64, int64_t, 1, (int64_t)((uint64_t)t *(uint64_t)v), (int64_t)((uint64_t)t *(uint64_t)v))

static const struct pm_reduction reduction = {
    .dtypes = PM_NUMBERS,
    .opset = 18,
    .start_f64 = 1,
    .start_i64 = 1,
    .along_f64 = along_f64,
    .across_f64 = across_f64,
    .along_i64 = along_i64,
    .across_i64 = across_i64,
};

PM_REDUCTION_OPERATOR(reduce_prod, "ReduceProd")
