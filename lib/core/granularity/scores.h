/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scores from the inside: one number for each unit of a grid. Made by criteria, read by selection.
 */
#ifndef PR_CORE_SCORES_H
#define PR_CORE_SCORES_H

#include "core/granularity/granularity.h"
#include "prune/criterion.h"

struct prune_scores {
    prune_context *context;
    struct pr_grid grid;
    prune_tensor *values; /* F64 in the shape of the grid, without gaps, no NaN */
};

/* Takes over `values`, also when it fails. */
int32_t pr_scores_wrap(prune_scores **out, const struct pr_grid *grid, prune_tensor *values);

#endif
