/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The cost of whole models: what each kind of node counts, measured input densities, what is refused.
 */
#include "allocator.h"
#include "prune/model.h"

static float numbers[4096];

static void fill_numbers(void)
{
    for (int i = 0; i < 4096; i++)
        numbers[i] = (float)(i % 5 - 2); /* one of five is 0 */
}

static int32_t parameter(prune_graph *graph, const char *name, int32_t rank, const int64_t *shape)
{
    prune_tensor *tensor = NULL;
    int32_t status = prune_tensor_borrow(&tensor, NULL, numbers, PRUNE_F32, rank, shape, NULL);
    if (!status)
        status = prune_graph_add_parameter(graph, name, tensor);
    prune_tensor_free(tensor);
    return status;
}

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})

static void node(prune_graph *graph, const char *op, int32_t count, const char *const *inputs, const char *out)
{
    OK(prune_graph_add_node(graph, out, op, count, inputs, 1, &out));
}

static double get(const prune_cost *cost, int32_t quantity, int32_t layer)
{
    double value = -1;
    OK(prune_cost_get(cost, quantity, layer, &value));
    return value;
}

static prune_cost *cost_of(const prune_graph *graph, const char *name, const prune_tensor *input, int measure)
{
    prune_cost *cost;
    OK(prune_cost_create(&cost, NULL));
    OK(prune_cost_add_graph(cost, graph, 1, NAMES(name), (const prune_tensor *const[]){input}, NULL, measure));
    return cost;
}

/* How many of the first `count` numbers of an output are not 0 when the model runs. */
static int nonzeros_of(const prune_graph *graph, const prune_tensor *x, int32_t output, int count)
{
    prune_session *session;
    int nonzeros = 0;
    OK(prune_session_create(&session, graph, 1, NAMES("x"), &x, NULL, "fuse=no"));
    OK(prune_session_run(session, 1, &x));
    const float *y = prune_tensor_const_data(prune_session_output(session, output));
    for (int i = 0; i < count; i++)
        nonzeros += y[i] != 0;
    prune_session_free(session);
    return nonzeros;
}

static const struct {
    const char *name;
    double numbers[6]; /* weights, parameters, non-zeros, MACs, MACs with weights, element operations */
} expected[] = {
    {"conv", {60, 60, 48, 60 * 2 * 16, 48 * 2 * 16, 0}}, /* 6 x 2/1 x 5 taps; two samples of 4 x 4 outputs */
    {"norm", {0, 12, 0, 0, 0, 2 * 6 * 16}},
    {"mean", {0, 0, 0, 0, 0, 2 * 6}},
    {"fc", {24, 28, 19, 24 * 2, 19 * 2, 0}},
    {"again", {0, 0, 0, 24 * 2, 19 * 2, 0}}, /* the same weights */
    {"pairs", {0, 0, 0, 2 * 4 * 2, 2 * 4 * 2, 0}},
};

/* x [2, 2, 4, 8]; a kernel of 1 x 5 with stride 1 and 2 columns left over by pads: 4 x 4. */
static prune_graph *build(void)
{
    prune_graph *graph;
    fill_numbers();
    OK(prune_graph_create(&graph, NULL, 13));
    OK(prune_graph_add_input(graph, "x", PRUNE_F32, 4, SHAPE(-1, 2, 4, 8)));
    OK(parameter(graph, "w", 4, SHAPE(6, 2, 1, 5)));
    node(graph, "Conv", 2, NAMES("x", "w"), "conv");
    OK(parameter(graph, "six", 1, SHAPE(6)));
    OK(parameter(graph, "shift", 1, SHAPE(6)));
    OK(parameter(graph, "mean6", 1, SHAPE(6)));
    OK(parameter(graph, "variance", 1, SHAPE(6)));
    node(graph, "BatchNormalization", 5, NAMES("conv", "six", "shift", "mean6", "six"), "norm");
    node(graph, "Relu", 1, NAMES("norm"), "relu");
    node(graph, "GlobalAveragePool", 1, NAMES("relu"), "mean");
    node(graph, "Flatten", 1, NAMES("mean"), "flat");
    OK(parameter(graph, "v", 2, SHAPE(6, 4)));
    OK(parameter(graph, "bias", 1, SHAPE(4)));
    node(graph, "Gemm", 3, NAMES("flat", "v", "bias"), "fc");
    node(graph, "MatMul", 2, NAMES("flat", "v"), "again");
    node(graph, "Transpose", 1, NAMES("again"), "turned");    /* [4, 2] */
    node(graph, "MatMul", 2, NAMES("fc", "turned"), "pairs"); /* [2, 4] x [4, 2] */
    OK(prune_graph_add_output(graph, "pairs", PRUNE_F32, 2, SHAPE(-1, -1)));
    OK(prune_graph_add_output(graph, "flat", PRUNE_F32, 2, SHAPE(-1, 6)));
    return graph;
}

