/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/criterion/criterion.h"

static void terms(const struct pr_values *values, double *row, int64_t count)
{
    (void)values;
    for (int64_t i = 0; i < count; i++)
        row[i] *= row[i];
}

static void finish(const struct pr_values *values, double *sums, int64_t count)
{
    (void)values;
    for (int64_t i = 0; i < count; i++)
        sums[i] = sqrt(sums[i]);
}

const struct pr_criterion_kind pr_criterion_l2 = {
    .kind = {.name = "l2", .help = "magnitude: the square root of the sum of w^2"},
    .scales = 1,
    .terms = terms,
    .finish = finish,
    .single = pr_row_magnitude,
};
