/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The grid of products that libprune is judged by, next to what it aims at.
 */
#ifndef BENCH_ACCEPTANCE_H
#define BENCH_ACCEPTANCE_H

#include "../../src/machine.h"

/* What one race gave for the form that libprune chose: 0 where there was no such contender. */
struct outcome {
    double ratio_dense, ratio_sparse, roofline;
};

/* Races one product; 1 when a contender of libprune erred. `sparsity` counts for "random". */
typedef int (*race_fn)(void *user, int64_t m, int64_t n, int64_t k, const char *pattern, double sparsity,
                       struct outcome *outcome);

/* Runs the rows of the grid whose names are in `cells` (a list with commas; NULL: all) and prints them. `dlmc` is where
 * patterns of pruned networks lie. Returns 1 when a product was wrong. */
int acceptance(race_fn race, void *user, const struct machine *machine, const char *cells, const char *dlmc);

#endif
