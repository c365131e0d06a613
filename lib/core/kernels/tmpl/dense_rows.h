/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dense rows times X where it stands, straight into Y through the epilogue: lanes along the columns of X, a block of
 * columns at a time, which then stays in the first-level cache for all rows. Include a vocabulary first, which says how
 * many vectors of sums a row has: TILE_VECTORS.
 */
#ifndef PR_KERNELS_DENSE_ROWS_H
#define PR_KERNELS_DENSE_ROWS_H

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

/* `rows` rows by `vectors` vectors. */
INLINE void finished_block(float *y, int64_t ldy, const float *x, int64_t ldx, const float *values, int64_t columns,
                           const struct pr_epilogue_args *e, int64_t row, const int rows, const int vectors)
{
    vec sum[PR_TILE_ROWS][TILE_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = v_zero();
    for (int64_t k = 0; k < columns; k++, x += ldx, values += rows) {
        vec one[TILE_VECTORS];
        HIDE(x);
        UNROLL for (int v = 0; v < vectors; v++) one[v] = v_load(x + v * VL);
        UNROLL for (int i = 0; i < rows; i++)
        {
            vec value = v_all(values[i]);
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = v_fma(value, one[v], sum[i][v]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++)
    {
        vec scale = v_all(e->scale_m ? e->scale_m[row + i] : e->alpha);
        vec bias = v_all(e->bias_m ? e->bias_m[row + i] : -0.0f); /* -0 leaves every number what it is */
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = v_fma(scale, sum[i][v], bias);
    }
    if (e->clamp) {
        vec least = v_all(e->least), most = v_all(e->most);
        UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < vectors; v++) sum[i][v] =
            v_clamp(sum[i][v], least, most);
    }
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int v = 0; v < vectors; v++)
        v_store(y + i * ldy + v * VL, sum[i][v]);
}

/* All rows for `vectors` vectors of columns. */
INLINE void finished_columns(float *y, int64_t ldy, const float *x, int64_t ldx, const float *values, int64_t columns,
                             int64_t rows, const struct pr_epilogue_args *e, const int vectors)
{
    int64_t row = 0;
    for (; row + PR_TILE_ROWS <= rows; row += PR_TILE_ROWS, values += PR_TILE_ROWS * columns)
        finished_block(y + row * ldy, ldy, x, ldx, values, columns, e, row, PR_TILE_ROWS, vectors);
    switch (rows - row) {
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        finished_block(y + row * ldy, ldy, x, ldx, values, columns, e, row, n, vectors);                               \
        break;
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
#undef CASE
    default:
        break;
    }
}

/* The last block ends with the row, over columns that it computes again. */
static void dense_rows(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t n, const float *values,
                       int64_t columns, int64_t rows, const struct pr_epilogue_args *epilogue)
{
    const struct pr_epilogue_args own = *epilogue; /* stores to Y cannot change it */
    int64_t j = 0;
    while (j < n) {
        int64_t vectors = (n - j + VL - 1) / VL;
        if (vectors > TILE_VECTORS)
            vectors = TILE_VECTORS;
        if (j + vectors * VL > n) {
            if (n >= vectors * VL)
                j = n - vectors * VL;
            else
                vectors--; /* what is left of fewer columns than a block has */
        }
        switch (vectors) {
#define CASE(count)                                                                                                    \
    case count:                                                                                                        \
        finished_columns(y + j, ldy, x + j, ldx, values, columns, rows, &own, count);                                  \
        break;
            CASE(1)
            CASE(2)
#if TILE_VECTORS > 2
            CASE(3)
            CASE(4)
#endif
#undef CASE
        default:
            return;
        }
        j += vectors * VL;
    }
}

#endif
