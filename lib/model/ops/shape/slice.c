/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

struct cut {
    int64_t start[PRUNE_MAX_RANK], step[PRUNE_MAX_RANK], count[PRUNE_MAX_RANK];
};

/* Bounds as NumPy's: negative ones count from the end, those outside are brought to the edge. */
static void cut_axis(struct cut *cut, int32_t axis, int64_t extent, int64_t start, int64_t end, int64_t step)
{
    int64_t least = step > 0 ? 0 : -1, most = step > 0 ? extent : extent - 1;
    start = start < 0 && start >= -extent ? start + extent : start < 0 ? least : start > most ? most : start;
    end = end < 0 && end >= -extent ? end + extent : end < 0 ? least : end > most ? most : end;
    int64_t span = step > 0 ? end - start : start - end, stride = step > 0            ? step
                                                                  : step == INT64_MIN ? INT64_MAX
                                                                                      : -step;
    cut->start[axis] = start;
    cut->step[axis] = span > stride ? step : 1; /* of one element the step does not matter, and may be huge */
    cut->count[axis] = span > 0 ? 1 + (span - 1) / stride : 0;
}

static int32_t find_cut(const struct pm_call *call, struct cut *cut)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t starts[PRUNE_MAX_RANK], ends[PRUNE_MAX_RANK], axes[PRUNE_MAX_RANK], steps[PRUNE_MAX_RANK];
    int64_t count, end_count, axis_count, step_count;
    PR_TRY(pm_ints_of(call, "starts", 1, PRUNE_MAX_RANK, starts, &count));
    PR_TRY(pm_ints_of(call, "ends", 2, PRUNE_MAX_RANK, ends, &end_count));
    PR_TRY(pm_ints_of(call, "axes", 3, PRUNE_MAX_RANK, axes, &axis_count));
    PR_TRY(pm_ints_of(call, "steps", 4, PRUNE_MAX_RANK, steps, &step_count));
    if (count < 0 || end_count != count || (axis_count >= 0 && axis_count != count) ||
        (step_count >= 0 && step_count != count) || (axis_count < 0 && count > in->rank))
        return pr_fail(PRUNE_E_SHAPE, "%lld starts, %lld ends, %lld axes and %lld steps for rank %d (-1: left out)",
                       (long long)count, (long long)end_count, (long long)axis_count, (long long)step_count,
                       (int)in->rank);
    for (int32_t i = 0; i < in->rank; i++)
        cut->start[i] = 0, cut->step[i] = 1, cut->count[i] = in->extents[i];
    for (int64_t i = 0; i < count; i++) {
        int32_t axis;
        int64_t step = step_count < 0 ? 1 : steps[i];
        PR_TRY(pm_axis(axis_count < 0 ? i : axes[i], in->rank, 0, &axis));
        if (step == 0)
            return pr_fail(PRUNE_E_SHAPE, "the step along axis %d is 0", (int)axis);
        cut_axis(cut, axis, in->extents[axis], starts[i], ends[i], step);
    }
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    struct cut cut;
    PR_TRY(pm_expect_inputs(call, 1, 5));
    PR_TRY(find_cut(call, &cut));
    return pm_type_set(&call->outputs[0].type, call->inputs[0].type.dtype, call->inputs[0].type.rank, cut.count);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *in = &call->inputs[0], *out = &call->outputs[0];
    struct pm_box from = pm_box_of(&in->type, in->data), to = pm_box_of(&out->type, out->data);
    int64_t size = prune_dtype_size(in->type.dtype);
    struct cut cut;
    PR_TRY(find_cut(call, &cut));
    if (out->type.count == 0)
        return PRUNE_OK;
    for (int32_t i = 0; i < in->type.rank; i++) {
        from.first += cut.start[i] * from.strides[i] * size;
        from.strides[i] *= cut.step[i];
    }
    pm_box_copy(&to, &from, out->type.rank, out->type.extents, size);
    return PRUNE_OK;
}

const struct pm_operator pm_operator_slice = {.op = "Slice", .infer = infer, .run = run};
