/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Convolutions in which every output reads one channel. Where the stride along rows is 1 the plane is copied with its
 * borders, so that each tap is one long row: outputs are computed for whole padded rows, and what lies beyond a row's
 * end is left behind.
 */
#include <string.h>

#include "model/ops/product/conv.h"

/* Sums of BLOCK neighbours stay in registers over all taps. Written by hand because compilers do not vectorise such
 * loops at the usual level; multiplied and added apart, so that wider vectors give the same bits. */
#define BLOCK 32

struct taps {
    const float *x, *weights;
    int64_t count, offsets[64]; /* of the taps in x */
    float first;
};

#define SUM_TAPS(name, lanes)                                                                                          \
    static void name(float *restrict y, const struct taps *taps, int64_t count)                                        \
    {                                                                                                                  \
        typedef float vector __attribute__((vector_size(4 * (lanes))));                                                \
        for (int64_t j = 0; j < count; j += BLOCK) {                                                                   \
            vector sums[BLOCK / (lanes)], a;                                                                           \
            for (int i = 0; i < BLOCK / (lanes); i++)                                                                  \
                sums[i] = (vector){0} + taps->first;                                                                   \
            for (int64_t t = 0; t < taps->count; t++) {                                                                \
                const float *x = taps->x + taps->offsets[t] + j;                                                       \
                float weight = taps->weights[t];                                                                       \
                for (int i = 0; i < BLOCK / (lanes); i++) {                                                            \
                    memcpy(&a, x + i * (lanes), sizeof a);                                                             \
                    sums[i] += a * weight;                                                                             \
                }                                                                                                      \
            }                                                                                                          \
            memcpy(y + j, sums, sizeof sums);                                                                          \
        }                                                                                                              \
    }

SUM_TAPS(sum_taps_plain, 4)
#if defined(__x86_64__) && defined(__GNUC__)
__attribute__((target("avx2"))) SUM_TAPS(sum_taps_avx2, 8)
#endif

    static void sum_taps(float *y, const struct taps *taps, int64_t count)
{
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx2")) {
        sum_taps_avx2(y, taps, count);
        return;
    }
#endif
    sum_taps_plain(y, taps, count);
}

static void add_strided(float *restrict y, const float *restrict x, int64_t count, int64_t stride, float weight)
{
    for (int64_t j = 0; j < count; j++)
        y[j] += weight * x[j * stride];
}

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Rows and columns of the plane with its borders: all that any output reads. */
static int64_t padded_height(const struct pm_window *w)
{
    return larger((w->out[1] - 1) * w->stride[1] + w->dilation[1] * (w->kernel[1] - 1) + 1, w->begin[1] + w->in[1]);
}

static int64_t padded_width(const struct pm_window *w)
{
    return larger(w->out[2] + w->dilation[2] * (w->kernel[2] - 1), w->begin[2] + w->in[2]);
}

static int is_flat(const struct pm_window *w)
{
    return w->stride[2] == 1 && w->in[0] == 1 && w->out[0] == 1 && w->kernel[0] == 1 && w->kernel[1] <= 64 &&
           w->kernel[2] <= 64 && w->kernel[1] * w->kernel[2] <= 64;
}

int32_t pm_conv_depthwise_scratch(const struct pm_window *w, int64_t *floats)
{
    int64_t plane = 0;
    *floats = 0;
    if (!is_flat(w))
        return PRUNE_OK;
    PR_TRY(pr_mul(padded_height(w), padded_width(w), &plane));
    PR_TRY(pr_add(plane, BLOCK, &plane)); /* the last block goes beyond the last row */
    return pr_mul(plane, 2, floats);
}

static void flat_plane(const struct pm_window *w, const float *x, const float *weights, float first, float *y,
                       float *scratch)
{
    int64_t height = padded_height(w), width = padded_width(w), step = w->stride[1];
    float *padded = scratch, *sums = scratch + height * width + BLOCK;
    struct taps taps = {.weights = weights, .count = w->kernel[1] * w->kernel[2], .first = first};
    memset(padded, 0, (size_t)(height * width + BLOCK) * sizeof *padded);
    for (int64_t u = 0; u < w->kernel[1]; u++)
        for (int64_t v = 0; v < w->kernel[2]; v++)
            taps.offsets[u * w->kernel[2] + v] = u * w->dilation[1] * width + v * w->dilation[2];
    for (int64_t i = 0; i < w->in[1]; i++)
        memcpy(padded + (w->begin[1] + i) * width + w->begin[2], x + i * w->in[2], (size_t)w->in[2] * sizeof *x);
    int64_t rows = step == 1 ? 1 : w->out[1], count = (step == 1 ? (w->out[1] - 1) * width : 0) + w->out[2];
    for (int64_t row = 0; row < rows; row++) {
        taps.x = padded + row * step * width;
        sum_taps(sums + row * width, &taps, count);
    }
    for (int64_t i = 0; i < w->out[1]; i++)
        memcpy(y + i * w->out[2], sums + i * width, (size_t)w->out[2] * sizeof *y);
}

static void add_taps(const struct pm_window *w, const float *x, const float *weights, int64_t row, float *y)
{
    int64_t top = row / w->out[1] * w->stride[0] - w->begin[0], left = row % w->out[1] * w->stride[1] - w->begin[1];
    for (int64_t d = 0; d < w->kernel[0]; d++)
        for (int64_t u = 0; u < w->kernel[1]; u++) {
            int64_t z = top + d * w->dilation[0], i = left + u * w->dilation[1], low, high;
            if (z < 0 || z >= w->in[0] || i < 0 || i >= w->in[1])
                continue;
            int64_t from = (z * w->in[1] + i) * w->in[2] - w->begin[2];
            for (int64_t v = 0; v < w->kernel[2]; v++) {
                pm_window_inside(w, v, 0, w->out[2], &low, &high);
                if (high > low)
                    add_strided(y + low, x + (from + low * w->stride[2] + v * w->dilation[2]), high - low, w->stride[2],
                                weights[(d * w->kernel[1] + u) * w->kernel[2] + v]);
            }
        }
}

void pm_conv_depthwise(const struct pm_window *w, const struct pm_tail *tail, const float *x, const float *weights,
                       const float *bias, float *y, int64_t first, int64_t end, float *scratch)
{
    int64_t outputs = pm_window_outputs(w), taps = pm_window_taps(w), share = w->out_channels / w->groups;
    for (int64_t plane = first; plane < end; plane++) {
        int64_t image = plane / w->out_channels, channel = plane % w->out_channels;
        const float *from = x + (image * w->in_channels + channel / share) * pm_window_inputs(w);
        float *to = y + plane * outputs, start = bias ? bias[channel] : 0;
        if (is_flat(w)) {
            flat_plane(w, from, weights + channel * taps, start, to, scratch);
        } else {
            for (int64_t i = 0; i < outputs; i++)
                to[i] = start;
            for (int64_t row = 0; row * w->out[2] < outputs; row++)
                add_taps(w, from, weights + channel * taps, row, to + row * w->out[2]);
        }
        pm_tail_rows(tail, to, outputs, channel, 1, outputs);
    }
}
