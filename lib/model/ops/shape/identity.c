/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"
#include "model/ops/shape/walk.h"

static int32_t infer(struct pm_call *call)
{
    PR_TRY(pm_expect_inputs(call, 1, 1));
    call->outputs[0].type = call->inputs[0].type;
    return PRUNE_OK;
}

const struct pm_operator pm_operator_identity = {
    .op = "Identity", .flags = PM_VIEW, .infer = infer, .run = pm_view_run};
