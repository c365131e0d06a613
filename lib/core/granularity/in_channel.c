/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    (void)values;
    if (rank < 2)
        return pr_fail(PRUNE_E_SHAPE, "granularity in-channel needs a tensor of rank 2 or more; this has rank %d",
                       (int)rank);
    for (int32_t i = 0; i < rank; i++)
        cut->unit[i] = i == 1 ? 1 : shape[i];
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_in_channel = {
    .kind = {.name = "in-channel", .help = "everything at one index of axis 1: an input channel"},
    .cut = cut,
};
