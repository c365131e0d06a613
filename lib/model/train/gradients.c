/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Forward and backward through a graph. Nodes stand in an order in which every input exists, so one walk forward and
 * one back are enough; a value that several nodes take, or that is an output as well, sums the gradients of all.
 */
#include <string.h>

#include "model/network/links/links.h"
#include "model/train/trainer.h"

/* Values that are one memory: a view stands for its input. */
static int32_t root_of(const prune_network *network, int32_t value)
{
    while (network->values[value].node >= 0 && network->nodes[network->values[value].node].op->role == PM_VIEW)
        value = network->nodes[network->values[value].node].input;
    return value;
}

static struct pm_pass pass_of(const prune_trainer *trainer, const struct pm_network_node *node, int64_t samples)
{
    const prune_network *network = trainer->network;
    struct pm_pass pass = {
        .attributes = &node->attributes,
        .samples = samples,
        .in = network->values[node->input].shape.count,
        .out = network->values[node->output].shape.count,
        .x = trainer->values[node->input].y,
        .y = trainer->values[node->output].y,
        .dy = trainer->values[node->output].dy,
        .dx = trainer->values[node->input].dy,
    };
    for (int32_t i = 0; i < node->parameter_count; i++) {
        pass.parameters[i] = prune_tensor_const_data(network->parameters[node->parameter + i].dense);
        pass.gradients[i] = prune_tensor_data(trainer->parameters[node->parameter + i].gradient);
    }
    return pass;
}

static void clear_gradients(prune_trainer *trainer, const struct pm_network_node *node)
{
    for (int32_t i = 0; i < node->parameter_count; i++) {
        prune_tensor *gradient = trainer->parameters[node->parameter + i].gradient;
        memset(prune_tensor_data(gradient), 0, (size_t)prune_tensor_count(gradient) * sizeof(float));
    }
}

double pm_trainer_gradients(prune_trainer *trainer, const float *x, const int64_t *labels, int64_t samples)
{
    const prune_network *network = trainer->network;
    struct pm_activation *values = trainer->values;
    double loss = 0;
    for (int32_t i = 0; i < network->value_count; i++) {
        values[i].written = 0;
        if (root_of(network, i) == trainer->input)
            values[i].y = (float *)(uintptr_t)x; /* read only: nothing is made at the input */
    }
    for (int32_t i = 0; i < network->node_count; i++) {
        const struct pm_network_node *node = &network->nodes[i];
        struct pm_pass pass = pass_of(trainer, node, samples);
        if (node->op->role != PM_VIEW)
            node->op->forward(&pass);
    }
    for (int32_t i = 0; i < network->output_count; i++) {
        int32_t output = network->outputs[i], root = root_of(network, output);
        int64_t classes = network->values[output].shape.count;
        loss += pm_softmax_cross_entropy(values[output].y, labels, samples, classes, values[output].dy,
                                         values[root].written);
        values[root].written = 1;
    }
    for (int32_t i = network->node_count - 1; i >= 0; i--) {
        const struct pm_network_node *node = &network->nodes[i];
        struct pm_pass pass = pass_of(trainer, node, samples);
        int32_t root = root_of(network, node->input);
        if (node->op->role == PM_VIEW)
            continue;
        if (!values[root_of(network, node->output)].written) {
            clear_gradients(trainer, node); /* nothing that counts comes after it */
            continue;
        }
        pass.accumulate = values[root].written;
        node->op->backward(&pass);
        values[root].written = 1;
    }
    return loss;
}
