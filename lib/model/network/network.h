/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The network from the inside: values, nodes and parameters in three lists, linked by numbers.
 */
#ifndef PM_NETWORK_NETWORK_H
#define PM_NETWORK_NETWORK_H

#include "base/alloc.h"
#include "model/network/link.h"
#include "prune/network.h"

struct pm_network_value {
    char *name;
    struct pm_sample_shape shape;
    int32_t node; /* that makes it; -1 for an input */
};

/* Dense, with or without a mask, or sparse. */
struct pm_network_parameter {
    char *name;
    struct pm_parameter_form form;
    prune_tensor *dense;
    prune_mask *mask;
    prune_sparse *sparse;
};

struct pm_network_node {
    char *name;
    char *spec; /* canonical */
    const struct pm_link *op;
    struct pr_values attributes;
    int32_t input, output;              /* values */
    int32_t parameter, parameter_count; /* the first, and how many follow it */
};

struct prune_network {
    prune_context *context;
    struct pm_network_value *values;
    struct pm_network_node *nodes;
    struct pm_network_parameter *parameters;
    int32_t *outputs;
    int32_t value_count, node_count, parameter_count, output_count;
    int32_t value_room, node_room, parameter_room, output_room;
};

/* As prune_network_add_node; without `with_parameters` their tensors stay NULL, for a reader that has them already. */
int32_t pm_network_add_node(prune_network *network, const char *name, const char *op, const char *input,
                            const char *output, int with_parameters);

/* The number of a value, a parameter; -1 for none of that name. */
int32_t pm_find_value(const prune_network *network, const char *name);
int32_t pm_find_parameter(const prune_network *network, const char *name);

/* The first pruned element that is not zero (row-major number), or -1; *value is what stands there. */
int32_t pm_find_unmasked(const prune_tensor *tensor, const prune_mask *mask, int64_t *index, float *value);

/* The graph as the text of the metadata key "prune.graph", and back, without parameters. *text is the context's. */
int32_t pm_network_to_json(const prune_network *network, char **text);
int32_t pm_network_from_json(prune_network **out, prune_context *context, const char *text);

/* The one input of a network that can be fed; PRUNE_E_UNSUPPORTED for any other number of inputs, PRUNE_E_ARGUMENT
 * when there is no output. `what` is who asks, for the sentence. */
int32_t pm_single_input(const prune_network *network, const char *what, int32_t *input);

/* Images as rows of the input: F32 of rank 1 or more, `size` elements a sample. *rows is `images`, or a row-major copy
 * that is *copy as well. */
int32_t pm_samples(const prune_tensor *images, int64_t size, const float **rows, int64_t *count, prune_tensor **copy);

/* Labels: I64 [count], each 0 to classes - 1. As above. */
int32_t pm_labels(const prune_tensor *labels, int64_t count, int64_t classes, const int64_t **rows,
                  prune_tensor **copy);

#endif
