/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A network as a safetensors file: the graph in the metadata key "prune.graph" (see graph_json.c), each parameter as
 * the tensor of its name or as the sparse group of that name, the mask of NODE.weight as NODE.mask and that of any
 * other parameter P as P.mask (bool, true = kept; absent: all kept).
 *
 * A tensor that belongs to nothing is refused: were it kept aside, a mask whose name has a slip would be lost without a
 * word. Metadata of other names is for others and is not looked at.
 */
#include <stdio.h>
#include <string.h>

#include "model/network/network.h"
#include "prune/file.h"

#define GRAPH_KEY "prune.graph"
#define MAX_TENSOR_NAME 400

static void mask_name(char out[MAX_TENSOR_NAME], const char *parameter)
{
    static const char suffix[] = ".weight";
    size_t length = strlen(parameter);
    if (length > sizeof suffix - 1 && strcmp(parameter + length - (sizeof suffix - 1), suffix) == 0)
        length -= sizeof suffix - 1;
    snprintf(out, MAX_TENSOR_NAME, "%.*s.mask", (int)length, parameter);
}

/* "row 2, column 7" for a matrix, else the row-major number. */
static void say_position(char out[80], const struct pm_parameter_form *form, int64_t index)
{
    if (form->rank == 2)
        snprintf(out, 80, "row %lld, column %lld", (long long)(index / form->shape[1]),
                 (long long)(index % form->shape[1]));
    else
        snprintf(out, 80, "element %lld", (long long)index);
}

static int32_t check_masked(const struct pm_network_parameter *parameter, const prune_mask *mask, int32_t status)
{
    int64_t index = -1;
    float value = 0;
    char position[80];
    PR_TRY(pm_find_unmasked(parameter->dense, mask, &index, &value));
    if (index < 0)
        return PRUNE_OK;
    say_position(position, &parameter->form, index);
    return pr_fail(status, "\"%s\" has %g at %s, which its mask prunes; it must be 0", parameter->name, (double)value,
                   position);
}

static int32_t add_mask(prune_archive *archive, const struct pm_network_parameter *parameter, prune_context *context)
{
    char name[MAX_TENSOR_NAME];
    prune_tensor *bytes;
    mask_name(name, parameter->name);
    PR_TRY(check_masked(parameter, parameter->mask, PRUNE_E_VALUE));
    PR_TRY(prune_tensor_create(&bytes, context, PRUNE_BOOL, parameter->form.rank, parameter->form.shape));
    int32_t status = prune_mask_to_bytes(parameter->mask, prune_tensor_data(bytes), prune_tensor_count(bytes));
    if (!status)
        status = prune_archive_add(archive, name, bytes);
    prune_tensor_free(bytes);
    return status;
}

static int32_t fill_archive(prune_archive *archive, const prune_network *network)
{
    char *text;
    PR_TRY(pm_network_to_json(network, &text));
    int32_t status = prune_archive_add_text(archive, GRAPH_KEY, text);
    pr_release(network->context, text);
    for (int32_t i = 0; !status && i < network->parameter_count; i++) {
        const struct pm_network_parameter *parameter = &network->parameters[i];
        status = parameter->sparse ? prune_archive_add_sparse(archive, parameter->name, parameter->sparse)
                                   : prune_archive_add(archive, parameter->name, parameter->dense);
        if (!status && parameter->mask)
            status = add_mask(archive, parameter, network->context);
    }
    return status;
}

int32_t prune_network_write(const prune_network *network, const char *path)
{
    prune_archive *archive;
    PR_REQUIRE(network);
    PR_REQUIRE(path);
    if (network->output_count < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "%.200s: the network has no output; add one before it is written", path);
    PR_TRY(prune_archive_create(&archive, network->context));
    int32_t status = fill_archive(archive, network);
    if (status)
        pr_fail_in(status, "%.200s", path);
    else
        status = prune_archive_write(archive, path);
    prune_archive_free(archive);
    return status;
}

static int is_shape(const struct pm_parameter_form *form, int32_t rank, const int64_t *shape)
{
    return rank == form->rank && memcmp(shape, form->shape, (size_t)rank * sizeof *shape) == 0;
}

static int32_t check_shape(const char *name, const struct pm_parameter_form *form, int32_t rank, const int64_t *shape)
{
    char wanted[2][64];
    const struct pm_parameter_form found = {.rank = rank, .shape = {rank > 0 ? shape[0] : 0, rank > 1 ? shape[1] : 0}};
    if (is_shape(form, rank, shape))
        return PRUNE_OK;
    for (int i = 0; i < 2; i++) {
        const struct pm_parameter_form *f = i ? &found : form;
        if (f->rank == 2)
            snprintf(wanted[i], sizeof wanted[i], "[%lld, %lld]", (long long)f->shape[0], (long long)f->shape[1]);
        else if (f->rank == 1)
            snprintf(wanted[i], sizeof wanted[i], "[%lld]", (long long)f->shape[0]);
        else
            snprintf(wanted[i], sizeof wanted[i], "of rank %d", (int)f->rank);
    }
    return pr_fail(PRUNE_E_FORMAT, "tensor \"%s\" is %s; the graph needs %s", name, wanted[1], wanted[0]);
}

