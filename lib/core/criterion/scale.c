/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/observed.h"

enum { AXIS };

static const struct pr_parameter parameters[] = {PR_CHANNEL_AXIS, PR_NORMALIZE, {0}};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_CHANNEL_SCALES;
}

static int32_t units(const struct pr_scoring *scoring, double *scores)
{
    return pr_score_channels(scoring, PRUNE_OBSERVED_CHANNEL_SCALES, scoring->values->whole[AXIS], fabs, scores);
}

const struct pr_criterion_kind pr_criterion_scale = {
    .kind = {.name = "scale",
             .help = "magnitude of a channel's factor, such as a batch normalisation's gamma",
             .parameters = parameters},
    .needs = needs,
    .units = units,
};
