/* SPDX-License-Identifier: BSD-2-Clause
 *
 * OBC on a whole matrix: strips of rows worked side by side, and how many units each of them loses.
 */
#ifndef PR_CORE_RECOVER_STRIPS_H
#define PR_CORE_RECOVER_STRIPS_H

#include "core/recover/strip.h"
#include "core/select/select.h"

struct pr_strips {
    prune_context *context;
    const struct pr_grid *grid;
    const double *inverse; /* of the damped Gram matrix, columns x columns */
    const double *least;   /* 1 / H_jj */
    int64_t stride;        /* from one row of w, and of keep, to the next */
    double *w;             /* rows x columns: changed */
    uint8_t *keep;         /* rows x columns: 1 stays. Out of pr_strips_prune, into pr_strips_repair */
    int64_t memory;        /* bytes for the factors of the strips, 0 for no limit: fewer are worked at a time */
    double *cost;          /* rows / unit height: what each strip's removals cost; NULL when nobody asks */
    int64_t taken;         /* written: bytes that the work on strips took at most */
};

/* Removes what the target asks for. Units compete inside a strip where pools are no higher than one, and otherwise by
 * the costs of each strip's steps, all sorted together. PRUNE_E_UNSUPPORTED for pools that are neither one strip high
 * nor whole rows wide; a target of PRUNE_THRESHOLD takes units while the next one costs less than the amount. */
int32_t pr_strips_prune(struct pr_strips *strips, const struct pr_target *target);

/* Removes the units that are 0 in `keep`, each of which must be wholly kept or wholly removed. */
int32_t pr_strips_repair(struct pr_strips *strips);

#endif
