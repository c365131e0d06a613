/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_avx512.h"

#define TILE_VECTORS 4
#include "core/kernels/tmpl/dense_rows.h"

void pr_dense_rows_avx512(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t n, const float *values,
                          int64_t columns, int64_t rows, const struct pr_epilogue_args *epilogue)
{
    dense_rows(y, ldy, x, ldx, n, values, columns, rows, epilogue);
}
