/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The regulariser from the inside: libprune only.
 */
#ifndef PR_CORE_REGULARIZE_H
#define PR_CORE_REGULARIZE_H

#include "core/granularity/granularity.h"
#include "prune/regularize.h"

/* One file and one line of regularizers.def each: a function of the magnitude u >= 0 of an element, or of the norm of a
 * unit. The first parameter is `strength`. */
struct pr_regularizer_kind {
    struct pr_kind kind;
    int groups;                                                         /* by units */
    double (*weight)(const struct pr_values *values, int64_t elements); /* of a unit; NULL for 1 */
    double (*value)(const struct pr_values *values, double u);
    double (*slope)(const struct pr_values *values, double u); /* at u > 0 */
    double (*shrink)(const struct pr_values *values, double u,
                     double by); /* the x >= 0 of least (x - u)^2 / 2 + by value(x) */
};

extern const struct pr_kind *const pr_regularizer_kinds[];
extern const int32_t pr_regularizer_kind_count;

#define PR_STRENGTH                                                                                                    \
    {                                                                                                                  \
        .name = "strength", .type = PR_REAL, .least = 0, .most = 1e300, .help = "what it is multiplied by, 0 or more"  \
    }

double pr_lasso_value(const struct pr_values *values, double u);
double pr_lasso_slope(const struct pr_values *values, double u);
double pr_lasso_shrink(const struct pr_values *values, double u, double by);

#endif
