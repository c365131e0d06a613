/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/sparsegpt.h"
#include "core/recover/sweep.h"

enum { MASK, BLOCK, DAMPING, COUNT, MEMORY };

static const struct pr_parameter parameters[] = {
    {.name = "mask",
     .type = PR_WORD,
     .standard = "sparsegpt",
     .words = "sparsegpt|wanda|l1",
     .help = "how a mask is chosen: block by block, as weights stand then; or beforehand by Wanda or by magnitude"},
    {.name = "block",
     .type = PR_WHOLE,
     .standard = "128",
     .least = 1,
     .most = 1 << 20,
     .help = "columns of a block, for which the mask is chosen at once, 1 to 1048576"},
    PR_DAMPING_PARAMETER("0.01"),
    {.name = "count",
     .type = PR_WORD,
     .standard = "exact",
     .words = "exact|reference",
     .help = "how many go: exactly the target, or as the authors' program counts, one more in each block"},
    PR_MEMORY_PARAMETER,
    {0},
};

#define PLAIN_STEP 32 /* columns between the edges of windows for which nothing is chosen */

static double sum_of(const double *numbers, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum;
}

/* The matrix, and for each row and for each column what the sweep of a block has. */
static void note_memory(struct pr_quadratic *problem, const struct pr_windows *windows, int64_t columns, int64_t block)
{
    int64_t size = prune_dtype_size(problem->work->dtype), widest = block < columns ? block : columns;
    int64_t row = 2 * size * (widest + PLAIN_STEP) + (windows->granularity ? 9 * widest : 0);
    int64_t taken = columns * columns * (int64_t)sizeof(double) + problem->rows * row + columns * widest * size;
    problem->taken = taken > problem->taken ? taken : problem->taken;
}

/* A block whose sweep fits in the other half of the memory, 8 columns at least. */
static int64_t fitting_block(const struct pr_quadratic *problem, int64_t block)
{
    int64_t column = 26 * problem->rows + 8 * pr_quadratic_columns(problem);
    int64_t most = problem->memory > 0 && column > 0 ? problem->memory / 2 / column : block;
    most = most > 8 ? most : 8;
    return block < most ? block : most;
}

/* Windows first to last - 1, which are one group of columns. */
static int32_t sweep_group(struct pr_quadratic *problem, struct pr_windows *windows, int64_t first, int64_t last,
                           int64_t block, double *cost)
{
    int64_t n = problem->columns, begin = windows->edge[first], end = windows->edge[last];
    int64_t bytes = prune_dtype_size(problem->work->dtype);
    struct pr_damped damped;
    char *w = problem->work->data + begin * bytes;
    struct pr_sweep sweep = {.context = problem->context,
                             .la = &problem->la,
                             .rows = problem->rows,
                             .columns = end - begin,
                             .stride = n,
                             .window = windows->edge + first,
                             .windows = last - first,
                             .block = block,
                             .user = windows,
                             .keep = problem->keep + begin,
                             .cost = cost};
    if (windows->granularity)
        sweep.choose = pr_windows_choose;
    PR_TRY(
        pr_damped_factor(&damped, &problem->la, end - begin, problem->gram + begin * n + begin, n, problem->damping));
    sweep.factor = damped.matrix;
    int32_t status = pr_quadratic_shift(problem, begin, end, damped.matrix, 1);
    if (!status)
        status = problem->work->dtype == PRUNE_F64 ? pr_sweep_double(&sweep, (double *)(void *)w)
                                                   : pr_sweep_float(&sweep, (float *)(void *)w);
    problem->predicted += sum_of(cost, problem->rows);
    problem->condition = damped.condition > problem->condition ? damped.condition : problem->condition;
    note_memory(problem, windows, end - begin, block);
    pr_damped_free(&damped);
    return status;
}

static int32_t sweep_groups(struct pr_quadratic *problem, struct pr_windows *windows, int64_t block)
{
    double *cost;
    int32_t status = PRUNE_OK;
    PR_TRY(pr_alloc_zero(problem->context, problem->rows, sizeof *cost, &cost));
    for (int64_t first = 0, last = 0; first < windows->count && !status; first = last) {
        pr_quadratic_group(problem, windows, &last);
        status = sweep_group(problem, windows, first, last, block, cost);
    }
    pr_release(problem->context, cost);
    return status;
}

static int32_t check_reference(const struct pr_wanted *wanted, int mask)
{
    struct pr_grid grid;
    const int64_t shape[2] = {2, 2};
    PR_TRY(pr_grid_make(&grid, wanted->granularity, 2, shape));
    if (mask != PR_MASK_OWN || wanted->target != PRUNE_SPARSITY || grid.units != 4 || grid.pools != 1)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "recovery sparsegpt: count=reference is defined for mask=sparsegpt, the granularity \"element\" "
                       "and the target PRUNE_SPARSITY; here the granularity is \"%s\" and the target %d",
                       prune_granularity_spec(wanted->granularity), (int)wanted->target);
    return PRUNE_OK;
}

int32_t pr_sparsegpt(struct pr_quadratic *problem, const struct pr_wanted *wanted, int mask, int64_t block,
                     int reference)
{
    struct pr_windows windows = {0};
    int own = wanted->granularity && mask == PR_MASK_OWN;
    if (reference && wanted->granularity)
        PR_TRY(check_reference(wanted, mask));
    if (wanted->granularity && !own)
        PR_TRY(
            pr_quadratic_select(problem, wanted->granularity, wanted->target, wanted->amount, mask == PR_MASK_WANDA));
    PR_TRY(own ? pr_windows_make(&windows, problem->context, wanted->granularity, problem->weights->rank,
                                 problem->weights->shape, wanted->target, wanted->amount, block)
               : pr_windows_plain(&windows, problem->context, problem->columns, PLAIN_STEP));
    windows.reference = own && reference;
    int32_t status = sweep_groups(problem, &windows, fitting_block(problem, block));
    pr_windows_free(&windows);
    return status;
}

static int32_t work(struct pr_recovering *r)
{
    struct pr_quadratic problem;
    const struct pr_values *values = &r->recovery->values;
    const struct pr_wanted wanted = {r->granularity, r->target, r->amount};
    PR_TRY(pr_quadratic_begin(&problem, r, values->real[DAMPING], values->whole[MEMORY],
                              r->weights->dtype == PRUNE_F64 ? PRUNE_F64 : PRUNE_F32));
    int32_t status =
        pr_sparsegpt(&problem, &wanted, (int)values->whole[MASK], values->whole[BLOCK], values->whole[COUNT] == 1);
    return pr_quadratic_finish(&problem, r, status);
}

const struct pr_recovery_kind pr_recovery_sparsegpt = {
    .kind = {.name = "sparsegpt",
             .help = "SparseGPT: columns from left to right, later ones make up (Frantar and Alistarh 2023)",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .repair = work,
    .choose = work,
};
