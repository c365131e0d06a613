/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

enum { BLOCK, POOL };
enum { POOL_TENSOR, POOL_ROW };

static const struct pr_parameter parameters[] = {
    {.name = "block",
     .type = PR_PAIR,
     .least = 1,
     .most = INT32_MAX,
     .help = "AxB: rows by columns of a block, each 1 or more; A alone is AxA"},
    {.name = "pool",
     .type = PR_WORD,
     .standard = "tensor",
     .words = "tensor|row",
     .help = "what competes: tensor, or row (one row of blocks)"},
    {0},
};

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    (void)shape;
    if (rank < 2)
        return pr_fail(PRUNE_E_SHAPE, "granularity block needs a tensor of rank 2 or more; this has rank %d",
                       (int)rank);
    cut->matrix = 1;
    cut->unit[0] = values->whole[BLOCK];
    cut->unit[1] = (int64_t)values->real[BLOCK];
    cut->pool[0] = values->whole[POOL] == POOL_ROW ? cut->unit[0] : INT64_MAX;
    cut->pool[1] = INT64_MAX;
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_block = {
    .kind = {.name = "block",
             .help = "A x B blocks of a matrix; of a tensor, of axis 0 by all others",
             .parameters = parameters},
    .cut = cut,
};
