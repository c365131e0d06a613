/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Batch normalisation measured anew on the pruned model.
 */
#include <string.h>

#include "model/pruning/pruner.h"

enum { X, SCALE, SHIFT, MEAN, VARIANCE };

/* The parameter that is an input of a step, and its name. */
static int32_t parameter_of(const prune_graph *graph, const prune_session *session, const struct pm_step *step,
                            int32_t input, const struct pm_parameter **parameter, const char **name)
{
    *parameter = step->inputs[input] >= 0 ? session->cells[step->inputs[input]].parameter : NULL;
    for (int32_t i = 0; *parameter && i < graph->parameter_count; i++)
        if (graph->parameters[i] == *parameter) {
            *name = prune_graph_parameter_name(graph, i);
            return PRUNE_OK;
        }
    return pr_fail(PRUNE_E_UNSUPPORTED, "its input %d is computed; mean and variance must be parameters of the model",
                   (int)input);
}

static int32_t measure(prune_tensor **mean, prune_tensor **variance, const prune_session *session,
                       const struct pm_call *call, const struct pm_parameter *const *parameters)
{
    prune_tensor *x;
    const struct pm_type *type = &call->inputs[X].type;
    PR_TRY(
        prune_tensor_borrow(&x, session->context, call->inputs[X].data, type->dtype, type->rank, type->extents, NULL));
    int32_t status = prune_tensor_convert(mean, parameters[0]->tensor, prune_tensor_dtype(parameters[0]->tensor));
    if (!status)
        status = prune_tensor_convert(variance, parameters[1]->tensor, prune_tensor_dtype(parameters[1]->tensor));
    if (!status)
        status = prune_recalibrate_batch_norm(*mean, *variance, x, 1, 1);
    prune_tensor_free(x);
    return status;
}

static int32_t recalibrate_step(prune_graph *graph, prune_session *session, int32_t index)
{
    const struct pm_step *step = &session->steps[index];
    const struct pm_parameter *parameters[2];
    const char *names[2] = {NULL, NULL};
    prune_tensor *numbers[2] = {NULL, NULL};
    PR_TRY(parameter_of(graph, session, step, MEAN, &parameters[0], &names[0]));
    PR_TRY(parameter_of(graph, session, step, VARIANCE, &parameters[1], &names[1]));
    int32_t status = measure(&numbers[0], &numbers[1], session, pm_session_call(session, index), parameters);
    for (int i = 0; i < 2; i++) {
        if (!status)
            status = prune_graph_set_parameter(graph, names[i], numbers[i]);
        if (!status)
            status = pm_session_renew(session, parameters[i]);
        prune_tensor_free(numbers[i]);
    }
    return status;
}

static int32_t recalibrate_all(prune_graph *graph, prune_session *session, const prune_tensor *const *inputs,
                               int32_t *count)
{
    PR_TRY(pm_session_begin(session, inputs));
    for (int32_t i = 0; i < session->step_count; i++) {
        if (strcmp(session->steps[i].kind->op, "BatchNormalization") == 0) {
            int32_t status = recalibrate_step(graph, session, i);
            if (status)
                return pm_step_fail(&session->steps[i], status);
            ++*count;
        }
        PR_TRY(pm_session_step(session, i));
    }
    return PRUNE_OK;
}

int32_t prune_pruner_recalibrate(prune_pruner *pruner, int32_t *count)
{
    prune_session *session;
    int32_t done = 0;
    PR_REQUIRE(pruner);
    /* One of its own: in the other, batch normalisation is part of the product before it. */
    PR_TRY(prune_session_create(&session, pruner->graph, pruner->input_count, (const char *const *)pruner->names,
                                pruner->inputs, pruner->fixed, "weights=dense,fuse=no"));
    int32_t status = recalibrate_all(pruner->graph, session, pruner->inputs, &done);
    prune_session_free(session);
    if (!status && count)
        *count = done;
    return status;
}
