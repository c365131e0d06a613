/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

#include "core/mask/mask.h"
#include "core/select/elements.h"
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

static void select_above(prune_context *context, int64_t units, const double *scores, double threshold, uint8_t *keep)
{
    struct threshold_job job = {.scores = scores, .keep = keep, .threshold = threshold, .units = units};
    int64_t threads = prune_context_threads(context);
    job.tasks = pr_ceil_div(job.units, UNITS_PER_TASK);
    job.tasks = job.tasks < threads ? job.tasks : threads;
    prune_context_parallel(context, (int32_t)job.tasks, compare, &job);
}

/* PR_MAX_NUMBER bytes; infinities too. */
static const char *amount_text(char out[PR_MAX_NUMBER], double amount)
{
    if (isinf(amount))
        return amount < 0 ? "-inf" : "inf";
    pr_number_print(out, amount);
    return out;
}

static int32_t check_number(const struct pr_grid *grid, const char *what, double amount)
{
    char buffer[PR_MAX_NUMBER];
    const char *number = amount_text(buffer, amount);
    int64_t least = pr_grid_least_pool(grid);
    if (!(amount >= 0) || amount != floor(amount))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: %s units to %s; it must be a whole number, 0 or more",
                       number, what);
    if (amount > (double)least)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_mask_select: %s units to %s in each pool, but the smallest pool has %lld; it must be 0 "
                       "to %lld",
                       number, what, (long long)least, (long long)least);
    return PRUNE_OK;
}

int32_t pr_check_target(const struct pr_grid *grid, int32_t target, double amount)
{
    char buffer[PR_MAX_NUMBER];
    if (target < PRUNE_QUOTA || target > PRUNE_COUNT || target == PRUNE_QUALITY)
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: %d is no target; those of prune/select.h are 0 to 3 and 5",
                       (int)target);
    if (grid->quota != PR_NO_QUOTA && target != PRUNE_QUOTA)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_mask_select: the granularity has a quota, %lld of each pool; its only "
                       "target is PRUNE_QUOTA with amount 0",
                       (long long)grid->quota);
    if (grid->quota == PR_NO_QUOTA && target == PRUNE_QUOTA)
        return pr_fail(PRUNE_E_ARGUMENT, "prune_mask_select: the granularity has no quota; give PRUNE_SPARSITY, "
                                         "PRUNE_KEEP, PRUNE_COUNT or PRUNE_THRESHOLD");
    if (grid->kind->find && target == PRUNE_THRESHOLD)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_mask_select: granularity %s balances what is kept, which a threshold cannot; give "
                       "PRUNE_SPARSITY, PRUNE_KEEP or PRUNE_COUNT",
                       grid->kind->kind.name);
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
    if (target == PRUNE_KEEP || target == PRUNE_COUNT)
        return check_number(grid, target == PRUNE_KEEP ? "keep" : "remove", amount);
    return PRUNE_OK;
}

static int32_t solve(prune_context *context, const struct pr_grid *grid, const double *scores,
                     const struct pr_target *target, uint8_t *keep)
{
    struct pr_target whole = *target;
    int64_t alive = grid->units;
    for (int64_t i = 0; target->within && i < grid->units; i++)
        alive -= isnan(scores[i]);
    whole.remove = pr_target_count(target, alive);
    return grid->kind->solve(context, grid, scores, &whole, keep);
}

static int32_t choose(prune_context *context, const struct pr_grid *grid, const double *scores,
                      const struct pr_target *target, uint8_t *keep)
{
    if (grid->units == 0)
        return PRUNE_OK;
    if (target->kind == PRUNE_THRESHOLD)
        select_above(context, grid->units, scores, target->amount, keep);
    else if (grid->kind->solve)
        return solve(context, grid, scores, target, keep);
    else if (pr_grid_pool_units(grid) > PR_LARGE_POOL)
        return pr_select_large(context, grid, scores, target, keep);
    else
        return pr_select_small(context, grid, scores, target, keep);
    return PRUNE_OK;
}

