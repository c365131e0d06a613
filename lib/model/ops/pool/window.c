/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/pool/window.h"

/* A list of `want` numbers of an attribute, each `least` or more; `or_else` where there is none. */
static int32_t list(const struct pm_call *call, const char *name, int64_t want, int64_t least, int64_t or_else,
                    int64_t *out)
{
    const int64_t *ints = NULL;
    int64_t count = pm_attribute_ints(call->node, name, &ints);
    if (count != 0 && count != want)
        return pr_fail(PRUNE_E_SHAPE, "%s has %lld numbers; it must have %lld for an input of %d axes", name,
                       (long long)count, (long long)want, (int)call->inputs[0].type.rank);
    for (int64_t i = 0; i < want; i++) {
        out[i] = count ? ints[i] : or_else;
        if (out[i] < least)
            return pr_fail(PRUNE_E_SHAPE, "%s is %lld at %lld; it must be %lld or more", name, (long long)out[i],
                           (long long)i, (long long)least);
    }
    return PRUNE_OK;
}

/* Elements that the window of an axis spans. */
static int32_t span_of(const struct pm_window *window, int32_t axis, int64_t *span)
{
    PR_TRY(pr_mul(window->kernel[axis] - 1, window->dilation[axis], span));
    return pr_add(*span, 1, span);
}

/* The output's extent where the padding is given. */
static int32_t slide(struct pm_window *w, int32_t axis, int64_t span, int up)
{
    int64_t padded = 0, room;
    PR_TRY(pr_add(w->in[axis], w->before[axis], &padded));
    PR_TRY(pr_add(padded, w->after[axis], &padded));
    room = padded - span;
    if (room < 0)
        return pr_fail(PRUNE_E_SHAPE, "the window spans %lld of axis %d, which has %lld with its padding",
                       (long long)span, (int)(axis - (PM_SPATIAL - w->spatial) + 2), (long long)padded);
    w->out[axis] = (up ? pr_ceil_div(room, w->stride[axis]) : room / w->stride[axis]) + 1;
    if (up && w->out[axis] > 1 && w->out[axis] - 1 >= pr_ceil_div(w->in[axis] + w->before[axis], w->stride[axis]))
        w->out[axis]--;
    return PRUNE_OK;
}

/* As many outputs as strides begin in the input; what is missing is padded, the odd one behind or before. */
static int32_t same(struct pm_window *w, int32_t axis, int64_t span, int odd_before)
{
    int64_t last, missing = 0;
    w->out[axis] = pr_ceil_div(w->in[axis], w->stride[axis]);
    if (w->out[axis] == 0)
        return PRUNE_OK;
    last = (w->out[axis] - 1) * w->stride[axis];
    PR_TRY(pr_add(last, span, &missing));
    missing = missing > w->in[axis] ? missing - w->in[axis] : 0;
    w->before[axis] = odd_before ? missing - missing / 2 : missing / 2;
    w->after[axis] = missing - w->before[axis];
    return PRUNE_OK;
}

static int32_t attributes(const struct pm_call *call, struct pm_window *w)
{
    const int64_t spatial = w->spatial, first = PM_SPATIAL - spatial;
    int64_t pads[2 * PM_SPATIAL];
    for (int32_t axis = 0; axis < PM_SPATIAL; axis++)
        w->in[axis] = w->out[axis] = w->kernel[axis] = w->stride[axis] = w->dilation[axis] = 1;
    if (!pm_attribute(call->node, "kernel_shape"))
        return pr_fail(PRUNE_E_FORMAT, "kernel_shape is missing; it says how large the windows are");
    PR_TRY(list(call, "kernel_shape", spatial, 1, 1, w->kernel + first));
    PR_TRY(list(call, "strides", spatial, 1, 1, w->stride + first));
    PR_TRY(list(call, "dilations", spatial, 1, 1, w->dilation + first));
    PR_TRY(list(call, "pads", 2 * spatial, 0, 0, pads));
    for (int64_t i = 0; i < spatial; i++) {
        w->in[first + i] = call->inputs[0].type.extents[2 + i];
        w->before[first + i] = pads[i];
        w->after[first + i] = pads[spatial + i];
    }
    return PRUNE_OK;
}

int32_t pm_window_of(const struct pm_call *call, struct pm_window *window)
{
    const struct pm_type *x = &call->inputs[0].type;
    const char *pad = pm_attribute_string(call->node, "auto_pad", "NOTSET");
    int up = pm_attribute_int(call->node, "ceil_mode", 0) != 0, valid = strcmp(pad, "VALID") == 0;
    int upper = strcmp(pad, "SAME_UPPER") == 0, lower = strcmp(pad, "SAME_LOWER") == 0;
    if (x->rank < 3 || x->rank > 2 + PM_SPATIAL)
        return pr_fail(x->rank < 3 ? PRUNE_E_SHAPE : PRUNE_E_UNSUPPORTED,
                       "input 0 has %d axes; it must have batch, channels and one to three more", (int)x->rank);
    if (!valid && !upper && !lower && strcmp(pad, "NOTSET") != 0)
        return pr_fail(PRUNE_E_FORMAT, "auto_pad is \"%.32s\"; it must be NOTSET, SAME_UPPER, SAME_LOWER or VALID",
                       pad);
    *window = (struct pm_window){.spatial = x->rank - 2, .planes = pm_type_span(x, 0, 2)};
    PR_TRY(attributes(call, window));
    for (int32_t axis = 0; axis < PM_SPATIAL; axis++) {
        int64_t span = 1;
        PR_TRY(span_of(window, axis, &span));
        if (valid)
            window->before[axis] = window->after[axis] = 0;
        if (upper || lower)
            PR_TRY(same(window, axis, span, lower));
        else
            PR_TRY(slide(window, axis, span, up));
    }
    PR_TRY(pr_count(PM_SPATIAL, window->in, &window->in_plane));
    return pr_count(PM_SPATIAL, window->out, &window->out_plane);
}

int32_t pm_window_type(const struct pm_call *call, const struct pm_window *window, int32_t index, int32_t dtype)
{
    const struct pm_type *x = &call->inputs[0].type;
    int64_t extents[PRUNE_MAX_RANK] = {x->extents[0], x->extents[1]};
    for (int32_t i = 0; i < window->spatial; i++)
        extents[2 + i] = window->out[PM_SPATIAL - window->spatial + i];
    return pm_type_set(&call->outputs[index].type, dtype, x->rank, extents);
}

void pm_window_steps(const struct pm_window *window, int32_t axis, int64_t o, int64_t *begin, int64_t *end)
{
    int64_t start = o * window->stride[axis] - window->before[axis], dilation = window->dilation[axis];
    int64_t first = start < 0 ? pr_ceil_div(-start, dilation) : 0;
    int64_t after = start < window->in[axis] ? pr_ceil_div(window->in[axis] - start, dilation) : 0;
    *end = after < window->kernel[axis] ? after : window->kernel[axis];
    *begin = first < *end ? first : *end;
}
