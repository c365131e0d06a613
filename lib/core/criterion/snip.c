/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_GRADIENTS;
}

static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    const double *g = pr_observed_of(scoring, PR_GRADIENT_SUMS) + position;
    double steps = pr_steps_of(scoring, PR_GRADIENTS);
    for (int64_t i = 0; i < count; i++)
        row[i] = pr_times(fabs(row[i]), fabs(g[i] / steps));
}

const struct pr_criterion_kind pr_criterion_snip = {
    .kind = {.name = "snip",
             .help = "connection sensitivity at initialisation: |g w| of the mean gradient",
             .parameters = parameters},
    .needs = needs,
    .terms = terms,
    .single = terms,
};
