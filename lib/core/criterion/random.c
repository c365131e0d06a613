/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/rng.h"
#include "core/criterion/criterion.h"

enum { SEED };

static const struct pr_parameter parameters[] = {
    {.name = "seed",
     .type = PR_WHOLE,
     .standard = "0",
     .least = 0,
     .most = 9007199254740992.0,
     .help = "seed of the random numbers, 0 to 2^53"},
    PR_NORMALIZE,
    {0},
};

static void number(const struct pr_values *values, int64_t first, int64_t count, double *scores)
{
    for (int64_t i = 0; i < count; i++)
        scores[i] = pr_rng_at((uint64_t)values->whole[SEED], (uint64_t)(first + i));
}

const struct pr_criterion_kind pr_criterion_random = {
    .kind = {.name = "random", .help = "uniform in [0, 1), whatever the weights: a baseline", .parameters = parameters},
    .number = number,
};
