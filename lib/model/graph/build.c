/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Building a graph by hand. Every node stands after what it reads, so there is no order to be found, and the graph is
 * whole after each addition.
 */
#include <string.h>

#include "model/graph/operator.h"

int32_t prune_graph_create(prune_graph **out, prune_context *context, int64_t opset)
{
    PR_REQUIRE(out);
    if (opset < PM_OLDEST_OPSET || opset > PM_NEWEST_OPSET)
        return pr_fail(PRUNE_E_ARGUMENT, "opset is %lld; it must be from %d to %d", (long long)opset, PM_OLDEST_OPSET,
                       PM_NEWEST_OPSET);
    PR_TRY(pm_graph_create(out, context, opset));
    (*out)->is_built = 1;
    return PRUNE_OK;
}

static int32_t check_built(const prune_graph *graph)
{
    return graph->is_built ? PRUNE_OK
                           : pr_fail(PRUNE_E_UNSUPPORTED, "the model was read from a file; only one that was made by "
                                                          "prune_graph_create can be added to");
}

static int32_t check_name(const char *what, const char *name)
{
    return *name ? PRUNE_OK : pr_fail(PRUNE_E_ARGUMENT, "the name of %s is empty; it must have one", what);
}

/* Whether an input, a parameter or a node makes the value; what a failed addition named, nothing makes. */
static int is_made(const struct pm_body *body, int32_t value)
{
    const struct pm_value *v = &body->values[value];
    int made = v->node >= 0 || v->parameter >= 0;
    for (int32_t i = 0; i < body->input_count && !made; i++)
        made = body->inputs[i] == value;
    return made;
}

/* A value that nothing makes yet. */
static int32_t new_value(struct pm_body *body, const char *name, int32_t *value)
{
    PR_TRY(pm_body_value(body, name, value));
    return is_made(body, *value) ? pr_fail(PRUNE_E_FORMAT, "\"%.200s\" is there already; a name has one source", name)
                                 : PRUNE_OK;
}

/* The type that is said: unlike pm_type_set's it may be open. */
static int32_t open_type(struct pm_type *type, const char *name, int32_t dtype, int32_t rank, const int64_t *shape)
{
    struct pm_type made = {.dtype = dtype, .rank = rank, .count = -1};
    int is_open = rank < 0;
    if (dtype && !prune_dtype_size(dtype))
        return pr_fail(PRUNE_E_DTYPE, "\"%.200s\": %d is no dtype", name, (int)dtype);
    if (rank < -1 || rank > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_SHAPE, "\"%.200s\": rank %d; it must be 0 to %d, or -1 where it is open", name,
                       (int)rank, PRUNE_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) {
        if (shape[i] < -1)
            return pr_fail(PRUNE_E_SHAPE, "\"%.200s\": extent %d is %lld; it must be 0 or more, or -1 where it is free",
                           name, (int)i, (long long)shape[i]);
        made.extents[i] = shape[i];
        is_open |= shape[i] < 0;
    }
    if (!is_open && dtype) {
        int32_t status = pm_type_set(&made, dtype, rank, shape);
        if (status)
            return pr_fail_in(status, "\"%.200s\"", name);
    }
    *type = made;
    return PRUNE_OK;
}

int32_t prune_graph_add_input(prune_graph *graph, const char *name, int32_t dtype, int32_t rank, const int64_t *shape)
{
    struct pm_type type = {0};
    int32_t value = -1;
    PR_REQUIRE(graph);
    PR_REQUIRE(name);
    if (rank > 0)
        PR_REQUIRE(shape);
    PR_TRY(check_built(graph));
    PR_TRY(check_name("an input", name));
    PR_TRY(open_type(&type, name, dtype, rank, shape));
    PR_TRY(new_value(graph->body, name, &value));
    PR_TRY(pm_body_add_input(graph->body, value));
    graph->body->values[value].type = type;
    return PRUNE_OK;
}

int32_t prune_graph_add_output(prune_graph *graph, const char *name, int32_t dtype, int32_t rank, const int64_t *shape)
{
    struct pm_type type = {0};
    PR_REQUIRE(graph);
    PR_REQUIRE(name);
    if (rank > 0)
        PR_REQUIRE(shape);
    PR_TRY(check_built(graph));
    PR_TRY(open_type(&type, name, dtype, rank, shape));
    struct pm_body *body = graph->body;
    int32_t value = pm_body_find(body, name);
    if (value < 0 || !is_made(body, value))
        return pr_fail(PRUNE_E_FORMAT, "\"%.200s\" is to be an output, but nothing makes it", name);
    for (int32_t i = 0; i < body->output_count; i++)
        if (body->outputs[i] == value)
            return pr_fail(PRUNE_E_FORMAT, "\"%.200s\" is an output already", name);
    PR_TRY(pm_body_add_output(body, value));
    if (body->values[value].node >= 0) /* the type of an input or a parameter is known */
        body->values[value].type = type;
    return PRUNE_OK;
}

