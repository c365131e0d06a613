/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "core/kernels/gapless.h"

void pr_windows_tight_scalar(float *sums, const float *x, const uint16_t *starts, const float *values,
                             const uint32_t *words, const uint16_t *kept, int64_t steps, int finite)
{
    (void)finite;
    memset(sums, 0, 16 * sizeof *sums);
    for (int64_t s = 0; s < steps; s++)
        for (int i = 0; i < 16; i++)
            if (kept[s] >> i & 1) {
                uint32_t at = words[s / PR_PICK_STEPS(16) * 16 + i] >> (s % PR_PICK_STEPS(16) * PR_PICK_BITS(16)) & 31;
                sums[i] = fmaf(*values++, x[starts[s] * 16 + (int64_t)at], sums[i]);
            }
}

void pr_bitmap_block_scalar(float *sums, const float *x, const uint32_t *masks, const float *values, int64_t blocks,
                            int finite)
{
    (void)finite;
    memset(sums, 0, PR_BITMAP_ROWS * sizeof *sums);
    for (int64_t b = 0; b < blocks; b++, x += PR_BITMAP_COLUMNS)
        for (int r = 0; r < PR_BITMAP_ROWS; r++)
            for (uint32_t mask = *masks++; mask; mask &= mask - 1)
                sums[r] = fmaf(*values++, x[__builtin_ctz(mask)], sums[r]);
}
