/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The second-order recoveries on a problem that has been set up; their kinds are sparsegpt.c, obc.c and dsnot.c.
 */
#ifndef PR_CORE_RECOVER_SPARSEGPT_H
#define PR_CORE_RECOVER_SPARSEGPT_H

#include "core/recover/quadratic.h"

/* What the mask shall be, where it is not given. */
struct pr_wanted {
    const prune_granularity *granularity; /* NULL: the mask is `keep` of the problem */
    int32_t target;
    double amount;
};

enum { PR_MASK_OWN, PR_MASK_WANDA, PR_MASK_L1 }; /* how the mask is chosen */

/* SparseGPT in blocks of `block` columns; `reference` counts as its authors' program does. */
int32_t pr_sparsegpt(struct pr_quadratic *problem, const struct pr_wanted *wanted, int mask, int64_t block,
                     int reference);

/* OBC. */
int32_t pr_obc(struct pr_quadratic *problem, const struct pr_wanted *wanted);

/* Swaps, at most `most` of each row, from a mask by PR_MASK_WANDA or PR_MASK_L1. */
int32_t pr_swap_masks(struct pr_quadratic *problem, const struct pr_wanted *wanted, int mask, int64_t most);

#endif
