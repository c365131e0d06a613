/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/criterion/criterion.h"

static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    (void)scoring, (void)position;
    for (int64_t i = 0; i < count; i++)
        row[i] *= row[i];
}

static void finish(const struct pr_scoring *scoring, double *sums, int64_t count)
{
    (void)scoring;
    for (int64_t i = 0; i < count; i++)
        sums[i] = sqrt(sums[i]);
}

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

const struct pr_criterion_kind pr_criterion_l2 = {
    .kind = {.name = "l2", .help = "magnitude: the square root of the sum of w^2", .parameters = parameters},
    .scales = 1,
    .terms = terms,
    .finish = finish,
    .single = pr_row_magnitude,
};
