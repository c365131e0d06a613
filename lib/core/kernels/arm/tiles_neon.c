/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/tmpl/vec_neon.h"

#define TILE_VECTORS 4
#include "core/kernels/tmpl/tiles.h"

void pr_dense_shifts_neon(float *sums, int64_t ld, const float *x, const uint32_t *starts, int64_t tile,
                          const float *values, int64_t stride, int64_t columns, int64_t rows, int start)
{
    dense_shifts(sums, ld, x, starts, tile, values, stride, columns, rows, start);
}
