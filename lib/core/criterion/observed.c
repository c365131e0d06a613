/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

#include <stdio.h>

#include "core/tensor/tensor.h"

static int32_t check_shape(const struct pr_scoring *scoring, int32_t group, const char *who)
{
    const struct pr_observed_group *observed = pr_observed_group(scoring->observations, group);
    const prune_tensor *w = scoring->weights;
    char ours[PR_MAX_SHAPE_TEXT], theirs[PR_MAX_SHAPE_TEXT];
    if (pr_same_shape(observed->rank, observed->shape, w->rank, w->shape))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_SHAPE, "%s: weights have shape %s, the observed %s %s; they must be equal", who,
                   pr_shape_text(ours, w->rank, w->shape), pr_observed_group_names[group],
                   pr_shape_text(theirs, observed->rank, observed->shape));
}

int32_t pr_check_observed(const struct pr_scoring *scoring)
{
    const struct pr_criterion_kind *kind = scoring->criterion->kind;
    int32_t needs = prune_criterion_needs(scoring->criterion);
    char who[64];
    if (!needs || scoring->weights->count == 0)
        return PRUNE_OK;
    snprintf(who, sizeof who, "criterion %s", kind->kind.name);
    PR_TRY(pr_observations_require(scoring->observations, needs, who));
    for (int32_t group = PR_GRADIENTS; group <= PR_CURVATURES; group++)
        if (needs & pr_group_needs(group))
            PR_TRY(check_shape(scoring, group, who));
    return PRUNE_OK;
}

static int32_t check_channels(const struct pr_scoring *scoring, const prune_tensor *values, int64_t axis)
{
    const prune_tensor *w = scoring->weights;
    const char *name = scoring->criterion->kind->kind.name;
    char text[PR_MAX_SHAPE_TEXT];
    if (axis >= w->rank)
        return pr_fail(PRUNE_E_SHAPE, "criterion %s: channel_axis=%lld is outside weights of rank %d", name,
                       (long long)axis, (int)w->rank);
    if (values->count != w->shape[axis])
        return pr_fail(PRUNE_E_SHAPE,
                       "criterion %s: %lld channels were observed; weights of shape %s have %lld along axis %lld", name,
                       (long long)values->count, pr_shape_text(text, w->rank, w->shape), (long long)w->shape[axis],
                       (long long)axis);
    return PRUNE_OK;
}

static void score_units(const struct pr_grid *grid, const double *values, int64_t axis, double (*change)(double),
                        double *scores)
{
    for (int64_t unit = 0; unit < grid->units; unit++) {
        int64_t begin = unit / grid->stride[axis] % grid->extent[axis] * grid->unit[axis];
        int64_t end = begin + grid->unit[axis] < grid->shape[axis] ? begin + grid->unit[axis] : grid->shape[axis];
        double sum = 0;
        for (int64_t i = begin; i < end; i++)
            sum += change ? change(values[i]) : values[i];
        scores[unit] = sum / (double)(end - begin);
    }
}

int32_t pr_score_channels(const struct pr_scoring *scoring, int32_t statistic, int64_t axis, double (*change)(double),
                          double *scores)
{
    prune_tensor *values;
    PR_TRY(prune_observations_get(&values, scoring->observations, statistic));
    int32_t status = check_channels(scoring, values, axis);
    if (!status)
        score_units(scoring->grid, prune_tensor_const_data(values), axis, change, scores);
    prune_tensor_free(values);
    return status;
}

int32_t pr_share_among_blocks(const struct pr_scoring *scoring, int32_t blocks, double *scores)
{
    double count = (double)scoring->values->whole[blocks];
    for (int64_t i = 0; count > 1 && i < scoring->grid->units; i++)
        scores[i] /= count;
    return PRUNE_OK;
}
