/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The plan of a session: which steps a graph is for given inputs.
 */
#include <string.h>

#include "model/graph/session.h"

#define MAX_DEPTH 64       /* of branches in branches */
#define MOST_SETTLED 65536 /* numbers that an outline copies to where operators want them */

/* A body while it is gone through. */
struct scope {
    const struct pm_body *body;
    const struct scope *outer;
    int32_t *cells;  /* of each value; -1 for none yet */
    uint8_t *needed; /* value -> somebody reads it */
    int depth;
};

static int32_t plan_body(prune_session *session, struct scope *scope);

int32_t pm_cell_storage(const prune_session *session, int32_t cell)
{
    while (session->cells[cell].storage != cell)
        cell = session->cells[cell].storage;
    return cell;
}

/* Room for one more element of a list. */
static int32_t grow(prune_context *context, void **list, int32_t count, int32_t *room, int64_t size)
{
    void *larger;
    if (count < *room)
        return PRUNE_OK;
    int64_t wanted = *room ? 2 * (int64_t)*room : 16;
    if (wanted > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "a session of more than %d values or steps cannot be made", INT32_MAX / 2);
    PR_TRY(pr_alloc(context, wanted, size, &larger));
    if (count)
        memcpy(larger, *list, (size_t)(count * size));
    pr_release(context, *list);
    *list = larger;
    *room = (int32_t)wanted;
    return PRUNE_OK;
}

int32_t pm_cell_add(prune_session *session, const struct pm_value *value, int32_t *cell)
{
    void *list = session->cells;
    int32_t status = grow(session->context, &list, session->cell_count, &session->cell_room, sizeof *session->cells);
    session->cells = list;
    PR_TRY(status);
    *cell = session->cell_count++;
    session->cells[*cell] = (struct pm_cell){.storage = *cell, .offset = -1, .value = value, .feed = -1};
    session->cells[*cell].operand.type.rank = -1;
    return PRUNE_OK;
}

static const int32_t same_order[PRUNE_MAX_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};

static int is_as_wanted(const prune_tensor *tensor)
{
    return prune_tensor_is_contiguous(tensor) && (uintptr_t)prune_tensor_const_data(tensor) % 64 == 0;
}

/* The numbers as they lie when that is as operators want them, else a copy. An outline has no use for the numbers of
 * large weights: it leaves them. */
int32_t pm_cell_set_parameter(prune_session *session, int32_t cell, const struct pm_parameter *parameter)
{
    const prune_tensor *tensor = parameter->tensor;
    struct pm_operand operand = {.is_constant = 1, .parameter = parameter};
    prune_tensor *numbers = NULL;
    prune_mask *mask = NULL;
    int32_t dtype = prune_tensor_dtype(tensor), rank = prune_tensor_rank(tensor);
    PR_TRY(pm_type_set(&operand.type, dtype, rank, prune_tensor_shape(tensor)));
    if (is_as_wanted(tensor))
        PR_TRY(prune_tensor_reshape(&numbers, tensor, rank, prune_tensor_shape(tensor)));
    else if (session->is_outline && dtype == PRUNE_F32 && operand.type.count > MOST_SETTLED)
        PR_TRY(prune_tensor_permute(&numbers, tensor, same_order));
    else
        PR_TRY(prune_tensor_convert(&numbers, tensor, dtype));
    if (parameter->mask) {
        int32_t status = prune_mask_copy(&mask, parameter->mask);
        if (status) {
            prune_tensor_free(numbers);
            return status;
        }
    }
    struct pm_cell *c = &session->cells[cell];
    prune_tensor_free(c->owned);
    prune_mask_free(c->owned_mask);
    c->owned = numbers;
    c->owned_mask = mask;
    c->operand = operand;
    c->operand.data = prune_tensor_data(numbers);
    c->operand.mask = mask;
    c->parameter = parameter;
    c->from_parameter = 1;
    return PRUNE_OK;
}

int32_t pm_cell_settle(prune_session *session, int32_t cell)
{
    struct pm_cell *c = &session->cells[pm_cell_storage(session, cell)];
    prune_tensor *numbers = NULL;
    if (c->owned && !is_as_wanted(c->owned)) {
        PR_TRY(prune_tensor_convert(&numbers, c->owned, c->operand.type.dtype));
        prune_tensor_free(c->owned);
        c->owned = numbers;
        c->operand.data = prune_tensor_data(numbers);
    }
    session->cells[cell].operand.data = c->operand.data;
    return PRUNE_OK;
}

