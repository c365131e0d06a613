/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ConvTranspose over one, two or three axes: what a convolution with the same attributes does to gradients. A product
 * of the weights, (out * taps) x in, with the image, whose results are added up where they overlap.
 */
#include "model/ops/product/product.h"
#include "model/ops/product/window.h"

#include <string.h>

#define PANEL 128 /* positions of the image at a time */

struct state {
    struct pm_window window;
    prune_packed **packed; /* one for each group; NULL: weights are not constant */
};

static int64_t in_of(const struct pm_window *w)
{
    return w->in_channels / w->groups;
}

static int64_t out_of(const struct pm_window *w)
{
    return w->out_channels / w->groups * pm_window_taps(w);
}

/* Pads such that the outputs are as many as asked for: an odd one at the beginning unless upper; missing ones are zeros
 * at the end. */
static void pad_to(struct pm_window *w, int32_t i, int64_t extra, int64_t wanted, int upper)
{
    int64_t all = w->stride[i] * (w->in[i] - 1) + extra + w->dilation[i] * (w->kernel[i] - 1) + 1 - wanted;
    w->begin[i] = all < 0 ? 0 : upper ? all / 2 : all - all / 2;
    w->out[i] = wanted;
}

static int32_t read_extra(const struct pm_call *call, const char *name, int32_t axes, int64_t least, int64_t *out,
                          int *is_there)
{
    const int64_t *listed;
    int64_t count = pm_attribute_ints(call->node, name, &listed);
    *is_there = listed != NULL;
    if (listed && count != axes)
        return pr_fail(PRUNE_E_SHAPE, "%s has %lld numbers; x has %d axes of space", name, (long long)count, (int)axes);
    for (int32_t i = 0; listed && i < axes; i++) {
        if (listed[i] < least || listed[i] > INT32_MAX)
            return pr_fail(PRUNE_E_SHAPE, "%s is %lld at axis %d; it must be %lld to %d", name, (long long)listed[i],
                           (int)i, (long long)least, INT32_MAX);
        out[PM_WINDOW_AXES - axes + i] = listed[i];
    }
    return PRUNE_OK;
}

static int32_t read_window(struct pm_window *w, const struct pm_call *call)
{
    const char *automatic = pm_attribute_string(call->node, "auto_pad", "NOTSET");
    int64_t extra[PM_WINDOW_AXES] = {0}, wanted[PM_WINDOW_AXES] = {1, 1, 1};
    int is_extra, is_wanted, upper = !strcmp(automatic, "SAME_UPPER"), lower = !strcmp(automatic, "SAME_LOWER");
    PR_TRY(pm_window_read(w, call, 1));
    PR_TRY(read_extra(call, "output_padding", w->axes, 0, extra, &is_extra));
    PR_TRY(read_extra(call, "output_shape", w->axes, 1, wanted, &is_wanted));
    for (int32_t i = 0; i < PM_WINDOW_AXES; i++) {
        if (i < PM_WINDOW_AXES - w->axes) {
            w->out[i] = 1;
            continue;
        }
        if (is_wanted || upper || lower) {
            pad_to(w, i, extra[i], is_wanted ? wanted[i] : w->in[i] * w->stride[i], upper);
            continue;
        }
        if (!strcmp(automatic, "VALID"))
            w->begin[i] = w->end[i] = 0;
        w->out[i] = w->stride[i] * (w->in[i] - 1) + extra[i] + w->dilation[i] * (w->kernel[i] - 1) + 1 - w->begin[i] -
                    w->end[i];
        if (w->out[i] < 1)
            return pr_fail(PRUNE_E_SHAPE, "an output of %lld along axis %d; pads of %lld and %lld are too many",
                           (long long)w->out[i], (int)(i - PM_WINDOW_AXES + w->axes), (long long)w->begin[i],
                           (long long)w->end[i]);
    }
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    struct pm_window w;
    PR_TRY(pm_expect_inputs(call, 2, 3));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_f32(call));
    PR_TRY(read_window(&w, call));
    if (pm_has_input(call, 2) && (call->inputs[2].type.rank != 1 || call->inputs[2].type.count != w.out_channels)) {
        char text[PM_TYPE_TEXT];
        return pr_fail(PRUNE_E_SHAPE, "the bias is %s; it must be [%lld], one number for each output channel",
                       pm_type_text(&call->inputs[2].type, text), (long long)w.out_channels);
    }
    int64_t extents[2 + PM_WINDOW_AXES] = {w.batch, w.out_channels};
    for (int32_t i = 0; i < w.axes; i++)
        extents[2 + i] = w.out[PM_WINDOW_AXES - w.axes + i];
    return pm_type_set(&call->outputs[0].type, PRUNE_F32, 2 + w.axes, extents);
}

static int64_t macs(const struct pm_call *call)
{
    struct pm_window w;
    return read_window(&w, call) ? 0 : w.batch * w.in_channels * pm_window_inputs(&w) * out_of(&w);
}

static void release(struct pm_call *call)
{
    struct state *state = call->state;
    if (!state)
        return;
    for (int64_t g = 0; state->packed && g < state->window.groups; g++)
        prune_packed_free(state->packed[g]);
    pr_release(call->context, state->packed);
    pr_release(call->context, state);
    call->state = NULL;
}

