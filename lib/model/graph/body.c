/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bodies: building them, looking up names, letting them go. Each addition is made aside and then put in place, so that
 * a failure leaves the body as it was, but for room.
 */
#include <stdio.h>
#include <string.h>

#include "model/graph/graph.h"

int32_t pm_body_create(struct pm_body **out, prune_context *context, struct pm_body *outer)
{
    struct pm_body *body;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *body, &body));
    body->context = context;
    body->outer = outer;
    *out = body;
    return PRUNE_OK;
}

static void release_attribute(prune_context *context, struct pm_attribute *attribute)
{
    for (int64_t i = 0; attribute->texts && i < attribute->count; i++)
        pr_release(context, attribute->texts[i]);
    pr_release(context, attribute->name);
    pr_release(context, attribute->text);
    pr_release(context, attribute->wholes);
    pr_release(context, attribute->reals);
    pr_release(context, attribute->texts);
    prune_tensor_free(attribute->tensor);
    pm_body_free(attribute->body);
}

void pm_node_release(prune_context *context, struct pm_node *node)
{
    for (int32_t i = 0; node->attributes && i < node->attribute_count; i++)
        release_attribute(context, &node->attributes[i]);
    pr_release(context, node->name);
    pr_release(context, node->op);
    pr_release(context, node->domain);
    pr_release(context, node->inputs);
    pr_release(context, node->outputs);
    pr_release(context, node->attributes);
}

void pm_body_free(struct pm_body *body)
{
    if (!body)
        return;
    prune_context *context = body->context;
    for (int32_t i = 0; i < body->value_count; i++) {
        pr_release(context, body->values[i].name);
        for (int32_t axis = 0; axis < PRUNE_MAX_RANK; axis++)
            pr_release(context, body->values[i].symbols[axis]);
    }
    for (int32_t i = 0; i < body->node_count; i++)
        pm_node_release(context, &body->nodes[i]);
    for (int32_t i = 0; i < body->parameter_count; i++) {
        prune_tensor_free(body->parameters[i].tensor);
        prune_mask_free(body->parameters[i].mask);
    }
    pr_release(context, body->values);
    pr_release(context, body->nodes);
    pr_release(context, body->parameters);
    pr_release(context, body->inputs);
    pr_release(context, body->outputs);
    pr_release(context, body->names);
    pr_release(context, body);
}

/* Room for one element behind `count`; *array moves, nothing else changes. */
static int32_t reserve(prune_context *context, void *array, int32_t count, int32_t *room, size_t size)
{
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    if (count < *room)
        return PRUNE_OK;
    if (count > INT32_MAX / 4)
        return pr_fail(PRUNE_E_OVERFLOW, "a model of %d parts is full", (int)count);
    int32_t wanted = 2 * count + 8;
    PR_TRY(pr_alloc_zero(context, wanted, (int64_t)size, &grown));
    if (count)
        memcpy(grown, old, (size_t)count * size);
    pr_release(context, old);
    memcpy(array, &grown, sizeof grown);
    *room = wanted;
    return PRUNE_OK;
}

