/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selection in large pools, such as a whole tensor: each pool is cut into parts, one a task. The top digit of the score
 * at which to cut is found from histograms; the few units that share it decide the rest.
 */
#include "base/alloc.h"
#include "core/select/select.h"

#define TOP_BITS 16 /* sign, exponent and four bits of the fraction */
#define TOP_DIGITS (1 << TOP_BITS)
#define UNITS_PER_TASK 131072

enum { GOES, STAYS, EQUAL }; /* EQUAL until it is known how many of the equals go in earlier parts */

struct job {
    const struct pr_grid *grid;
    const struct pr_pool_at *at;
    const double *scores;
    uint8_t *keep;
    int64_t tasks;
    int64_t *histograms; /* TOP_DIGITS for each task */
    uint64_t *keys;
    int64_t *offsets; /* per task: where its keys begin, then how many of its equals go */
    uint64_t digit, limit;
};

static int64_t part_begin(const struct job *job, int64_t task)
{
    int64_t share = job->at->units / job->tasks, more = job->at->units % job->tasks;
    return share * task + (task < more ? task : more);
}

static void start_part(const struct job *job, int32_t task, struct pr_pool_run *run)
{
    int64_t begin = part_begin(job, task);
    pr_pool_run_start(job->grid, job->at, begin, part_begin(job, task + 1) - begin, run);
}

static void count_digits(void *argument, int32_t task)
{
    const struct job *job = argument;
    int64_t *histogram = job->histograms + (int64_t)task * TOP_DIGITS;
    struct pr_pool_run run;
    memset(histogram, 0, TOP_DIGITS * sizeof *histogram);
    for (start_part(job, task, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = run.first; i < run.first + run.count; i++)
            histogram[pr_score_key(job->scores[i]) >> (64 - TOP_BITS)]++;
}

static void gather_keys(void *argument, int32_t task)
{
    const struct job *job = argument;
    uint64_t *keys = job->keys + job->offsets[task];
    struct pr_pool_run run;
    for (start_part(job, task, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = run.first; i < run.first + run.count; i++) {
            uint64_t key = pr_score_key(job->scores[i]);
            if (key >> (64 - TOP_BITS) == job->digit)
                *keys++ = key;
        }
}

static void compare(void *argument, int32_t task)
{
    const struct job *job = argument;
    struct pr_pool_run run;
    int64_t equals = 0;
    for (start_part(job, task, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = run.first; i < run.first + run.count; i++) {
            uint64_t key = pr_score_key(job->scores[i]);
            job->keep[i] = key == job->limit ? EQUAL : key > job->limit ? STAYS : GOES;
            equals += key == job->limit;
        }
    job->offsets[task] = equals;
}

static void settle_equals(void *argument, int32_t task)
{
    const struct job *job = argument;
    struct pr_pool_run run;
    int64_t goes = job->offsets[task];
    for (start_part(job, task, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = run.first; i < run.first + run.count; i++)
            if (job->keep[i] == EQUAL)
                job->keep[i] = goes-- > 0 ? GOES : STAYS;
}

static void fill_pool(const struct job *job, uint8_t keep)
{
    struct pr_pool_run run;
    for (pr_pool_run_start(job->grid, job->at, 0, job->at->units, &run); run.count; pr_pool_run_next(&run))
        memset(job->keep + run.first, keep, (size_t)run.count);
}

/* The digit of the k-th smallest score; *k becomes its rank among those with that digit, whose number is returned, and
 * offsets says where each task's begin. */
static int64_t find_digit(struct job *job, int64_t *k)
{
    int64_t count = 0;
    for (uint64_t digit = 0; digit < TOP_DIGITS; digit++) {
        int64_t here = 0;
        for (int64_t task = 0; task < job->tasks; task++)
            here += job->histograms[task * TOP_DIGITS + (int64_t)digit];
        if (*k > here) {
            *k -= here;
            continue;
        }
        job->digit = digit;
        for (int64_t task = 0; task < job->tasks; task++) {
            job->offsets[task] = count;
            count += job->histograms[task * TOP_DIGITS + (int64_t)digit];
        }
        break;
    }
    return count;
}

static int32_t select_pool(prune_context *context, struct job *job, int64_t k)
{
    int64_t count, equal = 0;
    int32_t tasks = (int32_t)job->tasks;
    if (k == 0 || k == job->at->units) {
        fill_pool(job, k == 0 ? STAYS : GOES);
        return PRUNE_OK;
    }
    prune_context_parallel(context, tasks, count_digits, job);
    count = find_digit(job, &k);
    PR_TRY(pr_alloc(context, count, sizeof *job->keys, &job->keys));
    prune_context_parallel(context, tasks, gather_keys, job);
    job->limit = pr_kth_key(job->keys, count, k, &equal);
    pr_release(context, job->keys);
    prune_context_parallel(context, tasks, compare, job);
    for (int64_t task = 0; task < job->tasks; task++) {
        int64_t goes = job->offsets[task] < equal ? job->offsets[task] : equal;
        job->offsets[task] = goes;
        equal -= goes;
    }
    prune_context_parallel(context, tasks, settle_equals, job);
    return PRUNE_OK;
}

static int64_t count_gone(const struct job *job)
{
    struct pr_pool_run run;
    int64_t gone = 0;
    for (pr_pool_run_start(job->grid, job->at, 0, job->at->units, &run); run.count; pr_pool_run_next(&run))
        for (int64_t i = run.first; i < run.first + run.count; i++)
            gone += isnan(job->scores[i]);
    return gone;
}

int32_t pr_select_large(prune_context *context, const struct pr_grid *grid, const double *scores,
                        const struct pr_target *target, uint8_t *keep)
{
    struct pr_pool_at at;
    struct job job = {.grid = grid, .at = &at, .scores = scores, .keep = keep};
    int64_t threads = prune_context_threads(context);
    job.tasks = pr_ceil_div(pr_grid_pool_units(grid), UNITS_PER_TASK);
    job.tasks = job.tasks < threads ? job.tasks : threads;
    PR_TRY(pr_alloc(context, job.tasks * TOP_DIGITS, sizeof *job.histograms, &job.histograms));
    int32_t status = pr_alloc(context, job.tasks, sizeof *job.offsets, &job.offsets);
    if (!status) {
        pr_pool_start(grid, 0, &at);
        for (int64_t pool = 0; pool < grid->pools && !status; pool++) {
            int64_t gone = target->within ? count_gone(&job) : 0;
            status = select_pool(context, &job, gone + pr_target_count(target, at.units - gone));
            pr_pool_next(grid, &at);
        }
        pr_release(context, job.offsets);
    }
    pr_release(context, job.histograms);
    return status;
}
