/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/scores.h"

#include "core/tensor/tensor.h"

int32_t pr_scores_wrap(prune_scores **out, const struct pr_grid *grid, prune_tensor *values)
{
    prune_scores *scores;
    prune_context *context = prune_tensor_context(values);
    int32_t status = pr_alloc_zero(context, 1, sizeof *scores, &scores);
    if (status) {
        prune_tensor_free(values);
        return status;
    }
    scores->context = prune_context_retain(context);
    scores->grid = *grid;
    scores->values = values;
    *out = scores;
    return PRUNE_OK;
}

int32_t prune_scores_create(prune_scores **out, const prune_granularity *granularity, int32_t rank,
                            const int64_t *shape, const prune_tensor *values)
{
    struct pr_grid grid;
    int64_t count;
    prune_tensor *copy, *view;
    char text[PR_MAX_SHAPE_TEXT];
    PR_REQUIRE(out);
    PR_REQUIRE(granularity);
    PR_REQUIRE(values);
    PR_TRY(pr_check_shape(__func__, rank, shape, &count));
    PR_TRY(pr_grid_make(&grid, granularity, rank, shape));
    if (values->dtype != PRUNE_F32 && values->dtype != PRUNE_F64)
        return pr_fail(PRUNE_E_DTYPE, "%s: scores are %s; they must be f32 or f64", __func__,
                       prune_dtype_name(values->dtype));
    if (values->count != grid.units)
        return pr_fail(PRUNE_E_SHAPE, "%s: %lld scores are given; %s on shape %s has %lld units", __func__,
                       (long long)values->count, granularity->spec, pr_shape_text(text, rank, shape),
                       (long long)grid.units);
    PR_TRY(pr_refuse_nan(values, "scores"));
    PR_TRY(prune_tensor_convert(&copy, values, PRUNE_F64));
    int32_t status = prune_tensor_reshape(&view, copy, grid.rank, grid.extent);
    prune_tensor_free(copy);
    return status ? status : pr_scores_wrap(out, &grid, view);
}

const prune_tensor *prune_scores_values(const prune_scores *scores)
{
    return scores ? scores->values : NULL;
}

void prune_scores_free(prune_scores *scores)
{
    if (!scores)
        return;
    prune_context *context = scores->context;
    prune_tensor_free(scores->values);
    pr_release(context, scores);
    prune_context_free(context);
}
