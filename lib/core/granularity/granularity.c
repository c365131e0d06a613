/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

#include "core/tensor/tensor.h"

#define PR_GRANULARITY(name) extern const struct pr_granularity_kind pr_granularity_##name;
#include "core/granularity/granularities.def"
#undef PR_GRANULARITY

/* The kind is the first member of its struct, so that one list serves both. */
const struct pr_kind *const pr_granularity_kinds[] = {
#define PR_GRANULARITY(name) &pr_granularity_##name.kind,
#include "core/granularity/granularities.def"
#undef PR_GRANULARITY
};
const int32_t pr_granularity_kind_count = (int32_t)(sizeof pr_granularity_kinds / sizeof *pr_granularity_kinds);

int32_t prune_granularity_create(prune_granularity **out, prune_context *context, const char *spec)
{
    int32_t index;
    struct pr_values values;
    char canonical[PR_MAX_SPEC];
    prune_granularity *granularity;
    PR_REQUIRE(out);
    PR_REQUIRE(spec);
    PR_TRY(pr_spec_parse(spec, "granularity", pr_granularity_kinds, pr_granularity_kind_count, &index, &values));
    const struct pr_granularity_kind *kind = (const struct pr_granularity_kind *)pr_granularity_kinds[index];
    if (kind->check)
        PR_TRY(kind->check(&values));
    pr_spec_print(canonical, &kind->kind, &values);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *granularity, &granularity));
    int32_t status = pr_copy_text(context, canonical, &granularity->spec);
    if (status) {
        pr_release(context, granularity);
        return status;
    }
    granularity->context = prune_context_retain(context);
    granularity->kind = kind;
    granularity->values = values;
    *out = granularity;
    return PRUNE_OK;
}

const char *prune_granularity_spec(const prune_granularity *granularity)
{
    return granularity ? granularity->spec : NULL;
}

int32_t prune_granularity_has_quota(const prune_granularity *granularity)
{
    return granularity ? granularity->kind->has_quota : 0;
}

int32_t prune_granularity_count(const prune_granularity *granularity, int32_t rank, const int64_t *shape,
                                int64_t *units, int64_t *pools, int64_t *grid)
{
    struct pr_grid made;
    int64_t count;
    PR_REQUIRE(granularity);
    PR_TRY(pr_check_shape(__func__, rank, shape, &count));
    PR_TRY(pr_grid_make(&made, granularity, rank, shape));
    if (units)
        *units = made.units;
    if (pools)
        *pools = made.pools;
    for (int32_t i = 0; grid && i < rank; i++)
        grid[i] = made.extent[i];
    return PRUNE_OK;
}

void prune_granularity_free(prune_granularity *granularity)
{
    if (!granularity)
        return;
    prune_context *context = granularity->context;
    pr_release(context, granularity->spec);
    pr_release(context, granularity);
    prune_context_free(context);
}
