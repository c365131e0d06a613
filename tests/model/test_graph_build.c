/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models that are built through the public functions: what comes out, what is refused.
 */
#include "allocator.h"
#include "files.h"
#include "prune/model.h"

static const int64_t image[] = {1, 2, 5, 5}, kernel[] = {3, 2, 3, 3}, three[] = {3}, classes[] = {4, 3},
                     any[] = {-1, 4};

static prune_tensor *numbers(int32_t rank, const int64_t *shape, int step)
{
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, rank, shape));
    float *data = prune_tensor_data(tensor);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        data[i] = (float)((i * step) % 11 - 5) / 4;
    return tensor;
}

static int32_t add_numbers(prune_graph *graph, const char *name, int32_t rank, const int64_t *shape, int step)
{
    prune_tensor *tensor = numbers(rank, shape, step);
    int32_t status = prune_graph_add_parameter(graph, name, tensor);
    prune_tensor_free(tensor); /* the graph keeps the numbers */
    return status;
}

static int32_t node(prune_graph *graph, const char *name, const char *op, const char *a, const char *b, const char *c,
                    const char *out)
{
    const char *const inputs[] = {a, b, c};
    return prune_graph_add_node(graph, name, op, c ? 3 : b ? 2 : 1, inputs, 1, &out);
}

/* Conv with stride and pads, LeakyRelu, Clip without a least value, mean, Gemm. */
static int32_t build(prune_graph **out, prune_context *context)
{
    const int64_t pads[] = {1, 0, 1, 2}, strides[] = {2, 1};
    static const float four = 4;
    prune_graph *graph = NULL;
    prune_tensor *most = NULL;
    int32_t status = prune_tensor_borrow(&most, NULL, (void *)(uintptr_t)&four, PRUNE_F32, 0, NULL, NULL);
    if (!status)
        status = prune_graph_create(&graph, context, 13);
    if (!status)
        status = prune_graph_add_input(graph, "x", PRUNE_F32, 4, image) || add_numbers(graph, "w", 4, kernel, 3) ||
                 add_numbers(graph, "b", 1, three, 2) || node(graph, "conv", "Conv", "x", "w", "b", "c") ||
                 prune_graph_set_ints(graph, "conv", "pads", 4, (const int64_t[]){9, 9, 9, 9}) ||
                 prune_graph_set_ints(graph, "conv", "pads", 4, pads) || /* replaces it */
                 prune_graph_set_ints(graph, "conv", "strides", 2, strides) ||
                 node(graph, "leaky", "LeakyRelu", "c", NULL, NULL, "l") ||
                 prune_graph_set_float(graph, "leaky", "alpha", 0.25F) ||
                 prune_graph_add_parameter(graph, "most", most) || node(graph, "clip", "Clip", "l", "", "most", "k") ||
                 node(graph, "mean", "GlobalAveragePool", "k", NULL, NULL, "m") ||
                 node(graph, "flat", "Flatten", "m", NULL, NULL, "f") || add_numbers(graph, "classes", 2, classes, 5) ||
                 node(graph, "gemm", "Gemm", "f", "classes", NULL, "y") ||
                 prune_graph_set_int(graph, "gemm", "transB", 1) ||
                 prune_graph_add_output(graph, "y", PRUNE_F32, 2, any);
    if (status)
        status = PRUNE_E_NOMEM;
    prune_tensor_free(most);
    if (status)
        prune_graph_free(graph);
    else
        *out = graph;
    return status;
}

static void expected(float y[4])
{
    prune_tensor *x = numbers(4, image, 1), *w = numbers(4, kernel, 3), *b = numbers(1, three, 2),
                 *v = numbers(2, classes, 5);
    const float *in = prune_tensor_data(x), *weights = prune_tensor_data(w), *bias = prune_tensor_data(b),
                *last = prune_tensor_data(v);
    double mean[3] = {0};
    for (int o = 0; o < 3; o++) /* 5 + 1 + 1 rows by 2, 5 + 0 + 2 columns by 1: 3 x 5 */
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 5; column++) {
                double sum = (double)bias[o];
                for (int i = 0; i < 18; i++) {
                    int r = 2 * row + i % 9 / 3 - 1, c = column + i % 3;
                    if (r >= 0 && r < 5 && c < 5)
                        sum += (double)weights[o * 18 + i] * (double)in[i / 9 * 25 + r * 5 + c];
                }
                sum = sum < 0 ? sum / 4 : sum;
                mean[o] += (sum > 4 ? 4 : sum) / 15;
            }
    for (int i = 0; i < 4; i++)
        y[i] = (float)(mean[0] * (double)last[3 * i] + mean[1] * (double)last[3 * i + 1] +
                       mean[2] * (double)last[3 * i + 2]);
    prune_tensor_free(x), prune_tensor_free(w), prune_tensor_free(b), prune_tensor_free(v);
}

