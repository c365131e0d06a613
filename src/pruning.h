/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Criterion, granularity and target from the command line, and the mask that they give: what mask and model share.
 */
#ifndef PRUNING_H
#define PRUNING_H

#include "tool.h"

struct pruning {
    struct kind_choice criterion_choice, granularity_choice;
    const char *sparsity; /* as given */
    prune_criterion *criterion;
    prune_granularity *granularity;
    const prune_observations *observations; /* what the criterion needs; NULL for none */
    double amount;
};

void pruning_add_kinds(struct pruning *pruning, struct options *options);
void pruning_add_options(struct pruning *pruning, struct options *options); /* kinds and --sparsity */
int pruning_open(struct pruning *pruning, prune_context *context);
void pruning_close(struct pruning *pruning);

/* Reads --sparsity into `amount`; USAGE when it is missing, or given to a granularity that has a quota. */
int pruning_target(struct pruning *pruning);

/* The method of a pruner; `recovery` may be NULL. One that chooses masks does so, unless a criterion was asked for. */
int pruner_method(prune_pruner *pruner, const struct pruning *pruning, const prune_recovery *recovery);

/* A fraction from 0 to 1 written as text; `option` for the sentence. */
int fraction(double *value, const char *text, const char *option);

/* The mask of `weights`. `before` (NULL: none) is a mask that already holds: what it prunes stays pruned and counts
 * first among what goes, whatever the criterion says. */
int pruning_mask(prune_mask **out, const struct pruning *pruning, const prune_tensor *weights, const prune_mask *before,
                 double amount, const char *name);

#endif