static int32_t prepare(struct pm_call *call)
{
    struct state *state;
    PR_TRY(pr_alloc_zero(call->context, 1, sizeof *state, &state));
    call->state = state;
    PR_TRY(read_window(&state->window, call));
    const struct pm_window *w = &state->window;
    int64_t in = in_of(w), out = out_of(w);
    PR_TRY(pm_gemm_fits(out, pm_window_inputs(w), in));
    PR_TRY(pr_mul(out, PANEL * (int64_t)sizeof(float), &call->scratch_bytes));
    if (!pm_is_known(call, 1))
        return PRUNE_OK;
    PR_TRY(pr_alloc_zero(call->context, w->groups, sizeof *state->packed, &state->packed));
    for (int64_t g = 0; g < w->groups; g++) {
        struct pm_matrix matrix = {1, out, in, g * in * out, 1, out};
        PR_TRY(pm_pack(&state->packed[g], call, call->context, &matrix, PANEL, NULL));
    }
    if (w->groups)
        pm_say_kernels(call, state->packed[0], PANEL);
    return PRUNE_OK;
}

/* One tap's results for positions begin to end - 1 of the image, added to one channel of y. */
static void add_tap(const struct pm_window *w, const int64_t tap[3], const float *from, int64_t begin, int64_t end,
                    float *y)
{
    for (int64_t at = begin; at < end; at++) {
        int64_t k = at % w->in[2] * w->stride[2] + tap[2] * w->dilation[2] - w->begin[2], row = at / w->in[2];
        int64_t j = row % w->in[1] * w->stride[1] + tap[1] * w->dilation[1] - w->begin[1];
        int64_t i = row / w->in[1] * w->stride[0] + tap[0] * w->dilation[0] - w->begin[0];
        if (i >= 0 && i < w->out[0] && j >= 0 && j < w->out[1] && k >= 0 && k < w->out[2])
            y[(i * w->out[1] + j) * w->out[2] + k] += from[at - begin];
    }
}

static int32_t run_group(const struct pm_call *call, int64_t group, const float *x, float *y)
{
    const struct state *state = call->state;
    const struct pm_window *w = &state->window;
    int64_t inputs = pm_window_inputs(w), in = in_of(w), out = out_of(w), tap[3];
    const float *weights = (const float *)call->inputs[1].data + group * in * out;
    float *columns = call->scratch;
    for (int64_t begin = 0; begin < inputs; begin += PANEL) {
        int64_t end = begin + PANEL < inputs ? begin + PANEL : inputs;
        if (state->packed)
            PR_TRY(prune_packed_run(state->packed[group], columns, PANEL, x + begin, inputs, end - begin, NULL));
        else
            pm_gemm(1, 0, out, end - begin, in, weights, out, x + begin, inputs, columns, PANEL);
        const float *from = columns;
        for (int64_t c = 0; c < w->out_channels / w->groups; c++)
            for (tap[0] = 0; tap[0] < w->kernel[0]; tap[0]++)
                for (tap[1] = 0; tap[1] < w->kernel[1]; tap[1]++)
                    for (tap[2] = 0; tap[2] < w->kernel[2]; tap[2]++, from += PANEL)
                        add_tap(w, tap, from, begin, end, y + c * pm_window_outputs(w));
    }
    return PRUNE_OK;
}

static int32_t run(const struct pm_call *call)
{
    const struct state *state = call->state;
    const struct pm_window *w = &state->window;
    const float *x = call->inputs[0].data, *bias = pm_has_input(call, 2) ? call->inputs[2].data : NULL;
    float *y = call->outputs[0].data;
    int64_t outputs = pm_window_outputs(w), out = w->out_channels / w->groups;
    for (int64_t b = 0; b < w->batch; b++)
        for (int64_t g = 0; g < w->groups; g++) {
            for (int64_t i = 0; i < out * outputs; i++)
                y[i] = bias ? bias[g * out + i / outputs] : 0;
            PR_TRY(run_group(call, g, x, y));
            x += in_of(w) * pm_window_inputs(w);
            y += out * outputs;
        }
    return PRUNE_OK;
}

static int layer(const struct pm_call *call, int32_t index, struct pm_layer *out)
{
    struct pm_window w;
    if (index != 0 || !pm_is_known(call, 1) || read_window(&w, call))
        return 0;
    *out = (struct pm_layer){.input = 1,
                             .is_transposed = 1,
                             .out = out_of(&w),
                             .in = in_of(&w),
                             .groups = w.groups,
                             .macs = macs(call),
                             .kind = "conv"};
    return 1;
}

/* The channels of each position. */
static int32_t rows(const struct pm_call *call, int32_t index, pm_take_rows *take, void *user)
{
    struct pm_window w;
    float *turned = NULL;
    (void)index;
    PR_TRY(read_window(&w, call));
    int64_t in = in_of(&w), inputs = pm_window_inputs(&w);
    PR_TRY(pr_alloc(call->context, in * PANEL, sizeof(float), &turned));
    const float *x = call->inputs[0].data;
    int32_t status = PRUNE_OK;
    for (int64_t b = 0; !status && b < w.batch; b++)
        for (int64_t g = 0; !status && g < w.groups; g++, x += in * inputs)
            for (int64_t begin = 0; !status && begin < inputs; begin += PANEL) {
                int64_t count = inputs - begin < PANEL ? inputs - begin : PANEL;
                pm_transpose(turned, in, x + begin, inputs, in, count);
                status = take(user, g, count, turned);
            }
    pr_release(call->context, turned);
    return status;
}

const struct pm_operator pm_operator_conv_transpose = {
    .op = "ConvTranspose",
    .infer = infer,
    .prepare = prepare,
    .release = release,
    .run = run,
    .macs = macs,
    .layer = layer,
    .rows = rows,
};
