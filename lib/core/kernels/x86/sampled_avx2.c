/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx2.h"

#include "core/kernels/sampled.h"
#include "core/kernels/tmpl/sampled.h"

void pr_sampled_row_avx2(float *sums, const float *row, const float *x, int64_t ldx, const int32_t *columns,
                         int64_t count, int64_t n)
{
    sampled_row(sums, row, x, ldx, columns, count, n);
}
