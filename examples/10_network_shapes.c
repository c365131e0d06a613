/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What pruning leaves of networks of which only the shapes are known. Han et al. 2015 print, layer by layer, how many
 * of AlexNet's and VGG-16's weights stay and how many of the outputs are not zero; from these come parameters and
 * multiply-adds before and after, by the weights alone and with the zeros of activations. Of the other networks the
 * totals are known. No weight is in memory.
 */
#include "networks.h"

#include <prune/model.h>
#include <stdio.h>

/* Per cent: of weights that stay, of outputs that are not zero. */
static const int alexnet[][2] = {{84, 88}, {38, 52}, {35, 37}, {37, 40}, {37, 34}, {9, 36}, {9, 40}, {25, 100}};
static const int vgg16[][2] = {{58, 53}, {22, 89}, {34, 80}, {36, 81}, {53, 68}, {24, 70}, {42, 64}, {32, 51},
                               {27, 45}, {34, 34}, {35, 32}, {29, 29}, {36, 19}, {4, 38},  {4, 42},  {23, 100}};

static int32_t get(const prune_cost *cost, int32_t quantity, double *value)
{
    return prune_cost_get(cost, quantity, -1, value);
}

/* Layers of a network on one image, whose numbers nobody looks at. */
static int32_t count_layers(prune_cost **cost, const prune_graph *graph, int64_t extent, double *bytes)
{
    static float zero;
    const int64_t shape[] = {1, 3, extent, extent}, strides[] = {0, 0, 0, 0};
    const char *const names[] = {"image"};
    prune_tensor *image = NULL;
    prune_session *session = NULL;
    int32_t status = prune_tensor_borrow(&image, NULL, &zero, PRUNE_F32, 4, shape, strides);
    const prune_tensor *const images[] = {image};
    if (!status)
        status = prune_cost_create(cost, NULL);
    if (!status)
        status = prune_cost_add_graph(*cost, graph, 1, names, images, NULL, 0);
    if (!status)
        status = prune_session_create(&session, graph, 1, names, images, NULL, "weights=none");
    *bytes = (double)prune_session_memory(session);
    prune_session_free(session);
    prune_tensor_free(image);
    return status;
}

/* The densities of a table; a layer's input is as dense as the output of the one before. */
static int32_t prune_by(prune_cost *cost, const int (*table)[2])
{
    double input = 1, weights = 0;
    for (int32_t i = 0; table && i < prune_cost_count(cost); i++) {
        int32_t status = prune_cost_get(cost, PRUNE_COST_WEIGHTS, i, &weights);
        if (!status)
            status = prune_cost_set(cost, i, ((int64_t)weights * table[i][0] + 50) / 100, input);
        if (status)
            return status;
        input = table[i][1] / 100.0;
    }
    return PRUNE_OK;
}

/* A row. `left`: weights that are said to stay where there is no table of layers; 0 for none. */
static int32_t show(const char *name, prune_graph *graph, int64_t extent, const int (*table)[2], double left)
{
    prune_cost *cost = NULL;
    double weights = 0, nonzeros = 0, macs = 0, by_weights = 0, both = 0, bytes = 0;
    int32_t status = graph ? count_layers(&cost, graph, extent, &bytes) : PRUNE_E_NOMEM;
    if (!status)
        status = prune_by(cost, table);
    if (!status)
        status = get(cost, PRUNE_COST_WEIGHTS, &weights) || get(cost, PRUNE_COST_NONZEROS, &nonzeros) ||
                 get(cost, PRUNE_COST_MACS, &macs) || get(cost, PRUNE_COST_MACS_WEIGHTS, &by_weights) ||
                 get(cost, PRUNE_COST_MACS_BOTH, &both);
    if (status)
        fprintf(stderr, "%s: %s\n", name, prune_error());
    else if (table)
        printf("| %s | %.0f | %.0f | %.2f | %.0f | %.4f | %.4f | %.0f |\n", name, weights, nonzeros, weights / nonzeros,
               macs, macs / by_weights, macs / both, bytes);
    else
        printf("| %s | %.0f | %.0f as published | %.2f | %.0f | | | %.0f |\n", name, weights, left, weights / left,
               macs, bytes);
    prune_cost_free(cost);
    prune_graph_free(graph);
    return status;
}

int main(void)
{
    printf(
        "| network | weights | left | times fewer | MACs | times fewer, by weights | and activations | bytes of values "
        "|\n|---|---|---|---|---|---|---|---|\n");
    int32_t bad = show("AlexNet", network_alexnet(), 227, alexnet, 0);
    bad |= show("VGG-16", network_vgg16(), 224, vgg16, 0);
    bad |= show("GoogLeNet", network_googlenet(), 224, NULL, 2.0e6);
    bad |= show("ResNet-50, stride in 1 x 1", network_resnet50(0), 224, NULL, 7.47e6);
    bad |= show("ResNet-50, stride in 3 x 3", network_resnet50(1), 224, NULL, 7.47e6);
    bad |= show("SqueezeNet", network_squeezenet(), 227, NULL, 0.38e6);
    return bad != 0;
}
