/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/criterion/observed.h"

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

static int32_t needs(const struct pr_values *values)
{
    (void)values;
    return PRUNE_OBSERVE_MOVEMENTS;
}

static void terms(const struct pr_scoring *scoring, int64_t position, double *row, int64_t count)
{
    memcpy(row, pr_observed_of(scoring, PR_MOVEMENTS) + position, (size_t)count * sizeof *row);
}

const struct pr_criterion_kind pr_criterion_movement = {
    .kind = {.name = "movement",
             .help = "the sum of -g w over training steps: high for weights that move away from 0",
             .parameters = parameters},
    .needs = needs,
    .terms = terms,
    .single = terms,
};
