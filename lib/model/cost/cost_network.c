/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/cost/cost.h"

/* The tensor of a sparse weight's values. Every format has one; what it holds beyond the weights is fillers of 0. */
static const prune_tensor *values_of(const prune_sparse *sparse)
{
    for (int32_t i = 0; i < prune_sparse_part_count(sparse); i++)
        if (strcmp(prune_sparse_part_name(sparse, i), "values") == 0)
            return prune_sparse_part(sparse, i);
    return NULL;
}

/* *nonzeros of the parameter `name`, or -1 when the network has none of that name. */
static int32_t count_nonzeros(const prune_network *network, const char *name, int64_t *nonzeros)
{
    const prune_sparse *sparse = prune_network_sparse(network, name);
    /* Read only: the function is the one that also lends the tensor for writing. */
    const prune_tensor *dense = prune_network_parameter((prune_network *)(uintptr_t)network, name);
    const prune_tensor *values = sparse ? values_of(sparse) : dense;
    prune_mask *mask = NULL;
    if (!values) {
        *nonzeros = -1;
        return PRUNE_OK;
    }
    PR_TRY(prune_mask_from_nonzero(&mask, values));
    *nonzeros = prune_mask_kept(mask);
    prune_mask_free(mask);
    return PRUNE_OK;
}

static int32_t add_node(prune_cost *cost, const prune_network *network, const char *node, const char *op, char *text,
                        size_t room)
{
    int64_t nonzeros = -1;
    snprintf(text, room, "%s.weight", node);
    PR_TRY(count_nonzeros(network, text, &nonzeros));
    if (nonzeros < 0) /* no weights: nothing that this list counts */
        return PRUNE_OK;
    if (strncmp(op, "linear:", 7) != 0)
        return pr_fail(PRUNE_E_UNSUPPORTED, "node \"%.100s\" has weights, but its operator \"%.60s\" has no cost", node,
                       op);
    snprintf(text, room, "%s,bias=1", op);
    return prune_cost_add(cost, node, text, nonzeros, 1);
}

int32_t prune_cost_add_network(prune_cost *cost, const prune_network *network)
{
    PR_REQUIRE(cost);
    PR_REQUIRE(network);
    int32_t before = cost->count, status = PRUNE_OK;
    for (int32_t i = 0; i < prune_network_node_count(network) && !status; i++) {
        const char *node = prune_network_node_name(network, i), *op = prune_network_node_op(network, i);
        size_t room = strlen(node) + strlen(op) + 16;
        char *text;
        status = pr_alloc(cost->context, (int64_t)room, 1, &text);
        if (status)
            break;
        status = add_node(cost, network, node, op, text, room);
        pr_release(cost->context, text);
    }
    if (status)
        pm_cost_truncate(cost, before);
    return status;
}
