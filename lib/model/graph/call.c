/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One node alone, from infer to release: for constants and tests.
 */
#include <string.h>

#include "model/graph/operator.h"

/* Room for the operands, and the inputs as row-major tensors of their own. */
static int32_t set_inputs(struct pm_call *call, const prune_tensor *const *inputs, prune_tensor **held)
{
    for (int32_t i = 0; i < call->input_count; i++) {
        if (!inputs[i])
            continue;
        int32_t dtype = prune_tensor_dtype(inputs[i]);
        PR_TRY(prune_tensor_convert(&held[i], inputs[i], dtype));
        PR_TRY(pm_type_set(&call->inputs[i].type, dtype, prune_tensor_rank(held[i]), prune_tensor_shape(held[i])));
        call->inputs[i].data = prune_tensor_data(held[i]);
        call->inputs[i].is_constant = 1;
    }
    return PRUNE_OK;
}

static int32_t run(struct pm_call *call, prune_tensor **outputs)
{
    const struct pm_operator *kind = call->node->kind;
    PR_TRY(kind->infer(call));
    for (int32_t i = 0; i < call->output_count; i++) {
        struct pm_operand *output = &call->outputs[i];
        if (!pm_has_output(call, i))
            continue;
        PR_TRY(prune_tensor_create(&outputs[i], call->context, output->type.dtype, output->type.rank,
                                   output->type.extents));
        output->data = prune_tensor_data(outputs[i]);
    }
    if (kind->prepare)
        PR_TRY(kind->prepare(call));
    PR_TRY(pr_alloc(call->context, call->scratch_bytes, 1, &call->scratch));
    int32_t status = kind->run(call);
    pr_release(call->context, call->scratch);
    return status;
}

int32_t pm_operator_call(prune_context *context, const struct pm_node *node, int64_t opset, int32_t input_count,
                         const prune_tensor *const *inputs, int32_t output_count, prune_tensor **outputs)
{
    struct pm_call call = {.context = context,
                           .node = node,
                           .opset = opset,
                           .input_count = input_count,
                           .output_count = output_count,
                           .weights = "format=dense"};
    prune_tensor **held = NULL, **made = NULL;
    if (!node->kind)
        return pr_fail(PRUNE_E_UNSUPPORTED, "operator %.100s cannot be run", node->op);
    int32_t status = pr_alloc_zero(context, input_count, sizeof *call.inputs, &call.inputs);
    if (!status)
        status = pr_alloc_zero(context, output_count, sizeof *call.outputs, &call.outputs);
    if (!status)
        status = pr_alloc_zero(context, input_count, sizeof *held, &held);
    if (!status)
        status = pr_alloc_zero(context, output_count, sizeof *made, &made);
    if (!status)
        status = set_inputs(&call, inputs, held);
    if (!status) {
        status = run(&call, made);
        if (node->kind->release)
            node->kind->release(&call);
    }
    for (int32_t i = 0; i < output_count && made; i++) {
        if (status)
            prune_tensor_free(made[i]);
        else
            outputs[i] = made[i];
    }
    for (int32_t i = 0; i < input_count && held; i++)
        prune_tensor_free(held[i]);
    pr_release(context, held);
    pr_release(context, made);
    pr_release(context, call.inputs);
    pr_release(context, call.outputs);
    return status;
}
