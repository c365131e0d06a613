/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Few columns of X, in plain loops.
 */
#include "core/kernels/few.h"

#include <math.h>

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
