/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Nodes and their attributes.
 */
#include <stdio.h>
#include <string.h>

#include "model/io/onnx/onnx.h"

#define MOST_ATTRIBUTES 1000

/* Names of a body's nodes: an open hash table over the messages' strings, so that a name is given once. */
struct names {
    const char **slots;
    uint32_t mask;
};

static int32_t names_open(prune_context *context, size_t count, struct names *names)
{
    uint32_t room = 16;
    while (room < 2 * count)
        room *= 2;
    names->mask = room - 1;
    return pr_alloc_zero(context, room, sizeof *names->slots, &names->slots);
}

/* Where a name is or would be: FNV-1a, then the next free place. */
static const char **names_find(const struct names *names, const char *name)
{
    uint32_t hash = 2166136261U;
    for (const char *at = name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    while (names->slots[hash & names->mask] && strcmp(names->slots[hash & names->mask], name) != 0)
        hash++;
    return &names->slots[hash & names->mask];
}

static int32_t names_of(prune_context *context, const pm_graph_message *message, struct names *names)
{
    PR_TRY(names_open(context, message->n_node, names));
    for (size_t i = 0; i < message->n_node; i++) {
        const char *name = message->node[i]->name;
        const char **slot = name && name[0] ? names_find(names, name) : NULL;
        if (slot && !*slot)
            *slot = name;
    }
    return PRUNE_OK;
}

static int32_t copy_list(prune_context *context, const void *list, size_t count, size_t size, void *out)
{
    void *copy;
    PR_TRY(pr_alloc(context, (int64_t)count, (int64_t)size, &copy));
    if (count)
        memcpy(copy, list, count * size);
    memcpy(out, &copy, sizeof copy);
    return PRUNE_OK;
}

static int32_t copy_bytes(prune_context *context, ProtobufCBinaryData bytes, char **out)
{
    char *text;
    PR_TRY(pr_alloc(context, (int64_t)bytes.len + 1, 1, &text));
    if (bytes.len)
        memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';
    *out = text;
    return PRUNE_OK;
}

static int32_t copy_strings(prune_context *context, const pm_attribute_message *message, struct pm_attribute *to)
{
    PR_TRY(pr_alloc_zero(context, (int64_t)message->n_strings, sizeof *to->texts, &to->texts));
    to->count = (int64_t)message->n_strings;
    for (size_t i = 0; i < message->n_strings; i++)
        PR_TRY(copy_bytes(context, message->strings[i], &to->texts[i]));
    return PRUNE_OK;
}

/* Files of the first IR versions do not say which field counts. */
static int32_t type_of(const pm_attribute_message *message)
{
    if (message->type)
        return message->type;
    return message->has_f       ? PM_ONNX_FLOAT
           : message->has_i     ? PM_ONNX_INT
           : message->has_s     ? PM_ONNX_STRING
           : message->t         ? PM_ONNX_TENSOR
           : message->g         ? PM_ONNX_GRAPH
           : message->n_floats  ? PM_ONNX_FLOATS
           : message->n_ints    ? PM_ONNX_INTS
           : message->n_strings ? PM_ONNX_STRINGS
                                : 0;
}

static int32_t read_branch(const pm_graph_message *graph, struct pm_body *outer, struct pm_attribute *to)
{
    if (!graph)
        return pr_fail(PRUNE_E_FORMAT, "it holds no graph, though its type says so");
    to->kind = PM_BODY;
    PR_TRY(pm_body_create(&to->body, outer->context, outer));
    return pm_onnx_body(graph, to->body);
}

static int32_t read_tensor(const pm_tensor_message *tensor, struct pm_body *body, struct pm_attribute *to)
{
    if (!tensor)
        return pr_fail(PRUNE_E_FORMAT, "it holds no tensor, though its type says so");
    PR_TRY(pm_onnx_tensor(&to->tensor, body->context, tensor));
    to->kind = to->tensor ? PM_TENSOR : PM_OPAQUE;
    return PRUNE_OK;
}

static int32_t read_value(const pm_attribute_message *message, struct pm_body *body, struct pm_attribute *to)
{
    switch (type_of(message)) {
    case PM_ONNX_FLOAT:
        to->kind = PM_FLOAT;
        to->real = message->f;
        return PRUNE_OK;
    case PM_ONNX_INT:
        to->kind = PM_INT;
        to->whole = message->i;
        return PRUNE_OK;
    case PM_ONNX_STRING:
        to->kind = PM_STRING;
        to->count = (int64_t)message->s.len;
        return copy_bytes(body->context, message->s, &to->text);
    case PM_ONNX_TENSOR:
        return read_tensor(message->t, body, to);
    case PM_ONNX_GRAPH:
        return read_branch(message->g, body, to);
    case PM_ONNX_FLOATS:
        to->kind = PM_FLOATS;
        to->count = (int64_t)message->n_floats;
        return copy_list(body->context, message->floats, message->n_floats, sizeof *to->reals, &to->reals);
    case PM_ONNX_INTS:
        to->kind = PM_INTS;
        to->count = (int64_t)message->n_ints;
        return copy_list(body->context, message->ints, message->n_ints, sizeof *to->wholes, &to->wholes);
    case PM_ONNX_STRINGS:
        to->kind = PM_STRINGS;
        return copy_strings(body->context, message, to);
    default:
        to->kind = PM_OPAQUE;
        return PRUNE_OK;
    }
}

static int32_t read_attributes(const pm_node_message *message, struct pm_body *body, struct pm_node *node)
{
    if (message->n_attribute > MOST_ATTRIBUTES)
        return pr_fail(PRUNE_E_UNSUPPORTED, "it has %lld attributes; at most %d are read",
                       (long long)message->n_attribute, MOST_ATTRIBUTES);
    PR_TRY(pr_alloc_zero(body->context, (int64_t)message->n_attribute, sizeof *node->attributes, &node->attributes));
    for (size_t i = 0; i < message->n_attribute; i++) {
        const pm_attribute_message *attribute = message->attribute[i];
        struct pm_attribute *to = &node->attributes[node->attribute_count];
        if (!attribute->name || !attribute->name[0])
            return pr_fail(PRUNE_E_FORMAT, "attribute %d has no name; it must have one", (int)i);
        if (pm_attribute(node, attribute->name))
            return pr_fail(PRUNE_E_FORMAT, "attribute \"%s\" stands twice", PM_SHOW(attribute->name));
        node->attribute_count++;
        PR_TRY(pr_copy_text(body->context, attribute->name, &to->name));
        int32_t status = read_value(attribute, body, to);
        if (status)
            return pr_fail_in(status, "attribute \"%s\"", PM_SHOW(attribute->name));
    }
    return PRUNE_OK;
}

static int32_t read_values(struct pm_body *body, size_t count, char *const *names, int32_t *number, int32_t **values)
{
    PR_TRY(pr_alloc(body->context, (int64_t)count, sizeof **values, values));
    for (size_t i = 0; i < count; i++) {
        (*values)[i] = -1;
        if (names[i][0])
            PR_TRY(pm_body_value(body, names[i], &(*values)[i]));
    }
    *number = (int32_t)count;
    return PRUNE_OK;
}

static int32_t fill_node(const pm_node_message *message, struct pm_body *body, struct pm_node *node)
{
    if (!message->op_type || !message->op_type[0])
        return pr_fail(PRUNE_E_FORMAT, "it names no operator");
    PR_TRY(pr_copy_text(body->context, message->op_type, &node->op));
    PR_TRY(pr_copy_text(body->context, message->domain ? message->domain : "", &node->domain));
    PR_TRY(read_values(body, message->n_input, message->input, &node->input_count, &node->inputs));
    PR_TRY(read_values(body, message->n_output, message->output, &node->output_count, &node->outputs));
    return read_attributes(message, body, node);
}

int pm_onnx_is_constant(const pm_node_message *node, const pm_tensor_message **tensor)
{
    if (!node->op_type || strcmp(node->op_type, "Constant") != 0 || node->n_input || node->n_output != 1 ||
        !node->output[0][0] || (node->domain && node->domain[0] && strcmp(node->domain, "ai.onnx") != 0))
        return 0;
    for (size_t i = 0; i < node->n_attribute; i++)
        if (node->attribute[i]->name && strcmp(node->attribute[i]->name, "value") == 0 && node->attribute[i]->t) {
            *tensor = node->attribute[i]->t;
            return 1;
        }
    return 0;
}

/* *is_added 0 for a tensor of a type that no tensor here has. */
static int32_t read_constant(const char *name, const pm_tensor_message *message, struct pm_body *body, int *is_added)
{
    prune_tensor *tensor = NULL;
    int32_t value, parameter;
    PR_TRY(pm_onnx_tensor(&tensor, body->context, message));
    *is_added = tensor != NULL;
    if (!tensor)
        return PRUNE_OK;
    int32_t status = pm_body_value(body, name, &value);
    if (!status)
        status = pm_body_add_parameter(body, value, tensor, &parameter);
    if (status)
        prune_tensor_free(tensor);
    else
        body->parameters[parameter].constant_node = 1;
    return status;
}

/* The name that a node has in the file, if it is the first of that name; else one that no other has. */
static int32_t name_node(struct names *names, const pm_node_message *message, struct pm_body *body, char **name)
{
    char made_up[64];
    const char **slot, *op = message->op_type ? message->op_type : "node";
    if (message->name && message->name[0] && *names_find(names, message->name) == message->name)
        return pr_copy_text(body->context, message->name, name);
    int64_t number = body->node_count;
    do {
        snprintf(made_up, sizeof made_up, "%.40s_%lld", op, (long long)number++);
        slot = names_find(names, made_up);
    } while (*slot);
    PR_TRY(pr_copy_text(body->context, made_up, name));
    *slot = *name;
    return PRUNE_OK;
}

static int32_t read_node(struct names *names, const pm_node_message *message, struct pm_body *body)
{
    struct pm_node node = {0};
    char shown[PM_SHOWN];
    PR_TRY(name_node(names, message, body, &node.name));
    pm_show(shown, node.name);
    int32_t status = fill_node(message, body, &node);
    if (!status)
        status = pm_body_add_node(body, &node);
    if (status) {
        pm_node_release(body->context, &node);
        return pr_fail_in(status, "node \"%s\"", shown);
    }
    return PRUNE_OK;
}

int32_t pm_onnx_nodes(const pm_graph_message *message, struct pm_body *body)
{
    struct names names;
    PR_TRY(names_of(body->context, message, &names));
    int32_t status = PRUNE_OK;
    for (size_t i = 0; i < message->n_node && !status; i++) {
        const pm_tensor_message *tensor;
        int is_added = 0;
        if (pm_onnx_is_constant(message->node[i], &tensor)) {
            status = read_constant(message->node[i]->output[0], tensor, body, &is_added);
            if (status)
                pr_fail_in(status, "Constant \"%s\"", PM_SHOW(message->node[i]->output[0]));
        }
        if (!status && !is_added)
            status = read_node(&names, message->node[i], body);
    }
    pr_release(body->context, names.slots);
    return status;
}
