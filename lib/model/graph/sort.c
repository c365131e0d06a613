/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The order of nodes. Files should have it right and most have; a walk in depth in the file's order leaves a good order
 * alone, and needs no recursion, whose depth a file could choose.
 */
#include <string.h>

#include "model/graph/graph.h"

/* A value that nothing makes yet: a name around the body that came later in the file. PRUNE_E_FORMAT for none. */
static int32_t find_source(struct pm_body *body, int32_t value, const char *node)
{
    struct pm_value *held = &body->values[value];
    if (held->node >= 0 || held->parameter >= 0 || held->outer >= 0)
        return PRUNE_OK;
    for (int32_t i = 0; i < body->input_count; i++)
        if (body->inputs[i] == value)
            return PRUNE_OK;
    for (struct pm_body *around = body->outer; around; around = around->outer)
        if (pm_body_find(around, held->name) >= 0) {
            int32_t outer;
            PR_TRY(pm_body_value(body->outer, held->name, &outer));
            held->outer = outer;
            return PRUNE_OK;
        }
    return pr_fail(PRUNE_E_FORMAT, "%s \"%.200s\" takes value \"%.200s\", which nothing makes",
                   node ? "node" : "output", node ? node : held->name, held->name);
}

static int32_t find_sources(struct pm_body *body)
{
    for (int32_t i = 0; i < body->node_count; i++) {
        const struct pm_node *node = &body->nodes[i];
        for (int32_t j = 0; j < node->attribute_count; j++)
            if (node->attributes[j].body)
                PR_TRY(pm_body_sort(node->attributes[j].body));
        for (int32_t j = 0; j < node->input_count; j++)
            if (node->inputs[j] >= 0)
                PR_TRY(find_source(body, node->inputs[j], node->name));
    }
    for (int32_t i = 0; i < body->output_count; i++)
        PR_TRY(find_source(body, body->outputs[i], NULL));
    return PRUNE_OK;
}

/* Value number `at` of those that a node needs, its branches' captures behind its inputs: -1 for one left out, -2
 * behind the last. */
static int32_t needed(const struct pm_node *node, int32_t at)
{
    if (at < node->input_count)
        return node->inputs[at];
    at -= node->input_count;
    for (int32_t i = 0; i < node->attribute_count; i++) {
        const struct pm_body *branch = node->attributes[i].body;
        if (branch && at < branch->value_count)
            return branch->values[at].outer;
        at -= branch ? branch->value_count : 0;
    }
    return -2;
}

struct visit {
    int32_t node, next;
};

/* Appends `first` and what it needs to the order. `state`: 0 unseen, 1 on the stack, 2 done. */
static int32_t visit(const struct pm_body *body, int32_t first, uint8_t *state, struct visit *stack, int32_t *order,
                     int32_t *done)
{
    int32_t depth = 1;
    stack[0] = (struct visit){first, 0};
    state[first] = 1;
    while (depth) {
        struct visit *top = &stack[depth - 1];
        int32_t value = needed(&body->nodes[top->node], top->next++);
        if (value == -2) {
            state[top->node] = 2;
            order[(*done)++] = top->node;
            depth--;
            continue;
        }
        int32_t maker = value >= 0 ? body->values[value].node : -1;
        if (maker < 0 || state[maker] == 2)
            continue;
        if (state[maker] == 1)
            return pr_fail(PRUNE_E_FORMAT,
                           "the model goes in a circle: node \"%.200s\" needs value \"%.200s\", which needs it",
                           body->nodes[top->node].name, body->values[value].name);
        state[maker] = 1;
        stack[depth++] = (struct visit){maker, 0};
    }
    return PRUNE_OK;
}

/* Moves the nodes. */
static void reorder(struct pm_body *body, struct pm_node *moved, const int32_t *order)
{
    for (int32_t i = 0; i < body->node_count; i++) {
        moved[i] = body->nodes[order[i]];
        for (int32_t j = 0; j < moved[i].output_count; j++)
            if (moved[i].outputs[j] >= 0)
                body->values[moved[i].outputs[j]].node = i;
    }
    memcpy(body->nodes, moved, (size_t)body->node_count * sizeof *moved);
}

int32_t pm_body_sort(struct pm_body *body)
{
    prune_context *context = body->context;
    uint8_t *state = NULL;
    struct visit *stack = NULL;
    int32_t *order = NULL, done = 0, status;
    struct pm_node *moved = NULL;
    PR_TRY(find_sources(body));
    status = pr_alloc_zero(context, body->node_count, 1, &state);
    if (!status)
        status = pr_alloc(context, body->node_count, sizeof *stack, &stack);
    if (!status)
        status = pr_alloc(context, body->node_count, sizeof *order, &order);
    if (!status)
        status = pr_alloc(context, body->node_count, sizeof *moved, &moved);
    for (int32_t i = 0; !status && i < body->node_count; i++)
        if (!state[i])
            status = visit(body, i, state, stack, order, &done);
    if (!status && body->node_count)
        reorder(body, moved, order);
    pr_release(context, state);
    pr_release(context, stack);
    pr_release(context, order);
    pr_release(context, moved);
    return status;
}
