/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The graph as an object: making it, its lists, its parameters and masks.
 */
#include "model/graph/graph.h"

#include <string.h>

#include "model/graph/operator.h"
#include "model/graph/packs.h"

int32_t pm_graph_create(prune_graph **out, prune_context *context, int64_t opset)
{
    prune_graph *graph;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *graph, &graph));
    graph->context = prune_context_retain(context);
    graph->opset = opset;
    int32_t status = pm_body_create(&graph->body, context, NULL);
    if (status) {
        prune_graph_free(graph);
        return status;
    }
    *out = graph;
    return PRUNE_OK;
}

void prune_graph_free(prune_graph *graph)
{
    if (!graph)
        return;
    prune_context *context = graph->context;
    pm_body_free(graph->body);
    if (graph->free_origin)
        graph->free_origin(graph->origin);
    pm_packs_release(graph->packs);
    pr_release(context, graph->name);
    pr_release(context, graph->parameters);
    pr_release(context, graph->homes);
    pr_release(context, graph);
    prune_context_free(context);
}

/* Counts the parameters of a body and its branches, finds operators; with `graph->parameters` lists them too. */
static void walk(prune_graph *graph, struct pm_body *body)
{
    for (int32_t i = 0; i < body->parameter_count; i++) {
        if (graph->parameters) {
            graph->parameters[graph->parameter_count] = &body->parameters[i];
            body->parameters[i].number = graph->parameter_count;
            graph->homes[graph->parameter_count] = body;
        }
        graph->parameter_count++;
    }
    for (int32_t i = 0; i < body->node_count; i++) {
        struct pm_node *node = &body->nodes[i];
        node->kind = pm_operator_find(node->domain ? node->domain : "", node->op);
        for (int32_t j = 0; j < node->attribute_count; j++)
            if (node->attributes[j].body)
                walk(graph, node->attributes[j].body);
    }
}

int32_t pm_graph_finish(prune_graph *graph)
{
    PR_TRY(pm_body_sort(graph->body));
    walk(graph, graph->body);
    PR_TRY(pr_alloc_zero(graph->context, graph->parameter_count, sizeof(struct pm_parameter *), &graph->parameters));
    PR_TRY(pr_alloc_zero(graph->context, graph->parameter_count, sizeof(struct pm_body *), &graph->homes));
    graph->parameter_count = 0;
    walk(graph, graph->body);
    return PRUNE_OK;
}

/* What must be fed: inputs that no parameter gives a default. */
static int32_t fed(const prune_graph *graph, int32_t index)
{
    const struct pm_body *body = graph->body;
    for (int32_t i = 0; index >= 0 && i < body->input_count; i++)
        if (body->values[body->inputs[i]].parameter < 0 && index-- == 0)
            return body->inputs[i];
    return -1;
}

int32_t prune_graph_input_count(const prune_graph *graph)
{
    int32_t count = 0;
    while (graph && fed(graph, count) >= 0)
        count++;
    return count;
}

const char *prune_graph_input_name(const prune_graph *graph, int32_t index)
{
    int32_t value = graph ? fed(graph, index) : -1;
    return value < 0 ? NULL : graph->body->values[value].name;
}

int32_t prune_graph_input_type(const prune_graph *graph, int32_t index, int32_t *dtype, int32_t *rank, int64_t shape[8])
{
    PR_REQUIRE(graph);
    int32_t value = fed(graph, index);
    if (value < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "there is no input %d; the model has %d, from 0", (int)index,
                       (int)prune_graph_input_count(graph));
    const struct pm_type *type = &graph->body->values[value].type;
    if (dtype)
        *dtype = type->dtype;
    if (rank)
        *rank = type->rank;
    for (int32_t i = 0; shape && i < type->rank; i++)
        shape[i] = type->extents[i];
    return PRUNE_OK;
}

const char *prune_graph_input_symbol(const prune_graph *graph, int32_t index, int32_t axis)
{
    int32_t value = graph ? fed(graph, index) : -1;
    if (value < 0 || axis < 0 || axis >= PRUNE_MAX_RANK || graph->body->values[value].type.extents[axis] >= 0)
        return NULL;
    return graph->body->values[value].symbols[axis];
}

int32_t prune_graph_output_count(const prune_graph *graph)
{
    return graph ? graph->body->output_count : 0;
}

const char *prune_graph_output_name(const prune_graph *graph, int32_t index)
{
    return graph && index >= 0 && index < graph->body->output_count
               ? graph->body->values[graph->body->outputs[index]].name
               : NULL;
}

static const struct pm_node *node_at(const prune_graph *graph, int32_t index)
{
    return graph && index >= 0 && index < graph->body->node_count ? &graph->body->nodes[index] : NULL;
}

int32_t prune_graph_node_count(const prune_graph *graph)
{
    return graph ? graph->body->node_count : 0;
}

const char *prune_graph_node_name(const prune_graph *graph, int32_t index)
{
    const struct pm_node *node = node_at(graph, index);
    return node ? node->name : NULL;
}

const char *prune_graph_node_op(const prune_graph *graph, int32_t index)
{
    const struct pm_node *node = node_at(graph, index);
    return node ? node->op : NULL;
}

int64_t prune_graph_opset(const prune_graph *graph)
{
    return graph ? graph->opset : 0;
}

/* The number of a parameter, -1 for none. Names of branches may repeat; the first counts. */
static int32_t find(const prune_graph *graph, const char *name)
{
    for (int32_t i = 0; name && i < graph->parameter_count; i++)
        if (strcmp(graph->homes[i]->values[graph->parameters[i]->value].name, name) == 0)
            return i;
    return -1;
}

int32_t prune_graph_parameter_count(const prune_graph *graph)
{
    return graph ? graph->parameter_count : 0;
}

