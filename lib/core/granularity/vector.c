/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

enum { VECTOR, AXIS, POOL };
enum { POOL_TENSOR, POOL_ROW };

static const struct pr_parameter parameters[] = {
    {.name = "vector",
     .type = PR_WHOLE,
     .least = 1,
     .most = INT32_MAX,
     .help = "consecutive elements of a vector, 1 or more"},
    {.name = "axis",
     .type = PR_WHOLE,
     .standard = "1",
     .least = 0,
     .most = PRUNE_MAX_RANK - 1,
     .help = "axis along which vectors lie, from 0"},
    {.name = "pool",
     .type = PR_WORD,
     .standard = "tensor",
     .words = "tensor|row",
     .help = "what competes: tensor, or row (the vectors at one place of axis 0)"},
    {0},
};

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    int32_t axis = (int32_t)values->whole[AXIS];
    (void)shape;
    if (axis >= rank)
        return pr_fail(PRUNE_E_SHAPE,
                       "granularity vector: axis=%d is outside a tensor of rank %d; its axes are 0 to %d", (int)axis,
                       (int)rank, (int)rank - 1);
    cut->unit[axis] = values->whole[VECTOR];
    if (values->whole[POOL] == POOL_ROW)
        cut->pool[0] = cut->unit[0];
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_vector = {
    .kind = {.name = "vector", .help = "`vector` consecutive elements along an axis", .parameters = parameters},
    .cut = cut,
};