int32_t pm_step_add(prune_context *context, struct pm_step **list, int32_t *count, int32_t *room, struct pm_step *step)
{
    void *steps = *list;
    int32_t status = grow(context, &steps, *count, room, sizeof *step);
    *list = steps;
    PR_TRY(status);
    (*list)[(*count)++] = *step;
    memset(step, 0, sizeof *step);
    return PRUNE_OK;
}

void pm_step_release(prune_context *context, struct pm_step *step)
{
    if (step->kind && step->kind->release)
        step->kind->release(&step->call);
    for (int32_t i = 0; i < step->absorbed_count; i++)
        pm_step_release(context, &step->absorbed[i]);
    pr_release(context, step->absorbed);
    pr_release(context, step->scale);
    pr_release(context, step->shift);
    pr_release(context, step->block);
    memset(step, 0, sizeof *step);
}

int32_t pm_step_fail(const struct pm_step *step, int32_t status)
{
    return pr_fail_in(status, "node \"%s\" (%s)", step->call.node->name, step->call.node->op);
}

int32_t pm_step_prepare(prune_session *session, struct pm_step *step)
{
    const char *weights = session->other_weights;
    for (int32_t i = 0; i < step->call.input_count; i++)
        if (step->call.inputs[i].mask)
            weights = session->pruned_weights;
    step->call.weights = weights;
    step->call.packs = session->packs;
    if (step->kind->prepare) {
        int32_t status = step->kind->prepare(&step->call);
        if (status)
            return pm_step_fail(step, status);
    }
    step->is_prepared = 1;
    return PRUNE_OK;
}

/* The cell of a value that is read. */
static int32_t cell_of(prune_session *session, const struct scope *scope, int32_t value, int32_t *cell)
{
    const struct pm_value *v = &scope->body->values[value];
    if (scope->cells[value] < 0) {
        if (v->outer >= 0 && scope->outer) {
            PR_TRY(cell_of(session, scope->outer, v->outer, &scope->cells[value]));
        } else if (v->parameter >= 0) {
            int32_t made;
            PR_TRY(pm_cell_add(session, v, &made));
            scope->cells[value] = made;
            int32_t status = pm_cell_set_parameter(session, made, &scope->body->parameters[v->parameter]);
            if (status)
                return pr_fail_in(status, "parameter \"%s\"", v->name);
        } else {
            return pr_fail(PRUNE_E_FORMAT, "the value \"%s\" is read, but no node, input or parameter makes it",
                           v->name);
        }
    }
    *cell = scope->cells[value];
    return PRUNE_OK;
}

/* What the branches of `node` read of the body around them. */
static void mark_captured(const struct pm_node *node, uint8_t *needed)
{
    for (int32_t a = 0; a < node->attribute_count; a++) {
        const struct pm_body *branch = node->attributes[a].body;
        for (int32_t i = 0; branch && i < branch->value_count; i++)
            if (branch->values[i].outer >= 0)
                needed[branch->values[i].outer] = 1;
    }
}

static int is_needed(const struct scope *scope, const struct pm_node *node)
{
    for (int32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0 && scope->needed[node->outputs[i]])
            return 1;
    return 0;
}

static void mark_needed(struct scope *scope)
{
    const struct pm_body *body = scope->body;
    for (int32_t i = 0; i < body->output_count; i++)
        scope->needed[body->outputs[i]] = 1;
    for (int32_t i = body->node_count - 1; i >= 0; i--) {
        const struct pm_node *node = &body->nodes[i];
        if (!is_needed(scope, node))
            continue;
        for (int32_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] >= 0)
                scope->needed[node->inputs[j]] = 1;
        mark_captured(node, scope->needed);
    }
}

/* Whether all that the node makes is there: a Constant node whose tensor is a parameter. */
static int is_parameter(const struct scope *scope, const struct pm_node *node)
{
    for (int32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0 && scope->body->values[node->outputs[i]].parameter < 0)
            return 0;
    return 1;
}