static int32_t read_mask(struct pm_network_parameter *parameter, const char *name, const prune_tensor *tensor)
{
    if (prune_tensor_dtype(tensor) != PRUNE_BOOL)
        return pr_fail(PRUNE_E_FORMAT, "mask \"%s\" is %s; it must be bool", name,
                       prune_dtype_name(prune_tensor_dtype(tensor)));
    PR_TRY(check_shape(name, &parameter->form, prune_tensor_rank(tensor), prune_tensor_shape(tensor)));
    int32_t status = prune_mask_from_bool(&parameter->mask, tensor);
    if (status)
        return pr_fail_in(status == PRUNE_E_VALUE ? PRUNE_E_FORMAT : status, "mask \"%s\"", name);
    PR_TRY(check_masked(parameter, parameter->mask, PRUNE_E_FORMAT));
    return prune_mask_apply(parameter->mask, parameter->dense); /* -0.0 */
}

static int32_t read_dense(struct pm_network_parameter *parameter, const prune_tensor *tensor)
{
    int32_t dtype = prune_tensor_dtype(tensor);
    if (dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_BF16)
        return pr_fail(PRUNE_E_FORMAT, "tensor \"%s\" is %s; a parameter must be f32, f16 or bf16", parameter->name,
                       prune_dtype_name(dtype));
    PR_TRY(check_shape(parameter->name, &parameter->form, prune_tensor_rank(tensor), prune_tensor_shape(tensor)));
    return prune_tensor_convert(&parameter->dense, tensor, PRUNE_F32);
}

/* One parameter; *used grows by the tensors that belong to it. */
static int32_t read_parameter(struct pm_network_parameter *parameter, const prune_archive *archive, int may_be_sparse,
                              int32_t *used)
{
    char name[MAX_TENSOR_NAME];
    mask_name(name, parameter->name);
    const prune_tensor *dense = prune_archive_find(archive, parameter->name), *mask = prune_archive_find(archive, name);
    int32_t status = prune_archive_find_sparse(&parameter->sparse, archive, parameter->name);
    if (status && status != PRUNE_E_NOTFOUND)
        return status;
    if (!dense && !parameter->sparse)
        return pr_fail(PRUNE_E_FORMAT, "parameter \"%s\" is missing", parameter->name);
    if (parameter->sparse && (dense || mask))
        return pr_fail(PRUNE_E_FORMAT, "parameter \"%s\" is sparse and has a %s as well", parameter->name,
                       dense ? "dense tensor" : "mask");
    if (parameter->sparse && !may_be_sparse)
        return pr_fail(PRUNE_E_FORMAT, "parameter \"%s\" is sparse; only the weights of products may be",
                       parameter->name);
    if (parameter->sparse) {
        *used += prune_sparse_part_count(parameter->sparse) + 1;
        return check_shape(parameter->name, &parameter->form, prune_sparse_rank(parameter->sparse),
                           prune_sparse_shape(parameter->sparse));
    }
    *used += 1 + (mask != NULL);
    PR_TRY(read_dense(parameter, dense));
    return mask ? read_mask(parameter, name, mask) : PRUNE_OK;
}

static int is_part(const struct pm_network_parameter *parameter, const char *name)
{
    size_t length = strlen(parameter->name);
    if (strncmp(name, parameter->name, length) != 0 || name[length] != '.')
        return 0;
    for (int32_t i = 0; i < prune_sparse_part_count(parameter->sparse); i++)
        if (strcmp(prune_sparse_part_name(parameter->sparse, i), name + length + 1) == 0)
            return 1;
    return strcmp(name + length + 1, "shape") == 0;
}

static int is_used(const prune_network *network, const char *name)
{
    for (int32_t i = 0; i < network->parameter_count; i++) {
        const struct pm_network_parameter *parameter = &network->parameters[i];
        char mask[MAX_TENSOR_NAME];
        mask_name(mask, parameter->name);
        if (parameter->sparse ? is_part(parameter, name)
                              : strcmp(parameter->name, name) == 0 || (parameter->mask && strcmp(mask, name) == 0))
            return 1;
    }
    return 0;
}

static int32_t read_parameters(prune_network *network, const prune_archive *archive)
{
    int32_t used = 0;
    for (int32_t i = 0; i < network->node_count; i++) {
        const struct pm_network_node *node = &network->nodes[i];
        for (int32_t j = 0; j < node->parameter_count; j++)
            PR_TRY(read_parameter(&network->parameters[node->parameter + j], archive,
                                  node->op->role == PM_PRODUCT && j == 0, &used));
    }
    if (used == prune_archive_count(archive))
        return PRUNE_OK;
    for (int32_t i = 0; i < prune_archive_count(archive); i++)
        if (!is_used(network, prune_archive_name(archive, i)))
            return pr_fail(PRUNE_E_FORMAT, "tensor \"%.100s\" belongs to no node of the graph",
                           prune_archive_name(archive, i));
    return pr_fail(PRUNE_E_FORMAT, "two parameters share a tensor; the graph's names are ambiguous");
}

static int32_t read_archive(prune_network **out, prune_context *context, const prune_archive *archive)
{
    const char *text = prune_archive_text(archive, GRAPH_KEY);
    prune_network *network;
    if (!text)
        return pr_fail(PRUNE_E_FORMAT, "there is no metadata \"" GRAPH_KEY "\"; this is not a network's file");
    PR_TRY(pm_network_from_json(&network, context, text));
    int32_t status = read_parameters(network, archive);
    if (status) {
        prune_network_free(network);
        return status;
    }
    *out = network;
    return PRUNE_OK;
}

int32_t prune_network_read(prune_network **out, prune_context *context, const char *path)
{
    prune_archive *archive;
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    PR_TRY(prune_archive_read(&archive, context, path));
    int32_t status = read_archive(out, context, archive);
    prune_archive_free(archive);
    return status ? pr_fail_in(status, "%.200s", path) : PRUNE_OK;
}
