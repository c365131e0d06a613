/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/products/depthwise.h"

#include "base/spec.h"
#include "core/tensor/tensor.h"

#define MOST 4096

static const struct pr_parameter parameters[] = {
    {.name = "stride", .type = PR_PAIR, .standard = "1", .least = 1, .most = MOST, .help = "pixels between outputs"},
    {.name = "dilation", .type = PR_PAIR, .standard = "1", .least = 1, .most = MOST, .help = "pixels between weights"},
    {.name = "before", .type = PR_PAIR, .standard = "0", .least = 0, .most = MOST, .help = "zeros above and left"},
    {.name = "after", .type = PR_PAIR, .standard = "0", .least = 0, .most = MOST, .help = "zeros below and right"},
    {.name = "multiplier", .type = PR_WHOLE, .standard = "1", .least = 1, .most = INT32_MAX, .help = "out channels"},
    {.name = "height", .type = PR_WHOLE, .standard = "56", .least = 0, .most = INT32_MAX, .help = "rows of an image"},
    {.name = "width", .type = PR_WHOLE, .standard = "56", .least = 0, .most = INT32_MAX, .help = "pixels of a row"},
    {0},
};

enum { STRIDE, DILATION, BEFORE, AFTER, MULTIPLIER, HEIGHT, WIDTH };

static void take_pair(int64_t to[PR_WAYS], const struct pr_values *values, int which)
{
    to[PR_DOWN] = values->whole[which];
    to[PR_ACROSS] = (int64_t)values->real[which];
}

static int32_t check_shape(const prune_depthwise *d, const prune_tensor *weights, const prune_mask *mask)
{
    char text[PR_MAX_SHAPE_TEXT];
    if (weights->shape[1] != 1)
        return pr_fail(PRUNE_E_SHAPE, "depthwise: weights of shape %s; each out channel must read 1 channel",
                       pr_shape_text(text, weights->rank, weights->shape));
    if (d->kernel[PR_DOWN] == 0 || d->kernel[PR_ACROSS] == 0)
        return pr_fail(PRUNE_E_SHAPE, "depthwise: weights of shape %s; the kernel must not be empty",
                       pr_shape_text(text, weights->rank, weights->shape));
    if (d->out_channels % d->multiplier)
        return pr_fail(PRUNE_E_SHAPE, "depthwise: %lld out channels with multiplier %lld; it must divide them",
                       (long long)d->out_channels, (long long)d->multiplier);
    if (weights->count > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "depthwise: %lld weights; up to %d can be taken", (long long)weights->count,
                       INT32_MAX);
    return mask ? pr_mask_fits("prune_depthwise_create", mask, weights) : PRUNE_OK;
}

/* The taps of each channel, column after column of the kernel. */
static void list_taps(prune_depthwise *d, const float *from, const prune_mask *mask)
{
    int64_t height = d->kernel[PR_DOWN], width = d->kernel[PR_ACROSS], stored = 0;
    for (int64_t c = 0; c < d->out_channels; c++) {
        d->starts[c] = stored;
        for (int64_t v = 0; v < width; v++) {
            int64_t first = stored;
            for (int64_t u = 0; u < height; u++) {
                int64_t at = (c * height + u) * width + v;
                if (mask ? !pr_mask_get(mask, at) : from[at] == 0.0f)
                    continue;
                d->places[stored] = (int32_t)(v * height + u);
                d->weights[stored++] = from[at];
            }
            d->counts[c * width + v] = (int32_t)(stored - first);
        }
    }
    d->starts[d->out_channels] = d->stored = stored;
}

static int32_t take_weights(prune_depthwise *d, const prune_tensor *weights, const prune_mask *mask)
{
    prune_tensor *dense = NULL;
    PR_TRY(pr_alloc(d->context, d->out_channels + 1, sizeof *d->starts, &d->starts));
    PR_TRY(pr_alloc(d->context, d->out_channels * d->kernel[PR_ACROSS], sizeof *d->counts, &d->counts));
    PR_TRY(pr_alloc(d->context, weights->count, sizeof *d->places, &d->places));
    PR_TRY(pr_alloc(d->context, weights->count, sizeof *d->weights, &d->weights));
    PR_TRY(prune_tensor_convert(&dense, weights, PRUNE_F32));
    list_taps(d, (const float *)(const void *)dense->data, mask);
    prune_tensor_free(dense);
    return PRUNE_OK;
}

