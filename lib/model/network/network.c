/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Building a graph. Each addition is made aside and then put in place, so that a failure leaves the network as it was.
 */
#include <stdio.h>
#include <string.h>

#include "model/network/network.h"

#define MAX_NAME 255

int32_t prune_network_create(prune_network **out, prune_context *context)
{
    prune_network *network;
    PR_REQUIRE(out);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *network, &network));
    network->context = prune_context_retain(context);
    *out = network;
    return PRUNE_OK;
}

static void free_parameter(prune_context *context, struct pm_network_parameter *parameter)
{
    pr_release(context, parameter->name);
    prune_tensor_free(parameter->dense);
    prune_mask_free(parameter->mask);
    prune_sparse_free(parameter->sparse);
}

static void free_node(prune_context *context, struct pm_network_node *node)
{
    pr_release(context, node->name);
    pr_release(context, node->spec);
}

void prune_network_free(prune_network *network)
{
    if (!network)
        return;
    prune_context *context = network->context;
    for (int32_t i = 0; i < network->value_count; i++)
        pr_release(context, network->values[i].name);
    for (int32_t i = 0; i < network->node_count; i++)
        free_node(context, &network->nodes[i]);
    for (int32_t i = 0; i < network->parameter_count; i++)
        free_parameter(context, &network->parameters[i]);
    pr_release(context, network->values);
    pr_release(context, network->nodes);
    pr_release(context, network->parameters);
    pr_release(context, network->outputs);
    pr_release(context, network);
    prune_context_free(context);
}

int32_t pm_find_value(const prune_network *network, const char *name)
{
    int32_t i = network->value_count - 1;
    while (i >= 0 && strcmp(network->values[i].name, name) != 0)
        i--;
    return i;
}

int32_t pm_find_parameter(const prune_network *network, const char *name)
{
    int32_t i = name ? network->parameter_count - 1 : -1;
    while (i >= 0 && strcmp(network->parameters[i].name, name) != 0)
        i--;
    return i;
}

/* Room for `more` elements behind `count`; *array moves, nothing else changes. */
static int32_t reserve(prune_context *context, void *array, int32_t count, int32_t *room, int32_t more, size_t size)
{
    void *old, *grown;
    memcpy(&old, array, sizeof old);
    if (count > INT32_MAX / 4)
        return pr_fail(PRUNE_E_OVERFLOW, "a network of %d parts is full", (int)count);
    if (count + more <= *room)
        return PRUNE_OK;
    int32_t wanted = 2 * count + more + 4;
    PR_TRY(pr_alloc(context, wanted, (int64_t)size, &grown));
    if (count)
        memcpy(grown, old, (size_t)count * size);
    pr_release(context, old);
    memcpy(array, &grown, sizeof grown);
    *room = wanted;
    return PRUNE_OK;
}

/* Names go into files, specs and sentences: printable ASCII without spaces keeps all three plain. */
static int32_t check_name(const char *name, const char *what)
{
    size_t length = strlen(name);
    for (size_t i = 0; i < length && i <= MAX_NAME; i++)
        if (name[i] <= ' ' || name[i] > '~')
            return pr_fail(PRUNE_E_ARGUMENT,
                           "byte %zu of the name of the %s is 0x%02x; names are printable ASCII without "
                           "spaces",
                           i, what, (unsigned)(unsigned char)name[i]);
    if (length == 0 || length > MAX_NAME)
        return pr_fail(PRUNE_E_ARGUMENT, "the name of the %s has %zu bytes; it must have 1 to %d", what, length,
                       MAX_NAME);
    return PRUNE_OK;
}

static int32_t check_new_value(const prune_network *network, const char *name)
{
    PR_TRY(check_name(name, "value"));
    if (pm_find_value(network, name) >= 0)
        return pr_fail(PRUNE_E_ARGUMENT, "there is a value \"%s\" already; each value is made once", name);
    return PRUNE_OK;
}

/* Puts a value in place; there must be room. */
static int32_t put_value(prune_network *network, const char *name, const struct pm_sample_shape *shape, int32_t node)
{
    char *copy;
    PR_TRY(pr_copy_text(network->context, name, &copy));
    network->values[network->value_count++] = (struct pm_network_value){copy, *shape, node};
    return PRUNE_OK;
}

int32_t prune_network_add_input(prune_network *network, const char *value, int32_t rank, const int64_t *shape)
{
    struct pm_sample_shape held = {.rank = rank};
    PR_REQUIRE(network);
    PR_REQUIRE(value);
    if (rank < 0 || rank > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_SHAPE, "input \"%s\": rank %d is outside 0 to %d", value, (int)rank, PRUNE_MAX_RANK);
    if (rank > 0)
        PR_REQUIRE(shape);
    PR_TRY(check_new_value(network, value));
    for (int32_t i = 0; i < rank; i++) {
        if (shape[i] < 1)
            return pr_fail(PRUNE_E_SHAPE, "input \"%s\": extent %d is %lld; it must be 1 or more", value, (int)i,
                           (long long)shape[i]);
        held.extents[i] = shape[i];
    }
    PR_TRY(pr_count(rank, shape, &held.count));
    PR_TRY(reserve(network->context, &network->values, network->value_count, &network->value_room, 1,
                   sizeof *network->values));
    return put_value(network, value, &held, -1);
}

