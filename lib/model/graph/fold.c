/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Folding: what is constant is computed once, when a session is made, and again when a parameter in it has changed.
 */
#include <string.h>

#include "model/graph/session.h"

#define MAX_FOLDED_BYTES 67108864 /* 64 MiB: of one output; what is larger is computed at every run */

static int has_constant_inputs(const struct pm_step *step)
{
    for (int32_t i = 0; i < step->call.input_count; i++)
        if (step->inputs[i] >= 0 && !step->call.inputs[i].is_constant)
            return 0;
    return 1;
}

static int is_view(const struct pm_step *step)
{
    if (!(step->kind->flags & PM_VIEW) || step->call.input_count < 1 || step->inputs[0] < 0)
        return 0;
    for (int32_t i = 1; i < step->call.output_count; i++)
        if (step->outputs[i] >= 0)
            return 0;
    const struct pm_type *from = &step->call.inputs[0].type, *to = &step->call.outputs[0].type;
    return step->outputs[0] >= 0 && from->dtype == to->dtype && from->count == to->count &&
           step->call.inputs[0].is_constant;
}

static int is_small(const struct pm_step *step)
{
    for (int32_t i = 0; i < step->call.output_count; i++)
        if (step->outputs[i] >= 0 && pm_type_bytes(&step->call.outputs[i].type) > MAX_FOLDED_BYTES)
            return 0;
    return 1;
}

static int comes_from_parameter(const prune_session *session, const struct pm_step *step)
{
    if (step->kind->flags & PM_TYPE_ONLY)
        return 0;
    for (int32_t i = 0; i < step->call.input_count; i++)
        if (step->inputs[i] >= 0 && session->cells[step->inputs[i]].from_parameter)
            return 1;
    return 0;
}

/* The mask of elements in the same order, in another shape. */
static int32_t reshape_mask(prune_mask **out, const prune_mask *mask, const struct pm_type *type)
{
    prune_context *context = prune_mask_context(mask);
    uint8_t *bytes;
    PR_TRY(pr_alloc(context, prune_mask_count(mask), 1, &bytes));
    int32_t status = prune_mask_to_bytes(mask, bytes, prune_mask_count(mask));
    if (!status)
        status = prune_mask_from_bytes(out, context, type->rank, type->extents, bytes, prune_mask_count(mask));
    pr_release(context, bytes);
    return status;
}

/* The output is the input's memory. */
static int32_t fold_view(prune_session *session, struct pm_step *step)
{
    struct pm_cell *to = &session->cells[step->outputs[0]];
    prune_mask *mask = NULL;
    if (step->call.inputs[0].mask)
        PR_TRY(reshape_mask(&mask, step->call.inputs[0].mask, &to->operand.type));
    prune_mask_free(to->owned_mask);
    to->owned_mask = mask;
    to->operand.mask = mask;
    to->operand.data = step->call.inputs[0].data;
    to->storage = pm_cell_storage(session, step->inputs[0]);
    return PRUNE_OK;
}

/* Elements that are 0 because they were pruned may be left out of what is made of them too. */
static int32_t find_mask(struct pm_step *step, struct pm_cell *output)
{
    prune_mask *mask = NULL;
    if (step->call.input_count > 0 && step->call.inputs[0].mask && output->operand.type.dtype == PRUNE_F32)
        PR_TRY(prune_mask_from_nonzero(&mask, output->owned));
    prune_mask_free(output->owned_mask);
    output->owned_mask = mask;
    output->operand.mask = mask;
    return PRUNE_OK;
}

static int32_t compute(prune_session *session, struct pm_step *step)
{
    struct pm_call *call = &step->call;
    for (int32_t i = 0; i < call->output_count; i++) {
        struct pm_cell *cell = step->outputs[i] < 0 ? NULL : &session->cells[step->outputs[i]];
        const struct pm_type *type = &call->outputs[i].type;
        if (!cell)
            continue;
        if (!cell->owned)
            PR_TRY(prune_tensor_create(&cell->owned, session->context, type->dtype, type->rank, type->extents));
        call->outputs[i].data = cell->operand.data = prune_tensor_data(cell->owned);
    }
    for (int32_t i = 0; session->is_outline && i < call->input_count; i++)
        if (step->inputs[i] >= 0 && session->cells[step->inputs[i]].operand.is_constant) {
            PR_TRY(pm_cell_settle(session, step->inputs[i]));
            call->inputs[i].data = session->cells[step->inputs[i]].operand.data;
        }
    PR_TRY(pm_step_prepare(session, step));
    void *scratch = NULL;
    int32_t status = pr_alloc(session->context, call->scratch_bytes, 1, &scratch);
    call->scratch = scratch;
    if (!status) {
        status = step->kind->run(call);
        if (status)
            pm_step_fail(step, status);
    }
    pr_release(session->context, scratch);
    call->scratch = NULL;
    if (step->kind->release)
        step->kind->release(call);
    call->state = NULL;
    step->is_prepared = 0;
    for (int32_t i = 0; !status && i < call->output_count; i++)
        if (step->outputs[i] >= 0)
            status = find_mask(step, &session->cells[step->outputs[i]]);
    return status;
}

