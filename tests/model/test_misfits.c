/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models whose nodes do not fit their tensors: wrong ranks, dtypes, counts, shapes that are negative or overflow. No
 * session is made, and the sentence names node, operator and numbers.
 */
#include "../unit/allocator.h"
#include "operator_inputs.h"

#include "prune/session.h"

#define HUGE ((int64_t)1 << 40)

/* x, z: f32 [2,3,4]; flat: [24]; words: i64 [2]; w: [4,5]; kernel: [2,3,3]; i: i64 [2,3]; and lists of numbers. */
static prune_graph *begin(int64_t opset)
{
    static const struct {
        const char *name;
        int64_t count, numbers[3];
    } lists[] = {{"negative", 2, {-3, -2}},
                 {"huge", 2, {HUGE, HUGE}},
                 {"large", 1, {HUGE}},
                 {"half", 2, {INT64_MAX / 2, 2}},
                 {"axis9", 1, {9}},
                 {"twice", 2, {1, 1}},
                 {"five", 2, {5, 5}},
                 {"outside", 2, {0, 7}},
                 {"zero", 1, {0}},
                 {"far", 3, {0, 0, INT64_MAX}},
                 {"before", 3, {0, 0, INT64_MIN}},
                 {"two_free", 2, {-1, -1}},
                 {"parts", 2, {1, 3}},
                 {"less", 2, {-1, 4}}};
    static float numbers[24];
    static const int64_t whole[6] = {0};
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, opset));
    add_input(graph->body, "x", PRUNE_F32, SHAPE(2, 3, 4));
    add_parameter(graph->body, "z", PRUNE_F32, SHAPE(2, 3, 4), numbers);
    add_parameter(graph->body, "flat", PRUNE_F32, SHAPE(24), numbers);
    add_parameter(graph->body, "w", PRUNE_F32, SHAPE(4, 5), numbers);
    add_parameter(graph->body, "kernel", PRUNE_F32, SHAPE(2, 3, 3), numbers);
    add_parameter(graph->body, "i", PRUNE_I64, SHAPE(2, 3), whole);
    add_parameter(graph->body, "three", PRUNE_F32, SHAPE(3), numbers);
    add_parameter(graph->body, "gates", PRUNE_F32, SHAPE(1, 4, 4), numbers);
    for (int k = 0; k < COUNT_OF(lists); k++)
        add_parameter(graph->body, lists[k].name, PRUNE_I64, 1, &lists[k].count, lists[k].numbers);
    return graph;
}

static void refused(prune_graph *graph, int32_t status, const char *op, const char *word)
{
    static const char *const name[] = {"x"};
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_session *session = UNTOUCHED;
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3, 4), 1, 0);
    char node[64];
    add_output(graph->body, "y");
    OK(pm_graph_finish(graph));
    graph->context = context;
    FAILS(prune_session_create(&session, graph, 1, name, (const prune_tensor *const[]){x}, NULL, NULL), status, word);
    graph->context = NULL;
    snprintf(node, sizeof node, "node \"odd one\" (%s)", op);
    ck_assert_msg(strstr(prune_error(), node) != NULL, "no %s in: %s", node, prune_error());
    ck_assert_ptr_eq(session, UNTOUCHED);
    ck_assert_int_eq(allocator.live, 0);
    ck_assert_int_lt(allocator.peak, 1 << 20);
    prune_context_free(context);
    prune_tensor_free(x);
    prune_graph_free(graph);
}

#define MISFIT(status, word, opset, op, inputs, ...)                                                                   \
    do {                                                                                                               \
        prune_graph *graph_ = begin(opset);                                                                            \
        OK(add_node(graph_->body, "odd one", op, inputs, "y", __VA_ARGS__));                                           \
        refused(graph_, status, op, word);                                                                             \
    } while (0)
#define INTS(...)                                                                                                      \
    PM_INTS, COUNT_OF(((int64_t[]){__VA_ARGS__})), (const int64_t[])                                                   \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

