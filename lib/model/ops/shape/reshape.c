/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

/* 0 takes the input's extent (unless allowzero), one -1 what is left. */
static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t extents[PRUNE_MAX_RANK], count, known = 1;
    int32_t free_axis = -1;
    PR_TRY(pm_expect_inputs(call, 1, 2));
    PR_TRY(pm_ints_of(call, "shape", 1, PRUNE_MAX_RANK, extents, &count));
    if (count < 0)
        return pr_fail(PRUNE_E_FORMAT, "the new shape is neither an attribute nor an input");
    for (int32_t i = 0; i < count; i++) {
        if (extents[i] == 0 && !pm_attribute_int(call->node, "allowzero", 0)) {
            if (i >= in->rank)
                return pr_fail(PRUNE_E_SHAPE, "extent %d is 0, to be that of the input, which has rank %d", (int)i,
                               (int)in->rank);
            extents[i] = in->extents[i];
        }
        if (extents[i] == -1) {
            if (free_axis >= 0)
                return pr_fail(PRUNE_E_SHAPE, "extents %d and %d are -1; one can be", (int)free_axis, (int)i);
            free_axis = i;
            continue;
        }
        if (extents[i] < 0)
            return pr_fail(PRUNE_E_SHAPE, "extent %d is %lld; it must be -1 or more", (int)i, (long long)extents[i]);
        PR_TRY(pr_mul(known, extents[i], &known));
    }
    if (free_axis >= 0) {
        if (known == 0 || in->count % known)
            return pr_fail(PRUNE_E_SHAPE, "%lld elements cannot be shared out by %lld", (long long)in->count,
                           (long long)known);
        extents[free_axis] = in->count / known;
    }
    return pm_view_set(call, (int32_t)count, extents);
}

const struct pm_operator pm_operator_reshape = {.op = "Reshape", .flags = PM_VIEW, .infer = infer, .run = pm_view_run};
