/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dense rows times a tile of X, lanes along its columns: 6 rows x 4 vectors of sums with AVX-512, 6 x 2 with AVX2.
 * Include a vocabulary first, which says how many vectors: TILE_VECTORS.
 */
#ifndef PR_KERNELS_TILES_H
#define PR_KERNELS_TILES_H

#include <stddef.h>

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

/* `strips` strips of `rows` rows, `stride` floats apart, times `vectors` vectors of the tile. What comes next is
 * fetched meanwhile. */
INLINE void tile_block(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts,
                       const float *values, int64_t stride, int64_t columns, int start, const int shifted,
                       const int strips, const int rows, const int vectors)
{
    vec sum[12][TILE_VECTORS];
    UNROLL for (int i = 0; i < strips * rows; i++) UNROLL for (int v = 0; v < vectors; v++) sum[i][v] =
        start ? v_zero() : v_load(sums + i * ld + v * VL);
    for (int64_t k = 0; k < columns; k++, values += rows) {
        vec one[TILE_VECTORS];
        const float *row = shifted ? x + starts[k] : x;
        HIDE(row);
        x = shifted ? x : x + ldx;
        UNROLL for (int v = 0; v < vectors; v++) one[v] = v_load(row + v * VL);
        UNROLL for (int s = 0; s < strips; s++)
        {
            __builtin_prefetch(values + (s + strips) * stride);
            UNROLL for (int i = 0; i < rows; i++)
            {
                vec value = v_all(values[s * stride + i]);
                UNROLL for (int v = 0; v < vectors; v++) sum[s * rows + i][v] =
                    v_fma(value, one[v], sum[s * rows + i][v]);
            }
        }
    }
    UNROLL for (int i = 0; i < strips * rows; i++) UNROLL for (int v = 0; v < vectors; v++)
        v_store(sums + i * ld + v * VL, sum[i][v]);
}

INLINE void tile_rows(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts, int64_t tile,
                      const float *values, int64_t stride, int64_t columns, int start, const int shifted,
                      const int strips, const int rows)
{
    int64_t first = 0;
    for (; first + TILE_VECTORS * VL <= tile; first += TILE_VECTORS * VL)
        tile_block(sums + first, ld, x + first, ldx, starts, values, stride, columns, start, shifted, strips, rows,
                   TILE_VECTORS);
    switch ((tile - first) / VL) {
#if TILE_VECTORS > 2
    case 3:
        tile_block(sums + first, ld, x + first, ldx, starts, values, stride, columns, start, shifted, strips, rows, 3);
        break;
    case 2:
        tile_block(sums + first, ld, x + first, ldx, starts, values, stride, columns, start, shifted, strips, rows, 2);
        break;
#endif
    case 1:
        tile_block(sums + first, ld, x + first, ldx, starts, values, stride, columns, start, shifted, strips, rows, 1);
        break;
    default:
        break;
    }
}

INLINE void all_tiles(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts, int64_t tile,
                      const float *values, int64_t stride, int64_t columns, int64_t rows, int start, const int shifted)
{
    for (; rows >= 12 && tile == VL; rows -= 12, sums += 12 * ld, values += 2 * stride)
        tile_block(sums, ld, x, ldx, starts, values, stride, columns, start, shifted, 2, 6, 1);
    for (; rows >= 6; rows -= 6, sums += 6 * ld, values += stride)
        tile_rows(sums, ld, x, ldx, starts, tile, values, stride, columns, start, shifted, 1, 6);
    switch (rows) {
#define CASE(n)                                                                                                        \
    case n:                                                                                                            \
        tile_rows(sums, ld, x, ldx, starts, tile, values, stride, columns, start, shifted, 1, n);                      \
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

static inline void dense_tile(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t tile, const float *values,
                              int64_t stride, int64_t columns, int64_t rows, int start)
{
    all_tiles(sums, ld, x, ldx, NULL, tile, values, stride, columns, rows, start, 0);
}

static inline void dense_shifts(float *sums, int64_t ld, const float *x, const uint32_t *starts, int64_t tile,
                                const float *values, int64_t stride, int64_t columns, int64_t rows, int start)
{
    all_tiles(sums, ld, x, 0, starts, tile, values, stride, columns, rows, start, 1);
}

#endif
