/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pool and Yu 2021: all deals of windows of a few groups.
 */
#include "core/select/order.h"

enum { WINDOW, BLOCK, REGRESSIONS, SEED };

static const struct pr_parameter parameters[] = {
    {.name = "window",
     .type = PR_WHOLE,
     .standard = "0",
     .least = 0,
     .most = PR_ORDER_MAX_WINDOW,
     .help = "channels that are dealt at a time, 2 to 8 times group_m; 0 for 2 times"},
    PR_ORDER_SEARCH_PARAMETERS,
    {0},
};

static int32_t prepare(prune_order *order)
{
    int64_t group = order->matrix.group_m, window = order->values.whole[WINDOW];
    int32_t sizes[PR_ORDER_MAX_GROUPS];
    if (window == 0 || order->groups < 2)
        window = 2 * group;
    if (window % group != 0 || window / group < 2 || window / group > PR_ORDER_MAX_GROUPS)
        return pr_fail(PRUNE_E_SPEC, "%s: window=%lld must be 2 to %d times the %lld channels of a group", order->spec,
                       (long long)window, PR_ORDER_MAX_GROUPS, (long long)group);
    order->window_groups = window / group;
    for (int64_t i = 0; i < order->window_groups; i++)
        sizes[i] = (int32_t)group;
    double deals = pr_order_deals_count((int32_t)order->window_groups, sizes);
    if (order->groups > 1 && deals > PR_ORDER_MAX_DEALS)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "%s: %lld channels can be dealt into groups of %lld in %.0f ways; at most %d are tried: take a "
                       "smaller window, or channel-swap",
                       order->spec, (long long)window, (long long)group, deals, PR_ORDER_MAX_DEALS);
    order->block = order->values.whole[BLOCK];
    order->regressions = order->values.whole[REGRESSIONS];
    pr_rng_seed(&order->rng, (uint64_t)order->values.whole[SEED]);
    return pr_order_windows_prepare(order, pr_order_deals_all);
}

const struct pr_order_kind pr_order_stripe_groups = {
    .kind = {.name = "stripe-groups",
             .help = "every dealing of the channels of 2 or more groups (Pool and Yu 2021)",
             .parameters = parameters},
    .prepare = prepare,
    .round = pr_order_windows_round,
};
