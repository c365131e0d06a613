/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/criterion/criterion.h"

const struct pr_criterion_kind pr_criterion_scores = {
    .kind = {.name = "scores", .help = "the sum of w: the tensor is itself the importances"},
};
