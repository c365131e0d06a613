/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"

enum { KEEP_N, GROUP_M, AXIS, UNIT_ROWS };

static const struct pr_parameter parameters[] = {
    {.name = "keep_n",
     .type = PR_WHOLE,
     .least = 1,
     .most = INT32_MAX,
     .help = "elements kept in each group, 1 or more"},
    {.name = "group_m",
     .type = PR_WHOLE,
     .least = 1,
     .most = INT32_MAX,
     .help = "consecutive elements of a group, keep_n or more"},
    {.name = "axis",
     .type = PR_WHOLE,
     .standard = "1",
     .least = 0,
     .most = PRUNE_MAX_RANK - 1,
     .help = "axis along which groups lie, from 0"},
    {.name = "unit_rows",
     .type = PR_WHOLE,
     .standard = "1",
     .least = 1,
     .most = INT32_MAX,
     .help = "neighbours along axis 0 (axis 1 when axis is 0) that share their pattern, 1 or more"},
    {0},
};

static int32_t check(const struct pr_values *values)
{
    if (values->whole[KEEP_N] > values->whole[GROUP_M])
        return pr_fail(PRUNE_E_SPEC,
                       "granularity nm: keep_n=%lld is above group_m=%lld; a group keeps at most all of it",
                       (long long)values->whole[KEEP_N], (long long)values->whole[GROUP_M]);
    return PRUNE_OK;
}

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    int32_t axis = (int32_t)values->whole[AXIS], strip = axis == 0 ? 1 : 0;
    (void)shape;
    if (axis >= rank)
        return pr_fail(PRUNE_E_SHAPE, "granularity nm: axis=%d is outside a tensor of rank %d; its axes are 0 to %d",
                       (int)axis, (int)rank, (int)rank - 1);
    if (values->whole[UNIT_ROWS] > 1 && strip >= rank)
        return pr_fail(PRUNE_E_SHAPE,
                       "granularity nm: unit_rows=%lld needs an axis %d; a tensor of rank 1 takes 1 only",
                       (long long)values->whole[UNIT_ROWS], (int)strip);
    for (int32_t i = 0; i < rank; i++)
        cut->pool[i] = 1;
    cut->pool[axis] = values->whole[GROUP_M];
    if (strip < rank)
        cut->pool[strip] = cut->unit[strip] = values->whole[UNIT_ROWS];
    cut->quota = values->whole[KEEP_N];
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_nm = {
    .kind = {.name = "nm", .help = "keep_n of every group_m elements along an axis (2:4)", .parameters = parameters},
    .has_quota = 1,
    .check = check,
    .cut = cut,
};
