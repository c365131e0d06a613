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
            v_load_turned(row, from + i * ld + j, ld);
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

/* Whole squares of what most products end in. Everything is a local number here: stores to Y could change what is read
 * through a pointer, for all that the compiler knows. A few rows of Y are written to their end at a time. */
INLINE void turn_squares(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n, struct row_end end)
{
    for (int64_t j = 0; j < n; j += VL, from += VL, y += VL * ldy)
        for (int64_t i = 0; i < m; i += VL) {
            vec row[VL];
            v_load_turned(row, from + i * ld, ld);
            if (end.biases) {
                vec bias = v_load(end.biases + i);
                UNROLL for (int r = 0; r < VL; r++) row[r] = v_add(row[r], bias);
            }
            if (end.clamp)
                UNROLL for (int r = 0; r < VL; r++) row[r] = v_clamp(row[r], end.least, end.most);
            UNROLL for (int r = 0; r < VL; r++) v_store(y + r * ldy + i, row[r]);
        }
}

static void store_plain_squares(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                                const struct pr_epilogue_args *e)
{
    const int64_t whole_m = m / VL * VL, whole_n = n / VL * VL;
    struct row_end end = all_rows_end(e, 1);
    if (end.clamp)
        turn_squares(y, ldy, from, ld, whole_m, whole_n, end);
    else if (end.biases)
        turn_squares(y, ldy, from, ld, whole_m, whole_n, (struct row_end){.biases = end.biases});
    else
        turn_squares(y, ldy, from, ld, whole_m, whole_n, (struct row_end){.biases = NULL});
    for (int64_t j = 0; m > whole_m && j < n; j += VL)
        store_square(y, ldy, from, ld, m - whole_m, n - j < VL ? n - j : VL, e, whole_m, j, 0, 1, 0);
    for (int64_t i = 0; n > whole_n && i < whole_m; i += VL)
        store_square(y, ldy, from, ld, VL, n - whole_n, e, i, whole_n, 0, 1, 0);
}

static void store_y_transpose(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                              const struct pr_epilogue_args *epilogue)
{
    if (is_plain(epilogue) && !epilogue->bias_n)
        store_plain_squares(y, ldy, from, ld, m, n, epilogue);
    else if (is_plain(epilogue))
        store_squares(y, ldy, from, ld, m, n, epilogue, 1, 0);
    else
        store_squares(y, ldy, from, ld, m, n, epilogue, 0, epilogue->beta != 0.0f);
}

#endif
