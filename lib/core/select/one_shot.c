/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/select.h"

enum { SPARSITY, STEP };

static const struct pr_parameter parameters[] = {
    {.name = "sparsity", .type = PR_REAL, .least = 0, .most = 1, .help = "sparsity from the step on, 0 to 1"},
    {.name = "step",
     .type = PR_WHOLE,
     .standard = "0",
     .least = 0,
     .most = 9007199254740992.0,
     .help = "step at which everything goes, from 0"},
    {0},
};

static double at(const struct pr_values *values, int64_t step)
{
    return step < values->whole[STEP] ? 0 : values->real[SPARSITY];
}

const struct pr_schedule_kind pr_schedule_one_shot = {
    .kind = {.name = "one-shot", .help = "everything at one step", .parameters = parameters},
    .at = at,
};
