/* SPDX-License-Identifier: BSD-2-Clause
 *
 * X in and Y out where rows become columns: squares of VL x VL in registers, turned by v_transpose. Include a
 * vocabulary that has it first.
 */
#ifndef PR_KERNELS_TRANSPOSES_H
#define PR_KERNELS_TRANSPOSES_H

#include <string.h>

#include "core/kernels/tmpl/stores.h"

/* Rows i to i + VL - 1 of `from`, all columns; at the right edge only what is there. */
static void pack_x_transpose(float *to, int64_t width, const float *from, int64_t ld, int64_t m, int64_t n)
{
    int64_t i = 0;
    for (; i + VL <= m; i += VL) {
        int64_t j = 0;
        for (; j + VL <= n; j += VL) {
            vec row[VL];
            UNROLL for (int r = 0; r < VL; r++) row[r] = v_load(from + (i + r) * ld + j);
            v_transpose(row);
            UNROLL for (int r = 0; r < VL; r++) v_store(to + (j + r) * width + i, row[r]);
        }
        for (; j < n; j++)
            for (int r = 0; r < VL; r++)
                to[j * width + i + r] = from[(i + r) * ld + j];
    }
    for (int64_t j = 0; i < width && j < n; j++) {
        for (int64_t r = i; r < m; r++)
            to[j * width + r] = from[r * ld + j];
        memset(to + j * width + m, 0, (size_t)(width - m) * sizeof *to);
    }
}

/* A square whose first `height` rows and `count` columns are there. */
INLINE void store_square(float *y, int64_t ldy, const float *from, int64_t ld, int64_t height, int64_t count,
                         const struct pr_epilogue_args *e, int64_t i, int64_t j, const int whole, const int plain,
                         const int reads_y)
{
    vec row[VL];
    struct row_end end = all_rows_end(e, 1);
    from += i * ld + j;
    UNROLL for (int r = 0; r < VL; r++) row[r] = r < height ? load_part(from + r * ld, count, whole) : v_zero();
    v_transpose(row);
    UNROLL for (int r = 0; r < VL; r++)
    {
        if (r >= count)
            break;
        take_row(&end, e, j + r, 1, plain);
        float *to = y + (j + r) * ldy;
        vec sum = finish(&end, row[r], to, i, height, whole, plain, reads_y);
        if (whole)
            v_store(to + i, sum);
        else
            v_store_some(to + i, sum, height);
    }
}

INLINE void store_squares(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                          const struct pr_epilogue_args *e, const int plain, const int reads_y)
{
    for (int64_t i = 0; i < m; i += VL)
        for (int64_t j = 0; j < n; j += VL) {
            int64_t height = m - i < VL ? m - i : VL, count = n - j < VL ? n - j : VL;
            if (height == VL && count == VL)
                store_square(y, ldy, from, ld, VL, VL, e, i, j, 1, plain, reads_y);
            else
                store_square(y, ldy, from, ld, height, count, e, i, j, 0, plain, reads_y);
        }
}

static void store_y_transpose(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                              const struct pr_epilogue_args *epilogue)
{
    if (is_plain(epilogue))
        store_squares(y, ldy, from, ld, m, n, epilogue, 1, 0);
    else
        store_squares(y, ldy, from, ld, m, n, epilogue, 0, epilogue->beta != 0.0f);
}

#endif
