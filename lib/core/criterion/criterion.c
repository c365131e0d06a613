/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/criterion.h"

#include "core/granularity/scores.h"
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

int32_t prune_criterion_create(prune_criterion **out, prune_context *context, const char *spec)
{
    int32_t index;
    struct pr_values values;
    char canonical[PR_MAX_SPEC];
    prune_criterion *criterion;
    PR_REQUIRE(out);
    PR_REQUIRE(spec);
    PR_TRY(pr_spec_parse(spec, "criterion", pr_criterion_kinds, pr_criterion_kind_count, &index, &values));
    const struct pr_criterion_kind *kind = (const struct pr_criterion_kind *)pr_criterion_kinds[index];
    pr_spec_print(canonical, &kind->kind, &values);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *criterion, &criterion));
    int32_t status = pr_copy_text(context, canonical, &criterion->spec);
    if (status) {
        pr_release(context, criterion);
        return status;
    }
    criterion->context = prune_context_retain(context);
    criterion->kind = kind;
    criterion->values = values;
    *out = criterion;
    return PRUNE_OK;
}

const char *prune_criterion_spec(const prune_criterion *criterion)
{
    return criterion ? criterion->spec : NULL;
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

int32_t prune_criterion_score(prune_scores **out, const prune_criterion *criterion, const prune_tensor *weights,
                              const prune_observations *observations, const prune_granularity *granularity)
{
    struct pr_grid grid;
    prune_tensor *values;
    PR_REQUIRE(out);
    PR_REQUIRE(criterion);
    PR_REQUIRE(weights);
    PR_REQUIRE(granularity);
    (void)observations;
    if (!pr_dtype_is_float(weights->dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: weights are %s; they must be f32, f16, bf16 or f64", __func__,
                       prune_dtype_name(weights->dtype));
    PR_TRY(pr_grid_make(&grid, granularity, weights->rank, weights->shape));
    PR_TRY(prune_tensor_create(&values, weights->context, PRUNE_F64, grid.rank, grid.extent));
    int32_t status = pr_score_units(criterion, weights, &grid, prune_tensor_data(values));
    if (status) {
        prune_tensor_free(values);
        return status;
    }
    return pr_scores_wrap(out, &grid, values);
}
