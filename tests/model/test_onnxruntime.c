/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is written is what others run: models of every opset and kind of layer, and the trained networks, are pruned,
 * written dense and sparse, checked by ONNX's checker and run in onnxruntime, whose outputs must be ours.
 */
#include "data.h"
#include "onnxruntime.h"
#include "operator_inputs.h"

static const char *const x_alone[] = {"x"};

static prune_graph *begin(int64_t opset, int32_t rank, const int64_t *shape)
{
    prune_graph *graph;
    OK(pm_graph_create(&graph, NULL, opset));
    add_input(graph->body, "x", PRUNE_F32, rank, shape);
    return graph;
}

/* The outputs of a model have a type in its file, with free extents. */
static void output_as(prune_graph *graph, const char *name, int32_t dtype, int32_t rank)
{
    add_output(graph->body, name);
    graph->body->values[pm_body_find(graph->body, name)].type =
        (struct pm_type){.dtype = dtype, .rank = rank, .extents = {-1, -1, -1, -1}};
}

static void weights(struct pm_body *body, const char *name, int32_t rank, const int64_t *shape)
{
    static uint64_t seed = 1;
    prune_tensor *numbers = random_of(PRUNE_F32, rank, shape, seed++, 0);
    float *values = prune_tensor_data(numbers);
    for (int64_t i = 0; i < prune_tensor_count(numbers); i++)
        values[i] /= 8;
    add_parameter(body, name, PRUNE_F32, rank, shape, values);
    prune_tensor_free(numbers);
}

static void list(struct pm_body *body, const char *name, int64_t count, const int64_t *numbers)
{
    add_parameter(body, name, PRUNE_I64, 1, &count, numbers);
}

/* Finishes the graph and compares its three forms on one input. */
static void add_graph(struct comparison *all, const char *name, prune_graph *graph, int32_t rank, const int64_t *shape)
{
    prune_tensor *x = random_of(PRUNE_F32, rank, shape, 77, 0);
    OK(pm_graph_finish(graph));
    add_forms(all, name, graph, 1, x_alone, (const prune_tensor *const[]){x});
    prune_tensor_free(x);
    prune_graph_free(graph);
}

