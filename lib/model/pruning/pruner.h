/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pruner from the inside.
 */
#ifndef PM_PRUNING_PRUNER_H
#define PM_PRUNING_PRUNER_H

#include "model/graph/session.h"
#include "prune/pruner.h"

struct pm_pruned {
    int32_t step, index; /* of the session; which of the step's layers */
    struct pm_layer layer;
    const struct pm_parameter *parameter;
    const char *name, *node; /* the graph's memory */
    int included;
    double sparsity; /* planned; -1 for none */
};

/* Whether layers share one sparsity, or are ranked together by what keeping a unit costs. */
enum { PM_UNIFORM, PM_BY_PARAMETERS, PM_BY_MACS, PM_BY_BYTES };

struct prune_pruner {
    prune_context *context;
    prune_graph *graph;
    prune_session *session;
    int32_t input_count, layer_count;
    char **names;
    const prune_tensor **inputs;
    int32_t *fixed;
    int64_t samples; /* axis 0 of the first input that is not fixed */
    struct pm_pruned *layers;
    const prune_criterion *criterion;
    const prune_granularity *granularity;
    const prune_recovery *recovery;
    int32_t target;
    double amount;
    int32_t cost;   /* PM_UNIFORM, ... */
    int64_t memory; /* bytes of observations at once; 0 for no limit */
    int is_planned, is_channels_last;
};

/* Weights as the method sees them: a copy of its own, out x in, or of the parameter's shape where the granularity knows
 * kernels. */
int32_t pm_pruned_weights(prune_tensor **out, const prune_pruner *pruner, const struct pm_pruned *layer);

/* Puts such weights, and the bytes of their mask (1 kept) in the same order, into the graph. */
int32_t pm_pruned_store(prune_pruner *pruner, const struct pm_pruned *layer, const prune_tensor *weights,
                        uint8_t *kept);

/* PRUNE_OBSERVE_* bits that the method needs; PRUNE_E_UNSUPPORTED for what only training knows. */
int32_t pm_pruned_needs(const prune_pruner *pruner, int32_t *needs);

/* How many groups' observations fit in the memory, 1 or more; PRUNE_E_INFEASIBLE where none does. */
int32_t pm_pruned_room(const prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs, int64_t *groups);

/* What goes into the layer at this step of the session, one observation for each of `count` groups from `first` on;
 * each the caller's to free, also after a failure. */
int32_t pm_pruned_observe(const prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs, int64_t first,
                          int64_t count, prune_observations **observations);

/* Bytes of the weights when `kept` are stored, in the smallest of dense, csr and bitmap; and a selection of all layers'
 * scores (NULL for those left out) solved so that these fit in the budget. */
double pm_pruned_bytes(const struct pm_pruned *layer, int64_t kept);
int32_t pm_solve_bytes(const prune_pruner *pruner, prune_selection *selection, prune_scores *const *scores);

/* "layer "conv1.weight" of node "conv1": " before the sentence. */
int32_t pm_pruned_fail(const struct pm_pruned *layer, int32_t status);

/* Group `group` of the rows. */
int32_t pm_pruned_group(prune_tensor **out, const prune_tensor *weights, const struct pm_pruned *layer, int64_t group);

#endif
