/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The parameters of a network: reading, masking, initial values, copies, and packing into sparse formats.
 */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "model/network/network.h"

int32_t prune_network_parameter_count(const prune_network *network)
{
    return network ? network->parameter_count : 0;
}

const char *prune_network_parameter_name(const prune_network *network, int32_t index)
{
    return network && index >= 0 && index < network->parameter_count ? network->parameters[index].name : NULL;
}

static struct pm_network_parameter *find(const prune_network *network, const char *name)
{
    int32_t index = network ? pm_find_parameter(network, name) : -1;
    return index < 0 ? NULL : &network->parameters[index];
}

prune_tensor *prune_network_parameter(prune_network *network, const char *name)
{
    const struct pm_network_parameter *parameter = find(network, name);
    return parameter ? parameter->dense : NULL;
}

const prune_mask *prune_network_mask(const prune_network *network, const char *name)
{
    const struct pm_network_parameter *parameter = find(network, name);
    return parameter ? parameter->mask : NULL;
}

const prune_sparse *prune_network_sparse(const prune_network *network, const char *name)
{
    const struct pm_network_parameter *parameter = find(network, name);
    return parameter ? parameter->sparse : NULL;
}

int32_t prune_network_is_packed(const prune_network *network)
{
    for (int32_t i = 0; network && i < network->parameter_count; i++)
        if (network->parameters[i].sparse)
            return 1;
    return 0;
}

int32_t prune_network_set_mask(prune_network *network, const char *name, const prune_mask *mask)
{
    prune_mask *copy = NULL;
    PR_REQUIRE(network);
    PR_REQUIRE(name);
    struct pm_network_parameter *parameter = find(network, name);
    if (!parameter)
        return pr_fail(PRUNE_E_ARGUMENT, "there is no parameter \"%.200s\" in this network", name);
    if (!parameter->dense)
        return pr_fail(PRUNE_E_UNSUPPORTED, "parameter \"%s\" is sparse; prune the network it was packed from", name);
    if (mask) {
        if (prune_mask_rank(mask) != parameter->form.rank ||
            memcmp(prune_mask_shape(mask), parameter->form.shape,
                   (size_t)parameter->form.rank * sizeof *parameter->form.shape) != 0)
            return pr_fail(PRUNE_E_SHAPE,
                           "the mask of \"%s\" has rank %d and %lld elements; the parameter has rank %d and "
                           "%lld, and shapes must be equal",
                           name, (int)prune_mask_rank(mask), (long long)prune_mask_count(mask),
                           (int)parameter->form.rank, (long long)prune_tensor_count(parameter->dense));
        PR_TRY(prune_mask_copy(&copy, mask));
        int32_t status = prune_mask_apply(copy, parameter->dense);
        if (status) {
            prune_mask_free(copy);
            return status;
        }
    }
    prune_mask_free(parameter->mask);
    parameter->mask = copy;
    return PRUNE_OK;
}

int32_t pm_find_unmasked(const prune_tensor *tensor, const prune_mask *mask, int64_t *index, float *value)
{
    const float *numbers = prune_tensor_const_data(tensor);
    int64_t count = prune_tensor_count(tensor);
    uint8_t *kept;
    PR_TRY(pr_alloc(prune_tensor_context(tensor), count, 1, &kept));
    int32_t status = prune_mask_to_bytes(mask, kept, count);
    int64_t i = 0;
    while (!status && i < count && (kept[i] || numbers[i] == 0))
        i++;
    if (!status) {
        *index = i < count ? i : -1;
        *value = i < count ? numbers[i] : 0;
    }
    pr_release(prune_tensor_context(tensor), kept);
    return status;
}

int32_t prune_network_initialize(prune_network *network, uint64_t seed)
{
    struct pr_rng rng;
    PR_REQUIRE(network);
    if (prune_network_is_packed(network))
        return pr_fail(PRUNE_E_UNSUPPORTED, "a packed network cannot be initialised; its weights are sparse");
    pr_rng_seed(&rng, seed);
    for (int32_t i = 0; i < network->parameter_count; i++) {
        struct pm_network_parameter *parameter = &network->parameters[i];
        float *numbers = prune_tensor_data(parameter->dense);
        int64_t count = prune_tensor_count(parameter->dense);
        if (parameter->form.fan_in) {
            double limit = sqrt(6.0 / (double)parameter->form.fan_in);
            for (int64_t j = 0; j < count; j++)
                numbers[j] = (float)(limit * (2 * pr_rng_uniform(&rng) - 1));
        } else {
            memset(numbers, 0, (size_t)count * sizeof *numbers);
        }
        if (parameter->mask)
            PR_TRY(prune_mask_apply(parameter->mask, parameter->dense));
    }
    return PRUNE_OK;
}

