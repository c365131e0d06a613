/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stochastic gradient descent with momentum (Polyak's heavy ball, without dampening) and weight decay in the gradient.
 */
#include <math.h>

#include "model/train/train.h"

static inline void step_one(const struct pm_sgd sgd, float *w, float g, float *v)
{
    float speed = sgd.momentum * *v + (g + sgd.weight_decay * *w);
    speed = fabsf(speed) < PM_LEAST_STATE ? 0.0f : speed;
    float moved = *w - sgd.rate * speed;
    *v = speed;
    *w = fabsf(moved) < PM_LEAST_STATE ? 0.0f : moved;
}

/* Blocks of fixed length become vector code at every level of optimisation. */
void pm_sgd_step(const struct pm_sgd *sgd, float *restrict w, const float *restrict g, float *restrict v, int64_t count)
{
    const struct pm_sgd held = *sgd;
    int64_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (int j = 0; j < 16; j++)
            step_one(held, &w[i + j], g[i + j], &v[i + j]);
    for (; i < count; i++)
        step_one(held, &w[i], g[i], &v[i]);
}

void pm_update(const struct pm_sgd *sgd, const struct pm_constraint *constraint, float *w, float *g, float *v,
               int64_t count)
{
    for (int64_t i = 0; i < count; i += PM_CHUNK) {
        int64_t n = count - i < PM_CHUNK ? count - i : PM_CHUNK;
        pm_sgd_step(sgd, w + i, g + i, v + i, n);
        if (constraint->kind)
            constraint->kind->hold(constraint->state, i, n, w + i, g + i, v + i);
    }
}
