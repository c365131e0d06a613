/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

/* Integers are cut towards 0; the least divided by -1 wraps around. */
PM_PAIR_LOOP(f32, float, float, p / q)
PM_PAIR_LOOP(f64, double, double, p / q)
PM_PAIR_LOOP(i64, int64_t, int64_t, q == -1 ? (int64_t)(0 - (uint64_t)p) : p / q)

static const struct pm_binary binary = {.dtypes = PM_NUMBERS, .loops = {f32, f64, i64}};

static int32_t infer(struct pm_call *call)
{
    return pm_binary_infer(call, &binary);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *b = &call->inputs[1];
    if (pm_domain_of(b->type.dtype) == PM_I64 && call->outputs[0].type.count > 0)
        for (int64_t i = 0; i < b->type.count; i++)
            if (pm_whole(b->type.dtype, b->data, i) == 0)
                return pr_fail(PRUNE_E_VALUE, "element %lld of the divisor is 0; integers have no quotient then",
                               (long long)i);
    return pm_binary_run(call, &binary);
}

const struct pm_operator pm_operator_div = {.op = "Div", .flags = PM_IN_PLACE, .infer = infer, .run = run};
