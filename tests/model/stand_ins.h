/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Stand-ins for operators that the library does not run, as far as the networks of the tests need them.
 */
#ifndef STAND_INS_H
#define STAND_INS_H

#include "graphs.h"

static inline int32_t infer_flatten(struct pm_call *call)
{
    const struct pm_type *x = &call->inputs[0].type;
    return pm_type_set(&call->outputs[0].type, x->dtype, 2,
                       (const int64_t[]){pm_type_span(x, 0, 1), pm_type_span(x, 1, x->rank)});
}

static inline int32_t run_flatten(const struct pm_call *call)
{
    memcpy(call->outputs[0].data, call->inputs[0].data, (size_t)pm_type_bytes(&call->outputs[0].type));
    return PRUNE_OK;
}

/* Begin and step of the slice along each axis, and the output's extents. */
static inline int32_t read_slice(const struct pm_call *call, int64_t *begin, int64_t *step, int64_t *extents)
{
    int64_t starts[8], ends[8], axes[8], steps[8], count, axes_count, steps_count;
    const struct pm_type *x = &call->inputs[0].type;
    PR_TRY(pm_ints_of(call, "starts", 1, 8, starts, &count));
    PR_TRY(pm_ints_of(call, "ends", 2, 8, ends, &count));
    PR_TRY(pm_ints_of(call, "axes", 3, 8, axes, &axes_count));
    PR_TRY(pm_ints_of(call, "steps", 4, 8, steps, &steps_count));
    for (int32_t i = 0; i < x->rank; i++)
        begin[i] = 0, step[i] = 1, extents[i] = x->extents[i];
    for (int64_t i = 0; i < count; i++) {
        int32_t axis = (int32_t)i;
        if (axes_count >= 0)
            PR_TRY(pm_axis(axes[i], x->rank, 0, &axis));
        if (starts[i] < 0 || (steps_count >= 0 && steps[i] < 1))
            return pr_fail(PRUNE_E_UNSUPPORTED, "this slice");
        step[axis] = steps_count < 0 ? 1 : steps[i];
        begin[axis] = starts[i];
        int64_t end = ends[i] < x->extents[axis] ? ends[i] : x->extents[axis];
        extents[axis] = pr_ceil_div(end - starts[i], step[axis]);
    }
    return PRUNE_OK;
}

static inline int32_t infer_slice(struct pm_call *call)
{
    int64_t begin[8], step[8], extents[8];
    PR_TRY(read_slice(call, begin, step, extents));
    return pm_type_set(&call->outputs[0].type, call->inputs[0].type.dtype, call->inputs[0].type.rank, extents);
}

/* The element of the input at each element of the output; -1 for none. */
static inline int64_t source_of(const struct pm_call *call, int64_t index, const int64_t *begin, const int64_t *step)
{
    const struct pm_type *x = &call->inputs[0].type, *y = &call->outputs[0].type;
    int64_t source = 0, stride = 1;
    for (int32_t i = y->rank - 1; i >= 0; i--) {
        int64_t at = begin[i] + index % y->extents[i] * step[i];
        if (at < 0 || at >= x->extents[i])
            return -1;
        source += at * stride;
        stride *= x->extents[i];
        index /= y->extents[i];
    }
    return source;
}

static inline int32_t run_slice(const struct pm_call *call)
{
    int64_t begin[8], step[8], extents[8], size = prune_dtype_size(call->inputs[0].type.dtype);
    PR_TRY(read_slice(call, begin, step, extents));
    for (int64_t i = 0; i < call->outputs[0].type.count; i++)
        memcpy((char *)call->outputs[0].data + i * size,
               (const char *)call->inputs[0].data + source_of(call, i, begin, step) * size, (size_t)size);
    return PRUNE_OK;
}

static inline int32_t infer_pad(struct pm_call *call)
{
    const struct pm_type *x = &call->inputs[0].type;
    int64_t pads[16], count, extents[8];
    PR_TRY(pm_ints_of(call, "pads", 1, 16, pads, &count));
    for (int32_t i = 0; i < x->rank; i++)
        extents[i] = x->extents[i] + pads[i] + pads[i + x->rank];
    return pm_type_set(&call->outputs[0].type, x->dtype, x->rank, extents);
}

static inline int32_t run_pad(const struct pm_call *call)
{
    static const int64_t step[8] = {1, 1, 1, 1, 1, 1, 1, 1};
    int64_t pads[16], count;
    PR_TRY(pm_ints_of(call, "pads", 1, 16, pads, &count));
    for (int32_t i = 0; i < 8; i++)
        pads[i] = -pads[i];
    for (int64_t i = 0; i < call->outputs[0].type.count; i++) {
        int64_t source = source_of(call, i, pads, step);
        ((float *)call->outputs[0].data)[i] = source < 0 ? 0.0f : ((const float *)call->inputs[0].data)[source];
    }
    return PRUNE_OK;
}

static const struct pm_operator stand_ins[] = {
    {.op = "Flatten", .flags = PM_VIEW, .infer = infer_flatten, .run = run_flatten},
    {.op = "Slice", .infer = infer_slice, .run = run_slice},
    {.op = "Pad", .infer = infer_pad, .run = run_pad},
};

static inline void use_stand_ins(struct pm_body *body)
{
    for (int32_t i = 0; i < body->node_count; i++)
        for (size_t j = 0; !body->nodes[i].kind && j < sizeof stand_ins / sizeof *stand_ins; j++)
            if (strcmp(body->nodes[i].op, stand_ins[j].op) == 0)
                body->nodes[i].kind = &stand_ins[j];
}

#endif
