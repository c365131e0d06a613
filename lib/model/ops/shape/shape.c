/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"

/* The axes that are asked for: [start, end) from opset 15 on, all before. */
static void find_axes(const struct pm_call *call, int64_t *start, int64_t *end)
{
    int64_t rank = call->inputs[0].type.rank;
    *start = pm_attribute_int(call->node, "start", 0);
    *end = pm_attribute_int(call->node, "end", rank);
    *start = *start < -rank ? 0 : *start < 0 ? *start + rank : *start > rank ? rank : *start;
    *end = *end < -rank ? 0 : *end < 0 ? *end + rank : *end > rank ? rank : *end;
}

static int32_t infer(struct pm_call *call)
{
    int64_t start, end;
    PR_TRY(pm_expect_inputs(call, 1, 1));
    find_axes(call, &start, &end);
    return pm_type_set(&call->outputs[0].type, PRUNE_I64, 1, (int64_t[]){end > start ? end - start : 0});
}

static int32_t run(const struct pm_call *call)
{
    int64_t start, end, *out = call->outputs[0].data;
    find_axes(call, &start, &end);
    for (int64_t i = start; i < end; i++)
        out[i - start] = call->inputs[0].type.extents[i];
    return PRUNE_OK;
}

const struct pm_operator pm_operator_shape = {.op = "Shape", .flags = PM_TYPE_ONLY, .infer = infer, .run = run};
