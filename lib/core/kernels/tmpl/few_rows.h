/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows times few columns of X, for one width of tile: VECTORS vectors of WIDTH floats. CHAINS entries of a row are
 * summed side by side, because one chain would wait for its own additions; STEP, a multiple of 4, is a turn of the
 * loop. Included once for each width.
 */
#define TILE (WIDTH * VECTORS)
#define ENTRY(chain, column, value)                                                                                    \
    {                                                                                                                  \
        const float *row = x + (int64_t)(column)*TILE;                                                                 \
        W(vec) factor = value;                                                                                         \
        UNROLL for (int i = 0; i < VECTORS; i++) sum[(chain) % CHAINS][i] =                                            \
            W(fma)(factor, W(load)(row + i * WIDTH), sum[(chain) % CHAINS][i]);                                        \
    }
#define FOUR_ENTRIES(first)                                                                                            \
    {                                                                                                                  \
        W(vec) four = W(four)(values + (first));                                                                       \
        HIDE_VECTOR(four);                                                                                             \
        ENTRY((first), columns[(first)], W(pick)(four, 0))                                                             \
        ENTRY((first) + 1, columns[(first) + 1], W(pick)(four, 1))                                                     \
        ENTRY((first) + 2, columns[(first) + 2], W(pick)(four, 2))                                                     \
        ENTRY((first) + 3, columns[(first) + 3], W(pick)(four, 3))                                                     \
    }

static void ROWS_NAME(float *sums, const float *x, const struct pr_short_run *runs, int64_t run_count,
                      const uint16_t *columns, const float *values)
{
    for (int64_t r = 0; r < run_count; r++) {
        float *to = sums + (int64_t)runs[r].row * TILE;
        int left = runs[r].count;
        W(vec) sum[CHAINS][VECTORS];
        UNROLL for (int i = 0; i < VECTORS; i++)
        {
            sum[0][i] = W(load)(to + i * WIDTH);
            UNROLL for (int c = 1; c < CHAINS; c++) sum[c][i] = W(zero)();
        }
        for (; left >= STEP; left -= STEP, columns += STEP, values += STEP) {
            AHEAD(values + AHEAD_BY);
            AHEAD(columns + AHEAD_BY);
            UNROLL for (int q = 0; q < STEP; q += 4) FOUR_ENTRIES(q)
        }
        for (; STEP > 4 && left >= 4; left -= 4, columns += 4, values += 4)
            FOUR_ENTRIES(0)
        if (left & 2) {
            ENTRY(0, columns[0], W(all)(values[0]))
            ENTRY(1, columns[1], W(all)(values[1]))
            columns += 2;
            values += 2;
        }
        if (left & 1) {
            ENTRY(CHAINS - 1, columns[0], W(all)(values[0]))
            columns++;
            values++;
        }
        UNROLL for (int i = 0; i < VECTORS; i++)
        {
            UNROLL for (int c = 0; CHAINS > 4 && c < 4; c++) sum[c][i] = W(add)(sum[c][i], sum[c + CHAINS / 2][i]);
            UNROLL for (int c = 0; CHAINS > 2 && c < 2; c++) sum[c][i] = W(add)(sum[c][i], sum[c + 2][i]);
            sum[0][i] = W(add)(sum[0][i], sum[1][i]);
        }
        UNROLL for (int i = 0; i < VECTORS; i++) W(store)(to + i * WIDTH, sum[0][i]);
    }
}
#undef FOUR_ENTRIES
#undef ENTRY
#undef TILE
#undef ROWS_NAME
#undef WIDTH
#undef VECTORS
#undef CHAINS
#undef STEP
