/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A race: contenders that do the same work take turns, A B C A B C, so that whatever else the machine does meets all of
 * them. What counts is the median of the ratios of one round.
 */
#ifndef BENCH_RACE_H
#define BENCH_RACE_H

#include <stdint.h>

#define MOST_ROUNDS 2000
#define MOST_RACERS 64

struct racer {
    /* Does the work once; `turn` counts its calls, for those who rotate copies of their data. */
    void (*run)(void *state, int64_t turn);
    void *state;

    /* Set by the race. */
    int64_t turn;
    int repeat; /* runs in one measurement, for work shorter than the clock */
    double seconds[MOST_ROUNDS];
    double minimum, median;
};

struct race_limits {
    double seconds; /* all contenders together */
    int most_rounds;
    double
        rest; /* seconds before each turn, until threads of the last contender that wait by turning have gone to sleep;
                    then everyone warms up */
};

double bench_now(void);

/* Returns the number of rounds: as many as the seconds allow, at least 3. */
int race(struct racer *racers, int count, const struct race_limits *limits);

double median_of(const double *values, int count);

/* The median over the rounds of seconds of `a` / seconds of `b`: how many times as fast b is. */
double median_ratio(const struct racer *a, const struct racer *b, int rounds);

#endif
