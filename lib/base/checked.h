/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sizes that are computed from what a caller or a file says. Everything is int64_t, counts elements unless named
 * _bytes, and is never negative; a result that does not fit is PRUNE_E_OVERFLOW with the two numbers.
 */
#ifndef PR_BASE_CHECKED_H
#define PR_BASE_CHECKED_H

#include "base/fail.h"

static inline int32_t pr_mul(int64_t a, int64_t b, int64_t *product)
{
    int64_t result;
    if (a < 0 || b < 0 || __builtin_mul_overflow(a, b, &result))
        return pr_fail(PRUNE_E_OVERFLOW, "a size of %lld x %lld does not fit in 63 bits", (long long)a, (long long)b);
    *product = result;
    return PRUNE_OK;
}

static inline int32_t pr_add(int64_t a, int64_t b, int64_t *sum)
{
    int64_t result;
    if (a < 0 || b < 0 || __builtin_add_overflow(a, b, &result))
        return pr_fail(PRUNE_E_OVERFLOW, "a size of %lld + %lld does not fit in 63 bits", (long long)a, (long long)b);
    *sum = result;
    return PRUNE_OK;
}

/* ceil(a / b) for a >= 0, b > 0; cannot overflow. */
static inline int64_t pr_ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

/* The product of a shape's extents. The product of the extents that are not 0 must fit too, so that a shape such as
 * [0, 2^63 - 1, 2] is refused here and strides cannot overflow later. */
static inline int32_t pr_count(int32_t rank, const int64_t *shape, int64_t *count)
{
    int64_t total = 1, empty = 0;
    for (int32_t i = 0; i < rank; i++) {
        if (shape[i] < 0)
            return pr_fail(PRUNE_E_SHAPE, "extent %d of the shape is %lld; it must be 0 or more", (int)i,
                           (long long)shape[i]);
        if (shape[i] == 0)
            empty = 1;
        else
            PR_TRY(pr_mul(total, shape[i], &total));
    }
    *count = empty ? 0 : total;
    return PRUNE_OK;
}

#endif
