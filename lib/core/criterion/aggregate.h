/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The step that all criteria share: how what the elements of a unit give is put together (aggregate), and how the
 * scores of a tensor are made comparable with those of others (normalize). libprune only.
 */
#ifndef PR_CORE_AGGREGATE_H
#define PR_CORE_AGGREGATE_H

#include "core/granularity/granularity.h"

/* In the order of their words. */
enum pr_aggregate { PR_AGGREGATE_SUM, PR_AGGREGATE_MEAN, PR_AGGREGATE_MAX, PR_AGGREGATE_PRODUCT, PR_AGGREGATE_FIRST };
enum pr_normalize {
    PR_NORMALIZE_NONE,
    PR_NORMALIZE_SIZE,
    PR_NORMALIZE_L2,
    PR_NORMALIZE_SUM,
    PR_NORMALIZE_MAX,
    PR_NORMALIZE_MIN_MAX,
    PR_NORMALIZE_STANDARD
};

/* Rows for the table of a criterion's parameters, after its own: its scores of units are put together from elements
 * as `word` says unless the spec says otherwise. A criterion that scores units as wholes has the second one only. */
#define PR_AGGREGATE(word)                                                                                             \
    {                                                                                                                  \
        .name = "aggregate", .type = PR_WORD, .standard = (word), .words = "sum|mean|max|product|first",               \
        .help = "elements of a unit: sum, mean, max, product or first"                                                 \
    }
#define PR_NORMALIZE                                                                                                   \
    {                                                                                                                  \
        .name = "normalize", .type = PR_WORD, .standard = "none", .words = "none|size|l2|sum|max|min-max|standard",    \
        .help = "scores of a tensor: none, size, l2, sum, max, min-max, standard"                                      \
    }

/* A unit that is being put together: its value so far, and for products the power of two that the value lacks, so that
 * no product is lost on the way to one that fits. */
void pr_aggregate_start(enum pr_aggregate how, double *units, int64_t count);

/* A row of `count` elements, the first of which is number `first` along its axis, into the units that they are in,
 * `unit` elements long. `powers` for products only. */
void pr_aggregate_row(enum pr_aggregate how, const double *row, int64_t count, double *units, int64_t *powers,
                      int64_t first, int64_t unit);

/* Units begin..begin+count-1 of the grid have had all their elements: mean divides, product puts its powers in.
 * `units` and `powers` point to unit `begin`. */
void pr_aggregate_end(enum pr_aggregate how, const struct pr_grid *grid, int64_t begin, int64_t count, double *units,
                      const int64_t *powers);

/* The elements of a unit, fewer at the edge. */
int64_t pr_unit_size(const struct pr_grid *grid, int64_t unit);

/* The scores of all units of a tensor, in place; none is NaN. Infinite ones stay what they are and do not count. */
void pr_normalize(enum pr_normalize how, const struct pr_grid *grid, double *scores);

#endif
