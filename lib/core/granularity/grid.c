/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int32_t pr_grid_make(struct pr_grid *grid, const prune_granularity *granularity, int32_t rank, const int64_t *shape)
{
    struct pr_cut cut = {.quota = PR_NO_QUOTA};
    struct pr_grid made = {.kind = granularity->kind, .values = granularity->values, .rank = rank, .units = 1};
    PR_TRY(pr_count(rank, shape, &made.elements));
    for (int32_t i = 0; i < rank; i++)
        cut.unit[i] = 1, cut.pool[i] = made.shape[i] = made.tensor[i] = shape[i];
    PR_TRY(granularity->kind->cut(&granularity->values, rank, shape, &cut));
    made.quota = cut.quota;
    made.matrix = cut.matrix && rank > 2;
    for (int32_t i = 2; made.matrix && i < rank; i++) {
        made.shape[1] *= shape[i]; /* fits, as pr_count has found */
        made.shape[i] = 1;
    }
    made.pools = 1;
    for (int32_t i = rank - 1; i >= 0; i--) {
        /* An axis without elements has no units, but its boxes need an extent that can be divided by. */
        int64_t room = made.shape[i] > 0 ? made.shape[i] : 1;
        int64_t unit = least(cut.unit[i] > 0 ? cut.unit[i] : 1, room);
        int64_t pool = least(cut.pool[i] > 0 ? cut.pool[i] : 1, room);
        made.unit[i] = unit;
        made.extent[i] = pr_ceil_div(made.shape[i], unit);
        made.stride[i] = made.units;
        made.pool[i] = pr_ceil_div(pool, unit);
        made.pool_extent[i] = pr_ceil_div(made.extent[i], made.pool[i]);
        /* No more units or pools than elements, which pr_count has found to fit. */
        made.units *= made.extent[i];
        made.pools *= made.pool_extent[i];
    }
    *grid = made;
    return PRUNE_OK;
}

int32_t pr_grid_view(prune_tensor **out, const struct pr_grid *grid, const prune_tensor *tensor)
{
    int32_t order[PRUNE_MAX_RANK];
    prune_tensor *copy;
    for (int32_t i = 0; i < grid->rank; i++)
        order[i] = i;
    if (!grid->matrix)
        return prune_tensor_permute(out, tensor, order);
    if (tensor->contiguous)
        return prune_tensor_reshape(out, tensor, grid->rank, grid->shape);
    PR_TRY(prune_tensor_convert(&copy, tensor, tensor->dtype));
    int32_t status = prune_tensor_reshape(out, copy, grid->rank, grid->shape);
    prune_tensor_free(copy);
    return status;
}

int64_t pr_grid_unit_elements(const struct pr_grid *grid)
{
    int64_t count = 1;
    for (int32_t i = 0; i < grid->rank; i++)
        count *= grid->unit[i];
    return count;
}

int64_t pr_grid_pool_units(const struct pr_grid *grid)
{
    int64_t count = 1;
    for (int32_t i = 0; i < grid->rank; i++)
        count *= grid->pool[i];
    return count;
}

int64_t pr_grid_least_pool(const struct pr_grid *grid)
{
    int64_t count = grid->pools > 0;
    for (int32_t i = 0; i < grid->rank && count > 0; i++)
        count *= grid->extent[i] - (grid->pool_extent[i] - 1) * grid->pool[i];
    return count;
}

/* Number of the first unit, extents and size from the index. */
static void locate(const struct pr_grid *grid, struct pr_pool_at *at)
{
    at->first = 0;
    at->units = 1;
    at->whole = 1;
    for (int32_t i = 0; i < grid->rank; i++) {
        int64_t start = at->index[i] * grid->pool[i];
        at->count[i] = least(grid->pool[i], grid->extent[i] - start);
        at->first += start * grid->stride[i];
        at->units *= at->count[i];
        at->whole &= at->count[i] == grid->pool[i];
    }
}

void pr_pool_start(const struct pr_grid *grid, int64_t pool, struct pr_pool_at *at)
{
    for (int32_t i = grid->rank - 1; i >= 0; i--) {
        at->index[i] = pool % grid->pool_extent[i];
        pool /= grid->pool_extent[i];
    }
    locate(grid, at);
}

void pr_pool_next(const struct pr_grid *grid, struct pr_pool_at *at)
{
    int32_t last = grid->rank - 1;
    /* The common step, along the last axis between two whole pools, is worth a short cut: N:M has many small pools. */
    if (last >= 0 && at->whole && (at->index[last] + 2) * grid->pool[last] <= grid->extent[last]) {
        at->index[last]++;
        at->first += grid->pool[last] * grid->stride[last];
        return;
    }
    for (int32_t i = last; i >= 0; i--) {
        if (++at->index[i] < grid->pool_extent[i])
            break;
        at->index[i] = 0;
    }
    locate(grid, at);
}

void pr_pool_run_start(const struct pr_grid *grid, const struct pr_pool_at *at, int64_t skip, int64_t count,
                       struct pr_pool_run *run)
{
    int64_t length = 1, rest;
    int32_t inner = grid->rank; /* axes from here on are one run */
    while (inner > 0) {
        int64_t whole_so_far = inner == grid->rank || at->count[inner] == grid->extent[inner];
        if (!whole_so_far)
            break;
        inner--;
        length *= at->count[inner];
    }
    run->rank = inner;
    run->length = length;
    run->first = at->first + (length > 0 ? skip % length : 0);
    rest = length > 0 ? skip / length : 0;
    for (int32_t i = inner - 1; i >= 0; i--) {
        run->shape[i] = at->count[i];
        run->stride[i] = grid->stride[i];
        run->index[i] = rest % at->count[i];
        rest /= at->count[i];
        run->first += run->index[i] * run->stride[i];
    }
    run->left = count;
    run->count = count > 0 ? least(length - skip % length, count) : 0;
}

void pr_pool_run_next(struct pr_pool_run *run)
{
    run->left -= run->count;
    if (run->left <= 0) {
        run->count = 0;
        return;
    }
    run->first -= run->length - run->count; /* the first run may have begun inside */
    for (int32_t i = run->rank - 1; i >= 0; i--) {
        run->first += run->stride[i];
        if (++run->index[i] < run->shape[i])
            break;
        run->first -= run->shape[i] * run->stride[i];
        run->index[i] = 0;
    }
    run->count = least(run->length, run->left);
}
