/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The geometry of a convolution over up to three axes; those that it does not have come first, with extents of 1.
 */
#ifndef PM_OPS_WINDOW_H
#define PM_OPS_WINDOW_H

#include "model/graph/operator.h"

#define PM_WINDOW_AXES 3

struct pm_window {
    int32_t axes; /* of the operator: 1 to 3 */
    int64_t batch, in_channels, out_channels, groups;
    int64_t in[PM_WINDOW_AXES], out[PM_WINDOW_AXES], kernel[PM_WINDOW_AXES];
    int64_t stride[PM_WINDOW_AXES], dilation[PM_WINDOW_AXES], begin[PM_WINDOW_AXES], end[PM_WINDOW_AXES];
};

/* Reads x and the weights' shapes (outputs first for Conv, inputs first for ConvTranspose) and the attributes that both
 * have; pads are read, `out` is not set. PRUNE_E_SHAPE and _FORMAT with sentences. */
int32_t pm_window_read(struct pm_window *window, const struct pm_call *call, int is_transposed);

/* Conv: the pads that auto_pad makes, and `out`. */
int32_t pm_window_finish(struct pm_window *window, const struct pm_call *call);

static inline int64_t pm_window_inputs(const struct pm_window *w) /* positions of one channel of x */
{
    return w->in[0] * w->in[1] * w->in[2];
}

static inline int64_t pm_window_outputs(const struct pm_window *w)
{
    return w->out[0] * w->out[1] * w->out[2];
}

static inline int64_t pm_window_taps(const struct pm_window *w)
{
    return w->kernel[0] * w->kernel[1] * w->kernel[2];
}

/* Which outputs of a row, of first to end - 1, read inside the image at tap `v` of the last axis. */
static inline void pm_window_inside(const struct pm_window *w, int64_t v, int64_t first, int64_t end, int64_t *low,
                                    int64_t *high)
{
    int64_t shift = w->begin[2] - v * w->dilation[2], stride = w->stride[2];
    int64_t from = shift > 0 ? (shift + stride - 1) / stride : 0;
    int64_t to = w->in[2] + shift > 0 ? (w->in[2] + shift + stride - 1) / stride : 0;
    from = from < first ? first : from;
    to = to > end ? end : to;
    *low = from > end ? end : from;
    *high = to < *low ? *low : to;
}

/* What outputs begin to end - 1 of one image read of `channels` channels x: [channels * taps][ld], 0 outside. */
void pm_window_columns(const struct pm_window *window, const float *x, int64_t channels, int64_t begin, int64_t end,
                       float *to, int64_t ld);

#endif
