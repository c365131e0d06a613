/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Few columns of X, in plain loops.
 */
#include "core/kernels/few.h"

#include <math.h>
#include <string.h>

void pr_few_rows_scalar(float *sums, int64_t tile, const float *x, const struct pr_short_run *runs, int64_t run_count,
                        const uint16_t *columns, const float *values)
{
    for (int64_t r = 0; r < run_count; r++) {
        float *sum = sums + runs[r].row * tile;
        for (int e = runs[r].count; e > 0; e--, columns++, values++)
            for (int64_t j = 0; j < tile; j++)
                sum[j] = fmaf(*values, x[*columns * tile + j], sum[j]);
    }
}

void pr_few_nm24_scalar(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                        const uint32_t *words, int64_t groups, int64_t lanes)
{
    for (int64_t j = 0; j < n; j++) {
        float *sum = sums + j * ld;
        memset(sum, 0, (size_t)lanes * sizeof *sum);
        for (int64_t s = 0; s < 2 * groups; s++)
            for (int64_t i = 0; i < lanes; i++) {
                uint32_t position = words[s / 16 * lanes + i] >> (2 * (s % 16)) & 3;
                sum[i] = fmaf(values[s * lanes + i], x[s / 2 * ldx + j * 4 + position], sum[i]);
            }
    }
}
