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

/* Numbers at an aligned address, but not one behind the other. */
START_TEST(aligned_inputs_with_strides_are_copied)
{
    prune_graph *graph = begin();
    prune_session *session;
    prune_tensor *x;
    OK(add_node(graph->body, "minus", "Neg", "x", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    for (int i = 0; i < 6; i++)
        memory[0][i % 3 * 2 + i / 3] = (float)i;
    OK(prune_tensor_borrow(&x, NULL, memory[0], PRUNE_F32, 2, six, (const int64_t[]){1, 2}));
    OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL));
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    expect(session, 0, (const float[]){0, -1, -2, -3, -4, -5});
    prune_tensor_free(x);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

/* Of numbers that only a run knows an index may be outside: then there are no outputs, until the next good run. */
START_TEST(a_run_that_fails_has_no_outputs)
{
    prune_graph *graph;
    prune_session *session;
    prune_tensor *index = wholes(2, (const int64_t[]){1, 0}), *outside = wholes(2, (const int64_t[]){0, 2});
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_I64, SHAPE(2));
    add_parameter(graph->body, "table", PRUNE_F32, 2, six, (const float[]){1, 2, 3, 4, 5, 6});
    OK(add_node(graph->body, "look up", "Gather", "table,x", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){index}, NULL, NULL));
    ck_assert_int_eq(prune_session_step_count(session), 1);
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){index}));
    expect(session, 0, (const float[]){4, 5, 6, 1, 2, 3});
    FAILS(prune_session_run(session, 1, (const prune_tensor *const[]){outside}), PRUNE_E_VALUE,
          "node \"look up\" (Gather)");
    ck_assert_ptr_null(prune_session_output(session, 0));
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){index}));
    expect(session, 0, (const float[]){4, 5, 6, 1, 2, 3});
    prune_tensor_free(index);
    prune_tensor_free(outside);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

/* Branches in branches, `depth` of them, of which the innermost gives x. */
static int32_t create_nested(prune_session **session, int depth, int32_t outputs)
{
    static const uint8_t yes = 1;
    struct pm_body *bodies[100];
    prune_graph *graph = begin();
    prune_tensor *x = at_place(0, 0, 1);
    add_parameter(graph->body, "yes", PRUNE_BOOL, 0, NULL, &yes);
    bodies[0] = graph->body;
    for (int i = 1; i <= depth; i++)
        OK(pm_body_create(&bodies[i], NULL, bodies[i - 1]));
    OK(add_node(bodies[depth], "deepest", "Neg", "x", "v", NULL));
    add_output(bodies[depth], "v");
    for (int i = depth; i > 0; i--) {
        OK(add_node(bodies[i - 1], "choice", "If", "yes", outputs == 1 ? "v" : "v,more", "then_branch", PM_BODY,
                    bodies[i], NULL));
        add_output(bodies[i - 1], "v");
    }
    OK(pm_graph_finish(graph));
    int32_t status = prune_session_create(session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL);
    if (!status) {
        OK(prune_session_run(*session, 1, (const prune_tensor *const[]){x}));
        expect(*session, 0, (const float[]){-1, -2, -3, -4, -5, -6});
        prune_session_free(*session);
    }
    prune_tensor_free(x);
    prune_graph_free(graph);
    return status;
}

START_TEST(branches_that_do_not_fit_are_refused)
{
    prune_session *session = UNTOUCHED;
    OK(create_nested(&session, 64, 1));
    session = UNTOUCHED;
    FAILS(create_nested(&session, 65, 1), PRUNE_E_UNSUPPORTED, "node \"choice\" (If): more than 64 branches");
    FAILS(create_nested(&session, 1, 2), PRUNE_E_FORMAT, "\"then_branch\" has 1 outputs, the node 2");
    ck_assert_ptr_eq(session, UNTOUCHED);
}
END_TEST

/* Pruned weights that are reshaped and transposed on their way to a product run sparse there. */
START_TEST(masks_go_with_the_weights_through_views)
{
    static const float numbers[] = {1, 2, 3, 4, 5, 6};
    prune_graph *graph = begin();
    prune_session *session;
    prune_mask *mask;
    prune_tensor *x = at_place(0, 0, 1);
    add_parameter(graph->body, "w", PRUNE_F32, SHAPE(6), numbers);
    add_parameter(graph->body, "shape", PRUNE_I64, SHAPE(2), (const int64_t[]){2, 3});
    OK(add_node(graph->body, "reshaped", "Reshape", "w,shape", "v", NULL));
    OK(add_node(graph->body, "turned", "Transpose", "v", "t", NULL));
    OK(add_node(graph->body, "product", "MatMul", "x,t", "y", NULL));
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    OK(prune_mask_create(&mask, NULL, 1, (const int64_t[]){6}, 1));
    OK(prune_mask_set(mask, 0, 0)); /* of both outputs the first input */
    OK(prune_mask_set(mask, 3, 0));
    OK(prune_graph_set_mask(graph, "w", mask));
    memory[0][0] = NAN;
    OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, "weights=csr"));
    ck_assert_msg(strncmp(prune_session_step_kernels(session, 0), "dense", 5) != 0, "%s",
                  prune_session_step_kernels(session, 0));
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    const float *y = prune_tensor_const_data(prune_session_output(session, 0));
    ck_assert(y[0] == 2 * 2 + 3 * 3 && y[1] == 2 * 5 + 3 * 6);
    prune_mask_free(mask);
    prune_tensor_free(x);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(dropout_keeps_all_and_says_so)
{
    prune_graph *graph = begin();
    prune_session *session;
    prune_tensor *x = at_place(0, 0, 1);
    OK(add_node(graph->body, "minus", "Neg", "x", "m", NULL));
    OK(add_node(graph->body, "drop", "Dropout", "m", "y,kept", NULL));
    add_output(graph->body, "y");
    add_output(graph->body, "kept");
    OK(pm_graph_finish(graph));
    OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL));
    for (int round = 0; round < 2; round++) {
        OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
        expect(session, 0, (const float[]){-1, -2, -3, -4, -5, -6});
        ck_assert_mem_eq(prune_tensor_const_data(prune_session_output(session, 1)), "\1\1\1\1\1\1", 6);
    }
    prune_tensor_free(x);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

