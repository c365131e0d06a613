/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "model/ops/ops.h"

static int32_t infer(struct pm_call *call)
{
    PR_TRY(pm_expect_inputs(call, 1, 1));
    return pm_type_set(&call->outputs[0].type, PRUNE_I64, 0, NULL);
}

static int32_t run(const struct pm_call *call)
{
    *(int64_t *)call->outputs[0].data = call->inputs[0].type.count;
    return PRUNE_OK;
}

const struct pm_operator pm_operator_size = {.op = "Size", .flags = PM_TYPE_ONLY, .infer = infer, .run = run};
