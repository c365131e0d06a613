/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Random numbers that are the same on every machine.
 */
#ifndef PR_BASE_RNG_H
#define PR_BASE_RNG_H

#include <stdint.h>

/* xoshiro256** (Blackman and Vigna 2018), seeded by SplitMix64. */
struct pr_rng {
    uint64_t state[4];
};

void pr_rng_seed(struct pr_rng *rng, uint64_t seed);
uint64_t pr_rng_next(struct pr_rng *rng);
double pr_rng_uniform(struct pr_rng *rng);                 /* [0, 1), 53 bits */
uint64_t pr_rng_below(struct pr_rng *rng, uint64_t bound); /* 0..bound-1 without bias; bound > 0 */

/* The `index`-th number of a stream without state: SplitMix64's finaliser of seed and index, as [0, 1). For work that
 * is cut over threads. */
double pr_rng_at(uint64_t seed, uint64_t index);

#endif
