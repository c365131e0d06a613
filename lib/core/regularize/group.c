/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "core/regularize/regularize.h"

enum { STRENGTH, SIZE_WEIGHT };

static const struct pr_parameter parameters[] = {
    PR_STRENGTH,
    {.name = "size_weight",
     .type = PR_WORD,
     .standard = "root",
     .words = "root|none",
     .help = "root: a unit counts by the root of its number of elements; none: units count alike"},
    {0},
};

static double weight(const struct pr_values *values, int64_t elements)
{
    return values->whole[SIZE_WEIGHT] == 0 ? sqrt((double)elements) : 1;
}

const struct pr_regularizer_kind pr_regularizer_group = {
    .kind = {.name = "group", .help = "group lasso: the sum over units of their norms", .parameters = parameters},
    .groups = 1,
    .weight = weight,
    .value = pr_lasso_value,
    .slope = pr_lasso_slope,
    .shrink = pr_lasso_shrink,
};
