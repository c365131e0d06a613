/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions of graphs built by hand: what is computed when, where it lies, and what is refused.
 */
#include "../unit/allocator.h"
#include "operators.h"

#include "model/graph/session.h"

static const int64_t six[] = {2, 3}, square[] = {3, 3};
static const float numbers[] = {-1, 2, -3, 4, -5, 6};
static const float weights[] = {1, 2, -1, 0, 1, 3, -2, 0.5f, 1};

static prune_graph *begin_graph(void)
{
    prune_graph *graph;
    counted.prepared = counted.released = counted.run = counted.fail_run = 0;
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, (const int64_t[]){2, 3});
    return graph;
}

static void end_graph(prune_graph *graph)
{
    OK(pm_graph_finish(graph));
    use_test_operators(graph->body);
}

static prune_tensor *matrix(const float *values)
{
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, six));
    memcpy(prune_tensor_data(tensor), values, sizeof numbers);
    return tensor;
}

static const char *const x_alone[] = {"x"};

static int32_t create(prune_session **session, const prune_graph *graph, const char *spec)
{
    prune_tensor *example = matrix(numbers);
    int32_t status =
        prune_session_create(session, graph, 1, x_alone, (const prune_tensor *const[]){example}, NULL, spec);
    prune_tensor_free(example);
    return status;
}

static const float *run(prune_session *session, const float *values, int32_t output)
{
    prune_tensor *x = matrix(values);
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    prune_tensor_free(x); /* nothing of the outputs is in it */
    return prune_tensor_const_data(prune_session_output(session, output));
}

static void expect(const float *is, const float *should_be, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(is[i] == should_be[i], "number %lld is %.9g instead of %.9g", (long long)i, (double)is[i],
                      (double)should_be[i]);
}

START_TEST(a_chain_runs_again_and_again)
{
    prune_session *session;
    prune_graph *graph = begin_graph();
    add_parameter(graph->body, "w", PRUNE_F32, 2, square, weights);
    OK(add_node(graph->body, "product", "MatMul", "x,w", "h", NULL));
    OK(add_node(graph->body, "more", "Add", "h,x", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    ck_assert_ptr_null(prune_session_output(session, 0));
    ck_assert_int_eq(prune_session_step_count(session), 2);
    ck_assert_str_eq(prune_session_step_node(session, 0), "product");
    ck_assert_str_eq(prune_session_step_kernels(session, 0), "format=auto");
    ck_assert_str_eq(prune_session_step_kernels(session, 1), "");
    ck_assert_int_eq(prune_session_step_macs(session, 0), 18);
    ck_assert_int_eq(prune_session_step_macs(session, 1), 0);
    ck_assert_ptr_null(prune_session_step_node(session, 2));
    expect(run(session, numbers, 0), (const float[]){4, 0.5f, 1, -4, 1, -7}, 6);
    static const float others[] = {0, 0, 1, 1, 0, 0};
    expect(run(session, others, 0), (const float[]){-2, 0.5f, 2, 2, 2, -1}, 6);
    expect(run(session, numbers, 0), (const float[]){4, 0.5f, 1, -4, 1, -7}, 6);
    ck_assert_ptr_null(prune_session_output(session, 1));
    ck_assert_ptr_null(prune_session_output(session, -1));
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("session", a_chain_runs_again_and_again)
