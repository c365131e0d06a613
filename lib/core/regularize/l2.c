/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/regularize/regularize.h"

static double value(const struct pr_values *values, double u)
{
    (void)values;
    return u * u;
}

static double slope(const struct pr_values *values, double u)
{
    (void)values;
    return 2 * u;
}

static double shrink(const struct pr_values *values, double u, double by)
{
    (void)values;
    return u / (1 + 2 * by);
}

static const struct pr_parameter parameters[] = {PR_STRENGTH, {0}};

const struct pr_regularizer_kind pr_regularizer_l2 = {
    .kind = {.name = "l2", .help = "the sum of w^2", .parameters = parameters},
    .value = value,
    .slope = slope,
    .shrink = shrink,
};
