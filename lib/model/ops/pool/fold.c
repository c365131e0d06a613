/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/pool/fold.h"

int64_t pm_fold_scratch(const struct pm_window *window)
{
    return window->in[2] * (int64_t)sizeof(float);
}

#define BLOCK 16

/* NaN on either side gives NaN. */
#define LARGER(p, q) (((p) > (q) || (p) != (p)) ? (p) : (q))
#define TOTAL(p, q) ((p) + (q))

/* Functions of one way to fold: `name`_into folds a row into another, `name`_row makes one row of outputs of it. */
#define FOLD(name, combine, identity)                                                                                  \
    static void name##_into(float *row, const float *x, int64_t n)                                                     \
    {                                                                                                                  \
        int64_t i = 0;                                                                                                 \
        for (; i + BLOCK <= n; i += BLOCK) {                                                                           \
            float block[BLOCK];                                                                                        \
            for (int j = 0; j < BLOCK; j++) {                                                                          \
                const float p = row[i + j], q = x[i + j];                                                              \
                block[j] = combine(p, q);                                                                              \
            }                                                                                                          \
            memcpy(row + i, block, sizeof block);                                                                      \
        }                                                                                                              \
        for (; i < n; i++)                                                                                             \
            row[i] = combine(row[i], x[i]);                                                                            \
    }                                                                                                                  \
                                                                                                                       \
    static void name##_row(const struct pm_window *w, const float *row, float *y)                                      \
    {                                                                                                                  \
        const int64_t kernel = w->kernel[2], stride = w->stride[2], dilation = w->dilation[2], before = w->before[2];  \
        for (int64_t o = 0; o < w->out[2]; o++) {                                                                      \
            int64_t start = o * stride - before, begin = 0, end = kernel;                                              \
            if (start < 0 || start + (kernel - 1) * dilation >= w->in[2])                                              \
                pm_window_steps(w, 2, o, &begin, &end);                                                                \
            float value = begin < end ? row[start + begin * dilation] : (identity);                                    \
            for (int64_t k = begin + 1; k < end; k++) {                                                                \
                const float q = row[start + k * dilation];                                                             \
                value = combine(value, q);                                                                             \
            }                                                                                                          \
            y[o] = value;                                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
                                                                                                                       \
    void pm_fold_##name(const struct pm_window *w, const float *x, float *y, float *row)                               \
    {                                                                                                                  \
        int64_t width = w->in[2], rows = w->out[0] * w->out[1];                                                        \
        for (int64_t plane = 0; plane < w->planes; plane++, x += w->in_plane)                                          \
            for (int64_t o = 0; o < rows; o++, y += w->out[2]) {                                                       \
                int64_t o0 = o / w->out[1], o1 = o % w->out[1], begin0, end0, begin1, end1;                            \
                int filled = 0;                                                                                        \
                pm_window_steps(w, 0, o0, &begin0, &end0);                                                             \
                pm_window_steps(w, 1, o1, &begin1, &end1);                                                             \
                for (int64_t k0 = begin0; k0 < end0; k0++)                                                             \
                    for (int64_t k1 = begin1; k1 < end1; k1++) {                                                       \
                        int64_t i0 = o0 * w->stride[0] - w->before[0] + k0 * w->dilation[0];                           \
                        int64_t i1 = o1 * w->stride[1] - w->before[1] + k1 * w->dilation[1];                           \
                        const float *from = x + (i0 * w->in[1] + i1) * width;                                          \
                        if (filled)                                                                                    \
                            name##_into(row, from, width);                                                             \
                        else                                                                                           \
                            memcpy(row, from, (size_t)width * sizeof *row);                                            \
                        filled = 1;                                                                                    \
                    }                                                                                                  \
                for (int64_t i = 0; !filled && i < width; i++)                                                         \
                    row[i] = (identity);                                                                               \
                name##_row(w, row, y);                                                                                 \
            }                                                                                                          \
    }

FOLD(max, LARGER, -INFINITY)
FOLD(sum, TOTAL, 0.0f)
