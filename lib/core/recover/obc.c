/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/sparsegpt.h"
#include "core/recover/strips.h"

enum { DAMPING, MEMORY };

static const struct pr_parameter parameters[] = {PR_DAMPING_PARAMETER("0.01"), PR_MEMORY_PARAMETER, {0}};

#define PLAIN_STEP 32 /* columns between the edges of windows for which nothing is chosen */

static double sum_of(const double *numbers, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum;
}

/* Single elements, for a mask that is given. */
static int32_t grid_of_elements(struct pr_grid *grid, prune_context *context, int64_t rows, int64_t columns)
{
    const int64_t shape[2] = {rows, columns};
    prune_granularity *element;
    PR_TRY(prune_granularity_create(&element, context, "element"));
    int32_t status = pr_grid_make(grid, element, 2, shape);
    prune_granularity_free(element);
    return status;
}

static int32_t remove_units(struct pr_quadratic *problem, struct pr_windows *windows, int64_t begin, int64_t end,
                            struct pr_strips *strips)
{
    struct pr_grid grid;
    struct pr_target target = {0};
    int64_t shape[PRUNE_MAX_RANK];
    strips->grid = &grid;
    if (!windows->granularity) {
        PR_TRY(grid_of_elements(&grid, problem->context, problem->rows, end - begin));
        return pr_strips_repair(strips);
    }
    PR_TRY(pr_windows_target(windows, begin, end, shape, &target.kind, &target.amount));
    PR_TRY(pr_grid_make(&grid, windows->granularity, windows->rank, shape));
    if (grid.kind->solve)
        return pr_fail(PRUNE_E_UNSUPPORTED, "recovery obc takes granularities that are cut into boxes; \"%s\" is not",
                       grid.kind->kind.name);
    target.quota = grid.quota;
    return pr_strips_prune(strips, &target);
}

/* Columns begin to end - 1, which are one group. */
static int32_t solve_group(struct pr_quadratic *problem, struct pr_windows *windows, int64_t begin, int64_t end,
                           double *cost)
{
    int64_t n = problem->columns;
    struct pr_damped damped;
    PR_TRY(
        pr_damped_inverse(&damped, &problem->la, end - begin, problem->gram + begin * n + begin, n, problem->damping));
    for (int64_t j = 0; j < end - begin; j++)
        damped.diagonal[j] = 1 / damped.diagonal[j];
    struct pr_strips strips = {.context = problem->context,
                               .inverse = damped.matrix,
                               .least = damped.diagonal,
                               .stride = n,
                               .w = (double *)(void *)problem->work->data + begin,
                               .keep = problem->keep + begin,
                               .memory = problem->memory / 2,
                               .cost = cost};
    memset(cost, 0, (size_t)problem->rows * sizeof *cost);
    int32_t status = pr_quadratic_shift(problem, begin, end, damped.matrix, 0);
    if (!status)
        status = remove_units(problem, windows, begin, end, &strips);
    problem->predicted += sum_of(cost, problem->rows);
    problem->condition = damped.condition > problem->condition ? damped.condition : problem->condition;
    int64_t taken = (end - begin) * (end - begin) * (int64_t)sizeof(double) + strips.taken;
    problem->taken = taken > problem->taken ? taken : problem->taken;
    pr_damped_free(&damped);
    return status;
}

static int32_t solve_groups(struct pr_quadratic *problem, struct pr_windows *windows)
{
    double *cost;
    int32_t status = PRUNE_OK;
    PR_TRY(pr_alloc(problem->context, problem->rows, sizeof *cost, &cost));
    for (int64_t window = 0, begin = 0; window < windows->count && !status; begin = windows->edge[window]) {
        int64_t end = pr_quadratic_group(problem, windows, &window);
        status = solve_group(problem, windows, begin, end, cost);
        if (!status)
            status = prune_context_progress(problem->context, "columns repaired", end, problem->columns);
    }
    pr_release(problem->context, cost);
    return status;
}

int32_t pr_obc(struct pr_quadratic *problem, const struct pr_wanted *wanted)
{
    struct pr_windows windows;
    int64_t most = pr_quadratic_columns(problem);
    PR_TRY(wanted->granularity
               ? pr_windows_make(&windows, problem->context, wanted->granularity, problem->weights->rank,
                                 problem->weights->shape, wanted->target, wanted->amount, most)
               : pr_windows_plain(&windows, problem->context, problem->columns, PLAIN_STEP));
    int32_t status = solve_groups(problem, &windows);
    pr_windows_free(&windows);
    return status;
}

static int32_t work(struct pr_recovering *r)
{
    struct pr_quadratic problem;
    const struct pr_values *values = &r->recovery->values;
    const struct pr_wanted wanted = {r->granularity, r->target, r->amount};
    PR_TRY(pr_quadratic_begin(&problem, r, values->real[DAMPING], values->whole[MEMORY], PRUNE_F64));
    return pr_quadratic_finish(&problem, r, pr_obc(&problem, &wanted));
}

const struct pr_recovery_kind pr_recovery_obc = {
    .kind = {.name = "obc",
             .help = "OBC: of each row the least costly weight, again and again (Frantar and Alistarh 2022)",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .repair = work,
    .choose = work,
};
