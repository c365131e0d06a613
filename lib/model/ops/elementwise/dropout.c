/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/numbers.h"
#include "model/ops/ops.h"

/* Whether the node asks for training, which drops elements at random; unknown until it runs where the input varies. */
static int32_t expect_inference(const struct pm_call *call)
{
    const struct pm_operand *training = &call->inputs[2];
    if (call->opset < 12 || !pm_has_input(call, 2) || !training->data)
        return PRUNE_OK;
    if (!pm_whole(PRUNE_BOOL, training->data, 0))
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
    if (call->opset >= 12 && pm_has_input(call, 2)) {
        PR_TRY(pm_expect_dtype(call, 2, PM_SET(PRUNE_BOOL)));
        if (call->inputs[2].type.count != 1)
            return pr_fail(PRUNE_E_SHAPE, "training_mode has %lld elements; it is one truth value",
                           (long long)call->inputs[2].type.count);
    }
    PR_TRY(expect_inference(call));
    const struct pm_type *in = &call->inputs[0].type;
    call->outputs[0].type = *in;
    if (!pm_has_output(call, 1))
        return PRUNE_OK;
    return pm_type_set(&call->outputs[1].type, call->opset < 10 ? in->dtype : PRUNE_BOOL, in->rank, in->extents);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    PR_TRY(expect_inference(call));
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
