/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The weights that scenarios begin with, and the way from them to a mask.
 */
#ifndef PR_OOM_WEIGHTS_H
#define PR_OOM_WEIGHTS_H

#include "oom.h"

#define ROWS 8
#define COLUMNS 12

static float values[ROWS * COLUMNS];
static const int64_t shape[] = {ROWS, COLUMNS};

static inline void start(void)
{
    for (int i = 0; i < ROWS * COLUMNS; i++)
        values[i] = (float)((i * 37 + 11) % 97 - 48);
}

/* tensor + criterion + granularity -> scores -> mask. */
static inline int32_t select_mask(prune_mask **mask, const prune_tensor *tensor, prune_context *context,
                                  const char *spec, int32_t target, double amount)
{
    prune_criterion *criterion = NULL;
    prune_granularity *granularity = NULL;
    prune_scores *scores = NULL;
    int32_t status = prune_criterion_create(&criterion, context, "l1");
    if (!status)
        status = prune_granularity_create(&granularity, context, spec);
    if (!status)
        status = prune_criterion_score(&scores, criterion, tensor, NULL, granularity);
    if (!status)
        status = prune_mask_select(mask, scores, target, amount);
    prune_scores_free(scores);
    prune_granularity_free(granularity);
    prune_criterion_free(criterion);
    return status;
}

#endif