/* Room for one more in the graph's lists of parameters. */
static int32_t reserve_parameter(prune_graph *graph)
{
    struct pm_parameter **parameters;
    struct pm_body **homes;
    if (graph->parameter_count < graph->parameter_room)
        return PRUNE_OK;
    if (graph->parameter_count > INT32_MAX / 4)
        return pr_fail(PRUNE_E_OVERFLOW, "a model of %d parameters is full", (int)graph->parameter_count);
    int32_t count = graph->parameter_count, room = 2 * count + 8;
    PR_TRY(pr_alloc_zero(graph->context, room, sizeof *parameters, &parameters));
    int32_t status = pr_alloc_zero(graph->context, room, sizeof *homes, &homes);
    if (status) {
        pr_release(graph->context, parameters);
        return status;
    }
    for (int32_t i = 0; i < count; i++) {
        parameters[i] = graph->parameters[i];
        homes[i] = graph->homes[i];
    }
    pr_release(graph->context, graph->parameters);
    pr_release(graph->context, graph->homes);
    graph->parameters = parameters;
    graph->homes = homes;
    graph->parameter_room = room;
    return PRUNE_OK;
}

/* A built graph has no branches: its parameters are those of its body, which may have moved. */
static void list_parameters(prune_graph *graph)
{
    struct pm_body *body = graph->body;
    int32_t first = graph->parameter_count && graph->parameters[0] == body->parameters ? graph->parameter_count : 0;
    for (int32_t i = first; i < body->parameter_count; i++) {
        graph->parameters[i] = &body->parameters[i];
        body->parameters[i].number = i;
        graph->homes[i] = body;
    }
    graph->parameter_count = body->parameter_count;
}

int32_t prune_graph_add_parameter(prune_graph *graph, const char *name, const prune_tensor *tensor)
{
    int32_t value = -1, parameter = -1, order[PRUNE_MAX_RANK];
    prune_tensor *view = NULL;
    PR_REQUIRE(graph);
    PR_REQUIRE(name);
    PR_REQUIRE(tensor);
    PR_TRY(check_built(graph));
    PR_TRY(check_name("a parameter", name));
    PR_TRY(new_value(graph->body, name, &value));
    PR_TRY(reserve_parameter(graph));
    for (int32_t i = 0; i < PRUNE_MAX_RANK; i++)
        order[i] = i;
    PR_TRY(prune_tensor_permute(&view, tensor, order));
    int32_t status = pm_body_add_parameter(graph->body, value, view, &parameter);
    if (status) {
        prune_tensor_free(view);
        return status;
    }
    list_parameters(graph);
    return PRUNE_OK;
}

/* The node of that name; the last ones, which are being built, are looked at first. */
static struct pm_node *find_node(const prune_graph *graph, const char *name)
{
    for (int32_t i = graph->body->node_count - 1; i >= 0; i--)
        if (strcmp(graph->body->nodes[i].name, name) == 0)
            return &graph->body->nodes[i];
    return NULL;
}

static int is_left_out(const char *name)
{
    return !name || !*name;
}

static int32_t find_inputs(const prune_graph *graph, struct pm_node *node, const char *const *names)
{
    for (int32_t i = 0; i < node->input_count; i++) {
        node->inputs[i] = is_left_out(names[i]) ? -1 : pm_body_find(graph->body, names[i]);
        if (!is_left_out(names[i]) && (node->inputs[i] < 0 || !is_made(graph->body, node->inputs[i])))
            return pr_fail(PRUNE_E_FORMAT, "it reads \"%.200s\", but nothing before it makes that", names[i]);
    }
    return PRUNE_OK;
}

static int32_t fill_node(const prune_graph *graph, struct pm_node *node, const char *name, const char *op,
                         const char *const *inputs, const char *const *outputs)
{
    prune_context *context = graph->context;
    PR_TRY(pr_copy_text(context, name, &node->name));
    PR_TRY(pr_copy_text(context, op, &node->op));
    PR_TRY(pr_copy_text(context, "", &node->domain));
    PR_TRY(pr_alloc_zero(context, node->input_count, sizeof *node->inputs, &node->inputs));
    PR_TRY(pr_alloc_zero(context, node->output_count, sizeof *node->outputs, &node->outputs));
    node->kind = pm_operator_find("", op);
    PR_TRY(find_inputs(graph, node, inputs));
    for (int32_t i = 0; i < node->output_count; i++) {
        node->outputs[i] = -1;
        if (!is_left_out(outputs[i]))
            PR_TRY(new_value(graph->body, outputs[i], &node->outputs[i]));
    }
    return PRUNE_OK;
}

