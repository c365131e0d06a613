/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Channels that have become constant: finding them, moving what they add into the next bias, leaving them out.
 */
#include <math.h>
#include <string.h>

#include "base/spec.h"
#include "core/mask/mask.h"
#include "core/recover/numbers.h"
#include "prune/correct.h"

enum { NONE, RELU, RELU6, SIGMOID, TANH };

static const struct pr_parameter dead_parameters[] = {
    {"activation", PR_WORD, "none", 0, 0, "none|relu|relu6|sigmoid|tanh", "what follows the layer"},
    {NULL, PR_WHOLE, NULL, 0, 0, NULL, NULL},
};

static double activate(int64_t activation, double x)
{
    switch (activation) {
    case RELU:
        return x > 0 ? x : 0;
    case RELU6:
        return x > 6 ? 6 : x > 0 ? x : 0;
    case SIGMOID:
        return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
    case TANH:
        return tanh(x);
    default:
        return x;
    }
}

/* Keeps the rows that have a weight other than zero. */
static int32_t find_alive(prune_mask **out, const prune_tensor *weights)
{
    int64_t rows = weights->shape[0], columns = rows ? weights->count / rows : 0;
    double *w;
    PR_TRY(pr_numbers_read(&w, weights, "prune_dead_channels", "weights"));
    int32_t status = pr_mask_new(out, weights->context, 1, &rows, 0);
    if (!status)
        for (int64_t i = 0; i < weights->count; i++)
            if (w[i] != 0)
                pr_mask_keep(*out, i / columns);
    pr_release(weights->context, w);
    return status;
}

static int32_t find_constants(prune_tensor **out, const prune_mask *alive, const prune_tensor *bias, int64_t activation)
{
    double *b = NULL;
    prune_tensor *constants = NULL;
    PR_TRY(prune_tensor_create(&constants, alive->context, PRUNE_F64, 1, alive->shape));
    int32_t status = bias ? pr_numbers_vector(&b, bias, alive->count, "prune_dead_channels", "bias") : PRUNE_OK;
    if (status) {
        prune_tensor_free(constants);
        return status;
    }
    double *c = prune_tensor_data(constants);
    for (int64_t i = 0; i < alive->count; i++)
        c[i] = pr_mask_get(alive, i) ? 0 : activate(activation, b ? b[i] : 0);
    if (b)
        pr_release(bias->context, b);
    *out = constants;
    return PRUNE_OK;
}

int32_t prune_dead_channels(prune_mask **alive, prune_tensor **constants, const prune_tensor *weights,
                            const prune_tensor *bias, const char *spec)
{
    struct pr_values values;
    prune_mask *mask = NULL;
    prune_tensor *outputs = NULL;
    PR_REQUIRE(weights);
    if (!alive && !constants)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: alive and constants are NULL; one of them must be given", __func__);
    PR_TRY(pr_spec_parse_list(spec, __func__, dead_parameters, &values));
    if (weights->rank < 1)
        return pr_fail(PRUNE_E_SHAPE, "%s: weights has no axis; it must have its outputs on axis 0", __func__);
    PR_TRY(find_alive(&mask, weights));
    int32_t status = find_constants(&outputs, mask, bias, values.whole[0]);
    if (!status && constants)
        *constants = outputs;
    else
        prune_tensor_free(outputs);
    if (!status && alive)
        *alive = mask;
    else
        prune_mask_free(mask);
    return status;
}

enum { PADDING_NONE, PADDING_ZERO, PADDING_INTERIOR };

static const struct pr_parameter absorb_parameters[] = {
    {"groups", PR_WHOLE, "1", 1, 9007199254740992.0, NULL, "groups of the convolution, 1 or more"},
    {"padding", PR_WORD, "none", 0, 0, "none|zero|interior", "what taps read beyond the image"},
    {NULL, PR_WHOLE, NULL, 0, 0, NULL, NULL},
};

struct absorption {
    const prune_mask *alive;
    const double *constants;
    int64_t rows, columns;             /* of the next weights */
    int64_t inputs, per_channel, taps; /* axis 1, its indices for each channel, and columns of each index */
    int64_t groups, padding;
};

/* Works on copies of the next layer's bias and weights; *border is the most that absent taps can sum up to. */
static int32_t absorb(const struct absorption *a, double *bias, double *weights, double *border)
{
    *border = 0;
    for (int64_t row = 0; row < a->rows; row++) {
        double sum = 0, above = 0, below = 0;
        int64_t first = row / (a->rows / a->groups) * a->inputs; /* of the row's group, on axis 1 of all groups */
        for (int64_t i = 0; i < a->columns; i++) {
            int64_t channel = (first + i / a->taps) / a->per_channel;
            double *weight = &weights[row * a->columns + i];
            if (pr_mask_get(a->alive, channel))
                continue;
            double product = *weight * a->constants[channel];
            if (product != 0 && a->padding == PADDING_ZERO)
                return pr_fail(PRUNE_E_UNSUPPORTED,
                               "prune_absorb_constants: channel %lld is %g everywhere but in the zero padding, where "
                               "no bias can stand for it: keep it, or take padding=interior",
                               (long long)channel, a->constants[channel]);
            sum += product;
            *(product > 0 ? &above : &below) += product;
            *weight = 0;
        }
        bias[row] += sum;
        double worst = above > -below ? above : -below;
        if (a->padding == PADDING_INTERIOR && worst > *border)
            *border = worst;
    }
    return PRUNE_OK;
}

