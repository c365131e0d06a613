/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/ops.h"
#include "model/ops/pool/global.h"

/* A NaN stays the largest. */
PM_REDUCTION_LOOPS(f64, double, -INFINITY, (t > v || t != t) ? t : v, (t > v || t != t) ? t : v)

static const struct pm_reduction reduction = {
    .dtypes = PM_FLOATING, .start_f64 = -INFINITY, .along_f64 = along_f64, .across_f64 = across_f64};

PM_GLOBAL_OPERATOR(global_max_pool, "GlobalMaxPool")
