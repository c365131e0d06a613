/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The criterion from the inside: libprune only.
 */
#ifndef PR_CORE_CRITERION_H
#define PR_CORE_CRITERION_H

#include "core/granularity/granularity.h"
#include "prune/criterion.h"

/* One file and one line of criteria.def each. A unit's score is finish(sum of terms(element)), of a single element
 * single(element), or, of a kind with `number`, a function of its number alone. Each works on a row, in place; NULL
 * leaves the numbers as they are. */
struct pr_criterion_kind {
    struct pr_kind kind;
    int scales; /* terms must see numbers of at most 1: each unit is divided by a power of two, and its score is
                   multiplied by it */
    void (*terms)(const struct pr_values *values, double *row, int64_t count);
    void (*finish)(const struct pr_values *values, double *sums, int64_t count);
    void (*single)(const struct pr_values *values, double *row, int64_t count);
    void (*number)(const struct pr_values *values, int64_t first, int64_t count, double *scores);
};

struct prune_criterion {
    prune_context *context;
    const struct pr_criterion_kind *kind;
    struct pr_values values;
    char *spec;
};

extern const struct pr_kind *const pr_criterion_kinds[];
extern const int32_t pr_criterion_kind_count;

/* The scores of every unit into `scores`, which holds zeros; sum.c. */
int32_t pr_score_units(const prune_criterion *criterion, const prune_tensor *weights, const struct pr_grid *grid,
                       double *scores);

void pr_row_magnitude(const struct pr_values *values, double *row, int64_t count);

/* x^p and x^(1/p) for x >= 0 and p > 0, within two units in the last place for p up to 10, with the same bits wherever
 * doubles are IEEE numbers: libm's pow() differs between its versions and between CPUs. */
double pr_power(double x, double p);
double pr_root(double x, double p);

#endif