START_TEST(ranks_and_extents)
{
    MISFIT(PRUNE_E_SHAPE, "f32[2,3,4] and B is f32[24]", 13, "MatMul", "x,flat", NULL);
    MISFIT(PRUNE_E_SHAPE, "A is f32[2,3,4]", 13, "Gemm", "x,w", NULL);
    MISFIT(PRUNE_E_SHAPE, "f32[4,5]", 13, "Conv", "x,w", NULL);
    MISFIT(PRUNE_E_SHAPE, "3", 13, "Conv", "x,kernel", "kernel_shape", INTS(2), NULL);
    MISFIT(PRUNE_E_SHAPE, "[2,3,4]", 13, "Add", "x,w", NULL);
    MISFIT(PRUNE_E_SHAPE, "f32[2,3,4] and input 1 f32[4,5]", 13, "Concat", "x,w", "axis", PM_INT, 0, NULL);
    MISFIT(PRUNE_E_SHAPE, "9", 13, "Concat", "x,z", "axis", PM_INT, 9, NULL);
    MISFIT(PRUNE_E_SHAPE, "f32[4,5]", 15, "BatchNormalization", "x,three,three,w,three", NULL);
    MISFIT(PRUNE_E_SHAPE, "24", 17, "LayerNormalization", "x,flat", NULL);
    MISFIT(PRUNE_E_SHAPE, "perm", 13, "Transpose", "x", "perm", INTS(0, 1), NULL);
    MISFIT(PRUNE_E_SHAPE, "perm", 13, "Transpose", "x", "perm", INTS(0, 1, 1), NULL);
    MISFIT(PRUNE_E_SHAPE, "axis 9", 13, "Squeeze", "x,axis9", NULL);
    MISFIT(PRUNE_E_SHAPE, "2", 13, "Squeeze", "x,zero", NULL);
    MISFIT(PRUNE_E_SHAPE, "1", 13, "Unsqueeze", "x,twice", NULL);
    MISFIT(PRUNE_E_SHAPE, "axis 1", 18, "ReduceMean", "x,twice", NULL);
    MISFIT(PRUNE_E_SHAPE, "axis 9", 18, "ReduceSum", "x,axis9", NULL);
    MISFIT(PRUNE_E_SHAPE, "9", 13, "Softmax", "x", "axis", PM_INT, 9, NULL);
    MISFIT(PRUNE_E_SHAPE, "split has 2 parts for 1 outputs", 13, "Split", "x,parts", "axis", PM_INT, 1, NULL);
    MISFIT(PRUNE_E_SHAPE, "[5,5]", 13, "Expand", "x,five", NULL);
    MISFIT(PRUNE_E_SHAPE, "f32[1,4,4]", 14, "LSTM", "x,gates,gates", "hidden_size", PM_INT, 2, NULL);
    MISFIT(PRUNE_E_SHAPE, "kernel_shape has 2", 13, "MaxPool", "x", "kernel_shape", INTS(2, 2), NULL);
    MISFIT(PRUNE_E_SHAPE, "kernel_shape is 0", 13, "MaxPool", "x", "kernel_shape", INTS(0), NULL);
    MISFIT(PRUNE_E_SHAPE, "strides is -1", 13, "AveragePool", "x", "kernel_shape", INTS(2), "strides", INTS(-1), NULL);
    MISFIT(PRUNE_E_SHAPE, "group is -1", 13, "Conv", "x,kernel", "group", PM_INT, -1, NULL);
}
END_TEST

START_TEST(dtypes)
{
    MISFIT(PRUNE_E_DTYPE, "i64", 13, "Add", "x,i", NULL);
    MISFIT(PRUNE_E_UNSUPPORTED, "input 1 is i64", 13, "MatMul", "x,i", NULL);
    MISFIT(PRUNE_E_UNSUPPORTED, "input 1 is i64", 13, "Gemm", "x,i", NULL);
    MISFIT(PRUNE_E_UNSUPPORTED, "input 1 is i64", 13, "Conv", "x,i", NULL);
    MISFIT(PRUNE_E_DTYPE, "i64", 13, "Sigmoid", "i", NULL);
    MISFIT(PRUNE_E_DTYPE, "f32", 13, "Gather", "x,z", NULL);
    MISFIT(PRUNE_E_DTYPE, "f32", 13, "Reshape", "x,three", NULL);
    MISFIT(PRUNE_E_DTYPE, "f32", 16, "Where", "x,x,x", NULL);
    MISFIT(PRUNE_E_DTYPE, "f32", 13, "Not", "x", NULL);
    MISFIT(PRUNE_E_DTYPE, "f32", 13, "DequantizeLinear", "x,three", NULL);
    MISFIT(PRUNE_E_DTYPE, "f32", 13, "QuantizeLinear", "x,three,three", "axis", PM_INT, 1, NULL);
    MISFIT(PRUNE_E_DTYPE, "f32", 13, "If", "x", NULL);
}
END_TEST

