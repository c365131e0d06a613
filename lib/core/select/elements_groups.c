/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups of four neighbours in one reading.
 */
#include "core/select/elements.h"

#include <string.h>

#define ELEMENTS_PER_TASK 262144
#define MAX_TASKS 256

struct job {
    struct pr_kernels kernels;
    const float *weights; /* or scores */
    const double *scores;
    int64_t count, share;
    int keep_n;
    uint64_t *words;
    int nan[MAX_TASKS];
};

int pr_has_groups_of_4(const struct pr_grid *grid)
{
    int32_t last = grid->rank - 1;
    if (grid->units != grid->elements || last < 0 || grid->pool[last] != 4 || grid->shape[last] % 4 ||
        grid->quota < 1 || grid->quota > 3)
        return 0;
    return pr_grid_pool_units(grid) == 4;
}

static int take_words(const struct job *job, const float *weights, const double *scores, int64_t count, uint64_t *words)
{
    return scores ? job->kernels.keep_of_4_f64(words, scores, count, job->keep_n)
                  : job->kernels.keep_of_4_f32(words, weights, count, job->keep_n);
}

static void take_part(void *argument, int32_t task)
{
    struct job *job = argument;
    int64_t begin = task * job->share, end = begin + job->share < job->count ? begin + job->share : job->count;
    int64_t whole = (end - begin) / 64, rest = (end - begin) % 64, at = begin + 64 * whole;
    const float *weights = job->weights ? job->weights + begin : NULL;
    const double *scores = job->scores ? job->scores + begin : NULL;
    job->nan[task] = take_words(job, weights, scores, whole, job->words + begin / 64);
    if (rest > 0) {
        float last[64] = {0};
        double last_scores[64] = {0};
        if (weights)
            memcpy(last, job->weights + at, (size_t)rest * sizeof *last);
        else
            memcpy(last_scores, job->scores + at, (size_t)rest * sizeof *last_scores);
        job->nan[task] |= take_words(job, last, scores ? last_scores : NULL, 1, job->words + at / 64);
        job->words[at / 64] &= (1ULL << rest) - 1;
    }
}

int pr_groups_of_4(prune_context *context, const float *weights, const double *scores, int64_t count, int keep_n,
                   uint64_t *words)
{
    struct job job = {.weights = weights, .scores = scores, .count = count, .keep_n = keep_n, .words = words};
    int64_t threads = prune_context_threads(context), tasks = pr_ceil_div(count, ELEMENTS_PER_TASK);
    int nan = 0;
    tasks = tasks < threads ? tasks : threads;
    tasks = tasks < MAX_TASKS ? tasks : MAX_TASKS;
    if (tasks == 0)
        return 1;
    pr_kernels_select(prune_context_cpu(context), &job.kernels);
    job.share = pr_ceil_div(pr_ceil_div(count, tasks), 64) * 64;
    tasks = pr_ceil_div(count, job.share);
    prune_context_parallel(context, (int32_t)tasks, take_part, &job);
    for (int64_t t = 0; t < tasks; t++)
        nan |= job.nan[t];
    return !nan;
}
