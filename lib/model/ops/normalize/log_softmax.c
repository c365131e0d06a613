/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/normalize/softmax.h"
#include "model/ops/ops.h"

static int32_t run(const struct pm_call *call)
{
    return pm_softmax_run(call, 1);
}

const struct pm_operator pm_operator_log_softmax = {
    .op = "LogSoftmax", .flags = PM_IN_PLACE, .infer = pm_softmax_infer, .run = run};
