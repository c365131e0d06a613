/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Well-known networks as lists of layers for prune_cost_add: shapes only. Square kernels and maps throughout.
 */
#ifndef PR_TESTS_ARCHITECTURES_H
#define PR_TESTS_ARCHITECTURES_H

#include "prune/model.h"
#include "testing.h"

/* A layer of Han et al. 2015: what must hold of it, and the percentages of their tables: the weights that stay and the
 * outputs that are not zero. */
struct known_layer {
    const char *name, *spec;
    int64_t weights, macs;
    int kept_percent, active_percent;
};

#define COUNT_OF(array) ((int32_t)(sizeof(array) / sizeof *(array)))
#define CONV(in, out, kernel, extent, more)                                                                            \
    "conv:in=" #in ",out=" #out ",kernel_h=" #kernel ",kernel_w=" #kernel ",height=" #extent ",width=" #extent more

/* Krizhevsky et al. 2012 at 227 x 227; conv2, conv4 and conv5 in two groups. */
static const struct known_layer alexnet[] = {
    {"conv1", CONV(3, 96, 11, 227, ",stride=4"), 34848, 105415200, 84, 88},
    {"conv2", CONV(96, 256, 5, 27, ",pad=2,groups=2"), 307200, 223948800, 38, 52},
    {"conv3", CONV(256, 384, 3, 13, ",pad=1"), 884736, 149520384, 35, 37},
    {"conv4", CONV(384, 384, 3, 13, ",pad=1,groups=2"), 663552, 112140288, 37, 40},
    {"conv5", CONV(384, 256, 3, 13, ",pad=1,groups=2"), 442368, 74760192, 37, 34},
    {"fc1", "linear:in=9216,out=4096", 37748736, 37748736, 9, 36},
    {"fc2", "linear:in=4096,out=4096", 16777216, 16777216, 9, 40},
    {"fc3", "linear:in=4096,out=1000", 4096000, 4096000, 25, 100},
};

/* Simonyan and Zisserman 2014, configuration D at 224 x 224. */
static const struct known_layer vgg16[] = {
    {"conv1_1", CONV(3, 64, 3, 224, ",pad=1"), 1728, 86704128, 58, 53},
    {"conv1_2", CONV(64, 64, 3, 224, ",pad=1"), 36864, 1849688064, 22, 89},
    {"conv2_1", CONV(64, 128, 3, 112, ",pad=1"), 73728, 924844032, 34, 80},
    {"conv2_2", CONV(128, 128, 3, 112, ",pad=1"), 147456, 1849688064, 36, 81},
    {"conv3_1", CONV(128, 256, 3, 56, ",pad=1"), 294912, 924844032, 53, 68},
    {"conv3_2", CONV(256, 256, 3, 56, ",pad=1"), 589824, 1849688064, 24, 70},
    {"conv3_3", CONV(256, 256, 3, 56, ",pad=1"), 589824, 1849688064, 42, 64},
    {"conv4_1", CONV(256, 512, 3, 28, ",pad=1"), 1179648, 924844032, 32, 51},
    {"conv4_2", CONV(512, 512, 3, 28, ",pad=1"), 2359296, 1849688064, 27, 45},
    {"conv4_3", CONV(512, 512, 3, 28, ",pad=1"), 2359296, 1849688064, 34, 34},
    {"conv5_1", CONV(512, 512, 3, 14, ",pad=1"), 2359296, 462422016, 35, 32},
    {"conv5_2", CONV(512, 512, 3, 14, ",pad=1"), 2359296, 462422016, 29, 29},
    {"conv5_3", CONV(512, 512, 3, 14, ",pad=1"), 2359296, 462422016, 36, 19},
    {"fc6", "linear:in=25088,out=4096", 102760448, 102760448, 4, 38},
    {"fc7", "linear:in=4096,out=4096", 16777216, 16777216, 4, 42},
    {"fc8", "linear:in=4096,out=1000", 4096000, 4096000, 23, 100},
};

/* `pruned`: with the percentages of the table (a layer's input is the output of the one before), else dense. */
static inline void add_known(prune_cost *cost, const struct known_layer *layers, int32_t count, int pruned)
{
    double input_density = 1;
    for (int32_t i = 0; i < count; i++) {
        int64_t nonzeros = (layers[i].weights * layers[i].kept_percent + 50) / 100;
        OK(prune_cost_add(cost, layers[i].name, layers[i].spec, pruned ? nonzeros : -1, pruned ? input_density : 1));
        input_density = layers[i].active_percent / 100.0;
    }
}

/* Adds a convolution that keeps the map's extent but for its stride; returns the extent of its output. */
static inline int64_t add_conv(prune_cost *cost, const char *name, int64_t in, int64_t out, int64_t kernel,
                               int64_t extent, int64_t stride)
{
    char spec[200];
    snprintf(spec, sizeof spec,
             "conv:in=%lld,out=%lld,kernel_h=%lld,kernel_w=%lld,height=%lld,width=%lld,stride=%lld,pad=%lld",
             (long long)in, (long long)out, (long long)kernel, (long long)kernel, (long long)extent, (long long)extent,
             (long long)stride, (long long)(kernel / 2));
    OK(prune_cost_add(cost, name, spec, -1, 1));
    return (extent + stride - 1) / stride;
}

/* The convolutional network of the MIT 6.S965 pruning lab: eight 3 x 3 convolutions with batch norm on 32 x 32 images,
 * a mean over the last map, one linear layer; `channels` are the eight widths. */
