/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Conv over one, two or three axes. Each group is a product of its weights, out x (in * taps), with the image's
 * columns, which are made for a panel of outputs at a time so that they stay in the second-level cache.
 */
#include "model/ops/product/conv.h"

#include <stdio.h>
#include <string.h>

/* Products below which a second thread costs more than it brings. */
#define WORK_PER_TASK 100000
#define MOST_TASKS 64
#define LEAST_COLUMNS 96 /* what is fastest for so many outputs is so for fewer */
#define MOST_STEP 4096   /* of stride, dilation, pads, for libprune's convolution */

static int64_t in_of(const struct pm_window *w) /* columns of a group's matrix */
{
    return w->in_channels / w->groups * pm_window_taps(w);
}

static int64_t out_of(const struct pm_window *w)
{
    return w->out_channels / w->groups;
}

static int is_depthwise(const struct pm_window *w)
{
    return w->groups > 1 && w->in_channels == w->groups;
}

static int32_t read_window(struct pm_window *w, const struct pm_call *call)
{
    PR_TRY(pm_window_read(w, call, 0));
    return pm_window_finish(w, call);
}

static int32_t infer(struct pm_call *call)
{
    struct pm_window w;
    PR_TRY(pm_expect_inputs(call, 2, call->fusion.addend ? call->fusion.addend + 1 : 3));
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
    return read_window(&w, call) ? 0 : w.batch * w.out_channels * pm_window_outputs(&w) * in_of(&w);
}

static void release(struct pm_call *call)
{
    struct pm_conv *conv = call->state;
    if (!conv)
        return;
    prune_convolution_free(conv->convolution);
    for (int64_t g = 0; g < conv->window.groups; g++) {
        if (conv->packed)
            prune_packed_free(conv->packed[g]);
        if (conv->epilogues)
            prune_epilogue_free(conv->epilogues[g]);
    }
    prune_depthwise_free(conv->depthwise);
    prune_epilogue_free(conv->depthwise_epilogue);
    pr_release(call->context, conv->packed);
    pr_release(call->context, conv->epilogues);
    pm_tail_release(call, &conv->tail);
    prune_context_free(conv->context);
    pr_release(call->context, conv);
    call->state = NULL;
}

/* Panels of about 128 outputs, where the columns of so many fit, in whole vectors. */
static void choose_panel(struct pm_conv *conv)
{
    const struct pm_window *w = &conv->window;
    int64_t outputs = pm_window_outputs(w), most = in_of(w) <= 1024 ? 128 : 64;
    if (conv->is_image && w->groups == 1 && w->batch > 1)
        most = outputs;
    conv->panels = outputs <= most ? 1 : pr_ceil_div(outputs, most);
    conv->panel = outputs <= most ? outputs : pr_ceil_div(pr_ceil_div(outputs, conv->panels), 16) * 16;
    conv->panels = outputs ? pr_ceil_div(outputs, conv->panel) : 0;
}

/* How many tasks run at once, and whether those are ours or the product's. */
static int32_t choose_tasks(struct pm_conv *conv, const struct pm_call *call)
{
    const struct pm_window *w = &conv->window;
    int64_t units = conv->is_depthwise ? w->batch * w->out_channels : w->batch * w->groups * conv->panels;
    int64_t threads = prune_context_threads(call->context), work = macs(call) / WORK_PER_TASK;
    int64_t tasks = threads < MOST_TASKS ? threads : MOST_TASKS;
    tasks = tasks > work ? work : tasks;
    if (tasks > units && !conv->is_depthwise) /* few panels: the product itself is shared */
        tasks = 1;
    tasks = tasks > units ? units : tasks;
    conv->tasks = (int32_t)(tasks < 1 ? 1 : tasks);
    if (conv->tasks > 1 || threads == 1)
        return pm_context_alone(&conv->context, call);
    conv->context = prune_context_retain(call->context);
    return PRUNE_OK;
}

