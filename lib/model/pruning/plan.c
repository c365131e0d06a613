/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How much of each layer goes: the same for all, or as a ranking of all layers' scores says.
 */
#include <stddef.h>

#include "model/pruning/pruner.h"

/* Scores of a layer on the model as it is. The session stands just before its step where something is observed. */
static int32_t score(prune_scores **out, const prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs)
{
    prune_observations *observations = NULL;
    prune_tensor *weights;
    if (needs && layer->layer.groups > 1)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "a convolution in %lld groups cannot be ranked with other layers by what is "
                       "observed; leave it out, or take a sparsity with cost uniform",
                       (long long)layer->layer.groups);
    int64_t room;
    PR_TRY(pm_pruned_room(pruner, layer, needs, &room));
    PR_TRY(pm_pruned_weights(&weights, pruner, layer));
    int32_t status = needs ? pm_pruned_observe(pruner, layer, needs, 0, 1, &observations) : PRUNE_OK;
    if (!status)
        status = prune_criterion_score(out, pruner->criterion, weights, observations, pruner->granularity);
    prune_observations_free(observations);
    prune_tensor_free(weights);
    return status;
}

static int32_t score_all(const prune_pruner *pruner, prune_scores **scores)
{
    int32_t needs, step = 0;
    PR_TRY(pm_pruned_needs(pruner, &needs));
    needs = prune_criterion_needs(pruner->criterion);
    if (needs)
        PR_TRY(pm_session_begin(pruner->session, pruner->inputs));
    for (int32_t i = 0; i < pruner->layer_count; i++) {
        const struct pm_pruned *layer = &pruner->layers[i];
        if (!layer->included)
            continue;
        for (; needs && step < layer->step; step++)
            PR_TRY(pm_session_step(pruner->session, step));
        PR_TRY(pm_pruned_fail(layer, score(&scores[i], pruner, layer, needs)));
    }
    return PRUNE_OK;
}

/* What keeping one unit costs: one sample's share. */
static double unit_cost(const prune_pruner *pruner, const struct pm_pruned *layer, int64_t units)
{
    double whole = pruner->cost == PM_BY_MACS ? (double)layer->layer.macs / (double)pruner->samples
                                              : (double)prune_tensor_count(layer->parameter->tensor);
    return units ? whole / (double)units : 0;
}

static int32_t solve(prune_pruner *pruner, prune_selection *selection, prune_scores *const *scores)
{
    int32_t added = 0;
    for (int32_t i = 0; i < pruner->layer_count; i++)
        if (scores[i]) {
            int64_t units = prune_tensor_count(prune_scores_values(scores[i]));
            PR_TRY(prune_selection_add(selection, scores[i], NULL, unit_cost(pruner, &pruner->layers[i], units), NULL));
        }
    if (pruner->cost == PM_BY_BYTES)
        PR_TRY(pm_solve_bytes(pruner, selection, scores));
    else
        PR_TRY(prune_selection_solve(selection, NULL, pruner->target, pruner->amount, NULL));
    for (int32_t i = 0; i < pruner->layer_count; i++)
        if (scores[i]) {
            int64_t units = prune_tensor_count(prune_scores_values(scores[i])), kept;
            PR_TRY(prune_selection_kept(selection, added++, &kept, NULL));
            pruner->layers[i].sparsity = units ? (double)(units - kept) / (double)units : 0;
        }
    return PRUNE_OK;
}

static int32_t rank_all(prune_pruner *pruner)
{
    prune_scores **scores;
    prune_selection *selection = NULL;
    if (!pruner->criterion)
        return pr_fail(PRUNE_E_ARGUMENT, "layers are ranked by the scores of a criterion; give one");
    PR_TRY(pr_alloc_zero(pruner->context, pruner->layer_count, sizeof *scores, &scores));
    int32_t status = score_all(pruner, scores);
    if (!status)
        status = prune_selection_create(&selection, pruner->context);
    if (!status)
        status = solve(pruner, selection, scores);
    prune_selection_free(selection);
    for (int32_t i = 0; i < pruner->layer_count; i++)
        prune_scores_free(scores[i]);
    pr_release(pruner->context, (void *)scores);
    return status;
}

int32_t prune_pruner_plan(prune_pruner *pruner)
{
    PR_REQUIRE(pruner);
    if (!pruner->granularity)
        return pr_fail(PRUNE_E_ARGUMENT, "no method is set; call prune_pruner_set_method first");
    if (prune_granularity_has_quota(pruner->granularity) != (pruner->target == PRUNE_QUOTA))
        return pr_fail(PRUNE_E_ARGUMENT, "granularity %s %s", prune_granularity_spec(pruner->granularity),
                       pruner->target == PRUNE_QUOTA ? "has no quota; set a target"
                                                     : "has a quota; the target must be PRUNE_QUOTA");
    pruner->is_planned = 0;
    for (int32_t i = 0; i < pruner->layer_count; i++) {
        int is_same = pruner->cost == PM_UNIFORM && pruner->target == PRUNE_SPARSITY;
        pruner->layers[i].sparsity = is_same && pruner->layers[i].included ? pruner->amount : -1;
    }
    if (pruner->cost != PM_UNIFORM)
        PR_TRY(rank_all(pruner));
    pruner->is_planned = 1;
    return PRUNE_OK;
}
