/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Well-known networks as graphs, built through prune/graph.h. Weights are shapes: tensors whose strides are 0 and which
 * take no memory, for who only wants to count. Every convolution is followed by a ReLU.
 */
#ifndef NETWORKS_H
#define NETWORKS_H

#include <stdio.h>
#include <string.h>

#include <prune/model.h>

/* A network while it is built. `x` is the value that the next layer reads, with so many channels and that height and
 * width. After a failure the rest does nothing. */
struct network {
    prune_graph *graph;
    int32_t failed; /* status of what failed first; prune_error() has the sentence */
    char x[64];
    int64_t channels, extent;
    int norms; /* batch norms after convolutions, which then have no bias */
    int relu;  /* 0: the next convolutions have no ReLU */
};

static inline void network_parameter(struct network *net, const char *layer, const char *part, int32_t rank,
                                     const int64_t *shape)
{
    static float one = 1;
    const int64_t strides[4] = {0};
    char name[64];
    prune_tensor *tensor = NULL;
    snprintf(name, sizeof name, "%.50s.%s", layer, part);
    if (!net->failed)
        net->failed = prune_tensor_borrow(&tensor, NULL, &one, PRUNE_F32, rank, shape, strides);
    if (!net->failed)
        net->failed = prune_graph_add_parameter(net->graph, name, tensor);
    prune_tensor_free(tensor);
}

/* A node of `count` inputs, whose output has its name and becomes x. */
static inline void network_node(struct network *net, const char *name, const char *op, int32_t count,
                                const char *const *inputs)
{
    if (!net->failed)
        net->failed = prune_graph_add_node(net->graph, name, op, count, inputs, 1, &name);
    snprintf(net->x, sizeof net->x, "%.60s", name);
}

static inline void network_ints(struct network *net, const char *node, const char *attribute, int32_t count,
                                int64_t value)
{
    const int64_t values[4] = {value, value, value, value};
    if (!net->failed)
        net->failed = prune_graph_set_ints(net->graph, node, attribute, count, values);
}

static inline void network_int(struct network *net, const char *node, const char *attribute, int64_t value)
{
    if (!net->failed)
        net->failed = prune_graph_set_int(net->graph, node, attribute, value);
}

/* A node that reads x alone and is named after it. */
static inline void network_unary(struct network *net, const char *layer, const char *what, const char *op)
{
    char name[64];
    const char *const inputs[] = {net->x};
    snprintf(name, sizeof name, "%.40s/%s", layer, what);
    network_node(net, name, op, 1, inputs);
}

static inline void network_norm(struct network *net, const char *layer)
{
    char names[4][64];
    snprintf(names[0], sizeof names[0], "%.40s/norm", layer);
    const char *const parts[] = {"scale", "shift", "mean", "variance"};
    for (int i = 0; i < 4; i++)
        network_parameter(net, names[0], parts[i], 1, &net->channels);
    char inputs[4][80];
    for (int i = 0; i < 4; i++)
        snprintf(inputs[i], sizeof inputs[i], "%.50s.%s", names[0], parts[i]);
    network_node(net, names[0], "BatchNormalization", 5,
                 (const char *const[]){net->x, inputs[0], inputs[1], inputs[2], inputs[3]});
}

static inline void network_conv(struct network *net, const char *name, int64_t out, int64_t kernel, int64_t stride,
                                int64_t pad, int64_t groups)
{
    const int64_t shape[4] = {out, net->channels / groups, kernel, kernel};
    char weight[64], bias[64];
    snprintf(weight, sizeof weight, "%.50s.weight", name);
    snprintf(bias, sizeof bias, "%.50s.bias", name);
    network_parameter(net, name, "weight", 4, shape);
    if (!net->norms)
        network_parameter(net, name, "bias", 1, &out);
    network_node(net, name, "Conv", net->norms ? 2 : 3, (const char *const[]){net->x, weight, bias});
    network_ints(net, name, "strides", 2, stride);
    network_ints(net, name, "pads", 4, pad);
    network_int(net, name, "group", groups);
    net->channels = out;
    net->extent = (net->extent + 2 * pad - kernel) / stride + 1;
    if (net->norms)
        network_norm(net, name);
    if (net->relu)
        network_unary(net, name, "relu", "Relu");
}

