/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Corrections: closed forms on plain tensors that make good a part of what pruning did to a layer, without training.
 *
 * Tensors are F32, F16, BF16 or F64 with any strides; those that change are rewritten in place, all of them or, on
 * failure, none. Sums are doubles in row-major order and are rounded once, when they are stored. NaN and infinity are
 * refused, PRUNE_E_VALUE with the position. Weights have their output channels on axis 0 and their inputs on axis 1:
 * linear [out, in], convolutions OIHW. `spec` is a list of "key=value"; NULL means "".
 */
#ifndef PRUNE_CORRECT_H
#define PRUNE_CORRECT_H

#include <stdint.h>

#include "prune/mask.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bias correction: bias += (before - after) E[x], so that each output keeps its mean. `before` and `after` are the
 * layer's weights, of one shape; `bias` [out]. `means` has one number for each input (in a convolution: each channel,
 * groups x axis 1 of them) or one for each column of im2col (for each input, kernel height x kernel width of them). The
 * latter is exact under any padding; the former takes every tap to see the mean of its channel, which is not so where
 * the padding is zeros. `groups` is the number of groups of a convolution, 1 for none. */
PRUNE_API int32_t prune_correct_bias(prune_tensor *bias, const prune_tensor *before, const prune_tensor *after,
                                     const prune_tensor *means, int64_t groups);

/* Mean and variance correction: scales row o of `weights` (any rank from 1 on) by s = sqrt(variance_before[o] /
 * variance_after[o]) and sets bias[o] to s (bias[o] - mean_after[o]) + mean_before[o]. When the four vectors [out] are
 * the moments of the layer's outputs, bias included, with its weights as they were and as they are, the outputs then
 * have the mean and the variance that they had. An output that has become constant (variance_after 0) gets the mean
 * alone, s = 1. A negative variance is PRUNE_E_VALUE. */
PRUNE_API int32_t prune_correct_moments(prune_tensor *weights, prune_tensor *bias, const prune_tensor *mean_before,
                                        const prune_tensor *variance_before, const prune_tensor *mean_after,
                                        const prune_tensor *variance_after);

/* Batch norm recalibration, one batch: mean and variance [channels] move to those of `activations` (samples x channels
 * x anything) by the factor f: new = (1 - f) old + f batch. f is `momentum` in (0, 1], or, where momentum is 0, 1 /
 * `batch`: the average over all batches so far (means 1 and 3 give 2). `batch` counts from 1; with f = 1 what stood
 * there is not looked at. The batch's variance is divided by n - 1, as frameworks keep it for inference; a batch of
 * fewer than 2 numbers for each channel is PRUNE_E_SHAPE. */
PRUNE_API int32_t prune_recalibrate_batch_norm(prune_tensor *mean, prune_tensor *variance,
                                               const prune_tensor *activations, int64_t batch, double momentum);

/* Folds y = gamma (x - mean) / sqrt(variance + epsilon) + beta behind a layer into it: with s = gamma / sqrt(variance +
 * epsilon), row o of `weights` (any rank from 1 on) is multiplied by s and bias[o] becomes s (bias[o] - mean[o]) +
 * beta[o]. variance + epsilon that is not above 0 is PRUNE_E_VALUE. A channel whose gamma is 0 gets weights of +0.0 and
 * the bias beta: a dead channel. */
PRUNE_API int32_t prune_fold_batch_norm(prune_tensor *weights, prune_tensor *bias, const prune_tensor *gamma,
                                        const prune_tensor *beta, const prune_tensor *mean,
                                        const prune_tensor *variance, double epsilon);

/* Which outputs of a layer still depend on its input: *alive, rank 1, keeps channel o unless every weight of row o is
 * zero. *constants, F64 [out], has what the others give, act(bias[o]), and 0 for those that live. `bias` NULL stands
 * for zeros. The layer may be a batch norm: gamma as `weights` [channels], beta as `bias`. spec: activation, one of
 * none (default), relu, relu6, sigmoid and tanh; for another the caller changes the constants. Either of the two may be
 * NULL. */
PRUNE_API int32_t prune_dead_channels(prune_mask **alive, prune_tensor **constants, const prune_tensor *weights,
                                      const prune_tensor *bias, const char *spec);

/* Takes channels whose value is constant out of the next layer: next_bias[o] += sum over dead c of constants[c] times
 * the sum of next_weights[o][c], and these weights become +0.0; then the channel can be removed from both layers
 * (prune_keep_channels), and the outputs are what they were, to rounding. `alive` and `constants` [channels] as
 * prune_dead_channels gives them; what stands in `constants` for a channel that lives is not looked at. Axis 1 of
 * `next_weights` times groups is `channels`, or m times as many: a flattened image, where each channel has m columns.
 *
 * spec: groups (default 1) and padding, what a convolution's taps read beyond the image:
 *   none      (default) nothing, or the image itself reflected, repeated or wrapped around: exact
 *   zero      zeros: outputs at the border miss taps, which no bias can say. A channel whose constant is not 0 and that
 *             is used (a weight of it is not 0) is PRUNE_E_UNSUPPORTED, with its number; all else is exact
 *   interior  zeros, and absorb nevertheless: exact where no tap leaves the image, and elsewhere wrong by at most
 *             *border_error, the largest over outputs of what absent taps can sum up to
 * `border_error` may be NULL; it is set to 0 in the exact cases. */
PRUNE_API int32_t prune_absorb_constants(prune_tensor *next_bias, prune_tensor *next_weights,
                                         const prune_tensor *constants, const prune_mask *alive, const char *spec,
                                         double *border_error);

/* A new tensor of the channels along `axis` that `alive` (rank 1) keeps, in their order, same type. The extent may be m
 * times that of `alive`: m consecutive indices belong to each channel. */
PRUNE_API int32_t prune_keep_channels(prune_tensor **out, const prune_tensor *tensor, int32_t axis,
                                      const prune_mask *alive);

#ifdef __cplusplus
}
#endif
#endif
