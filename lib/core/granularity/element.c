/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

enum { POOL };
enum { POOL_TENSOR, POOL_ROW };

static const struct pr_parameter parameters[] = {
    {.name = "pool",
     .type = PR_WORD,
     .standard = "tensor",
     .words = "tensor|row",
     .help = "what competes: tensor, or row (one index of axis 0)"},
    {0},
};

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    (void)shape;
    if (values->whole[POOL] == POOL_TENSOR)
        return PRUNE_OK;
    if (rank < 1)
        return pr_fail(PRUNE_E_SHAPE, "granularity element:pool=row needs a tensor of rank 1 or more; this has rank 0");
    cut->pool[0] = 1;
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_element = {
    .kind = {.name = "element", .help = "single elements", .parameters = parameters},
    .cut = cut,
};