/* Max pooling; where windows do not fit exactly the last one hangs over, as Caffe has it. */
static inline void network_pool(struct network *net, const char *name, int64_t kernel, int64_t stride, int64_t pad)
{
    network_node(net, name, "MaxPool", 1, (const char *const[]){net->x});
    network_ints(net, name, "kernel_shape", 2, kernel);
    network_ints(net, name, "strides", 2, stride);
    network_ints(net, name, "pads", 4, pad);
    network_int(net, name, "ceil_mode", pad == 0);
    net->extent = (net->extent + 2 * pad - kernel + (pad ? 0 : stride - 1)) / stride + 1;
}

static inline void network_linear(struct network *net, const char *name, int64_t out)
{
    const int64_t shape[2] = {out, net->channels * net->extent * net->extent};
    char weight[64], bias[64];
    snprintf(weight, sizeof weight, "%.50s.weight", name);
    snprintf(bias, sizeof bias, "%.50s.bias", name);
    network_unary(net, name, "flat", "Flatten");
    network_parameter(net, name, "weight", 2, shape);
    network_parameter(net, name, "bias", 1, &out);
    network_node(net, name, "Gemm", 3, (const char *const[]){net->x, weight, bias});
    network_int(net, name, "transB", 1);
    net->channels = out;
    net->extent = 1;
}

static inline void network_concat(struct network *net, const char *name, int32_t count, const char *const *parts,
                                  int64_t channels)
{
    network_node(net, name, "Concat", count, parts);
    network_int(net, name, "axis", 1);
    net->channels = channels;
}

/* The value x as it is now, to come back to. */
static inline struct network network_here(const struct network *net)
{
    return *net;
}

static inline void network_go(struct network *net, const struct network *place)
{
    memcpy(net->x, place->x, sizeof net->x);
    net->channels = place->channels;
    net->extent = place->extent;
}

/* Images of three channels. */
static inline struct network network_start(int64_t extent)
{
    struct network net = {.x = "image", .channels = 3, .extent = extent, .relu = 1};
    net.failed = prune_graph_create(&net.graph, NULL, 13);
    if (!net.failed)
        net.failed = prune_graph_add_input(net.graph, "image", PRUNE_F32, 4, (const int64_t[]){1, 3, extent, extent});
    return net;
}

/* NULL where something failed. */
static inline prune_graph *network_end(struct network *net)
{
    if (!net->failed)
        net->failed = prune_graph_add_output(net->graph, net->x, PRUNE_F32, -1, NULL);
    if (net->failed) {
        prune_graph_free(net->graph);
        return NULL;
    }
    return net->graph;
}

/* Krizhevsky et al. 2012 at 227 x 227, in two groups as on two GPUs; without local response normalisation. */
static inline prune_graph *network_alexnet(void)
{
    struct network net = network_start(227);
    network_conv(&net, "conv1", 96, 11, 4, 0, 1);
    network_pool(&net, "pool1", 3, 2, 0);
    network_conv(&net, "conv2", 256, 5, 1, 2, 2);
    network_pool(&net, "pool2", 3, 2, 0);
    network_conv(&net, "conv3", 384, 3, 1, 1, 1);
    network_conv(&net, "conv4", 384, 3, 1, 1, 2);
    network_conv(&net, "conv5", 256, 3, 1, 1, 2);
    network_pool(&net, "pool5", 3, 2, 0);
    network_linear(&net, "fc1", 4096);
    network_unary(&net, "fc1", "relu", "Relu");
    network_linear(&net, "fc2", 4096);
    network_unary(&net, "fc2", "relu", "Relu");
    network_linear(&net, "fc3", 1000);
    return network_end(&net);
}

