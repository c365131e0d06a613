/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory that runs out while a session is made, run, and given new numbers.
 */
#include "oom.h"

#include "../model/graphs.h"

#include "model/graph/session.h"

static const int64_t image[] = {1, 2, 4, 4}, kernel[] = {3, 2, 3, 3}, channels[] = {3};
static prune_graph *graph; /* in memory of its own */
static float kernels[54];

static void build(void)
{
    static const float ones[] = {1, 2, 3};
    OK(pm_graph_create(&graph, NULL, 13));
    struct pm_body *body = graph->body;
    for (int i = 0; i < 54; i++)
        kernels[i] = (float)(i % 7 - 3);
    add_input(body, "x", PRUNE_F32, 4, image);
    add_parameter(body, "w", PRUNE_F32, 4, kernel, kernels);
    add_parameter(body, "one", PRUNE_F32, 1, channels, ones);
    OK(add_node(body, "double", "Add", "one,one", "two", NULL)); /* folded */
    OK(add_node(body, "conv", "Conv", "x,w,one", "c", NULL));
    OK(add_node(body, "norm", "BatchNormalization", "c,two,one,one,two", "n", NULL));
    OK(add_node(body, "relu", "Relu", "n", "r", NULL));
    OK(add_node(body, "pool", "GlobalAveragePool", "r", "p", NULL));
    OK(add_node(body, "soft", "Softmax", "p", "y", "axis", PM_INT, 1, NULL));
    add_output(body, "y");
    add_output(body, "two");
    OK(pm_graph_finish(graph));
    for (int32_t i = 0; i < body->node_count; i++)
        ck_assert_msg(body->nodes[i].kind != NULL, "%s", body->nodes[i].op);
}

static const char *const names[] = {"x"};

static int32_t session(prune_context *context)
{
    static const float zeros[32];
    prune_tensor *x = NULL;
    prune_session *made = NULL;
    const struct pm_body *body = graph->body;
    graph->context = context;
    int32_t status = prune_tensor_borrow(&x, context, (void *)(uintptr_t)zeros, PRUNE_F32, 4, image, NULL);
    const prune_tensor *const fed[] = {x};
    if (!status)
        status = prune_session_create(&made, graph, 1, names, fed, NULL, NULL);
    if (status)
        OOM_REQUIRE(!made);
    if (!status) {
        OOM_REQUIRE(prune_session_step_count(made) == 3);
        status = prune_session_run(made, 1, fed);
    }
    for (int32_t i = 0; !status && i < 2; i++)
        status = pm_session_renew(made, &body->parameters[i]);
    if (!status)
        status = prune_session_run(made, 1, fed);
    prune_session_free(made);
    prune_tensor_free(x);
    graph->context = NULL;
    return status;
}

START_TEST(make_run_and_renew_a_session)
{
    build();
    ck_assert_int_gt(oom_sweep_context("make, run and renew a session", session, NULL), 50);
    oom_sweep_malloc("make, run and renew a session", session, NULL); /* contexts of operators are malloc's */
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("oom_session", make_run_and_renew_a_session)
