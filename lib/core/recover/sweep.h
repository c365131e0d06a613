/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SparseGPT's sweep (Frantar and Alistarh 2023): columns from left to right; what a column loses is made up for by the
 * columns at its right, with the rows of U where H^-1 = U'U.
 *
 * Columns are taken in blocks; the columns beyond a block are updated once, by a product of matrices, when the block is
 * done. Inside a block the same is done with panels. A window is what the mask is chosen for at once, from the weights
 * as they stand when its first column is reached.
 */
#ifndef PR_CORE_RECOVER_SWEEP_H
#define PR_CORE_RECOVER_SWEEP_H

#include "core/linalg/linalg.h"

/* The mask of columns begin to end - 1: `scores` and `keep` are rows x (end - begin). */
typedef int32_t (*pr_choose_fn)(void *user, int64_t begin, int64_t end, const double *scores, uint8_t *keep);

struct pr_sweep {
    prune_context *context;
    const struct pr_linalg *la;
    int64_t rows, columns;
    int64_t stride;        /* from one row of the weights, and of `keep`, to the next */
    const double *factor;  /* U, columns x columns */
    const int64_t *window; /* windows + 1 ascending columns, of which the first is the sweep's first */
    int64_t windows;
    int64_t block;       /* columns of a block, less what does not fill a window */
    pr_choose_fn choose; /* NULL: `keep` is given */
    void *user;
    uint8_t *keep; /* rows x columns, 1 stays */
    double *cost;  /* rows: the sum of the squared errors; written */
};

/* w: rows x columns, `stride` apart, changed. The products are done in the type of the weights. */
int32_t pr_sweep_float(const struct pr_sweep *sweep, float *w);
int32_t pr_sweep_double(const struct pr_sweep *sweep, double *w);

#endif
