/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/kernels/shifted.h"

void pr_shifted_panel_scalar(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                             const uint32_t *starts, const float *values)
{
    for (int64_t r = 0; r < run_count; r++) {
        float *sum = sums + runs[r].row * tile;
        for (uint32_t e = 0; e < runs[r].count; e++, starts++, values++)
            for (int64_t j = 0; j < tile; j++)
                sum[j] = fmaf(*values, x[*starts + j], sum[j]);
    }
}
