/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Free extents that get numbers.
 */
#include <stdio.h>
#include <string.h>

#include "model/graph/graph.h"

/* The free extents of a value that have the name; with `extent` they get it. */
static int32_t set(struct pm_value *value, const char *symbol, int64_t extent)
{
    int32_t found = 0;
    for (int32_t i = 0; i < value->type.rank; i++) {
        if (!value->symbols[i] || value->type.extents[i] >= 0 || strcmp(value->symbols[i], symbol) != 0)
            continue;
        if (extent >= 0)
            value->type.extents[i] = extent;
        found++;
    }
    return found;
}

static void set_all(struct pm_body *body, const char *symbol, int64_t extent)
{
    for (int32_t i = 0; i < body->value_count; i++)
        set(&body->values[i], symbol, extent);
    for (int32_t i = 0; i < body->node_count; i++)
        for (int32_t j = 0; j < body->nodes[i].attribute_count; j++)
            if (body->nodes[i].attributes[j].body)
                set_all(body->nodes[i].attributes[j].body, symbol, extent);
}

/* PRUNE_E_ARGUMENT with the names that there are. */
static int32_t fail_unknown(const prune_graph *graph, const char *symbol)
{
    char names[256] = "";
    size_t length = 0;
    for (int32_t i = 0; i < prune_graph_input_count(graph); i++)
        for (int32_t axis = 0; axis < PRUNE_MAX_RANK; axis++) {
            const char *name = prune_graph_input_symbol(graph, i, axis);
            if (name && length < sizeof names)
                length +=
                    (size_t)snprintf(names + length, sizeof names - length, "%s\"%.60s\"", length ? ", " : "", name);
        }
    return pr_fail(PRUNE_E_ARGUMENT, "no input has a free extent \"%.100s\"; %s%s", symbol,
                   names[0] ? "there are " : "there are none", names);
}

int32_t prune_graph_freeze(prune_graph *graph, const char *symbol, int64_t extent, int32_t *count)
{
    int32_t found = 0;
    PR_REQUIRE(graph);
    PR_REQUIRE(symbol);
    if (extent < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: extent %lld of \"%.100s\"; it must be 0 or more", __func__,
                       (long long)extent, symbol);
    for (int32_t i = 0; i < graph->body->input_count; i++)
        found += set(&graph->body->values[graph->body->inputs[i]], symbol, -1);
    if (found == 0)
        return fail_unknown(graph, symbol);
    set_all(graph->body, symbol, extent);
    if (count)
        *count = found;
    return PRUNE_OK;
}
