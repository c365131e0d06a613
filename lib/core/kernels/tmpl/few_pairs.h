/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pairs of rows (core/kernels/groups.h) times few columns of X, for one width of tile: VECTORS vectors of WIDTH
 * floats. Several columns are summed side by side, CHAINS of them for each row, 2 or 4. Included once for each width.
 */
#define TILE (WIDTH * VECTORS)
#define ONE(sum, column, value)                                                                                        \
    {                                                                                                                  \
        const float *row = x + (int64_t)(column)*TILE;                                                                 \
        W(vec) factor = value;                                                                                         \
        UNROLL for (int i = 0; i < VECTORS; i++) sum[i] = W(fma)(factor, W(load)(row + i * WIDTH), sum[i]);            \
    }
#define BOTH(chain, column, value, other)                                                                              \
    {                                                                                                                  \
        const float *row = x + (int64_t)(column)*TILE;                                                                 \
        W(vec) factor = value, second_factor = other;                                                                  \
        UNROLL for (int i = 0; i < VECTORS; i++)                                                                       \
        {                                                                                                              \
            W(vec) shared = W(load)(row + i * WIDTH);                                                                  \
            a[(chain) % CHAINS][i] = W(fma)(factor, shared, a[(chain) % CHAINS][i]);                                   \
            b[(chain) % CHAINS][i] = W(fma)(second_factor, shared, b[(chain) % CHAINS][i]);                            \
        }                                                                                                              \
    }
#define AHEAD_BOTH                                                                                                     \
    {                                                                                                                  \
        AHEAD(values + AHEAD_BY);                                                                                      \
        AHEAD(columns + AHEAD_BY / 2);                                                                                 \
    }

static void PAIRS_NAME(float *sums, const float *x, const uint8_t *items, int64_t item_count, const uint8_t *columns,
                       const float *values, int start)
{
    for (; item_count > 0; item_count--, items += PR_PAIR_BYTES) {
        float *first = sums + (int64_t)items[0] * TILE, *second = sums + (int64_t)items[1] * TILE;
        W(vec) a[CHAINS][VECTORS], b[CHAINS][VECTORS];
        UNROLL for (int i = 0; i < VECTORS; i++)
        {
            a[0][i] = start ? W(zero)() : W(load)(first + i * WIDTH);
            b[0][i] = start ? W(zero)() : W(load)(second + i * WIDTH);
            UNROLL for (int c = 1; c < CHAINS; c++) a[c][i] = b[c][i] = W(zero)();
        }
        int left = items[2];
        for (; left >= 4; left -= 4, columns += 4, values += 8) {
            AHEAD_BOTH
            UNROLL for (int q = 0; q < 4; q += 2)
            {
                W(vec) four = W(four)(values + 2 * q);
                HIDE_VECTOR(four);
                BOTH(q, columns[q], W(pick)(four, 0), W(pick)(four, 1))
                BOTH(q + 1, columns[q + 1], W(pick)(four, 2), W(pick)(four, 3))
            }
        }
        for (; left > 0; left--, columns++, values += 2)
            BOTH(1, columns[0], W(all)(values[0]), W(all)(values[1]))
        left = items[3];
        for (; left >= 4; left -= 4, columns += 8, values += 8) {
            AHEAD_BOTH
            UNROLL for (int q = 0; q < 8; q += 4)
            {
                W(vec) four = W(four)(values + q);
                HIDE_VECTOR(four);
                ONE(a[q / 2 % CHAINS], columns[q], W(pick)(four, 0))
                ONE(b[q / 2 % CHAINS], columns[q + 1], W(pick)(four, 1))
                ONE(a[(q / 2 + 1) % CHAINS], columns[q + 2], W(pick)(four, 2))
                ONE(b[(q / 2 + 1) % CHAINS], columns[q + 3], W(pick)(four, 3))
            }
        }
        for (; left > 0; left--, columns += 2, values += 2) {
            ONE(a[0], columns[0], W(all)(values[0]))
            ONE(b[0], columns[1], W(all)(values[1]))
        }
        UNROLL for (int i = 0; i < VECTORS; i++)
        {
            UNROLL for (int c = 0; CHAINS > 2 && c < 2; c++) b[c][i] = W(add)(b[c][i], b[c + 2 % CHAINS][i]);
            W(store)(second + i * WIDTH, W(add)(b[0][i], b[1][i]));
        }
        left = items[4];
        for (; left >= 4; left -= 4, columns += 4, values += 4) {
            W(vec) four = W(four)(values);
            HIDE_VECTOR(four);
            ONE(a[0], columns[0], W(pick)(four, 0))
            ONE(a[1], columns[1], W(pick)(four, 1))
            ONE(a[2 % CHAINS], columns[2], W(pick)(four, 2))
            ONE(a[3 % CHAINS], columns[3], W(pick)(four, 3))
        }
        for (; left > 0; left--)
            ONE(a[1], *columns++, W(all)(*values++))
        UNROLL for (int i = 0; i < VECTORS; i++)
        {
            UNROLL for (int c = 0; CHAINS > 2 && c < 2; c++) a[c][i] = W(add)(a[c][i], a[c + 2 % CHAINS][i]);
            W(store)(first + i * WIDTH, W(add)(a[0][i], a[1][i]));
        }
    }
}
#undef AHEAD_BOTH
#undef BOTH
#undef ONE
#undef TILE
#undef PAIRS_NAME
#undef WIDTH
#undef VECTORS
#undef CHAINS
