/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What came out of a race, as a table and as JSON records.
 */
#ifndef BENCH_RESULTS_H
#define BENCH_RESULTS_H

#include <jansson.h>

#include "contenders.h"

/* Fills in gflops, ratios and fractions of the roofline. Names of the best peers go to *dense and *sparse, NULL where
 * there is none. */
void results_of(struct contender *contenders, const struct racer *racers, int count, int rounds,
                const struct problem *problem, const struct machine *machine, int from_memory, const char **dense,
                const char **sparse);

void results_print_machine(const struct machine *machine);
void results_print(const struct contender *contenders, const struct racer *racers, int count, int rounds,
                   const struct problem *problem, int threads, const char *dense, const char *sparse);

void results_add(json_t *records, const struct contender *contenders, const struct racer *racers, int count,
                 const struct problem *problem, const struct machine *machine, int threads, const char *dense,
                 const char *sparse);

#endif