/* Whether libprune's convolution may take it: two axes at most, one group, a format of weights that it knows. */
static int can_be_direct(const struct pm_conv *conv, const struct pm_call *call)
{
    static const char *const formats[] = {"format=auto", "format=dense", "format=csr", "format=nm"};
    const struct pm_window *w = &conv->window;
    int known = 0;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        known |= call->weights && strcmp(call->weights, formats[i]) == 0;
    for (int i = 1; i < PM_WINDOW_AXES; i++) {
        int64_t numbers[4] = {w->stride[i], w->dilation[i], w->begin[i], w->end[i]};
        for (int j = 0; j < 4; j++)
            known &= numbers[j] >= 0 && numbers[j] <= MOST_STEP;
    }
    return known && !conv->is_depthwise && !conv->is_image && w->groups == 1 && w->axes <= 2 &&
           pm_window_inputs(w) > 0 && in_of(w) > 0 && out_of(w) > 0;
}

static int32_t pack_direct(struct pm_conv *conv, struct pm_call *call)
{
    const struct pm_window *w = &conv->window;
    const struct pm_matrix matrix = {1, out_of(w), in_of(w), 0, in_of(w), 1};
    char spec[256];
    prune_packed *packed;
    snprintf(spec, sizeof spec, "stride=%dx%d,dilation=%dx%d,padding=%dx%d,padding_end=%dx%d,height=%lld,width=%lld",
             (int)w->stride[1], (int)w->stride[2], (int)w->dilation[1], (int)w->dilation[2], (int)w->begin[1],
             (int)w->begin[2], (int)w->end[1], (int)w->end[2], (long long)w->in[1], (long long)w->in[2]);
    int64_t outputs = pm_window_outputs(w), count = outputs < LEAST_COLUMNS ? LEAST_COLUMNS : outputs;
    PR_TRY(pm_pack(&packed, call, call->context, &matrix, count, "convolution=yes"));
    int32_t status = prune_convolution_from_packed(&conv->convolution, packed, w->kernel[1], w->kernel[2], spec);
    if (status) {
        prune_packed_free(packed);
        return status;
    }
    snprintf(call->kernels, sizeof call->kernels, "%s/%s", prune_convolution_form(conv->convolution),
             prune_convolution_kernels(conv->convolution));
    PR_TRY(pr_alloc_zero(call->context, 1, sizeof *conv->epilogues, &conv->epilogues));
    return pm_tail_epilogue(&conv->epilogues[0], call->context, &conv->tail, 0, w->out_channels);
}

static int32_t pack(struct pm_conv *conv, struct pm_call *call)
{
    const struct pm_window *w = &conv->window;
    int64_t in = in_of(w), out = out_of(w);
    PR_TRY(pr_alloc_zero(call->context, w->groups, sizeof *conv->packed, &conv->packed));
    PR_TRY(pr_alloc_zero(call->context, w->groups, sizeof *conv->epilogues, &conv->epilogues));
    for (int64_t g = 0; g < w->groups; g++) {
        struct pm_matrix matrix = {1, out, in, g * out * in, in, 1};
        PR_TRY(pm_pack(&conv->packed[g], call, conv->context, &matrix, conv->panel, NULL));
        PR_TRY(pm_tail_epilogue(&conv->epilogues[g], conv->context, &conv->tail, g * out, out));
    }
    if (w->groups)
        pm_say_kernels(call, conv->packed[0], conv->panel);
    return PRUNE_OK;
}

