/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/selection.h"

const struct pr_allocation_kind pr_allocation_global = {
    .kind = {.name = "global", .help = "the units of all tensors in one ranking"},
};
