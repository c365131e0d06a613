/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inputs of a layer: sums over samples, in the order of the samples, a block of samples at a time.
 */
#include "core/linalg/linalg.h"
#include "core/observe/observe.h"

/* Rows that make a product of matrices worth its name, while the block stays small beside the Gram matrix. */
#define LEAST_ROWS 64
#define MOST_ROWS 512
#define BLOCK 1048576

int64_t pr_observed_block(int64_t in)
{
    int64_t rows = in > 0 ? BLOCK / in : MOST_ROWS;
    return rows < LEAST_ROWS ? LEAST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
}

void pr_observe_rows(prune_observations *observations, const double *x, int64_t rows)
{
    int64_t in = observations->group[PR_INPUTS].count;
    double *squares = observations->array[PR_INPUT_SQUARES], *sums = observations->array[PR_INPUT_SUMS],
           *gram = observations->array[PR_GRAM];
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t j = 0; squares && j < in; j++)
            squares[j] += x[row * in + j] * x[row * in + j];
        for (int64_t j = 0; sums && j < in; j++)
            sums[j] += x[row * in + j];
    }
    struct pr_linalg la = pr_linalg_of(observations->context);
    if (gram && rows)
        pr_linalg_gram(&la, PRUNE_F64, rows, in, x, in, gram, in); /* sizes were checked with the batch */
}

void pr_observe_end(prune_observations *observations)
{
    int64_t in = observations->group[PR_INPUTS].count;
    if (observations->array[PR_GRAM])
        pr_linalg_mirror(in, observations->array[PR_GRAM], in);
}

void pr_observe_inputs(prune_observations *observations, const prune_tensor *data, double *block)
{
    int64_t in = observations->group[PR_INPUTS].count, room = pr_observed_block(in) * in;
    struct pr_walk walk;
    pr_walk_start(&walk, data);
    while (walk.count) {
        int64_t left = data->count - walk.position, count = left < room ? left : room;
        pr_take_numbers(&walk, data->dtype, count, block);
        pr_observe_rows(observations, block, count / in);
    }
    pr_observe_end(observations);
}
