/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/kernels/kernels.h"

void pr_units_panel_scalar(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                           const uint8_t *columns, const float *values)
{
    for (int64_t r = 0; r < run_count; r++)
        for (uint32_t e = 0; e < runs[r].count; e++, columns++)
            for (int i = 0; i < 4; i++, values++) {
                float *sum = sums + ((int64_t)runs[r].row + i) * tile;
                for (int64_t j = 0; j < tile; j++)
                    sum[j] = fmaf(*values, x[*columns * tile + j], sum[j]);
            }
}
