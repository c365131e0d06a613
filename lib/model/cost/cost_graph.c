/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The layers of a whole model: its session's steps, one for each node (nothing is fused), asked by their operators.
 */
#include <stdio.h>
#include <string.h>

#include "model/cost/cost.h"
#include "model/graph/session.h"

struct walk {
    prune_cost *cost;
    prune_session *session;
    uint8_t *counted; /* cell -> its numbers are counted already */
};

static int is_op(const struct pm_step *step, const char *op)
{
    return strcmp(step->call.node->op, op) == 0;
}

/* Marks the numbers of an input as counted; whether they were before. */
static int is_counted(const struct walk *walk, const struct pm_step *step, int32_t input)
{
    int32_t cell = pm_cell_storage(walk->session, step->inputs[input]);
    int before = walk->counted[cell];
    walk->counted[cell] = 1;
    return before;
}

/* Trainable numbers beside weights: biases, slopes, tables. What stands for a setting of the node is no parameter: a
 * number without axes, a Constant, the statistics of a batch norm. */
static int is_parameter(const struct walk *walk, const struct pm_step *step, int32_t input)
{
    if (step->inputs[input] < 0 || (is_op(step, "BatchNormalization") && input > 2))
        return 0;
    const struct pm_cell *cell = &walk->session->cells[step->inputs[input]];
    const struct pm_parameter *parameter = input < 4 ? step->weights[input] : NULL;
    return cell->from_parameter && cell->operand.type.dtype == PRUNE_F32 && cell->operand.type.rank > 0 &&
           !(parameter && parameter->constant_node);
}

static int64_t count_others(const struct walk *walk, const struct pm_step *step)
{
    int64_t others = 0;
    for (int32_t i = 0; i < step->call.input_count; i++)
        if (is_parameter(walk, step, i) && !is_counted(walk, step, i))
            others += step->call.inputs[i].type.count;
    return others;
}

/* What is not 0 of an operand's numbers, which may be a view. */
static int32_t count_nonzeros(const struct walk *walk, const struct pm_step *step, int32_t input, int64_t *nonzeros)
{
    const struct pm_operand *operand = &step->call.inputs[input];
    const prune_tensor *owned = walk->session->cells[pm_cell_storage(walk->session, step->inputs[input])].owned;
    if (operand->type.count && owned && !prune_tensor_is_contiguous(owned)) {
        prune_mask *mask = NULL;
        PR_TRY(prune_mask_from_nonzero(&mask, owned));
        *nonzeros = prune_mask_kept(mask);
        prune_mask_free(mask);
        return PRUNE_OK;
    }
    const float *numbers = operand->data;
    *nonzeros = 0;
    for (int64_t i = 0; i < operand->type.count; i++)
        *nonzeros += numbers[i] != 0;
    return PRUNE_OK;
}

struct zeros {
    int64_t in, count, nonzeros;
};

static int32_t take_rows(void *user, int64_t group, int64_t rows, const float *x)
{
    struct zeros *zeros = user;
    (void)group;
    zeros->count += rows * zeros->in;
    for (int64_t i = 0; i < rows * zeros->in; i++)
        zeros->nonzeros += x[i] != 0;
    return PRUNE_OK;
}

/* The density of what layer `index` multiplies with. The state of a recurrent layer is no input of the node, so there
 * it is that of the rows that the operator makes. */
static int32_t measure_input(const struct walk *walk, int32_t at, int32_t index, const struct pm_layer *found,
                             double *density)
{
    const struct pm_call *call = pm_session_call(walk->session, at);
    const struct pm_step *step = &walk->session->steps[at];
    struct zeros zeros = {.in = found->in};
    if (strcmp(found->kind, "recurrent") == 0) {
        PR_TRY(step->kind->rows(call, index, take_rows, &zeros));
    } else {
        zeros.count = call->inputs[0].type.count;
        PR_TRY(count_nonzeros(walk, step, 0, &zeros.nonzeros));
    }
    *density = zeros.count ? (double)zeros.nonzeros / (double)zeros.count : 1;
    return PRUNE_OK;
}

static int64_t outputs_of(const struct pm_step *step)
{
    int64_t outputs = 0;
    for (int32_t i = 0; i < step->call.output_count; i++)
        if (step->outputs[i] >= 0)
            outputs += step->call.outputs[i].type.count;
    return outputs;
}

