/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

/* Parts as listed, or equal ones, of which the last may be smaller from opset 18 on. */
static int32_t part_of(const struct pm_call *call, int32_t axis, int32_t index, int64_t *part)
{
    int64_t extent = call->inputs[0].type.extents[axis], parts[1024], count, sum = 0;
    PR_TRY(pm_ints_of(call, "split", 1, 1024, parts, &count));
    if (count < 0) {
        int64_t wanted = pm_attribute_int(call->node, "num_outputs", call->output_count);
        if (wanted != call->output_count || (call->opset < 18 && extent % wanted))
            return pr_fail(PRUNE_E_SHAPE, "%lld elements along axis %d cannot be split into %d equal parts",
                           (long long)extent, (int)axis, (int)call->output_count);
        int64_t each = pr_ceil_div(extent, wanted), begin = each * index;
        *part = begin + each <= extent ? each : begin < extent ? extent - begin : 0;
        return PRUNE_OK;
    }
    if (count != call->output_count)
        return pr_fail(PRUNE_E_SHAPE, "split has %lld parts for %d outputs", (long long)count, (int)call->output_count);
    for (int64_t i = 0; i < count; i++) {
        if (parts[i] < 0)
            return pr_fail(PRUNE_E_SHAPE, "part %lld is %lld; it must be 0 or more", (long long)i, (long long)parts[i]);
        PR_TRY(pr_add(sum, parts[i], &sum));
    }
    if (sum != extent)
        return pr_fail(PRUNE_E_SHAPE, "the parts are %lld elements, axis %d has %lld", (long long)sum, (int)axis,
                       (long long)extent);
    *part = parts[index];
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t extents[PRUNE_MAX_RANK];
    int32_t axis;
    PR_TRY(pm_expect_inputs(call, 1, 2));
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", 0), in->rank, 0, &axis));
    for (int32_t i = 0; i < in->rank; i++)
        extents[i] = in->extents[i];
    for (int32_t k = 0; k < call->output_count; k++) {
        PR_TRY(part_of(call, axis, k, &extents[axis]));
        PR_TRY(pm_type_set(&call->outputs[k].type, in->dtype, in->rank, extents));
    }
    return PRUNE_OK;
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *in = &call->inputs[0];
    struct pm_box from = pm_box_of(&in->type, in->data);
    int64_t size = prune_dtype_size(in->type.dtype);
    int32_t axis;
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", 0), in->type.rank, 0, &axis));
    for (int32_t k = 0; k < call->output_count; k++) {
        const struct pm_operand *out = &call->outputs[k];
        struct pm_box to = pm_box_of(&out->type, out->data);
        if (pm_has_output(call, k))
            pm_box_copy(&to, &from, out->type.rank, out->type.extents, size);
        from.first += out->type.extents[axis] * from.strides[axis] * size;
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_split = {.op = "Split", .infer = infer, .run = run};
