/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_HESSIAN_DIAGONAL;
}

/* Where the loss is not at a minimum a curvature can be negative: removing the weight is then free, not a gain. */
static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    const double *h = pr_observed_of(scoring, PR_CURVATURE_SUMS) + position;
    double steps = pr_steps_of(scoring, PR_CURVATURES);
    for (int64_t i = 0; i < count; i++)
        row[i] = pr_times(row[i] * row[i], h[i] > 0 ? h[i] / steps / 2 : 0);
}

const struct pr_criterion_kind pr_criterion_obd = {
    .kind = {.name = "obd", .help = "second order: h w^2 / 2, h the Hessian's diagonal", .parameters = parameters},
    .needs = needs,
    .terms = terms,
    .single = terms,
};
