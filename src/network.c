/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Networks and data sets as the commands need them: read, written, weighed.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tool.h"

int network_read(prune_network **network, prune_context *context, const char *path)
{
    int32_t status = prune_network_read(network, context, path);
    return status ? complain_status(status, NULL) : DONE;
}

int network_write(const prune_network *network, const char *path)
{
    write_begin();
    int32_t status = prune_network_write(network, path);
    write_end();
    return status ? complain_status(status, NULL) : DONE;
}

int data_read(prune_tensor **images, prune_tensor **labels, prune_context *context, const char *folder,
              const char *split)
{
    struct stat info;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        return complain(
            IO_FAILED,
            "there is no folder %s; `apt-get install dataset-fashion-mnist` puts Fashion-MNIST into " STANDARD_DATA
            ", or give a folder with four IDX files: --data DIR",
            folder);
    int32_t status = prune_dataset_read(images, labels, context, folder, split);
    return status ? complain_status(status, NULL) : DONE;
}

int name_ends(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length >= tail && strcmp(name + length - tail, end) == 0;
}

int weight_counts(prune_network *network, const char *name, int64_t *count, int64_t *kept)
{
    const prune_sparse *sparse = prune_network_sparse(network, name);
    if (sparse) {
        prune_mask *mask = NULL;
        int32_t status = prune_sparse_to_mask(&mask, sparse);
        if (status)
            return complain_status(status, name);
        *count = prune_mask_count(mask);
        *kept = prune_mask_kept(mask);
        prune_mask_free(mask);
        return DONE;
    }
    const prune_mask *mask = prune_network_mask(network, name);
    *count = prune_tensor_count(prune_network_parameter(network, name));
    *kept = mask ? prune_mask_kept(mask) : *count;
    return DONE;
}

/* Adds one linear layer as it is stored: what it holds, not what is non-zero, is what is read and multiplied. */
static int add_layer(struct facts *facts, prune_network *network, int32_t node, prune_cost *cost)
{
    const char *name = prune_network_node_name(network, node);
    char spec[SPEC_SIZE], weight[SPEC_SIZE], bias[SPEC_SIZE];
    snprintf(weight, sizeof weight, "%s.weight", name);
    snprintf(bias, sizeof bias, "%s.bias", name);
    const prune_tensor *biases = prune_network_parameter(network, bias);
    snprintf(spec, sizeof spec, "%s%s", prune_network_node_op(network, node), biases ? ",bias=1" : "");
    const prune_sparse *sparse = prune_network_sparse(network, weight);
    int64_t stored = sparse ? prune_sparse_stored(sparse) : -1;
    const char *format = sparse ? prune_sparse_spec(sparse) : "dense";
    int dense = strcmp(format, "dense") == 0;
    int32_t layer = prune_cost_count(cost);
    double bytes = 0, macs = 0, activations = 0;
    int32_t status = prune_cost_add(cost, name, spec, dense ? -1 : stored, 1.0);
    if (!status)
        status = prune_cost_bytes(cost, format, layer, &bytes);
    if (!status)
        status = prune_cost_get(cost, PRUNE_COST_MACS, layer, &macs);
    if (!status)
        status = prune_cost_get(cost, PRUNE_COST_ACTIVATIONS, layer, &activations);
    if (status)
        return complain_status(status, name);
    if (!dense && strcmp(facts->format, "dense") == 0)
        snprintf(facts->format, sizeof facts->format, "%s", format);
    facts->macs += (int64_t)macs;
    facts->macs_done += dense ? (int64_t)macs : stored;
    facts->words += bytes / 4 + (double)(biases ? prune_tensor_count(biases) : 0);
    facts->activations += activations;
    return DONE;
}

static int count_parameters(struct facts *facts, prune_network *network)
{
    for (int32_t i = 0; i < prune_network_parameter_count(network); i++) {
        const char *name = prune_network_parameter_name(network, i);
        int64_t count = 0, kept = 0;
        int code = weight_counts(network, name, &count, &kept);
        if (code)
            return code;
        facts->parameters += count;
        facts->parameters_kept += kept;
        if (name_ends(name, ".weight")) {
            facts->weights += count;
            facts->weights_kept += kept;
        }
    }
    return DONE;
}

int facts_of(struct facts *facts, prune_network *network, const char *path)
{
    memset(facts, 0, sizeof *facts);
    strcpy(facts->format, "dense");
    struct stat info;
    if (stat(path, &info) == 0)
        facts->file_bytes = info.st_size;
    int code = count_parameters(facts, network);
    if (code)
        return code;
    prune_cost *cost = NULL;
    int32_t status = prune_cost_create(&cost, NULL);
    if (status)
        return complain_status(status, NULL);
    for (int32_t i = 0; i < prune_network_node_count(network) && !code; i++)
        if (strncmp(prune_network_node_op(network, i), "linear", 6) == 0)
            code = add_layer(facts, network, i, cost);
    prune_cost_free(cost);
    if (code)
        return code;
    status = prune_energy_inference(facts->words, (double)facts->macs_done, facts->activations, &facts->energy);
    return status ? complain_status(status, NULL) : DONE;
}
