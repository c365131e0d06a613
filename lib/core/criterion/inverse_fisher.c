/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/inverse_fisher.h"

#include <math.h>
#include <stdio.h>

int32_t pr_fisher_begin(const struct pr_scoring *scoring, int64_t samples, int64_t *first, int64_t *count)
{
    const prune_tensor *weights = scoring->weights;
    const char *kind = scoring->criterion->kind->kind.name;
    char who[64], a[PR_MAX_SHAPE_TEXT], b[PR_MAX_SHAPE_TEXT];
    snprintf(who, sizeof who, "criterion %s", kind);
    PR_TRY(pr_observations_require(scoring->observations, PRUNE_OBSERVE_GRADIENT_SAMPLES, who));
    const struct pr_observed_group *group = pr_observed_group(scoring->observations, PR_GRADIENTS);
    if (!pr_same_shape(group->rank, group->shape, weights->rank, weights->shape))
        return pr_fail(PRUNE_E_SHAPE, "%s: the gradients have shape %s, the weights %s; they must be the same", who,
                       pr_shape_text(a, group->rank, group->shape), pr_shape_text(b, weights->rank, weights->shape));
    int64_t kept = prune_observations_kept(scoring->observations);
    if (samples > kept)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: samples=%lld, and %lld gradients are kept; feed more, or take fewer", who,
                       (long long)samples, (long long)kept);
    *count = samples ? samples : kept;
    *first = kept - *count;
    return PRUNE_OK;
}

void pr_fisher_gradient(const struct pr_scoring *scoring, int64_t index, int64_t position, int64_t count, double *out)
{
    const prune_tensor *gradient = pr_observed_gradient(scoring->observations, index);
    pr_read_double(gradient->dtype, gradient->data + position * prune_dtype_size(gradient->dtype), 1, count, out);
}

void pr_fisher_weights(const struct pr_scoring *scoring, double *out)
{
    struct pr_walk walk;
    for (pr_walk_start(&walk, scoring->weights); walk.count; pr_walk_next(&walk)) {
        pr_read_double(scoring->weights->dtype, walk.data, walk.stride, walk.count, out);
        out += walk.count;
    }
}

double pr_fisher_score(double w, double inverse)
{
    /* In this order neither w^2 nor 2 [F^-1]_qq need fit. */
    return isinf(w) ? INFINITY : w / inverse * w / 2;
}

int pr_fisher_lost(double left, int64_t samples)
{
    return !(left > 64 * (double)samples * 0x1p-52);
}

int32_t pr_fisher_refuse(const struct pr_scoring *scoring, int64_t position)
{
    const prune_tensor *weights = scoring->weights;
    char place[PR_MAX_SHAPE_TEXT];
    return pr_fail(PRUNE_E_VALUE,
                   "criterion %s: the inverse of the Fisher matrix is lost to rounding at element %lld, %s; damping "
                   "must be larger beside the gradients",
                   scoring->criterion->kind->kind.name, (long long)position,
                   pr_index_text(place, weights->rank, weights->shape, position));
}

void pr_fisher_add(int64_t n, double *inverse, const double *g, double samples, double *scratch)
{
    double divisor = samples;
    for (int64_t i = 0; i < n; i++)
        scratch[i] = 0;
    for (int64_t j = 0; j < n; j++)
        for (int64_t i = 0; i < n; i++)
            scratch[i] += g[j] * inverse[j * n + i];
    for (int64_t i = 0; i < n; i++)
        divisor += g[i] * scratch[i];
    for (int64_t i = 0; i < n; i++) {
        double by = scratch[i] / divisor;
        for (int64_t j = 0; j < n; j++)
            inverse[i * n + j] -= by * scratch[j];
    }
}