/* A step with empty lists. */
static int32_t make_step(prune_session *session, const struct pm_node *node, struct pm_step *step)
{
    int64_t cells = (int64_t)node->input_count + node->output_count, bytes = 0, ids = 0;
    PR_TRY(pr_mul(cells, sizeof(struct pm_operand), &bytes));
    PR_TRY(pr_mul(cells, sizeof(int32_t), &ids));
    PR_TRY(pr_add(bytes, ids, &ids));
    PR_TRY(pr_alloc_zero(session->context, ids, 1, &step->block));
    step->kind = node->kind;
    step->inputs = (int32_t *)(void *)((char *)step->block + bytes);
    step->outputs = step->inputs + node->input_count;
    step->call = (struct pm_call){.context = session->context,
                                  .node = node,
                                  .opset = session->graph->opset,
                                  .input_count = node->input_count,
                                  .output_count = node->output_count,
                                  .inputs = step->block,
                                  .outputs = (struct pm_operand *)step->block + node->input_count,
                                  .weights = session->other_weights};
    for (int64_t i = 0; i < cells; i++)
        step->inputs[i] = -1;
    return PRUNE_OK;
}

static int32_t set_inputs(prune_session *session, const struct scope *scope, struct pm_step *step)
{
    const struct pm_node *node = step->call.node;
    for (int32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] < 0)
            continue;
        PR_TRY(cell_of(session, scope, node->inputs[i], &step->inputs[i]));
        step->call.inputs[i] = session->cells[step->inputs[i]].operand;
        if (i < 4)
            step->weights[i] = session->cells[step->inputs[i]].parameter;
    }
    return PRUNE_OK;
}

static int32_t set_outputs(prune_session *session, const struct scope *scope, struct pm_step *step)
{
    const struct pm_node *node = step->call.node;
    for (int32_t i = 0; i < node->output_count; i++) {
        const struct pm_type *type = &step->call.outputs[i].type;
        if (node->outputs[i] < 0)
            continue;
        const struct pm_value *value = &scope->body->values[node->outputs[i]];
        int64_t bytes = 0;
        if (!type->dtype || type->rank < 0)
            return pr_fail(PRUNE_E_UNSUPPORTED, "what output %d (\"%s\") would be is not known", (int)i, value->name);
        struct pm_type checked;
        PR_TRY(pm_type_set(&checked, type->dtype, type->rank, type->extents));
        PR_TRY(pr_mul(checked.count, prune_dtype_size(checked.dtype), &bytes));
        PR_TRY(pm_cell_add(session, value, &step->outputs[i]));
        session->cells[step->outputs[i]].operand.type = checked;
        step->call.outputs[i].type = checked;
        scope->cells[node->outputs[i]] = step->outputs[i];
    }
    return PRUNE_OK;
}

/* A view is no step: its output has the memory of its input. */
static int take_view(prune_session *session, const struct pm_step *step)
{
    if (!(step->kind->flags & PM_VIEW) || step->call.input_count < 1 || step->inputs[0] < 0 || step->outputs[0] < 0 ||
        session->cells[step->inputs[0]].operand.is_constant)
        return 0;
    for (int32_t i = 1; i < step->call.output_count; i++) /* a mask of Dropout is something of its own */
        if (step->outputs[i] >= 0)
            return 0;
    const struct pm_type *from = &step->call.inputs[0].type, *to = &step->call.outputs[0].type;
    if (pm_type_bytes(from) != pm_type_bytes(to) || from->dtype != to->dtype)
        return 0;
    session->cells[step->outputs[0]].storage = pm_cell_storage(session, step->inputs[0]);
    return 1;
}

static int32_t plan_step(prune_session *session, const struct scope *scope, struct pm_step *step)
{
    int is_done = 0;
    PR_TRY(set_inputs(session, scope, step));
    int32_t status = step->kind->infer(&step->call);
    if (!status)
        status = set_outputs(session, scope, step);
    if (status)
        return pm_step_fail(step, status);
    PR_TRY(pm_session_fold(session, step, &is_done));
    if (is_done)
        return PRUNE_OK;
    if (take_view(session, step)) {
        pm_step_release(session->context, step);
        return PRUNE_OK;
    }
    return pm_step_add(session->context, &session->steps, &session->step_count, &session->step_room, step);
}

static int32_t plan_node(prune_session *session, const struct scope *scope, const struct pm_node *node)
{
    struct pm_step step = {0};
    if (!node->kind)
        return pr_fail(PRUNE_E_UNSUPPORTED, "node \"%s\" (%s%s%s): this operator cannot be run here", node->name,
                       node->domain && *node->domain ? node->domain : "", node->domain && *node->domain ? "." : "",
                       node->op);
    PR_TRY(make_step(session, node, &step));
    int32_t status = pm_attributes_check(node);
    status = status ? pm_step_fail(&step, status) : plan_step(session, scope, &step);
    pm_step_release(session->context, &step);
    return status;
}

static int is_if(const struct pm_node *node)
{
    const char *domain = node->domain ? node->domain : "";
    return strcmp(node->op, "If") == 0 && (!*domain || strcmp(domain, "ai.onnx") == 0);
}

