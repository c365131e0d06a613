/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int32_t axis;
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", 1), in->rank, 1, &axis));
    return pm_view_set(call, 2, (int64_t[]){pm_type_span(in, 0, axis), pm_type_span(in, axis, in->rank)});
}

const struct pm_operator pm_operator_flatten = {.op = "Flatten", .flags = PM_VIEW, .infer = infer, .run = pm_view_run};
