/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/criterion/criterion.h"

void pr_row_magnitude(const struct pr_values *values, double *row, int64_t count)
{
    (void)values;
    for (int64_t i = 0; i < count; i++)
        row[i] = fabs(row[i]);
}

const struct pr_criterion_kind pr_criterion_l1 = {
    .kind = {.name = "l1", .help = "magnitude: the sum of |w|"},
    .terms = pr_row_magnitude,
    .single = pr_row_magnitude,
};
