/* SPDX-License-Identifier: BSD-2-Clause
 *
 * X in and Y out where rows become columns: blocks of 8 x 8 in registers. AVX-512 takes these as they are.
 */
#ifndef PR_KERNELS_TRANSPOSE_AVX2_H
#define PR_KERNELS_TRANSPOSE_AVX2_H

#include "core/kernels/tmpl/products.h"

INLINE void transpose_8(vec row[8])
{
    vec a[8], b[8];
    UNROLL for (int i = 0; i < 8; i += 2)
    {
        a[i] = _mm256_unpacklo_ps(row[i], row[i + 1]);
        a[i + 1] = _mm256_unpackhi_ps(row[i], row[i + 1]);
    }
    UNROLL for (int i = 0; i < 8; i += 4)
    {
        b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xee);
        b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xee);
    }
    UNROLL for (int i = 0; i < 4; i++)
    {
        row[i] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x20);
        row[i + 4] = _mm256_permute2f128_ps(b[i], b[i + 4], 0x31);
    }
}

/* Rows i to i + 7 of `from`, all columns; at the right edge only what is there. */
static void pack_x_transpose(float *to, int64_t width, const float *from, int64_t ld, int64_t m, int64_t n)
{
    int64_t i = 0;
    for (; i + 8 <= m; i += 8) {
        int64_t j = 0;
        for (; j + 8 <= n; j += 8) {
            vec row[8];
            UNROLL for (int r = 0; r < 8; r++) row[r] = v_load(from + (i + r) * ld + j);
            transpose_8(row);
            UNROLL for (int r = 0; r < 8; r++) v_store(to + (j + r) * width + i, row[r]);
        }
        for (; j < n; j++)
            for (int r = 0; r < 8; r++)
                to[j * width + i + r] = from[(i + r) * ld + j];
    }
    for (int64_t j = 0; i < width && j < n; j++) {
        for (int64_t r = i; r < m; r++)
            to[j * width + r] = from[r * ld + j];
        memset(to + j * width + m, 0, (size_t)(width - m) * sizeof *to);
    }
}

static void store_y_transpose(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                              const float *bias_m, const float *bias_n, int relu)
{
    for (int64_t i = 0; i < m; i += 8) {
        int64_t height = m - i < 8 ? m - i : 8;
        for (int64_t j = 0; j < n; j += 8) {
            int64_t count = n - j < 8 ? n - j : 8;
            vec row[8], bias = bias_n ? v_load_some(bias_n + j, count) : v_zero();
            UNROLL for (int r = 0; r < 8; r++)
            {
                row[r] = r < height ? v_load_some(from + (i + r) * ld + j, count) : v_zero();
                if (bias_m && r < height)
                    row[r] = v_add(row[r], v_all(bias_m[i + r]));
                if (bias_n)
                    row[r] = v_add(row[r], bias);
                if (relu)
                    row[r] = v_relu(row[r]);
            }
            transpose_8(row);
            for (int r = 0; r < count; r++)
                v_store_some(y + (j + r) * ldy + i, row[r], height);
        }
    }
}

#endif
