/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a caller hands to a product Y = W X or Y = X W', and whether it can be meant.
 */
#ifndef PR_CORE_SPARSE_PRODUCT_H
#define PR_CORE_SPARSE_PRODUCT_H

#include "prune/packed.h"

struct pr_product {
    float *y;
    const float *x;
    int64_t ldy, ldx, n;
    int batch; /* X is [n][columns] and Y [n][rows] */
};

/* For a W of rows x columns; sentences begin with the name of the function that was called. */
int32_t pr_product_check(const struct pr_product *product, int64_t rows, int64_t columns,
                         const prune_epilogue *epilogue, const char *function);

/* Elements from the first to past the last of `count` rows of `width`, `ld` apart. */
int32_t pr_product_span(int64_t count, int64_t width, int64_t ld, int64_t *elements);

#endif