static int32_t plan_absorption(struct absorption *a, const prune_tensor *weights, const prune_mask *alive,
                               const struct pr_values *values)
{
    char shape[PR_MAX_SHAPE_TEXT], mask_shape[PR_MAX_SHAPE_TEXT];
    int64_t all = 0;
    if (weights->rank < 2)
        return pr_fail(PRUNE_E_SHAPE,
                       "prune_absorb_constants: next_weights is %s; it must have outputs on axis 0 and inputs on "
                       "axis 1",
                       pr_shape_text(shape, weights->rank, weights->shape));
    *a = (struct absorption){.alive = alive,
                             .rows = weights->shape[0],
                             .inputs = weights->shape[1],
                             .taps = 1,
                             .groups = values->whole[0],
                             .padding = values->whole[1]};
    for (int32_t i = 2; i < weights->rank; i++)
        a->taps *= weights->shape[i];
    a->columns = a->inputs * a->taps;
    if (a->rows % a->groups)
        return pr_fail(PRUNE_E_SHAPE,
                       "prune_absorb_constants: groups is %lld; it must divide the %lld outputs of "
                       "next_weights",
                       (long long)a->groups, (long long)a->rows);
    PR_TRY(pr_mul(a->inputs, a->groups, &all));
    if (alive->rank != 1 || (alive->count ? all % alive->count != 0 || all == 0 : all != 0))
        return pr_fail(PRUNE_E_SHAPE,
                       "prune_absorb_constants: alive is %s and next_weights %s with groups %lld has %lld inputs; "
                       "they must be as many as the channels, or a multiple",
                       pr_shape_text(mask_shape, alive->rank, alive->shape),
                       pr_shape_text(shape, weights->rank, weights->shape), (long long)a->groups, (long long)all);
    a->per_channel = alive->count ? all / alive->count : 1;
    return PRUNE_OK;
}

int32_t prune_absorb_constants(prune_tensor *next_bias, prune_tensor *next_weights, const prune_tensor *constants,
                               const prune_mask *alive, const char *spec, double *border_error)
{
    struct pr_values values;
    struct absorption a = {0};
    double *bias = NULL, *weights = NULL, *outputs = NULL, border = 0;
    PR_REQUIRE(next_bias);
    PR_REQUIRE(next_weights);
    PR_REQUIRE(constants);
    PR_REQUIRE(alive);
    PR_TRY(pr_spec_parse_list(spec, __func__, absorb_parameters, &values));
    PR_TRY(plan_absorption(&a, next_weights, alive, &values));
    int32_t status = pr_numbers_vector(&outputs, constants, alive->count, __func__, "constants");
    if (!status)
        status = pr_numbers_vector(&bias, next_bias, a.rows, __func__, "next_bias");
    if (!status)
        status = pr_numbers_read(&weights, next_weights, __func__, "next_weights");
    a.constants = outputs;
    if (!status)
        status = absorb(&a, bias, weights, &border);
    if (!status) {
        pr_numbers_write(next_bias, bias);
        pr_numbers_write(next_weights, weights);
        if (border_error)
            *border_error = border;
    }
    pr_release(next_weights->context, weights);
    pr_release(next_bias->context, bias);
    pr_release(constants->context, outputs);
    return status;
}

int32_t prune_keep_channels(prune_tensor **out, const prune_tensor *tensor, int32_t axis, const prune_mask *alive)
{
    char shape[PR_MAX_SHAPE_TEXT], mask_shape[PR_MAX_SHAPE_TEXT];
    int64_t kept_shape[PRUNE_MAX_RANK];
    prune_tensor *kept;
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    PR_REQUIRE(alive);
    if (axis < 0 || axis >= tensor->rank)
        return pr_fail(PRUNE_E_SHAPE, "%s: axis is %d; it must be one of the %d axes of tensor", __func__, (int)axis,
                       (int)tensor->rank);
    int64_t extent = tensor->shape[axis];
    if (alive->rank != 1 || (alive->count ? extent % alive->count != 0 || extent == 0 : extent != 0))
        return pr_fail(PRUNE_E_SHAPE,
                       "%s: alive is %s and tensor %s; extent %lld of axis %d must be the number of "
                       "channels, or a multiple",
                       __func__, pr_shape_text(mask_shape, alive->rank, alive->shape),
                       pr_shape_text(shape, tensor->rank, tensor->shape), (long long)extent, (int)axis);
    int64_t each = alive->count ? extent / alive->count : 1, inner = 1, size = prune_dtype_size(tensor->dtype);
    for (int32_t i = 0; i < tensor->rank; i++) {
        kept_shape[i] = i == axis ? each * prune_mask_kept(alive) : tensor->shape[i];
        if (i > axis)
            inner *= tensor->shape[i];
    }
    PR_TRY(pr_tensor_new(&kept, tensor->context, tensor->dtype, tensor->rank, kept_shape));
    char *to = kept->data;
    struct pr_walk walk;
    for (pr_walk_start(&walk, tensor); walk.count; pr_walk_next(&walk))
        for (int64_t i = 0; i < walk.count; i++)
            if (pr_mask_get(alive, (walk.position + i) / inner % extent / each)) {
                memcpy(to, walk.data + i * walk.stride * size, (size_t)size);
                to += size;
            }
    *out = kept;
    return PRUNE_OK;
}
