/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One block of transposable N:M: which elements of rows x columns to keep, at most `keep_n` in each row and in each
 * column, as many as that allows, for the highest sum. libprune only.
 */
#ifndef PR_CORE_TRANSPOSABLE_H
#define PR_CORE_TRANSPOSABLE_H

#include <stdint.h>

/* The block, row by row. Worths are whole numbers, so that every sum is exact and no order of adding matters; of
 * infinities `infinite` counts first: 1, -1, or 0 for a finite score. */
struct pr_block {
    int64_t rows, columns, keep_n;
    int64_t *worth;
    int8_t *infinite;
    uint8_t *keep; /* the answer */
    int64_t *work; /* pr_block_work(rows, columns) numbers */
};

int64_t pr_block_work(int64_t rows, int64_t columns);

/* How many a block of this size keeps. */
int64_t pr_block_count(int64_t rows, int64_t columns, int64_t keep_n);

/* Worths from scores, NaN for an element that is gone; what is below 2^-50 or so of the block's largest is rounded. */
void pr_block_set(struct pr_block *block, const double *scores, int64_t stride_row, int64_t stride_column);

/* By descending score, taking what row and column still allow; then filled up by exchanges until the count is full. */
void pr_block_greedy(struct pr_block *block, int fill);

/* The best, by augmenting paths of least cost. */
void pr_block_exact(struct pr_block *block);

/* The masks of a block of at most 4 x 4 as bits row by row, ascending; how many. */
#define PR_MAX_BLOCK_MASKS 256
int64_t pr_block_masks(int64_t rows, int64_t columns, int64_t keep_n, uint16_t masks[PR_MAX_BLOCK_MASKS]);
void pr_block_exhaustive(struct pr_block *block, const uint16_t *masks, int64_t count);

#endif