/* The condition, if it is known. */
static int32_t condition_of(const prune_session *session, int32_t cell, int *is_true)
{
    const struct pm_operand *condition = &session->cells[cell].operand;
    if (condition->type.dtype != PRUNE_BOOL)
        return pr_fail(PRUNE_E_DTYPE, "the condition is %s; it must be bool", prune_dtype_name(condition->type.dtype));
    if (condition->type.count != 1)
        return pr_fail(PRUNE_E_SHAPE, "the condition has %lld elements; it must have 1",
                       (long long)condition->type.count);
    if (!condition->is_constant)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "the condition \"%s\" depends on inputs that are not fixed; only branches known beforehand are "
                       "run",
                       session->cells[cell].value->name);
    *is_true = *(const uint8_t *)condition->data != 0;
    return PRUNE_OK;
}

static int32_t scope_open(prune_session *session, struct scope *scope)
{
    int64_t count = scope->body->value_count;
    if (!scope->cells) {
        PR_TRY(pr_alloc(session->context, count, sizeof(int32_t), &scope->cells));
        for (int64_t i = 0; i < count; i++)
            scope->cells[i] = -1;
    }
    return pr_alloc_zero(session->context, count, 1, &scope->needed);
}

/* The nodes of the branch that is taken, as if they stood here; its outputs are the node's. */
static int32_t plan_branch(prune_session *session, const struct scope *scope, const struct pm_node *node,
                           const struct pm_body *branch)
{
    struct scope inner = {.body = branch, .outer = scope, .depth = scope->depth + 1};
    int32_t status = scope_open(session, &inner);
    if (!status)
        status = plan_body(session, &inner);
    for (int32_t i = 0; !status && i < node->output_count; i++)
        if (node->outputs[i] >= 0)
            status = cell_of(session, &inner, branch->outputs[i], &scope->cells[node->outputs[i]]);
    pr_release(session->context, inner.cells);
    pr_release(session->context, inner.needed);
    return status;
}

static int32_t plan_if(prune_session *session, const struct scope *scope, const struct pm_node *node)
{
    int is_true = 0;
    int32_t cell = -1, status;
    if (node->input_count != 1 || node->inputs[0] < 0)
        return pr_fail(PRUNE_E_FORMAT, "node \"%s\" (If): %d inputs; it must have one, the condition", node->name,
                       (int)node->input_count);
    status = cell_of(session, scope, node->inputs[0], &cell);
    if (!status)
        status = condition_of(session, cell, &is_true);
    if (status)
        return pr_fail_in(status, "node \"%s\" (If)", node->name);
    const char *which = is_true ? "then_branch" : "else_branch";
    const struct pm_attribute *attribute = pm_attribute(node, which);
    if (!attribute || attribute->kind != PM_BODY || !attribute->body)
        return pr_fail(PRUNE_E_FORMAT, "node \"%s\" (If): there is no \"%s\"", node->name, which);
    if (attribute->body->output_count != node->output_count)
        return pr_fail(PRUNE_E_FORMAT, "node \"%s\" (If): \"%s\" has %d outputs, the node %d; they must be as many",
                       node->name, which, (int)attribute->body->output_count, (int)node->output_count);
    if (scope->depth >= MAX_DEPTH)
        return pr_fail(PRUNE_E_UNSUPPORTED, "node \"%s\" (If): more than %d branches in branches", node->name,
                       MAX_DEPTH);
    return plan_branch(session, scope, node, attribute->body);
}

static int32_t plan_body(prune_session *session, struct scope *scope)
{
    const struct pm_body *body = scope->body;
    mark_needed(scope);
    for (int32_t i = 0; i < body->node_count; i++) {
        const struct pm_node *node = &body->nodes[i];
        if (!is_needed(scope, node) || is_parameter(scope, node))
            continue;
        PR_TRY(is_if(node) ? plan_if(session, scope, node) : plan_node(session, scope, node));
    }
    return PRUNE_OK;
}

int32_t pm_session_plan(prune_session *session, int32_t *cells)
{
    struct scope scope = {.body = session->graph->body, .cells = cells};
    int32_t status = scope_open(session, &scope);
    if (!status)
        status = plan_body(session, &scope);
    for (int32_t i = 0; !status && i < session->output_count; i++)
        status = cell_of(session, &scope, scope.body->outputs[i], &session->outputs[i]);
    pr_release(session->context, scope.needed);
    return status;
}
