/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/criterion/criterion.h"

void pr_row_magnitude(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    (void)scoring, (void)position;
    for (int64_t i = 0; i < count; i++)
        row[i] = fabs(row[i]);
}

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

const struct pr_criterion_kind pr_criterion_l1 = {
    .kind = {.name = "l1", .help = "magnitude: the sum of |w|", .parameters = parameters},
    .terms = pr_row_magnitude,
    .single = pr_row_magnitude,
};
