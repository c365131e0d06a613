/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The criterion from the inside: libprune only.
 */
#ifndef PR_CORE_CRITERION_H
#define PR_CORE_CRITERION_H

#include "base/power.h"
#include "core/criterion/aggregate.h"
#include "core/observe/observe.h"
#include "prune/criterion.h"

/* What a kind's functions are told. */
struct pr_scoring {
    const prune_criterion *criterion;
    const struct pr_values *values; /* the criterion's */
    const prune_tensor *weights;
    const prune_observations *observations; /* NULL where none were given */
    const struct pr_grid *grid;
    void *state; /* left by begin, freed by end */
};

/* One file and one line of criteria.def each. What a kind does is one of three:
 *
 * from elements  a unit's score is finish(sum of terms(element)), and of a single element single(element); each works
 *                on a row of numbers in place, and NULL leaves them as they are. `position` is the row-major number of
 *                the row's first element in the tensor; the rest of the row follow it. With aggregate=mean the sum is
 *                divided before finish; with max, product and first it is single() that is put together. Where the
 *                numbers are not the weights, `elements` makes them: it fills a tensor of F64 zeros in the weights'
 *                shape, and refuses what is NaN.
 * from numbers   `number` scores units by their numbers alone.
 * from units     `units` scores all units; it may rely on weights that are not NaN.
 *
 * `layer` then changes the scores of all units of a tensor, in place. Parameters end with PR_AGGREGATE("sum") (for
 * kinds that score elements) and PR_NORMALIZE. */
struct pr_criterion_kind {
    struct pr_kind kind;
    int32_t (*needs)(const struct pr_values *values); /* PRUNE_OBSERVE_ bits; NULL for none */
    int scales; /* terms must see numbers of at most 1: each unit is divided by a power of two, and its score is
                   multiplied by it */
    int32_t (*begin)(
        struct pr_scoring *scoring); /* checks the observations, prepares `state`; `end` also after failure */
    void (*end)(struct pr_scoring *scoring);
    int32_t (*elements)(const struct pr_scoring *scoring, prune_tensor *importances);
    void (*terms)(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count);
    void (*finish)(const struct pr_scoring *scoring, double *sums, int64_t count);
    void (*single)(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count);
    void (*number)(const struct pr_values *values, int64_t first, int64_t count, double *scores);
    int32_t (*units)(const struct pr_scoring *scoring, double *scores);
    int32_t (*layer)(const struct pr_scoring *scoring, double *scores);
};

struct prune_criterion {
    prune_context *context;
    const struct pr_criterion_kind *kind;
    struct pr_values values;
    enum pr_aggregate aggregate;
    enum pr_normalize normalize;
    prune_importance_fn importance; /* of a caller's criterion */
    void *user;
    char *spec;
};

extern const struct pr_kind *const pr_criterion_kinds[];
extern const int32_t pr_criterion_kind_count;

int32_t pr_criterion_new(prune_criterion **out, prune_context *context, const struct pr_criterion_kind *kind,
                         const struct pr_values *values);

/* The scores of every unit into `scores`, which holds zeros; sum.c. */
int32_t pr_score_units(struct pr_scoring *scoring, double *scores);

/* A scores object of these values, which it takes over, also when it fails. */
int32_t pr_scores_wrap(prune_scores **out, const struct pr_grid *grid, prune_tensor *values);

/* Terms and single elements that are |w|. */
void pr_row_magnitude(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count);

#endif
