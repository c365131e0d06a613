/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Convolutions in which every output reads one channel: libprune's own where it can, else plain loops (over three axes,
 * or with weights that are not known before the run).
 */
#include <stdio.h>

#include "model/ops/product/conv.h"

#define MOST 4096 /* that prune_depthwise_create takes */

int pm_conv_depthwise_fits(const struct pm_window *w)
{
    int fits = w->groups > 1 && w->in_channels == w->groups && w->in[0] == 1 && w->out[0] == 1 && w->kernel[0] == 1;
    for (int i = 1; fits && i < PM_WINDOW_AXES; i++)
        fits = w->stride[i] <= MOST && w->dilation[i] <= MOST && w->begin[i] >= 0 && w->begin[i] <= MOST &&
               w->end[i] >= 0 && w->end[i] <= MOST;
    return fits && w->in[1] <= INT32_MAX && w->in[2] <= INT32_MAX && w->out_channels / w->groups <= INT32_MAX;
}

/* Weights that nothing pruned are all kept: a zero of theirs is a number, which an infinity makes NaN. */
static int32_t make_mask(prune_mask **out, const struct pm_call *call, const int64_t *shape, int64_t count)
{
    const prune_mask *given = call->inputs[1].mask;
    uint8_t *bytes;
    if (!given)
        return prune_mask_create(out, call->context, 4, shape, 1);
    PR_TRY(pr_alloc(call->context, count, 1, &bytes));
    int32_t status = prune_mask_to_bytes(given, bytes, count);
    if (!status)
        status = prune_mask_from_bytes(out, call->context, 4, shape, bytes, count);
    pr_release(call->context, bytes);
    return status;
}

int32_t pm_conv_depthwise_prepare(struct pm_conv *conv, struct pm_call *call)
{
    const struct pm_window *w = &conv->window;
    const int64_t shape[4] = {w->out_channels, 1, w->kernel[1], w->kernel[2]};
    prune_tensor *weights = NULL;
    prune_mask *mask = NULL;
    char spec[256];
    snprintf(spec, sizeof spec,
             "stride=%dx%d,dilation=%dx%d,before=%dx%d,after=%dx%d,multiplier=%lld,height=%lld,width=%lld",
             (int)w->stride[1], (int)w->stride[2], (int)w->dilation[1], (int)w->dilation[2], (int)w->begin[1],
             (int)w->begin[2], (int)w->end[1], (int)w->end[2], (long long)(w->out_channels / w->groups),
             (long long)w->in[1], (long long)w->in[2]);
    PR_TRY(prune_tensor_borrow(&weights, call->context, call->inputs[1].data, PRUNE_F32, 4, shape, NULL));
    int32_t status = make_mask(&mask, call, shape, prune_tensor_count(weights));
    if (!status)
        status = prune_depthwise_create(&conv->depthwise, weights, mask, spec);
    if (!status)
        status = pm_tail_epilogue(&conv->depthwise_epilogue, call->context, &conv->tail, 0, w->out_channels);
    prune_mask_free(mask);
    prune_tensor_free(weights);
    if (!status)
        snprintf(call->kernels, sizeof call->kernels, "depthwise/%s", prune_depthwise_kernels(conv->depthwise));
    return status;
}

static void add_strided(float *restrict y, const float *restrict x, int64_t count, int64_t stride, float weight)
{
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
                       const float *bias, float *y, int64_t first, int64_t end)
{
    int64_t outputs = pm_window_outputs(w), taps = pm_window_taps(w), share = w->out_channels / w->groups;
    for (int64_t plane = first; plane < end; plane++) {
        int64_t image = plane / w->out_channels, channel = plane % w->out_channels;
        const float *from = x + (image * w->in_channels + channel / share) * pm_window_inputs(w);
        float *to = y + plane * outputs, start = bias ? bias[channel] : 0;
        for (int64_t i = 0; i < outputs; i++)
            to[i] = start;
        for (int64_t row = 0; row * w->out[2] < outputs; row++)
            add_taps(w, from, weights + channel * taps, row, to + row * w->out[2]);
        pm_tail_rows(tail, to, outputs, channel, 1, outputs);
    }
}