/* Simonyan and Zisserman 2014, configuration D, at 224 x 224. */
static inline prune_graph *network_vgg16(void)
{
    const int64_t widths[5] = {64, 128, 256, 512, 512}, depths[5] = {2, 2, 3, 3, 3};
    struct network net = network_start(224);
    char name[40];
    for (int stage = 0; stage < 5; stage++) {
        for (int i = 0; i < depths[stage]; i++) {
            snprintf(name, sizeof name, "conv%d_%d", stage + 1, i + 1);
            network_conv(&net, name, widths[stage], 3, 1, 1, 1);
        }
        snprintf(name, sizeof name, "pool%d", stage + 1);
        network_pool(&net, name, 2, 2, 0);
    }
    network_linear(&net, "fc6", 4096);
    network_unary(&net, "fc6", "relu", "Relu");
    network_linear(&net, "fc7", 4096);
    network_unary(&net, "fc7", "relu", "Relu");
    network_linear(&net, "fc8", 1000);
    return network_end(&net);
}

/* Szegedy et al. 2015: four branches side by side. `c`: 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection. */
static inline void network_inception(struct network *net, const char *name, const int64_t c[6])
{
    const struct network start = network_here(net);
    char names[7][64], parts[4][64];
    const char *const layers[7] = {"1x1", "3x3_reduce", "3x3", "5x5_reduce", "5x5", "pool", "pool_proj"};
    for (int i = 0; i < 7; i++)
        snprintf(names[i], sizeof names[i], "%.20s/%s", name, layers[i]);
    network_conv(net, names[0], c[0], 1, 1, 0, 1);
    memcpy(parts[0], net->x, sizeof parts[0]);
    network_go(net, &start);
    network_conv(net, names[1], c[1], 1, 1, 0, 1);
    network_conv(net, names[2], c[2], 3, 1, 1, 1);
    memcpy(parts[1], net->x, sizeof parts[1]);
    network_go(net, &start);
    network_conv(net, names[3], c[3], 1, 1, 0, 1);
    network_conv(net, names[4], c[4], 5, 1, 2, 1);
    memcpy(parts[2], net->x, sizeof parts[2]);
    network_go(net, &start);
    network_pool(net, names[5], 3, 1, 1);
    network_conv(net, names[6], c[5], 1, 1, 0, 1);
    memcpy(parts[3], net->x, sizeof parts[3]);
    network_concat(net, name, 4, (const char *const[]){parts[0], parts[1], parts[2], parts[3]},
                   c[0] + c[2] + c[4] + c[5]);
}

/* At 224 x 224, without the auxiliary classifiers and local response normalisation. */
static inline prune_graph *network_googlenet(void)
{
    static const struct {
        const char *name;
        int64_t widths[6];
    } inceptions[9] = {
        {"inception_3a", {64, 96, 128, 16, 32, 32}},     {"inception_3b", {128, 128, 192, 32, 96, 64}},
        {"inception_4a", {192, 96, 208, 16, 48, 64}},    {"inception_4b", {160, 112, 224, 24, 64, 64}},
        {"inception_4c", {128, 128, 256, 24, 64, 64}},   {"inception_4d", {112, 144, 288, 32, 64, 64}},
        {"inception_4e", {256, 160, 320, 32, 128, 128}}, {"inception_5a", {256, 160, 320, 32, 128, 128}},
        {"inception_5b", {384, 192, 384, 48, 128, 128}},
    };
    struct network net = network_start(224);
    network_conv(&net, "conv1", 64, 7, 2, 3, 1);
    network_pool(&net, "pool1", 3, 2, 0);
    network_conv(&net, "conv2_reduce", 64, 1, 1, 0, 1);
    network_conv(&net, "conv2", 192, 3, 1, 1, 1);
    network_pool(&net, "pool2", 3, 2, 0);
    for (int i = 0; i < 9; i++) {
        network_inception(&net, inceptions[i].name, inceptions[i].widths);
        if (i == 1 || i == 6)
            network_pool(&net, i == 1 ? "pool3" : "pool4", 3, 2, 0);
    }
    network_unary(&net, "pool5", "mean", "GlobalAveragePool");
    net.extent = 1;
    network_linear(&net, "classifier", 1000);
    return network_end(&net);
}

