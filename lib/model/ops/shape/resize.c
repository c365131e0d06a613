/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/numbers.h"
#include "model/ops/ops.h"

enum mode { NEAREST, LINEAR, CUBIC };
enum coordinate { HALF_PIXEL, ALIGN_CORNERS, ASYMMETRIC, PYTORCH_HALF_PIXEL, CROP, HALF_PIXEL_FOR_NN, SYMMETRIC };
enum rounding { PREFER_FLOOR, PREFER_CEIL, DOWN, UP };

struct resizing {
    int mode, coordinate, rounding, excludes;
    double cubic_a;
    int64_t out[PRUNE_MAX_RANK];
    double scale[PRUNE_MAX_RANK], start[PRUNE_MAX_RANK], end[PRUNE_MAX_RANK];
};

/* What an output's place along one axis is made of. */
struct taps {
    int64_t at[4];
    double weight[4];
    int32_t count, is_outside;
};

static int32_t find_word(const struct pm_call *call, const char *attribute, const char *or_else,
                         const char *const *words, int *out)
{
    const char *word = pm_attribute_string(call->node, attribute, or_else);
    for (int i = 0; words[i]; i++)
        if (strcmp(word, words[i]) == 0) {
            *out = i;
            return PRUNE_OK;
        }
    return pr_fail(PRUNE_E_UNSUPPORTED, "%s is \"%.40s\"; it must be one that Resize has, as \"%s\"", attribute, word,
                   words[0]);
}

static int32_t find_modes(const struct pm_call *call, struct resizing *r)
{
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const coordinates[] = {
        "half_pixel",         "align_corners",        "asymmetric",           "pytorch_half_pixel",
        "tf_crop_and_resize", "tf_half_pixel_for_nn", "half_pixel_symmetric", NULL};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    int is_old = call->opset < 11;
    PR_TRY(find_word(call, "mode", "nearest", modes, &r->mode));
    PR_TRY(find_word(call, "coordinate_transformation_mode", is_old ? "asymmetric" : "half_pixel", coordinates,
                     &r->coordinate));
    PR_TRY(find_word(call, "nearest_mode", is_old ? "floor" : "round_prefer_floor", roundings, &r->rounding));
    r->excludes = pm_attribute_int(call->node, "exclude_outside", 0) != 0;
    r->cubic_a = (double)pm_attribute_float(call->node, "cubic_coeff_a", -0.75f);
    if (pm_attribute_int(call->node, "antialias", 0))
        return pr_fail(PRUNE_E_UNSUPPORTED, "antialias is 1; it must be 0");
    return PRUNE_OK;
}

/* Whether input `index` has numbers; an empty one is as good as left out. */
static int has_numbers(const struct pm_call *call, int32_t index)
{
    return pm_has_input(call, index) && call->inputs[index].type.count > 0;
}

static int32_t find_floats(const struct pm_call *call, int32_t index, const char *name, int64_t want)
{
    const struct pm_operand *in = &call->inputs[index];
    PR_TRY(pm_expect_dtype(call, index, PM_FLOATING));
    if (!in->data || !in->is_constant)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s is computed; it must be constant", name);
    if (in->type.count != want)
        return pr_fail(PRUNE_E_SHAPE, "%s has %lld numbers; it must have %lld", name, (long long)in->type.count,
                       (long long)want);
    return PRUNE_OK;
}

static int32_t use_scales(const struct pm_call *call, int32_t index, int64_t count, const int32_t *axes,
                          struct resizing *r)
{
    const struct pm_operand *in = &call->inputs[index];
    PR_TRY(find_floats(call, index, "scales", count));
    for (int64_t i = 0; i < count; i++) {
        int32_t axis = axes[i];
        double scale = pm_number(in->type.dtype, in->data, i);
        float extent = (float)call->inputs[0].type.extents[axis] * (float)scale;
        if (!(scale > 0) || !(extent < 2147483648.0f))
            return pr_fail(PRUNE_E_SHAPE, "the scale of axis %d is %g; it must be above 0 and give below 2^31",
                           (int)axis, scale);
        r->scale[axis] = scale;
        r->out[axis] = (int64_t)floorf(extent);
    }
    return PRUNE_OK;
}

