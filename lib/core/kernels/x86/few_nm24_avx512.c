/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx512.h"

#define FEW_VECTORS 2
#define FEW_COLUMNS 8
#include "core/kernels/tmpl/few_nm24.h"

void pr_few_nm24_avx512(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t n, const float *values,
                        const uint32_t *positions, int64_t groups, int64_t lanes)
{
    few_nm24(sums, ld, x, ldx, n, values, positions, groups, lanes);
}
