/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Single elements in two readings. A sample says between which two magnitudes the limit lies, nearly always; the first
 * reading counts what lies below the lower one and on it, and keeps what lies between, two in a hundred, among which
 * the limit is found; the second compares. The sample decides how fast this is, never the result.
 */
#include "base/alloc.h"
#include "base/rng.h"
#include "core/select/magnitude.h"

#define SAMPLES 65536
#define SPREAD 640 /* ranks in the sample: five standard deviations */
#define BLOCK 4096
#define ELEMENTS_PER_TASK 262144 /* a multiple of 64 */
#define MAX_TASKS 256

struct part {
    int64_t below, low, between; /* how many: below `low`, equal to it, above it and not above `high` */
    int64_t goes;                /* of those equal to the limit, how many */
    int failed;
};

struct job {
    const float *weights;
    int64_t count, share, room; /* elements; elements of a task; what a task may keep */
    int32_t low, high, limit;
    int32_t *kept; /* `room` for each task */
    uint64_t *words;
    struct part parts[MAX_TASKS];
};

static int32_t take_sample(prune_context *context, const float *weights, int64_t count, int64_t goes, int32_t *low,
                           int32_t *high)
{
    uint64_t *keys;
    int64_t equal, rank = (int64_t)((double)goes / (double)count * SAMPLES);
    double step = (double)count / SAMPLES;
    PR_TRY(pr_alloc(context, 2 * SAMPLES, sizeof *keys, &keys));
    for (int64_t i = 0; i < SAMPLES; i++) { /* one of each stretch, so that no order of weights can mislead it much */
        int64_t at = (int64_t)(((double)i + pr_rng_at(1, (uint64_t)i)) * step);
        keys[i] = (uint64_t)pr_magnitude(&weights[at < count ? at : count - 1]);
    }
    memcpy(keys + SAMPLES, keys, SAMPLES * sizeof *keys); /* finding the k-th moves them about */
    *low = rank > SPREAD ? (int32_t)pr_kth_key(keys, SAMPLES, rank - SPREAD, &equal) : 0;
    *high = rank + SPREAD < SAMPLES ? (int32_t)pr_kth_key(keys + SAMPLES, SAMPLES, rank + SPREAD, &equal) : PR_LARGEST;
    pr_release(context, keys);
    return PRUNE_OK;
}

static int64_t lanes(pr_four x)
{
    return -((int64_t)x[0] + x[1] + x[2] + x[3]);
}

/* Keeps those of `count` weights that lie above `low` and not above `high`. */
static inline int64_t keep_some(int32_t low, int32_t high, const float *weights, int64_t count, int32_t *kept,
                                int64_t n)
{
    for (int64_t i = 0; i < count; i++) {
        int32_t key = pr_magnitude(&weights[i]);
        kept[n] = key;
        n += (key > low) & (key <= high);
    }
    return n;
}

/* The ends of parts. */
static int64_t read_few(const struct job *job, int64_t begin, int64_t end, struct part *part, int32_t *kept, int64_t n)
{
    for (int64_t i = begin; i < end; i++) {
        int32_t key = pr_magnitude(&job->weights[i]);
        part->below += key < job->low;
        part->low += key == job->low;
        part->failed |= key > PR_LARGEST;
    }
    return keep_some(job->low, job->high, job->weights + begin, end - begin, kept, n);
}

/* BLOCK of them. */
static int64_t read_block(const struct job *job, int64_t begin, struct part *part, int32_t *kept, int64_t n)
{
    pr_four low = pr_all(job->low), high = pr_all(job->high), largest = pr_all(PR_LARGEST);
    pr_four not_below = pr_all(0), above_low = not_below, nan = not_below;
    const float *weights = job->weights + begin;
    for (int64_t i = 0; i < BLOCK; i += 8) {
        pr_four between = pr_all(0);
        for (int64_t j = 0; j < 8; j += 4) {
            pr_four key = pr_magnitudes(weights + i + j), above = key > low;
            above_low += above;
            not_below += above | (key == low);
            nan |= key > largest;
            between |= above & ~(key > high);
        }
        if (pr_any(between))
            n = keep_some(job->low, job->high, weights + i, 8, kept, n);
    }
    part->below += BLOCK - lanes(not_below);
    part->low += lanes(not_below) - lanes(above_low);
    part->failed |= pr_any(nan);
    return n;
}

