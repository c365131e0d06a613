/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx2.h"

#define SHIFTED_VECTORS 14
#include "core/kernels/shifted.h"
#include "core/kernels/tmpl/shifted.h"

void pr_shifted_panel_avx2(float *sums, int64_t tile, const float *x, const struct pr_run *runs, int64_t run_count,
                           const uint32_t *starts, const float *values)
{
    shifted_panel(sums, tile, x, runs, run_count, starts, values);
}
