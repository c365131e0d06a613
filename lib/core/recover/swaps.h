/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mask swaps without a change of weights, after DSnoT (Zhang et al. 2024): in each row a removed weight comes back and
 * a kept one of the same pool goes, as long as that lowers the error. DSnoT judges by means and variances of the
 * inputs; here the Gram matrix gives the error itself, so it never rises.
 */
#ifndef PR_CORE_RECOVER_SWAPS_H
#define PR_CORE_RECOVER_SWAPS_H

#include "core/linalg/linalg.h"

struct pr_swaps {
    prune_context *context;
    const struct pr_linalg *la;
    int64_t rows, columns;
    const double *w;     /* rows x columns */
    const double *gram;  /* columns x columns */
    const int64_t *pool; /* of each column, within a row */
    int64_t pools;
    int64_t most;   /* swaps of a row */
    uint8_t *keep;  /* rows x columns: changed */
    int64_t *swaps; /* of each row: written */
};

int32_t pr_swaps_run(const struct pr_swaps *swaps);

#endif
