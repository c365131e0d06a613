/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Layers as quadratic problems, for tests of second-order criteria and recoveries.
 */
#ifndef PR_QUADRATICS_H
#define PR_QUADRATICS_H

#include "base/rng.h"
#include "core/linalg/linalg.h"
#include "pruning.h"

/* Inputs X with X'X = H / 2, so that the layer error d G d' is the d H d' / 2 of papers: the Cholesky factor. */
static inline prune_observations *observe_hessian(const double *h, int64_t n)
{
    double x[64];
    prune_observations *o;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < n; j++)
            x[j * n + i] = 0;
    double l[64];
    struct pr_linalg la = pr_linalg_of(NULL);
    memcpy(l, h, sizeof *l * (size_t)(n * n));
    OK(pr_linalg_cholesky(&la, n, l, n));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++)
            x[j * n + i] = l[i * n + j] / sqrt(2);
    prune_tensor *inputs = borrow(x, PRUNE_F64, 2, SHAPE(n, n));
    OK(prune_observations_create(&o, NULL, PRUNE_OBSERVE_GRAM));
    OK(prune_observations_feed(o, PRUNE_INPUTS, inputs));
    prune_tensor_free(inputs);
    return o;
}

static inline double *normal(int64_t count, uint64_t seed)
{
    double *x = malloc((size_t)(count ? count : 1) * sizeof *x);
    for (int64_t i = 0; i < count; i++) {
        double sum = -6;
        for (int k = 0; k < 12; k++)
            sum += pr_rng_at(seed, (uint64_t)(i * 12 + k));
        x[i] = sum;
    }
    return x;
}

/* Correlated inputs: each column leans on the one before. */
static inline double *correlated(int64_t samples, int64_t n, uint64_t seed)
{
    double *x = normal(samples * n, seed);
    for (int64_t i = 0; i < samples; i++)
        for (int64_t j = 1; j < n; j++)
            x[i * n + j] += 0.8 * x[i * n + j - 1];
    return x;
}

static inline prune_observations *observe_inputs(prune_context *context, const double *x, int64_t samples, int64_t n)
{
    prune_observations *o;
    prune_tensor *inputs;
    OK(prune_tensor_borrow(&inputs, context, (void *)(uintptr_t)x, PRUNE_F64, 2, SHAPE(samples, n), NULL));
    OK(prune_observations_create(&o, context, PRUNE_OBSERVE_GRAM));
    OK(prune_observations_feed(o, PRUNE_INPUTS, inputs));
    prune_tensor_free(inputs);
    return o;
}

static inline prune_mask *mask_of(const uint8_t *keep, int64_t rows, int64_t columns)
{
    prune_mask *mask;
    OK(prune_mask_from_bytes(&mask, NULL, 2, SHAPE(rows, columns), keep, rows * columns));
    return mask;
}

static inline double fact(const prune_repair *report, int32_t what)
{
    double value = -1;
    OK(prune_repair_get(report, what, &value));
    return value;
}

#endif
