/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sums through the epilogue into Y, row after row of Y. Include a vocabulary first.
 */
#ifndef PR_KERNELS_STORES_H
#define PR_KERNELS_STORES_H

#include "core/kernels/kernels.h"
#include "core/kernels/tmpl/loops.h"

/* The epilogue as one row of Y sees it: scale and bias go along the row, or are one number. The flags are constants
 * where a body is compiled for one kind of epilogue. */
struct row_end {
    const float *scales, *biases; /* NULL for `scale` and `bias` */
    vec scale, bias, beta, least, most;
    int biased, clamp;
};

/* Neither scale nor beta: what nearly every product ends in. */
static inline int is_plain(const struct pr_epilogue_args *e)
{
    return !e->scale_m && !e->scale_n && e->alpha == 1.0f && e->beta == 0.0f;
}

/* What all rows share. Rows of Y are rows of the sums, or columns of them where they are transposed. */
INLINE struct row_end all_rows_end(const struct pr_epilogue_args *e, const int transposed)
{
    struct row_end end = {
        .scales = transposed ? e->scale_m : e->scale_n,
        .biases = transposed ? e->bias_m : e->bias_n,
        .scale = v_all(e->alpha),
        .bias = v_zero(),
        .beta = v_all(e->beta),
        .least = v_all(e->least),
        .most = v_all(e->most),
        .biased = e->bias_m || e->bias_n,
        .clamp = e->clamp,
    };
    return end;
}

/* What row `at` has of its own. */
INLINE void take_row(struct row_end *end, const struct pr_epilogue_args *e, int64_t at, const int transposed,
                     const int plain)
{
    const float *scale = transposed ? e->scale_n : e->scale_m, *bias = transposed ? e->bias_n : e->bias_m;
    if (!plain && scale)
        end->scale = v_all(scale[at]);
    if (bias)
        end->bias = v_all(bias[at]);
}

INLINE vec load_part(const float *from, int64_t count, const int whole)
{
    return whole ? v_load(from) : v_load_some(from, count);
}

/* One vector of a row, `at` floats into it; of the last one `count` are there. */
INLINE vec finish(const struct row_end *end, vec sum, const float *y, int64_t at, int64_t count, const int whole,
                  const int plain, const int reads_y)
{
    if (plain) {
        if (end->biases)
            sum = v_add(sum, load_part(end->biases + at, count, whole));
        else if (end->biased)
            sum = v_add(sum, end->bias);
    } else {
        vec scale = end->scales ? load_part(end->scales + at, count, whole) : end->scale;
        if (end->biases)
            sum = v_fma(scale, sum, load_part(end->biases + at, count, whole));
        else if (end->biased)
            sum = v_fma(scale, sum, end->bias);
        else
            sum = v_mul(scale, sum);
        if (reads_y)
            sum = v_fma(end->beta, load_part(y + at, count, whole), sum);
    }
    if (end->clamp)
        sum = v_clamp(sum, end->least, end->most);
    return sum;
}

INLINE void store_rows(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                       const struct pr_epilogue_args *e, struct row_end end, const int plain, const int reads_y)
{
    const struct pr_epilogue_args own = *e; /* stores to Y cannot change it */
    const float *old = reads_y && own.earlier ? own.earlier : y;
    for (int64_t i = 0; i < m; i++, y += ldy, old += ldy, from += ld) {
        take_row(&end, &own, i, 0, plain);
        int64_t j = 0;
        for (; j + VL <= n; j += VL)
            v_store(y + j, finish(&end, v_load(from + j), old, j, VL, 1, plain, reads_y));
        if (j < n) {
            int64_t count = n - j;
            v_store_some(y + j, finish(&end, v_load_some(from + j, count), old, j, count, 0, plain, reads_y), count);
        }
    }
}

static void store_y_copy(float *y, int64_t ldy, const float *from, int64_t ld, int64_t m, int64_t n,
                         const struct pr_epilogue_args *epilogue)
{
    struct row_end end = all_rows_end(epilogue, 0);
    if (is_plain(epilogue) && !end.biases) {
        end.biases = NULL;
        if (end.biased) {
            end.biased = 1;
            store_rows(y, ldy, from, ld, m, n, epilogue, end, 1, 0);
        } else {
            end.biased = 0;
            store_rows(y, ldy, from, ld, m, n, epilogue, end, 1, 0);
        }
    } else if (epilogue->beta == 0.0f) {
        store_rows(y, ldy, from, ld, m, n, epilogue, end, 0, 0);
    } else {
        store_rows(y, ldy, from, ld, m, n, epilogue, end, 0, 1);
    }
}

#endif
