/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions of real operators run again and again, with inputs that lie anywhere, and branches inside branches.
 */
#include "operator_inputs.h"

#include "prune/session.h"

static const int64_t six[] = {2, 3};
static const char *const x_alone[] = {"x"}, *const both[] = {"x", "z"};

static prune_graph *begin(void)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, six);
    return graph;
}

/* [2, 3] with the numbers from `from` on, aligned or one float behind that. */
static float memory[2][64] __attribute__((aligned(64)));
static prune_tensor *at_place(int which, int behind, float from)
{
    prune_tensor *tensor;
    float *numbers = memory[which] + behind;
    for (int i = 0; i < 6; i++)
        numbers[i] = from + (float)i;
    OK(prune_tensor_borrow(&tensor, NULL, numbers, PRUNE_F32, 2, six, NULL));
    return tensor;
}

static void expect(const prune_session *session, int32_t index, const float wanted[6])
{
    const float *is = prune_tensor_const_data(prune_session_output(session, index));
    for (int i = 0; i < 6; i++)
        ck_assert_msg(is[i] == wanted[i], "output %d, element %d is %g instead of %g", (int)index, i, (double)is[i],
                      (double)wanted[i]);
}

/* z is read last, when what the first steps made lies in the arena: its copy there must be out of their way. */
START_TEST(inputs_that_are_read_late_are_not_written_over)
{
    prune_graph *graph = begin();
    prune_session *session;
    add_input(graph->body, "z", PRUNE_F32, 2, six);
    OK(add_node(graph->body, "a", "Neg", "x", "a", NULL));
    OK(add_node(graph->body, "b", "Exp", "a", "b", NULL));
    OK(add_node(graph->body, "c", "Log", "b", "c", NULL));
    OK(add_node(graph->body, "d", "Sub", "z,c", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    for (int round = 0; round < 4; round++) {
        prune_tensor *x = at_place(0, round & 1, 1), *z = at_place(1, round >> 1, 100);
        const prune_tensor *const inputs[] = {x, z};
        if (round == 0)
            OK(prune_session_create(&session, graph, 2, both, inputs, NULL, NULL));
        OK(prune_session_run(session, 2, inputs));
        const float *y = prune_tensor_const_data(prune_session_output(session, 0));
        for (int i = 0; i < 6; i++)
            ck_assert_msg(fabsf(y[i] - (float)(101 + 2 * i)) < 1e-3f, "round %d, element %d is %g", round, i,
                          (double)y[i]);
        for (int i = 0; i < 6; i++) /* the caller's numbers are as they were */
            ck_assert(memory[0][i + (round & 1)] == (float)(1 + i) && memory[1][i + (round >> 1)] == (float)(100 + i));
        prune_tensor_free(x);
        prune_tensor_free(z);
    }
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

/* An input that is an output, a view of one, and one that is fed in another order than the graph has it. */
START_TEST(inputs_that_are_outputs_are_copied)
{
    static const int64_t flat[] = {6};
    prune_graph *graph = begin();
    prune_session *session;
    add_input(graph->body, "z", PRUNE_F32, 2, six);
    add_parameter(graph->body, "flat", PRUNE_I64, SHAPE(1), flat);
    OK(add_node(graph->body, "same", "Identity", "x", "same", NULL));
    OK(add_node(graph->body, "view", "Reshape", "z,flat", "view", NULL));
    OK(add_node(graph->body, "sum", "Add", "x,z", "sum", NULL));
    add_output(graph->body, "same");
    add_output(graph->body, "view");
    add_output(graph->body, "sum");
    OK(pm_graph_finish(graph));
    for (int round = 0; round < 2; round++) {
        prune_tensor *x = at_place(0, 0, 1), *z = at_place(1, 0, 10);
        const prune_tensor *const inputs[] = {z, x};
        if (round == 0)
            OK(prune_session_create(&session, graph, 2, (const char *const[]){"z", "x"}, inputs, NULL, NULL));
        OK(prune_session_run(session, 2, inputs));
        prune_tensor_free(x);
        prune_tensor_free(z);
        memset(memory, 0, sizeof memory); /* the outputs are the session's */
        expect(session, 0, (const float[]){1, 2, 3, 4, 5, 6});
        expect(session, 1, (const float[]){10, 11, 12, 13, 14, 15});
        expect(session, 2, (const float[]){11, 13, 15, 17, 19, 21});
    }
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

/* Of free extents a session has those it was made for; what it refuses leaves the last outputs alone. */
START_TEST(other_shapes_take_another_session)
{
    prune_graph *graph;
    prune_session *session = NULL, *other = NULL;
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 2, six);
    graph->body->values[pm_body_find(graph->body, "x")].type.extents[0] = -1;
    OK(add_node(graph->body, "twice", "Add", "x,x", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    prune_tensor *x = at_place(0, 0, 1), *longer, *wider, *whole;
    OK(prune_tensor_create(&longer, NULL, PRUNE_F32, 2, (const int64_t[]){5, 3}));
    OK(prune_tensor_create(&wider, NULL, PRUNE_F32, 2, (const int64_t[]){2, 4}));
    OK(prune_tensor_create(&whole, NULL, PRUNE_I64, 2, six));
    OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL));
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    FAILS(prune_session_run(session, 1, (const prune_tensor *const[]){longer}), PRUNE_E_SHAPE,
          "\"x\" is f32[5,3]; this session was made for f32[2,3]");
    FAILS(prune_session_run(session, 1, (const prune_tensor *const[]){whole}), PRUNE_E_DTYPE, "i64[2,3]");
    expect(session, 0, (const float[]){2, 4, 6, 8, 10, 12});
    OK(prune_session_create(&other, graph, 1, x_alone, (const prune_tensor *const[]){longer}, NULL, NULL));
    OK(prune_session_run(other, 1, (const prune_tensor *const[]){longer}));
    ck_assert_int_eq(prune_tensor_shape(prune_session_output(other, 0))[0], 5);
    prune_session_free(other);
    other = UNTOUCHED;
    FAILS(prune_session_create(&other, graph, 1, x_alone, (const prune_tensor *const[]){wider}, NULL, NULL),
          PRUNE_E_SHAPE, "f32[2,4]; the graph takes f32[?,3]");
    ck_assert_ptr_eq(other, UNTOUCHED);
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    expect(session, 0, (const float[]){2, 4, 6, 8, 10, 12});
    prune_session_free(session);
    prune_tensor_free(x);
    prune_tensor_free(longer);
    prune_tensor_free(wider);
    prune_tensor_free(whole);
    prune_graph_free(graph);
}
END_TEST

/* if a then (if b then x + outer else outer) else w: values of both bodies around, and a constant, come out. */
START_TEST(branches_see_every_body_around_them)
{
    static const float numbers[] = {10, 20, 30, 40, 50, 60};
    static const float wanted[3][6] = {{8, 16, 24, 32, 40, 48}, {9, 18, 27, 36, 45, 54}, {10, 20, 30, 40, 50, 60}};
    for (int which = 0; which < 3; which++) {
        const uint8_t a = which < 2, b = which == 0;
        struct pm_body *then, *otherwise, *inner, *inner_otherwise;
        prune_session *session;
        prune_graph *graph = begin();
        add_parameter(graph->body, "a", PRUNE_BOOL, 0, NULL, &a);
        add_parameter(graph->body, "b", PRUNE_BOOL, SHAPE(1), &b);
        add_parameter(graph->body, "w", PRUNE_F32, 2, six, numbers);
        OK(add_node(graph->body, "outer", "Sub", "w,x", "outer", NULL));
        OK(pm_body_create(&then, NULL, graph->body));
        OK(add_node(then, "middle", "Sub", "outer,x", "middle", NULL));
        OK(pm_body_create(&inner, NULL, then));
        OK(add_node(inner, "same", "Identity", "middle", "deep", NULL));
        add_output(inner, "deep");
        OK(pm_body_create(&inner_otherwise, NULL, then));
        OK(add_node(inner_otherwise, "same", "Identity", "outer", "deep", NULL)); /* two bodies up */
        add_output(inner_otherwise, "deep");
        OK(add_node(then, "inner", "If", "b", "chosen", "then_branch", PM_BODY, inner, "else_branch", PM_BODY,
                    inner_otherwise, NULL));
        add_output(then, "chosen");
        OK(pm_body_create(&otherwise, NULL, graph->body));
        OK(add_node(otherwise, "constant", "Identity", "w", "chosen", NULL));
        add_output(otherwise, "chosen");
        OK(add_node(graph->body, "choice", "If", "a", "y", "then_branch", PM_BODY, then, "else_branch", PM_BODY,
                    otherwise, NULL));
        add_output(graph->body, "y");
        OK(pm_graph_finish(graph));
        for (int round = 0; round < 2; round++) {
            prune_tensor *x = at_place(0, round, 1);
            if (round == 0)
                OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL));
            OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
            expect(session, 0, wanted[which]);
            prune_tensor_free(x);
        }
        prune_session_free(session);
        prune_graph_free(graph);
    }
}
END_TEST

/* What the branch that is not taken holds need not be known here; what the taken one holds must be. */
START_TEST(only_the_branch_that_is_taken_must_run)
{
    for (uint8_t a = 0; a < 2; a++) {
        struct pm_body *then, *otherwise;
        prune_session *session = UNTOUCHED;
        prune_graph *graph = begin();
        prune_tensor *x = at_place(0, 0, 1);
        const prune_tensor *const inputs[] = {x};
        add_parameter(graph->body, "a", PRUNE_BOOL, 0, NULL, &a);
        OK(pm_body_create(&then, NULL, graph->body));
        OK(add_node(then, "known", "Neg", "x", "p", NULL));
        add_output(then, "p");
        OK(pm_body_create(&otherwise, NULL, graph->body));
        OK(add_node(otherwise, "strange", "Frobnicate", "x", "q", NULL));
        add_output(otherwise, "q");
        OK(add_node(graph->body, "choice", "If", "a", "y", "then_branch", PM_BODY, then, "else_branch", PM_BODY,
                    otherwise, NULL));
        add_output(graph->body, "y");
        OK(pm_graph_finish(graph));
        if (a) {
            OK(prune_session_create(&session, graph, 1, x_alone, inputs, NULL, NULL));
            OK(prune_session_run(session, 1, inputs));
            expect(session, 0, (const float[]){-1, -2, -3, -4, -5, -6});
            prune_session_free(session);
        } else {
            FAILS(prune_session_create(&session, graph, 1, x_alone, inputs, NULL, NULL), PRUNE_E_UNSUPPORTED,
                  "node \"strange\" (Frobnicate)");
            ck_assert_ptr_eq(session, UNTOUCHED);
        }
        prune_tensor_free(x);
        prune_graph_free(graph);
    }
}
END_TEST

TEST_MAIN("session runs", inputs_that_are_read_late_are_not_written_over, inputs_that_are_outputs_are_copied,
          other_shapes_take_another_session, branches_see_every_body_around_them,
          only_the_branch_that_is_taken_must_run)
