/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t given = pm_attribute_int(call->node, "axis", 1);
    int32_t axis = in->rank;
    PR_TRY(pm_expect_inputs(call, 1, 1));
    if (given != in->rank) /* which only a positive axis can say */
        PR_TRY(pm_axis(given, in->rank, 0, &axis));
    return pm_view_set(call, 2, (int64_t[]){pm_type_span(in, 0, axis), pm_type_span(in, axis, in->rank)});
}

const struct pm_operator pm_operator_flatten = {.op = "Flatten", .flags = PM_VIEW, .infer = infer, .run = pm_view_run};
