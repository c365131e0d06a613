/* SPDX-License-Identifier: BSD-2-Clause */
#include "prune/model.h"
#include "testing.h"

static double quantity(const prune_cost *cost, int32_t what, int32_t layer)
{
    double value = -1;
    OK(prune_cost_get(cost, what, layer, &value));
    return value;
}

static prune_network *lenet(void)
{
    prune_network *network = NULL;
    OK(prune_network_create_mlp(&network, NULL, "784-300-100-10"));
    OK(prune_network_initialize(network, 1));
    return network;
}

START_TEST(lenet_300_100_dense)
{
    prune_network *network = lenet();
    prune_cost *cost = NULL;
    OK(prune_cost_create(&cost, NULL));
    OK(prune_cost_add_network(cost, network));
    ck_assert_int_eq(prune_cost_count(cost), 3);
    ck_assert_str_eq(prune_cost_name(cost, 0), "fc1");
    ck_assert_double_eq(quantity(cost, PRUNE_COST_WEIGHTS, -1), 266200);
    ck_assert_double_eq(quantity(cost, PRUNE_COST_PARAMETERS, -1), 266610);
    ck_assert_double_eq(quantity(cost, PRUNE_COST_MACS, 0), 235200);
    ck_assert_double_eq(quantity(cost, PRUNE_COST_NONZEROS, -1), 266200);
    prune_cost_free(cost);
    prune_network_free(network);
}
END_TEST

/* Pruned and packed networks count what is left, fillers not. */
START_TEST(pruned_and_packed)
{
    prune_network *network = lenet(), *packed = NULL;
    prune_granularity *nm = NULL;
    prune_criterion *l1 = NULL;
    prune_scores *scores = NULL;
    prune_mask *mask = NULL;
    prune_cost *cost = NULL;
    OK(prune_granularity_create(&nm, NULL, "nm:keep_n=1,group_m=4"));
    OK(prune_criterion_create(&l1, NULL, "l1"));
    OK(prune_criterion_score(&scores, l1, prune_network_parameter(network, "fc1.weight"), NULL, nm));
    OK(prune_mask_select(&mask, scores, PRUNE_QUOTA, 0));
    OK(prune_network_set_mask(network, "fc1.weight", mask));
    OK(prune_network_pack(&packed, network, "csr"));
    OK(prune_cost_create(&cost, NULL));
    OK(prune_cost_add_network(cost, network));
    OK(prune_cost_add_network(cost, packed));
    ck_assert_int_eq(prune_cost_count(cost), 6);
    for (int32_t layer = 0; layer < 6; layer += 3) {
        ck_assert_double_eq(quantity(cost, PRUNE_COST_NONZEROS, layer), 58800);
        ck_assert_double_eq(quantity(cost, PRUNE_COST_MACS, layer), 235200);
        ck_assert_double_eq(quantity(cost, PRUNE_COST_MACS_WEIGHTS, layer), 58800);
    }
    prune_cost_free(cost);
    prune_network_free(packed);
    prune_network_free(network);
    prune_mask_free(mask);
    prune_scores_free(scores);
    prune_criterion_free(l1);
    prune_granularity_free(nm);
}
END_TEST

START_TEST(null_arguments)
{
    prune_network *network = lenet();
    prune_cost *cost = NULL;
    OK(prune_cost_create(&cost, NULL));
    FAILS(prune_cost_add_network(NULL, network), PRUNE_E_ARGUMENT, "cost");
    FAILS(prune_cost_add_network(cost, NULL), PRUNE_E_ARGUMENT, "network");
    ck_assert_int_eq(prune_cost_count(cost), 0);
    prune_cost_free(cost);
    prune_network_free(network);
}
END_TEST

TEST_MAIN("cost_network", lenet_300_100_dense, pruned_and_packed, null_arguments)
