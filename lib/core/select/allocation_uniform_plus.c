/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/selection.h"

enum { LAST };

static const struct pr_parameter parameters[] = {
    {.name = "last",
     .type = PR_REAL,
     .standard = "0.2",
     .least = 0,
     .most = 1,
     .help = "least density of the last tensor, 0 to 1"},
    {0},
};

static void share(const struct pr_values *values, const struct pr_entry *entries, int32_t count,
                  struct pr_share *shares)
{
    (void)entries;
    if (count > 0) {
        shares[count - 1].least = values->real[LAST];
        shares[0].least = 1;
    }
}

const struct pr_allocation_kind pr_allocation_uniform_plus = {
    .kind = {.name = "uniform-plus",
             .help = "uniform, but the first tensor dense and the last not below a density (Gale et al. 2019)",
             .parameters = parameters},
    .share = share,
};
