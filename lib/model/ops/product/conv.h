/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Convolution from the inside: what prepare makes for run.
 */
#ifndef PM_OPS_CONV_H
#define PM_OPS_CONV_H

#include "model/ops/product/product.h"
#include "model/ops/product/window.h"
#include "prune/convolution.h"
#include "prune/depthwise.h"

struct pm_conv {
    struct pm_window window;
    int is_depthwise; /* one input channel for each group: loops of its own, over the weights as they stand */
    int is_image;     /* the image itself is the matrix of columns */
    int is_direct;    /* libprune's convolution does it all, threads included, without columns */
    prune_convolution *convolution;
    int64_t panel;          /* columns are made for so many outputs at once */
    int64_t panels;         /* of an image */
    int32_t tasks;          /* that run at once; each has its part of scratch */
    int64_t part;           /* floats of it */
    prune_context *context; /* of what follows */
    prune_packed **packed;  /* one for each group; NULL: weights are not constant */
    prune_epilogue **epilogues;
    prune_depthwise *depthwise; /* NULL: weights are not constant, or there are three axes */
    prune_epilogue *depthwise_epilogue;
    struct pm_tail tail; /* with the bias, unless */
    int bias_is_late;    /* it is not known before the run */
};

/* Whether libprune's depthwise convolution can run it, given its weights; and such a one, with its epilogue. */
int pm_conv_depthwise_fits(const struct pm_window *window);
int32_t pm_conv_depthwise_prepare(struct pm_conv *conv, struct pm_call *call);

/* Planes first to end - 1 of y (numbered over all images) for weights in which each group has one input channel, where
 * it cannot; `bias` NULL unless late. */
void pm_conv_depthwise(const struct pm_window *window, const struct pm_tail *tail, const float *x, const float *weights,
                       const float *bias, float *y, int64_t first, int64_t end);

#endif
