/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

enum { AXIS };

static const struct pr_parameter parameters[] = {PR_CHANNEL_AXIS, PR_NORMALIZE, {0}};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_ACTIVATION_ZEROS;
}

static int32_t units(const struct pr_scoring *scoring, double *scores)
{
    return pr_score_channels(scoring, PRUNE_OBSERVED_ACTIVATION_MEANS, scoring->values->whole[AXIS], NULL, scores);
}

const struct pr_criterion_kind pr_criterion_mean_activation = {
    .kind = {.name = "mean-activation", .help = "mean of a channel's activations", .parameters = parameters},
    .needs = needs,
    .units = units,
};
