/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pruning.h"

void pruning_add_kinds(struct pruning *pruning, struct options *options)
{
    /* Where both have a parameter of one name, the short option is the first one's. */
    kind_choice_add(&pruning->granularity_choice, options, "granularities", "granularity", "element");
    kind_choice_add(&pruning->criterion_choice, options, "criteria", "criterion", "l1");
}

void pruning_add_options(struct pruning *pruning, struct options *options)
{
    pruning->sparsity = NULL;
    pruning->observations = NULL;
    options_add(options,
                (struct option[]){
                    {OPTION_TEXT, "sparsity", 0, &pruning->sparsity, "S", "the fraction to remove, 0 to 1", 0, 0},
                    {OPTION_END, NULL, 0, NULL, NULL, NULL, 0, 0},
                });
    pruning_add_kinds(pruning, options);
}

int pruning_open(struct pruning *pruning, prune_context *context)
{
    char criterion[SPEC_SIZE], granularity[SPEC_SIZE];
    int code = kind_choice_spec(&pruning->criterion_choice, criterion);
    if (!code)
        code = kind_choice_spec(&pruning->granularity_choice, granularity);
    if (code)
        return code;
    int32_t status = prune_criterion_create(&pruning->criterion, context, criterion);
    if (!status)
        status = prune_granularity_create(&pruning->granularity, context, granularity);
    return status ? complain_status(status, NULL) : DONE;
}

void pruning_close(struct pruning *pruning)
{
    prune_criterion_free(pruning->criterion);
    prune_granularity_free(pruning->granularity);
}

int fraction(double *value, const char *text, const char *option)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number >= 0 && number <= 1))
        return complain(USAGE, "%s takes a fraction from 0 to 1, not \"%s\"", option, text);
    *value = number;
    return DONE;
}

int pruning_target(struct pruning *pruning)
{
    const char *spec = prune_granularity_spec(pruning->granularity);
    if (prune_granularity_has_quota(pruning->granularity)) {
        if (pruning->sparsity)
            return complain(USAGE, "%s has a quota, which already says how many stay; leave --sparsity out", spec);
        pruning->amount = 0;
        return DONE;
    }
    if (!pruning->sparsity)
        return complain(USAGE, "%s has no quota: say how many go with --sparsity S", spec);
    return fraction(&pruning->amount, pruning->sparsity, "--sparsity");
}

/* The scores again, minus infinity where a unit is wholly pruned already. Which units are is seen from the l1 norm of
 * the mask as numbers. */
static int32_t put_pruned_first(prune_scores **scores, const struct pruning *pruning, const prune_tensor *weights,
                                const prune_mask *before)
{
    prune_context *context = prune_tensor_context(weights);
    prune_tensor *bytes = NULL, *ones = NULL, *values = NULL;
    prune_criterion *l1 = NULL;
    prune_scores *alive = NULL, *changed = NULL;
    int32_t rank = prune_tensor_rank(weights);
    const int64_t *shape = prune_tensor_shape(weights);
    int32_t status = prune_tensor_create(&bytes, context, PRUNE_BOOL, rank, shape);
    if (!status)
        status = prune_mask_to_bytes(before, prune_tensor_data(bytes), prune_mask_count(before));
    if (!status)
        status = prune_tensor_convert(&ones, bytes, PRUNE_F32);
    if (!status)
        status = prune_criterion_create(&l1, context, "l1");
    if (!status)
        status = prune_criterion_score(&alive, l1, ones, NULL, pruning->granularity);
    if (!status)
        status = prune_tensor_convert(&values, prune_scores_values(*scores), PRUNE_F64);
    if (!status) {
        const double *live = prune_tensor_const_data(prune_scores_values(alive));
        double *value = prune_tensor_data(values);
        for (int64_t i = 0; i < prune_tensor_count(values); i++)
            if (live[i] == 0)
                value[i] = -INFINITY;
        status = prune_scores_create(&changed, pruning->granularity, rank, shape, values);
    }
    if (!status) {
        prune_scores_free(*scores);
        *scores = changed;
    }
    prune_scores_free(alive);
    prune_criterion_free(l1);
    prune_tensor_free(values);
    prune_tensor_free(ones);
    prune_tensor_free(bytes);
    return status;
}

int pruning_mask(prune_mask **out, const struct pruning *pruning, const prune_tensor *weights, const prune_mask *before,
                 double amount, const char *name)
{
    prune_scores *scores = NULL;
    prune_mask *selected = NULL;
    int target = prune_granularity_has_quota(pruning->granularity) ? PRUNE_QUOTA : PRUNE_SPARSITY;
    int32_t status =
        prune_criterion_score(&scores, pruning->criterion, weights, pruning->observations, pruning->granularity);
    if (!status && before)
        status = put_pruned_first(&scores, pruning, weights, before);
    if (!status)
        status = prune_mask_select(&selected, scores, target, amount);
    if (!status && before) {
        prune_mask *both = NULL;
        status = prune_mask_and(&both, selected, before);
        if (!status) {
            prune_mask_free(selected);
            selected = both;
        }
    }
    prune_scores_free(scores);
    if (status) {
        prune_mask_free(selected);
        return complain_status(status, name);
    }
    *out = selected;
    return DONE;
}
