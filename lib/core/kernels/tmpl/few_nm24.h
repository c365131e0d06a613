/* SPDX-License-Identifier: BSD-2-Clause
 *
 * 2:4 with lanes along the rows of W for several columns of X, which come in groups of four. Include a vocabulary
 * first and say how a block of sums is cut: FEW_VECTORS vectors of rows by FEW_COLUMNS columns of X.
 */
#ifndef PR_KERNELS_FEW_NM24_H
#define PR_KERNELS_FEW_NM24_H

#include "core/kernels/few.h"
#include "core/kernels/tmpl/loops.h"

/* A piece of a strip, one word of positions long, stays in the first-level cache for all columns of X. While the first
 * of them take it, the next one is fetched. */
#define PIECE_GROUPS 8

INLINE void few_nm24_block(float *sums, int64_t ld, const float *x, int64_t ldx, const float *values,
                           const uint32_t *positions, int64_t groups, int64_t lanes, int first, int fetch,
                           const int vectors, const int n)
{
    vec sum[FEW_COLUMNS][FEW_VECTORS];
    words word[FEW_VECTORS];
    UNROLL for (int j = 0; j < n; j++)
    {
        UNROLL for (int i = 0; i < vectors; i++) sum[j][i] = first ? v_zero() : v_load(sums + j * ld + i * VL);
    }
    UNROLL for (int i = 0; i < vectors; i++) word[i] = v_words(positions + i * VL);
    for (int64_t g = 0; g < groups; g++, x += ldx) {
        UNROLL for (int s = 0; s < 2; s++, values += lanes)
        {
            vec value[FEW_VECTORS];
            UNROLL for (int i = 0; i < vectors; i++) value[i] = v_load(values + i * VL);
            if (fetch)
                UNROLL for (int i = 0; i < vectors * VL; i += 16)
                    _mm_prefetch((const char *)(values + 2 * PIECE_GROUPS * lanes + i), _MM_HINT_T0);
            UNROLL for (int j = 0; j < n; j++)
            {
                vec four = v_four(x + 4 * j);
                UNROLL for (int i = 0; i < vectors; i++) sum[j][i] =
                    v_fma(value[i], v_pick_of_four(four, word[i]), sum[j][i]);
            }
            UNROLL for (int i = 0; i < vectors; i++) word[i] = v_shift_right(word[i], 2);
        }
    }
    UNROLL for (int j = 0; j < n; j++)
    {
        UNROLL for (int i = 0; i < vectors; i++) v_store(sums + j * ld + i * VL, sum[j][i]);
    }
}

#define NM24_COLUMNS(vectors, count)                                                                                   \
    few_nm24_block(sums + j * ld + i, ld, x + 4 * j, ldx, values + i, positions + i, groups, lanes, first, j == 0,     \
                   vectors, count)

INLINE void few_nm24_columns(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                             const uint32_t *positions, int64_t groups, int64_t lanes, int first, int64_t i,
                             const int vectors)
{
    int64_t j = 0;
    for (; j + FEW_COLUMNS <= n; j += FEW_COLUMNS)
        NM24_COLUMNS(vectors, FEW_COLUMNS);
    for (; FEW_COLUMNS > 4 && j + 4 <= n; j += 4)
        NM24_COLUMNS(vectors, 4);
    for (; j + 2 <= n; j += 2)
        NM24_COLUMNS(vectors, 2);
    for (; j < n; j++)
        NM24_COLUMNS(vectors, 1);
}

static void few_nm24(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                     const uint32_t *positions, int64_t groups, int64_t lanes)
{
    int first = 1;
    if (groups <= 0)
        for (int64_t j = 0; j < n; j++)
            for (int64_t i = 0; i < lanes; i += VL)
                v_store(sums + j * ld + i, v_zero());
    for (int64_t left = groups; left > 0; left -= PIECE_GROUPS, first = 0) {
        groups = left < PIECE_GROUPS ? left : PIECE_GROUPS;
        int64_t i = 0;
        for (; i + FEW_VECTORS * VL <= lanes; i += FEW_VECTORS * VL)
            few_nm24_columns(sums, ld, x, ldx, n, values, positions, groups, lanes, first, i, FEW_VECTORS);
        for (; i < lanes; i += VL)
            few_nm24_columns(sums, ld, x, ldx, n, values, positions, groups, lanes, first, i, 1);
        x += PIECE_GROUPS * ldx;
        values += 2 * PIECE_GROUPS * lanes;
        positions += lanes;
    }
}

#undef NM24_COLUMNS
#endif