static int32_t use_sizes(const struct pm_call *call, int64_t count, const int32_t *axes, struct resizing *r)
{
    static const char *const policies[] = {"stretch", "not_larger", "not_smaller", NULL};
    const struct pm_type *in = &call->inputs[0].type;
    int64_t sizes[PRUNE_MAX_RANK], size_count;
    int policy;
    double common = 0;
    PR_TRY(pm_ints_of(call, NULL, 3, PRUNE_MAX_RANK, sizes, &size_count));
    PR_TRY(find_word(call, "keep_aspect_ratio_policy", "stretch", policies, &policy));
    if (size_count != count)
        return pr_fail(PRUNE_E_SHAPE, "sizes has %lld numbers; it must have %lld", (long long)size_count,
                       (long long)count);
    for (int64_t i = 0; i < count; i++) {
        int64_t extent = in->extents[axes[i]];
        if (sizes[i] < 0 || sizes[i] > INT32_MAX || (extent == 0 && (sizes[i] > 0 || policy)))
            return pr_fail(PRUNE_E_SHAPE, "axis %d of %lld elements cannot be resized to %lld", (int)axes[i],
                           (long long)extent, (long long)sizes[i]);
        double scale = extent ? (double)sizes[i] / (double)extent : 1;
        r->out[axes[i]] = sizes[i];
        r->scale[axes[i]] = scale;
        if (i == 0 || (policy == 1 ? scale < common : scale > common))
            common = scale;
    }
    for (int64_t i = 0; policy && i < count; i++) {
        double extent = floor(common * (double)in->extents[axes[i]] + 0.5);
        if (!(extent < 2147483648.0))
            return pr_fail(PRUNE_E_SHAPE, "axis %d would have %g elements; below 2^31 is right", (int)axes[i], extent);
        r->scale[axes[i]] = common;
        r->out[axes[i]] = (int64_t)extent;
    }
    return PRUNE_OK;
}

static int32_t find_resizing(const struct pm_call *call, struct resizing *r)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t listed[PRUNE_MAX_RANK];
    const int64_t *ints = NULL;
    int32_t axes[PRUNE_MAX_RANK], scales = call->opset < 11 ? 1 : 2;
    int64_t count = pm_attribute_ints(call->node, "axes", &ints);
    PR_TRY(find_modes(call, r));
    if (count > in->rank)
        return pr_fail(PRUNE_E_SHAPE, "%lld axes for rank %d", (long long)count, (int)in->rank);
    for (int32_t i = 0; i < in->rank; i++) {
        listed[i] = i < count ? ints[i] : i;
        r->out[i] = in->extents[i];
        r->scale[i] = r->end[i] = 1;
        r->start[i] = 0;
    }
    count = count > 0 ? count : in->rank;
    for (int64_t i = 0; i < count; i++)
        PR_TRY(pm_axis(listed[i], in->rank, 0, &axes[i]));
    int has_scales = has_numbers(call, scales), has_sizes = scales == 2 && has_numbers(call, 3);
    if (has_scales == has_sizes && in->rank > 0)
        return pr_fail(PRUNE_E_FORMAT, "%s scales and sizes; one of them must be given",
                       has_sizes ? "both" : "neither");
    if (has_scales)
        PR_TRY(use_scales(call, scales, count, axes, r));
    if (has_sizes)
        PR_TRY(use_sizes(call, count, axes, r));
    if (r->coordinate == CROP) {
        if (scales == 1 || !has_numbers(call, 1))
            return pr_fail(PRUNE_E_FORMAT, "tf_crop_and_resize without roi; it must be given");
        PR_TRY(find_floats(call, 1, "roi", 2 * count));
        for (int64_t i = 0; i < count; i++) {
            r->start[axes[i]] = pm_number(call->inputs[1].type.dtype, call->inputs[1].data, i);
            r->end[axes[i]] = pm_number(call->inputs[1].type.dtype, call->inputs[1].data, count + i);
        }
    }
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    struct resizing r;
    const struct pm_type *in = &call->inputs[0].type;
    int64_t places = 0;
    PR_TRY(pm_expect_inputs(call, 1, 4));
    PR_TRY(pm_expect_dtype(call, 0, PM_NUMBERS));
    PR_TRY(find_resizing(call, &r));
    for (int32_t i = 0; i < in->rank; i++)
        PR_TRY(pr_add(places, r.out[i], &places));
    PR_TRY(pr_mul(places, (int64_t)sizeof(struct taps), &call->scratch_bytes));
    return pm_type_set(&call->outputs[0].type, in->dtype, in->rank, r.out);
}