START_TEST(each_kind_of_node_by_hand)
{
    const int32_t quantities[] = {PRUNE_COST_WEIGHTS, PRUNE_COST_PARAMETERS,   PRUNE_COST_NONZEROS,
                                  PRUNE_COST_MACS,    PRUNE_COST_MACS_WEIGHTS, PRUNE_COST_ELEMENT_OPS};
    prune_graph *graph = build();
    prune_tensor *x = NULL;
    double bytes = 0;
    OK(prune_tensor_borrow(&x, NULL, numbers, PRUNE_F32, 4, SHAPE(2, 2, 4, 8), NULL));
    prune_cost *cost = cost_of(graph, "x", x, 0);
    ck_assert_int_eq(prune_cost_count(cost), 6);
    for (int32_t i = 0; i < 6; i++) {
        ck_assert_str_eq(prune_cost_name(cost, i), expected[i].name);
        for (int32_t j = 0; j < 6; j++)
            ck_assert_msg(get(cost, quantities[j], i) == expected[i].numbers[j], "%s: quantity %d is %.1f, not %.1f",
                          expected[i].name, (int)quantities[j], get(cost, quantities[j], i), expected[i].numbers[j]);
        ck_assert(get(cost, PRUNE_COST_MACS_BOTH, i) == get(cost, PRUNE_COST_MACS_WEIGHTS, i));
    }
    ck_assert(get(cost, PRUNE_COST_ACTIVATIONS, 0) == 2 * 2 * 4 * 8 + 2 * 6 * 16);
    ck_assert(get(cost, PRUNE_COST_ACTIVATIONS, 1) == 0);
    ck_assert(get(cost, PRUNE_COST_ACTIVATIONS, 5) == 8 + 8 + 4);
    OK(prune_cost_bytes(cost, "csr", -1, &bytes));
    ck_assert(bytes == 8 * (48 + 19) + 4 * (6 + 1) + 4 * (4 + 1));
    /* The same with pruned weights: the mask says what is left. */
    prune_mask *mask = NULL;
    uint8_t kept[60] = {1, 1, 0, 1};
    OK(prune_mask_from_bytes(&mask, NULL, 4, SHAPE(6, 2, 1, 5), kept, 60));
    OK(prune_graph_set_mask(graph, "w", mask));
    prune_mask_free(mask);
    prune_cost *pruned = cost_of(graph, "x", x, 0);
    ck_assert(get(pruned, PRUNE_COST_NONZEROS, 0) == 3);
    ck_assert(get(pruned, PRUNE_COST_MACS_WEIGHTS, 0) == 3 * 2 * 16);
    ck_assert(get(pruned, PRUNE_COST_MACS, 0) == get(cost, PRUNE_COST_MACS, 0));
    prune_cost_free(pruned), prune_cost_free(cost);
    prune_tensor_free(x), prune_graph_free(graph);
}
END_TEST

START_TEST(measured_input_densities)
{
    prune_graph *graph = build();
    prune_tensor *x = NULL;
    OK(prune_tensor_borrow(&x, NULL, numbers, PRUNE_F32, 4, SHAPE(2, 2, 4, 8), NULL));
    prune_cost *cost = cost_of(graph, "x", x, 1);
    /* 128 numbers: numbers 2, 7, ..., 127 are 0. */
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_MACS_ACTIVATIONS, 0), 60 * 2 * 16 * 102 / 128.0, 1e-9);
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_MACS_BOTH, 0), 48 * 2 * 16 * 102 / 128.0, 1e-9);
    double density = nonzeros_of(graph, x, 1, 12) / 12.0; /* of "flat" */
    ck_assert(density > 0 && density < 1);
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_MACS_ACTIVATIONS, 3), 24 * 2 * density, 1e-9);
    ck_assert(get(cost, PRUNE_COST_MACS_ACTIVATIONS, 4) == get(cost, PRUNE_COST_MACS_ACTIVATIONS, 3));
    prune_cost_free(cost), prune_tensor_free(x), prune_graph_free(graph);
}
END_TEST