int32_t pm_session_fold(prune_session *session, struct pm_step *step, int *is_done)
{
    int by_type = step->kind->flags & PM_TYPE_ONLY, view = is_view(step);
    *is_done = 0;
    if (!view && !((by_type || has_constant_inputs(step)) && is_small(step)))
        return PRUNE_OK;
    int from_parameter = comes_from_parameter(session, step);
    for (int32_t i = 0; i < step->call.output_count; i++)
        if (step->outputs[i] >= 0) {
            session->cells[step->outputs[i]].operand.is_constant = 1;
            session->cells[step->outputs[i]].from_parameter = from_parameter;
        }
    PR_TRY(view ? fold_view(session, step) : compute(session, step));
    *is_done = 1;
    if (from_parameter)
        return pm_step_add(session->context, &session->folds, &session->fold_count, &session->fold_room, step);
    pm_step_release(session->context, step);
    return PRUNE_OK;
}

/* Whether an input of the step has new numbers; the call's inputs are then as the cells have them. */
static int take_over(const prune_session *session, struct pm_step *step)
{
    int is_stale = 0;
    for (int32_t i = 0; i < step->call.input_count; i++) {
        const struct pm_cell *cell = step->inputs[i] < 0 ? NULL : &session->cells[step->inputs[i]];
        if (!cell || !cell->operand.is_constant)
            continue;
        is_stale |= cell->is_stale;
        step->call.inputs[i] = cell->operand;
    }
    return is_stale;
}

/* Infers again; what comes out must be of the same types. */
static int32_t infer_again(struct pm_step *step, const prune_session *session)
{
    step->call.scratch_bytes = 0;
    int32_t status = step->kind->infer(&step->call);
    if (status)
        return pm_step_fail(step, status);
    for (int32_t i = 0; i < step->call.output_count; i++) {
        struct pm_type *now = &step->call.outputs[i].type;
        char from[PM_TYPE_TEXT], to[PM_TYPE_TEXT];
        if (step->outputs[i] < 0)
            continue;
        const struct pm_type *was = &session->cells[step->outputs[i]].operand.type;
        int same = now->dtype == was->dtype && now->rank == was->rank;
        for (int32_t j = 0; same && j < was->rank; j++)
            same = now->extents[j] == was->extents[j];
        if (!same)
            return pm_step_fail(step, pr_fail(PRUNE_E_UNSUPPORTED,
                                              "output %d was %s and would be %s with the new numbers; make another "
                                              "session for them",
                                              (int)i, pm_type_text(was, from), pm_type_text(now, to)));
        *now = *was;
    }
    return PRUNE_OK;
}

static int32_t fold_again(prune_session *session, struct pm_step *step)
{
    if (!take_over(session, step))
        return PRUNE_OK;
    PR_TRY(infer_again(step, session));
    for (int32_t i = 0; i < step->call.output_count; i++)
        if (step->outputs[i] >= 0)
            session->cells[step->outputs[i]].is_stale = 1;
    return is_view(step) ? fold_view(session, step) : compute(session, step);
}

static int32_t prepare_again(prune_session *session, struct pm_step *step)
{
    int is_stale = take_over(session, step), absorbed = 0;
    for (int32_t i = 0; i < step->absorbed_count; i++)
        absorbed |= take_over(session, &step->absorbed[i]);
    if (!is_stale && !absorbed && step->is_prepared)
        return PRUNE_OK;
    if (step->kind->release)
        step->kind->release(&step->call);
    step->call.state = NULL;
    step->is_prepared = 0;
    step->call.kernels[0] = 0;
    if (absorbed)
        PR_TRY(pm_step_set_fusion(session, step));
    PR_TRY(infer_again(step, session));
    PR_TRY(pm_step_prepare(session, step));
    if (step->call.scratch_bytes > session->scratch_bytes) {
        char *larger;
        PR_TRY(pr_alloc(session->context, step->call.scratch_bytes, 1, &larger));
        pr_release(session->context, session->scratch);
        session->scratch = larger;
        session->scratch_bytes = step->call.scratch_bytes;
    }
    return PRUNE_OK;
}

static int32_t renew(prune_session *session, const struct pm_parameter *parameter)
{
    for (int32_t i = 0; i < session->cell_count; i++) {
        struct pm_cell *cell = &session->cells[i];
        if (cell->parameter != parameter)
            continue;
        const prune_tensor *tensor = parameter->tensor;
        if (prune_tensor_dtype(tensor) != cell->operand.type.dtype ||
            prune_tensor_rank(tensor) != cell->operand.type.rank ||
            prune_tensor_count(tensor) != cell->operand.type.count)
            return pr_fail(PRUNE_E_UNSUPPORTED, "the parameter \"%s\" has another shape or dtype; make another session",
                           cell->value->name);
        int32_t dtype = cell->operand.type.dtype;
        if (dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_BF16 && dtype != PRUNE_F64)
            return pr_fail(PRUNE_E_UNSUPPORTED,
                           "the parameter \"%s\" is %s, on which shapes may depend; make another session",
                           cell->value->name, prune_dtype_name(dtype));
        if (!cell->owned) /* no step reads it */
            continue;
        PR_TRY(pm_cell_set_parameter(session, i, parameter));
        cell->is_stale = 1;
    }
    for (int32_t i = 0; i < session->fold_count; i++)
        PR_TRY(fold_again(session, &session->folds[i]));
    for (int32_t i = 0; i < session->step_count; i++)
        PR_TRY(prepare_again(session, &session->steps[i]));
    return pm_session_results(session);
}

int32_t pm_session_renew(prune_session *session, const struct pm_parameter *parameter)
{
    session->has_run = 0;
    int32_t status = renew(session, parameter);
    for (int32_t i = 0; i < session->cell_count; i++)
        session->cells[i].is_stale = 0;
    return status;
}
