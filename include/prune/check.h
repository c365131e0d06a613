/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Checks: what can be said of a mask and of weights under it that anyone else can check again.
 */
#ifndef PRUNE_CHECK_H
#define PRUNE_CHECK_H

#include <stdint.h>

#include "prune/granularity.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether pruned elements of `weights` (the mask's shape, any dtype, any strides) hold +0.0: how many hold something
 * else, -0.0 among it, and the row-major number of the first (-1 when none); either pointer may be NULL. */
PRUNE_API int32_t prune_mask_check(const prune_mask *mask, const prune_tensor *weights, int64_t *violations,
                                   int64_t *first);

/* A number that is the same for equal masks on every machine: FNV-1a, 64 bits (basis 14695981039346656037, prime
 * 1099511628211), over the rank as one byte, each extent as eight bytes from the lowest up, and the mask as bytes, in
 * which bit i % 8 of byte i / 8, counted from the lowest, is element i in row-major order; unused bits are 0. */
PRUNE_API int32_t prune_mask_hash(const prune_mask *mask, uint64_t *hash);

/* The patterns that masks are commonly looked at for, as spec strings of granularities: N:M along either axis and both,
 * blocks, kernels, channels, balanced rows and banks. How many there are, and the one at `index` (a constant; NULL
 * outside the list). */
PRUNE_API int32_t prune_pattern_count(void);
PRUNE_API const char *prune_pattern_spec(int32_t index);

/* Whether a mask has pattern `index`, as prune_granularity_check says; *holds is -1, and *violation too, where the
 * mask's shape cannot have it (kernels in a matrix). Either pointer may be NULL. */
PRUNE_API int32_t prune_pattern_check(int32_t index, const prune_mask *mask, int32_t *holds, int64_t *violation);

/* An upper bound of what pruning changes in a layer's output, from the norms of its inputs alone: with W out x in, X
 * samples x in and ||x_j|| the norm of column j of X (PRUNE_OBSERVED_INPUT_NORMS of prune/observe.h), output o changes
 * by ||X dw_o|| <= sum_j |dw_oj| ||x_j||, because |x_i . x_j| <= ||x_i|| ||x_j||. `rows` (may be NULL with count 0)
 * becomes that sum for each of the `count` outputs, *bound (may be NULL) the root of the sum of their squares: at least
 * the Frobenius norm of the change. Both are rounded upwards.
 *
 * prune_mask_error_bound: the change is that pruned weights become 0. prune_weights_error_bound: from `before` to
 * `after`, such as weights that were repaired. Weights (F32, F16, BF16 or F64, any strides) of rank above 2 are out x
 * (in kh kw); input_norms (F32 or F64) has as many elements, or one for each input channel, which then stands for all
 * positions of the kernel (the norm over all positions of the channel). PRUNE_E_SHAPE for other sizes, PRUNE_E_VALUE
 * for NaN or a negative norm. */
PRUNE_API int32_t prune_mask_error_bound(const prune_mask *mask, const prune_tensor *weights,
                                         const prune_tensor *input_norms, double *rows, int64_t count, double *bound);
PRUNE_API int32_t prune_weights_error_bound(const prune_tensor *before, const prune_tensor *after,
                                            const prune_tensor *input_norms, double *rows, int64_t count,
                                            double *bound);

#ifdef __cplusplus
}
#endif
#endif
