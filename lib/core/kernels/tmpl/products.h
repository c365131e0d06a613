/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bodies that are the same for every width of vector. Include a vocabulary (vec_*.h) first; the functions are static,
 * so that each instruction set gets its own.
 */
#ifndef PR_KERNELS_PRODUCTS_H
#define PR_KERNELS_PRODUCTS_H

#include <string.h>

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

/* `count` vectors of a tile, beginning at `first`, for all rows of a cell. */
INLINE void rows_vectors(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                         const uint16_t *columns, const float *values, int64_t first, const int count)
{
    x += first;
    sums += first;
    for (int64_t r = 0; r < run_count; r++) {
        float *to = sums + runs[r].row * tile;
        vec sum[MOST_VECTORS];
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_load(to + i * VL);
        for (uint32_t e = runs[r].count; e > 0; e--) {
            const float *row = x + *columns++ * tile;
            HIDE(row);
            vec value = v_all(*values++);
            UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(value, v_load(row + i * VL), sum[i]);
        }
        UNROLL for (int i = 0; i < count; i++) v_store(to + i * VL, sum[i]);
    }
}

static void rows_panel(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                       const uint16_t *columns, const float *values)
{
    int64_t first = 0;
    for (; first + 8 * VL <= tile; first += 8 * VL)
        rows_vectors(sums, tile, x, runs, run_count, columns, values, first, 8);
    switch ((tile - first) / VL) {
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        rows_vectors(sums, tile, x, runs, run_count, columns, values, first, n);                                       \
        break;
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
#undef CASE
    default:
        break;
    }
}

/* `vectors` of a strip times `n` columns of X. */
INLINE void dense_block(float *sums, int64_t ld, const float *x, int64_t ldx, const float *values, int64_t columns,
                        int64_t lanes, const int vectors, const int n)
{
    vec sum[4][4];
    UNROLL for (int j = 0; j < n; j++) UNROLL for (int i = 0; i < vectors; i++) sum[j][i] = v_zero();
    for (int64_t k = 0; k < columns; k++, values += lanes) {
        vec value[4];
        UNROLL for (int i = 0; i < vectors; i++) value[i] = v_load(values + i * VL);
        UNROLL for (int j = 0; j < n; j++)
        {
            vec one = v_all(x[j * ldx + k]);
            UNROLL for (int i = 0; i < vectors; i++) sum[j][i] = v_fma(value[i], one, sum[j][i]);
        }
    }
    UNROLL for (int j = 0; j < n; j++) UNROLL for (int i = 0; i < vectors; i++)
        v_store(sums + j * ld + i * VL, sum[j][i]);
}

/* The same for 2:4: each word holds the positions of 8 groups, two bits for each of their two values. */
INLINE void nm24_step(vec *sum, const words *word, const vec *four, const float *values, int64_t lanes, int step,
                      const int vectors, const int n)
{
    UNROLL for (int i = 0; i < vectors; i++)
    {
        vec value = v_load(values + step * lanes + i * VL);
        words at = v_shift_right(word[i], 2 * step);
        UNROLL for (int j = 0; j < n; j++) sum[j * 4 + i] = v_fma(value, v_pick_of_four(four[j], at), sum[j * 4 + i]);
    }
}

INLINE void nm24_block(float *sums, int64_t ld, const float *x, int64_t ldx, const float *values,
                       const uint32_t *positions, int64_t groups, int64_t lanes, const int vectors, const int n)
{
    vec sum[16], four[4];
    words word[4];
    UNROLL for (int i = 0; i < 16; i++) sum[i] = v_zero();
    int64_t g = 0;
    for (; g + 8 <= groups; g += 8, values += 16 * lanes, positions += lanes) {
        UNROLL for (int i = 0; i < vectors; i++) word[i] = v_words(positions + i * VL);
        UNROLL for (int s = 0; s < 8; s++)
        {
            UNROLL for (int j = 0; j < n; j++) four[j] = v_four(x + j * ldx + (g + s) * 4);
            nm24_step(sum, word, four, values, lanes, 2 * s, vectors, n);
            nm24_step(sum, word, four, values, lanes, 2 * s + 1, vectors, n);
        }
    }
    if (g < groups)
        UNROLL for (int i = 0; i < vectors; i++) word[i] = v_words(positions + i * VL);
    for (; g < groups; g++, values += 2 * lanes) {
        UNROLL for (int j = 0; j < n; j++) four[j] = v_four(x + j * ldx + g * 4);
        nm24_step(sum, word, four, values, lanes, 0, vectors, n);
        nm24_step(sum, word, four, values, lanes, 1, vectors, n);
        UNROLL for (int i = 0; i < vectors; i++) word[i] = v_shift_right(word[i], 4);
    }
    UNROLL for (int j = 0; j < n; j++) UNROLL for (int i = 0; i < vectors; i++)
        v_store(sums + j * ld + i * VL, sum[j * 4 + i]);
}

/* Calls BLOCK(vectors, n) with constants for what is left of a strip and of the columns of X. */
#define FOR_EACH_BLOCK(MOST_N)                                                                                         \
    for (int64_t i = 0; i < lanes; i += 4 * VL) {                                                                      \
        int vectors = (int)((lanes - i) / VL);                                                                         \
        int64_t j = 0;                                                                                                 \
        if (vectors >= 4)                                                                                              \
            BLOCKS(4, MOST_N)                                                                                          \
        else if (vectors == 3)                                                                                         \
            BLOCKS(3, MOST_N)                                                                                          \
        else if (vectors == 2)                                                                                         \
            BLOCKS(2, MOST_N)                                                                                          \
        else                                                                                                           \
            BLOCKS(1, MOST_N)                                                                                          \
    }
#define BLOCKS(vectors, MOST_N)                                                                                        \
    {                                                                                                                  \
        for (; j + MOST_N <= n; j += MOST_N)                                                                           \
            BLOCK(vectors, MOST_N);                                                                                    \
        for (; j < n; j++)                                                                                             \
            BLOCK(vectors, 1);                                                                                         \
    }

static void dense_strip(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                        int64_t columns, int64_t lanes)
{
#define BLOCK(vectors, count)                                                                                          \
    dense_block(sums + j * ld + i, ld, x + j * ldx, ldx, values + i, columns, lanes, vectors, count)
    FOR_EACH_BLOCK(MOST_COLUMNS)
#undef BLOCK
}

static void nm24_strip(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                       const uint32_t *positions, int64_t groups, int64_t lanes)
{
#define BLOCK(vectors, count)                                                                                          \
    nm24_block(sums + j * ld + i, ld, x + j * ldx, ldx, values + i, positions + i, groups, lanes, vectors, count)
    FOR_EACH_BLOCK(MOST_COLUMNS)
#undef BLOCK
}

#endif