static int32_t put(const struct walk *walk, const struct pm_step *step, int32_t index, struct pm_cost_layer *layer)
{
    const char *node = step->call.node->name;
    char *name;
    if (index == 0)
        return pm_cost_put(walk->cost, node, layer);
    size_t room = strlen(node) + 16;
    PR_TRY(pr_alloc(walk->cost->context, (int64_t)room, 1, &name));
    snprintf(name, room, "%s/%d", node, (int)index + 1);
    int32_t status = pm_cost_put(walk->cost, name, layer);
    pr_release(walk->cost->context, name);
    return status;
}

/* Layer `index` of a step: weights of which each is used equally often. */
static int32_t add_layer(const struct walk *walk, int32_t at, int32_t index, const struct pm_layer *found,
                         int is_repeated, int measure)
{
    const struct pm_step *step = &walk->session->steps[at];
    int64_t weights = step->call.inputs[found->input].type.count;
    struct pm_cost_layer layer = {.input_density = 1, .is_repeated = is_repeated};
    struct pm_measure *m = &layer.measure;
    m->rows = found->out && weights % found->out == 0 ? found->out : 1;
    m->columns = weights / m->rows;
    m->uses = weights ? found->macs / weights : 0;
    layer.free_macs = found->macs - m->uses * weights;
    m->inputs = index == 0 ? step->call.inputs[0].type.count : 0;
    m->outputs = index == 0 ? outputs_of(step) : 0;
    if (index == 0)
        m->others = count_others(walk, step);
    PR_TRY(count_nonzeros(walk, step, found->input, &layer.nonzeros));
    if (measure)
        PR_TRY(measure_input(walk, at, index, found, &layer.input_density));
    return put(walk, step, index, &layer);
}

/* A step without weights that can be pruned: a product of two computed values, a batch norm, a mean, a table. */
static int32_t add_other(const struct walk *walk, int32_t at)
{
    const struct pm_step *step = &walk->session->steps[at];
    struct pm_cost_layer layer = {.input_density = 1};
    int is_mean = is_op(step, "GlobalAveragePool") || is_op(step, "ReduceMean");
    layer.free_macs = step->kind->macs ? step->kind->macs(&step->call) : 0;
    layer.measure.others = count_others(walk, step);
    layer.measure.outputs = outputs_of(step);
    layer.measure.element_ops = is_mean || is_op(step, "BatchNormalization") ? layer.measure.outputs : 0;
    for (int32_t i = 0; i < step->call.input_count; i++)
        layer.measure.inputs +=
            step->inputs[i] < 0 || step->call.inputs[i].is_constant ? 0 : step->call.inputs[i].type.count;
    if (!layer.free_macs && !layer.measure.others && !layer.measure.element_ops)
        return PRUNE_OK;
    return put(walk, step, 0, &layer);
}

/* Marks weights before anything else, so that they are not taken for other parameters of their node. */
static int32_t add_step(const struct walk *walk, int32_t at, int measure)
{
    const struct pm_step *step = &walk->session->steps[at];
    struct pm_layer found[2];
    int32_t count = 0;
    while (step->kind->layer && count < 2 && step->kind->layer(&step->call, count, &found[count]))
        count++;
    if (!count)
        return add_other(walk, at);
    int repeated[2];
    for (int32_t i = 0; i < count; i++)
        repeated[i] = is_counted(walk, step, found[i].input);
    for (int32_t i = 0; i < count; i++)
        PR_TRY(add_layer(walk, at, i, &found[i], repeated[i], measure));
    return PRUNE_OK;
}

static int32_t add_steps(const struct walk *walk, const prune_tensor *const *inputs, int measure)
{
    if (measure)
        PR_TRY(pm_session_begin(walk->session, inputs));
    for (int32_t i = 0; i < walk->session->step_count; i++) {
        PR_TRY(add_step(walk, i, measure));
        if (measure)
            PR_TRY(pm_session_step(walk->session, i));
    }
    return PRUNE_OK;
}

int32_t prune_cost_add_graph(prune_cost *cost, const prune_graph *graph, int32_t count, const char *const *names,
                             const prune_tensor *const *inputs, const int32_t *fixed, int32_t measure)
{
    PR_REQUIRE(cost);
    PR_REQUIRE(graph);
    struct walk walk = {.cost = cost};
    int32_t before = cost->count;
    PR_TRY(prune_session_create(&walk.session, graph, count, names, inputs, fixed,
                                measure ? "fuse=no" : "weights=none,fuse=no"));
    int32_t status = pr_alloc_zero(cost->context, walk.session->cell_count, 1, &walk.counted);
    if (!status)
        status = add_steps(&walk, inputs, measure != 0);
    if (status)
        pm_cost_truncate(cost, before);
    pr_release(cost->context, walk.counted);
    prune_session_free(walk.session);
    return status;
}