START_TEST(shapes_that_are_negative_or_overflow)
{
    MISFIT(PRUNE_E_SHAPE, "extent 0 is -3", 13, "Reshape", "x,negative", NULL);
    MISFIT(PRUNE_E_SHAPE, "extents 0 and 1 are -1", 13, "Reshape", "x,two_free", NULL);
    MISFIT(PRUNE_E_SHAPE, "24", 13, "Reshape", "x,five", NULL);
    MISFIT(PRUNE_E_OVERFLOW, "63 bits", 13, "Reshape", "x,huge", NULL);
    MISFIT(PRUNE_E_SHAPE, "-3", 13, "ConstantOfShape", "negative", NULL);
    MISFIT(PRUNE_E_OVERFLOW, "63 bits", 13, "ConstantOfShape", "huge", NULL);
    MISFIT(PRUNE_E_OVERFLOW, "63 bits", 13, "ConstantOfShape", "half", NULL);
    MISFIT(PRUNE_E_SHAPE, "-3", 13, "Expand", "zero,negative", NULL);
    MISFIT(PRUNE_E_OVERFLOW, "63 bits", 13, "Expand", "zero,huge", NULL);
    MISFIT(PRUNE_E_SHAPE, "pads", 18, "Pad", "x,large", NULL);
    MISFIT(PRUNE_E_SHAPE, "1099511627776", 18, "Pad", "x,huge,,zero", NULL);
    MISFIT(PRUNE_E_SHAPE, "-3", 18, "Pad", "x,negative,,zero", NULL);
    MISFIT(PRUNE_E_SHAPE, "pads", 13, "Conv", "x,kernel", "pads", INTS(INT64_MAX, INT64_MAX), NULL);
    MISFIT(PRUNE_E_SHAPE, "dilations", 13, "Conv", "x,kernel", "dilations", INTS(INT64_MIN), NULL);
    MISFIT(PRUNE_E_OVERFLOW, "63 bits", 13, "MaxPool", "x", "kernel_shape", INTS(INT64_MAX), "dilations",
           INTS(INT64_MAX), NULL);
    MISFIT(PRUNE_E_OVERFLOW, "63 bits", 13, "AveragePool", "x", "kernel_shape", INTS(2), "pads",
           INTS(INT64_MAX, INT64_MAX), NULL);
    MISFIT(PRUNE_E_SHAPE, "axis", 13, "Flatten", "x", "axis", PM_INT, -9, NULL);
    MISFIT(PRUNE_E_SHAPE, "axis", 13, "Gather", "x,i", "axis", PM_INT, 3, NULL);
    MISFIT(PRUNE_E_SHAPE, "step", 13, "Slice", "x,zero,large,zero,zero", NULL);
}
END_TEST

START_TEST(indices_and_inputs_that_are_not_there)
{
    MISFIT(PRUNE_E_VALUE, "7", 13, "Gather", "w,outside", NULL);
    MISFIT(PRUNE_E_FORMAT, "inputs", 13, "MatMul", "x", NULL);
    MISFIT(PRUNE_E_FORMAT, "inputs", 13, "Add", "x,z,x", NULL);
    MISFIT(PRUNE_E_FORMAT, "input", 13, "Gemm", "x,", NULL);
    MISFIT(PRUNE_E_FORMAT, "", 13, "Concat", "", "axis", PM_INT, 0, NULL);
    MISFIT(PRUNE_E_FORMAT, "kernel_shape", 13, "MaxPool", "x", NULL);
    MISFIT(PRUNE_E_UNSUPPORTED, "computed", 13, "Reshape", "x,x", NULL);
}
END_TEST

START_TEST(attributes_of_another_kind)
{
    static const float halves[] = {0.5f, 2};
    MISFIT(PRUNE_E_FORMAT, "\"strides\" is a list of reals; it must be a list of whole numbers", 13, "Conv", "x,kernel",
           "strides", PM_FLOATS, 2, halves, NULL);
    MISFIT(PRUNE_E_FORMAT, "\"axis\" is a real number; it must be a whole number", 13, "Softmax", "x", "axis", PM_FLOAT,
           1.0, NULL);
    MISFIT(PRUNE_E_FORMAT, "\"alpha\" is a whole number; it must be a real number", 16, "LeakyRelu", "x", "alpha",
           PM_INT, 1, NULL);
    MISFIT(PRUNE_E_FORMAT, "\"axes\" is a whole number; it must be a list", 11, "ReduceSum", "x", "axes", PM_INT, 1,
           NULL);
    MISFIT(PRUNE_E_FORMAT, "\"mode\" is a whole number; it must be a text", 13, "Pad", "x,zero", "mode", PM_INT, 1,
           NULL);
}
END_TEST

/* Parts of two outputs: too many elements, and fewer than none. */
START_TEST(parts_that_do_not_add_up)
{
    for (int k = 0; k < 2; k++) {
        prune_graph *graph = begin(13);
        OK(add_node(graph->body, "odd one", "Split", k ? "x,less" : "x,parts", "y,rest", "axis", PM_INT, 1, NULL));
        refused(graph, PRUNE_E_SHAPE, "Split", k ? "part 0 is -1" : "the parts are 4 elements, axis 1 has 3");
    }
}
END_TEST

TEST_MAIN("misfits", ranks_and_extents, dtypes, shapes_that_are_negative_or_overflow,
          indices_and_inputs_that_are_not_there, attributes_of_another_kind, parts_that_do_not_add_up)
