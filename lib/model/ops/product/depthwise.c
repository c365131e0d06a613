/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Convolutions in which every output reads one channel.
 */
#include "model/ops/product/conv.h"

static void add_row(float *restrict y, const float *restrict x, int64_t count, int64_t stride, float weight)
{
    if (stride == 1)
        for (int64_t j = 0; j < count; j++)
            y[j] += weight * x[j];
    else
        for (int64_t j = 0; j < count; j++)
            y[j] += weight * x[j * stride];
}

static void add_taps(const struct pm_window *w, const float *x, const float *weights, int64_t row, float *y)
{
    int64_t top = row / w->out[1] * w->stride[0] - w->begin[0], left = row % w->out[1] * w->stride[1] - w->begin[1];
    for (int64_t d = 0; d < w->kernel[0]; d++)
        for (int64_t u = 0; u < w->kernel[1]; u++) {
            int64_t z = top + d * w->dilation[0], i = left + u * w->dilation[1], low, high;
            if (z < 0 || z >= w->in[0] || i < 0 || i >= w->in[1])
                continue;
            const float *from = x + (z * w->in[1] + i) * w->in[2] - w->begin[2];
            for (int64_t v = 0; v < w->kernel[2]; v++) {
                pm_window_inside(w, v, 0, w->out[2], &low, &high);
                add_row(y + low, from + low * w->stride[2] + v * w->dilation[2], high - low, w->stride[2],
                        weights[(d * w->kernel[1] + u) * w->kernel[2] + v]);
            }
        }
}

void pm_conv_depthwise(const struct pm_window *w, const struct pm_tail *tail, const float *x, const float *weights,
                       const float *bias, float *y, int64_t first, int64_t end)
{
    int64_t outputs = pm_window_outputs(w), taps = pm_window_taps(w), share = w->out_channels / w->groups;
    for (int64_t plane = first; plane < end; plane++) {
        int64_t image = plane / w->out_channels, channel = plane % w->out_channels;
        const float *from = x + (image * w->in_channels + channel / share) * pm_window_inputs(w);
        float *to = y + plane * outputs;
        for (int64_t i = 0; i < outputs; i++)
            to[i] = bias ? bias[channel] : 0;
        for (int64_t row = 0; row * w->out[2] < outputs; row++)
            add_taps(w, from, weights + channel * taps, row, to + row * w->out[2]);
        pm_tail_rows(tail, to, outputs, channel, 1, outputs);
    }
}
