/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/network/link.h"

int32_t pm_link_parse(const char *spec, const struct pm_link **op, struct pr_values *attributes)
{
    const struct pr_kind *kinds[32];
    int32_t count = 0, found;
    for (; count < pm_link_count && count < (int32_t)(sizeof kinds / sizeof *kinds); count++)
        kinds[count] = &pm_links[count]->kind;
    PR_TRY(pr_spec_parse(spec, "operator", kinds, count, &found, attributes));
    *op = pm_links[found];
    return PRUNE_OK;
}
