/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Masks straight from f32 weights, by magnitude, or from f64 scores that are none of them NaN, without a byte for each
 * element in between. Words are written whole.
 */
#ifndef PR_CORE_ELEMENTS_H
#define PR_CORE_ELEMENTS_H

#include "core/granularity/granularity.h"
#include "core/granularity/key.h"
#include "core/kernels/masks.h"

/* Sets the bits of all but the `goes` smallest of `count` numbers, of equals the lower number being smaller. *done is 0
 * where another way has to be taken: few numbers, a limit that the sample missed, a NaN among weights. */
int32_t pr_elements_f32(prune_context *context, const float *weights, int64_t count, int64_t goes, uint64_t *words,
                        int *done);
int32_t pr_elements_f64(prune_context *context, const double *scores, int64_t count, int64_t goes, uint64_t *words,
                        int *done);

/* Whether the pools of a grid are groups of 4 neighbours, all whole, of which 1 to 3 stay. */
int pr_has_groups_of_4(const struct pr_grid *grid);

/* Keeps `keep_n` of every 4; count is a multiple of 4. Returns 0 when a weight is NaN. One of both is NULL. */
int pr_groups_of_4(prune_context *context, const float *weights, const double *scores, int64_t count, int keep_n,
                   uint64_t *words);

#endif