START_TEST(a_recurrent_node_has_two_layers)
{
    prune_graph *graph;
    prune_tensor *x = NULL;
    fill_numbers();
    OK(prune_graph_create(&graph, NULL, 14));
    OK(prune_graph_add_input(graph, "x", PRUNE_F32, 3, SHAPE(7, 2, 3)));
    OK(parameter(graph, "w", 3, SHAPE(1, 20, 3)));
    OK(parameter(graph, "r", 3, SHAPE(1, 20, 5)));
    OK(parameter(graph, "b", 2, SHAPE(1, 40)));
    node(graph, "LSTM", 4, NAMES("x", "w", "r", "b"), "y");
    OK(prune_graph_set_int(graph, "y", "hidden_size", 5));
    OK(prune_graph_add_output(graph, "y", PRUNE_F32, -1, NULL));
    OK(prune_tensor_borrow(&x, NULL, numbers, PRUNE_F32, 3, SHAPE(7, 2, 3), NULL));
    prune_cost *cost = cost_of(graph, "x", x, 1);
    ck_assert_int_eq(prune_cost_count(cost), 2);
    ck_assert_str_eq(prune_cost_name(cost, 1), "y/2");
    ck_assert(get(cost, PRUNE_COST_PARAMETERS, 0) == 60 + 40 && get(cost, PRUNE_COST_PARAMETERS, 1) == 100);
    ck_assert(get(cost, PRUNE_COST_MACS, 0) == 14 * 60 && get(cost, PRUNE_COST_MACS, 1) == 14 * 100);
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_MACS_ACTIVATIONS, 0), 14 * 60 * 34 / 42.0, 1e-9);
    /* The state before the first step is 0; the last one is not multiplied any more. */
    ck_assert_double_eq_tol(get(cost, PRUNE_COST_MACS_ACTIVATIONS, 1), 14 * 100 * nonzeros_of(graph, x, 0, 60) / 70.0,
                            1e-9);
    prune_cost_free(cost), prune_tensor_free(x), prune_graph_free(graph);
}
END_TEST

START_TEST(what_is_refused_changes_nothing)
{
    prune_graph *graph = build();
    prune_tensor *x = NULL;
    OK(prune_tensor_borrow(&x, NULL, numbers, PRUNE_F32, 4, SHAPE(2, 2, 4, 8), NULL));
    prune_cost *cost = cost_of(graph, "x", x, 0);
    const prune_tensor *const inputs[] = {x};
    FAILS(prune_cost_add_graph(NULL, graph, 1, NAMES("x"), inputs, NULL, 0), PRUNE_E_ARGUMENT, "cost");
    FAILS(prune_cost_add_graph(cost, NULL, 1, NAMES("x"), inputs, NULL, 0), PRUNE_E_ARGUMENT, "graph");
    FAILS(prune_cost_add_graph(cost, graph, 1, NAMES("z"), inputs, NULL, 0), PRUNE_E_ARGUMENT, "\"z\"");
    FAILS(prune_cost_add_graph(cost, graph, 0, NULL, NULL, NULL, 0), PRUNE_E_ARGUMENT, "\"x\"");
    FAILS(prune_cost_set(cost, 6, 1, 1), PRUNE_E_ARGUMENT, "6");
    FAILS(prune_cost_set(cost, -1, 1, 1), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_cost_set(cost, 0, 61, 1), PRUNE_E_ARGUMENT, "60");
    FAILS(prune_cost_set(cost, 0, 6, 1.5), PRUNE_E_ARGUMENT, "\"conv\"");
    FAILS(prune_cost_set(NULL, 0, 6, 1), PRUNE_E_ARGUMENT, "cost");
    ck_assert_int_eq(prune_cost_count(cost), 6);
    ck_assert(get(cost, PRUNE_COST_NONZEROS, 0) == 48);
    OK(prune_cost_set(cost, 0, 6, 0.5));
    ck_assert(get(cost, PRUNE_COST_MACS_BOTH, 0) == 6 * 2 * 16 / 2);
    OK(prune_cost_set(cost, 0, -1, 1));
    ck_assert(get(cost, PRUNE_COST_NONZEROS, 0) == 60);
    prune_cost_free(cost), prune_tensor_free(x), prune_graph_free(graph);
}
END_TEST

static int32_t count(prune_cost **out, prune_context *context, const prune_graph *graph, int measure)
{
    prune_cost *cost = NULL;
    prune_tensor *x = NULL;
    int32_t status = prune_tensor_borrow(&x, NULL, numbers, PRUNE_F32, 4, SHAPE(2, 2, 4, 8), NULL);
    if (!status)
        status = prune_cost_create(&cost, context);
    if (!status)
        status = prune_cost_add_graph(cost, graph, 1, NAMES("x"), (const prune_tensor *const[]){x}, NULL, measure);
    prune_tensor_free(x);
    if (status)
        prune_cost_free(cost);
    else
        *out = cost;
    return status;
}

START_TEST(memory_that_runs_out_while_counting)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = build();
    prune_cost *cost = NULL;
    for (int measure = 0; measure < 2; measure++) {
        SURVIVES(&allocator, &cost, count(&cost, context, graph, measure));
        ck_assert_int_eq(prune_cost_count(cost), 6);
        prune_cost_free(cost);
    }
    prune_graph_free(graph);
    prune_context_free(context);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

TEST_MAIN("cost of models", each_kind_of_node_by_hand, measured_input_densities, a_recurrent_node_has_two_layers,
          what_is_refused_changes_nothing, memory_that_runs_out_while_counting)
