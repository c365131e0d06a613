/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory that runs out while a whole model is pruned, repaired and its batch normalisation measured anew.
 */
#include "oom.h"

#include "../model/graphs.h"

#include "prune/model.h"

static const int64_t image[] = {2, 4, 4, 4}, kernels[] = {3, 4, 3, 3}, channels[] = {3};
static float w[3 * 4 * 9], x_numbers[2 * 4 * 16];
static const float ones[] = {1, 2, 3};
static const char *const names[] = {"x"};

static int32_t build(prune_graph **out, prune_context *context)
{
    prune_graph *graph = NULL;
    prune_tensor *weights = NULL, *numbers = NULL;
    const char *const h = "h", *const y = "y";
    int32_t status = prune_tensor_borrow(&weights, context, w, PRUNE_F32, 4, kernels, NULL);
    if (!status)
        status = prune_tensor_borrow(&numbers, context, (void *)(uintptr_t)ones, PRUNE_F32, 1, channels, NULL);
    if (!status)
        status = prune_graph_create(&graph, context, 13);
    if (!status)
        status = prune_graph_add_input(graph, "x", PRUNE_F32, 4, image);
    if (!status)
        status = prune_graph_add_parameter(graph, "w", weights);
    for (int i = 0; !status && i < 4; i++)
        status = prune_graph_add_parameter(graph, (const char *const[]){"s", "b", "m", "v"}[i], numbers);
    if (!status)
        status = prune_graph_add_node(graph, "conv", "Conv", 2, (const char *const[]){"x", "w"}, 1, &h);
    if (!status)
        status = prune_graph_add_node(graph, "norm", "BatchNormalization", 5,
                                      (const char *const[]){"h", "s", "b", "m", "v"}, 1, &y);
    if (!status)
        status = prune_graph_add_output(graph, "y", PRUNE_F32, 4, (const int64_t[]){2, 3, 2, 2});
    prune_tensor_free(weights);
    prune_tensor_free(numbers);
    if (status)
        prune_graph_free(graph);
    else
        *out = graph;
    return status;
}

static int32_t prune_all(prune_pruner *pruner, prune_context *context, int ranks)
{
    prune_criterion *criterion = NULL;
    prune_granularity *granularity = NULL;
    prune_recovery *recovery = NULL;
    int32_t count = -1, status = prune_granularity_create(&granularity, context, "element");
    if (!status)
        status = prune_recovery_create(&recovery, context, "sparsegpt");
    if (!status && ranks)
        status = prune_criterion_create(&criterion, context, "wanda");
    if (!status)
        status = prune_pruner_set_method(pruner, criterion, granularity, recovery);
    if (!status)
        status = prune_pruner_set_columns(pruner, "channels-last");
    if (!status)
        status = ranks ? prune_pruner_set_target(pruner, PRUNE_BUDGET, 50, "parameters")
                       : prune_pruner_set_target(pruner, PRUNE_SPARSITY, 0.5, "uniform");
    if (!status)
        status = prune_pruner_run(pruner);
    if (!status)
        OOM_REQUIRE(prune_pruner_layer_number(pruner, 0, PRUNE_LAYER_KEPT) == (ranks ? 50 : 54));
    if (!status)
        status = prune_pruner_recalibrate(pruner, &count);
    OOM_REQUIRE(count == (status ? -1 : 1));
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    prune_recovery_free(recovery);
    return status;
}

static int32_t scenario(prune_context *context)
{
    prune_graph *graph = NULL;
    prune_tensor *x = NULL;
    int32_t status = build(&graph, context);
    if (!status)
        status = prune_tensor_borrow(&x, context, x_numbers, PRUNE_F32, 4, image, NULL);
    for (int ranks = 0; ranks < 2 && !status; ranks++) {
        prune_pruner *pruner = NULL;
        status = prune_pruner_create(&pruner, graph, 1, names, (const prune_tensor *const[]){x}, NULL);
        OOM_REQUIRE(!status == (pruner != NULL));
        if (!status)
            status = prune_all(pruner, context, ranks);
        prune_pruner_free(pruner);
    }
    prune_tensor_free(x);
    prune_graph_free(graph);
    return status;
}

START_TEST(prune_repair_and_recalibrate_a_model)
{
    for (int i = 0; i < 3 * 4 * 9; i++)
        w[i] = (float)(i * 37 % 101 - 50) / 50;
    for (int i = 0; i < 2 * 4 * 16; i++)
        x_numbers[i] = (float)(i * 53 % 97 - 48) / 48;
    ck_assert_int_gt(oom_sweep_context("prune, repair and recalibrate a model", scenario, NULL), 100);
}
END_TEST

TEST_MAIN("oom_pruner", prune_repair_and_recalibrate_a_model)
