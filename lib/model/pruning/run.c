/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Layer after layer: observe, choose, repair, go on with the pruned weights.
 */
#include <math.h>
#include <stddef.h>

#include "model/pruning/pruner.h"

/* One group: its weights change in place, its mask goes to `kept`. */
static int32_t prune_group(const prune_pruner *pruner, const struct pm_pruned *layer, prune_tensor *weights,
                           const prune_observations *observations, uint8_t *kept)
{
    int32_t target = pruner->target == PRUNE_QUOTA ? PRUNE_QUOTA : PRUNE_SPARSITY, status;
    double amount = target == PRUNE_QUOTA ? 0 : layer->sparsity;
    prune_scores *scores = NULL;
    prune_mask *mask = NULL;
    if (pruner->criterion) {
        status = prune_criterion_score(&scores, pruner->criterion, weights, observations, pruner->granularity);
        if (!status && pruner->cost != PM_UNIFORM) {
            /* As many as the ranking took, rounded up where they are shared out to groups: no more than the budget. */
            target = PRUNE_COUNT;
            amount = ceil(layer->sparsity * (double)prune_tensor_count(prune_scores_values(scores)) - 1e-6);
        }
        if (!status)
            status = prune_mask_select(&mask, scores, target, amount);
        if (!status)
            status = pruner->recovery ? prune_recovery_repair(weights, pruner->recovery, mask, observations, NULL)
                                      : prune_mask_apply(mask, weights);
    } else {
        status = prune_recovery_prune(weights, &mask, pruner->recovery, pruner->granularity, target, amount,
                                      observations, NULL);
    }
    if (!status)
        status = prune_mask_to_bytes(mask, kept, prune_mask_count(mask));
    prune_scores_free(scores);
    prune_mask_free(mask);
    return status;
}

/* Groups first to first + count - 1, observed together. */
static int32_t prune_some(const prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs, int64_t first,
                          int64_t count, prune_tensor *weights, uint8_t *kept)
{
    int64_t each = layer->layer.out / layer->layer.groups * layer->layer.in;
    prune_observations **observations;
    PR_TRY(pr_alloc_zero(pruner->context, count, sizeof *observations, &observations));
    int32_t status = needs ? pm_pruned_observe(pruner, layer, needs, first, count, observations) : PRUNE_OK;
    for (int64_t i = 0; i < count && !status; i++) {
        prune_tensor *group = NULL;
        status = pm_pruned_group(&group, weights, layer, first + i);
        if (!status)
            status = prune_group(pruner, layer, group, observations[i], kept + (first + i) * each);
        prune_tensor_free(group);
    }
    for (int64_t i = 0; i < count; i++)
        prune_observations_free(observations[i]);
    pr_release(pruner->context, (void *)observations);
    return status;
}

static int32_t prune_groups(const prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs,
                            prune_tensor *weights, uint8_t *kept)
{
    int64_t room, groups = layer->layer.groups;
    PR_TRY(pm_pruned_room(pruner, layer, needs, &room));
    for (int64_t first = 0; first < groups; first += room)
        PR_TRY(prune_some(pruner, layer, needs, first, room < groups - first ? room : groups - first, weights, kept));
    return PRUNE_OK;
}

static int32_t prune_layer(prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs)
{
    prune_context *context = pruner->context;
    prune_tensor *weights = NULL;
    prune_tensor *matrix = NULL;
    uint8_t *kept = NULL;
    int32_t status = pm_pruned_weights(&weights, pruner, layer);
    if (!status)
        status = pr_alloc(context, prune_tensor_count(weights), 1, &kept);
    if (!status)
        status = prune_groups(pruner, layer, needs, weights, kept);
    if (!status)
        status = prune_tensor_reshape(&matrix, weights, 2, (const int64_t[]){layer->layer.out, layer->layer.in});
    if (!status)
        status = pm_pruned_store(pruner, layer, matrix, kept);
    if (!status)
        status = pm_session_renew(pruner->session, layer->parameter);
    pr_release(context, kept);
    prune_tensor_free(weights);
    prune_tensor_free(matrix);
    return pm_pruned_fail(layer, status);
}

int32_t prune_pruner_run(prune_pruner *pruner)
{
    int32_t needs, step = 0;
    PR_REQUIRE(pruner);
    if (!pruner->is_planned)
        PR_TRY(prune_pruner_plan(pruner));
    PR_TRY(pm_pruned_needs(pruner, &needs));
    if (needs)
        PR_TRY(pm_session_begin(pruner->session, pruner->inputs));
    for (int32_t i = 0; i < pruner->layer_count; i++) {
        const struct pm_pruned *layer = &pruner->layers[i];
        PR_TRY(prune_context_progress(pruner->context, layer->name, i, pruner->layer_count));
        for (; needs && step < layer->step; step++)
            PR_TRY(pm_session_step(pruner->session, step));
        if (layer->included)
            PR_TRY(prune_layer(pruner, layer, needs));
    }
    return prune_context_progress(pruner->context, "layers", pruner->layer_count, pruner->layer_count);
}