/* The forms that operators have in an opset: axes, bounds, pads and parts as attributes or as inputs. */
static void add_opset(struct comparison *all, int64_t opset)
{
    prune_graph *graph = begin(opset, SHAPE(2, 3, 9, 8));
    struct pm_body *body = graph->body;
    const int64_t *const two = (const int64_t[]){2, 3}, *const pads = (const int64_t[]){0, 0, 1, 0, 0, 0, 0, 2};
    float six = 6, none = 0, real = 0.25f;
    weights(body, "w", SHAPE(8, 3, 3, 3));
    weights(body, "b", SHAPE(8));
    weights(body, "mean", SHAPE(8));
    weights(body, "scale", SHAPE(8));
    add_parameter(body, "variance", PRUNE_F32, SHAPE(8), (const float[]){1, 2, 3, 4, 5, 6, 7, 8});
    weights(body, "fc", SHAPE(8, 5));
    weights(body, "bias", SHAPE(5));
    list(body, "axes", 2, two);
    list(body, "pads", 8, pads);
    list(body, "halves", 2, (const int64_t[]){4, 4});
    list(body, "whole", 2, (const int64_t[]){0, -1});
    list(body, "first", 1, (const int64_t[]){0});
    add_parameter(body, "none", PRUNE_F32, 0, NULL, &none);
    add_parameter(body, "six", PRUNE_F32, 0, NULL, &six);
    add_parameter(body, "quarter", PRUNE_F32, 0, NULL, &real);
    if (opset < 11)
        OK(add_node(body, "pad", "Pad", "x", "padded", "pads", PM_INTS, 8, pads, "value", PM_FLOAT, 0.25, NULL));
    else
        OK(add_node(body, "pad", "Pad", "x,pads,quarter", "padded", NULL));
    OK(add_node(body, "conv", "Conv", "padded,w,b", "c", "strides", PM_INTS, 2, (const int64_t[]){2, 1}, NULL));
    OK(add_node(body, "norm", "BatchNormalization", "c,scale,b,mean,variance", "n", NULL));
    if (opset < 11)
        OK(add_node(body, "clip", "Clip", "n", "r", "min", PM_FLOAT, 0.0, "max", PM_FLOAT, 6.0, NULL));
    else
        OK(add_node(body, "clip", "Clip", "n,none,six", "r", NULL));
    OK(add_node(body, "pool", "MaxPool", "r", "m", "kernel_shape", PM_INTS, 2, (const int64_t[]){2, 2}, NULL));
    if (opset < 18)
        OK(add_node(body, "mean", "ReduceMean", "m", "g", "axes", PM_INTS, 2, two, NULL));
    else
        OK(add_node(body, "mean", "ReduceMean", "m,axes", "g", NULL));
    if (opset < 13) {
        OK(add_node(body, "squeeze", "Squeeze", "g", "s", "axes", PM_INTS, 2, two, NULL));
        OK(add_node(body, "split", "Split", "s", "s1,s2", "axis", PM_INT, 1, "split", PM_INTS, 2,
                    (const int64_t[]){4, 4}, NULL));
        OK(add_node(body, "sum", "ReduceSum", "m", "total", "axes", PM_INTS, 2, two, "keepdims", PM_INT, 0, NULL));
    } else {
        OK(add_node(body, "squeeze", "Squeeze", "g,axes", "s", NULL));
        if (opset < 18)
            OK(add_node(body, "split", "Split", "s,halves", "s1,s2", "axis", PM_INT, 1, NULL));
        else
            OK(add_node(body, "split", "Split", "s", "s1,s2", "axis", PM_INT, 1, "num_outputs", PM_INT, 2, NULL));
        OK(add_node(body, "sum", "ReduceSum", "m,axes", "total", "keepdims", PM_INT, 0, NULL));
    }
    OK(add_node(body, "swapped", "Concat", "s2,s1", "both", "axis", PM_INT, -1, NULL));
    OK(add_node(body, "fc", "Gemm", "both,fc,bias", "logits", NULL));
    OK(add_node(body, "softmax", "Softmax", "logits", "y", "axis", PM_INT, 1, NULL));
    OK(add_node(body, "flat", "Reshape", "total,whole", "flat", NULL));
    OK(add_node(body, "shape", "Shape", "flat", "extents", NULL));
    OK(add_node(body, "batch", "Gather", "extents,first", "z", NULL));
    output_as(graph, "y", PRUNE_F32, 2);
    output_as(graph, "flat", PRUNE_F32, 2);
    output_as(graph, "z", PRUNE_I64, 1);
    add_graph(all, "opset", graph, SHAPE(2, 3, 9, 8));
}

START_TEST(tiny_models_of_opsets_9_to_21)
{
    struct comparison all;
    begin_comparison(&all);
    for (int64_t opset = 9; opset <= 21; opset++)
        add_opset(&all, opset);
    end_comparison(&all, "opsets 9 to 21");
}
END_TEST

