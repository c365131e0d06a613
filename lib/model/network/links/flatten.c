/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/network/links/links.h"

static int32_t shape(const struct pr_values *attributes, const struct pm_sample_shape *in, struct pm_sample_shape *out)
{
    (void)attributes;
    *out = (struct pm_sample_shape){.rank = 1, .extents = {in->count}, .count = in->count};
    return PRUNE_OK;
}

static int64_t macs(const struct pr_values *attributes, const struct pm_sample_shape *in)
{
    (void)attributes;
    (void)in;
    return 0;
}

const struct pm_link pm_link_flatten = {
    .kind = {"flatten", "all axes but the batch become one", NULL},
    .role = PM_VIEW,
    .shape = shape,
    .macs = macs,
};
