/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One row of a dense matrix against chosen rows of another. Include a vocabulary first.
 */
#ifndef PR_KERNELS_SAMPLED_H
#define PR_KERNELS_SAMPLED_H

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

/* `count` rows at once, so that the one row is loaded once for all and the chains do not wait for each other. */
INLINE void sampled_rows(float *sums, const float *row, const float *x, int64_t ldx, const int32_t *columns, int64_t n,
                         const int count)
{
    const float *from[8];
    vec sum[8];
    int64_t j = 0;
    UNROLL for (int i = 0; i < count; i++)
    {
        from[i] = x + columns[i] * ldx;
        sum[i] = v_zero();
    }
    for (; j + VL <= n; j += VL) {
        vec value = v_load(row + j);
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(value, v_load(from[i] + j), sum[i]);
    }
    if (j < n) {
        vec value = v_load_some(row + j, n - j);
        UNROLL for (int i = 0; i < count; i++) sum[i] = v_fma(value, v_load_some(from[i] + j, n - j), sum[i]);
    }
    if (count == 1) {
        sums[0] += v_sum(sum[0]);
        return;
    }
    UNROLL for (int i = 0; i + 4 <= count; i += 4)
    {
        float four[4];
        v_sum_4(four, sum[i], sum[i + 1], sum[i + 2], sum[i + 3]);
        for (int s = 0; s < 4; s++)
            sums[i + s] += four[s];
    }
}

static void sampled_row(float *sums, const float *row, const float *x, int64_t ldx, const int32_t *columns,
                        int64_t count, int64_t n)
{
    for (; count >= 8; count -= 8, sums += 8, columns += 8)
        sampled_rows(sums, row, x, ldx, columns, n, 8);
    if (count >= 4) {
        sampled_rows(sums, row, x, ldx, columns, n, 4);
        count -= 4;
        sums += 4;
        columns += 4;
    }
    for (; count > 0; count--, sums++, columns++)
        sampled_rows(sums, row, x, ldx, columns, n, 1);
}

#endif