static void add_convolutions(struct comparison *all)
{
    const int64_t *const two = (const int64_t[]){2, 2}, *const around = (const int64_t[]){1, 1, 1, 1};
    prune_graph *graph = begin(13, SHAPE(2, 8, 9, 10));
    weights(graph->body, "w", SHAPE(8, 1, 3, 3));
    weights(graph->body, "v", SHAPE(6, 8, 1, 1));
    OK(add_node(graph->body, "depthwise", "Conv", "x,w", "h", "group", PM_INT, 8, "pads", PM_INTS, 4, around, "strides",
                PM_INTS, 2, two, NULL));
    OK(add_node(graph->body, "relu", "Relu", "h", "r", NULL));
    OK(add_node(graph->body, "pointwise", "Conv", "r,v", "y", NULL));
    output_as(graph, "y", PRUNE_F32, 4);
    add_graph(all, "depthwise", graph, SHAPE(2, 8, 9, 10));

    graph = begin(11, SHAPE(1, 4, 11, 9));
    weights(graph->body, "w", SHAPE(6, 2, 3, 2));
    weights(graph->body, "v", SHAPE(6, 3, 3, 3));
    weights(graph->body, "u", SHAPE(6, 6, 2, 2));
    OK(add_node(graph->body, "groups", "Conv", "x,w", "g", "group", PM_INT, 2, "dilations", PM_INTS, 2, two, "pads",
                PM_INTS, 4, around, NULL));
    OK(add_node(graph->body, "same", "Conv", "g,u", "h", "auto_pad", PM_STRING, "SAME_UPPER", "strides", PM_INTS, 2,
                two, NULL));
    OK(add_node(graph->body, "leaky", "LeakyRelu", "h", "r", "alpha", PM_FLOAT, 0.25, NULL));
    OK(add_node(graph->body, "up", "ConvTranspose", "r,v", "y", "strides", PM_INTS, 2, two, "pads", PM_INTS, 4, around,
                "output_padding", PM_INTS, 2, (const int64_t[]){1, 0}, NULL));
    output_as(graph, "y", PRUNE_F32, 4);
    add_graph(all, "groups", graph, SHAPE(1, 4, 11, 9));

    graph = begin(17, SHAPE(2, 3, 20));
    weights(graph->body, "w", SHAPE(5, 3, 4));
    OK(add_node(graph->body, "conv", "Conv", "x,w", "h", "strides", PM_INTS, 1, (const int64_t[]){3}, "pads", PM_INTS,
                2, (const int64_t[]){2, 1}, NULL));
    OK(add_node(graph->body, "pool", "AveragePool", "h", "y", "kernel_shape", PM_INTS, 1, (const int64_t[]){2},
                "ceil_mode", PM_INT, 1, NULL));
    output_as(graph, "y", PRUNE_F32, 3);
    add_graph(all, "one_axis", graph, SHAPE(2, 3, 20));
}

/* direction by direction, with state that comes in and goes out. */
static void add_recurrent(struct comparison *all, const char *op, int64_t gates, int reset_after, const char *direction)
{
    int64_t hidden = 6, ways = strcmp(direction, "bidirectional") ? 1 : 2;
    prune_graph *graph = begin(14, SHAPE(5, 2, 4));
    struct pm_body *body = graph->body;
    int is_lstm = strcmp(op, "LSTM") == 0;
    weights(body, "w", SHAPE(ways, gates * hidden, 4));
    weights(body, "r", SHAPE(ways, gates * hidden, hidden));
    weights(body, "b", SHAPE(ways, 2 * gates * hidden));
    weights(body, "start", SHAPE(ways, 2, hidden));
    if (reset_after)
        OK(add_node(body, "layer", op, "x,w,r,b,,start", "y,last", "hidden_size", PM_INT, (int)hidden, "direction",
                    PM_STRING, direction, "linear_before_reset", PM_INT, 1, NULL));
    else
        OK(add_node(body, "layer", op, is_lstm ? "x,w,r,b,,start,start" : "x,w,r,b,,start",
                    is_lstm ? "y,last,cell" : "y,last", "hidden_size", PM_INT, (int)hidden, "direction", PM_STRING,
                    direction, NULL));
    output_as(graph, "y", PRUNE_F32, 4);
    output_as(graph, "last", PRUNE_F32, 3);
    if (is_lstm)
        output_as(graph, "cell", PRUNE_F32, 3);
    add_graph(all, op, graph, SHAPE(5, 2, 4));
}

