/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/ops.h"
#include "model/ops/reduce/reduction.h"

PM_REDUCTION_LOOPS(f64, double, 0, t + v * v, t + v)

static double finish_f64(double total, int64_t count)
{
    (void)count;
    return sqrt(total);
}

static const struct pm_reduction reduction = {
    .dtypes = PM_FLOATING,
    .opset = 18,
    .start_f64 = 0,
    .along_f64 = along_f64,
    .across_f64 = across_f64,
    .finish_f64 = finish_f64,
};

PM_REDUCTION_OPERATOR(reduce_l2, "ReduceL2")
