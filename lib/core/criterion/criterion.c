/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

#include <string.h>

#include "core/tensor/tensor.h"

#define PR_CRITERION(name) extern const struct pr_criterion_kind pr_criterion_##name;
#include "core/criterion/criteria.def"
#undef PR_CRITERION

/* The kind is the first member of its struct, so that one list serves both. */
const struct pr_kind *const pr_criterion_kinds[] = {
#define PR_CRITERION(name) &pr_criterion_##name.kind,
#include "core/criterion/criteria.def"
#undef PR_CRITERION
};
const int32_t pr_criterion_kind_count = (int32_t)(sizeof pr_criterion_kinds / sizeof *pr_criterion_kinds);

/* Which word a parameter has that some kinds have; the first where this one has not got it. */
static int32_t word_of(const struct pr_kind *kind, const struct pr_values *values, const char *name)
{
    for (int32_t i = 0; kind->parameters && kind->parameters[i].name; i++)
        if (strcmp(kind->parameters[i].name, name) == 0)
            return (int32_t)values->whole[i];
    return 0;
}

int32_t pr_criterion_new(prune_criterion **out, prune_context *context, const struct pr_criterion_kind *kind,
                         const struct pr_values *values)
{
    char canonical[PR_MAX_SPEC];
    prune_criterion *criterion;
    pr_spec_print(canonical, &kind->kind, values);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *criterion, &criterion));
    int32_t status = pr_copy_text(context, canonical, &criterion->spec);
    if (status) {
        pr_release(context, criterion);
        return status;
    }
    criterion->context = prune_context_retain(context);
    criterion->kind = kind;
    criterion->values = *values;
    criterion->aggregate = (enum pr_aggregate)word_of(&kind->kind, values, "aggregate");
    criterion->normalize = (enum pr_normalize)word_of(&kind->kind, values, "normalize");
    *out = criterion;
    return PRUNE_OK;
}

int32_t prune_criterion_create(prune_criterion **out, prune_context *context, const char *spec)
{
    int32_t index;
    struct pr_values values;
    PR_REQUIRE(out);
    PR_REQUIRE(spec);
    PR_TRY(pr_spec_parse(spec, "criterion", pr_criterion_kinds, pr_criterion_kind_count, &index, &values));
    return pr_criterion_new(out, context, (const struct pr_criterion_kind *)pr_criterion_kinds[index], &values);
}

const char *prune_criterion_spec(const prune_criterion *criterion)
{
    return criterion ? criterion->spec : NULL;
}

int32_t prune_criterion_needs(const prune_criterion *criterion)
{
    return criterion && criterion->kind->needs ? criterion->kind->needs(&criterion->values) : 0;
}

void prune_criterion_free(prune_criterion *criterion)
{
    if (!criterion)
        return;
    prune_context *context = criterion->context;
    pr_release(context, criterion->spec);
    pr_release(context, criterion);
    prune_context_free(context);
}

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

static int32_t score(struct pr_scoring *scoring, double *scores)
{
    const struct pr_criterion_kind *kind = scoring->criterion->kind;
    int32_t status = pr_check_observed(scoring);
    if (!status && kind->begin)
        status = kind->begin(scoring);
    if (!status)
        status = pr_score_units(scoring, scores);
    if (!status && kind->layer)
        status = kind->layer(scoring, scores);
    if (kind->end)
        kind->end(scoring);
    if (!status)
        pr_normalize(scoring->criterion->normalize, scoring->grid, scores);
    return status;
}

int32_t prune_criterion_score(prune_scores **out, const prune_criterion *criterion, const prune_tensor *weights,
                              const prune_observations *observations, const prune_granularity *granularity)
{
    struct pr_grid grid;
    prune_tensor *values;
    PR_REQUIRE(out);
    PR_REQUIRE(criterion);
    PR_REQUIRE(weights);
    PR_REQUIRE(granularity);
    if (!pr_dtype_is_float(weights->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are %s; they must be f32, f16, bf16 or f64", __func__,
                       prune_dtype_name(weights->dtype));
    PR_TRY(pr_grid_make(&grid, granularity, weights->rank, weights->shape));
    PR_TRY(prune_tensor_create(&values, weights->context, PRUNE_F64, grid.rank, grid.extent));
    prune_tensor *view; /* in the shape that the granularity's boxes lie on */
    int32_t status = pr_grid_view(&view, &grid, weights);
    if (!status) {
        struct pr_scoring scoring = {criterion, &criterion->values, view, observations, &grid, NULL};
        status = score(&scoring, prune_tensor_data(values));
        prune_tensor_free(view);
    }
    if (status) {
        prune_tensor_free(values);
        return status;
    }
    return pr_scores_wrap(out, &grid, values);
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