/* Where a name is or would be in the table, whose size is a power of two: FNV-1a, then the next free place. */
static uint32_t place_of(const struct pm_body *body, const char *name)
{
    uint32_t hash = 2166136261U;
    for (const char *at = name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619U;
    uint32_t mask = (uint32_t)body->name_room - 1, place = hash & mask;
    while (body->names[place] && strcmp(body->values[body->names[place] - 1].name, name) != 0)
        place = (place + 1) & mask;
    return place;
}

int32_t pm_body_find(const struct pm_body *body, const char *name)
{
    return body->name_room ? body->names[place_of(body, name)] - 1 : -1;
}

static int32_t reserve_name(struct pm_body *body)
{
    int32_t *names, *old = body->names, old_room = body->name_room;
    if (2 * (body->value_count + 1) < old_room)
        return PRUNE_OK;
    int32_t room = old_room ? 2 * old_room : 32;
    PR_TRY(pr_alloc_zero(body->context, room, sizeof *names, &names));
    body->names = names;
    body->name_room = room;
    for (int32_t i = 0; i < body->value_count; i++)
        names[place_of(body, body->values[i].name)] = i + 1;
    pr_release(body->context, old);
    return PRUNE_OK;
}

static int is_known_around(const struct pm_body *body, const char *name)
{
    for (const struct pm_body *around = body->outer; around; around = around->outer)
        if (pm_body_find(around, name) >= 0)
            return 1;
    return 0;
}

int32_t pm_body_value(struct pm_body *body, const char *name, int32_t *value)
{
    int32_t found = pm_body_find(body, name), outer = -1;
    if (found >= 0) {
        *value = found;
        return PRUNE_OK;
    }
    if (is_known_around(body, name))
        PR_TRY(pm_body_value(body->outer, name, &outer));
    PR_TRY(reserve(body->context, &body->values, body->value_count, &body->value_room, sizeof *body->values));
    PR_TRY(reserve_name(body));
    struct pm_value made = {.type = {.rank = -1, .count = -1}, .node = -1, .parameter = -1, .outer = outer};
    PR_TRY(pr_copy_text(body->context, name, &made.name));
    body->names[place_of(body, name)] = body->value_count + 1;
    body->values[body->value_count] = made;
    *value = body->value_count++;
    return PRUNE_OK;
}

/* PRUNE_E_FORMAT where something makes the value already. */
static int32_t check_unmade(const struct pm_body *body, int32_t value, const char *what)
{
    const struct pm_value *held = &body->values[value];
    if (held->parameter >= 0)
        return pr_fail(PRUNE_E_FORMAT, "\"%.200s\" is %s and a parameter; a name has one source", held->name, what);
    if (held->node >= 0)
        return pr_fail(PRUNE_E_FORMAT, "\"%.200s\" is %s and made by node \"%.200s\"; a name has one source",
                       held->name, what, body->nodes[held->node].name);
    return PRUNE_OK;
}

int32_t pm_body_add_node(struct pm_body *body, struct pm_node *node)
{
    char what[300];
    snprintf(what, sizeof what, "an output of node \"%.200s\"", node->name);
    for (int32_t i = 0; i < node->output_count; i++) {
        if (node->outputs[i] < 0)
            continue;
        PR_TRY(check_unmade(body, node->outputs[i], what));
        for (int32_t j = 0; j < i; j++)
            if (node->outputs[j] == node->outputs[i])
                return pr_fail(PRUNE_E_FORMAT, "node \"%.200s\" makes \"%.200s\" twice", node->name,
                               body->values[node->outputs[i]].name);
        for (int32_t j = 0; j < body->input_count; j++)
            if (body->inputs[j] == node->outputs[i])
                return pr_fail(PRUNE_E_FORMAT, "\"%.200s\" is %s and an input; a name has one source",
                               body->values[node->outputs[i]].name, what);
    }
    PR_TRY(reserve(body->context, &body->nodes, body->node_count, &body->node_room, sizeof *body->nodes));
    for (int32_t i = 0; i < node->output_count; i++)
        if (node->outputs[i] >= 0) {
            body->values[node->outputs[i]].node = body->node_count;
            body->values[node->outputs[i]].outer = -1; /* a branch's own value hides one of the same name around it */
        }
    body->nodes[body->node_count++] = *node;
    return PRUNE_OK;
}

int32_t pm_body_add_parameter(struct pm_body *body, int32_t value, prune_tensor *tensor, int32_t *parameter)
{
    PR_TRY(check_unmade(body, value, "a parameter"));
    PR_TRY(reserve(body->context, &body->parameters, body->parameter_count, &body->parameter_room,
                   sizeof *body->parameters));
    int64_t shape[PRUNE_MAX_RANK];
    int32_t rank = prune_tensor_rank(tensor);
    for (int32_t i = 0; i < rank; i++)
        shape[i] = prune_tensor_shape(tensor)[i];
    PR_TRY(pm_type_set(&body->values[value].type, prune_tensor_dtype(tensor), rank, shape));
    body->values[value].parameter = body->parameter_count;
    body->values[value].outer = -1;
    *parameter = body->parameter_count;
    body->parameters[body->parameter_count++] = (struct pm_parameter){.value = value, .tensor = tensor};
    return PRUNE_OK;
}

int32_t pm_body_add_input(struct pm_body *body, int32_t value)
{
    if (body->values[value].node >= 0)
        PR_TRY(check_unmade(body, value, "an input"));
    for (int32_t i = 0; i < body->input_count; i++)
        if (body->inputs[i] == value)
            return pr_fail(PRUNE_E_FORMAT, "input \"%.200s\" is named twice", body->values[value].name);
    PR_TRY(reserve(body->context, &body->inputs, body->input_count, &body->input_room, sizeof *body->inputs));
    body->inputs[body->input_count++] = value;
    return PRUNE_OK;
}

int32_t pm_body_add_output(struct pm_body *body, int32_t value)
{
    PR_TRY(reserve(body->context, &body->outputs, body->output_count, &body->output_room, sizeof *body->outputs));
    body->outputs[body->output_count++] = value;
    return PRUNE_OK;
}
