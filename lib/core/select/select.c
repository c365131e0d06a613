/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

#include "core/tensor/tensor.h"

#define UNITS_PER_TASK 262144

struct threshold_job {
    const double *scores;
    uint8_t *keep;
    double threshold;
    int64_t units, tasks;
};

static void compare(void *argument, int32_t task)
{
    const struct threshold_job *job = argument;
    int64_t share = pr_ceil_div(job->units, job->tasks), begin = share * task, end = begin + share;
    for (int64_t i = begin; i < end && i < job->units; i++)
        job->keep[i] = !(job->scores[i] < job->threshold);
}

static void select_above(const prune_scores *scores, double threshold, uint8_t *keep)
{
    struct threshold_job job = {.keep = keep, .threshold = threshold, .units = scores->grid.units};
    int64_t threads = prune_context_threads(scores->context);
    job.scores = prune_tensor_const_data(scores->values);
    job.tasks = pr_ceil_div(job.units, UNITS_PER_TASK);
    job.tasks = job.tasks < threads ? job.tasks : threads;
    prune_context_parallel(scores->context, (int32_t)job.tasks, compare, &job);
}

/* PR_MAX_NUMBER bytes; infinities too. */
static const char *amount_text(char out[PR_MAX_NUMBER], double amount)
{
    if (isinf(amount))
        return amount < 0 ? "-inf" : "inf";
    pr_number_print(out, amount);
    return out;
}

static int32_t check_keep(const struct pr_grid *grid, double amount)
{
    char buffer[PR_MAX_NUMBER];
    const char *number = amount_text(buffer, amount);
    int64_t least = pr_grid_least_pool(grid);
    if (!(amount >= 0) || amount != floor(amount))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: %s units to keep; it must be a whole number, 0 or more",
                       number);
    if (amount > (double)least)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_mask_select: %s units to keep in each pool, but the smallest pool has %lld; it must be 0 "
                       "to %lld",
                       number, (long long)least, (long long)least);
    return PRUNE_OK;
}

static int32_t check_target(const struct pr_grid *grid, int32_t target, double amount)
{
    char buffer[PR_MAX_NUMBER];
    if (target < PRUNE_QUOTA || target > PRUNE_THRESHOLD)
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: %d is no target; those of prune/select.h are 0 to 3",
                       (int)target);
    if (grid->quota != PR_NO_QUOTA && target != PRUNE_QUOTA)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_mask_select: the granularity has a quota, %lld of each pool; its only "
                       "target is PRUNE_QUOTA with amount 0",
                       (long long)grid->quota);
    if (grid->quota == PR_NO_QUOTA && target == PRUNE_QUOTA)
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: the granularity has no quota; give PRUNE_SPARSITY, "
                                         "PRUNE_KEEP or PRUNE_THRESHOLD");
    if (isnan(amount))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: the amount is NaN; it must be a number");
    if (target == PRUNE_QUOTA && amount != 0)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_mask_select: amount %s is given with PRUNE_QUOTA; it must be 0, the "
                       "granularity says how many are kept",
                       amount_text(buffer, amount));
    if (target == PRUNE_SPARSITY && !(amount >= 0 && amount <= 1))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: sparsity %s is outside its range; it must be 0 to 1",
                       amount_text(buffer, amount));
    return target == PRUNE_KEEP ? check_keep(grid, amount) : PRUNE_OK;
}

int32_t prune_mask_select(prune_mask **out, const prune_scores *scores, int32_t target, double amount)
{
    uint8_t *keep;
    int32_t status = PRUNE_OK;
    PR_REQUIRE(out);
    PR_REQUIRE(scores);
    const struct pr_grid *grid = &scores->grid;
    const struct pr_target exact = {target, amount, grid->quota};
    const double *values = prune_tensor_const_data(scores->values);
    PR_TRY(check_target(grid, target, amount));
    PR_TRY(pr_alloc(scores->context, grid->units, 1, &keep));
    if (target == PRUNE_THRESHOLD)
        select_above(scores, amount, keep);
    else if (grid->units > 0)
        status = (pr_grid_pool_units(grid) > PR_LARGE_POOL ? pr_select_large : pr_select_small)(scores->context, grid,
                                                                                                values, &exact, keep);
    if (!status)
        status = pr_grid_expand(out, scores->context, grid, keep);
    pr_release(scores->context, keep);
    return status;
}