/* Branches with weights of their own that read values around them; pruning reaches into both. */
static void add_if(struct comparison *all, uint8_t condition)
{
    struct pm_body *branches[2];
    prune_graph *graph = begin(13, SHAPE(3, 6));
    add_parameter(graph->body, "condition", PRUNE_BOOL, 0, NULL, &condition);
    weights(graph->body, "outside", SHAPE(6, 6));
    OK(add_node(graph->body, "before", "MatMul", "x,outside", "h", NULL));
    for (int i = 0; i < 2; i++) {
        OK(pm_body_create(&branches[i], NULL, graph->body));
        weights(branches[i], i ? "v" : "w", SHAPE(6, 4));
        OK(add_node(branches[i], i ? "left" : "right", "MatMul", i ? "h,v" : "h,w", i ? "p" : "q", NULL));
        OK(add_node(branches[i], i ? "up" : "down", i ? "Tanh" : "Neg", i ? "p" : "q", i ? "z1" : "z2", NULL));
        add_output(branches[i], i ? "z1" : "z2");
        branches[i]->values[pm_body_find(branches[i], i ? "z1" : "z2")].type.dtype = PRUNE_F32;
    }
    OK(add_node(graph->body, "choice", "If", "condition", "y", "then_branch", PM_BODY, branches[0], "else_branch",
                PM_BODY, branches[1], NULL));
    output_as(graph, "y", PRUNE_F32, 2);
    add_graph(all, "if", graph, SHAPE(3, 6));
}

/* Through 8 bits and back, for all and by channel. */
static void add_quantized(struct comparison *all)
{
    static const float scale = 0.05f, scales[] = {0.01f, 0.02f, 0.03f, 0.04f, 0.05f, 0.06f};
    static const uint8_t zero = 128;
    static const int8_t zeros[6] = {0};
    prune_graph *graph = begin(13, SHAPE(3, 6));
    struct pm_body *body = graph->body;
    add_parameter(body, "scale", PRUNE_F32, 0, NULL, &scale);
    add_parameter(body, "zero", PRUNE_U8, 0, NULL, &zero);
    add_parameter(body, "scales", PRUNE_F32, SHAPE(6), scales);
    add_parameter(body, "zeros", PRUNE_I8, SHAPE(6), zeros);
    weights(body, "w", SHAPE(6, 6));
    OK(add_node(body, "q", "QuantizeLinear", "x,scale,zero", "q", NULL));
    OK(add_node(body, "d", "DequantizeLinear", "q,scale,zero", "d", NULL));
    OK(add_node(body, "product", "MatMul", "d,w", "y", NULL));
    OK(add_node(body, "q2", "QuantizeLinear", "x,scales,zeros", "q2", "axis", PM_INT, 1, NULL));
    OK(add_node(body, "d2", "DequantizeLinear", "q2,scales,zeros", "z", "axis", PM_INT, 1, NULL));
    output_as(graph, "q", PRUNE_U8, 2);
    output_as(graph, "y", PRUNE_F32, 2);
    output_as(graph, "q2", PRUNE_I8, 2);
    output_as(graph, "z", PRUNE_F32, 2);
    add_graph(all, "quantized", graph, SHAPE(3, 6));
}