/* He et al. 2016: a block of three convolutions around which its input goes. The map is halved in the first 1 x 1, as
 * published, or in the 3 x 3, as most code has it. */
static inline void network_bottleneck(struct network *net, const char *name, int64_t width, int64_t stride,
                                      int stride_in_3x3, int projects)
{
    const struct network start = network_here(net);
    char names[5][64], around[64];
    const char *const layers[5] = {"projection", "1x1", "3x3", "1x1_up", "sum"};
    for (int i = 0; i < 5; i++)
        snprintf(names[i], sizeof names[i], "%.20s/%s", name, layers[i]);
    memcpy(around, net->x, sizeof around);
    net->relu = 0;
    if (projects) {
        network_conv(net, names[0], 4 * width, 1, stride, 0, 1);
        memcpy(around, net->x, sizeof around);
        network_go(net, &start);
    }
    net->relu = 1;
    network_conv(net, names[1], width, 1, stride_in_3x3 ? 1 : stride, 0, 1);
    network_conv(net, names[2], width, 3, stride_in_3x3 ? stride : 1, 1, 1);
    net->relu = 0;
    network_conv(net, names[3], 4 * width, 1, 1, 0, 1);
    net->relu = 1;
    char last[64];
    memcpy(last, net->x, sizeof last);
    network_node(net, names[4], "Add", 2, (const char *const[]){last, around});
    network_unary(net, name, "relu", "Relu");
}

/* At 224 x 224. */
static inline prune_graph *network_resnet50(int stride_in_3x3)
{
    const int blocks[4] = {3, 4, 6, 3};
    struct network net = network_start(224);
    char name[40];
    net.norms = 1;
    network_conv(&net, "conv1", 64, 7, 2, 3, 1);
    network_pool(&net, "pool1", 3, 2, 1);
    for (int stage = 0; stage < 4; stage++)
        for (int block = 0; block < blocks[stage]; block++) {
            snprintf(name, sizeof name, "conv%d_%d", stage + 2, block + 1);
            network_bottleneck(&net, name, INT64_C(64) << stage, stage && !block ? 2 : 1, stride_in_3x3, !block);
        }
    network_unary(&net, "pool5", "mean", "GlobalAveragePool");
    net.extent = 1;
    network_linear(&net, "classifier", 1000);
    return network_end(&net);
}

/* Iandola et al. 2016, version 1.0 at 227 x 227; the last convolution has a pad of 1, as its authors published it. */
static inline prune_graph *network_squeezenet(void)
{
    struct network net = network_start(227);
    char names[4][40], parts[2][64];
    const char *const layers[4] = {"conv1x1_1", "conv1x1_2", "conv3x3_2", "concat"};
    network_conv(&net, "conv1", 96, 7, 2, 0, 1);
    network_pool(&net, "pool1", 3, 2, 0);
    for (int fire = 2; fire < 10; fire++) {
        int64_t squeeze = 16 * (fire / 2), expand = 4 * squeeze;
        for (int i = 0; i < 4; i++)
            snprintf(names[i], sizeof names[i], "fire%d/%s", fire, layers[i]);
        network_conv(&net, names[0], squeeze, 1, 1, 0, 1);
        const struct network start = network_here(&net);
        network_conv(&net, names[1], expand, 1, 1, 0, 1);
        memcpy(parts[0], net.x, sizeof parts[0]);
        network_go(&net, &start);
        network_conv(&net, names[2], expand, 3, 1, 1, 1);
        memcpy(parts[1], net.x, sizeof parts[1]);
        network_concat(&net, names[3], 2, (const char *const[]){parts[0], parts[1]}, 2 * expand);
        if (fire == 4 || fire == 8)
            network_pool(&net, fire == 4 ? "pool4" : "pool8", 3, 2, 0);
    }
    network_conv(&net, "conv_final", 1000, 1, 1, 1, 1);
    network_unary(&net, "pool_final", "mean", "GlobalAveragePool");
    return network_end(&net);
}

#endif
