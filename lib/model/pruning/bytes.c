/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A budget of bytes: as much of the ranking of all layers is kept as fits when each layer is stored in the smallest of
 * three formats. Which one that is changes with what is kept, so that a unit has no cost of its own: the number of
 * units is found by halving; more units of one ranking never take fewer bytes.
 */
#include <stddef.h>

#include "model/pruning/pruner.h"

/* As prune_cost_bytes counts them. */
double pm_pruned_bytes(const struct pm_pruned *layer, int64_t kept)
{
    double count = (double)prune_tensor_count(layer->parameter->tensor), stored = (double)kept;
    double rows = layer->layer.in > 0 ? count / (double)layer->layer.in : 1;
    double dense = 4 * count, csr = 8 * stored + 4 * rows + 4, bitmap = 4 * stored + (double)(int64_t)((count + 7) / 8);
    double smaller = csr < bitmap ? csr : bitmap;
    return smaller < dense ? smaller : dense;
}

/* Of all layers, with the selection as it is solved. */
static int32_t bytes_of(const prune_pruner *pruner, const prune_selection *selection, prune_scores *const *scores,
                        double *bytes)
{
    int32_t number = 0;
    double sum = 0;
    for (int32_t i = 0; i < pruner->layer_count; i++) {
        prune_mask *mask = NULL;
        if (!scores[i])
            continue;
        PR_TRY(prune_selection_mask(&mask, selection, number++));
        sum += pm_pruned_bytes(&pruner->layers[i], prune_mask_kept(mask));
        prune_mask_free(mask);
    }
    *bytes = sum;
    return PRUNE_OK;
}

static int32_t try_keep(const prune_pruner *pruner, prune_selection *selection, prune_scores *const *scores,
                        int64_t keep, double *bytes)
{
    PR_TRY(prune_selection_solve(selection, NULL, PRUNE_COUNT, (double)keep, NULL));
    return bytes_of(pruner, selection, scores, bytes);
}

int32_t pm_solve_bytes(const prune_pruner *pruner, prune_selection *selection, prune_scores *const *scores)
{
    int64_t least = 0, most = 0; /* units that go: `least` is too few or all that must, `most` is enough */
    double bytes = 0;
    int32_t layers = 0;
    for (int32_t i = 0; i < pruner->layer_count; i++)
        if (scores[i]) {
            most += prune_tensor_count(prune_scores_values(scores[i]));
            layers++;
        }
    PR_TRY(try_keep(pruner, selection, scores, 0, &bytes));
    if (bytes <= pruner->amount)
        return PRUNE_OK;
    most -= layers; /* of each layer one unit stays */
    PR_TRY(try_keep(pruner, selection, scores, most, &bytes));
    if (bytes > pruner->amount)
        return pr_fail(PRUNE_E_INFEASIBLE,
                       "a budget of %.0f bytes cannot be met: with one unit kept in each of %d layers they take %.0f",
                       pruner->amount, (int)layers, bytes);
    while (most - least > 1) {
        int64_t middle = least + (most - least) / 2;
        PR_TRY(try_keep(pruner, selection, scores, middle, &bytes));
        if (bytes <= pruner->amount)
            most = middle;
        else
            least = middle;
    }
    return try_keep(pruner, selection, scores, most, &bytes);
}
