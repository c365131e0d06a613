/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The Gram matrix as second-order methods use it: dead columns set apart, its diagonal raised, factored.
 */
#ifndef PR_CORE_RECOVER_DAMPED_H
#define PR_CORE_RECOVER_DAMPED_H

#include "core/linalg/linalg.h"

struct pr_damped {
    prune_context *context;
    int64_t columns;
    double *matrix;   /* columns x columns, see below */
    double *diagonal; /* of the damped matrix; 1 at dead columns */
    double condition; /* an estimate of the damped matrix's condition number in the 1-norm */
};

/* Of a Gram matrix with rows `stride` apart. `damping` is added to the diagonal, which becomes 1 at dead columns.
 * Afterwards `matrix` is U, upper, with H^-1 = U'U. PRUNE_E_VALUE with the column when H is not positive definite. */
int32_t pr_damped_factor(struct pr_damped *out, const struct pr_linalg *la, int64_t columns, const double *gram,
                         int64_t stride, double damping);

/* The same, and `matrix` is H^-1. */
int32_t pr_damped_inverse(struct pr_damped *out, const struct pr_linalg *la, int64_t columns, const double *gram,
                          int64_t stride, double damping);

void pr_damped_free(struct pr_damped *damped);

#endif
