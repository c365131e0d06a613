/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/sparsegpt.h"
#include "core/recover/sweep.h"

#define PLAIN_STEP 32 /* columns between the edges of windows for which nothing is chosen */

static double sum_of(const double *numbers, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum;
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
    struct pr_windows windows;
    int own = wanted->granularity && mask == PR_MASK_OWN;
    if (reference && wanted->granularity)
        PR_TRY(check_reference(wanted, mask));
    if (wanted->granularity && !own)
        PR_TRY(
            pr_quadratic_select(problem, wanted->granularity, wanted->target, wanted->amount, mask == PR_MASK_WANDA));
    PR_TRY(own ? pr_windows_make(&windows, problem->context, wanted->granularity, problem->weights->rank,
                                 problem->weights->shape, wanted->target, wanted->amount, block)
               : pr_windows_plain(&windows, problem->context, problem->columns, PLAIN_STEP));
    windows.reference = reference;
    int32_t status = sweep_groups(problem, &windows, block);
    pr_windows_free(&windows);
    return status;
}
