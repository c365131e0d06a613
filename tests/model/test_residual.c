/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Additions of another value join the convolution before them: where they may, and that no bit changes.
 */
#include "../unit/allocator.h"
#include "graphs.h"

#include "base/rng.h"
#include "model/graph/session.h"

#define CHANNELS 6
#define SIZE 9
#define IMAGE (2 * CHANNELS * SIZE * SIZE)

static const int64_t image[] = {2, CHANNELS, SIZE, SIZE}, pads[] = {1, 1, 1, 1}, none[] = {0, 0, 0, 0};
static const int64_t spatial[] = {CHANNELS, CHANNELS, 3, 3}, pointwise[] = {CHANNELS, CHANNELS, 1, 1};
static const int64_t depthwise[] = {CHANNELS, 1, 3, 3}, grouped[] = {CHANNELS, 3, 3, 3}, channels[] = {CHANNELS};

static void random_parameter(struct pm_body *body, const char *name, int32_t rank, const int64_t *shape)
{
    float values[CHANNELS * CHANNELS * 9];
    struct pr_rng rng;
    int64_t count = 1;
    pr_rng_seed(&rng, (uint64_t)name[0] * 31 + (uint64_t)name[1]);
    for (int32_t i = 0; i < rank; i++)
        count *= shape[i];
    for (int64_t i = 0; i < count; i++)
        values[i] = (float)(pr_rng_uniform(&rng) - 0.5);
    add_parameter(body, name, PRUNE_F32, rank, shape, values);
}

static void add_conv(struct pm_body *body, const char *node, const char *inputs, const char *output, int groups)
{
    int pointwise_ = strstr(inputs, "wp") != NULL;
    OK(add_node(body, node, "Conv", inputs, output, "pads", PM_INTS, 4, pointwise_ ? none : pads, "group", PM_INT,
                groups, NULL));
}

static prune_graph *begin_graph(void)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, 13));
    add_input(graph->body, "x", PRUNE_F32, 4, image);
    random_parameter(graph->body, "ws", 4, spatial);
    random_parameter(graph->body, "wt", 4, spatial);
    random_parameter(graph->body, "wp", 4, pointwise);
    random_parameter(graph->body, "wd", 4, depthwise);
    random_parameter(graph->body, "wg", 4, grouped);
    random_parameter(graph->body, "bias", 1, channels);
    random_parameter(graph->body, "gamma", 1, channels);
    random_parameter(graph->body, "mean", 1, channels);
    add_parameter(graph->body, "one", PRUNE_F32, 1, channels, (const float[CHANNELS]){1, 1, 1, 2, 0.5f, 1});
    return graph;
}

static prune_tensor *make_x(void)
{
    prune_tensor *x;
    struct pr_rng rng;
    pr_rng_seed(&rng, 3);
    OK(prune_tensor_create(&x, NULL, PRUNE_F32, 4, image));
    for (int64_t i = 0; i < IMAGE; i++)
        ((float *)prune_tensor_data(x))[i] = (float)(pr_rng_uniform(&rng) - 0.5);
    return x;
}

static void create(prune_session **session, const prune_graph *graph, const prune_tensor *x, const char *spec)
{
    OK(prune_session_create(session, graph, 1, (const char *const[]){"x"}, &x, NULL, spec));
}

/* The same bits with and without fusion (but for a batch normalisation, which rounds otherwise); how many steps are
 * left. */
