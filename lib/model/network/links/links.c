/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/network/links/links.h"

#define PM_LINK(name) &pm_link_##name,
const struct pm_link *const pm_links[] = {
#include "model/network/links/links.def"
};
#undef PM_LINK

const int32_t pm_link_count = (int32_t)(sizeof pm_links / sizeof *pm_links);
