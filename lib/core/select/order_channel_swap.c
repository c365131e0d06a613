/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Greedy: the swaps of two channels that gain most, as long as one gains.
 */
#include "core/select/order.h"

enum { BLOCK, REGRESSIONS, SEED };

static const struct pr_parameter parameters[] = {
    PR_ORDER_SEARCH_PARAMETERS,
    {0},
};

static int32_t prepare(prune_order *order)
{
    order->window_groups = 2;
    order->block = order->values.whole[BLOCK];
    order->regressions = order->values.whole[REGRESSIONS];
    pr_rng_seed(&order->rng, (uint64_t)order->values.whole[SEED]);
    return pr_order_windows_prepare(order, pr_order_deals_swaps);
}

const struct pr_order_kind pr_order_channel_swap = {
    .kind = {.name = "channel-swap", .help = "greedy swaps of two channels", .parameters = parameters},
    .prepare = prepare,
    .round = pr_order_windows_round,
};
