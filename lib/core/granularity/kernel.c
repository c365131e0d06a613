/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    (void)values;
    if (rank < 3)
        return pr_fail(PRUNE_E_SHAPE,
                       "granularity kernel needs a tensor of rank 3 or more, as convolutions have; this has rank %d",
                       (int)rank);
    for (int32_t i = 2; i < rank; i++)
        cut->unit[i] = shape[i];
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_kernel = {
    .kind = {.name = "kernel", .help = "all of a kernel: everything at one index of axis 0 and one of axis 1"},
    .cut = cut,
};
