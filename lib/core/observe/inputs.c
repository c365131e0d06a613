/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Inputs of a layer: sums over samples, in the order of the samples. Blocks of samples are turned into doubles; each
 * row of the Gram matrix is brought up to date for a whole block at a time.
 */
#include "core/observe/observe.h"

#define MOST_ROWS 64
/* Doubles of a block: its rows should stay in the second-level cache while the Gram matrix goes by. */
#define BLOCK 65536
#define STRIP 64 /* rows of the Gram matrix in one piece of work */

struct block {
    const double *x;
    int64_t rows, in;
    double *gram;
};

int64_t pr_observed_block(int64_t in)
{
    int64_t rows = in > 0 ? BLOCK / in : MOST_ROWS;
    return rows < 4 ? 4 : rows > MOST_ROWS ? MOST_ROWS : rows;
}

/* Row i of the upper triangle: each element one chain of sums over the samples. */
static void update_row(const struct block *block, int64_t i)
{
    int64_t in = block->in, row = 0;
    double *restrict gram = block->gram + i * in;
    for (; row + 4 <= block->rows; row += 4) {
        const double *a = block->x + row * in, *b = a + in, *c = b + in, *d = c + in;
        double ai = a[i], bi = b[i], ci = c[i], di = d[i];
        for (int64_t j = i; j < in; j++)
            gram[j] = (((gram[j] + ai * a[j]) + bi * b[j]) + ci * c[j]) + di * d[j];
    }
    for (; row < block->rows; row++) {
        const double *a = block->x + row * in;
        double ai = a[i];
        for (int64_t j = i; j < in; j++)
            gram[j] += ai * a[j];
    }
}

static void update_strip(void *argument, int32_t task)
{
    const struct block *block = argument;
    int64_t begin = (int64_t)task * STRIP, end = begin + STRIP;
    for (int64_t i = begin; i < end && i < block->in; i++)
        update_row(block, i);
}

static void take_block(prune_observations *o, const double *x, int64_t rows)
{
    int64_t in = o->group[PR_INPUTS].count;
    double *squares = o->array[PR_INPUT_SQUARES], *sums = o->array[PR_INPUT_SUMS];
    struct block block = {.x = x, .rows = rows, .in = in, .gram = o->array[PR_GRAM]};
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t j = 0; squares && j < in; j++)
            squares[j] += x[row * in + j] * x[row * in + j];
        for (int64_t j = 0; sums && j < in; j++)
            sums[j] += x[row * in + j];
    }
    if (block.gram)
        prune_context_parallel(o->context, (int32_t)pr_ceil_div(in, STRIP), update_strip, &block);
}

static void mirror(double *gram, int64_t in)
{
    for (int64_t i = 0; i < in; i++)
        for (int64_t j = i + 1; j < in; j++)
            gram[j * in + i] = gram[i * in + j];
}

void pr_observe_inputs(prune_observations *observations, const prune_tensor *data, double *block)
{
    int64_t in = observations->group[PR_INPUTS].count, room = pr_observed_block(in) * in;
    struct pr_walk walk;
    pr_walk_start(&walk, data);
    while (walk.count) {
        int64_t left = data->count - walk.position, count = left < room ? left : room;
        pr_take_numbers(&walk, data->dtype, count, block);
        take_block(observations, block, count / in);
    }
    if (observations->array[PR_GRAM])
        mirror(observations->array[PR_GRAM], in);
}
