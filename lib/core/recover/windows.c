/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/windows.h"

#include "prune/criterion.h"

/* How many indices of axis 1 a window has. */
static int64_t window_extent(const struct pr_grid *grid, int64_t inner, int64_t block)
{
    int64_t unit = grid->unit[1], pool = unit * grid->pool[1], extent = grid->shape[1];
    if (pool < extent || grid->quota != PR_NO_QUOTA)
        return pool;
    int64_t most = block / inner / unit * unit;
    return most > unit ? most : unit;
}

/* What prune_mask_select would say of every window, before anything is done. */
static int32_t check_target(const struct pr_grid *grid, int32_t target, double amount)
{
    PR_TRY(pr_check_target(grid, target, amount));
    if ((target == PRUNE_KEEP || target == PRUNE_COUNT) && pr_grid_least_pool(grid) != pr_grid_pool_units(grid))
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "a number of units, where the pools of \"%s\" have %lld to %lld; give PRUNE_SPARSITY",
                       grid->kind->kind.name, (long long)pr_grid_least_pool(grid), (long long)pr_grid_pool_units(grid));
    return PRUNE_OK;
}

int32_t pr_windows_make(struct pr_windows *windows, prune_context *context, const prune_granularity *granularity,
                        int32_t rank, const int64_t *shape, int32_t target, double amount, int64_t block)
{
    struct pr_windows made = {
        .context = context, .granularity = granularity, .rank = rank, .target = target, .amount = amount, .inner = 1};
    struct pr_grid grid;
    PR_TRY(pr_grid_make(&grid, granularity, rank, shape));
    PR_TRY(check_target(&grid, target, amount));
    for (int32_t i = 0; i < rank; i++)
        made.shape[i] = shape[i];
    for (int32_t i = 2; i < rank; i++)
        made.inner *= shape[i];
    int64_t extent = window_extent(&grid, made.inner > 0 ? made.inner : 1, block);
    made.count = pr_ceil_div(shape[1], extent);
    if (grid.unit[1] * grid.pool[1] >= shape[1] && pr_grid_least_pool(&grid) == pr_grid_pool_units(&grid) &&
        !grid.kind->solve)
        made.units = pr_grid_pool_units(&grid);
    PR_TRY(prune_criterion_create(&made.scores, context, "scores"));
    int32_t status = pr_alloc(context, made.count + 1, sizeof *made.edge, &made.edge);
    if (status) {
        prune_criterion_free(made.scores);
        return status;
    }
    for (int64_t i = 0; i <= made.count; i++) {
        int64_t at = i * extent < shape[1] ? i * extent : shape[1];
        made.edge[i] = at * made.inner;
    }
    *windows = made;
    return PRUNE_OK;
}

int32_t pr_windows_plain(struct pr_windows *windows, prune_context *context, int64_t columns, int64_t step)
{
    struct pr_windows made = {.context = context, .inner = 1, .count = pr_ceil_div(columns, step)};
    PR_TRY(pr_alloc(context, made.count + 1, sizeof *made.edge, &made.edge));
    for (int64_t i = 0; i <= made.count; i++)
        made.edge[i] = i * step < columns ? i * step : columns;
    *windows = made;
    return PRUNE_OK;
}

void pr_windows_free(struct pr_windows *windows)
{
    pr_release(windows->context, windows->edge);
    prune_criterion_free(windows->scores);
    windows->edge = NULL;
    windows->scores = NULL;
}

/* Units that go of the first `units` of a pool; all of the target when these are all of it. */
static int64_t share(const struct pr_windows *windows, int64_t units)
{
    double part = windows->amount;
    if (windows->target == PRUNE_KEEP)
        part = ((double)windows->units - windows->amount) / (double)windows->units;
    if (windows->target == PRUNE_COUNT)
        part = windows->amount / (double)windows->units;
    return pr_prune_count(part, units);
}

int32_t pr_windows_target(struct pr_windows *windows, int64_t begin, int64_t end, int64_t *shape, int32_t *target,
                          double *amount)
{
    struct pr_grid grid;
    memcpy(shape, windows->shape, sizeof windows->shape);
    shape[1] = (end - begin) / windows->inner;
    *target = windows->target;
    *amount = windows->amount;
    if (windows->units == 0 || *target == PRUNE_QUOTA || *target == PRUNE_THRESHOLD)
        return PRUNE_OK;
    PR_TRY(pr_grid_make(&grid, windows->granularity, windows->rank, shape));
    int64_t units = pr_grid_pool_units(&grid), seen = windows->seen + units;
    *target = PRUNE_KEEP;
    *amount = (double)(units - (share(windows, seen) - share(windows, windows->seen)));
    windows->seen = seen;
    return PRUNE_OK;
}

static int32_t choose(struct pr_windows *windows, const prune_tensor *scores, int32_t target, double amount,
                      uint8_t *keep)
{
    prune_scores *units = NULL;
    prune_mask *mask = NULL;
    int32_t status = prune_criterion_score(&units, windows->scores, scores, NULL, windows->granularity);
    if (!status)
        status = prune_mask_select(&mask, units, target, amount);
    if (!status)
        status = prune_mask_to_bytes(mask, keep, prune_mask_count(mask));
    prune_mask_free(mask);
    prune_scores_free(units);
    return status;
}

/* SparseGPT's own program takes the score numbered int(n s), from 0, as threshold and prunes all that is not above. */
static int32_t choose_as_reference(const struct pr_windows *windows, int64_t count, const double *scores, uint8_t *keep)
{
    uint64_t *keys, limit = UINT64_MAX;
    int64_t number = (int64_t)((double)count * windows->amount), equal;
    PR_TRY(pr_alloc(windows->context, count, sizeof *keys, &keys));
    for (int64_t i = 0; i < count; i++)
        keys[i] = pr_score_key(scores[i]);
    if (number < count)
        limit = pr_kth_key(keys, count, number + 1, &equal);
    for (int64_t i = 0; i < count; i++)
        keep[i] = pr_score_key(scores[i]) > limit;
    pr_release(windows->context, keys);
    return PRUNE_OK;
}

int32_t pr_windows_choose(void *user, int64_t begin, int64_t end, const double *scores, uint8_t *keep)
{
    struct pr_windows *windows = user;
    int64_t shape[PRUNE_MAX_RANK];
    int32_t target = PRUNE_QUOTA;
    double amount = 0;
    prune_tensor *tensor = NULL;
    PR_TRY(pr_windows_target(windows, begin, end, shape, &target, &amount));
    if (windows->reference)
        return choose_as_reference(windows, shape[0] * (end - begin), scores, keep);
    /* A tensor takes what it may be asked to change; this one is only read. */
    PR_TRY(prune_tensor_borrow(&tensor, windows->context, (double *)(uintptr_t)scores, PRUNE_F64, windows->rank, shape,
                               NULL));
    int32_t status = choose(windows, tensor, target, amount, keep);
    prune_tensor_free(tensor);
    return status;
}
