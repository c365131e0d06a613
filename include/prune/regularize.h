/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Regularisers: what a training loop adds to its loss so that weights become small, or zero. For a regulariser R with
 * strength L there are the penalty L R(w), its subgradient, and the proximal step, which takes weights w to the x that
 * has the least (x - w)^2 / 2 + step L R(x). Subgradients make weights small; proximal steps make them exactly zero.
 *
 *   "l1:strength=L"             sum |w|: soft threshold
 *   "l2:strength=L"             sum w^2: gradient 2 L w
 *   "smooth-l1:strength=L,width=B"
 *                               sum of w^2 / 2B where |w| < B, of |w| - B/2 elsewhere
 *   "group:strength=L,size_weight=root"
 *                               sum over units of sqrt(elements of the unit) sqrt(sum w^2), group lasso: whole units
 *                               become zero; with size_weight=none without the first root
 *
 * On the scale factors of a batch normalisation (network slimming) use l1 or l2 on the tensor of factors. Groups that
 * overlap (by filter and by channel) are two calls, with subgradients.
 *
 * Weights are F32, F16, BF16 or F64, any strides; everything is computed in double, in row-major order, and rounded
 * once when stored. Weights that are NaN or infinite are refused, PRUNE_E_VALUE with the position, before anything is
 * changed. PRUNE_E_DTYPE, PRUNE_E_SHAPE, PRUNE_E_NOMEM. Only "group" looks at `granularity`, and must have it
 * (PRUNE_E_ARGUMENT); for the others it may be NULL.
 */
#ifndef PRUNE_REGULARIZE_H
#define PRUNE_REGULARIZE_H

#include <stdint.h>

#include "prune/granularity.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_regularizer prune_regularizer;

/* From a spec string, see prune/kinds.h; and its canonical form, the regulariser's own memory. */
PRUNE_API int32_t prune_regularizer_create(prune_regularizer **out, prune_context *context, const char *spec);
PRUNE_API const char *prune_regularizer_spec(const prune_regularizer *regularizer);
PRUNE_API void prune_regularizer_free(prune_regularizer *regularizer);

/* *penalty = L R(weights); infinite where it does not fit. */
PRUNE_API int32_t prune_regularizer_penalty(const prune_regularizer *regularizer, const prune_tensor *weights,
                                            const prune_granularity *granularity, double *penalty);

/* gradient += L dR/dw, where R has a corner (w or a whole unit 0) nothing. `gradient` has the shape of the weights, any
 * float dtype and strides, not the same memory; NaN in it is refused like that of weights. */
PRUNE_API int32_t prune_regularizer_add_subgradient(const prune_regularizer *regularizer, const prune_tensor *weights,
                                                    const prune_granularity *granularity, prune_tensor *gradient);

/* The proximal step, in place; `step` (the learning rate) is 0 or more and finite, else PRUNE_E_ARGUMENT. What becomes
 * zero is +0.0. */
PRUNE_API int32_t prune_regularizer_proximal(const prune_regularizer *regularizer, prune_tensor *weights,
                                             const prune_granularity *granularity, double step);

#ifdef __cplusplus
}
#endif
#endif
