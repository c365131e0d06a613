/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/criterion.h"

static const struct pr_parameter parameters[] = {PR_AGGREGATE("sum"), PR_NORMALIZE, {0}};

const struct pr_criterion_kind pr_criterion_scores = {
    .kind = {.name = "scores", .help = "the sum of w: the tensor is itself the importances", .parameters = parameters},
};
