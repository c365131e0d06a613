/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running out of memory in a search for a channel order.
 */
#include "weights.h"

/* A channel order, kept and resumed, and the weights in it. */
static int32_t channel_order(prune_context *context, const char *spec)
{
    prune_tensor *tensor = NULL, *state = NULL, *ordered = NULL;
    prune_granularity *granularity = NULL;
    prune_order *order = NULL;
    int32_t finished = 0;
    int32_t status = prune_tensor_borrow(&tensor, context, values, PRUNE_F32, 2, shape, NULL);
    if (!status)
        status = prune_granularity_create(&granularity, context, "nm:keep_n=2,group_m=4");
    if (!status)
        status = prune_order_create(&order, tensor, granularity, spec);
    if (!status)
        status = prune_order_state(&state, order);
    if (!status)
        status = prune_order_resume(order, state);
    if (!status)
        status = prune_order_search(order, 0, &finished);
    if (!status)
        status = prune_order_apply(&ordered, tensor, 1, prune_order_channels(order), COLUMNS);
    OOM_REQUIRE((status == 0) == (ordered != NULL));
    prune_order_free(order);
    prune_granularity_free(granularity);
    prune_tensor_free(ordered);
    prune_tensor_free(state);
    prune_tensor_free(tensor);
    return status;
}

static int32_t stripe_groups(prune_context *context)
{
    return channel_order(context, "stripe-groups:regressions=2");
}

static int32_t exact(prune_context *context)
{
    return channel_order(context, "exact");
}

START_TEST(channel_orders)
{
    start();
    ck_assert_int_gt(oom_sweep_context("stripe groups", stripe_groups, NULL), 10);
    ck_assert_int_gt(oom_sweep_context("exact", exact, NULL), 10);
}
END_TEST

TEST_MAIN("oom_order", channel_orders)