/* softmax(Q K' / 2) V of two heads, then layer normalisation and Gelu. */
static void add_attention(struct comparison *all)
{
    static const float half = 0.5f;
    prune_graph *graph = begin(20, SHAPE(2, 5, 8));
    struct pm_body *body = graph->body;
    add_parameter(body, "half", PRUNE_F32, 0, NULL, &half);
    list(body, "heads", 4, (const int64_t[]){0, 0, 2, 4});
    list(body, "joined", 3, (const int64_t[]){0, 0, 8});
    for (int i = 0; i < 3; i++) {
        char w[4] = {'w', "qkv"[i], 0}, inputs[16], name[4] = {"qkv"[i], 0};
        char p[4] = {'p', name[0], 0}, h[4] = {'h', name[0], 0}, t[4] = {'t', name[0], 0};
        weights(body, w, SHAPE(8, 8));
        snprintf(inputs, sizeof inputs, "x,%s", w);
        OK(add_node(body, p, "MatMul", inputs, p, NULL));
        snprintf(inputs, sizeof inputs, "%s,heads", p);
        OK(add_node(body, h, "Reshape", inputs, h, NULL));
        OK(add_node(body, t, "Transpose", h, t, "perm", PM_INTS, 4,
                    i == 1 ? (const int64_t[]){0, 2, 3, 1} : (const int64_t[]){0, 2, 1, 3}, NULL));
    }
    OK(add_node(body, "scores", "MatMul", "tq,tk", "scores", NULL));
    OK(add_node(body, "scaled", "Mul", "scores,half", "scaled", NULL));
    OK(add_node(body, "softmax", "Softmax", "scaled", "parts", NULL));
    OK(add_node(body, "mix", "MatMul", "parts,tv", "mix", NULL));
    OK(add_node(body, "back", "Transpose", "mix", "back", "perm", PM_INTS, 4, (const int64_t[]){0, 2, 1, 3}, NULL));
    OK(add_node(body, "join", "Reshape", "back,joined", "heads_", NULL));
    weights(body, "gamma", SHAPE(8));
    weights(body, "beta", SHAPE(8));
    OK(add_node(body, "norm", "LayerNormalization", "heads_,gamma,beta", "n", NULL));
    OK(add_node(body, "gelu", "Gelu", "n", "y", NULL));
    output_as(graph, "y", PRUNE_F32, 3);
    add_graph(all, "attention", graph, SHAPE(2, 5, 8));
}

START_TEST(layers_of_every_kind)
{
    struct comparison all;
    begin_comparison(&all);
    add_convolutions(&all);
    add_recurrent(&all, "LSTM", 4, 0, "forward");
    add_recurrent(&all, "LSTM", 4, 0, "bidirectional");
    add_recurrent(&all, "GRU", 3, 0, "reverse");
    add_recurrent(&all, "GRU", 3, 1, "bidirectional");
    add_if(&all, 0);
    add_if(&all, 1);
    add_quantized(&all);
    add_attention(&all);
    end_comparison(&all, "layers of every kind");
}
END_TEST

/* The first two samples; images are bytes with the channels last. */
static prune_tensor *two_samples(const char *file)
{
    prune_tensor *all, *two, *moved, *made;
    OK(prune_npy_read(&all, NULL, file));
    OK(prune_tensor_slice(&two, all, 0, 0, 2, 1));
    if (prune_tensor_dtype(all) == PRUNE_U8) {
        OK(prune_tensor_permute(&moved, two, (const int32_t[]){0, 3, 1, 2}));
        OK(prune_tensor_convert(&made, moved, PRUNE_F32));
        float *numbers = prune_tensor_data(made);
        for (int64_t i = 0; i < prune_tensor_count(made); i++)
            numbers[i] = numbers[i] / 64 - 2;
        prune_tensor_free(moved);
    } else {
        OK(prune_tensor_convert(&made, two, PRUNE_F32));
    }
    prune_tensor_free(two);
    prune_tensor_free(all);
    return made;
}

START_TEST(trained_networks)
{
    static const struct {
        const char *name, *model, *inputs;
    } networks[] = {{"resnet20", "resnet/resnet20.onnx", "cifar10/test200_images.npy"},
                    {"resnet20_raw", "resnet/resnet20_raw_export.onnx", "cifar10/test200_images.npy"},
                    {"ds_cnn", "kws/ds_cnn_kws.onnx", "kws/kws01_inputs.npy"}};
    struct comparison all;
    begin_comparison(&all);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        const char *model = data_path(networks[i].model), *inputs = data_path(networks[i].inputs), *name;
        prune_graph *graph;
        if (!model || !inputs)
            continue;
        prune_tensor *x = two_samples(inputs);
        OK(prune_graph_read(&graph, NULL, model, NULL));
        name = prune_graph_input_name(graph, 0);
        add_forms(&all, networks[i].name, graph, 1, &name, (const prune_tensor *const[]){x});
        prune_graph_free(graph);
        prune_tensor_free(x);
    }
    if (all.count > 0)
        end_comparison(&all, "trained networks");
}
END_TEST

TEST_MAIN("onnxruntime", tiny_models_of_opsets_9_to_21, layers_of_every_kind, trained_networks)
