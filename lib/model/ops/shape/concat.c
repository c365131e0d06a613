/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *first = &call->inputs[0].type;
    int64_t extents[PRUNE_MAX_RANK];
    int32_t axis;
    PR_TRY(pm_expect_inputs(call, 1, INT32_MAX));
    if (!pm_attribute(call->node, "axis"))
        return pr_fail(PRUNE_E_FORMAT, "the attribute axis is missing");
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", 0), first->rank, 0, &axis));
    for (int32_t i = 0; i < first->rank; i++)
        extents[i] = first->extents[i];
    for (int32_t k = 1; k < call->input_count; k++) {
        const struct pm_type *next = &call->inputs[k].type;
        int fits = next->rank == first->rank && next->dtype == first->dtype;
        for (int32_t i = 0; fits && i < first->rank; i++)
            fits = i == axis || next->extents[i] == first->extents[i];
        if (!fits) {
            char one[PM_TYPE_TEXT], other[PM_TYPE_TEXT];
            return pr_fail(PRUNE_E_SHAPE, "input 0 is %s and input %d %s; they may differ along axis %d only",
                           pm_type_text(first, one), (int)k, pm_type_text(next, other), (int)axis);
        }
        PR_TRY(pr_add(extents[axis], next->extents[axis], &extents[axis]));
    }
    return pm_type_set(&call->outputs[0].type, first->dtype, first->rank, extents);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *out = &call->outputs[0];
    struct pm_box to = pm_box_of(&out->type, out->data);
    int64_t size = prune_dtype_size(out->type.dtype);
    int32_t axis;
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", 0), out->type.rank, 0, &axis));
    for (int32_t k = 0; k < call->input_count; k++) {
        const struct pm_operand *in = &call->inputs[k];
        struct pm_box from = pm_box_of(&in->type, in->data);
        pm_box_copy(&to, &from, in->type.rank, in->type.extents, size);
        to.first += in->type.extents[axis] * to.strides[axis] * size;
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_concat = {.op = "Concat", .infer = infer, .run = run};