/* Fills the parameters behind the last one; the caller takes them into the list or frees them. */
static int32_t make_parameters(prune_network *network, const struct pm_network_node *node, int with_tensors)
{
    struct pm_network_parameter *made = &network->parameters[network->parameter_count];
    for (int32_t i = 0; i < node->parameter_count; i++) {
        char text[MAX_NAME + 64];
        node->op->parameter(&node->attributes, i, &made[i].form);
        snprintf(text, sizeof text, "%s.%s", node->name, made[i].form.suffix);
        PR_TRY(pr_copy_text(network->context, text, &made[i].name));
        if (with_tensors)
            PR_TRY(prune_tensor_create(&made[i].dense, network->context, PRUNE_F32, made[i].form.rank,
                                       made[i].form.shape));
    }
    return PRUNE_OK;
}

static int32_t count_parameters(const struct pm_network_node *node)
{
    struct pm_parameter_form form;
    int32_t count = 0;
    while (node->op->parameter && count < PM_MAX_NODE_PARAMETERS &&
           node->op->parameter(&node->attributes, count, &form))
        count++;
    return count;
}

static int32_t put_node(prune_network *network, struct pm_network_node *node, const char *name, const char *output,
                        const struct pm_sample_shape *shape, int with_parameters)
{
    prune_context *context = network->context;
    char spec[PR_MAX_SPEC];
    pr_spec_print(spec, &node->op->kind, &node->attributes);
    PR_TRY(pr_copy_text(context, name, &node->name));
    PR_TRY(pr_copy_text(context, spec, &node->spec));
    PR_TRY(reserve(context, &network->values, network->value_count, &network->value_room, 1, sizeof *network->values));
    PR_TRY(reserve(context, &network->nodes, network->node_count, &network->node_room, 1, sizeof *network->nodes));
    PR_TRY(reserve(context, &network->parameters, network->parameter_count, &network->parameter_room,
                   PM_MAX_NODE_PARAMETERS, sizeof *network->parameters));
    memset(&network->parameters[network->parameter_count], 0,
           (size_t)node->parameter_count * sizeof *network->parameters);
    int32_t status = make_parameters(network, node, with_parameters);
    if (!status)
        status = put_value(network, output, shape, network->node_count);
    if (status) {
        for (int32_t i = 0; i < node->parameter_count; i++)
            free_parameter(context, &network->parameters[network->parameter_count + i]);
        return status;
    }
    node->output = network->value_count - 1;
    node->parameter = network->parameter_count;
    network->parameter_count += node->parameter_count;
    network->nodes[network->node_count++] = *node;
    return PRUNE_OK;
}

int32_t pm_network_add_node(prune_network *network, const char *name, const char *op, const char *input,
                            const char *output, int with_parameters)
{
    struct pm_network_node node = {0};
    struct pm_sample_shape shape;
    PR_TRY(check_name(name, "node"));
    for (int32_t i = 0; i < network->node_count; i++)
        if (strcmp(network->nodes[i].name, name) == 0)
            return pr_fail(PRUNE_E_ARGUMENT, "there is a node \"%s\" already; names of nodes are unique", name);
    PR_TRY(check_new_value(network, output));
    PR_TRY(pm_link_parse(op, &node.op, &node.attributes));
    node.input = pm_find_value(network, input);
    if (node.input < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "node \"%s\" takes value \"%.*s\", which nothing before it makes", name,
                       MAX_NAME, input);
    int32_t status = node.op->shape(&node.attributes, &network->values[node.input].shape, &shape);
    if (status)
        return pr_fail_in(status, "node \"%s\"", name);
    node.parameter_count = count_parameters(&node);
    status = put_node(network, &node, name, output, &shape, with_parameters);
    if (status)
        free_node(network->context, &node);
    return status;
}

int32_t prune_network_add_node(prune_network *network, const char *node, const char *op, const char *input,
                               const char *output)
{
    PR_REQUIRE(network);
    PR_REQUIRE(node);
    PR_REQUIRE(op);
    PR_REQUIRE(input);
    PR_REQUIRE(output);
    return pm_network_add_node(network, node, op, input, output, 1);
}

int32_t prune_network_add_output(prune_network *network, const char *value)
{
    PR_REQUIRE(network);
    PR_REQUIRE(value);
    int32_t index = pm_find_value(network, value);
    if (index < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "output \"%.*s\" is no value of this network", MAX_NAME, value);
    for (int32_t i = 0; i < network->output_count; i++)
        if (network->outputs[i] == index)
            return pr_fail(PRUNE_E_ARGUMENT, "\"%s\" is output %d already", value, (int)i);
    PR_TRY(reserve(network->context, &network->outputs, network->output_count, &network->output_room, 1,
                   sizeof *network->outputs));
    network->outputs[network->output_count++] = index;
    return PRUNE_OK;
}

int32_t pm_single_input(const prune_network *network, const char *what, int32_t *input)
{
    int32_t found = -1, count = 0;
    for (int32_t i = 0; i < network->value_count; i++)
        if (network->values[i].node < 0) {
            found = count++ ? found : i;
        }
    if (count != 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s: the network has %d inputs; this version feeds exactly 1", what,
                       (int)count);
    if (network->output_count < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: the network has no output; add one", what);
    *input = found;
    return PRUNE_OK;
}

int32_t prune_network_node_count(const prune_network *network)
{
    return network ? network->node_count : 0;
}

const char *prune_network_node_name(const prune_network *network, int32_t index)
{
    return network && index >= 0 && index < network->node_count ? network->nodes[index].name : NULL;
}

const char *prune_network_node_op(const prune_network *network, int32_t index)
{
    return network && index >= 0 && index < network->node_count ? network->nodes[index].spec : NULL;
}

int32_t prune_network_output_count(const prune_network *network)
{
    return network ? network->output_count : 0;
}

const char *prune_network_output_name(const prune_network *network, int32_t index)
{
    return network && index >= 0 && index < network->output_count ? network->values[network->outputs[index]].name
                                                                  : NULL;
}
