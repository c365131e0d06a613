/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

enum { AXIS, FORM, BLOCKS };
enum { FORM_ABSOLUTE, FORM_GATE };

static const struct pr_parameter parameters[] = {
    PR_CHANNEL_AXIS,
    {.name = "form",
     .type = PR_WORD,
     .standard = "absolute",
     .words = "absolute|gate",
     .help = "absolute: mean over samples of |mean of z dE/dz|; gate: mean over batches of (sum of z dE/dz)^2"},
    PR_BLOCKS,
    PR_NORMALIZE,
    {0},
};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_ACTIVATION_GRADIENTS;
}

static int32_t units(const struct pr_scoring *scoring, double *scores)
{
    const int64_t *values = scoring->values->whole;
    int32_t statistic = values[FORM] == FORM_GATE ? PRUNE_OBSERVED_ACTIVATION_GATES : PRUNE_OBSERVED_ACTIVATION_TAYLOR;
    return pr_score_channels(scoring, statistic, values[AXIS], NULL, scores);
}

static int32_t layer(const struct pr_scoring *scoring, double *scores)
{
    return pr_share_among_blocks(scoring, BLOCKS, scores);
}

const struct pr_criterion_kind pr_criterion_taylor_activation = {
    .kind = {.name = "taylor-activation",
             .help = "first order: activations times their gradients, by channel",
             .parameters = parameters},
    .needs = needs,
    .units = units,
    .layer = layer,
};