/* Straight from scores to the bits of a mask, where there is such a way; *done says whether it was taken. */
static int32_t directly(prune_mask **out, prune_context *context, const struct pr_grid *grid, const double *scores,
                        const struct pr_target *target, int *done)
{
    prune_mask *mask;
    int groups = target->kind == PRUNE_QUOTA && pr_has_groups_of_4(grid);
    int elements = target->kind != PRUNE_THRESHOLD && grid->pools == 1 && grid->units == grid->elements;
    *done = 0;
    if (grid->kind->solve || !(groups || (elements && grid->units > PR_LARGE_POOL)))
        return PRUNE_OK;
    PR_TRY(pr_mask_new(&mask, context, grid->rank, grid->tensor, 0));
    int32_t status = PRUNE_OK;
    if (groups)
        *done = pr_groups_of_4(context, NULL, scores, grid->units, (int)grid->quota, mask->words);
    else
        status = pr_elements_f64(context, scores, grid->units, pr_target_count(target, grid->units), mask->words, done);
    if (status || !*done)
        prune_mask_free(mask);
    else
        *out = mask;
    return status;
}

int32_t prune_mask_select(prune_mask **out, const prune_scores *scores, int32_t target, double amount)
{
    uint8_t *keep;
    int done;
    PR_REQUIRE(out);
    PR_REQUIRE(scores);
    const struct pr_grid *grid = &scores->grid;
    const struct pr_target exact = {target, amount, grid->quota, 0, 0};
    const double *values = prune_tensor_const_data(scores->values);
    PR_TRY(pr_check_target(grid, target, amount));
    PR_TRY(directly(out, scores->context, grid, values, &exact, &done));
    if (done)
        return PRUNE_OK;
    PR_TRY(pr_alloc(scores->context, grid->units, 1, &keep));
    int32_t status = choose(scores->context, grid, values, &exact, keep);
    if (!status)
        status = pr_grid_expand(out, scores->context, grid, keep);
    pr_release(scores->context, keep);
    return status;
}

int32_t pr_scores_within(prune_context *context, const prune_scores *scores, const prune_mask *within, double **out,
                         uint8_t *alive)
{
    double *copy;
    const double *values = prune_tensor_const_data(scores->values);
    PR_TRY(pr_alloc(context, scores->grid.units, sizeof *copy, &copy));
    pr_grid_alive(&scores->grid, within, alive);
    for (int64_t i = 0; i < scores->grid.units; i++)
        copy[i] = alive[i] ? values[i] : pr_gone();
    *out = copy;
    return PRUNE_OK;
}

int32_t pr_expand_within(prune_mask **out, const prune_scores *scores, const prune_mask *within, const uint8_t *keep)
{
    prune_mask *mask;
    PR_TRY(pr_grid_expand(&mask, scores->context, &scores->grid, keep));
    for (int64_t i = 0; i < mask->word_count; i++)
        mask->words[i] &= within->words[i];
    *out = mask;
    return PRUNE_OK;
}

int32_t pr_check_within(const char *function, const prune_scores *scores, const prune_mask *within)
{
    char one[PR_MAX_SHAPE_TEXT], other[PR_MAX_SHAPE_TEXT];
    if (pr_same_shape(scores->grid.rank, scores->grid.tensor, within->rank, within->shape))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_SHAPE, "%s: the mask has shape %s, the tensor that was scored %s; they must be equal",
                   function, pr_shape_text(one, within->rank, within->shape),
                   pr_shape_text(other, scores->grid.rank, scores->grid.tensor));
}

int32_t prune_mask_select_within(prune_mask **out, const prune_scores *scores, const prune_mask *within, int32_t target,
                                 double amount)
{
    uint8_t *keep;
    double *values;
    PR_REQUIRE(out);
    PR_REQUIRE(scores);
    PR_REQUIRE(within);
    const struct pr_grid *grid = &scores->grid;
    const struct pr_target exact = {target, amount, grid->quota, 0, 1};
    PR_TRY(pr_check_within(__func__, scores, within));
    PR_TRY(pr_check_target(grid, target, amount));
    PR_TRY(pr_alloc(scores->context, grid->units, 1, &keep));
    int32_t status = pr_scores_within(scores->context, scores, within, &values, keep);
    if (!status) {
        status = choose(scores->context, grid, values, &exact, keep);
        pr_release(scores->context, values);
    }
    if (!status)
        status = pr_expand_within(out, scores, within, keep);
    pr_release(scores->context, keep);
    return status;
}
