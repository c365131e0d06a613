/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "core/kernels/taps.h"

static float masked(float x, uint32_t mask)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= mask;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void pr_taps_rows_scalar(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t n,
                         const struct pr_taps *taps)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < n; j++) {
            const int32_t *offset = taps->offsets;
            const float *weight = taps->weights;
            float sum = 0;
            for (int64_t g = 0; g < taps->group_count; g++) {
                int32_t mask = taps->groups[g].mask;
                uint32_t bits = mask < 0 ? UINT32_MAX : taps->masks[mask + j];
                for (int32_t t = taps->groups[g].count; t > 0; t--)
                    sum = fmaf(*weight++, masked(x[i * ldx + j + *offset++], bits), sum);
            }
            sum = fmaf(taps->scale, sum, taps->bias);
            if (taps->clamp)
                sum = sum <= taps->least ? taps->least : sum > taps->most ? taps->most : sum;
            y[i * ldy + j] = sum;
        }
}
