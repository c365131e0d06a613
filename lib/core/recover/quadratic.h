/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A layer as a quadratic problem: weights of rows x columns, the Gram matrix G of its inputs, and the error
 * sum over rows of (w' - w) G (w' - w)' of whatever replaces them.
 */
#ifndef PR_CORE_RECOVER_QUADRATIC_H
#define PR_CORE_RECOVER_QUADRATIC_H

#include "core/recover/damped.h"
#include "core/recover/recover.h"
#include "core/recover/windows.h"

struct pr_quadratic {
    prune_context *context;
    struct pr_linalg la;
    const prune_tensor *weights; /* as they are given: rank 2 or more, axis 0 rows */
    int64_t rows, columns;
    const double *gram;
    double fraction;    /* damping, as part of the mean of the diagonal over the columns that are not dead */
    int64_t memory;     /* bytes to be taken beside `work` and `keep`; 0 for no limit */
    prune_tensor *work; /* a row-major copy of the weights, F32 or F64: becomes the repaired ones */
    uint8_t *keep;      /* rows x columns, 1 stays */

    double damping, condition, predicted; /* found out on the way */
    int64_t dead, taken;                  /* columns; bytes at most, beside `work` and `keep` */
};

/* Copies the weights in a type (PRUNE_F32, PRUNE_F64), counts dead columns and zeroes their weights, and works out the
 * damping. Weights are finite, `gram` is columns x columns. */
int32_t pr_quadratic_make(struct pr_quadratic *out, prune_context *context, const prune_tensor *weights,
                          const double *gram, int64_t columns, double fraction, int32_t dtype);

/* The same from what the frame of recoveries hands over, with its mask where there is one; and back to it, which frees
 * the problem. Returns `status`, or why what was found could not be handed over. */
int32_t pr_quadratic_begin(struct pr_quadratic *out, const struct pr_recovering *r, double fraction, int64_t memory,
                           int32_t dtype);
int32_t pr_quadratic_finish(struct pr_quadratic *problem, struct pr_recovering *r, int32_t status);

void pr_quadratic_free(struct pr_quadratic *problem);

/* Sets `keep` by |w| times the norm of the column's inputs (Wanda), or by |w| alone. */
int32_t pr_quadratic_select(struct pr_quadratic *problem, const prune_granularity *granularity, int32_t target,
                            double amount, int with_norms);

/* How many columns may be one group: half of the memory is for their matrix. */
int64_t pr_quadratic_columns(const struct pr_quadratic *problem);

/* The columns whose square matrix the memory holds: up to the last edge of a window within it, and at least one
 * window. *window is the window that begins there, and becomes the one that begins at the end. */
int64_t pr_quadratic_group(const struct pr_quadratic *problem, const struct pr_windows *windows, int64_t *window);

/* Where not all columns are one group: the columns begin to end - 1 make up for what the columns before them have
 * changed by. `inverse` is the inverse of their own damped matrix, or U of it. */
int32_t pr_quadratic_shift(struct pr_quadratic *problem, int64_t begin, int64_t end, const double *inverse,
                           int is_factor);

/* The error of the copy against the weights. */
int32_t pr_quadratic_error(const struct pr_quadratic *problem, double *error);

#endif