/* Where place `x` of the output lies in the input. */
static double original(const struct resizing *r, int32_t axis, int64_t extent, int64_t place)
{
    double x = (double)place, in = (double)extent, scale = r->scale[axis], out = scale * in;
    switch (r->coordinate) {
    case ALIGN_CORNERS:
        return r->out[axis] <= 1 || out == 1 ? 0 : x * (in - 1) / (out - 1);
    case ASYMMETRIC:
        return x / scale;
    case PYTORCH_HALF_PIXEL:
        return r->out[axis] > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case CROP:
        if (r->out[axis] <= 1)
            return 0.5 * (r->start[axis] + r->end[axis]) * (in - 1);
        return r->start[axis] * (in - 1) + x * (r->end[axis] - r->start[axis]) * (in - 1) / (double)(r->out[axis] - 1);
    case HALF_PIXEL_FOR_NN:
        return (x + 0.5) / scale;
    case SYMMETRIC:
        return in / 2 * (1 - (double)r->out[axis] / out) + (x + 0.5) / scale - 0.5;
    default:
        return (x + 0.5) / scale - 0.5;
    }
}

static double cubic(double a, double d)
{
    d = fabs(d);
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static void find_taps(const struct resizing *r, int32_t axis, int64_t extent, int64_t place, struct taps *taps)
{
    double x = original(r, axis, extent, place), sum = 0, low;
    taps->is_outside = r->coordinate == CROP && !(x >= 0 && x <= (double)(extent - 1));
    x = x > -4 ? x : -4; /* far outside is as good as near, and fits */
    x = x < (double)extent + 4 ? x : (double)extent + 4;
    low = floor(x);
    int64_t first = (int64_t)low;
    taps->count = 0;
    taps->at[0] = 0;
    if (r->mode == NEAREST)
        first = (int64_t)(r->rounding == DOWN          ? low
                          : r->rounding == UP          ? ceil(x)
                          : r->rounding == PREFER_CEIL ? floor(x + 0.5)
                                                       : ceil(x - 0.5));
    int32_t count = r->mode == NEAREST ? 1 : r->mode == LINEAR ? 2 : 4;
    for (int32_t k = 0; k < count; k++) {
        int64_t at = first + k - (count == 4);
        double d = x - (double)at, weight = count == 1 ? 1 : count == 2 ? 1 - fabs(d) : cubic(r->cubic_a, d);
        int is_in = at >= 0 && at < extent;
        if (weight == 0 || (count == 4 && r->excludes && !is_in))
            continue; /* nothing times NaN would be NaN */
        taps->at[taps->count] = at < 0 ? 0 : at >= extent ? extent - 1 : at;
        taps->weight[taps->count++] = weight;
        sum += weight;
    }
    for (int32_t k = 0; count == 4 && r->excludes && k < taps->count; k++)
        taps->weight[k] /= sum;
}

/* The sum over the taps of axes `axis` and behind. */
static double gather(const struct pm_operand *in, const struct taps *const *taps, int32_t axis, int64_t base)
{
    double sum = 0;
    if (axis == in->type.rank)
        return pm_number(in->type.dtype, in->data, base);
    for (int32_t k = 0; k < taps[axis]->count; k++)
        sum += taps[axis]->weight[k] * gather(in, taps, axis + 1, base * in->type.extents[axis] + taps[axis]->at[k]);
    return sum;
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *in = &call->inputs[0], *out = &call->outputs[0];
    struct taps *tables[PRUNE_MAX_RANK], *free_taps = call->scratch;
    const struct taps *here[PRUNE_MAX_RANK];
    int64_t size = prune_dtype_size(in->type.dtype);
    double extrapolation = (double)pm_attribute_float(call->node, "extrapolation_value", 0);
    struct resizing r;
    PR_TRY(find_resizing(call, &r));
    if (out->type.count == 0)
        return PRUNE_OK;
    for (int32_t axis = 0; axis < in->type.rank; axis++) {
        tables[axis] = free_taps;
        for (int64_t i = 0; i < r.out[axis]; i++)
            find_taps(&r, axis, in->type.extents[axis], i, free_taps++);
    }
    for (int64_t i = 0; i < out->type.count; i++) {
        int is_outside = 0;
        int64_t rest = i, at = 0;
        for (int32_t axis = in->type.rank - 1; axis >= 0; axis--) {
            here[axis] = &tables[axis][rest % r.out[axis]];
            rest /= r.out[axis];
            is_outside |= here[axis]->is_outside;
        }
        for (int32_t axis = 0; axis < in->type.rank; axis++)
            at = at * in->type.extents[axis] + here[axis]->at[0];
        double value = is_outside ? extrapolation : r.mode == NEAREST ? 0 : gather(in, here, 0, 0);
        if (r.mode == NEAREST && !is_outside)
            memcpy((char *)out->data + i * size, (const char *)in->data + at * size, (size_t)size);
        else
            pm_store(PM_F64, &value, 1, out->type.dtype, out->data, i);
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_resize = {.op = "Resize", .infer = infer, .run = run};