static int32_t prepare(struct pm_call *call)
{
    struct pm_conv *conv;
    int bias = pm_has_input(call, 2), known = !bias || pm_is_known(call, 2);
    PR_TRY(pr_alloc_zero(call->context, 1, sizeof *conv, &conv));
    call->state = conv;
    PR_TRY(read_window(&conv->window, call));
    struct pm_window *w = &conv->window;
    conv->is_depthwise = is_depthwise(w);
    conv->is_image = pm_window_taps(w) == 1 && pm_window_inputs(w) == pm_window_outputs(w) && w->begin[0] == 0 &&
                     w->begin[1] == 0 && w->begin[2] == 0 && w->stride[0] == 1 && w->stride[1] == 1 &&
                     w->stride[2] == 1;
    conv->is_direct = known && pm_is_known(call, 1) && can_be_direct(conv, call);
    choose_panel(conv);
    PR_TRY(choose_tasks(conv, call));
    conv->bias_is_late = !known;
    PR_TRY(pm_tail_create(&conv->tail, call, w->out_channels, 1, 1, bias && known ? call->inputs[2].data : NULL));
    PR_TRY(pm_gemm_fits(out_of(w), pm_window_outputs(w), in_of(w)));
    if (call->fusion.addend && !conv->is_direct) /* it is added, and the activation done, after all the rest */
        conv->tail.activation = PM_NO_ACTIVATION;
    if (conv->is_direct)
        return pack_direct(conv, call);
    if (!conv->is_depthwise && !conv->is_image)
        PR_TRY(pr_mul(in_of(w), pr_ceil_div(conv->panel, 16) * 16, &conv->part));
    PR_TRY(pr_mul(conv->part, 4 * conv->tasks, &call->scratch_bytes));
    if (known && pm_is_known(call, 1) && !conv->is_depthwise)
        PR_TRY(pack(conv, call));
    if (known && pm_is_known(call, 1) && pm_conv_depthwise_fits(w))
        PR_TRY(pm_conv_depthwise_prepare(conv, call));
    return PRUNE_OK;
}

struct work {
    const struct pm_call *call;
    const struct pm_conv *conv;
    const float *x, *weights, *bias; /* bias: one that is not in the tail */
    float *y;
    int32_t status;
};

/* Bias that was not known before the run. */
static void add_bias(const struct work *work, float *y, int64_t ldy, int64_t first, int64_t rows, int64_t n)
{
    for (int64_t r = 0; work->bias && r < rows; r++)
        for (int64_t i = 0; i < n; i++)
            y[r * ldy + i] += work->bias[first + r];
}

static int32_t run_unit(const struct work *work, int64_t unit, float *columns)
{
    const struct pm_conv *conv = work->conv;
    const struct pm_window *w = &conv->window;
    int64_t outputs = pm_window_outputs(w), in = in_of(w), out = out_of(w), channels = w->in_channels / w->groups;
    int64_t panel = unit % conv->panels, group = unit / conv->panels % w->groups;
    int64_t image = unit / conv->panels / w->groups, begin = panel * conv->panel;
    int64_t end = begin + conv->panel < outputs ? begin + conv->panel : outputs, n = end - begin, ldx = conv->panel;
    const float *x = work->x + (image * w->in_channels + group * channels) * pm_window_inputs(w);
    float *y = work->y + (image * w->out_channels + group * out) * outputs + begin;
    if (conv->is_image) {
        x += begin;
        ldx = outputs;
    } else {
        ldx = pr_ceil_div(n, 16) * 16;
        pm_window_columns(w, x, channels, begin, end, columns, ldx);
        x = columns;
    }
    if (conv->packed)
        return prune_packed_run(conv->packed[group], y, outputs, x, ldx, n, conv->epilogues[group]);
    pm_gemm(0, 0, out, n, in, work->weights + group * out * in, in, x, ldx, y, outputs);
    add_bias(work, y, outputs, group * out, out, n);
    pm_tail_rows(&conv->tail, y, outputs, group * out, out, n);
    return PRUNE_OK;
}

static void run_task(void *argument, int32_t index)
{
    struct work *work = argument;
    const struct pm_conv *conv = work->conv;
    const struct pm_window *w = &conv->window;
    int64_t units = conv->is_depthwise ? w->batch * w->out_channels : w->batch * w->groups * conv->panels;
    int64_t first = units * index / conv->tasks, end = units * (index + 1) / conv->tasks;
    if (conv->is_depthwise) {
        pm_conv_depthwise(w, &conv->tail, work->x, work->weights, work->bias, work->y, first, end);
        return;
    }
    float *columns = (float *)work->call->scratch + index * conv->part;
    for (int64_t unit = first; unit < end; unit++) {
        int32_t status = run_unit(work, unit, columns);
        if (status)
            __atomic_store_n(&work->status, status, __ATOMIC_RELAXED);
    }
}

