/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/criterion/criterion.h"

enum { P };

/* Within this range a unit of 10^24 elements can neither overflow by its number of elements, nor its largest element
 * (at least 1/2 after scaling) underflow. */
static const struct pr_parameter parameters[] = {
    {.name = "p", .type = PR_REAL, .least = 0.1, .most = 1000, .help = "exponent, 0.1 to 1000"},
    PR_AGGREGATE("sum"),
    PR_NORMALIZE,
    {0},
};

static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    double p = scoring->values->real[P];
    (void)position;
    for (int64_t i = 0; i < count; i++) {
        double x = fabs(row[i]);
        row[i] = p == 1 ? x : p == 2 ? x * x : pr_power(x, p);
    }
}

static void finish(const struct pr_scoring *scoring, double *sums, int64_t count)
{
    double p = scoring->values->real[P];
    for (int64_t i = 0; i < count; i++)
        sums[i] = p == 1 ? sums[i] : p == 2 ? sqrt(sums[i]) : pr_root(sums[i], p);
}

const struct pr_criterion_kind pr_criterion_lp = {
    .kind = {.name = "lp", .help = "magnitude: the p-th root of the sum of |w|^p", .parameters = parameters},
    .scales = 1,
    .terms = terms,
    .finish = finish,
    .single = pr_row_magnitude,
};
