/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Copying a graph: bodies with all that is in them; the file behind it is shared, for nothing changes it.
 */
#include <string.h>

#include "model/graph/graph.h"
#include "model/graph/packs.h"

static int32_t copy_array(prune_context *context, const void *from, int64_t count, int64_t size, void *out)
{
    void *copy;
    PR_TRY(pr_alloc(context, count, size, &copy));
    if (count)
        memcpy(copy, from, (size_t)(count * size));
    memcpy(out, &copy, sizeof copy);
    return PRUNE_OK;
}

static int32_t copy_tensor(const prune_tensor *from, prune_tensor **to)
{
    return prune_tensor_convert(to, from, prune_tensor_dtype(from));
}

static int32_t copy_body(struct pm_body **out, const struct pm_body *from, struct pm_body *outer);

/* `to` is zero, and can be released whatever of it was copied. */
static int32_t copy_attribute(struct pm_body *body, const struct pm_attribute *from, struct pm_attribute *to)
{
    prune_context *context = body->context;
    to->kind = from->kind;
    to->whole = from->whole;
    to->real = from->real;
    to->count = from->count;
    PR_TRY(pr_copy_text(context, from->name, &to->name));
    if (from->texts) {
        PR_TRY(pr_alloc_zero(context, from->count, sizeof *to->texts, &to->texts));
        for (int64_t i = 0; i < from->count; i++)
            PR_TRY(pr_copy_text(context, from->texts[i], &to->texts[i]));
    }
    if (from->text)
        PR_TRY(copy_array(context, from->text, from->count + 1, 1, &to->text));
    if (from->wholes)
        PR_TRY(copy_array(context, from->wholes, from->count, sizeof *to->wholes, &to->wholes));
    if (from->reals)
        PR_TRY(copy_array(context, from->reals, from->count, sizeof *to->reals, &to->reals));
    if (from->tensor)
        PR_TRY(copy_tensor(from->tensor, &to->tensor));
    return from->body ? copy_body(&to->body, from->body, body) : PRUNE_OK;
}

static int32_t copy_node(struct pm_body *body, const struct pm_node *from, struct pm_node *to)
{
    prune_context *context = body->context;
    to->kind = from->kind;
    to->input_count = from->input_count;
    to->output_count = from->output_count;
    PR_TRY(pr_copy_text(context, from->name, &to->name));
    PR_TRY(pr_copy_text(context, from->op, &to->op));
    if (from->domain)
        PR_TRY(pr_copy_text(context, from->domain, &to->domain));
    PR_TRY(copy_array(context, from->inputs, from->input_count, sizeof *to->inputs, &to->inputs));
    PR_TRY(copy_array(context, from->outputs, from->output_count, sizeof *to->outputs, &to->outputs));
    PR_TRY(pr_alloc_zero(context, from->attribute_count, sizeof *to->attributes, &to->attributes));
    for (int32_t i = 0; i < from->attribute_count; i++) {
        to->attribute_count = i + 1;
        PR_TRY(copy_attribute(body, &from->attributes[i], &to->attributes[i]));
    }
    return PRUNE_OK;
}

static int32_t copy_values(struct pm_body *body, const struct pm_body *from)
{
    for (int32_t i = 0; i < from->value_count; i++) {
        const struct pm_value *value = &from->values[i];
        int32_t copied;
        PR_TRY(pm_body_value(body, value->name, &copied));
        struct pm_value *to = &body->values[copied];
        to->type = value->type;
        to->outer = value->outer;
        for (int32_t axis = 0; axis < PRUNE_MAX_RANK; axis++)
            if (value->symbols[axis])
                PR_TRY(pr_copy_text(body->context, value->symbols[axis], &to->symbols[axis]));
    }
    return PRUNE_OK;
}

static int32_t copy_parameter(struct pm_body *body, const struct pm_parameter *from)
{
    prune_tensor *tensor = NULL;
    int32_t parameter = -1;
    PR_TRY(copy_tensor(from->tensor, &tensor));
    int32_t status = pm_body_add_parameter(body, from->value, tensor, &parameter);
    if (status) {
        prune_tensor_free(tensor);
        return status;
    }
    struct pm_parameter *to = &body->parameters[parameter];
    to->changed = from->changed;
    to->constant_node = from->constant_node;
    to->is_packed = from->is_packed;
    return from->mask ? prune_mask_copy(&to->mask, from->mask) : PRUNE_OK;
}

/* Values keep their numbers, so that what refers to them needs no change. */
static int32_t fill_body(struct pm_body *body, const struct pm_body *from)
{
    PR_TRY(copy_values(body, from));
    for (int32_t i = 0; i < from->parameter_count; i++)
        PR_TRY(copy_parameter(body, &from->parameters[i]));
    for (int32_t i = 0; i < from->input_count; i++)
        PR_TRY(pm_body_add_input(body, from->inputs[i]));
    for (int32_t i = 0; i < from->node_count; i++) {
        struct pm_node node = {0};
        int32_t status = copy_node(body, &from->nodes[i], &node);
        if (!status)
            status = pm_body_add_node(body, &node);
        if (status) {
            pm_node_release(body->context, &node);
            return status;
        }
    }
    for (int32_t i = 0; i < from->output_count; i++)
        PR_TRY(pm_body_add_output(body, from->outputs[i]));
    return PRUNE_OK;
}

static int32_t copy_body(struct pm_body **out, const struct pm_body *from, struct pm_body *outer)
{
    struct pm_body *body = NULL;
    PR_TRY(pm_body_create(&body, from->context, outer));
    int32_t status = fill_body(body, from);
    if (status)
        pm_body_free(body);
    else
        *out = body;
    return status;
}

static int32_t copy_graph(prune_graph *to, const prune_graph *from)
{
    if (from->origin) {
        to->origin = from->retain_origin(from->origin);
        to->free_origin = from->free_origin;
        to->retain_origin = from->retain_origin;
    }
    to->packs = pm_packs_retain(from->packs);
    if (from->name)
        PR_TRY(pr_copy_text(to->context, from->name, &to->name));
    to->is_built = from->is_built;
    PR_TRY(fill_body(to->body, from->body));
    return pm_graph_finish(to);
}

int32_t prune_graph_copy(prune_graph **out, const prune_graph *graph)
{
    prune_graph *copy = NULL;
    PR_REQUIRE(out);
    PR_REQUIRE(graph);
    PR_TRY(pm_graph_create(&copy, graph->context, graph->opset));
    int32_t status = copy_graph(copy, graph);
    if (status)
        prune_graph_free(copy);
    else
        *out = copy;
    return status;
}
