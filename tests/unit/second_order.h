/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of second-order recoveries share: problems on plain arrays and their errors in double.
 */
#ifndef PR_SECOND_ORDER_H
#define PR_SECOND_ORDER_H

#include <math.h>

#include "base/rng.h"
#include "core/recover/sparsegpt.h"
#include "testing.h"

/* sum over rows of (w - w0) G (w - w0)'. */
static inline double layer_error(int64_t rows, int64_t n, const double *gram, const double *w0, const double *w)
{
    double sum = 0;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                sum += (w[r * n + i] - w0[r * n + i]) * gram[i * n + j] * (w[r * n + j] - w0[r * n + j]);
    return sum;
}

/* Correlated inputs, each a mixture of itself and its neighbour, of different sizes; their Gram matrix. */
static inline void random_gram(struct pr_rng *rng, int64_t samples, int64_t n, double *gram)
{
    double *x = calloc((size_t)n, sizeof *x);
    memset(gram, 0, (size_t)(n * n) * sizeof *gram);
    for (int64_t s = 0; s < samples; s++) {
        for (int64_t j = 0; j < n; j++)
            x[j] = (pr_rng_uniform(rng) - 0.5) * (1 + (double)(j % 5)) + (j > 0 ? 0.6 * x[j - 1] : 0);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++)
                gram[i * n + j] += x[i] * x[j];
    }
    free(x);
}

static inline void random_weights(struct pr_rng *rng, int64_t count, double *w)
{
    for (int64_t i = 0; i < count; i++)
        w[i] = pr_rng_uniform(rng) + pr_rng_uniform(rng) + pr_rng_uniform(rng) - 1.5;
}

static inline void random_layer(uint64_t seed, int64_t samples, int64_t rows, int64_t n, double *gram, double *w)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, seed);
    random_gram(&rng, samples, n, gram);
    random_weights(&rng, rows * n, w);
}

enum { SPARSEGPT, OBC, SWAPS };

/* One recovery of rows x n weights. Everything after `fraction` may be left 0; NULL `granularity`: `keep` is given. */
struct recovery {
    int method; /* SPARSEGPT, OBC, SWAPS */
    int64_t rows, n;
    const double *w, *gram;
    double fraction;
    const char *granularity;
    int32_t target;
    double amount;
    int mask, reference;
    int64_t block, memory, most;
    int32_t dtype, threads;
    uint8_t *keep; /* rows x n: read or written */
    double *out;   /* rows x n */
    double predicted, error, condition, damping;
    int64_t dead;
};

/* A recovery of a given mask, and what it is to choose by itself. */
static inline struct recovery recovery_of(int method, int64_t rows, int64_t n, const double *w, const double *gram,
                                          double *out, uint8_t *keep)
{
    return (struct recovery){.method = method, .rows = rows, .n = n, .w = w, .gram = gram, .out = out, .keep = keep};
}

static inline void want(struct recovery *r, const char *granularity, int32_t target, double amount)
{
    r->granularity = granularity;
    r->target = target;
    r->amount = amount;
}

static inline int32_t recover_problem(struct recovery *r, struct pr_quadratic *problem, const struct pr_wanted *wanted)
{
    int32_t status;
    problem->memory = r->memory;
    if (r->keep && !wanted->granularity)
        memcpy(problem->keep, r->keep, (size_t)(r->rows * r->n));
    if (r->method == SPARSEGPT)
        status = pr_sparsegpt(problem, wanted, r->mask, r->block ? r->block : 128, r->reference);
    else if (r->method == OBC)
        status = pr_obc(problem, wanted);
    else
        status = pr_swap_masks(problem, wanted, r->mask, r->most);
    if (status)
        return status;
    if (r->keep)
        memcpy(r->keep, problem->keep, (size_t)(r->rows * r->n));
    pr_read_double(problem->work->dtype, problem->work->data, 1, r->rows * r->n, r->out);
    OK(pr_quadratic_error(problem, &r->error));
    r->predicted = problem->predicted;
    r->condition = problem->condition;
    r->damping = problem->damping;
    r->dead = problem->dead;
    return PRUNE_OK;
}

static inline int32_t recover(struct recovery *r)
{
    const int64_t shape[2] = {r->rows, r->n};
    prune_context *context = NULL;
    prune_tensor *weights;
    prune_granularity *granularity = NULL;
    struct pr_quadratic problem;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, r->threads ? r->threads : 1));
    OK(prune_tensor_borrow(&weights, context, (double *)(uintptr_t)r->w, PRUNE_F64, 2, shape, NULL));
    if (r->granularity)
        OK(prune_granularity_create(&granularity, context, r->granularity));
    const struct pr_wanted wanted = {granularity, r->target, r->amount};
    int32_t status =
        pr_quadratic_make(&problem, context, weights, r->gram, r->n, r->fraction, r->dtype ? r->dtype : PRUNE_F64);
    if (!status) {
        status = recover_problem(r, &problem, &wanted);
        pr_quadratic_free(&problem);
    }
    prune_granularity_free(granularity);
    prune_tensor_free(weights);
    prune_context_free(context);
    return status;
}

static inline int64_t count_kept(const uint8_t *keep, int64_t count)
{
    int64_t kept = 0;
    for (int64_t i = 0; i < count; i++)
        kept += keep[i];
    return kept;
}

#endif