const char *prune_graph_parameter_name(const prune_graph *graph, int32_t index)
{
    return graph && index >= 0 && index < graph->parameter_count
               ? graph->homes[index]->values[graph->parameters[index]->value].name
               : NULL;
}

const prune_tensor *prune_graph_parameter(const prune_graph *graph, const char *name)
{
    int32_t found = graph ? find(graph, name) : -1;
    return found < 0 ? NULL : graph->parameters[found]->tensor;
}

const prune_mask *prune_graph_mask(const prune_graph *graph, const char *name)
{
    int32_t found = graph ? find(graph, name) : -1;
    return found < 0 ? NULL : graph->parameters[found]->mask;
}

static int32_t find_to_change(prune_graph *graph, const char *name, struct pm_parameter **parameter)
{
    int32_t found = find(graph, name);
    if (found < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "the model has no parameter \"%.200s\"", name);
    *parameter = graph->parameters[found];
    return PRUNE_OK;
}

/* A tensor of the graph's own in the parameter's place: what was read may lie in the file's bytes. */
static int32_t replace(struct pm_parameter *parameter, const prune_tensor *values, const prune_mask *mask)
{
    prune_tensor *made;
    PR_TRY(prune_tensor_convert(&made, values, prune_tensor_dtype(parameter->tensor)));
    int32_t status = mask ? prune_mask_apply(mask, made) : PRUNE_OK;
    if (status) {
        prune_tensor_free(made);
        return status;
    }
    prune_tensor_free(parameter->tensor);
    parameter->tensor = made;
    parameter->changed = 1;
    parameter->is_packed = 0;
    return PRUNE_OK;
}

int32_t prune_graph_set_mask(prune_graph *graph, const char *name, const prune_mask *mask)
{
    struct pm_parameter *parameter = NULL;
    prune_mask *copy = NULL;
    PR_REQUIRE(graph);
    PR_REQUIRE(name);
    PR_TRY(find_to_change(graph, name, &parameter));
    int32_t dtype = prune_tensor_dtype(parameter->tensor);
    if (mask && dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_BF16 && dtype != PRUNE_F64)
        return pr_fail(PRUNE_E_DTYPE, "parameter \"%.200s\" is %s; floating ones can be pruned", name,
                       prune_dtype_name(dtype));
    if (mask)
        PR_TRY(prune_mask_copy(&copy, mask));
    int32_t status = mask ? replace(parameter, parameter->tensor, mask) : PRUNE_OK;
    if (status) {
        prune_mask_free(copy);
        return pr_fail_in(status, "parameter \"%.200s\"", name);
    }
    prune_mask_free(parameter->mask);
    parameter->mask = copy;
    parameter->is_packed = 0;
    return PRUNE_OK;
}

int32_t prune_graph_set_parameter(prune_graph *graph, const char *name, const prune_tensor *values)
{
    struct pm_parameter *parameter = NULL;
    PR_REQUIRE(graph);
    PR_REQUIRE(name);
    PR_REQUIRE(values);
    PR_TRY(find_to_change(graph, name, &parameter));
    const prune_tensor *held = parameter->tensor;
    int32_t rank = prune_tensor_rank(held);
    if (prune_tensor_dtype(values) != prune_tensor_dtype(held))
        return pr_fail(PRUNE_E_DTYPE, "parameter \"%.200s\" is %s, the new numbers are %s; both must be of one dtype",
                       name, prune_dtype_name(prune_tensor_dtype(held)), prune_dtype_name(prune_tensor_dtype(values)));
    if (prune_tensor_rank(values) != rank ||
        (rank && memcmp(prune_tensor_shape(values), prune_tensor_shape(held), (size_t)rank * sizeof(int64_t)) != 0))
        return pr_fail(
            PRUNE_E_SHAPE,
            "parameter \"%.200s\" has rank %d and %lld numbers, the new ones rank %d and %lld; the shape must stay",
            name, (int)rank, (long long)prune_tensor_count(held), (int)prune_tensor_rank(values),
            (long long)prune_tensor_count(values));
    return replace(parameter, values, parameter->mask);
}

/* The mask of what is not zero, where enough is; NULL where the parameter stays as it is. */
static int32_t find_zeros(prune_mask **mask, const struct pm_parameter *parameter, double least)
{
    const prune_tensor *tensor = parameter->tensor;
    int32_t dtype = prune_tensor_dtype(tensor);
    prune_mask *found = NULL;
    *mask = NULL;
    int is_float = dtype == PRUNE_F32 || dtype == PRUNE_F16 || dtype == PRUNE_BF16 || dtype == PRUNE_F64;
    if (parameter->mask || !is_float || prune_tensor_rank(tensor) < 2 || prune_tensor_count(tensor) == 0)
        return PRUNE_OK;
    PR_TRY(prune_mask_from_nonzero(&found, tensor));
    int64_t count = prune_mask_count(found), zeros = count - prune_mask_kept(found);
    if (zeros == 0 || (double)zeros < least * (double)count)
        prune_mask_free(found);
    else
        *mask = found;
    return PRUNE_OK;
}

int32_t prune_graph_mask_zeros(prune_graph *graph, double least, int32_t *count)
{
    int32_t found = 0;
    PR_REQUIRE(graph);
    if (!(least >= 0 && least <= 1))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: a fraction of %g; it must be 0 to 1", __func__, least);
    for (int32_t i = 0; i < graph->parameter_count; i++) {
        prune_mask *mask;
        PR_TRY(find_zeros(&mask, graph->parameters[i], least));
        if (!mask)
            continue;
        graph->parameters[i]->mask = mask; /* -0.0 stays in dense files: what is pruned adds nothing */
        found++;
    }
    if (count)
        *count = found;
    return PRUNE_OK;
}