int32_t prune_graph_add_node(prune_graph *graph, const char *name, const char *op, int32_t input_count,
                             const char *const *inputs, int32_t output_count, const char *const *outputs)
{
    PR_REQUIRE(graph);
    PR_REQUIRE(name);
    PR_REQUIRE(op);
    if (input_count > 0)
        PR_REQUIRE(inputs);
    PR_REQUIRE(outputs);
    PR_TRY(check_built(graph));
    PR_TRY(check_name("a node", name));
    PR_TRY(check_name("an operator", op));
    if (input_count < 0 || output_count < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "node \"%.200s\" has %d inputs and %d outputs; it must have 0 and 1 or more",
                       name, (int)input_count, (int)output_count);
    if (find_node(graph, name))
        return pr_fail(PRUNE_E_FORMAT, "there is a node \"%.200s\" already; names of nodes are unique", name);
    struct pm_node node = {.input_count = input_count, .output_count = output_count};
    int32_t status = fill_node(graph, &node, name, op, inputs, outputs);
    if (!status)
        status = pm_body_add_node(graph->body, &node);
    if (!status)
        return PRUNE_OK;
    pm_node_release(graph->context, &node);
    return pr_fail_in(status, "node \"%.200s\" (%.60s)", name, op);
}

/* Room for one more attribute, whose name is the caller's until it is put. */
static int32_t put_attribute(prune_graph *graph, struct pm_node *node, struct pm_attribute *made)
{
    prune_context *context = graph->context;
    struct pm_attribute *attributes;
    int32_t at = 0;
    while (at < node->attribute_count && strcmp(node->attributes[at].name, made->name) != 0)
        at++;
    PR_TRY(pr_alloc_zero(context, (int64_t)node->attribute_count + 1, sizeof *attributes, &attributes));
    if (node->attribute_count)
        memcpy(attributes, node->attributes, (size_t)node->attribute_count * sizeof *attributes);
    if (at < node->attribute_count) {
        struct pm_attribute *old = &attributes[at];
        pr_release(context, old->name);
        pr_release(context, old->text);
        pr_release(context, old->wholes);
    } else {
        node->attribute_count++;
    }
    attributes[at] = *made;
    pr_release(context, node->attributes);
    node->attributes = attributes;
    return PRUNE_OK;
}

/* `given` with names and lists that are the caller's: the node gets copies. */
static int32_t set_attribute(prune_graph *graph, const char *name, const struct pm_attribute *given)
{
    prune_context *context = graph->context;
    struct pm_attribute made = *given;
    PR_TRY(check_built(graph));
    PR_TRY(check_name("an attribute", given->name));
    struct pm_node *node = find_node(graph, name);
    if (!node)
        return pr_fail(PRUNE_E_ARGUMENT, "there is no node \"%.200s\"", name);
    made.name = made.text = NULL;
    made.wholes = NULL;
    int32_t status = pr_copy_text(context, given->name, &made.name);
    if (!status && given->text)
        status = pr_copy_text(context, given->text, &made.text);
    if (!status && given->kind == PM_INTS)
        status = pr_alloc(context, given->count, sizeof *made.wholes, &made.wholes);
    if (!status) {
        if (given->kind == PM_INTS && given->count)
            memcpy(made.wholes, given->wholes, (size_t)given->count * sizeof *made.wholes);
        status = put_attribute(graph, node, &made);
    }
    if (!status)
        return PRUNE_OK;
    pr_release(context, made.name);
    pr_release(context, made.text);
    pr_release(context, made.wholes);
    return status;
}

/* Names and texts are only read. */
static char *lent(const char *text)
{
    return (char *)(uintptr_t)text;
}

int32_t prune_graph_set_int(prune_graph *graph, const char *node, const char *attribute, int64_t value)
{
    PR_REQUIRE(graph);
    PR_REQUIRE(node);
    PR_REQUIRE(attribute);
    return set_attribute(graph, node, &(struct pm_attribute){.name = lent(attribute), .kind = PM_INT, .whole = value});
}

int32_t prune_graph_set_ints(prune_graph *graph, const char *node, const char *attribute, int32_t count,
                             const int64_t *values)
{
    PR_REQUIRE(graph);
    PR_REQUIRE(node);
    PR_REQUIRE(attribute);
    if (count < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %d values; it must be 0 or more", __func__, (int)count);
    if (count > 0)
        PR_REQUIRE(values);
    return set_attribute(
        graph, node,
        &(struct pm_attribute){
            .name = lent(attribute), .kind = PM_INTS, .count = count, .wholes = (int64_t *)(uintptr_t)values});
}

int32_t prune_graph_set_float(prune_graph *graph, const char *node, const char *attribute, float value)
{
    PR_REQUIRE(graph);
    PR_REQUIRE(node);
    PR_REQUIRE(attribute);
    return set_attribute(graph, node, &(struct pm_attribute){.name = lent(attribute), .kind = PM_FLOAT, .real = value});
}

int32_t prune_graph_set_text(prune_graph *graph, const char *node, const char *attribute, const char *text)
{
    PR_REQUIRE(graph);
    PR_REQUIRE(node);
    PR_REQUIRE(attribute);
    PR_REQUIRE(text);
    return set_attribute(
        graph, node,
        &(struct pm_attribute){
            .name = lent(attribute), .kind = PM_STRING, .count = (int64_t)strlen(text), .text = lent(text)});
}