static void runs_right(const prune_graph *graph)
{
    prune_tensor *x = numbers(4, image, 1);
    const prune_tensor *const inputs[] = {x};
    prune_session *session = NULL;
    float wanted[4];
    expected(wanted);
    OK(prune_session_create(&session, graph, 1, (const char *const[]){"x"}, inputs, NULL, NULL));
    OK(prune_session_run(session, 1, inputs));
    const float *y = prune_tensor_const_data(prune_session_output(session, 0));
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol((double)y[i], (double)wanted[i], 1e-5);
    prune_session_free(session);
    prune_tensor_free(x);
}

START_TEST(a_built_model_runs_is_copied_written_and_read)
{
    prune_graph *graph = NULL, *copy = NULL, *read = NULL;
    OK(build(&graph, NULL));
    ck_assert_int_eq(prune_graph_opset(graph), 13);
    ck_assert_int_eq(prune_graph_input_count(graph), 1);
    ck_assert_int_eq(prune_graph_parameter_count(graph), 4);
    ck_assert_str_eq(prune_graph_parameter_name(graph, 2), "most");
    ck_assert_str_eq(prune_graph_node_name(graph, 5), "gemm");
    runs_right(graph);
    OK(prune_graph_copy(&copy, graph));
    OK(prune_graph_write(graph, scratch("built.onnx"), NULL));
    prune_graph_free(graph);
    runs_right(copy);
    OK(node(copy, "more", "Relu", "y", NULL, NULL, "z")); /* a copy of what was built can be added to */
    OK(prune_graph_add_output(copy, "z", 0, -1, NULL));
    runs_right(copy);
    prune_graph_free(copy);
    OK(prune_graph_read(&read, NULL, scratch("built.onnx"), NULL));
    runs_right(read);
    FAILS(node(read, "more", "Relu", "y", NULL, NULL, "z"), PRUNE_E_UNSUPPORTED, "read from a file");
    FAILS(prune_graph_set_int(read, "gemm", "transB", 0), PRUNE_E_UNSUPPORTED, "read from a file");
    prune_graph_free(read);
}
END_TEST

START_TEST(names_that_have_a_source_and_names_that_have_none)
{
    prune_graph *graph = NULL;
    OK(build(&graph, NULL));
    int32_t nodes = prune_graph_node_count(graph), parameters = prune_graph_parameter_count(graph);
    FAILS(node(graph, "conv", "Relu", "y", NULL, NULL, "z"), PRUNE_E_FORMAT, "\"conv\"");
    FAILS(node(graph, "n", "Relu", "nowhere", NULL, NULL, "z"), PRUNE_E_FORMAT, "\"nowhere\"");
    FAILS(node(graph, "n", "Relu", "z", NULL, NULL, "z"), PRUNE_E_FORMAT, "\"z\"");
    FAILS(node(graph, "n", "Relu", "y", NULL, NULL, "c"), PRUNE_E_FORMAT, "\"c\"");
    FAILS(node(graph, "n", "Relu", "y", NULL, NULL, "w"), PRUNE_E_FORMAT, "\"w\"");
    FAILS(node(graph, "n", "Relu", "y", NULL, NULL, "x"), PRUNE_E_FORMAT, "\"x\"");
    FAILS(prune_graph_add_node(graph, "n", "Split", 1, (const char *const[]){"y"}, 2, (const char *const[]){"z", "z"}),
          PRUNE_E_FORMAT, "\"z\"");
    FAILS(prune_graph_add_node(graph, "n", "Relu", 1, (const char *const[]){"y"}, 0, (const char *const[]){"z"}),
          PRUNE_E_ARGUMENT, "0");
    FAILS(node(graph, "n", "", "y", NULL, NULL, "z"), PRUNE_E_ARGUMENT, "operator");
    FAILS(node(graph, "", "Relu", "y", NULL, NULL, "z"), PRUNE_E_ARGUMENT, "node");
    FAILS(add_numbers(graph, "x", 1, three, 1), PRUNE_E_FORMAT, "\"x\"");
    FAILS(add_numbers(graph, "y", 1, three, 1), PRUNE_E_FORMAT, "\"y\"");
    FAILS(add_numbers(graph, "", 1, three, 1), PRUNE_E_ARGUMENT, "parameter");
    FAILS(prune_graph_add_input(graph, "w", PRUNE_F32, 1, three), PRUNE_E_FORMAT, "\"w\"");
    FAILS(prune_graph_add_input(graph, "x", PRUNE_F32, 1, three), PRUNE_E_FORMAT, "\"x\"");
    FAILS(prune_graph_add_input(graph, "", PRUNE_F32, 1, three), PRUNE_E_ARGUMENT, "input");
    FAILS(prune_graph_add_output(graph, "nowhere", 0, -1, NULL), PRUNE_E_FORMAT, "\"nowhere\"");
    FAILS(prune_graph_add_output(graph, "y", 0, -1, NULL), PRUNE_E_FORMAT, "\"y\"");
    ck_assert_int_eq(prune_graph_node_count(graph), nodes);
    ck_assert_int_eq(prune_graph_parameter_count(graph), parameters);
    ck_assert_int_eq(prune_graph_input_count(graph), 1);
    OK(node(graph, "n", "Relu", "y", NULL, NULL, "z")); /* what failed left no name behind */
    runs_right(graph);
    prune_graph_free(graph);
}
END_TEST

