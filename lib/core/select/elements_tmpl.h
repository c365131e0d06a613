/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Single elements in two readings, in one type of number: REAL, KEY_OF, NUMBER_OF, LEAST, SPLIT, KEEP_ABOVE and
 * ELEMENTS are defined by who includes this.
 *
 * A sample says between which two numbers the limit lies, nearly always; the first reading counts what lies below the
 * lower one and on it, and keeps what lies between, two in a hundred, among which the limit is found; the second
 * compares. The sample decides how fast this is, never the result.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "core/select/elements.h"

#define SAMPLES 65536
#define SPREAD 640 /* ranks in the sample: five standard deviations */
#define BLOCK 4096
#define ELEMENTS_PER_TASK 262144 /* a multiple of 64 */
#define MAX_TASKS 256

struct part {
    struct pr_split split;
    int64_t goes; /* of those equal to the limit, how many */
    int failed;
};

struct job {
    struct pr_kernels kernels;
    const REAL *numbers;
    int64_t count, share, room; /* elements; elements of a task; what a task may keep */
    REAL low, high, limit;
    REAL *kept; /* `room` for each task */
    uint64_t *words;
    struct part parts[MAX_TASKS];
};

static int32_t take_sample(prune_context *context, struct job *job, int64_t goes)
{
    uint64_t *keys;
    int64_t count = job->count, equal, rank = (int64_t)((double)goes / (double)count * SAMPLES);
    double step = (double)count / SAMPLES;
    PR_TRY(pr_alloc(context, 2 * SAMPLES, sizeof *keys, &keys));
    for (int64_t i = 0; i < SAMPLES; i++) { /* one of each stretch, so that no order can mislead it much */
        int64_t at = (int64_t)(((double)i + pr_rng_at(1, (uint64_t)i)) * step);
        keys[i] = KEY_OF(job->numbers[at < count ? at : count - 1]);
    }
    memcpy(keys + SAMPLES, keys, SAMPLES * sizeof *keys); /* finding the k-th moves them about */
    job->low = rank > SPREAD ? NUMBER_OF(pr_kth_key(keys, SAMPLES, rank - SPREAD, &equal)) : LEAST;
    job->high = rank + SPREAD < SAMPLES ? NUMBER_OF(pr_kth_key(keys + SAMPLES, SAMPLES, rank + SPREAD, &equal))
                                        : (REAL)INFINITY;
    pr_release(context, keys);
    return PRUNE_OK;
}

static void first_reading(void *argument, int32_t task)
{
    struct job *job = argument;
    struct part *part = &job->parts[task];
    int64_t begin = task * job->share, end = begin + job->share < job->count ? begin + job->share : job->count;
    memset(part, 0, sizeof *part);
    for (int64_t i = begin; i < end && !part->failed; i += BLOCK) {
        job->kernels.SPLIT(&part->split, job->kept + task * job->room, job->numbers + i,
                           end - i < BLOCK ? end - i : BLOCK, job->low, job->high);
        part->failed = part->split.nan || part->split.between + BLOCK + PR_SPLIT_SLACK > job->room;
    }
}

static void second_reading(void *argument, int32_t task)
{
    struct job *job = argument;
    int64_t begin = task * job->share, end = begin + job->share < job->count ? begin + job->share : job->count;
    int64_t goes = job->parts[task].goes;
    uint64_t limit = KEY_OF(job->limit);
    while (begin < end) {
        begin +=
            64 * job->kernels.KEEP_ABOVE(job->words + begin / 64, job->numbers + begin, (end - begin) / 64, job->limit);
        if (begin == end)
            break;
        int64_t count = end - begin < 64 ? end - begin : 64; /* some of these equal the limit, or it is the end */
        uint64_t word = 0;
        for (int64_t j = 0; j < count; j++) {
            uint64_t key = KEY_OF(job->numbers[begin + j]);
            int stays = key > limit || (key == limit && goes-- <= 0);
            word |= (uint64_t)stays << j;
        }
        job->words[begin / 64] = word;
        begin += count;
    }
}

static int64_t count_equal(const REAL *kept, int64_t count, uint64_t limit)
{
    int64_t equal = 0;
    for (int64_t i = 0; i < count; i++)
        equal += KEY_OF(kept[i]) == limit;
    return equal;
}

/* The limit, and how many of those that equal it each task lets go. Not found where the sample was wrong. */
static int32_t find_limit(prune_context *context, struct job *job, int32_t tasks, int64_t goes, int *found)
{
    int64_t below = 0, low = 0, between = 0, n = 0, left = 0;
    for (int32_t t = 0; t < tasks; t++) {
        if (job->parts[t].failed)
            return PRUNE_OK;
        below += job->parts[t].split.below;
        low += job->parts[t].split.low;
        between += job->parts[t].split.between;
    }
    if (goes <= below || goes > below + low + between)
        return PRUNE_OK;
    int on_low = goes <= below + low;
    job->limit = job->low;
    left = goes - below;
    if (!on_low) {
        uint64_t *keys;
        PR_TRY(pr_alloc(context, between, sizeof *keys, &keys));
        for (int32_t t = 0; t < tasks; t++)
            for (int64_t i = 0; i < job->parts[t].split.between; i++)
                keys[n++] = KEY_OF(job->kept[t * job->room + i]);
        job->limit = NUMBER_OF(pr_kth_key(keys, n, goes - below - low, &left));
        pr_release(context, keys);
    }
    for (int32_t t = 0; t < tasks; t++) {
        struct part *part = &job->parts[t];
        int64_t equal =
            on_low ? part->split.low : count_equal(job->kept + t * job->room, part->split.between, KEY_OF(job->limit));
        part->goes = equal < left ? equal : left;
        left -= part->goes;
    }
    *found = 1;
    return PRUNE_OK;
}

int32_t ELEMENTS(prune_context *context, const REAL *numbers, int64_t count, int64_t goes, uint64_t *words, int *done)
{
    struct job *job;
    *done = 0;
    if (goes <= 0 || goes >= count || count < SAMPLES)
        return PRUNE_OK;
    PR_TRY(pr_alloc(context, 1, sizeof *job, &job));
    int64_t threads = prune_context_threads(context), tasks = pr_ceil_div(count, ELEMENTS_PER_TASK);
    tasks = tasks < threads ? tasks : threads;
    tasks = tasks < MAX_TASKS ? tasks : MAX_TASKS;
    *job = (struct job){.numbers = numbers, .count = count, .words = words};
    pr_kernels_select(prune_context_cpu(context), &job->kernels);
    job->share = pr_ceil_div(pr_ceil_div(count, tasks), 64) * 64;
    tasks = pr_ceil_div(count, job->share);
    job->room = job->share / 16 + 2 * BLOCK;
    int32_t status = take_sample(context, job, goes);
    if (!status)
        status = pr_alloc(context, job->room * tasks, sizeof *job->kept, &job->kept);
    if (!status) {
        prune_context_parallel(context, (int32_t)tasks, first_reading, job);
        status = find_limit(context, job, (int32_t)tasks, goes, done);
        if (!status && *done)
            prune_context_parallel(context, (int32_t)tasks, second_reading, job);
        pr_release(context, job->kept);
    }
    pr_release(context, job);
    return status;
}