static int32_t build(prune_depthwise *d, const prune_tensor *weights, const prune_mask *mask,
                     const struct pr_values *values)
{
    int buffers;
    PR_TRY(check_shape(d, weights, mask));
    PR_TRY(take_weights(d, weights, mask));
    PR_TRY(pr_depthwise_plan_make(&d->plan, d, values->whole[HEIGHT], values->whole[WIDTH]));
    int64_t floats = pr_depthwise_scratch(&d->plan, 0, &buffers);
    if (floats <= PR_DEPTHWISE_STACK)
        return PRUNE_OK;
    PR_TRY(pr_mul(floats, (int64_t)sizeof(float) * prune_context_threads(d->context), &d->lent_bytes));
    return pr_alloc(d->context, d->lent_bytes, 1, &d->lent);
}

int32_t prune_depthwise_create(prune_depthwise **out, const prune_tensor *weights, const prune_mask *mask,
                               const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(weights);
    struct pr_values values;
    PR_TRY(pr_spec_parse_list(spec, "depthwise", parameters, &values));
    if (weights->rank != 4)
        return pr_fail(PRUNE_E_SHAPE, "depthwise: weights of rank %d; they must be [out channels, 1, height, width]",
                       (int)weights->rank);
    if (weights->dtype != PRUNE_F32 && weights->dtype != PRUNE_F16 && weights->dtype != PRUNE_BF16)
        return pr_fail(PRUNE_E_DTYPE, "depthwise: weights are %s; they must be f32, f16 or bf16",
                       prune_dtype_name(weights->dtype));
    prune_depthwise *d;
    PR_TRY(pr_alloc_zero(weights->context, 1, sizeof *d, &d));
    d->context = prune_context_retain(weights->context);
    d->cpu = prune_context_cpu(d->context);
    pr_kernels_select(d->cpu, &d->kernels);
    take_pair(d->stride, &values, STRIDE);
    take_pair(d->dilation, &values, DILATION);
    take_pair(d->before, &values, BEFORE);
    take_pair(d->after, &values, AFTER);
    d->multiplier = values.whole[MULTIPLIER];
    d->out_channels = weights->shape[0];
    d->kernel[PR_DOWN] = weights->shape[2];
    d->kernel[PR_ACROSS] = weights->shape[3];
    int32_t status = build(d, weights, mask, &values);
    if (status) {
        prune_depthwise_free(d);
        return status;
    }
    *out = d;
    return PRUNE_OK;
}

void prune_depthwise_free(prune_depthwise *depthwise)
{
    if (!depthwise)
        return;
    prune_context *context = depthwise->context;
    pr_depthwise_plan_release(&depthwise->plan, depthwise);
    pr_release(context, depthwise->starts);
    pr_release(context, depthwise->counts);
    pr_release(context, depthwise->places);
    pr_release(context, depthwise->weights);
    pr_release(context, depthwise->lent);
    pr_release(context, depthwise);
    prune_context_free(context);
}

int32_t prune_depthwise_output(const prune_depthwise *depthwise, int64_t height, int64_t width, int64_t *output_height,
                               int64_t *output_width)
{
    static const char *const names[PR_WAYS] = {"height", "width"};
    PR_REQUIRE(depthwise);
    PR_REQUIRE(output_height);
    PR_REQUIRE(output_width);
    int64_t extents[PR_WAYS] = {height, width}, output[PR_WAYS];
    for (int i = 0; i < PR_WAYS; i++) {
        int64_t covered = (depthwise->kernel[i] - 1) * depthwise->dilation[i] + 1, padded = 0;
        if (extents[i] < 0)
            return pr_fail(PRUNE_E_ARGUMENT, "depthwise: %s is %lld; it must be 0 or more", names[i],
                           (long long)extents[i]);
        PR_TRY(pr_add(extents[i], depthwise->before[i] + depthwise->after[i], &padded));
        if (padded < covered)
            return pr_fail(PRUNE_E_SHAPE, "depthwise: the padded image has %s %lld; the kernel covers %lld", names[i],
                           (long long)padded, (long long)covered);
        output[i] = (padded - covered) / depthwise->stride[i] + 1;
    }
    *output_height = output[PR_DOWN];
    *output_width = output[PR_ACROSS];
    return PRUNE_OK;
}

int64_t prune_depthwise_out_channels(const prune_depthwise *depthwise)
{
    return depthwise ? depthwise->out_channels : 0;
}

int64_t prune_depthwise_stored(const prune_depthwise *depthwise)
{
    return depthwise ? depthwise->stored : 0;
}

const char *prune_depthwise_kernels(const prune_depthwise *depthwise)
{
    return depthwise ? pr_kernels_origin(depthwise->cpu, PR_SLOT_taps_rows) : NULL;
}
