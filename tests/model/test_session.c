/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sessions of graphs built by hand: what is computed when, where it lies, and what is refused.
 */
#include "../unit/allocator.h"
#include "operators.h"

#include "model/graph/session.h"

static const int64_t six[] = {2, 3}, square[] = {3, 3}, three[] = {3};
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

static void expect_close(const float *is, const float *should_be, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(fabsf(is[i] - should_be[i]) <= 1e-5f * (1 + fabsf(should_be[i])),
                      "number %lld is %.9g instead of %.9g", (long long)i, (double)is[i], (double)should_be[i]);
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

static int32_t step_of(const prune_session *session, const char *node)
{
    for (int32_t i = 0; i < prune_session_step_count(session); i++)
        if (strcmp(prune_session_step_node(session, i), node) == 0)
            return i;
    return -1;
}

START_TEST(what_is_constant_is_computed_once)
{
    static const float one[] = {1, 2, 3}, two[] = {10, 20, 30};
    prune_session *session;
    prune_graph *graph = begin_graph();
    add_parameter(graph->body, "a", PRUNE_F32, 1, three, one);
    add_parameter(graph->body, "b", PRUNE_F32, 1, three, two);
    OK(add_node(graph->body, "sum", "Add", "a,b", "c", NULL));
    OK(add_node(graph->body, "again", "Add", "c,b", "d", NULL));
    OK(add_node(graph->body, "moved", "Add", "x,d", "y", NULL));
    add_output(graph->body, "y");
    add_output(graph->body, "c");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    ck_assert_int_eq(counted.run, 2);
    ck_assert_int_eq(prune_session_step_count(session), 1);
    expect(run(session, numbers, 0), (const float[]){20, 44, 60, 25, 37, 69}, 6);
    expect(run(session, numbers, 1), (const float[]){11, 22, 33}, 3);
    ck_assert_int_eq(counted.run, 4);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(shapes_are_constants_and_need_no_numbers)
{
    prune_session *session;
    prune_graph *graph = begin_graph();
    OK(add_node(graph->body, "long", "Copy", "x", "copy", NULL)); /* whose numbers nobody needs */
    OK(add_node(graph->body, "shape", "Shape", "copy", "s", NULL));
    OK(add_node(graph->body, "as_it_was", "Reshape", "x,s", "r", NULL));
    OK(add_node(graph->body, "relu", "Relu", "r", "y", NULL));
    add_output(graph->body, "y");
    add_output(graph->body, "s");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    ck_assert_int_eq(prune_session_step_count(session), 1);
    ck_assert_str_eq(prune_session_step_node(session, 0), "relu");
    expect(run(session, numbers, 0), (const float[]){0, 2, 0, 4, 0, 6}, 6);
    const int64_t *shape = prune_tensor_const_data(prune_session_output(session, 1));
    ck_assert_int_eq(shape[0], 2);
    ck_assert_int_eq(shape[1], 3);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(constants_beyond_64_mib_are_computed_at_each_run)
{
    for (int more = 0; more < 2; more++) {
        prune_session *session;
        prune_graph *graph = begin_graph();
        int64_t none;
        OK(add_node(graph->body, "fill", "Fill", "x", "c", "count", PM_INT, 16777216 + more, NULL));
        graph->body->nodes[0].input_count = 0;
        OK(add_node(graph->body, "y", "Add", "x,c", "y", NULL));
        add_output(graph->body, "y");
        end_graph(graph);
        OK(create(&session, graph, NULL));
        none = prune_session_memory(session);
        ck_assert_int_eq(prune_session_step_count(session), 1 + more);
        ck_assert(more ? none >= 67108864 : none < 1000);
        expect(run(session, numbers, 0), (const float[]){2, 5, 0, 7, -2, 9}, 6);
        prune_session_free(session);
        prune_graph_free(graph);
    }
}
END_TEST

/* y = relu(x) or x + x, as the input "c" says; the branches read x of the body around them. */
static prune_graph *with_condition(int in_the_file)
{
    static const uint8_t yes = 1;
    struct pm_body *branches[2];
    prune_graph *graph = begin_graph();
    if (in_the_file)
        add_parameter(graph->body, "c", PRUNE_BOOL, 0, NULL, &yes);
    else
        add_input(graph->body, "c", PRUNE_BOOL, 0, NULL);
    OK(add_node(graph->body, "copy", "Copy", "x", "outside", NULL));
    OK(add_node(graph->body, "unread", "Copy", "x", "only_else", NULL));
    for (int i = 0; i < 2; i++) {
        OK(pm_body_create(&branches[i], NULL, graph->body));
        OK(add_node(branches[i], i ? "sum" : "relu", i ? "Add" : "Relu", i ? "outside,only_else" : "outside", "z",
                    NULL));
        add_output(branches[i], "z");
    }
    OK(add_node(graph->body, "choice", "If", "c", "y", "then_branch", PM_BODY, branches[0], "else_branch", PM_BODY,
                branches[1], NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    return graph;
}

START_TEST(the_branch_of_a_known_condition_is_taken)
{
    static const char *const names[] = {"c", "x"};
    static const float doubled[] = {-2, 4, -6, 8, -10, 12}, positive[] = {0, 2, 0, 4, 0, 6};
    prune_session *session;
    prune_graph *graph = with_condition(1);
    OK(create(&session, graph, NULL));
    ck_assert_int_eq(prune_session_step_count(session), 2);
    expect(run(session, numbers, 0), positive, 6);
    prune_session_free(session);
    prune_graph_free(graph);
    graph = with_condition(0);
    for (uint8_t c = 0; c < 2; c++) {
        prune_tensor *condition, *x = matrix(numbers);
        OK(prune_tensor_borrow(&condition, NULL, &c, PRUNE_BOOL, 0, NULL, NULL));
        const prune_tensor *const inputs[] = {condition, x}, *const fed[] = {NULL, x};
        OK(prune_session_create(&session, graph, 2, names, inputs, (const int32_t[]){1, 0}, NULL));
        ck_assert_int_eq(prune_session_step_count(session), c ? 2 : 3);
        OK(prune_session_run(session, 2, fed));
        expect(prune_tensor_const_data(prune_session_output(session, 0)), c ? positive : doubled, 6);
        prune_session_free(session);
        session = UNTOUCHED;
        FAILS(prune_session_create(&session, graph, 2, names, inputs, NULL, NULL), PRUNE_E_UNSUPPORTED,
              "node \"choice\" (If)");
        ck_assert_ptr_eq(session, UNTOUCHED);
        prune_tensor_free(condition);
        prune_tensor_free(x);
    }
    prune_graph_free(graph);
}
END_TEST

START_TEST(a_condition_that_is_no_boolean_is_refused)
{
    static const char *const names[] = {"c", "x"};
    prune_session *session = UNTOUCHED;
    prune_graph *graph = with_condition(0);
    graph->body->values[pm_body_find(graph->body, "c")].type.dtype = 0;
    graph->body->values[pm_body_find(graph->body, "c")].type.rank = -1;
    prune_tensor *x = matrix(numbers), *two;
    OK(prune_tensor_create(&two, NULL, PRUNE_BOOL, 1, (const int64_t[]){2}));
    const int32_t fixed[] = {1, 0};
    FAILS(prune_session_create(&session, graph, 2, names, (const prune_tensor *const[]){x, x}, fixed, NULL),
          PRUNE_E_DTYPE, "must be bool");
    FAILS(prune_session_create(&session, graph, 2, names, (const prune_tensor *const[]){two, x}, fixed, NULL),
          PRUNE_E_SHAPE, "2 elements");
    ck_assert_ptr_eq(session, UNTOUCHED);
    prune_tensor_free(two);
    prune_tensor_free(x);
    prune_graph_free(graph);
}
END_TEST

START_TEST(views_share_memory_and_are_no_steps)
{
    static const int64_t flat[] = {6};
    prune_session *session;
    prune_graph *graph = begin_graph();
    add_parameter(graph->body, "flat", PRUNE_I64, 1, (const int64_t[]){1}, flat);
    OK(add_node(graph->body, "copy", "Copy", "x", "a", NULL));
    OK(add_node(graph->body, "view", "Reshape", "a,flat", "b", NULL));
    OK(add_node(graph->body, "same", "Identity", "b", "c", NULL));
    OK(add_node(graph->body, "input", "Reshape", "x,flat", "d", NULL));
    add_output(graph->body, "a");
    add_output(graph->body, "c");
    add_output(graph->body, "d");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    ck_assert_int_eq(prune_session_step_count(session), 1);
    for (int32_t i = 0; i < 3; i++)
        expect(run(session, numbers, i), numbers, 6);
    const prune_tensor *view = prune_session_output(session, 1);
    ck_assert_int_eq(prune_tensor_rank(view), 1);
    ck_assert_ptr_eq(prune_tensor_const_data(view), prune_tensor_const_data(prune_session_output(session, 0)));
    ck_assert_int_eq(prune_session_memory(session), 128); /* the copy, and the input that is an output */
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(steps_write_over_their_input_where_nobody_reads_it_again)
{
    prune_session *session;
    prune_graph *graph = begin_graph();
    OK(add_node(graph->body, "relu", "Relu", "x", "a", NULL)); /* not over the caller's numbers */
    OK(add_node(graph->body, "b", "Add", "a,x", "b", NULL));   /* over a */
    OK(add_node(graph->body, "c", "Relu", "b", "c", NULL));    /* not over b, which is read again */
    OK(add_node(graph->body, "d", "Add", "c,b", "d", NULL));   /* over c */
    OK(add_node(graph->body, "e", "Add", "d,d", "e", NULL));   /* not over itself */
    OK(add_node(graph->body, "f", "Relu", "e", "f", NULL));    /* over e, though it is an output */
    OK(add_node(graph->body, "g", "Relu", "f", "g", NULL));    /* not over an output */
    add_output(graph->body, "f");
    add_output(graph->body, "g");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    const struct pm_step *steps = session->steps;
    static const int over[] = {0, 1, 0, 1, 0, 1, 0};
    for (int32_t i = 0; i < 7; i++)
        ck_assert_msg((pm_cell_storage(session, steps[i].inputs[0]) == pm_cell_storage(session, steps[i].outputs[0])) ==
                          over[i],
                      "step %d", (int)i);
    for (int again = 0; again < 2; again++) {
        expect(run(session, numbers, 0), (const float[]){0, 16, 0, 32, 0, 48}, 6);
        expect(run(session, numbers, 1), (const float[]){0, 16, 0, 32, 0, 48}, 6);
    }
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(the_numbers_of_an_input_stay_as_they_are)
{
    prune_session *session;
    prune_graph *graph = begin_graph();
    OK(add_node(graph->body, "relu", "Relu", "x", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    prune_tensor *x = matrix(numbers);
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    expect(prune_tensor_const_data(x), numbers, 6);
    expect(prune_tensor_const_data(prune_session_output(session, 0)), (const float[]){0, 2, 0, 4, 0, 6}, 6);
    prune_tensor_free(x);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(nodes_that_nobody_needs_are_left_out)
{
    prune_session *session;
    prune_graph *graph = begin_graph();
    OK(add_node(graph->body, "relu", "Relu", "x", "y", NULL));
    OK(add_node(graph->body, "dead", "Copy", "x", "z", NULL));
    OK(add_node(graph->body, "unknown", "Strange", "z", "u", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    ck_assert_int_eq(prune_session_step_count(session), 1);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(unknown_operators_are_refused_by_name)
{
    prune_session *session = UNTOUCHED;
    prune_graph *graph = begin_graph();
    OK(add_node(graph->body, "odd one", "Strange", "x", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    FAILS(create(&session, graph, NULL), PRUNE_E_UNSUPPORTED, "node \"odd one\" (Strange)");
    ck_assert_ptr_eq(session, UNTOUCHED);
    prune_graph_free(graph);
}
END_TEST

/* A product with what follows it, as one of a few kinds. */
static prune_graph *with_tail(const char *tail)
{
    static const float gamma[] = {1, 2, -3}, beta[] = {0.5f, -1, 2}, mean[] = {1, 2, 3}, variance[] = {4, 0.25f, 1};
    static const float zero = 0, six_ = 6, bias[] = {1, -2, 3};
    prune_graph *graph = begin_graph();
    struct pm_body *body = graph->body;
    char from[8] = "p", to[8] = "a";
    add_parameter(body, "w", PRUNE_F32, 2, square, weights);
    add_parameter(body, "gamma", PRUNE_F32, 1, three, gamma);
    add_parameter(body, "beta", PRUNE_F32, 1, three, beta);
    add_parameter(body, "mean", PRUNE_F32, 1, three, mean);
    add_parameter(body, "variance", PRUNE_F32, 1, three, variance);
    add_parameter(body, "zero", PRUNE_F32, 0, NULL, &zero);
    add_parameter(body, "six", PRUNE_F32, 0, NULL, &six_);
    add_parameter(body, "bias", PRUNE_F32, 1, three, bias);
    OK(add_node(body, "product", "MatMul", "x,w", "p", NULL));
    for (; *tail; tail++, from[0] = to[0], to[0]++) {
        char inputs[64], name[8] = {*tail, to[0], 0};
        const char *op = *tail == 'b' ? "BatchNormalization" : *tail == '+' ? "Add" : *tail == 'r' ? "Relu" : "Clip";
        if (*tail == 'i')
            op = "Identity";
        snprintf(inputs, sizeof inputs, "%s%s", from,
                 *tail == 'b'   ? ",gamma,beta,mean,variance"
                 : *tail == '+' ? ",bias"
                 : *tail == '6' ? ",zero,six"
                 : *tail == '0' ? ",zero"
                                : "");
        OK(add_node(body, name, op, inputs, to, NULL));
    }
    add_output(body, from);
    return graph;
}

START_TEST(batch_normalisation_bias_and_activation_join_the_product)
{
    static const struct {
        const char *tail;
        int32_t steps; /* that are left */
    } cases[] = {{"", 1},   {"b", 1},  {"br", 1},  {"b6", 1}, {"b0", 1}, {"r", 1},  {"+", 1},
                 {"+r", 1}, {"+b", 1}, {"+b6", 1}, {"bb", 1}, {"rb", 2}, {"rr", 2}, {"bir", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prune_session *fused, *plain;
        prune_graph *graph = with_tail(cases[i].tail);
        end_graph(graph);
        OK(create(&fused, graph, NULL));
        OK(create(&plain, graph, "fuse=no"));
        ck_assert_msg(prune_session_step_count(fused) == cases[i].steps, "\"%s\": %d steps", cases[i].tail,
                      (int)prune_session_step_count(fused));
        ck_assert_int_eq(prune_session_step_count(plain),
                         1 + (int32_t)strlen(cases[i].tail) - (strchr(cases[i].tail, 'i') != NULL));
        expect_close(run(fused, numbers, 0), run(plain, numbers, 0), 6);
        prune_session_free(fused);
        prune_session_free(plain);
        prune_graph_free(graph);
    }
}
END_TEST

START_TEST(a_product_that_is_read_elsewhere_keeps_its_numbers)
{
    for (int as_output = 0; as_output < 2; as_output++) {
        prune_session *session;
        prune_graph *graph = with_tail("b");
        if (as_output) {
            add_output(graph->body, "p");
        } else {
            OK(add_node(graph->body, "other", "Copy", "p", "q", NULL));
            add_output(graph->body, "q");
        }
        end_graph(graph);
        OK(create(&session, graph, NULL));
        ck_assert_int_eq(prune_session_step_count(session), as_output ? 2 : 3);
        expect(run(session, numbers, 1), (const float[]){5, -1.5f, 4, -8, 6, -13}, 6);
        prune_session_free(session);
        prune_graph_free(graph);
    }
}
END_TEST

/* Values of a long chain take turns at two places. */
START_TEST(the_arena_holds_what_is_alive_and_no_more)
{
    prune_session *session;
    prune_graph *graph = begin_graph();
    char from[8] = "x", to[8];
    for (int i = 0; i < 20; i++) {
        snprintf(to, sizeof to, "v%d", i);
        OK(add_node(graph->body, to, "Copy", from, to, NULL));
        memcpy(from, to, sizeof from);
    }
    add_output(graph->body, from);
    end_graph(graph);
    OK(create(&session, graph, NULL));
    ck_assert_int_eq(prune_session_step_count(session), 20);
    ck_assert_int_eq(prune_session_memory(session), 128);
    expect(run(session, numbers, 0), numbers, 6);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

static int lie_apart(const struct pm_cell *a, const struct pm_cell *b)
{
    return a->last < b->first || b->last < a->first || a->offset + pm_type_bytes(&a->operand.type) <= b->offset ||
           b->offset + pm_type_bytes(&b->operand.type) <= a->offset;
}

START_TEST(nothing_alive_overlaps_in_graphs_at_random)
{
    uint32_t state = 1;
    for (int round = 0; round < 30; round++) {
        prune_session *session, *plain;
        prune_graph *graph = begin_graph();
        char name[8], inputs[24];
        static const char *const ops[] = {"Copy", "Relu", "Add", "Identity"};
        for (int i = 0; i < 25; i++) {
            int picks[2], op = (int)((state = state * 1664525u + 1013904223u) >> 16) % 4;
            char sources[2][8] = {"x", "x"};
            for (int j = 0; j < 2; j++) {
                picks[j] = (int)((state = state * 1664525u + 1013904223u) >> 16) % (i + 1);
                if (picks[j] < i)
                    snprintf(sources[j], sizeof sources[j], "v%d", picks[j]);
            }
            snprintf(name, sizeof name, "v%d", i);
            snprintf(inputs, sizeof inputs, "%s%s%s", sources[0], op == 2 ? "," : "", op == 2 ? sources[1] : "");
            OK(add_node(graph->body, name, ops[op], inputs, name, NULL));
        }
        for (int i = 20; i < 25; i++) {
            snprintf(name, sizeof name, "v%d", i);
            add_output(graph->body, name);
        }
        end_graph(graph);
        OK(create(&session, graph, NULL));
        for (int32_t i = 0; i < session->cell_count; i++)
            for (int32_t j = 0; j < i; j++)
                if (session->cells[i].offset >= 0 && session->cells[j].offset >= 0)
                    ck_assert(lie_apart(&session->cells[i], &session->cells[j]));
        /* The same graph with everything an output: nothing is written over. */
        for (int i = 0; i < 20; i++) {
            snprintf(name, sizeof name, "v%d", i);
            add_output(graph->body, name);
        }
        OK(create(&plain, graph, NULL));
        for (int32_t i = 0; i < 5; i++)
            expect(run(session, numbers, i), run(plain, numbers, i), 6);
        prune_session_free(session);
        prune_session_free(plain);
        prune_graph_free(graph);
    }
}
END_TEST

START_TEST(a_run_allocates_nothing)
{
    struct allocator allocator;
    prune_session *session;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = with_tail("b6");
    OK(add_node(graph->body, "more", "Add", "b,x", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    graph->context = context; /* the session's, and back */
    OK(create(&session, graph, NULL));
    graph->context = NULL;
    int64_t calls = allocator.calls;
    ck_assert_int_gt(calls, 0);
    for (int i = 0; i < 3; i++)
        run(session, numbers, 1);
    ck_assert_int_eq(allocator.calls, calls);
    prune_session_free(session);
    ck_assert_int_eq(allocator.live, 0);
    prune_graph_free(graph);
    prune_context_free(context);
}
END_TEST

START_TEST(memory_that_runs_out_loses_nothing)
{
    struct allocator allocator;
    prune_session *session;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = with_tail("+b6");
    static const float one[] = {1, 2, 3};
    add_parameter(graph->body, "k", PRUNE_F32, 1, three, one);
    OK(add_node(graph->body, "folded", "Add", "k,bias", "kb", NULL));
    OK(add_node(graph->body, "more", "Add", "x,kb", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    graph->context = context;
    SURVIVES(&allocator, &session, create(&session, graph, NULL));
    graph->context = NULL;
    prune_session_free(session);
    ck_assert_int_eq(allocator.live, 0);
    ck_assert_int_eq(counted.prepared >= counted.released, 1);
    prune_graph_free(graph);
    prune_context_free(context);
}
END_TEST

START_TEST(inputs_are_read_whatever_their_strides)
{
    prune_session *session;
    prune_graph *graph = begin_graph();
    float column_major[8];
    prune_tensor *x;
    OK(add_node(graph->body, "copy", "Copy", "x", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    for (int i = 0; i < 6; i++)
        column_major[1 + i % 3 * 2 + i / 3] = numbers[i];
    OK(prune_tensor_borrow(&x, NULL, column_major + 1, PRUNE_F32, 2, six, (const int64_t[]){1, 2}));
    OK(prune_session_run(session, 1, (const prune_tensor *const[]){x}));
    expect(prune_tensor_const_data(prune_session_output(session, 0)), numbers, 6);
    prune_tensor_free(x);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(inputs_that_do_not_fit_are_refused)
{
    prune_session *session = UNTOUCHED;
    prune_graph *graph = begin_graph();
    prune_tensor *x = matrix(numbers), *flat, *whole;
    OK(add_node(graph->body, "copy", "Copy", "x", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    OK(prune_tensor_reshape(&flat, x, 1, (const int64_t[]){6}));
    OK(prune_tensor_create(&whole, NULL, PRUNE_I32, 2, six));
    const prune_tensor *const good[] = {x, x}, *const rank[] = {flat}, *const dtype[] = {whole}, *const none[] = {NULL};
    FAILS(prune_session_create(NULL, graph, 1, x_alone, good, NULL, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_session_create(&session, NULL, 1, x_alone, good, NULL, NULL), PRUNE_E_ARGUMENT, "graph");
    FAILS(prune_session_create(&session, graph, -1, x_alone, good, NULL, NULL), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_session_create(&session, graph, 1, NULL, good, NULL, NULL), PRUNE_E_ARGUMENT, "names");
    FAILS(prune_session_create(&session, graph, 0, NULL, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "\"x\" of the graph");
    FAILS(prune_session_create(&session, graph, 1, x_alone, none, NULL, NULL), PRUNE_E_ARGUMENT, "example");
    FAILS(prune_session_create(&session, graph, 1, (const char *const[]){"z"}, good, NULL, NULL), PRUNE_E_ARGUMENT,
          "\"z\"");
    FAILS(prune_session_create(&session, graph, 2, (const char *const[]){"x", "x"}, good, NULL, NULL), PRUNE_E_ARGUMENT,
          "twice");
    FAILS(prune_session_create(&session, graph, 1, x_alone, rank, NULL, NULL), PRUNE_E_SHAPE, "f32[6]");
    FAILS(prune_session_create(&session, graph, 1, x_alone, dtype, NULL, NULL), PRUNE_E_DTYPE, "i32[2,3]");
    FAILS(prune_session_create(&session, graph, 1, x_alone, good, NULL, "weights=thin"), PRUNE_E_SPEC, "thin");
    ck_assert_ptr_eq(session, UNTOUCHED);
    OK(prune_session_create(&session, graph, 1, x_alone, good, NULL, "weights=csr,fuse=no"));
    FAILS(prune_session_run(NULL, 1, good), PRUNE_E_ARGUMENT, "session");
    FAILS(prune_session_run(session, 2, good), PRUNE_E_ARGUMENT, "2 inputs");
    FAILS(prune_session_run(session, 1, NULL), PRUNE_E_ARGUMENT, "inputs");
    FAILS(prune_session_run(session, 1, none), PRUNE_E_ARGUMENT, "\"x\"");
    FAILS(prune_session_run(session, 1, rank), PRUNE_E_SHAPE, "f32[6]");
    FAILS(prune_session_run(session, 1, dtype), PRUNE_E_DTYPE, "i32[2,3]");
    prune_session_free(session);
    prune_session_free(NULL);
    prune_tensor_free(whole);
    prune_tensor_free(flat);
    prune_tensor_free(x);
    prune_graph_free(graph);
}
END_TEST

START_TEST(failures_name_the_node)
{
    prune_session *session = UNTOUCHED;
    prune_graph *graph = begin_graph();
    add_parameter(graph->body, "w", PRUNE_F32, 2, six, numbers);
    OK(add_node(graph->body, "wide", "MatMul", "x,w", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    FAILS(create(&session, graph, NULL), PRUNE_E_SHAPE, "node \"wide\" (MatMul): 3 columns and 2 rows");
    ck_assert_ptr_eq(session, UNTOUCHED);
    prune_graph_free(graph);
    graph = with_tail("r");
    end_graph(graph);
    OK(create(&session, graph, "fuse=no"));
    run(session, numbers, 0);
    counted.fail_run = counted.run + 2;
    prune_tensor *x = matrix(numbers);
    FAILS(prune_session_run(session, 1, (const prune_tensor *const[]){x}), PRUNE_E_VALUE, "node \"ra\" (Relu): told");
    ck_assert_ptr_null(prune_session_output(session, 0));
    prune_tensor_free(x);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(new_numbers_are_taken_over_by_the_steps_that_use_them)
{
    static const float gamma[] = {0, 1, 0}, others[] = {1, 0, 0, 0, 1, 0, 0, 0, 1}, one[] = {1, 1, 1};
    prune_session *session, *fresh;
    prune_tensor *values;
    prune_mask *mask;
    prune_graph *graph = with_tail("+b");
    add_parameter(graph->body, "k", PRUNE_F32, 1, three, one);
    OK(add_node(graph->body, "folded", "Add", "k,bias", "kb", NULL));
    OK(add_node(graph->body, "more", "Add", "b,kb", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    run(session, numbers, 0);
    const struct {
        const char *name;
        int32_t rank;
        const int64_t *shape;
        const float *numbers;
    } changes[] = {{"w", 2, square, others}, {"gamma", 1, three, gamma}, {"bias", 1, three, gamma}};
    for (size_t i = 0; i < 3; i++) {
        OK(prune_tensor_create(&values, NULL, PRUNE_F32, changes[i].rank, changes[i].shape));
        memcpy(prune_tensor_data(values), changes[i].numbers, (size_t)prune_tensor_count(values) * 4);
        float before[6];
        memcpy(before, run(session, numbers, 1), sizeof before);
        OK(prune_graph_set_parameter(graph, changes[i].name, values));
        expect(run(session, numbers, 1), before, 6); /* not before it is told */
        const struct pm_body *body = graph->body;
        OK(pm_session_renew(session, &body->parameters[body->values[pm_body_find(body, changes[i].name)].parameter]));
        OK(create(&fresh, graph, NULL));
        const float *now = run(session, numbers, 1);
        ck_assert(memcmp(now, before, sizeof before) != 0);
        expect(now, run(fresh, numbers, 1), 6);
        prune_session_free(fresh);
        prune_tensor_free(values);
    }
    ck_assert_str_eq(prune_session_step_kernels(session, step_of(session, "product")), "format=auto");
    OK(prune_mask_from_bytes(&mask, NULL, 2, square, (const uint8_t[]){1, 0, 0, 0, 1, 0, 0, 0, 0}, 9));
    OK(prune_graph_set_mask(graph, "w", mask));
    OK(pm_session_renew(session,
                        &graph->body->parameters[graph->body->values[pm_body_find(graph->body, "w")].parameter]));
    ck_assert_str_eq(prune_session_step_kernels(session, step_of(session, "product")), "pruned format=auto");
    prune_mask_free(mask);
    prune_session_free(session);
    ck_assert_int_eq(counted.prepared, counted.released);
    prune_graph_free(graph);
}
END_TEST

START_TEST(new_numbers_that_change_a_shape_are_refused)
{
    static const int64_t flat[] = {6, 1}, tall[] = {3, 2}, two[] = {2};
    prune_session *session;
    prune_tensor *values;
    prune_graph *graph = begin_graph();
    add_parameter(graph->body, "shape", PRUNE_I64, 1, two, flat);
    OK(add_node(graph->body, "copy", "Copy", "x", "a", NULL));
    OK(add_node(graph->body, "constant", "Identity", "shape", "same", NULL));
    OK(add_node(graph->body, "view", "Reshape", "a,same", "y", NULL));
    add_output(graph->body, "y");
    end_graph(graph);
    OK(create(&session, graph, NULL));
    OK(prune_tensor_create(&values, NULL, PRUNE_I64, 1, two));
    memcpy(prune_tensor_data(values), tall, sizeof tall);
    OK(prune_graph_set_parameter(graph, "shape", values));
    FAILS(pm_session_renew(session, &graph->body->parameters[0]), PRUNE_E_UNSUPPORTED, "\"shape\"");
    prune_tensor_free(values);
    prune_session_free(session);
    prune_graph_free(graph);
}
END_TEST

START_TEST(pruned_weights_are_packed_as_asked_the_others_dense)
{
    prune_session *session;
    prune_mask *mask;
    prune_graph *graph = with_tail("");
    add_parameter(graph->body, "v", PRUNE_F32, 2, square, weights);
    OK(add_node(graph->body, "other", "MatMul", "x,v", "q", NULL));
    add_output(graph->body, "q");
    end_graph(graph);
    OK(prune_mask_create(&mask, NULL, 2, square, 0));
    OK(prune_graph_set_mask(graph, "w", mask));
    OK(create(&session, graph, "weights=csr"));
    ck_assert_str_eq(prune_session_step_kernels(session, step_of(session, "product")), "pruned format=csr");
    ck_assert_str_eq(prune_session_step_kernels(session, step_of(session, "other")), "format=dense");
    ck_assert_ptr_eq(session->steps[step_of(session, "product")].weights[1]->mask,
                     (const prune_mask *)prune_graph_mask(graph, "w"));
    expect(run(session, numbers, 0), (const float[]){0, 0, 0, 0, 0, 0}, 6);
    prune_session_free(session);
    prune_mask_free(mask);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("session", a_chain_runs_again_and_again, what_is_constant_is_computed_once,
          shapes_are_constants_and_need_no_numbers, constants_beyond_64_mib_are_computed_at_each_run,
          the_branch_of_a_known_condition_is_taken, a_condition_that_is_no_boolean_is_refused,
          views_share_memory_and_are_no_steps, steps_write_over_their_input_where_nobody_reads_it_again,
          nodes_that_nobody_needs_are_left_out, unknown_operators_are_refused_by_name,
          batch_normalisation_bias_and_activation_join_the_product, a_product_that_is_read_elsewhere_keeps_its_numbers,
          the_arena_holds_what_is_alive_and_no_more, nothing_alive_overlaps_in_graphs_at_random,
          a_run_allocates_nothing, memory_that_runs_out_loses_nothing, inputs_are_read_whatever_their_strides,
          inputs_that_do_not_fit_are_refused, failures_name_the_node, the_numbers_of_an_input_stay_as_they_are,
          new_numbers_are_taken_over_by_the_steps_that_use_them, new_numbers_that_change_a_shape_are_refused,
          pruned_weights_are_packed_as_asked_the_others_dense)
