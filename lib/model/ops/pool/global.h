/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pooling over everything behind batch and channels: a reduction of those axes, which stay with one element.
 */
#ifndef PM_OPS_GLOBAL_H
#define PM_OPS_GLOBAL_H

#include "model/ops/reduce/reduction.h"

int32_t pm_global_infer(struct pm_call *call, const struct pm_reduction *reduction);
int32_t pm_global_run(const struct pm_call *call, const struct pm_reduction *reduction);

#define PM_GLOBAL_OPERATOR(name, op_name)                                                                              \
    static int32_t infer(struct pm_call *call)                                                                         \
    {                                                                                                                  \
        return pm_global_infer(call, &reduction);                                                                      \
    }                                                                                                                  \
    static int32_t run(const struct pm_call *call)                                                                     \
    {                                                                                                                  \
        return pm_global_run(call, &reduction);                                                                        \
    }                                                                                                                  \
    const struct pm_operator pm_operator_##name = {.op = op_name, .infer = infer, .run = run};

#endif
