/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/kernels/sampled.h"

void pr_sampled_row_scalar(float *sums, const float *row, const float *x, int64_t ldx, const int32_t *columns,
                           int64_t count, int64_t n)
{
    for (int64_t e = 0; e < count; e++) {
        float sum = 0;
        for (int64_t j = 0; j < n; j++)
            sum = fmaf(row[j], x[columns[e] * ldx + j], sum);
        sums[e] += sum;
    }
}
