/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/regularize/regularize.h"

double pr_lasso_value(const struct pr_values *values, double u)
{
    (void)values;
    return u;
}

double pr_lasso_slope(const struct pr_values *values, double u)
{
    (void)values, (void)u;
    return 1;
}

double pr_lasso_shrink(const struct pr_values *values, double u, double by)
{
    (void)values;
    return u > by ? u - by : 0;
}

static const struct pr_parameter parameters[] = {PR_STRENGTH, {0}};

const struct pr_regularizer_kind pr_regularizer_l1 = {
    .kind = {.name = "l1", .help = "the sum of |w|", .parameters = parameters},
    .value = pr_lasso_value,
    .slope = pr_lasso_slope,
    .shrink = pr_lasso_shrink,
};