/* The same graph with parameters that hold nothing yet. */
static int32_t copy_graph(prune_network *to, const prune_network *from)
{
    for (int32_t i = 0; i < from->value_count; i++) {
        const struct pm_network_value *value = &from->values[i];
        const struct pm_network_node *node = value->node < 0 ? NULL : &from->nodes[value->node];
        if (!node)
            PR_TRY(prune_network_add_input(to, value->name, value->shape.rank, value->shape.extents));
        else
            PR_TRY(pm_network_add_node(to, node->name, node->spec, from->values[node->input].name, value->name, 0));
    }
    for (int32_t i = 0; i < from->output_count; i++)
        PR_TRY(prune_network_add_output(to, from->values[from->outputs[i]].name));
    return PRUNE_OK;
}

static int32_t copy_sparse(prune_sparse **out, const prune_sparse *sparse)
{
    const prune_tensor *parts[8];
    int32_t count = prune_sparse_part_count(sparse);
    if (count > (int32_t)(sizeof parts / sizeof *parts))
        return pr_fail(PRUNE_E_UNSUPPORTED, "a sparse format of %d parts cannot be copied", (int)count);
    for (int32_t i = 0; i < count; i++)
        parts[i] = prune_sparse_part(sparse, i);
    return prune_sparse_import(out, prune_sparse_context(sparse), prune_sparse_spec(sparse), prune_sparse_rank(sparse),
                               prune_sparse_shape(sparse), parts, count);
}

/* A parameter that is sparse already is taken apart and packed again. */
static int32_t pack_parameter(prune_sparse **out, const struct pm_network_parameter *from, const char *spec)
{
    prune_tensor *dense = NULL;
    prune_mask *mask = NULL;
    int32_t status = PRUNE_OK;
    if (from->sparse) {
        status = prune_sparse_to_tensor(&dense, from->sparse);
        if (!status)
            status = prune_sparse_to_mask(&mask, from->sparse);
    }
    if (!status)
        status = prune_sparse_create(out, from->sparse ? dense : from->dense, from->sparse ? mask : from->mask, spec);
    prune_tensor_free(dense);
    prune_mask_free(mask);
    return status ? pr_fail_in(status, "packing \"%s\"", from->name) : PRUNE_OK;
}

static int32_t copy_parameter(struct pm_network_parameter *to, const struct pm_network_parameter *from)
{
    if (from->sparse)
        return copy_sparse(&to->sparse, from->sparse);
    PR_TRY(prune_tensor_convert(&to->dense, from->dense, PRUNE_F32));
    return from->mask ? prune_mask_copy(&to->mask, from->mask) : PRUNE_OK;
}

/* Copies everything; with a `spec`, the matrices of products become sparse. */
static int32_t copy_network(prune_network **out, const prune_network *from, const char *spec)
{
    prune_network *to;
    PR_TRY(prune_network_create(&to, from->context));
    int32_t status = copy_graph(to, from);
    for (int32_t i = 0; !status && i < from->node_count; i++) {
        const struct pm_network_node *node = &from->nodes[i];
        for (int32_t j = 0; !status && j < node->parameter_count; j++) {
            struct pm_network_parameter *target = &to->parameters[node->parameter + j];
            const struct pm_network_parameter *source = &from->parameters[node->parameter + j];
            int packs = spec && node->op->role == PM_PRODUCT && j == 0;
            status = packs ? pack_parameter(&target->sparse, source, spec) : copy_parameter(target, source);
        }
    }
    if (status) {
        prune_network_free(to);
        return status;
    }
    *out = to;
    return PRUNE_OK;
}

int32_t prune_network_copy(prune_network **out, const prune_network *network)
{
    PR_REQUIRE(out);
    PR_REQUIRE(network);
    return copy_network(out, network, NULL);
}

int32_t prune_network_pack(prune_network **out, const prune_network *network, const char *spec)
{
    PR_REQUIRE(out);
    PR_REQUIRE(network);
    PR_REQUIRE(spec);
    return copy_network(out, network, spec);
}
