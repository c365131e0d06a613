/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/kernels/few.h"
#include "core/kernels/tmpl/few.h"

#define ROWS_NAME rows_16
#define WIDTH 8
#define VECTORS 2
#define CHAINS 4
#define STEP 8
#include "core/kernels/tmpl/few_rows.h"

#define ROWS_NAME rows_32
#define WIDTH 8
#define VECTORS 4
#define CHAINS 2
#define STEP 4
#include "core/kernels/tmpl/few_rows.h"

#define PAIRS_NAME pairs_16
#define WIDTH 8
#define VECTORS 2
#define CHAINS 2
#include "core/kernels/tmpl/few_pairs.h"

#define PAIRS_NAME pairs_32
#define WIDTH 8
#define VECTORS 4
#define CHAINS 2
#include "core/kernels/tmpl/few_pairs.h"

void pr_few_rows_avx2(float *sums, int64_t tile, const float *x, const struct pr_short_run *runs, int64_t run_count,
                      const uint16_t *columns, const float *values)
{
    (tile == 4    ? rows_4
     : tile == 8  ? rows_8
     : tile == 16 ? rows_16
     : tile == 24 ? rows_24
                  : rows_32)(sums, x, runs, run_count, columns, values);
}

void pr_few_pairs_avx2(float *sums, int64_t ld, const float *x, int64_t ldx, int64_t tile, const uint8_t *items,
                       int64_t item_count, const uint8_t *columns, const float *values, int start)
{
    (void)ld;
    (void)ldx;
    (tile == 4    ? pairs_4
     : tile == 8  ? pairs_8
     : tile == 16 ? pairs_16
     : tile == 24 ? pairs_24
                  : pairs_32)(sums, x, items, item_count, columns, values, start);
}
