/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/criterion.h"

static const struct pr_parameter parameters[] = {PR_AGGREGATE("max"), PR_NORMALIZE, {0}};

const struct pr_criterion_kind pr_criterion_linf = {
    .kind = {.name = "linf", .help = "magnitude: the largest |w|", .parameters = parameters},
    .terms = pr_row_magnitude,
    .single = pr_row_magnitude,
};
