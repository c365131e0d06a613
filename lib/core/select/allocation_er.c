/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/selection.h"

/* The sum of the extents of the first `axes` axes over their product. */
static double sum_over_product(const struct pr_entry *entry, int32_t axes)
{
    double sum = 0, product = 1;
    for (int32_t i = 0; i < entry->grid.rank && i < axes; i++) {
        sum += (double)entry->grid.tensor[i];
        product *= (double)entry->grid.tensor[i];
    }
    return entry->grid.rank > 0 && product > 0 ? sum / product : 1;
}

static void share_er(const struct pr_values *values, const struct pr_entry *entries, int32_t count,
                     struct pr_share *shares)
{
    (void)values;
    for (int32_t t = 0; t < count; t++)
        shares[t].weight = sum_over_product(&entries[t], 2);
}

static void share_erk(const struct pr_values *values, const struct pr_entry *entries, int32_t count,
                      struct pr_share *shares)
{
    (void)values;
    for (int32_t t = 0; t < count; t++)
        shares[t].weight = sum_over_product(&entries[t], PRUNE_MAX_RANK);
}

const struct pr_allocation_kind pr_allocation_er = {
    .kind = {.name = "er", .help = "density in proportion to (out + in) / (out in): Erdos-Renyi (Mocanu et al. 2018)"},
    .share = share_er,
};

const struct pr_allocation_kind pr_allocation_erk = {
    .kind = {.name = "erk", .help = "er with the extents of the kernel in sum and product (Evci et al. 2020)"},
    .share = share_erk,
};
