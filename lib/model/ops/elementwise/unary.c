/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/elementwise/unary.h"

int32_t pm_unary_infer(struct pm_call *call, const struct pm_unary *unary)
{
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, unary->dtypes));
    call->outputs[0].type = call->inputs[0].type;
    return PRUNE_OK;
}

int32_t pm_unary_run(const struct pm_call *call, const struct pm_unary *unary, const struct pm_settings *settings)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    int32_t dtype = x->type.dtype;
    enum pm_domain domain = pm_domain_of(dtype);
    union pm_chunk chunk;
    if (pm_is_direct(domain, dtype)) {
        unary->loops[domain](x->data, y->data, x->type.count, settings);
        return PRUNE_OK;
    }
    for (int64_t i = 0; i < x->type.count; i += PM_CHUNK) {
        int64_t n = x->type.count - i < PM_CHUNK ? x->type.count - i : PM_CHUNK;
        const void *from = pm_load(domain, dtype, x->data, i, n, &chunk);
        unary->loops[domain](from, &chunk, n, settings);
        pm_store(domain, &chunk, n, dtype, y->data, i);
    }
    return PRUNE_OK;
}
