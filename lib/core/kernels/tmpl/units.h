/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Units of four rows with one pattern, lanes along the columns of X: one load of X serves four rows. Included once for
 * each width of vector, with WIDTH and the operations U(load), U(store), U(all), U(fma) on U(vec).
 */
#include "core/kernels/tmpl/loops.h"

/* One entry: a column's values in the four rows times its piece of X. */
INLINE void U(step)(U(vec) sum[4][6], const float *row, const float *values, const int vectors)
{
    U(vec) one[6];
    UNROLL for (int v = 0; v < vectors; v++) one[v] = U(load)(row + v * WIDTH);
    UNROLL for (int i = 0; i < 4; i++)
    {
        U(vec) value = U(all)(values[i]);
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = U(fma)(value, one[v], sum[i][v]);
    }
}

/* `vectors` of a tile for all units of a cell. */
INLINE void U(units)(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                     const uint8_t *columns, const float *values, const int vectors)
{
    for (int64_t r = 0; r < run_count; r++) {
        float *to = sums + runs[r].row * tile;
        U(vec) sum[4][6];
        UNROLL for (int i = 0; i < 4; i++) UNROLL for (int v = 0; v < vectors; v++) sum[i][v] =
            U(load)(to + i * tile + v * WIDTH);
        for (uint32_t e = runs[r].count; e > 0; e--, values += 4) {
            const float *row = x + *columns++ * tile;
            HIDE(row);
            AHEAD(values, 3072);
            U(step)(sum, row, values, vectors);
        }
        UNROLL for (int i = 0; i < 4; i++) UNROLL for (int v = 0; v < vectors; v++)
            U(store)(to + i * tile + v * WIDTH, sum[i][v]);
    }
}

/* A tile of as many vectors whose sums are too few chains: entries in turns to two sets of sums. */
INLINE void U(units_in_turns)(float *sums, const float *x, const struct pr_run *runs, int64_t run_count,
                              const uint8_t *columns, const float *values, const int vectors)
{
    const int64_t tile = vectors * WIDTH;
    for (int64_t r = 0; r < run_count; r++) {
        float *to = sums + runs[r].row * tile;
        U(vec) sum[2][4][6];
        UNROLL for (int i = 0; i < 4; i++) UNROLL for (int v = 0; v < vectors; v++)
        {
            sum[0][i][v] = U(load)(to + i * tile + v * WIDTH);
            sum[1][i][v] = U(zero)();
        }
        uint32_t e = runs[r].count;
        for (; e >= 2; e -= 2, columns += 2, values += 8) {
            AHEAD(values, 3072);
            U(step)(sum[0], x + columns[0] * tile, values, vectors);
            U(step)(sum[1], x + columns[1] * tile, values + 4, vectors);
        }
        for (; e > 0; e--, values += 4)
            U(step)(sum[0], x + *columns++ * tile, values, vectors);
        UNROLL for (int i = 0; i < 4; i++) UNROLL for (int v = 0; v < vectors; v++)
            U(store)(to + i * tile + v * WIDTH, U(add)(sum[0][i][v], sum[1][i][v]));
    }
}
