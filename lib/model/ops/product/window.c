/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The geometry of a convolution from its attributes.
 */
#include "model/ops/product/window.h"

#include <string.h>

#define MOST 2147483647

/* `count` numbers of an attribute, each within [least, MOST], as the last ones of `out`. */
static int32_t read_list(const struct pm_call *call, const char *name, int32_t axes, int64_t least,
                         int64_t out[PM_WINDOW_AXES])
{
    const int64_t *listed;
    int64_t count = pm_attribute_ints(call->node, name, &listed);
    if (!listed)
        return PRUNE_OK;
    if (count != axes)
        return pr_fail(PRUNE_E_SHAPE, "%s has %lld numbers; x has %d axes of space", name, (long long)count, (int)axes);
    for (int32_t i = 0; i < axes; i++) {
        if (listed[i] < least || listed[i] > MOST)
            return pr_fail(PRUNE_E_SHAPE, "%s is %lld at axis %d; it must be %lld to %d", name, (long long)listed[i],
                           (int)i, (long long)least, MOST);
        out[PM_WINDOW_AXES - axes + i] = listed[i];
    }
    return PRUNE_OK;
}

static int32_t read_pads(struct pm_window *w, const struct pm_call *call)
{
    const int64_t *listed;
    int64_t count = pm_attribute_ints(call->node, "pads", &listed);
    int32_t skip = PM_WINDOW_AXES - w->axes;
    if (!listed)
        return PRUNE_OK;
    if (count != 2 * w->axes)
        return pr_fail(PRUNE_E_SHAPE, "pads has %lld numbers; %d axes need %d", (long long)count, (int)w->axes,
                       2 * (int)w->axes);
    for (int32_t i = 0; i < 2 * w->axes; i++)
        if (listed[i] < 0 || listed[i] > MOST)
            return pr_fail(PRUNE_E_SHAPE, "pads[%d] is %lld; it must be 0 to %d", (int)i, (long long)listed[i], MOST);
    for (int32_t i = 0; i < w->axes; i++) {
        w->begin[skip + i] = listed[i];
        w->end[skip + i] = listed[w->axes + i];
    }
    return PRUNE_OK;
}

static int32_t read_channels(struct pm_window *w, const struct pm_call *call, int is_transposed)
{
    const struct pm_type *x = &call->inputs[0].type, *weights = &call->inputs[1].type;
    char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
    w->groups = pm_attribute_int(call->node, "group", 1);
    w->batch = x->extents[0];
    w->in_channels = x->extents[1];
    if (w->groups < 1)
        return pr_fail(PRUNE_E_SHAPE, "group is %lld; it must be 1 or more", (long long)w->groups);
    if (is_transposed)
        PR_TRY(pr_mul(weights->extents[1], w->groups, &w->out_channels));
    else
        w->out_channels = weights->extents[0];
    int64_t listed = is_transposed ? weights->extents[0] : weights->extents[1];
    int64_t due = is_transposed ? w->in_channels : w->in_channels / w->groups;
    if (w->in_channels % w->groups || w->out_channels % w->groups || listed != due)
        return pr_fail(PRUNE_E_SHAPE, "x is %s and the weights are %s in %lld groups; channels do not fit",
                       pm_type_text(x, text), pm_type_text(weights, more), (long long)w->groups);
    return PRUNE_OK;
}

int32_t pm_window_read(struct pm_window *window, const struct pm_call *call, int is_transposed)
{
    const struct pm_type *x = &call->inputs[0].type, *weights = &call->inputs[1].type;
    struct pm_window w = {.axes = x->rank - 2};
    int64_t shape[PM_WINDOW_AXES] = {1, 1, 1};
    char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
    if (x->rank < 3 || x->rank > 2 + PM_WINDOW_AXES || weights->rank != x->rank)
        return pr_fail(PRUNE_E_SHAPE, "x is %s and the weights are %s; both must have 3 to 5 axes, as many",
                       pm_type_text(x, text), pm_type_text(weights, more));
    PR_TRY(read_channels(&w, call, is_transposed));
    for (int32_t i = 0; i < PM_WINDOW_AXES; i++) {
        int32_t axis = i - (PM_WINDOW_AXES - w.axes) + 2;
        w.in[i] = axis < 2 ? 1 : x->extents[axis];
        w.kernel[i] = axis < 2 ? 1 : weights->extents[axis];
        w.stride[i] = w.dilation[i] = 1;
        if (w.kernel[i] < 1 || w.kernel[i] > MOST || w.in[i] > MOST)
            return pr_fail(PRUNE_E_SHAPE, "x is %s and the weights are %s; a kernel must have 1 to %d along each axis",
                           pm_type_text(x, text), pm_type_text(weights, more), MOST);
        shape[i] = w.kernel[i];
    }
    PR_TRY(read_list(call, "kernel_shape", w.axes, 1, shape));
    for (int32_t i = 0; i < PM_WINDOW_AXES; i++)
        if (shape[i] != w.kernel[i])
            return pr_fail(PRUNE_E_SHAPE, "kernel_shape has %lld where the weights, %s, have %lld", (long long)shape[i],
                           pm_type_text(weights, text), (long long)w.kernel[i]);
    PR_TRY(read_list(call, "strides", w.axes, 1, w.stride));
    PR_TRY(read_list(call, "dilations", w.axes, 1, w.dilation));
    PR_TRY(read_pads(&w, call));
    *window = w;
    return PRUNE_OK;
}

/* SAME: as many outputs as strides begin within the image; an odd pad goes to the end (upper) or the beginning. */
static void pad_same(struct pm_window *w, int32_t i, int lower)
{
    int64_t reach = w->dilation[i] * (w->kernel[i] - 1) + 1;
    int64_t all = (pr_ceil_div(w->in[i], w->stride[i]) - 1) * w->stride[i] + reach - w->in[i];
    all = all < 0 ? 0 : all;
    w->begin[i] = lower ? all - all / 2 : all / 2;
    w->end[i] = all - w->begin[i];
}

int32_t pm_window_finish(struct pm_window *w, const struct pm_call *call)
{
    const char *automatic = pm_attribute_string(call->node, "auto_pad", "NOTSET");
    int upper = !strcmp(automatic, "SAME_UPPER"), lower = !strcmp(automatic, "SAME_LOWER");
    int valid = !strcmp(automatic, "VALID");
    if (!upper && !lower && !valid && strcmp(automatic, "NOTSET") != 0)
        return pr_fail(PRUNE_E_FORMAT, "auto_pad is %.40s; it must be NOTSET, SAME_UPPER, SAME_LOWER or VALID",
                       automatic);
    for (int32_t i = 0; i < PM_WINDOW_AXES; i++) {
        if (upper || lower)
            pad_same(w, i, lower);
        else if (valid)
            w->begin[i] = w->end[i] = 0;
        int64_t padded = w->in[i] + w->begin[i] + w->end[i], reach = w->dilation[i] * (w->kernel[i] - 1) + 1;
        if (padded < reach)
            return pr_fail(PRUNE_E_SHAPE, "the image has %lld with its pads where the kernel reaches over %lld",
                           (long long)padded, (long long)reach);
        w->out[i] = (padded - reach) / w->stride[i] + 1;
    }
    return PRUNE_OK;
}
