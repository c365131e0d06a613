/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Masks straight from f32 weights by magnitude, without scores in between. A magnitude is ranked by its bits as an
 * integer: |a| < |b| as numbers and as bits are one.
 */
#ifndef PR_CORE_MAGNITUDE_H
#define PR_CORE_MAGNITUDE_H

#include "core/mask/mask.h"
#include "core/select/select.h"

#define PR_LARGEST 0x7f800000 /* infinity; what is above is NaN */

static inline int32_t pr_magnitude(const float *weight)
{
    int32_t bits;
    memcpy(&bits, weight, sizeof bits);
    return bits & INT32_MAX;
}

/* Four at a time; comparisons give -1 for true. */
typedef int32_t pr_four __attribute__((vector_size(16)));

static inline pr_four pr_all(int32_t x)
{
    return (pr_four){x, x, x, x};
}

static inline pr_four pr_magnitudes(const float *weights)
{
    pr_four bits;
    memcpy(&bits, weights, sizeof bits);
    return bits & pr_all(INT32_MAX);
}

static inline int pr_any(pr_four mask)
{
    uint64_t halves[2];
    memcpy(halves, &mask, sizeof halves);
    return (halves[0] | halves[1]) != 0;
}

/* Sets the bits of all but the `goes` smallest of `count` weights, of equals the lower number being smaller; words are
 * written whole. *done is 0 where another way has to be taken: few weights, a limit that the sample missed, a NaN. */
int32_t pr_magnitude_elements(prune_context *context, const float *weights, int64_t count, int64_t goes,
                              uint64_t *words, int *done);

/* Keeps `keep_n` of every 4; count is a multiple of 4. Returns 0 when a weight is NaN. */
int pr_magnitude_groups_of_4(prune_context *context, const float *weights, int64_t count, int keep_n, uint64_t *words);

#endif
