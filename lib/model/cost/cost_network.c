/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The layers of a network as cost sees them. In a file of its own, so that the rest of cost needs no network.
 */
#include <stdio.h>
#include <string.h>

#include "model/cost/cost.h"

/* Weights that are not zero, of a dense or a sparse parameter. Reading does not change the network. */
static int32_t count_nonzeros(const prune_network *network, const char *name, int64_t *nonzeros)
{
    const prune_sparse *sparse = prune_network_sparse(network, name);
    const prune_tensor *dense = prune_network_parameter((prune_network *)network, name);
    prune_mask *kept = NULL;
    PR_TRY(sparse ? prune_sparse_to_mask(&kept, sparse) : prune_mask_from_nonzero(&kept, dense));
    *nonzeros = prune_mask_kept(kept);
    prune_mask_free(kept);
    return PRUNE_OK;
}

/* Operators without weights cost nothing here. */
static int32_t add_node(prune_cost *cost, const prune_network *network, int32_t index)
{
    const char *node = prune_network_node_name(network, index), *op = prune_network_node_op(network, index);
    char name[PR_MAX_SPEC], spec[PR_MAX_SPEC];
    int64_t nonzeros = 0;
    if (strncmp(op, "linear:", 7) != 0)
        return PRUNE_OK;
    if (snprintf(name, sizeof name, "%s.weight", node) >= (int)sizeof name ||
        snprintf(spec, sizeof spec, "%s,bias=1", op) >= (int)sizeof spec)
        return pr_fail(PRUNE_E_OVERFLOW, "node \"%.100s\": its name or operator has more than %d bytes", node,
                       PR_MAX_SPEC - 1);
    PR_TRY(count_nonzeros(network, name, &nonzeros));
    return prune_cost_add(cost, node, spec, nonzeros, 1.0);
}

int32_t prune_cost_add_network(prune_cost *cost, const prune_network *network)
{
    PR_REQUIRE(cost);
    PR_REQUIRE(network);
    const int32_t before = prune_cost_count(cost), nodes = prune_network_node_count(network);
    for (int32_t i = 0; i < nodes; i++) {
        int32_t status = add_node(cost, network, i);
        if (status) {
            pm_cost_truncate(cost, before);
            return status;
        }
    }
    return PRUNE_OK;
}
