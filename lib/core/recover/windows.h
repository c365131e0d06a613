/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Choosing a mask window by window: the columns of a matrix cut into windows that no unit and no quota straddles, and
 * in each the mask of a granularity for a target.
 */
#ifndef PR_CORE_RECOVER_WINDOWS_H
#define PR_CORE_RECOVER_WINDOWS_H

#include "core/granularity/granularity.h"
#include "core/select/select.h"

struct pr_windows {
    prune_context *context;
    const prune_granularity *granularity;
    prune_criterion *scores; /* sums what it is given over each unit */
    int32_t rank, target;
    double amount;
    int64_t shape[PRUNE_MAX_RANK];
    int64_t inner; /* columns of one index of axis 1 */
    int64_t *edge; /* windows + 1, in columns */
    int64_t count;
    int reference; /* count as SparseGPT's own program does: int(n s) is the threshold's number, all up to it go */
    /* For targets that hold over pools as wide as the weights, which windows cut: units of a pool, in all and in the
     * windows before this one. */
    int64_t units, seen;
};

/* Windows of about `block` columns for weights of this shape; without gaps, to be chosen from left to right.
 * PRUNE_E_ARGUMENT for a target that the granularity does not take. */
int32_t pr_windows_make(struct pr_windows *windows, prune_context *context, const prune_granularity *granularity,
                        int32_t rank, const int64_t *shape, int32_t target, double amount, int64_t block);
/* Columns without a granularity: edges only, every `step` columns. */
int32_t pr_windows_plain(struct pr_windows *windows, prune_context *context, int64_t columns, int64_t step);
void pr_windows_free(struct pr_windows *windows);

/* The target of the next window, or of several at once, which are columns begin to end - 1: the windows' own, or a
 * number of units to keep that is this window's share. `shape` becomes that of these columns. */
int32_t pr_windows_target(struct pr_windows *windows, int64_t begin, int64_t end, int64_t *shape, int32_t *target,
                          double *amount);

/* A pr_choose_fn whose user is the windows. Pools that lie in one window keep the target exactly; of wider ones each
 * window takes its share, and all windows together exactly the target. */
int32_t pr_windows_choose(void *user, int64_t begin, int64_t end, const double *scores, uint8_t *keep);

#endif
