/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/sparsegpt.h"
#include "core/recover/strip.h"
#include "core/recover/swaps.h"

enum { MASK, SWAPS };

static const struct pr_parameter parameters[] = {
    {.name = "mask",
     .type = PR_WORD,
     .standard = "wanda",
     .words = "wanda|l1",
     .help = "the mask that swaps begin with: by Wanda, or by magnitude"},
    {.name = "swaps",
     .type = PR_WHOLE,
     .standard = "50",
     .least = 0,
     .most = 0x1p53,
     .help = "swaps of a row at most, 0 or more"},
    {0},
};

static int32_t check(const struct pr_grid *grid, const prune_granularity *granularity)
{
    if (pr_grid_unit_elements(grid) != 1 || grid->kind->solve)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "recovery dsnot swaps single elements inside boxes; \"%s\" has units of %lld elements%s",
                       prune_granularity_spec(granularity), (long long)pr_grid_unit_elements(grid),
                       grid->kind->solve ? " and a rule of its own" : "");
    return PRUNE_OK;
}

static void zero_removed(struct pr_quadratic *problem)
{
    double *w = prune_tensor_data(problem->work);
    for (int64_t i = 0; i < problem->work->count; i++)
        if (!problem->keep[i])
            w[i] = 0;
}

static int32_t swap(struct pr_quadratic *problem, const struct pr_strip_map *map, int64_t most)
{
    struct pr_swaps swaps = {.context = problem->context,
                             .la = &problem->la,
                             .rows = problem->rows,
                             .columns = problem->columns,
                             .w = prune_tensor_const_data(problem->work),
                             .gram = problem->gram,
                             .pools = map->pools,
                             .most = most,
                             .keep = problem->keep};
    int64_t *pool;
    PR_TRY(pr_alloc(problem->context, map->columns, sizeof *pool, &pool));
    for (int64_t u = 0; u < map->units; u++)
        pool[map->column[u]] = map->pool[u];
    swaps.pool = pool;
    int32_t status = pr_alloc(problem->context, problem->rows, sizeof *swaps.swaps, &swaps.swaps);
    if (!status)
        status = pr_swaps_run(&swaps);
    pr_release(problem->context, swaps.swaps);
    pr_release(problem->context, pool);
    return status;
}

int32_t pr_swap_masks(struct pr_quadratic *problem, const struct pr_wanted *wanted, int mask, int64_t most)
{
    struct pr_grid grid;
    struct pr_strip_map map;
    PR_TRY(pr_grid_make(&grid, wanted->granularity, problem->weights->rank, problem->weights->shape));
    PR_TRY(check(&grid, wanted->granularity));
    PR_TRY(pr_quadratic_select(problem, wanted->granularity, wanted->target, wanted->amount, mask == PR_MASK_WANDA));
    PR_TRY(pr_strip_map_make(&map, problem->context, &grid));
    int32_t status = swap(problem, &map, most);
    pr_strip_map_free(&map, problem->context);
    if (!status)
        zero_removed(problem);
    return status;
}

static int32_t choose(struct pr_recovering *r)
{
    struct pr_quadratic problem;
    const struct pr_values *values = &r->recovery->values;
    const struct pr_wanted wanted = {r->granularity, r->target, r->amount};
    int mask = values->whole[MASK] == 0 ? PR_MASK_WANDA : PR_MASK_L1;
    PR_TRY(pr_quadratic_begin(&problem, r, 0, 0, PRUNE_F64));
    int32_t status = pr_swap_masks(&problem, &wanted, mask, values->whole[SWAPS]);
    if (!status && r->reports)
        status = pr_quadratic_error(&problem, &problem.predicted);
    return pr_quadratic_finish(&problem, r, status);
}

const struct pr_recovery_kind pr_recovery_dsnot = {
    .kind = {.name = "dsnot",
             .help = "swaps of kept and removed weights that lower the error; no weight changes (after DSnoT, 2024)",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .choose = choose,
};
