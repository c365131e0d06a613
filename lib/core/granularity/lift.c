/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/granularity/granularity.h"
#include "core/mask/mask.h"

enum { PRUNED, KEPT, PARTLY };

static int32_t check_units(const char *function, const struct pr_grid *grid, const uint8_t *units, int64_t count)
{
    if (count != grid->units)
        return pr_fail(PRUNE_E_SHAPE, "%s: %lld bytes for %lld units; they must be as many", function, (long long)count,
                       (long long)grid->units);
    if (!units && count)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: units is NULL; it must be given", function);
    return PRUNE_OK;
}

/* Unit of the element at `index`, an index into the grid's shape. */
static int64_t unit_of(const struct pr_grid *grid, const int64_t *index)
{
    int64_t unit = 0;
    for (int32_t i = 0; i < grid->rank; i++)
        unit += index[i] / grid->unit[i] * grid->stride[i];
    return unit;
}

/* Two bits a unit: whether one of its elements is pruned, whether one is kept. */
static void look(const struct pr_grid *grid, const prune_mask *mask, uint8_t *seen)
{
    int64_t index[PRUNE_MAX_RANK] = {0};
    memset(seen, 0, (size_t)grid->units);
    for (int64_t position = 0; position < grid->elements; position++) {
        seen[unit_of(grid, index)] |= (uint8_t)(1 << pr_mask_get(mask, position));
        for (int32_t i = grid->rank - 1; i >= 0; i--) {
            if (++index[i] < grid->shape[i])
                break;
            index[i] = 0;
        }
    }
}

int32_t prune_granularity_lift(prune_mask **out, const prune_granularity *granularity, const prune_mask *mask,
                               uint8_t *units, int64_t count)
{
    struct pr_grid grid;
    uint8_t *seen;
    int32_t status = PRUNE_OK;
    PR_REQUIRE(granularity);
    PR_REQUIRE(mask);
    PR_TRY(pr_grid_make(&grid, granularity, mask->rank, mask->shape));
    if (units || count)
        PR_TRY(check_units(__func__, &grid, units, count));
    PR_TRY(pr_alloc(mask->context, grid.units, 1, &seen));
    look(&grid, mask, seen);
    if (out) {
        uint8_t *keep;
        status = pr_alloc(mask->context, grid.units, 1, &keep);
        if (!status) {
            for (int64_t i = 0; i < grid.units; i++)
                keep[i] = seen[i] >> 1 & 1;
            status = pr_grid_expand(out, mask->context, &grid, keep);
            pr_release(mask->context, keep);
        }
    }
    for (int64_t i = 0; !status && units && i < grid.units; i++)
        units[i] = (seen[i] & 3) == 3 ? PARTLY : seen[i] & 2 ? KEPT : PRUNED;
    pr_release(mask->context, seen);
    return status;
}

int32_t prune_granularity_lower(prune_mask **out, const prune_granularity *granularity, int32_t rank,
                                const int64_t *shape, const uint8_t *units, int64_t count)
{
    struct pr_grid grid;
    uint8_t *keep;
    int64_t elements;
    PR_REQUIRE(out);
    PR_REQUIRE(granularity);
    PR_TRY(pr_check_shape(__func__, rank, shape, &elements));
    PR_TRY(pr_grid_make(&grid, granularity, rank, shape));
    PR_TRY(check_units(__func__, &grid, units, count));
    PR_TRY(pr_alloc(granularity->context, grid.units, 1, &keep));
    for (int64_t i = 0; i < grid.units; i++)
        keep[i] = units[i] != 0;
    int32_t status = pr_grid_expand(out, granularity->context, &grid, keep);
    pr_release(granularity->context, keep);
    return status;
}
