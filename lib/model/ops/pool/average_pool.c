/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/ops.h"
#include "model/ops/pool/fold.h"

static int32_t infer(struct pm_call *call)
{
    struct pm_window window;
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, PM_FLOATING));
    PR_TRY(pm_window_of(call, &window));
    PR_TRY(pm_window_type(call, &window, 0, call->inputs[0].type.dtype));
    call->scratch_bytes = pm_fold_scratch(&window);
    return PRUNE_OK;
}

/* Elements of the window at output `o` of an axis that are divided by: those of the input, with the padding counted too
 * those of the padded input. A window of ceil_mode may stand out of both. */
static int64_t counted(const struct pm_window *w, int32_t axis, int64_t o, int with_padding)
{
    int64_t begin, end;
    pm_window_steps(w, axis, o, &begin, &end);
    if (!with_padding)
        return end - begin;
    int64_t room = w->in[axis] + w->before[axis] + w->after[axis] - o * w->stride[axis];
    int64_t steps = room > 0 ? pr_ceil_div(room, w->dilation[axis]) : 0;
    return steps < w->kernel[axis] ? steps : w->kernel[axis];
}

static void divide(const struct pm_window *w, int with_padding, float *y)
{
    const int64_t span = (w->kernel[2] - 1) * w->dilation[2] + 1;
    for (int64_t o0 = 0; o0 < w->out[0]; o0++)
        for (int64_t o1 = 0; o1 < w->out[1]; o1++) {
            int64_t rows = counted(w, 0, o0, with_padding) * counted(w, 1, o1, with_padding);
            for (int64_t o2 = 0; o2 < w->out[2]; o2++, y++) {
                int64_t start = o2 * w->stride[2] - w->before[2];
                int inside = start >= 0 && start + span <= w->in[2];
                *y /= (float)(rows * (inside ? w->kernel[2] : counted(w, 2, o2, with_padding)));
            }
        }
}

/* Whether each plane is one window, with nothing around it. */
static int is_whole(const struct pm_window *w)
{
    for (int32_t axis = 0; axis < PM_SPATIAL; axis++)
        if (w->out[axis] != 1 || w->kernel[axis] != w->in[axis] || w->dilation[axis] != 1 || w->before[axis] != 0 ||
            w->after[axis] != 0)
            return 0;
    return 1;
}

/* In sixteen sums side by side. */
static float mean_of_plane(const float *x, int64_t n)
{
    typedef float vector __attribute__((vector_size(16)));
    vector sums[4] = {{0}}, v;
    float total = 0, four[4];
    int64_t i = 0;
    for (; i + 16 <= n; i += 16)
        for (int j = 0; j < 4; j++) {
            memcpy(&v, x + i + 4 * j, sizeof v);
            sums[j] += v;
        }
    v = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    memcpy(four, &v, sizeof v);
    for (; i < n; i++)
        total += x[i];
    return (total + ((four[0] + four[1]) + (four[2] + four[3]))) / (float)n;
}

/* The mean of one window of any type. */
static double mean(const struct pm_window *w, const struct pm_operand *x, int64_t plane, int64_t out, int with_padding)
{
    int64_t o[PM_SPATIAL] = {out / (w->out[1] * w->out[2]), out / w->out[2] % w->out[1], out % w->out[2]};
    int64_t begin[PM_SPATIAL], end[PM_SPATIAL], start[PM_SPATIAL], count = 1;
    double sum = 0;
    for (int32_t axis = 0; axis < PM_SPATIAL; axis++) {
        pm_window_steps(w, axis, o[axis], &begin[axis], &end[axis]);
        start[axis] = o[axis] * w->stride[axis] - w->before[axis];
        count *= counted(w, axis, o[axis], with_padding);
    }
    for (int64_t k0 = begin[0]; k0 < end[0]; k0++)
        for (int64_t k1 = begin[1]; k1 < end[1]; k1++)
            for (int64_t k2 = begin[2]; k2 < end[2]; k2++) {
                int64_t row = (start[0] + k0 * w->dilation[0]) * w->in[1] + start[1] + k1 * w->dilation[1];
                sum += pm_number(x->type.dtype, x->data,
                                 plane * w->in_plane + row * w->in[2] + start[2] + k2 * w->dilation[2]);
            }
    return sum / (double)count;
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    int with_padding = pm_attribute_int(call->node, "count_include_pad", 0) != 0;
    struct pm_window w;
    PR_TRY(pm_window_of(call, &w));
    if (x->type.dtype == PRUNE_F32 && is_whole(&w)) {
        for (int64_t plane = 0; plane < w.planes; plane++)
            ((float *)y->data)[plane] = mean_of_plane((const float *)x->data + plane * w.in_plane, w.in_plane);
        return PRUNE_OK;
    }
    if (x->type.dtype == PRUNE_F32) {
        pm_fold_sum(&w, x->data, y->data, call->scratch);
        for (int64_t plane = 0; plane < w.planes; plane++)
            divide(&w, with_padding, (float *)y->data + plane * w.out_plane);
        return PRUNE_OK;
    }
    for (int64_t plane = 0; plane < w.planes; plane++)
        for (int64_t o = 0; o < w.out_plane; o++) {
            double value = mean(&w, x, plane, o, with_padding);
            pm_store(PM_F64, &value, 1, y->type.dtype, y->data, plane * w.out_plane + o);
        }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_average_pool = {.op = "AveragePool", .infer = infer, .run = run};