static int32_t compare(prune_graph *graph, int exact)
{
    prune_session *fused, *plain;
    prune_tensor *x = make_x();
    const prune_tensor *in = x;
    create(&fused, graph, x, NULL);
    create(&plain, graph, x, "fuse=no");
    for (int turn = 0; turn < 2; turn++) {
        OK(prune_session_run(fused, 1, &in));
        OK(prune_session_run(plain, 1, &in));
        for (int32_t o = 0; o < graph->body->output_count; o++) {
            const float *a = prune_tensor_const_data(prune_session_output(fused, o));
            const float *b = prune_tensor_const_data(prune_session_output(plain, o));
            for (int64_t i = 0; i < IMAGE; i++)
                if (exact ? memcmp(a + i, b + i, sizeof *a) != 0 : fabsf(a[i] - b[i]) > 1e-5f * (1 + fabsf(b[i])))
                    ck_abort_msg("output %d, number %lld is %.9g instead of %.9g", (int)o, (long long)i, (double)a[i],
                                 (double)b[i]);
        }
    }
    int32_t steps = prune_session_step_count(fused);
    prune_session_free(fused);
    prune_session_free(plain);
    prune_tensor_free(x);
    return steps;
}

/* x + conv(x) in both orders, with an activation or none, for each kind of convolution. */
START_TEST(a_skip_joins_the_convolution)
{
    static const struct {
        const char *inputs;
        int groups, exact;
    } kinds[] = {{"x,ws", 1, 1}, {"x,ws,bias", 1, 1}, {"x,wp,bias", 1, 1}, {"x,wd", CHANNELS, 1}, {"x,wg", 2, 1}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (int turned = 0; turned < 2; turned++)
            for (int end = 0; end < 3; end++) {
                prune_graph *graph = begin_graph();
                struct pm_body *body = graph->body;
                add_conv(body, "conv", kinds[k].inputs, "p", kinds[k].groups);
                OK(add_node(body, "sum", "Add", turned ? "x,p" : "p,x", "s", NULL));
                if (end)
                    OK(add_node(body, "end", end == 1 ? "Relu" : "Neg", "s", "y", NULL));
                add_output(body, end ? "y" : "s");
                OK(pm_graph_finish(graph));
                ck_assert_int_eq(compare(graph, kinds[k].exact), end == 2 ? 2 : 1);
                prune_graph_free(graph);
            }
}
END_TEST

START_TEST(pruned_weights_take_a_skip_too)
{
    for (int left = 2; left < 30; left += 9) { /* 50 % to 4 % */
        prune_graph *graph = begin_graph();
        prune_mask *mask;
        uint8_t kept[CHANNELS * CHANNELS * 9];
        for (int i = 0; i < CHANNELS * CHANNELS * 9; i++)
            kept[i] = i % left == 0;
        add_conv(graph->body, "conv", "x,ws,bias", "p", 1);
        OK(add_node(graph->body, "sum", "Add", "p,x", "s", NULL));
        OK(add_node(graph->body, "end", "Relu", "s", "y", NULL));
        add_output(graph->body, "y");
        OK(pm_graph_finish(graph));
        OK(prune_mask_from_bytes(&mask, NULL, 4, spatial, kept, CHANNELS * CHANNELS * 9));
        OK(prune_graph_set_mask(graph, "ws", mask));
        ck_assert_int_eq(compare(graph, 1), 1);
        prune_mask_free(mask);
        prune_graph_free(graph);
    }
}
END_TEST

START_TEST(an_addition_joins_the_later_of_two_convolutions)
{
    for (int turned = 0; turned < 2; turned++) {
        prune_graph *graph = begin_graph();
        struct pm_body *body = graph->body;
        add_conv(body, "first", "x,ws", "p", 1);
        add_conv(body, "second", "x,wt", "q", 1);
        OK(add_node(body, "sum", "Add", turned ? "q,p" : "p,q", "s", NULL));
        OK(add_node(body, "end", "Relu", "s", "y", NULL));
        add_output(body, "y");
        OK(pm_graph_finish(graph));
        ck_assert_int_eq(compare(graph, 1), 2);
        prune_graph_free(graph);
    }
}
END_TEST

/* What is added is computed after the convolution; a value twice; a second addition; the sum before it is read. */
START_TEST(what_cannot_join_stays)
{
    static const struct {
        const char *sum, *then;
        int32_t steps;
        int output; /* the product is one too */
    } cases[] = {{"p,late", NULL, 3, 0}, {"p,p", NULL, 2, 0}, {"p,x", "s,x", 2, 0}, {"p,x", NULL, 2, 1}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        prune_graph *graph = begin_graph();
        struct pm_body *body = graph->body;
        add_conv(body, "conv", "x,ws", "p", 1);
        if (strstr(cases[c].sum, "late"))
            OK(add_node(body, "later", "Neg", "x", "late", NULL));
        OK(add_node(body, "sum", "Add", cases[c].sum, "s", NULL));
        if (cases[c].then)
            OK(add_node(body, "more", "Add", cases[c].then, "y", NULL));
        add_output(body, cases[c].then ? "y" : "s");
        if (cases[c].output)
            add_output(body, "p");
        OK(pm_graph_finish(graph));
        ck_assert_int_eq(compare(graph, 1), cases[c].steps);
        prune_graph_free(graph);
    }
}
END_TEST

START_TEST(normalisation_comes_before_the_skip_and_not_after_it)
{
    for (int after = 0; after < 2; after++) {
        prune_graph *graph = begin_graph();
        struct pm_body *body = graph->body;
        add_conv(body, "conv", "x,ws", "p", 1);
        OK(add_node(body, "normal", "BatchNormalization", after ? "s,gamma,bias,mean,one" : "p,gamma,bias,mean,one",
                    "n", NULL));
        OK(add_node(body, "sum", "Add", after ? "p,x" : "n,x", "s", NULL));
        OK(add_node(body, "end", "Relu", after ? "n" : "s", "y", NULL));
        add_output(body, "y");
        OK(pm_graph_finish(graph));
        ck_assert_int_eq(compare(graph, 0), after ? 3 : 1);
        prune_graph_free(graph);
    }
}
END_TEST

START_TEST(new_weights_are_taken_over_and_runs_allocate_nothing)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = begin_graph();
    prune_tensor *x = make_x(), *other;
    const prune_tensor *in = x;
    prune_session *session, *fresh;
    add_conv(graph->body, "conv", "x,ws,bias", "p", 1);
    OK(add_node(graph->body, "sum", "Add", "x,p", "s", NULL));
    add_conv(graph->body, "next", "s,wt", "q", 1);
    add_output(graph->body, "q");
    OK(pm_graph_finish(graph));
    graph->context = context; /* the session's, and back */
    create(&session, graph, x, NULL);
    graph->context = NULL;
    int64_t calls = allocator.calls;
    for (int i = 0; i < 3; i++)
        OK(prune_session_run(session, 1, &in));
    ck_assert_int_eq(allocator.calls, calls);
    OK(prune_tensor_create(&other, NULL, PRUNE_F32, 4, spatial));
    for (int64_t i = 0; i < prune_tensor_count(other); i++)
        ((float *)prune_tensor_data(other))[i] = (float)(i % 7) - 3;
    OK(prune_graph_set_parameter(graph, "ws", other));
    OK(pm_session_renew(session,
                        &graph->body->parameters[graph->body->values[pm_body_find(graph->body, "ws")].parameter]));
    create(&fresh, graph, x, NULL);
    OK(prune_session_run(session, 1, &in));
    OK(prune_session_run(fresh, 1, &in));
    ck_assert_mem_eq(prune_tensor_const_data(prune_session_output(session, 0)),
                     prune_tensor_const_data(prune_session_output(fresh, 0)), IMAGE * sizeof(float));
    prune_session_free(session);
    prune_session_free(fresh);
    ck_assert_int_eq(allocator.live, 0);
    prune_tensor_free(other);
    prune_tensor_free(x);
    prune_graph_free(graph);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("residual", a_skip_joins_the_convolution, pruned_weights_take_a_skip_too,
          an_addition_joins_the_later_of_two_convolutions, what_cannot_join_stays,
          normalisation_comes_before_the_skip_and_not_after_it, new_weights_are_taken_over_and_runs_allocate_nothing)