/* What a fusion adds, where libprune does not. */
static int32_t add_late(const struct pm_call *call)
{
    const int32_t addend = call->fusion.addend;
    const struct pm_tail tail = {.activation = call->fusion.activation};
    float *y = call->outputs[0].data;
    int64_t count = call->outputs[0].type.count;
    if (!addend)
        return PRUNE_OK;
    const float *more = call->inputs[addend].data;
    for (int64_t i = 0; i < count; i++)
        y[i] += more[i];
    pm_tail_rows(&tail, y, count, 0, 1, count);
    return PRUNE_OK;
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_conv *conv = call->state;
    struct work work = {.call = call,
                        .conv = conv,
                        .x = call->inputs[0].data,
                        .weights = call->inputs[1].data,
                        .bias = conv->bias_is_late ? call->inputs[2].data : NULL,
                        .y = call->outputs[0].data};
    if (call->outputs[0].type.count == 0)
        return PRUNE_OK;
    if (conv->convolution) {
        const float *residual = call->fusion.addend ? call->inputs[call->fusion.addend].data : NULL;
        return prune_convolution_run_residual(conv->convolution, work.y, work.x, residual, conv->window.batch,
                                              conv->window.in[1], conv->window.in[2], conv->epilogues[0]);
    }
    if (conv->depthwise) {
        PR_TRY(prune_depthwise_run(conv->depthwise, work.y, work.x, conv->window.batch, conv->window.in[1],
                                   conv->window.in[2], conv->depthwise_epilogue));
        return add_late(call);
    }
    prune_context_parallel(call->context, conv->tasks, run_task, &work);
    if (work.status)
        return pr_fail(work.status, "a part of the convolution failed (%s)", prune_status_name(work.status));
    return add_late(call);
}

static int layer(const struct pm_call *call, int32_t index, struct pm_layer *out)
{
    struct pm_window w;
    if (index != 0 || !pm_is_known(call, 1) || read_window(&w, call))
        return 0;
    *out = (struct pm_layer){.input = 1,
                             .out = w.out_channels,
                             .in = in_of(&w),
                             .groups = w.groups,
                             .macs = macs(call),
                             .kind = is_depthwise(&w) ? "depthwise" : "conv"};
    return 1;
}

static int32_t rows(const struct pm_call *call, int32_t index, pm_take_rows *take, void *user)
{
    enum { PART = 256 };
    struct pm_window w;
    float *columns = NULL, *turned = NULL;
    (void)index;
    PR_TRY(read_window(&w, call));
    int64_t in = in_of(&w), outputs = pm_window_outputs(&w), channels = w.in_channels / w.groups, floats = 0;
    PR_TRY(pr_mul(in, PART, &floats));
    int32_t status = pr_alloc(call->context, floats, sizeof(float), &columns);
    if (!status)
        status = pr_alloc(call->context, floats, sizeof(float), &turned);
    const float *x = call->inputs[0].data;
    for (int64_t b = 0; !status && b < w.batch; b++)
        for (int64_t g = 0; !status && g < w.groups; g++, x += channels * pm_window_inputs(&w))
            for (int64_t begin = 0; !status && begin < outputs; begin += PART) {
                int64_t end = begin + PART < outputs ? begin + PART : outputs;
                pm_window_columns(&w, x, channels, begin, end, columns, PART);
                pm_transpose(turned, in, columns, PART, in, end - begin);
                status = take(user, g, end - begin, turned);
            }
    pr_release(call->context, columns);
    pr_release(call->context, turned);
    return status;
}

const struct pm_operator pm_operator_conv = {
    .op = "Conv",
    .flags = PM_FUSES | PM_ADDS,
    .infer = infer,
    .prepare = prepare,
    .release = release,
    .run = run,
    .macs = macs,
    .layer = layer,
    .rows = rows,
};
