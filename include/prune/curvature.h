/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Curvatures: the Hessian's diagonal by a second backward pass (LeCun, Denker and Solla 1989), one step for each layer,
 * on the tensors of the caller's own training loop. For units x = f(a), a = W x' of the layer before,
 *
 *   d2E/dw_ij^2 = d2E/da_i^2 x'_j^2                              prune_curvature_linear, _convolution
 *   d2E/dx'_j^2 = sum over i of w_ij^2 d2E/da_i^2                the same functions
 *   d2E/da^2    = f'(a)^2 d2E/dx^2 + f''(a) dE/dx                prune_curvature_activation
 *
 * where off-diagonal terms are left out, and without gradients the f'' terms too (then no curvature is negative). The
 * pass begins at the loss, with prune_curvature_loss; what comes out for the weights is fed to observations as
 * PRUNE_CURVATURES. Sums are over the samples of a batch, as those of the first backward pass are: a loss that is a
 * mean over samples has its 1 / samples from the beginning. Exact are: under the squared loss the last two layers of
 * linear weights, and chains of single units; under cross-entropy the last layer. The rest is an approximation.
 *
 * Tensors are F32, F16, BF16 or F64 with any strides, worked on in double and written rounded to their type. What is
 * written has the right shape already and overlaps nothing else; on failure nothing has been written. NaN and infinite
 * numbers are refused, PRUNE_E_VALUE with their position; shapes that do not fit, PRUNE_E_SHAPE with the numbers. exp
 * and tanh are those of the C library.
 */
#ifndef PRUNE_CURVATURE_H
#define PRUNE_CURVATURE_H

#include <stdint.h>

#include "prune/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the pass begins. `outputs` and `targets` are samples x classes; `loss` is one of
 *
 *   "squared"        mean over samples of sum (target - output)^2, without a half: curvature 2 / samples
 *   "cross-entropy"  outputs are scores before softmax, targets probabilities: p (1 - p) / samples, p the softmax
 *
 * Writes the curvatures with respect to the outputs, and the gradients (NULL: not wanted), both in their shape. */
PRUNE_API int32_t prune_curvature_loss(prune_tensor *curvatures, prune_tensor *gradients, const prune_tensor *outputs,
                                       const prune_tensor *targets, const char *loss);

/* Through an activation function, in place: `curvatures` are d2E/dx^2 before and d2E/da^2 afterwards. `inputs` are a;
 * `gradients` are dE/dx, or NULL to leave the f'' terms out (Levenberg-Marquardt). `function` is "relu" (f'(0) = 0),
 * "tanh", "sigmoid", "softplus" or "identity". All have one shape. */
PRUNE_API int32_t prune_curvature_activation(prune_tensor *curvatures, const prune_tensor *inputs,
                                             const prune_tensor *gradients, const char *function);

/* A linear layer: weights out x in, inputs samples x in, curvatures samples x out. Writes those of the weights (out x
 * in) and of the inputs (samples x in); either may be NULL, but not both. A bias is a weight whose input is 1. */
PRUNE_API int32_t prune_curvature_linear(prune_tensor *of_weights, prune_tensor *of_inputs, const prune_tensor *weights,
                                         const prune_tensor *inputs, const prune_tensor *curvatures);

/* A convolution: weights [out, in / groups, height, width], inputs [samples, in, H, W], curvatures [samples, out, H',
 * W']; `spec` is "stride=S,padding=P,dilation=D,groups=G" as in prune/convolution.h (NULL means ""). A weight's
 * curvature is the sum over all its uses. */
PRUNE_API int32_t prune_curvature_convolution(prune_tensor *of_weights, prune_tensor *of_inputs,
                                              const prune_tensor *weights, const prune_tensor *inputs,
                                              const prune_tensor *curvatures, const char *spec);

/* Pooling of inputs [samples, channels, H, W]; `spec` is "kind=max|average,size=N,stride=S,padding=P" (stride: as size;
 * NULL means "kind=max,size=2"). The maximum (the first, of equal ones) takes all; an average of n gives 1 / n^2 to
 * each, where n is size^2, padding counted. */
PRUNE_API int32_t prune_curvature_pool(prune_tensor *of_inputs, const prune_tensor *inputs,
                                       const prune_tensor *curvatures, const char *spec);

/* Channels (axis 1) multiplied by scales, as by a batch normalisation that is held fast (gamma / sigma), in place: each
 * curvature times the square of its channel's scale. */
PRUNE_API int32_t prune_curvature_scale(prune_tensor *curvatures, const prune_tensor *scales);

#ifdef __cplusplus
}
#endif
#endif
