/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/numbers.h"
#include "model/ops/ops.h"

/* Training drops elements at random, unless the ratio is 0. What an input says may be known only when it runs. */
static int32_t expect_inference(const struct pm_call *call, int is_run)
{
    if (call->opset < 12 || !pm_has_input(call, 2) || !call->inputs[2].data)
        return PRUNE_OK;
    if (!pm_whole(PRUNE_BOOL, call->inputs[2].data, 0))
        return PRUNE_OK;
    if (pm_has_input(call, 1) &&
        (!call->inputs[1].data ? !is_run : pm_number(call->inputs[1].type.dtype, call->inputs[1].data, 0) == 0))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_UNSUPPORTED, "training_mode is true; Dropout is only run as in inference, where it is the "
                                        "identity");
}

/* What is kept: all of it. The mask has the data's type before opset 10, BOOL from there on. */
static int32_t infer(struct pm_call *call)
{
    PR_TRY(pm_expect_inputs(call, 1, call->opset < 12 ? 1 : 3));
    PR_TRY(pm_expect_outputs(call, 1, 2));
    PR_TRY(pm_expect_dtype(call, 0, PM_FLOATING));
    if (call->opset >= 12 && pm_has_input(call, 1)) {
        PR_TRY(pm_expect_dtype(call, 1, PM_FLOATING));
        if (call->inputs[1].type.count != 1)
            return pr_fail(PRUNE_E_SHAPE, "ratio has %lld elements; it is one number",
                           (long long)call->inputs[1].type.count);
    }
    if (call->opset >= 12 && pm_has_input(call, 2)) {
        PR_TRY(pm_expect_dtype(call, 2, PM_SET(PRUNE_BOOL)));
        if (call->inputs[2].type.count != 1)
            return pr_fail(PRUNE_E_SHAPE, "training_mode has %lld elements; it is one truth value",
                           (long long)call->inputs[2].type.count);
    }
    PR_TRY(expect_inference(call, 0));
    const struct pm_type *in = &call->inputs[0].type;
    call->outputs[0].type = *in;
    if (!pm_has_output(call, 1))
        return PRUNE_OK;
    return pm_type_set(&call->outputs[1].type, call->opset < 10 ? in->dtype : PRUNE_BOOL, in->rank, in->extents);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    PR_TRY(expect_inference(call, 1));
    if (y->data != x->data && x->type.count > 0)
        memcpy(y->data, x->data, (size_t)pm_type_bytes(&x->type));
    if (pm_has_output(call, 1)) {
        const struct pm_operand *mask = &call->outputs[1];
        for (int64_t i = 0; i < mask->type.count; i++)
            pm_store(PM_F64, &(double){1}, 1, mask->type.dtype, mask->data, i);
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_dropout = {.op = "Dropout", .flags = PM_IN_PLACE, .infer = infer, .run = run};
