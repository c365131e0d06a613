/* SPDX-License-Identifier: BSD-2-Clause */
#include "race.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A measurement lasts at least this long. */
#define LEAST_SECONDS 4e-5

/* Work that takes longer than this need not be warmed up: what the previous contender left in the caches is gone soon.
 */
#define WARM_BELOW 2e-3

double bench_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median_of(const double *values, int count)
{
    double sorted[MOST_ROUNDS];
    memcpy(sorted, values, (size_t)count * sizeof *values);
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    return count % 2 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

double median_ratio(const struct racer *a, const struct racer *b, int rounds)
{
    double ratio[MOST_ROUNDS];
    for (int r = 0; r < rounds; r++)
        ratio[r] = a->seconds[r] / b->seconds[r];
    return median_of(ratio, rounds);
}

static double measure(struct racer *racer)
{
    double start = bench_now();
    for (int i = 0; i < racer->repeat; i++)
        racer->run(racer->state, racer->turn++);
    return (bench_now() - start) / racer->repeat;
}

/* How many runs a measurement needs; the first run pays for pages and tables. */
static void set_repeat(struct racer *racer)
{
    racer->repeat = 1;
    measure(racer);
    double once = fmin(measure(racer), measure(racer));
    racer->repeat = once < LEAST_SECONDS ? (int)ceil(LEAST_SECONDS / fmax(once, 1e-8)) : 1;
    racer->minimum = once;
}

static void rest(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    if (seconds > 0)
        nanosleep(&time, NULL);
}

int race(struct racer *racers, int count, const struct race_limits *limits)
{
    int most = limits->most_rounds < MOST_ROUNDS ? limits->most_rounds : MOST_ROUNDS;
    for (int i = 0; i < count; i++)
        set_repeat(&racers[i]);
    int round = 0;
    double start = bench_now();
    while (round < most && (round < 3 || bench_now() - start < limits->seconds)) {
        for (int i = 0; i < count; i++) {
            struct racer *racer = &racers[i];
            rest(limits->rest);
            if (racer->minimum < WARM_BELOW || limits->rest > 0)
                racer->run(racer->state, racer->turn++);
            racer->seconds[round] = measure(racer);
        }
        round++;
    }
    for (int i = 0; i < count; i++) {
        racers[i].median = median_of(racers[i].seconds, round);
        racers[i].minimum = racers[i].seconds[0];
        for (int r = 1; r < round; r++)
            racers[i].minimum = fmin(racers[i].minimum, racers[i].seconds[r]);
    }
    return round;
}
