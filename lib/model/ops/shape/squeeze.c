/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t axes[PRUNE_MAX_RANK], extents[PRUNE_MAX_RANK], count;
    int gone[PRUNE_MAX_RANK] = {0};
    int32_t rank = 0, axis;
    PR_TRY(pm_expect_inputs(call, 1, 2));
    PR_TRY(pm_ints_of(call, "axes", 1, PRUNE_MAX_RANK, axes, &count));
    for (int32_t i = 0; count < 0 && i < in->rank; i++)
        gone[i] = in->extents[i] == 1;
    for (int64_t i = 0; i < count; i++) {
        PR_TRY(pm_axis(axes[i], in->rank, 0, &axis));
        if (in->extents[axis] != 1)
            return pr_fail(PRUNE_E_SHAPE, "axis %d has %lld elements; only an axis of 1 can go", (int)axis,
                           (long long)in->extents[axis]);
        gone[axis] = 1;
    }
    for (int32_t i = 0; i < in->rank; i++)
        if (!gone[i])
            extents[rank++] = in->extents[i];
    return pm_view_set(call, rank, extents);
}

const struct pm_operator pm_operator_squeeze = {.op = "Squeeze", .flags = PM_VIEW, .infer = infer, .run = pm_view_run};
