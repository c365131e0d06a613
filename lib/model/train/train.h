/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Training from the inside: the optimiser's step, and constraints that hold after it.
 */
#ifndef PM_TRAIN_TRAIN_H
#define PM_TRAIN_TRAIN_H

#include "model/network/network.h"

/* Elements that are worked on at a time: weight, gradient and momentum of a chunk stay in the first-level cache from
 * the step to the constraints. A multiple of 64. */
#define PM_CHUNK 2048

/* State that decays is 0 below this: denormals would make training several times slower. */
#define PM_LEAST_STATE 1e-30f

struct pm_sgd {
    float rate, momentum, weight_decay;
};

/* v = momentum v + g + weight_decay w; w = w - rate v. */
void pm_sgd_step(const struct pm_sgd *sgd, float *w, const float *g, float *v, int64_t count);

/* A kind of constraint. `hold` restores it on the elements begin..begin+count-1 (begin a multiple of PM_CHUNK) of the
 * weights, their gradient and their momentum, whose addresses are those of the first of these elements. */
struct pm_constraint_kind {
    const char *name;
    void (*hold)(const void *state, int64_t begin, int64_t count, float *w, float *g, float *v);
    void (*free)(prune_context *context, void *state);
};

struct pm_constraint {
    const struct pm_constraint_kind *kind; /* NULL: none */
    void *state;
};

/* Pruned elements are +0.0. */
int32_t pm_constraint_mask(struct pm_constraint *out, prune_context *context, const prune_mask *mask);

/* One step on one parameter: SGD, then its constraint. */
void pm_update(const struct pm_sgd *sgd, const struct pm_constraint *constraint, float *w, float *g, float *v,
               int64_t count);

#endif
