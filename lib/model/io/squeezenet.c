/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SqueezeNet 1.0 around the weights that a Deep Compression file holds. The file does not say how its layers are
 * connected; the description that it was released with does.
 */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "model/io/archive.h"
#include "prune/graph.h"

#define EXTENT 227
#define NAME_SIZE 64

struct build {
    prune_graph *graph;
    const prune_archive *archive;
    char last[NAME_SIZE]; /* the value that the next node reads */
};

static int32_t add_node(struct build *build, const char *name, const char *op, int32_t count, const char *const *inputs)
{
    PR_TRY(prune_graph_add_node(build->graph, name, op, count, inputs, 1, &name));
    snprintf(build->last, sizeof build->last, "%s", name);
    return PRUNE_OK;
}

static int32_t set_ints(struct build *build, const char *node, const char *attribute, int32_t count, int64_t value)
{
    const int64_t values[4] = {value, value, value, value};
    return prune_graph_set_ints(build->graph, node, attribute, count, values);
}

/* A parameter of the file; the mask of what it stores of a weight. */
static int32_t add_parameter(struct build *build, const char *name, int has_mask)
{
    prune_mask *mask = NULL;
    const prune_tensor *tensor = prune_archive_find(build->archive, name);
    PR_TRY(prune_graph_add_parameter(build->graph, name, tensor));
    if (!has_mask)
        return PRUNE_OK;
    PR_TRY(prune_mask_from_nonzero(&mask, tensor));
    int32_t status = prune_graph_set_mask(build->graph, name, mask);
    prune_mask_free(mask);
    return status;
}

/* A convolution and its ReLU, which is `last` then. */
static int32_t add_convolution(struct build *build, const char *layer, int64_t stride, int64_t pad)
{
    char weight[NAME_SIZE + 8], bias[NAME_SIZE + 8], relu[NAME_SIZE];
    snprintf(weight, sizeof weight, "%s.weight", layer);
    snprintf(bias, sizeof bias, "%s.bias", layer);
    PR_TRY(add_parameter(build, weight, 1));
    PR_TRY(add_parameter(build, bias, 0));
    PR_TRY(add_node(build, layer, "Conv", 3, (const char *const[]){build->last, weight, bias}));
    PR_TRY(set_ints(build, layer, "strides", 2, stride));
    PR_TRY(set_ints(build, layer, "pads", 4, pad));
    const char *own = strrchr(layer, '/');
    snprintf(relu, sizeof relu, "%.*srelu_%s", own ? (int)(own + 1 - layer) : 0, layer, own ? own + 1 : layer);
    return add_node(build, relu, "Relu", 1, (const char *const[]){layer});
}

static int32_t add_pool(struct build *build, const char *name)
{
    PR_TRY(add_node(build, name, "MaxPool", 1, (const char *const[]){build->last}));
    PR_TRY(set_ints(build, name, "kernel_shape", 2, 3));
    return set_ints(build, name, "strides", 2, 2);
}

/* A convolution that makes few channels, and two that make many of them, side by side. */
static int32_t add_fire(struct build *build, int number)
{
    char name[NAME_SIZE], squeezed[NAME_SIZE], halves[2][NAME_SIZE];
    snprintf(name, sizeof name, "fire%d/conv1x1_1", number);
    PR_TRY(add_convolution(build, name, 1, 0));
    memcpy(squeezed, build->last, sizeof squeezed);
    snprintf(name, sizeof name, "fire%d/conv1x1_2", number);
    PR_TRY(add_convolution(build, name, 1, 0));
    memcpy(halves[0], build->last, sizeof halves[0]);
    memcpy(build->last, squeezed, sizeof squeezed);
    snprintf(name, sizeof name, "fire%d/conv3x3_2", number);
    PR_TRY(add_convolution(build, name, 1, 1));
    memcpy(halves[1], build->last, sizeof halves[1]);
    snprintf(name, sizeof name, "fire%d/concat", number);
    PR_TRY(add_node(build, name, "Concat", 2, (const char *const[]){halves[0], halves[1]}));
    return prune_graph_set_int(build->graph, name, "axis", 1);
}

static int32_t add_all(struct build *build)
{
    static const int64_t image[] = {-1, 3, EXTENT, EXTENT}, classes[] = {-1, 1000, 1, 1};
    PR_TRY(prune_graph_add_input(build->graph, "data", PRUNE_F32, 4, image));
    snprintf(build->last, sizeof build->last, "data");
    PR_TRY(add_convolution(build, "conv1", 2, 0));
    PR_TRY(add_pool(build, "pool1"));
    for (int fire = 2; fire <= 9; fire++) {
        PR_TRY(add_fire(build, fire));
        if (fire == 4)
            PR_TRY(add_pool(build, "pool4"));
        if (fire == 8)
            PR_TRY(add_pool(build, "pool8"));
    }
    PR_TRY(add_convolution(build, "conv_final", 1, 1));
    PR_TRY(add_node(build, "pool_final", "GlobalAveragePool", 1, (const char *const[]){build->last}));
    return prune_graph_add_output(build->graph, "pool_final", PRUNE_F32, 4, classes);
}

int32_t prune_deep_compression_graph(prune_graph **out, prune_context *context, const char *path, const char *network)
{
    PR_REQUIRE(out);
    prune_archive *archive = NULL;
    struct build build = {.graph = NULL};
    PR_TRY(prune_deep_compression_read(&archive, context, path, network));
    build.archive = archive;
    int32_t status = prune_graph_create(&build.graph, context, 13);
    if (!status)
        status = add_all(&build);
    prune_archive_free(archive);
    if (status)
        prune_graph_free(build.graph);
    else
        *out = build.graph;
    return status;
}
