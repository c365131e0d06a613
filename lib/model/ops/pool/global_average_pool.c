/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/ops.h"
#include "model/ops/pool/global.h"

PM_REDUCTION_LOOPS(f64, double, 0, t + v, t + v)

static double mean(double total, int64_t count)
{
    return total / (double)count;
}

static const struct pm_reduction reduction = {
    .dtypes = PM_FLOATING, .along_f64 = along_f64, .across_f64 = across_f64, .finish_f64 = mean};

PM_GLOBAL_OPERATOR(global_average_pool, "GlobalAveragePool")
