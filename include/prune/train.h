/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training: softmax cross-entropy, SGD with momentum and weight decay, and constraints that hold after every step.
 *
 * A trainer works on a network that is its caller's, must outlive its use and must not get new nodes, and changes its
 * parameters; masks are read from the network when the trainer is made. After every step weight, gradient and momentum
 * of a pruned element are +0.0, bit for bit. State that decays is set to 0 below 1e-30.
 */
#ifndef PRUNE_TRAIN_H
#define PRUNE_TRAIN_H

#include <stdint.h>

#include "prune/network.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_trainer prune_trainer;

/* `spec` is a list of "key=value": lr (default 0.05), momentum (0.9), weight_decay (1e-4, added to the gradient of
 * weights, not of biases), batch (64), epochs (10), decay=cosine (default; from lr to 0 over all steps) or constant,
 * seed (1; the order of the samples). The loss is the sum over the network's outputs of the mean softmax cross-entropy,
 * all against the same labels. PRUNE_E_UNSUPPORTED for a packed network. */
PRUNE_API int32_t prune_trainer_create(prune_trainer **out, prune_network *network, const char *spec);

/* One epoch over images (F32 [count, ...]) and labels (I64 [count], each 0 to classes - 1, PRUNE_E_VALUE with its
 * position otherwise), in a fresh random order. *loss, if not NULL: the mean over the epoch. PRUNE_E_DIVERGED, with the
 * step, when a loss is NaN or infinite; the parameters are then what they were before that step. PRUNE_E_CANCELLED from
 * the progress function. PRUNE_E_ARGUMENT when a cosine has come to its end. */
PRUNE_API int32_t prune_trainer_epoch(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels,
                                      double *loss);

/* One step on one batch given in order, 1 to `batch` samples, at the rate with which the next epoch would begin. */
PRUNE_API int32_t prune_trainer_step(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels,
                                     double *loss);

/* Loss and gradients on one batch, without a step; then prune_trainer_gradient reads them, those of pruned elements
 * too. */
PRUNE_API int32_t prune_trainer_backward(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels,
                                         double *loss);

/* Gradient and momentum of a parameter, F32 in its shape, as the last step or backward left them; NULL for no such
 * name. Borrowed. */
PRUNE_API const prune_tensor *prune_trainer_gradient(const prune_trainer *trainer, const char *name);
PRUNE_API const prune_tensor *prune_trainer_momentum(const prune_trainer *trainer, const char *name);

/* All the epochs that the spec asks for and that are not done yet; *loss as of the last. */
PRUNE_API int32_t prune_trainer_run(prune_trainer *trainer, const prune_tensor *images, const prune_tensor *labels,
                                    double *loss);

PRUNE_API void prune_trainer_free(prune_trainer *trainer);

#ifdef __cplusplus
}
#endif
#endif
