/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Greedy: the swaps of two channels that gain most, as long as one gains.
 */
#include "core/select/order.h"

enum { BLOCK, REGRESSIONS, SEED };

static const struct pr_parameter parameters[] = {
    {.name = "block",
     .type = PR_WHOLE,
     .standard = "512",
     .least = 0,
     .most = INT32_MAX,
     .help = "channels that are searched together at most; 0 for all"},
    {.name = "regressions",
     .type = PR_WHOLE,
     .standard = "0",
     .least = 0,
     .most = INT32_MAX,
     .help = "how often to go on from a random change of the best order"},
    {.name = "seed", .type = PR_WHOLE, .standard = "1", .least = 0, .most = 0x1p53, .help = "of the random changes"},
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
