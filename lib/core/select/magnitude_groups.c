/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Groups of four neighbours in one reading: four groups at a time, each element compared with the other three.
 */
#include "core/select/magnitude.h"

#define ELEMENTS_PER_TASK 262144
#define MAX_TASKS 256

struct job {
    const float *weights;
    int64_t count, share;
    int keep_n;
    uint64_t *words;
    uint8_t nan[MAX_TASKS];
};

/* Of four groups, each in one vector: the elements of the same place in each. */
static inline void turn(pr_four x[4])
{
    pr_four a = __builtin_shufflevector(x[0], x[1], 0, 4, 1, 5), b = __builtin_shufflevector(x[0], x[1], 2, 6, 3, 7);
    pr_four c = __builtin_shufflevector(x[2], x[3], 0, 4, 1, 5), d = __builtin_shufflevector(x[2], x[3], 2, 6, 3, 7);
    x[0] = __builtin_shufflevector(a, c, 0, 1, 4, 5);
    x[1] = __builtin_shufflevector(a, c, 2, 3, 6, 7);
    x[2] = __builtin_shufflevector(b, d, 0, 1, 4, 5);
    x[3] = __builtin_shufflevector(b, d, 2, 3, 6, 7);
}

/* Four bits for each of four groups: an element stays when `least` others go before it, those that are smaller and
 * equals with a lower number. Comparisons are -1 where they hold. */
static inline pr_four stays_of(const float *weights, int32_t least, pr_four *nan)
{
    pr_four x[4], enough = pr_all(least - 1), largest = pr_all(PR_LARGEST);
    for (int g = 0; g < 4; g++) {
        x[g] = pr_magnitudes(weights + 4 * g);
        *nan |= x[g] > largest;
    }
    turn(x);
    pr_four ab = x[0] > x[1], ac = x[0] > x[2], ad = x[0] > x[3], bc = x[1] > x[2], bd = x[1] > x[3], cd = x[2] > x[3];
    pr_four a = -(ab + ac + ad), b = 1 + ab - bc - bd, c = 2 + ac + bc - cd, d = 3 + ad + bd + cd;
    return ((a > enough) & 1) | ((b > enough) & 2) | ((c > enough) & 4) | ((d > enough) & 8);
}

static inline uint64_t nibbles(pr_four x)
{
    return (uint32_t)x[0] | (uint32_t)x[1] << 4 | (uint32_t)x[2] << 8 | (uint32_t)x[3] << 12;
}

/* 64 weights at once. */
static inline uint64_t read_word(const float *weights, int32_t least, pr_four *nan)
{
    pr_four low = stays_of(weights, least, nan) | stays_of(weights + 16, least, nan) << 16;
    pr_four high = stays_of(weights + 32, least, nan) | stays_of(weights + 48, least, nan) << 16;
    return nibbles(low) | nibbles(high) << 32;
}

static void take_part(void *argument, int32_t task)
{
    struct job *job = argument;
    int64_t begin = task * job->share, end = begin + job->share < job->count ? begin + job->share : job->count;
    pr_four nan = pr_all(0);
    int32_t least = 4 - job->keep_n;
    int64_t i = begin;
    for (; i + 64 <= end; i += 64)
        job->words[i >> 6] = read_word(job->weights + i, least, &nan);
    if (i < end) {
        float last[64] = {0};
        memcpy(last, job->weights + i, (size_t)(end - i) * sizeof *last);
        job->words[i >> 6] = read_word(last, least, &nan) & ((1ULL << (end - i)) - 1);
    }
    job->nan[task] = (uint8_t)pr_any(nan);
}

int pr_magnitude_groups_of_4(prune_context *context, const float *weights, int64_t count, int keep_n, uint64_t *words)
{
    struct job job = {.weights = weights, .count = count, .keep_n = keep_n, .words = words};
    int64_t threads = prune_context_threads(context), tasks = pr_ceil_div(count, ELEMENTS_PER_TASK);
    int nan = 0;
    tasks = tasks < threads ? tasks : threads;
    if (tasks == 0)
        return 1;
    job.share = pr_ceil_div(pr_ceil_div(count, tasks), 64) * 64;
    tasks = pr_ceil_div(count, job.share);
    prune_context_parallel(context, (int32_t)tasks, take_part, &job);
    for (int64_t t = 0; t < tasks; t++)
        nan |= job.nan[t];
    return !nan;
}