static const int64_t lab_vgg_channels[8] = {64, 128, 256, 256, 512, 512, 512, 512};
static const int64_t lab_vgg_channels_pruned[8] = {45, 90, 179, 179, 358, 358, 358, 512};

static inline void add_lab_vgg(prune_cost *cost, const int64_t channels[8])
{
    const int64_t extents[8] = {32, 32, 16, 16, 8, 8, 4, 4};
    char name[20], spec[100];
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "conv%d", i);
        add_conv(cost, name, i ? channels[i - 1] : 3, channels[i], 3, extents[i], 1);
        snprintf(name, sizeof name, "bn%d", i);
        snprintf(spec, sizeof spec, "batch-norm:channels=%lld,height=%lld,width=%lld", (long long)channels[i],
                 (long long)extents[i], (long long)extents[i]);
        OK(prune_cost_add(cost, name, spec, -1, 1));
    }
    snprintf(spec, sizeof spec, "mean:channels=%lld,height=2,width=2", (long long)channels[7]);
    OK(prune_cost_add(cost, "mean", spec, -1, 1));
    snprintf(spec, sizeof spec, "linear:in=%lld,out=10,bias=1", (long long)channels[7]);
    OK(prune_cost_add(cost, "classifier", spec, -1, 1));
}

/* Iandola et al. 2016, v1.0 at 227 x 227; the last convolution has a pad of 1. */
static inline void add_squeezenet(prune_cost *cost)
{
    const int64_t squeeze[8] = {16, 16, 32, 32, 48, 48, 64, 64}, expand[8] = {64, 64, 128, 128, 192, 192, 256, 256};
    const int64_t extents[8] = {55, 55, 55, 27, 27, 27, 27, 13};
    OK(prune_cost_add(cost, "conv1", CONV(3, 96, 7, 227, ",stride=2"), -1, 1));
    for (int i = 0; i < 8; i++) {
        char name[40];
        snprintf(name, sizeof name, "fire%d/squeeze", i + 2);
        add_conv(cost, name, i ? 2 * expand[i - 1] : 96, squeeze[i], 1, extents[i], 1);
        snprintf(name, sizeof name, "fire%d/expand1x1", i + 2);
        add_conv(cost, name, squeeze[i], expand[i], 1, extents[i], 1);
        snprintf(name, sizeof name, "fire%d/expand3x3", i + 2);
        add_conv(cost, name, squeeze[i], expand[i], 3, extents[i], 1);
    }
    OK(prune_cost_add(cost, "conv10", CONV(512, 1000, 1, 13, ",pad=1"), -1, 1));
}

/* Szegedy et al. 2015 at 224 x 224, without the auxiliary classifiers. */
static inline void add_googlenet(prune_cost *cost)
{
    /* Input; then 1x1; 3x3 reduce, 3x3; 5x5 reduce, 5x5; pool projection; extent. */
    const int64_t inception[9][8] = {
        {192, 64, 96, 128, 16, 32, 32, 28},     {256, 128, 128, 192, 32, 96, 64, 28},
        {480, 192, 96, 208, 16, 48, 64, 14},    {512, 160, 112, 224, 24, 64, 64, 14},
        {512, 128, 128, 256, 24, 64, 64, 14},   {512, 112, 144, 288, 32, 64, 64, 14},
        {528, 256, 160, 320, 32, 128, 128, 14}, {832, 256, 160, 320, 32, 128, 128, 7},
        {832, 384, 192, 384, 48, 128, 128, 7},
    };
    add_conv(cost, "conv1", 3, 64, 7, 224, 2);
    add_conv(cost, "conv2/reduce", 64, 64, 1, 56, 1);
    add_conv(cost, "conv2", 64, 192, 3, 56, 1);
    for (int i = 0; i < 9; i++) {
        const int64_t *c = inception[i];
        add_conv(cost, "1x1", c[0], c[1], 1, c[7], 1);
        add_conv(cost, "3x3/reduce", c[0], c[2], 1, c[7], 1);
        add_conv(cost, "3x3", c[2], c[3], 3, c[7], 1);
        add_conv(cost, "5x5/reduce", c[0], c[4], 1, c[7], 1);
        add_conv(cost, "5x5", c[4], c[5], 5, c[7], 1);
        add_conv(cost, "pool", c[0], c[6], 1, c[7], 1);
    }
    OK(prune_cost_add(cost, "classifier", "linear:in=1024,out=1000", -1, 1));
}

/* He et al. 2016 at 224 x 224. The block that halves the map does so in its first 1 x 1 convolution, as published, or
 * in its 3 x 3, as most code does. */
static inline void add_resnet50(prune_cost *cost, int stride_in_3x3)
{
    const int blocks[4] = {3, 4, 6, 3};
    int64_t in = 64, extent = 56;
    add_conv(cost, "conv1", 3, 64, 7, 224, 2);
    for (int stage = 0; stage < 4; stage++)
        for (int block = 0; block < blocks[stage]; block++) {
            int64_t width = INT64_C(64) << stage, stride = stage && !block ? 2 : 1, inner;
            if (!block)
                add_conv(cost, "projection", in, 4 * width, 1, extent, stride);
            inner = add_conv(cost, "1x1", in, width, 1, extent, stride_in_3x3 ? 1 : stride);
            extent = add_conv(cost, "3x3", width, width, 3, inner, stride_in_3x3 ? stride : 1);
            add_conv(cost, "1x1 up", width, 4 * width, 1, extent, 1);
            in = 4 * width;
        }
    OK(prune_cost_add(cost, "classifier", "linear:in=2048,out=1000", -1, 1));
}

#endif
