/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selection in many small pools, such as the groups of N:M or the rows of a matrix: each task has pools of its own.
 */
#include "base/alloc.h"
#include "core/select/select.h"

#define TINY 16 /* units up to which counting the smaller ones beats everything else */
#define UNITS_PER_TASK 131072

struct job {
    const struct pr_grid *grid;
    const double *scores;
    const struct pr_target *target;
    uint8_t *keep;
    int64_t tasks, most; /* units of the largest pool */
    uint64_t *keys;      /* `most` for each task */
    int64_t *units;      /* `most` for each task: numbers of a pool's units, less the first one's */
};

static void list_units(const struct pr_grid *grid, const struct pr_pool_at *at, int64_t *units)
{
    struct pr_pool_run run;
    int64_t n = 0;
    for (pr_pool_run_start(grid, at, 0, at->units, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = 0; i < run.count; i++)
            units[n++] = run.first - at->first + i;
}

/* A unit goes when fewer than k others go before it: those that score less, and equals with a lower number. */
static inline void select_tiny(const double *scores, const int64_t *units, int64_t n, int64_t k, uint8_t *keep)
{
    double score[TINY];
    int64_t before[TINY] = {0};
    for (int64_t i = 0; i < n; i++) {
        score[i] = scores[units[i]];
        for (int64_t j = 0; j < i; j++) {
            int64_t first = score[j] <= score[i];
            before[i] += first;
            before[j] += 1 - first;
        }
    }
    for (int64_t i = 0; i < n; i++)
        keep[units[i]] = before[i] >= k;
}

static void select_by_key(const double *scores, const int64_t *units, int64_t n, int64_t k, uint8_t *keep,
                          uint64_t *keys)
{
    uint64_t limit = 0;
    int64_t equal = 0;
    for (int64_t i = 0; i < n; i++)
        keys[i] = pr_score_key(scores[units[i]]);
    if (k > 0)
        limit = pr_kth_key(keys, n, k, &equal);
    for (int64_t i = 0; i < n; i++) {
        uint64_t key = pr_score_key(scores[units[i]]);
        int goes = k > 0 && (key < limit || (key == limit && equal > 0));
        equal -= goes && key == limit;
        keep[units[i]] = !goes;
    }
}

static void take_pools(void *argument, int32_t task)
{
    const struct job *job = argument;
    const struct pr_grid *grid = job->grid;
    int64_t share = grid->pools / job->tasks, more = grid->pools % job->tasks;
    int64_t begin = share * task + (task < more ? task : more), count = share + (task < more);
    int64_t *units = job->units + task * job->most, k = 0, listed = 0;
    uint64_t *keys = job->keys + task * job->most;
    struct pr_pool_at at;
    pr_pool_start(grid, begin, &at);
    for (int64_t i = 0; i < count; i++) {
        /* The list of one whole pool is that of all. */
        if (!at.whole || !listed) {
            list_units(grid, &at, units);
            k = pr_target_count(job->target, at.units);
            listed = at.whole;
        }
        const double *scores = job->scores + at.first;
        uint8_t *keep = job->keep + at.first;
        if (job->target->within) {
            int64_t gone = 0;
            for (int64_t j = 0; j < at.units; j++)
                gone += isnan(scores[units[j]]);
            k = gone + pr_target_count(job->target, at.units - gone);
            select_by_key(scores, units, at.units, k, keep, keys);
        } else if (at.units == 4)
            select_tiny(scores, units, 4, k, keep);
        else if (at.units <= TINY)
            select_tiny(scores, units, at.units, k, keep);
        else
            select_by_key(scores, units, at.units, k, keep, keys);
        pr_pool_next(grid, &at);
    }
}

int32_t pr_select_small(prune_context *context, const struct pr_grid *grid, const double *scores,
                        const struct pr_target *target, uint8_t *keep)
{
    struct job job = {.grid = grid, .scores = scores, .target = target, .keep = keep};
    int64_t threads = prune_context_threads(context), scratch = 0;
    job.tasks = pr_ceil_div(grid->units, UNITS_PER_TASK);
    job.tasks = job.tasks < threads ? job.tasks : threads;
    job.tasks = job.tasks < grid->pools ? job.tasks : grid->pools;
    job.most = pr_grid_pool_units(grid);
    PR_TRY(pr_mul(job.tasks, job.most, &scratch));
    PR_TRY(pr_alloc(context, scratch, sizeof *job.units, &job.units));
    int32_t status = pr_alloc(context, scratch, sizeof *job.keys, &job.keys);
    if (!status) {
        prune_context_parallel(context, (int32_t)job.tasks, take_pools, &job);
        pr_release(context, job.keys);
    }
    pr_release(context, job.units);
    return status;
}
