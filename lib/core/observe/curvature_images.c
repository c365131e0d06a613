/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The steps through convolutions and pooling.
 */
#include <math.h>
#include <stddef.h>

#include "base/spec.h"
#include "core/observe/curvature.h"
#include "core/observe/observe.h"

#define MOST 4096

enum { KIND, SIZE, POOL_STRIDE, POOL_PADDING };
enum { KIND_MAX, KIND_AVERAGE };

static const struct pr_parameter pool_parameters[] = {
    {.name = "kind", .type = PR_WORD, .standard = "max", .words = "max|average", .help = "max or average"},
    {.name = "size", .type = PR_WHOLE, .standard = "2", .least = 1, .most = MOST, .help = "side of the window"},
    {.name = "stride", .type = PR_WHOLE, .standard = "0", .least = 0, .most = MOST, .help = "0: as size"},
    {.name = "padding", .type = PR_WHOLE, .standard = "0", .least = 0, .most = MOST, .help = "on all four sides"},
    {0},
};

struct convolution {
    struct pr_window window;
    int64_t samples, in, out, groups, height, width, output[2];
    const double *w, *x, *h;
    double *of_weights, *of_inputs;
};

/* All uses of the weight (o, i, u, v) by one sample; `x` and `of_inputs` are the channel's image, `h` the output's. */
static void use(const struct convolution *c, int64_t u, int64_t v, double w2, const double *x, const double *h,
                double *of_weight, double *of_inputs)
{
    const struct pr_window *at = &c->window;
    double sum = 0;
    for (int64_t p = 0; p < c->output[0]; p++) {
        int64_t row = p * at->stride + u * at->dilation - at->padding;
        if (row < 0 || row >= c->height)
            continue;
        for (int64_t q = 0; q < c->output[1]; q++) {
            int64_t column = q * at->stride + v * at->dilation - at->padding;
            if (column < 0 || column >= c->width)
                continue;
            double number = x[row * c->width + column], curvature = h[p * c->output[1] + q];
            sum += curvature * (number * number);
            if (of_inputs)
                of_inputs[row * c->width + column] += w2 * curvature;
        }
    }
    if (of_weight)
        *of_weight += sum;
}

static void convolve(const struct convolution *c)
{
    int64_t in = c->in / c->groups, of_group = c->out / c->groups, taps = c->window.height * c->window.width;
    int64_t image = c->height * c->width, output = c->output[0] * c->output[1];
    for (int64_t s = 0; s < c->samples; s++)
        for (int64_t o = 0; o < c->out; o++)
            for (int64_t i = 0; i < in; i++) {
                int64_t channel = s * c->in + o / of_group * in + i;
                for (int64_t t = 0; t < taps; t++) {
                    int64_t n = (o * in + i) * taps + t;
                    use(c, t / c->window.width, t % c->window.width, c->w[n] * c->w[n], c->x + channel * image,
                        c->h + (s * c->out + o) * output, c->of_weights ? c->of_weights + n : NULL,
                        c->of_inputs ? c->of_inputs + channel * image : NULL);
                }
            }
}

static int32_t check_convolution(struct convolution *c, const prune_tensor *weights, const prune_tensor *inputs,
                                 const prune_tensor *curvatures)
{
    if (weights->rank != 4 || inputs->rank != 4)
        return pr_fail(PRUNE_E_SHAPE, "weights have rank %d and inputs rank %d; both must have 4", (int)weights->rank,
                       (int)inputs->rank);
    c->samples = inputs->shape[0];
    c->in = inputs->shape[1];
    c->height = inputs->shape[2];
    c->width = inputs->shape[3];
    c->out = weights->shape[0];
    c->window.height = weights->shape[2];
    c->window.width = weights->shape[3];
    if (c->in % c->groups || c->out % c->groups || c->in / c->groups != weights->shape[1])
        return pr_fail(
            PRUNE_E_SHAPE,
            "inputs have %lld channels, weights %lld x %lld and groups=%lld; each group must have in / groups "
            "channels",
            (long long)c->in, (long long)c->out, (long long)weights->shape[1], (long long)c->groups);
    PR_TRY(pr_window_output(&c->window, inputs->shape[2], inputs->shape[3], c->output));
    const int64_t due[] = {c->samples, c->out, c->output[0], c->output[1]};
    return pr_curvature_expect(curvatures, "curvatures", 4, due);
}

/* The tensors in doubles: weights, inputs, curvatures, and what is worked out. */
enum { W, X, H, OF_WEIGHTS, OF_INPUTS, TENSORS };

static int32_t run_convolution(struct convolution *c, prune_tensor *tensor[TENSORS], prune_tensor *of_weights,
                               prune_tensor *of_inputs)
{
    if (of_weights) {
        PR_TRY(prune_tensor_create(&tensor[OF_WEIGHTS], of_weights->context, PRUNE_F64, 4, of_weights->shape));
        c->of_weights = prune_tensor_data(tensor[OF_WEIGHTS]);
    }
    if (of_inputs) {
        PR_TRY(prune_tensor_create(&tensor[OF_INPUTS], of_inputs->context, PRUNE_F64, 4, of_inputs->shape));
        c->of_inputs = prune_tensor_data(tensor[OF_INPUTS]);
    }
    c->w = prune_tensor_const_data(tensor[W]);
    c->x = prune_tensor_const_data(tensor[X]);
    c->h = prune_tensor_const_data(tensor[H]);
    convolve(c);
    if (of_weights)
        PR_TRY(prune_tensor_copy(of_weights, tensor[OF_WEIGHTS]));
    return of_inputs ? prune_tensor_copy(of_inputs, tensor[OF_INPUTS]) : PRUNE_OK;
}