static void first_reading(void *argument, int32_t task)
{
    struct job *job = argument;
    struct part *part = &job->parts[task];
    int64_t begin = task * job->share, end = begin + job->share < job->count ? begin + job->share : job->count, n = 0;
    int32_t *kept = job->kept + task * job->room;
    memset(part, 0, sizeof *part);
    for (int64_t i = begin; i < end; i += BLOCK) {
        n = end - i < BLOCK ? read_few(job, i, end, part, kept, n) : read_block(job, i, part, kept, n);
        if (part->failed || n + BLOCK > job->room) {
            part->failed = 1;
            return;
        }
    }
    part->between = n;
}

/* 64 weights at once: which are above the limit, and whether some equal it. */
static uint64_t read_word(const float *weights, int32_t limit, int *equal)
{
    const pr_four first = {1, 2, 4, 8};
    pr_four least = pr_all(limit), equals = pr_all(0), bits[2] = {equals, equals};
    uint64_t word = 0;
    for (int half = 0; half < 2; half++) {
        for (int j = 0; j < 8; j++) {
            pr_four key = pr_magnitudes(weights + 32 * half + 4 * j);
            bits[half] |= ((key > least) & first) << (4 * j);
            equals |= key == least;
        }
        word |= (uint64_t)(uint32_t)(bits[half][0] | bits[half][1] | bits[half][2] | bits[half][3]) << (32 * half);
    }
    *equal = pr_any(equals);
    return word;
}

static void second_reading(void *argument, int32_t task)
{
    struct job *job = argument;
    int64_t begin = task * job->share, end = begin + job->share < job->count ? begin + job->share : job->count;
    int64_t goes = job->parts[task].goes;
    for (int64_t i = begin; i < end; i += 64) {
        int64_t count = end - i < 64 ? end - i : 64;
        int one_by_one = 1;
        uint64_t word = count == 64 ? read_word(job->weights + i, job->limit, &one_by_one) : 0;
        for (int64_t j = 0; one_by_one && j < count; j++) {
            int32_t key = pr_magnitude(&job->weights[i + j]);
            int stays = key > job->limit || (key == job->limit && goes-- <= 0);
            word |= (uint64_t)stays << j;
        }
        job->words[i >> 6] = word;
    }
}

static int64_t count_equal(const int32_t *kept, int64_t count, int32_t limit)
{
    int64_t equal = 0;
    for (int64_t i = 0; i < count; i++)
        equal += kept[i] == limit;
    return equal;
}

/* The limit, and how many of those that equal it each task lets go. Not found where the sample was wrong. */
static int32_t find_limit(prune_context *context, struct job *job, int32_t tasks, int64_t goes, int *found)
{
    int64_t below = 0, low = 0, between = 0, n = 0, left = 0;
    for (int32_t t = 0; t < tasks; t++) {
        if (job->parts[t].failed)
            return PRUNE_OK;
        below += job->parts[t].below;
        low += job->parts[t].low;
        between += job->parts[t].between;
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
            for (int64_t i = 0; i < job->parts[t].between; i++)
                keys[n++] = (uint64_t)job->kept[t * job->room + i];
        job->limit = (int32_t)pr_kth_key(keys, n, goes - below - low, &left);
        pr_release(context, keys);
    }
    for (int32_t t = 0; t < tasks; t++) {
        struct part *part = &job->parts[t];
        int64_t equal = on_low ? part->low : count_equal(job->kept + t * job->room, part->between, job->limit);
        part->goes = equal < left ? equal : left;
        left -= part->goes;
    }
    *found = 1;
    return PRUNE_OK;
}

int32_t pr_magnitude_elements(prune_context *context, const float *weights, int64_t count, int64_t goes,
                              uint64_t *words, int *done)
{
    struct job *job;
    *done = 0;
    if (goes <= 0 || goes >= count || count < SAMPLES)
        return PRUNE_OK;
    PR_TRY(pr_alloc(context, 1, sizeof *job, &job));
    int64_t threads = prune_context_threads(context), tasks = pr_ceil_div(count, ELEMENTS_PER_TASK);
    tasks = tasks < threads ? tasks : threads;
    *job = (struct job){.weights = weights, .count = count, .words = words};
    job->share = pr_ceil_div(pr_ceil_div(count, tasks), 64) * 64;
    tasks = pr_ceil_div(count, job->share);
    job->room = job->share / 16 + 2 * BLOCK;
    int32_t status = take_sample(context, weights, count, goes, &job->low, &job->high);
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
