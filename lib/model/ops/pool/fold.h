/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pooling of floats, for maxima and for sums: first every column of the rows that a window covers, then the columns.
 * The first part runs along whole rows and becomes vector code.
 */
#ifndef PM_OPS_FOLD_H
#define PM_OPS_FOLD_H

#include "model/ops/pool/window.h"

/* Bytes of scratch: one row of the input. */
int64_t pm_fold_scratch(const struct pm_window *window);

/* y = the maximum, or the sum, over each window; -inf and 0 for one that lies in the padding alone. */
void pm_fold_max(const struct pm_window *window, const float *x, float *y, float *row);
void pm_fold_sum(const struct pm_window *window, const float *x, float *y, float *row);

#endif
