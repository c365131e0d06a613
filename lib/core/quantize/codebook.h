/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Codebooks: a few numbers that stand for all weights (Han et al. 2016, Deep Compression). Code 0 is the number 0 and
 * stands for nothing stored.
 */
#ifndef PR_CORE_CODEBOOK_H
#define PR_CORE_CODEBOOK_H

#include "base/alloc.h"

/* One-dimensional k-means of ascending numbers by Lloyd's iteration, from centroids evenly spaced between the least and
 * the greatest, until no number changes its cluster (at most 1000 rounds). Of two equally near centroids the lower one
 * takes a number. A cluster that loses its last number keeps its centroid. */
int32_t pr_kmeans(prune_context *context, const float *ascending, int64_t count, float *centroids, int32_t k);

/* A codebook for these numbers, those that are 0 left out: 0, then ascending the distinct numbers themselves where they
 * are fewer than `levels`, and zeros, or else levels - 1 centroids. PRUNE_E_VALUE for an infinite number. */
int32_t pr_codebook_make(prune_context *context, const float *values, int64_t count, float *codebook, int32_t levels);

/* The code of the nearest entry but the first; entries 1 to `used` - 1 ascend. */
int32_t pr_codebook_code(const float *codebook, int32_t used, float value);

/* How many entries from the first on are in use: those after them are 0. */
int32_t pr_codebook_used(const float *codebook, int32_t levels);

#endif