START_TEST(types_and_attributes_that_are_none)
{
    const int64_t wrong[] = {3, -2};
    prune_graph *graph = UNTOUCHED;
    FAILS(prune_graph_create(&graph, NULL, 8), PRUNE_E_ARGUMENT, "8");
    FAILS(prune_graph_create(&graph, NULL, 22), PRUNE_E_ARGUMENT, "21");
    FAILS(prune_graph_create(NULL, NULL, 13), PRUNE_E_ARGUMENT, "out");
    ck_assert_ptr_eq(graph, UNTOUCHED);
    OK(build(&graph, NULL));
    FAILS(prune_graph_add_input(graph, "u", 99, 1, three), PRUNE_E_DTYPE, "99");
    FAILS(prune_graph_add_input(graph, "u", PRUNE_F32, 9, three), PRUNE_E_SHAPE, "9");
    FAILS(prune_graph_add_input(graph, "u", PRUNE_F32, 2, wrong), PRUNE_E_SHAPE, "-2");
    FAILS(prune_graph_add_input(graph, "u", PRUNE_F32, 1, NULL), PRUNE_E_ARGUMENT, "shape");
    FAILS(prune_graph_add_output(graph, "y", PRUNE_F32, -2, NULL), PRUNE_E_SHAPE, "-2");
    FAILS(prune_graph_set_int(graph, "nobody", "axis", 1), PRUNE_E_ARGUMENT, "\"nobody\"");
    FAILS(prune_graph_set_int(graph, "conv", "", 1), PRUNE_E_ARGUMENT, "attribute");
    FAILS(prune_graph_set_ints(graph, "conv", "pads", -1, NULL), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_graph_set_ints(graph, "conv", "pads", 1, NULL), PRUNE_E_ARGUMENT, "values");
    FAILS(prune_graph_set_text(graph, "conv", "auto_pad", NULL), PRUNE_E_ARGUMENT, "text");
    FAILS(prune_graph_add_node(NULL, "n", "Relu", 0, NULL, 0, NULL), PRUNE_E_ARGUMENT, "graph");
    runs_right(graph);
    OK(prune_graph_set_text(graph, "conv", "auto_pad", "SIDEWAYS"));
    prune_tensor *x = numbers(4, image, 1);
    prune_session *session = UNTOUCHED;
    FAILS(prune_session_create(&session, graph, 1, (const char *const[]){"x"}, (const prune_tensor *const[]){x}, NULL,
                               NULL),
          PRUNE_E_FORMAT, "SIDEWAYS");
    prune_tensor_free(x);
    prune_graph_free(graph);
}
END_TEST

START_TEST(many_parameters_and_masks_of_the_first)
{
    prune_graph *graph = NULL;
    prune_mask *mask = NULL;
    char name[20];
    OK(prune_graph_create(&graph, NULL, 21));
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "p%d", i);
        OK(add_numbers(graph, name, 1, three, i));
        if (i == 0) {
            OK(prune_mask_from_nonzero(&mask, prune_graph_parameter(graph, "p0")));
            OK(prune_graph_set_mask(graph, "p0", mask));
        }
    }
    ck_assert_int_eq(prune_graph_parameter_count(graph), 100);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "p%d", i);
        ck_assert_str_eq(prune_graph_parameter_name(graph, i), name);
        ck_assert_ptr_nonnull(prune_graph_parameter(graph, name));
        ck_assert_int_eq(prune_graph_mask(graph, name) != NULL, i == 0);
    }
    prune_mask_free(mask);
    prune_graph_free(graph);
}
END_TEST

START_TEST(memory_that_runs_out_while_building)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_graph *graph = NULL;
    SURVIVES(&allocator, &graph, build(&graph, context));
    runs_right(graph);
    prune_graph_free(graph);
    prune_context_free(context);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

TEST_MAIN("graph build", a_built_model_runs_is_copied_written_and_read,
          names_that_have_a_source_and_names_that_have_none, types_and_attributes_that_are_none,
          many_parameters_and_masks_of_the_first, memory_that_runs_out_while_building)
