/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"

static int32_t shape(const struct pr_values *attributes, const struct pm_shape *in, struct pm_shape *out)
{
    (void)attributes;
    *out = (struct pm_shape){.rank = 1, .extents = {in->count}, .count = in->count};
    return PRUNE_OK;
}

static int64_t macs(const struct pr_values *attributes, const struct pm_shape *in)
{
    (void)attributes;
    (void)in;
    return 0;
}

const struct pm_operator pm_op_flatten = {
    .kind = {"flatten", "all axes but the batch become one", NULL},
    .role = PM_VIEW,
    .shape = shape,
    .macs = macs,
};
