/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_neon.h"

#define TAP_BLOCK 8
#include "core/kernels/tmpl/taps.h"

void pr_taps_rows_neon(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t rows, int64_t n,
                       const struct pr_taps *taps)
{
    taps_rows(y, ldy, x, ldx, rows, n, taps);
}
