/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t axes[PRUNE_MAX_RANK], extents[PRUNE_MAX_RANK], count;
    int made[PRUNE_MAX_RANK] = {0};
    int32_t from = 0, axis;
    PR_TRY(pm_expect_inputs(call, 1, 2));
    PR_TRY(pm_ints_of(call, "axes", 1, PRUNE_MAX_RANK, axes, &count));
    if (count < 0)
        return pr_fail(PRUNE_E_FORMAT, "axes are neither an attribute nor an input");
    int32_t rank = in->rank + (int32_t)count;
    if (rank > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_SHAPE, "%d axes; libprune takes 0 to %d", (int)rank, PRUNE_MAX_RANK);
    for (int64_t i = 0; i < count; i++) {
        PR_TRY(pm_axis(axes[i], rank, 0, &axis));
        if (made[axis])
            return pr_fail(PRUNE_E_SHAPE, "axis %d is named twice", (int)axis);
        made[axis] = 1;
    }
    for (int32_t i = 0; i < rank; i++)
        extents[i] = made[i] ? 1 : in->extents[from++];
    return pm_view_set(call, rank, extents);
}

const struct pm_operator pm_operator_unsqueeze = {
    .op = "Unsqueeze", .flags = PM_VIEW, .infer = infer, .run = pm_view_run};
