/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How long networks take side by side. In each round every network runs for a few milliseconds, in a changing order, so
 * that what disturbs the machine disturbs all; the figures are medians over rounds of times and of ratios within a
 * round.
 */
#ifndef TIMING_H
#define TIMING_H

#include "tool.h"

#define MAX_ROUNDS 1000

struct timing {
    double seconds; /* for one sample */
    double speedup; /* the first network's time by this one's */
    char kernels[SPEC_SIZE];
};

/* Fills `timings[0..count)` for `networks` on batches of `batch` of the images. */
int timing_run(struct timing *timings, prune_network *const *networks, const char *const *names, int count,
               const prune_tensor *images, int64_t batch, int64_t rounds);

#endif
