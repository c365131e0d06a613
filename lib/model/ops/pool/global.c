/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/pool/global.h"

int32_t pm_global_infer(struct pm_call *call, const struct pm_reduction *reduction)
{
    const struct pm_type *x = &call->inputs[0].type;
    int64_t extents[PRUNE_MAX_RANK];
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, reduction->dtypes));
    if (x->rank < 3)
        return pr_fail(PRUNE_E_SHAPE, "input 0 has %d axes; it must have batch, channels and one more at least",
                       (int)x->rank);
    for (int32_t axis = 0; axis < x->rank; axis++)
        extents[axis] = axis < 2 ? x->extents[axis] : 1;
    return pm_type_set(&call->outputs[0].type, x->dtype, x->rank, extents);
}

int32_t pm_global_run(const struct pm_call *call, const struct pm_reduction *reduction)
{
    const int is_reduced[PRUNE_MAX_RANK] = {0, 0, 1, 1, 1, 1, 1, 1};
    pm_reduce(reduction, &call->inputs[0], is_reduced, &call->outputs[0]);
    return PRUNE_OK;
}