int32_t prune_curvature_convolution(prune_tensor *of_weights, prune_tensor *of_inputs, const prune_tensor *weights,
                                    const prune_tensor *inputs, const prune_tensor *curvatures, const char *spec)
{
    struct pr_values values;
    struct convolution c = {.groups = 1};
    prune_tensor *tensor[TENSORS] = {NULL};
    PR_REQUIRE(weights);
    PR_REQUIRE(inputs);
    PR_REQUIRE(curvatures);
    if (!of_weights && !of_inputs)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: of_weights and of_inputs are NULL; one at least must be given", __func__);
    PR_TRY(pr_spec_parse_list(spec, "convolution", pr_window_parameters, &values));
    c.window.stride = values.whole[PR_STRIDE];
    c.window.padding = values.whole[PR_PADDING];
    c.window.dilation = values.whole[PR_DILATION];
    c.groups = values.whole[PR_WINDOW_GROUPS];
    PR_TRY(check_convolution(&c, weights, inputs, curvatures));
    PR_TRY(pr_curvature_expect(of_weights, "curvatures of the weights", 4, weights->shape));
    PR_TRY(pr_curvature_expect(of_inputs, "curvatures of the inputs", 4, inputs->shape));
    int32_t status = pr_curvature_read(&tensor[W], weights, "weights");
    if (!status)
        status = pr_curvature_read(&tensor[X], inputs, "inputs");
    if (!status)
        status = pr_curvature_read(&tensor[H], curvatures, "curvatures");
    if (!status)
        status = run_convolution(&c, tensor, of_weights, of_inputs);
    for (int i = 0; i < TENSORS; i++)
        prune_tensor_free(tensor[i]);
    return status;
}

/* One window of one channel. */
static void pool_one(const struct pr_window *w, int average, int64_t height, int64_t width, int64_t p, int64_t q,
                     const double *x, double h, double *of_inputs)
{
    int64_t best = -1;
    double share = h / (double)(w->height * w->width) / (double)(w->height * w->width);
    for (int64_t u = 0; u < w->height; u++)
        for (int64_t v = 0; v < w->width; v++) {
            int64_t row = p * w->stride + u - w->padding, column = q * w->stride + v - w->padding;
            if (row < 0 || row >= height || column < 0 || column >= width)
                continue;
            int64_t at = row * width + column;
            if (average)
                of_inputs[at] += share;
            else if (best < 0 || x[at] > x[best])
                best = at;
        }
    if (best >= 0)
        of_inputs[best] += h;
}

static void pool(const struct pr_window *w, int average, const prune_tensor *x, const prune_tensor *h,
                 double *of_inputs)
{
    int64_t height = x->shape[2], width = x->shape[3], rows = h->shape[2], columns = h->shape[3];
    const double *numbers = prune_tensor_const_data(x), *curvatures = prune_tensor_const_data(h);
    for (int64_t i = 0; i < h->count; i++) {
        int64_t plane = i / (rows * columns) * height * width;
        pool_one(w, average, height, width, i / columns % rows, i % columns, numbers + plane, curvatures[i],
                 of_inputs + plane);
    }
}

int32_t prune_curvature_pool(prune_tensor *of_inputs, const prune_tensor *inputs, const prune_tensor *curvatures,
                             const char *spec)
{
    struct pr_values values;
    int64_t output[2];
    prune_tensor *x = NULL, *h = NULL, *result = NULL;
    PR_REQUIRE(of_inputs);
    PR_REQUIRE(inputs);
    PR_REQUIRE(curvatures);
    PR_TRY(pr_spec_parse_list(spec, "pooling", pool_parameters, &values));
    if (inputs->rank != 4)
        return pr_fail(PRUNE_E_SHAPE, "%s: inputs have rank %d; they must be [samples, channels, height, width]",
                       __func__, (int)inputs->rank);
    int64_t size = values.whole[SIZE], stride = values.whole[POOL_STRIDE] ? values.whole[POOL_STRIDE] : size;
    struct pr_window w = {size, size, stride, values.whole[POOL_PADDING], 1};
    if (2 * w.padding > size)
        return pr_fail(PRUNE_E_SPEC, "pooling: padding=%lld is above half of size=%lld; some windows would be empty",
                       (long long)w.padding, (long long)size);
    PR_TRY(pr_window_output(&w, inputs->shape[2], inputs->shape[3], output));
    PR_TRY(pr_curvature_expect(curvatures, "curvatures", 4,
                               (const int64_t[]){inputs->shape[0], inputs->shape[1], output[0], output[1]}));
    PR_TRY(pr_curvature_expect(of_inputs, "curvatures of the inputs", 4, inputs->shape));
    int32_t status = pr_curvature_read(&x, inputs, "inputs");
    if (!status)
        status = pr_curvature_read(&h, curvatures, "curvatures");
    if (!status)
        status = prune_tensor_create(&result, of_inputs->context, PRUNE_F64, 4, of_inputs->shape);
    if (!status) {
        pool(&w, values.whole[KIND] == KIND_AVERAGE, x, h, prune_tensor_data(result));
        status = prune_tensor_copy(of_inputs, result);
    }
    prune_tensor_free(x);
    prune_tensor_free(h);
    prune_tensor_free(result);
    return status;
}
