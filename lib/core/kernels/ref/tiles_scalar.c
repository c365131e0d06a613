/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stddef.h>

#include "core/kernels/kernels.h"

static void all_tiles(float *sums, int64_t ld, const float *x, int64_t ldx, const uint32_t *starts, int64_t tile,
                      const float *values, int64_t stride, int64_t columns, int64_t rows, int start)
{
    for (int64_t i = 0; i < rows; i++) {
        int64_t strip = i / PR_TILE_ROWS, width = rows - strip * PR_TILE_ROWS;
        const float *value = values + strip * stride + i % PR_TILE_ROWS;
        float *sum = sums + i * ld;
        if (width > PR_TILE_ROWS)
            width = PR_TILE_ROWS;
        for (int64_t j = 0; start && j < tile; j++)
            sum[j] = 0;
        for (int64_t k = 0; k < columns; k++) {
            const float *row = x + (starts ? (int64_t)starts[k] : k * ldx);
            for (int64_t j = 0; j < tile; j++)
                sum[j] = fmaf(value[k * width], row[j], sum[j]);
        }
    }
}

void pr_dense_tile_scalar(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t tile, const float *values,
                          int64_t stride, int64_t columns, int64_t rows, int start)
{
    all_tiles(sums, ld, x, ldx, NULL, tile, values, stride, columns, rows, start);
}

void pr_dense_shifts_scalar(float *sums, int64_t ld, const float *x, const uint32_t *starts, int64_t tile,
                            const float *values, int64_t stride, int64_t columns, int64_t rows, int start)
{
    all_tiles(sums, ld, x, 0, starts, tile, values, stride, columns, rows, start);
}

void pr_dense_rows_scalar(float *y, int64_t ldy, const float *x, int64_t ldx, int64_t n, const float *values,
                          int64_t columns, int64_t rows, const struct pr_epilogue_args *epilogue)
{
    struct pr_epilogue_args own = *epilogue;
    pr_dense_tile_scalar(y, ldy, x, ldx, n, values, PR_TILE_ROWS * columns, columns, rows, 1);
    pr_kernels_scalar.store_y_copy(y, ldy, y, ldy, rows, n, &own);
}
