/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images as columns: what each output of a convolution reads, for a panel of outputs.
 */
#include <string.h>

#include "model/ops/product/window.h"

static void zero(float *to, int64_t count)
{
    if (count > 0)
        memset(to, 0, (size_t)count * sizeof *to);
}

/* Every second number. Nothing beyond the last one is read. */
static void copy_halved(float *to, const float *from, int64_t count)
{
    typedef float vector __attribute__((vector_size(16)));
    int64_t j = 0;
    for (; j + 4 < count; j += 4) {
        vector a, b;
        memcpy(&a, from + 2 * j, sizeof a);
        memcpy(&b, from + 2 * j + 4, sizeof b);
        a = __builtin_shufflevector(a, b, 0, 2, 4, 6);
        memcpy(to + j, &a, sizeof a);
    }
    for (; j < count; j++)
        to[j] = from[2 * j];
}

/* Outputs first to end - 1 of one row, from one row of the image. */
static void fill_row(const struct pm_window *w, const float *x, int64_t v, int64_t first, int64_t end, float *to)
{
    int64_t low, high, stride = w->stride[2];
    pm_window_inside(w, v, first, end, &low, &high);
    zero(to, low - first);
    const float *from = x + low * stride + v * w->dilation[2] - w->begin[2];
    if (stride == 1 && high > low)
        memcpy(to + (low - first), from, (size_t)(high - low) * sizeof *to);
    else if (stride == 2)
        copy_halved(to + (low - first), from, high - low);
    else
        for (int64_t j = 0; j < high - low; j++)
            to[low - first + j] = from[j * stride];
    zero(to + (high - first), end - high);
}

/* One tap (d, u, v) of one channel, row by row. */
static void fill_rows(const struct pm_window *w, const float *x, const int64_t tap[3], int64_t begin, int64_t end,
                      float *to)
{
    int64_t width = w->out[2], row = begin / width;
    for (int64_t at = begin; at < end; row++) {
        int64_t first = at - row * width, last = end - row * width < width ? end - row * width : width;
        int64_t z = row / w->out[1] * w->stride[0] + tap[0] * w->dilation[0] - w->begin[0];
        int64_t i = row % w->out[1] * w->stride[1] + tap[1] * w->dilation[1] - w->begin[1];
        if (z < 0 || z >= w->in[0] || i < 0 || i >= w->in[1])
            zero(to, last - first);
        else
            fill_row(w, x + (z * w->in[1] + i) * w->in[2], tap[2], first, last, to);
        to += last - first;
        at += last - first;
    }
}

/* Zeros at first to end - 1, as far as these are within top to bottom - 1. */
static void zero_within(float *to, int64_t first, int64_t end, int64_t top, int64_t bottom)
{
    first = first < top ? top : first;
    end = end > bottom ? bottom : end;
    for (int64_t i = first; i < end; i++)
        to[i] = 0;
}

/* The borders of rows from `top` to `bottom`: those columns that are not inside .. outside - 1. */
static void zero_borders(float *to, int64_t width, int64_t inside, int64_t outside, int64_t top, int64_t bottom)
{
    for (int64_t at = top; at < bottom; at += width) {
        for (int64_t j = 0; j < inside; j++)
            to[at + j] = 0;
        for (int64_t j = outside; j < width; j++)
            to[at + j] = 0;
    }
}

/* One tap (u, v) of every channel for one plane, stride 1 and rows as wide as the image's: then all rows are one piece
 * of the image, shifted, but for the borders. A channel's columns are `next` floats apart. */
static void fill_shifted(const struct pm_window *w, const float *x, int64_t channels, int64_t u, int64_t v,
                         int64_t begin, int64_t end, float *to, int64_t next)
{
    int64_t width = w->out[2], down = u * w->dilation[1] - w->begin[1], right = v * w->dilation[2] - w->begin[2];
    int64_t top = down < 0 ? -down * width : 0, bottom = (w->in[1] - down) * width, inside, outside;
    top = top < begin ? begin : top > end ? end : top;
    bottom = bottom > end ? end : bottom < top ? top : bottom;
    int64_t shift = down * width + right, low = top, high = bottom, most = w->in[1] * width;
    low = low + shift < 0 ? -shift : low;
    high = high + shift > most ? most - shift : high;
    pm_window_inside(w, v, 0, width, &inside, &outside);
    int is_whole = inside == 0 && outside == width, is_aligned = top % width == 0 && bottom % width == 0;
    for (int64_t c = 0; c < channels; c++, to += next, x += most) {
        zero(to, top - begin);
        zero(to + (bottom - begin), end - bottom);
        if (high > low)
            memcpy(to + (low - begin), x + low + shift, (size_t)(high - low) * sizeof *to);
        if (is_whole)
            continue;
        if (is_aligned) {
            zero_borders(to, width, inside, outside, top - begin, bottom - begin);
            continue;
        }
        for (int64_t row = top / width; row * width < bottom; row++) {
            zero_within(to, row * width - begin, row * width + inside - begin, top - begin, bottom - begin);
            zero_within(to, row * width + outside - begin, (row + 1) * width - begin, top - begin, bottom - begin);
        }
    }
}

/* How many taps up the kernel reads, one row of outputs later, what this tap reads; 0 for none. */
static int64_t steps_of_a_row(const struct pm_window *w)
{
    int is_plane = w->in[0] == 1 && w->out[0] == 1 && w->kernel[0] == 1;
    return is_plane && w->stride[1] % w->dilation[1] == 0 ? w->stride[1] / w->dilation[1] : 0;
}

/* One tap whose columns, but for those of the last row, an earlier tap has made already: `earlier`. */
static void fill_from_earlier(const struct pm_window *w, const float *x, const int64_t tap[3], int64_t begin,
                              int64_t end, float *to, const float *earlier)
{
    int64_t kept = end - begin - w->out[2];
    memcpy(to, earlier + w->out[2], (size_t)kept * sizeof *to);
    fill_rows(w, x, tap, begin + kept, end, to + kept);
}

void pm_window_columns(const struct pm_window *w, const float *x, int64_t channels, int64_t begin, int64_t end,
                       float *to, int64_t ld)
{
    int shifted = w->out[2] == w->in[2] && w->stride[2] == 1 && w->stride[1] == 1 && w->in[0] == 1 && w->out[0] == 1 &&
                  w->kernel[0] == 1;
    int64_t steps = steps_of_a_row(w);
    for (int64_t u = 0; shifted && u < w->kernel[1]; u++)
        for (int64_t v = 0; v < w->kernel[2]; v++)
            fill_shifted(w, x, channels, u, v, begin, end, to + (u * w->kernel[2] + v) * ld, pm_window_taps(w) * ld);
    for (int64_t c = 0; !shifted && c < channels; c++, x += pm_window_inputs(w))
        for (int64_t d = 0; d < w->kernel[0]; d++)
            for (int64_t u = 0; u < w->kernel[1]; u++)
                for (int64_t v = 0; v < w->kernel[2]; v++, to += ld) {
                    const int64_t tap[3] = {d, u, v};
                    if (steps > 0 && u >= steps && end - begin > w->out[2])
                        fill_from_earlier(w, x, tap, begin, end, to, to - steps * w->kernel[2] * ld);
                    else
                        fill_rows(w, x, tap, begin, end, to);
                }
}
