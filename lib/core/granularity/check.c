/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/granularity/granularity.h"
#include "core/mask/mask.h"

enum { UNSEEN, PRUNED, KEPT };

/* The elements of one pool, in the order of the tensor. */
struct box {
    int64_t index[PRUNE_MAX_RANK]; /* of the row at hand, within the box */
    int64_t count[PRUNE_MAX_RANK];
    int64_t step[PRUNE_MAX_RANK]; /* elements of the tensor from one to the next along an axis */
    int64_t units[PRUNE_MAX_RANK];
    int32_t rank;
    int64_t first;
};

static void box_of(const struct pr_grid *grid, const struct pr_pool_at *at, struct box *box)
{
    int64_t step = 1, units = 1;
    box->rank = grid->rank;
    box->first = 0;
    for (int32_t i = grid->rank - 1; i >= 0; i--) {
        int64_t size = grid->pool[i] * grid->unit[i], start = at->index[i] * size, room = grid->shape[i] - start;
        box->index[i] = 0;
        box->count[i] = size < room ? size : room;
        box->step[i] = step;
        box->units[i] = units;
        box->first += start * step;
        step *= grid->shape[i];
        units *= at->count[i];
    }
}

/* Moves to the next row along the last axis; 0 when there is none. */
static int next_row(struct box *box)
{
    for (int32_t i = box->rank - 2; i >= 0; i--) {
        if (++box->index[i] < box->count[i])
            return 1;
        box->index[i] = 0;
    }
    return 0;
}

/* The element at which the pool is seen to break the rule, or -1. `state` has a byte a unit, or is NULL when units are
 * single elements. */
static int64_t check_pool(const struct pr_grid *grid, const struct pr_pool_at *at, const prune_mask *mask,
                          uint8_t *state)
{
    struct box box;
    int32_t last = grid->rank - 1;
    int64_t kept = 0, quota = grid->quota == PR_NO_QUOTA ? at->units : grid->quota;
    box_of(grid, at, &box);
    int64_t length = last < 0 ? 1 : box.count[last], unit = last < 0 ? 1 : grid->unit[last];
    if (state)
        memset(state, UNSEEN, (size_t)at->units);
    do {
        int64_t position = box.first, first_unit = 0;
        for (int32_t i = 0; i < last; i++) {
            position += box.index[i] * box.step[i];
            first_unit += box.index[i] / grid->unit[i] * box.units[i];
        }
        for (int64_t j = 0; j < length; j++) {
            int keeps = pr_mask_get(mask, position + j);
            if (!state) {
                kept += keeps;
                if (kept > quota)
                    return position + j;
                continue;
            }
            uint8_t *seen = &state[first_unit + j / unit];
            if (*seen == UNSEEN) {
                *seen = keeps ? KEPT : PRUNED;
                kept += keeps;
                if (kept > quota)
                    return position + j;
            } else if ((*seen == KEPT) != keeps) {
                return position + j;
            }
        }
    } while (next_row(&box));
    return -1;
}

int32_t prune_granularity_check(const prune_granularity *granularity, const prune_mask *mask, int32_t *holds,
                                int64_t *violation)
{
    struct pr_grid grid;
    struct pr_pool_at at;
    uint8_t *state = NULL;
    int64_t found = -1;
    PR_REQUIRE(granularity);
    PR_REQUIRE(mask);
    PR_TRY(pr_grid_make(&grid, granularity, mask->rank, mask->shape));
    int single = grid.units == grid.elements;
    if (grid.kind->find) {
        PR_TRY(grid.kind->find(&grid, mask, &found));
        if (holds)
            *holds = found < 0;
        if (violation)
            *violation = found;
        return PRUNE_OK;
    }
    if (!single)
        PR_TRY(pr_alloc(mask->context, pr_grid_pool_units(&grid), 1, &state));
    if (!(single && grid.quota == PR_NO_QUOTA) && grid.pools > 0) {
        pr_pool_start(&grid, 0, &at);
        for (int64_t pool = 0; pool < grid.pools && found < 0; pool++) {
            found = check_pool(&grid, &at, mask, state);
            pr_pool_next(&grid, &at);
        }
    }
    pr_release(mask->context, state);
    if (holds)
        *holds = found < 0;
    if (violation)
        *violation = found;
    return PRUNE_OK;
}