/* What follows a product and is no Relu, no Clip to 0 and 6 and no only reader stays a step. */
START_TEST(only_what_is_exactly_known_joins_a_product)
{
    static const float eye[] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, zero = 0, one = 1, five = 5, six_ = 6;
    float odd[] = {-3, -1, 1, 3, 5, 7};
    static const struct {
        const char *op, *inputs;
        int is_read_before; /* by a node in front of it */
        int32_t steps;
        float wanted[6];
    } cases[] = {{"Relu", "p", 0, 1, {0, 0, 1, 3, 5, 7}},           {"Clip", "p,zero,six", 0, 1, {0, 0, 1, 3, 5, 6}},
                 {"Clip", "p,zero,five", 0, 2, {0, 0, 1, 3, 5, 5}}, {"Clip", "p,one,six", 0, 2, {1, 1, 1, 3, 5, 6}},
                 {"Clip", "p,,six", 0, 2, {-3, -1, 1, 3, 5, 6}},    {"Relu", "p", 1, 3, {0, 0, 1, 3, 5, 7}}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        prune_graph *graph = begin();
        prune_session *session;
        prune_tensor *x;
        add_parameter(graph->body, "eye", PRUNE_F32, SHAPE(3, 3), eye);
        add_parameter(graph->body, "zero", PRUNE_F32, 0, NULL, &zero);
        add_parameter(graph->body, "one", PRUNE_F32, 0, NULL, &one);
        add_parameter(graph->body, "five", PRUNE_F32, 0, NULL, &five);
        add_parameter(graph->body, "six", PRUNE_F32, 0, NULL, &six_);
        OK(add_node(graph->body, "product", "MatMul", "x,eye", "p", NULL));
        if (cases[i].is_read_before)
            OK(add_node(graph->body, "other", "Neg", "p", "q", NULL));
        OK(add_node(graph->body, "tail", cases[i].op, cases[i].inputs, "y", NULL));
        add_output(graph->body, "y");
        if (cases[i].is_read_before)
            add_output(graph->body, "q");
        OK(pm_graph_finish(graph));
        OK(prune_tensor_borrow(&x, NULL, odd, PRUNE_F32, 2, six, NULL));
        OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL));
        ck_assert_msg(prune_session_step_count(session) == cases[i].steps, "case %d: %d steps", i,
                      (int)prune_session_step_count(session));
        OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
        expect(session, 0, cases[i].wanted);
        if (cases[i].is_read_before)
            expect(session, 1, (const float[]){3, 1, -1, -3, -5, -7});
        prune_tensor_free(x);
        prune_session_free(session);
        prune_graph_free(graph);
    }
}
END_TEST

/* [2, 1] added to [2, 2] is a number for each row, though channels are as many. */
START_TEST(a_number_for_each_row_is_none_for_each_channel)
{
    static const float two[] = {1, 0, 0, 1, 0, 0}, bias[] = {10, 20};
    for (int along = 0; along < 2; along++) {
        prune_graph *graph = begin();
        prune_session *session;
        prune_tensor *x = at_place(0, 0, 1);
        add_parameter(graph->body, "two", PRUNE_F32, SHAPE(3, 2), two);
        add_parameter(graph->body, "bias", PRUNE_F32, 2, along ? (const int64_t[]){1, 2} : (const int64_t[]){2, 1},
                      bias);
        OK(add_node(graph->body, "product", "MatMul", "x,two", "p", NULL));
        OK(add_node(graph->body, "sum", "Add", "bias,p", "y", NULL));
        add_output(graph->body, "y");
        OK(pm_graph_finish(graph));
        OK(prune_session_create(&session, graph, 1, x_alone, (const prune_tensor *const[]){x}, NULL, NULL));
        ck_assert_int_eq(prune_session_step_count(session), along ? 1 : 2);
        OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
        const float *y = prune_tensor_const_data(prune_session_output(session, 0));
        ck_assert(y[0] == 11 && y[1] == (along ? 22 : 12) && y[2] == (along ? 14 : 24) && y[3] == 25);
        prune_tensor_free(x);
        prune_session_free(session);
        prune_graph_free(graph);
    }
}
END_TEST

TEST_MAIN("session runs", inputs_that_are_read_late_are_not_written_over, inputs_that_are_outputs_are_copied,
          aligned_inputs_with_strides_are_copied, a_run_that_fails_has_no_outputs, other_shapes_take_another_session,
          branches_see_every_body_around_them, only_the_branch_that_is_taken_must_run,
          branches_that_do_not_fit_are_refused, masks_go_with_the_weights_through_views, dropout_keeps_all_and_says_so,
          only_what_is_exactly_known_joins_a_product, a_number_for_each_row_is_none_for_each_channel)
