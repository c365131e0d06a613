/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

PM_PAIR_LOOP(f32, float, float, p < 0 ? p * q : p)
PM_PAIR_LOOP(f64, double, double, p < 0 ? p * q : p)
PM_PAIR_LOOP(i64, int64_t, int64_t, p < 0 ? (int64_t)((uint64_t)p * (uint64_t)q) : p)

static const struct pm_binary binary = {.dtypes = PM_NUMBERS, .loops = {f32, f64, i64}};

/* The slope is broadcast to x, never the other way. */
static int32_t infer(struct pm_call *call)
{
    char x[PM_TYPE_TEXT], slope[PM_TYPE_TEXT];
    PR_TRY(pm_binary_infer(call, &binary));
    const struct pm_type *in = &call->inputs[0].type, *out = &call->outputs[0].type;
    int same = in->rank == out->rank;
    for (int32_t axis = 0; same && axis < in->rank; axis++)
        same = in->extents[axis] == out->extents[axis];
    if (!same)
        return pr_fail(PRUNE_E_SHAPE, "the slope is %s; it must be broadcast to x, which is %s",
                       pm_type_text(&call->inputs[1].type, slope), pm_type_text(in, x));
    return PRUNE_OK;
}

static int32_t run(const struct pm_call *call)
{
    return pm_binary_run(call, &binary);
}

const struct pm_operator pm_operator_prelu = {.op = "PRelu", .flags = PM_IN_PLACE, .infer = infer, .run = run};
