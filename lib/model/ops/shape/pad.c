/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/numbers.h"
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

enum mode { CONSTANT, EDGE, REFLECT, WRAP };

struct padding {
    enum mode mode;
    int64_t before[PRUNE_MAX_RANK], after[PRUNE_MAX_RANK]; /* negative ones cut off */
};

static int32_t find_mode(const struct pm_call *call, enum mode *mode)
{
    static const char *const names[] = {"constant", "edge", "reflect", "wrap"};
    const char *name = pm_attribute_string(call->node, "mode", "constant");
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0) {
            *mode = (enum mode)i;
            return PRUNE_OK;
        }
    return pr_fail(PRUNE_E_UNSUPPORTED, "mode is \"%.40s\"; it must be constant, edge, reflect or wrap", name);
}

static int32_t find_padding(const struct pm_call *call, struct padding *padding)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t pads[2 * PRUNE_MAX_RANK], axes[PRUNE_MAX_RANK], count, axis_count;
    PR_TRY(find_mode(call, &padding->mode));
    PR_TRY(pm_ints_of(call, "pads", 1, 2 * PRUNE_MAX_RANK, pads, &count));
    PR_TRY(pm_ints_of(call, "axes", 3, PRUNE_MAX_RANK, axes, &axis_count));
    int64_t half = axis_count < 0 ? in->rank : axis_count;
    if (count != 2 * half)
        return pr_fail(PRUNE_E_SHAPE, "%lld pads for %lld axes; two each are needed", (long long)count,
                       (long long)half);
    for (int32_t i = 0; i < PRUNE_MAX_RANK; i++)
        padding->before[i] = padding->after[i] = 0;
    for (int64_t i = 0; i < half; i++) {
        int32_t axis;
        PR_TRY(pm_axis(axis_count < 0 ? i : axes[i], in->rank, 0, &axis));
        padding->before[axis] = pads[i];
        padding->after[axis] = pads[half + i];
        int64_t extent = in->extents[axis], more = pads[i] > pads[half + i] ? pads[i] : pads[half + i];
        if (more > INT32_MAX || pads[i] < -extent || pads[half + i] < -extent)
            return pr_fail(PRUNE_E_SHAPE, "pads of %lld and %lld along axis %d of %lld elements", (long long)pads[i],
                           (long long)pads[half + i], (int)axis, (long long)extent);
        /* What is cut off is gone before the rest is repeated. */
        int64_t kept = extent + (pads[i] < 0 ? pads[i] : 0) + (pads[half + i] < 0 ? pads[half + i] : 0);
        if (padding->mode != CONSTANT && more > 0 && kept < (padding->mode == REFLECT ? more + 1 : 1))
            return pr_fail(PRUNE_E_SHAPE, "%lld elements of axis %d are too few to be padded by %lld from within",
                           (long long)kept, (int)axis, (long long)more);
    }
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    struct padding padding;
    int64_t extents[PRUNE_MAX_RANK];
    PR_TRY(pm_expect_inputs(call, 1, 4));
    PR_TRY(find_padding(call, &padding));
    if (pm_has_input(call, 2) && (call->inputs[2].type.count != 1 || call->inputs[2].type.dtype != in->dtype))
        return pr_fail(PRUNE_E_SHAPE, "the constant must be one %s", prune_dtype_name(in->dtype));
    for (int32_t i = 0; i < in->rank; i++)
        extents[i] = in->extents[i] + padding.before[i] + padding.after[i];
    return pm_type_set(&call->outputs[0].type, in->dtype, in->rank, extents);
}

static void fill(const struct pm_call *call)
{
    const struct pm_operand *out = &call->outputs[0];
    int64_t size = prune_dtype_size(out->type.dtype);
    float value = pm_attribute_float(call->node, "value", 0);
    char *to = out->data;
    memset(to, 0, (size_t)pm_type_bytes(&out->type));
    if (pm_has_input(call, 2))
        for (int64_t i = 0; i < out->type.count; i++)
            memcpy(to + i * size, call->inputs[2].data, (size_t)size);
    else if (value != 0)
        for (int64_t i = 0; i < out->type.count; i++)
            pm_store(PM_F32, &value, 1, out->type.dtype, out->data, i);
}

/* The part of the input that stays, to where it comes. */
static void copy_middle(const struct pm_call *call, const struct padding *padding)
{
    const struct pm_operand *in = &call->inputs[0], *out = &call->outputs[0];
    struct pm_box from = pm_box_of(&in->type, in->data), to = pm_box_of(&out->type, out->data);
    int64_t size = prune_dtype_size(in->type.dtype), extents[PRUNE_MAX_RANK];
    for (int32_t i = 0; i < in->type.rank; i++) {
        int64_t before = padding->before[i], after = padding->after[i];
        extents[i] = in->type.extents[i] + (before < 0 ? before : 0) + (after < 0 ? after : 0);
        if (extents[i] <= 0)
            return;
        from.first += (before < 0 ? -before : 0) * from.strides[i] * size;
        to.first += (before > 0 ? before : 0) * to.strides[i] * size;
    }
    pm_box_copy(&to, &from, in->type.rank, extents, size);
}

/* Which element of an axis stands `at` elements behind its first, outside of it too. */
static int64_t inside(enum mode mode, int64_t at, int64_t extent)
{
    if (at >= 0 && at < extent)
        return at;
    if (mode == WRAP)
        return (at % extent + extent) % extent;
    if (mode == EDGE)
        return at < 0 ? 0 : extent - 1;
    return at < 0 ? -at : 2 * (extent - 1) - at;
}

/* Axis by axis from the last: its borders are copied from the output itself, over all that the axes behind and the
 * middle of those before have filled. */
static void copy_borders(const struct pm_call *call, const struct padding *padding)
{
    const struct pm_operand *out = &call->outputs[0];
    const struct pm_type *type = &out->type;
    int64_t size = prune_dtype_size(type->dtype);
    for (int32_t axis = type->rank - 1; axis >= 0; axis--) {
        int64_t before = padding->before[axis] > 0 ? padding->before[axis] : 0, extents[PRUNE_MAX_RANK];
        int64_t kept = type->extents[axis] - before - (padding->after[axis] > 0 ? padding->after[axis] : 0);
        for (int64_t k = 0; k < type->extents[axis]; k++) {
            if (k >= before && k < before + kept)
                continue;
            struct pm_box from = pm_box_of(type, out->data), to = from;
            for (int32_t i = 0; i < type->rank; i++) {
                int64_t skipped = i < axis && padding->before[i] > 0 ? padding->before[i] : 0;
                int64_t more = i < axis && padding->after[i] > 0 ? padding->after[i] : 0;
                extents[i] = i == axis ? 1 : type->extents[i] - skipped - more;
                from.first += skipped * from.strides[i] * size;
                to.first += skipped * to.strides[i] * size;
            }
            from.first += (before + inside(padding->mode, k - before, kept)) * from.strides[axis] * size;
            to.first += k * to.strides[axis] * size;
            pm_box_copy(&to, &from, type->rank, extents, size);
        }
    }
}

static int32_t run(const struct pm_call *call)
{
    struct padding padding;
    PR_TRY(find_padding(call, &padding));
    if (call->outputs[0].type.count == 0)
        return PRUNE_OK;
    if (padding.mode == CONSTANT)
        fill(call);
    copy_middle(call, &padding);
    if (padding.mode != CONSTANT)
        copy_borders(call, &padding);
    return PRUNE_OK;
}

const struct pm_operator pm_operator_pad = {.op = "Pad", .infer = infer, .run = run};
