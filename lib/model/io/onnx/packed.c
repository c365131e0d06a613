/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed models: a safetensors file that holds an ONNX model without the numbers of its pruned parameters ("model") and
 * these as the kernels want them ("blob.0", "blob.1", ..., beside each a string that says which matrix it is, and one
 * how it was packed). The numbers are read back out of the blobs, so that the graph is whole.
 */
#include <stdio.h>
#include <string.h>

#include "base/spec.h"
#include "model/graph/packs.h"
#include "model/graph/session.h"
#include "model/io/onnx/onnx.h"

#define MARK "prune.packed_model"

int pm_packed_is(const struct pm_input *file)
{
    unsigned char head[9];
    int64_t length = 0;
    if (file->size < (int64_t)sizeof head || pm_input_read(file, 0, head, sizeof head))
        return 0;
    for (int i = 3; i >= 0; i--)
        length = length * 256 + head[i];
    return head[8] == '{' && head[4] == 0 && head[5] == 0 && head[6] == 0 && head[7] == 0 && length <= file->size - 8;
}

#define WHOLE(key, from)                                                                                               \
    {                                                                                                                  \
        .name = (key), .type = PR_WHOLE, .least = (from), .most = 9007199254740992.0, .help = "" /* 2^53 */            \
    }
static const struct pr_parameter places[] = {WHOLE("parameter", 0), WHOLE("rows", 1),       WHOLE("columns", 1),
                                             WHOLE("first", 0),     WHOLE("row_stride", 0), WHOLE("column_stride", 0),
                                             {.name = NULL}};

/* Number `index` of the file's blobs, whose data is the archive's; *is_there 0 behind the last. */
static int32_t find_blob(const prune_archive *archive, int32_t index, struct pm_blob *blob, int *is_there)
{
    char name[32], packing[32];
    struct pr_values values;
    snprintf(name, sizeof name, "blob.%d", (int)index);
    snprintf(packing, sizeof packing, "blob.%d.weights", (int)index);
    const prune_tensor *data = prune_archive_find(archive, name);
    const char *place = prune_archive_text(archive, name), *weights = prune_archive_text(archive, packing);
    *is_there = data != NULL;
    if (!data)
        return PRUNE_OK;
    if (!place || !weights || strlen(weights) >= sizeof blob->weights)
        return pr_fail(PRUNE_E_FORMAT, "\"%s\" has no string that says which weights it is", name);
    if (prune_tensor_dtype(data) != PRUNE_U8 || prune_tensor_rank(data) != 1)
        return pr_fail(PRUNE_E_FORMAT, "\"%s\" is %s of rank %d; it must be u8 of rank 1", name,
                       prune_dtype_name(prune_tensor_dtype(data)), (int)prune_tensor_rank(data));
    int32_t status = pr_spec_parse_list(place, name, places, &values);
    if (status || values.whole[0] > INT32_MAX)
        return pr_fail(PRUNE_E_FORMAT, "\"%s\" is said to be \"%s\", which is no place of weights", name,
                       PM_SHOW(place));
    *blob = (struct pm_blob){.parameter = (int32_t)values.whole[0],
                             .rows = values.whole[1],
                             .columns = values.whole[2],
                             .first = values.whole[3],
                             .row_stride = values.whole[4],
                             .column_stride = values.whole[5],
                             .bytes = prune_tensor_count(data),
                             .data = (void *)(uintptr_t)prune_tensor_const_data(data)};
    memcpy(blob->weights, weights, strlen(weights) + 1);
    return PRUNE_OK;
}

static int32_t find_blobs(const prune_archive *archive, struct pm_packs *packs)
{
    int is_there = 1;
    while (is_there) {
        struct pm_blob blob;
        PR_TRY(find_blob(archive, packs->count, &blob, &is_there));
        if (is_there)
            PR_TRY(pm_packs_add(packs, &blob));
    }
    if (prune_archive_count(archive) != packs->count + 1)
        return pr_fail(PRUNE_E_FORMAT, "it has %d tensors; \"model\" and the blobs 0 to %d are known",
                       (int)prune_archive_count(archive), (int)packs->count - 1);
    return PRUNE_OK;
}

static int32_t parameter_of_place(const pm_tensor_message *tensor, int32_t *parameter)
{
    const size_t length = sizeof PM_PACKED_PLACE - 1;
    const char *place = NULL;
    for (size_t i = 0; i < tensor->n_external_data; i++)
        if (tensor->external_data[i]->key && strcmp(tensor->external_data[i]->key, "location") == 0)
            place = tensor->external_data[i]->value;
    if (!place || strncmp(place, PM_PACKED_PLACE, length) != 0)
        return pr_fail(PRUNE_E_FORMAT, "its numbers lie in \"%s\"; those of a packed model are in its file",
                       PM_SHOW(place ? place : ""));
    int64_t number = 0;
    const char *at = place + length;
    for (; *at >= '0' && *at <= '9' && number <= INT32_MAX; at++)
        number = 10 * number + *at - '0';
    if (*at || at == place + length || number > INT32_MAX)
        return pr_fail(PRUNE_E_FORMAT, "its numbers lie in \"%s\", which is no number of a parameter", PM_SHOW(place));
    *parameter = (int32_t)number;
    return PRUNE_OK;
}

/* The numbers of a tensor out of the blobs. */
static int32_t fill(struct pm_onnx *onnx, const struct pm_packs *packs, pm_tensor_message *tensor)
{
    int32_t parameter = -1;
    int64_t count = 0, bytes = 0, accounted = 0;
    const struct pm_element *element = pm_onnx_element(tensor->data_type);
    PR_TRY(parameter_of_place(tensor, &parameter));
    if (!element || element->dtype != PRUNE_F32)
        return pr_fail(PRUNE_E_FORMAT, "its data_type is %d; packed weights are f32 (1)", (int)tensor->data_type);
    PR_TRY(pm_onnx_bytes(tensor, element, &count, &bytes));
    for (int32_t i = 0; i < packs->count; i++)
        if (packs->blobs[i].parameter == parameter)
            accounted += packs->blobs[i].bytes;
    if (!accounted)
        return pr_fail(PRUNE_E_FORMAT, "its numbers are left out and the file has no packed ones of parameter %d",
                       (int)parameter);
    if (count / PM_MOST_PER_BYTE > accounted)
        return pr_fail(PRUNE_E_FORMAT,
                       "%lld bytes of packed weights stand for its %lld numbers; no more than %d a byte "
                       "can",
                       (long long)accounted, (long long)count, PM_MOST_PER_BYTE);
    PR_TRY(pm_arena_alloc(&onnx->arena, bytes, &tensor->raw_data.data));
    memset(tensor->raw_data.data, 0, (size_t)bytes);
    tensor->raw_data.len = (size_t)bytes;
    for (int32_t i = 0; i < packs->count; i++)
        if (packs->blobs[i].parameter == parameter)
            PR_TRY(pm_blob_unpack(&packs->blobs[i], (float *)(void *)tensor->raw_data.data, NULL, count));
    pm_to_native(tensor->raw_data.data, 4, count, 0);
    tensor->has_raw_data = 1;
    tensor->n_external_data = 0;
    tensor->has_data_location = 0;
    tensor->data_location = 0;
    return PRUNE_OK;
}

static int32_t visit(struct pm_onnx *onnx, const struct pm_packs *packs, pm_tensor_message *tensor)
{
    if (!tensor || tensor->data_location != PM_ONNX_EXTERNAL)
        return PRUNE_OK;
    int32_t status = fill(onnx, packs, tensor);
    return status ? pr_fail_in(status, "tensor \"%s\"", PM_SHOW(tensor->name ? tensor->name : "")) : PRUNE_OK;
}

static int32_t fill_graph(struct pm_onnx *onnx, const struct pm_packs *packs, pm_graph_message *graph)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        PR_TRY(visit(onnx, packs, graph->initializer[i]));
    for (size_t i = 0; i < graph->n_sparse_initializer; i++) {
        PR_TRY(visit(onnx, packs, graph->sparse_initializer[i]->values));
        PR_TRY(visit(onnx, packs, graph->sparse_initializer[i]->indices));
    }
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t j = 0; j < graph->node[i]->n_attribute; j++) {
            pm_attribute_message *attribute = graph->node[i]->attribute[j];
            PR_TRY(visit(onnx, packs, attribute->t));
            if (attribute->g)
                PR_TRY(fill_graph(onnx, packs, attribute->g));
        }
    return PRUNE_OK;
}

/* What the blobs of a parameter hold, all of it. */
static int32_t unpack(const struct pm_packs *packs, int32_t parameter, float *numbers, uint8_t *kept, int64_t count)
{
    for (int32_t i = 0; i < packs->count; i++)
        if (packs->blobs[i].parameter == parameter)
            PR_TRY(pm_blob_unpack(&packs->blobs[i], numbers, kept, count));
    return PRUNE_OK;
}

static int is_packed(const struct pm_packs *packs, int32_t parameter)
{
    for (int32_t i = 0; i < packs->count; i++)
        if (packs->blobs[i].parameter == parameter)
            return 1;
    return 0;
}

/* *kept becomes the bytes of the mask that the blobs have, where the blobs hold the parameter as it is; else NULL.
 */
static int32_t compare(const prune_graph *graph, const struct pm_packs *packs, int32_t parameter, uint8_t **kept)
{
    const prune_tensor *tensor = graph->parameters[parameter]->tensor;
    int64_t count = prune_tensor_count(tensor), bytes = 0;
    uint8_t *bits = NULL;
    float *numbers = NULL;
    *kept = NULL;
    if (prune_tensor_dtype(tensor) != PRUNE_F32 || !prune_tensor_is_contiguous(tensor))
        return PRUNE_OK;
    PR_TRY(pr_mul(count, sizeof *numbers, &bytes));
    PR_TRY(pr_alloc_zero(graph->context, count, sizeof *numbers, &numbers));
    int32_t status = pr_alloc_zero(graph->context, count, 1, &bits);
    if (!status)
        status = unpack(packs, parameter, numbers, bits, count);
    int same = !status && memcmp(numbers, prune_tensor_const_data(tensor), (size_t)bytes) == 0;
    pr_release(graph->context, numbers);
    if (same)
        *kept = bits;
    else
        pr_release(graph->context, bits);
    return status;
}

/* Masks from the blobs, which must be what their parameters are. */
static int32_t set_masks(prune_graph *graph, const struct pm_packs *packs)
{
    for (int32_t i = 0; i < packs->count; i++)
        if (packs->blobs[i].parameter >= graph->parameter_count)
            return pr_fail(PRUNE_E_FORMAT, "\"blob.%d\" is of parameter %d; the model has %d", (int)i,
                           (int)packs->blobs[i].parameter, (int)graph->parameter_count);
    for (int32_t i = 0; i < graph->parameter_count; i++) {
        struct pm_parameter *parameter = graph->parameters[i];
        uint8_t *kept = NULL;
        if (!is_packed(packs, i))
            continue;
        const char *name = prune_graph_parameter_name(graph, i);
        PR_TRY(compare(graph, packs, i, &kept));
        if (!kept)
            return pr_fail(PRUNE_E_FORMAT, "the packed weights of \"%s\" are not those of the model", PM_SHOW(name));
        int32_t status =
            prune_mask_from_bytes(&parameter->mask, graph->context, prune_tensor_rank(parameter->tensor),
                                  prune_tensor_shape(parameter->tensor), kept, prune_tensor_count(parameter->tensor));
        pr_release(graph->context, kept);
        PR_TRY(status);
        parameter->is_packed = 1;
    }
    return PRUNE_OK;
}

static int32_t read_model(prune_graph **out, prune_context *context, const prune_archive *archive,
                          struct pm_packs *packs)
{
    const prune_tensor *model = prune_archive_find(archive, "model");
    struct pm_onnx *onnx = NULL;
    prune_graph *graph = NULL;
    if (!model || prune_tensor_dtype(model) != PRUNE_U8 || prune_tensor_rank(model) != 1)
        return pr_fail(PRUNE_E_FORMAT, "it has no u8 tensor \"model\" of rank 1; a packed model has one");
    PR_TRY(find_blobs(archive, packs));
    struct pm_input input = {.file = -1, .size = prune_tensor_count(model), .memory = prune_tensor_const_data(model)};
    PR_TRY(pm_onnx_load(&onnx, context, &input));
    onnx->arena.most = 0; /* blobs account for what follows */
    int32_t status = fill_graph(onnx, packs, onnx->model->graph);
    if (status) {
        pm_onnx_release(onnx);
        return status;
    }
    PR_TRY(pm_onnx_graph(&graph, context, onnx));
    status = set_masks(graph, packs);
    if (status) {
        prune_graph_free(graph);
        return status;
    }
    graph->packs = pm_packs_retain(packs);
    *out = graph;
    return PRUNE_OK;
}

int32_t pm_packed_read(prune_graph **out, prune_context *context, const char *path)
{
    prune_archive *archive = NULL;
    struct pm_packs *packs = NULL;
    PR_TRY(prune_archive_read(&archive, context, path));
    const char *version = prune_archive_text(archive, MARK);
    int32_t status = PRUNE_OK;
    if (!version)
        status = pr_fail(PRUNE_E_FORMAT, "it is a safetensors file, neither an ONNX model nor a packed one");
    else if (strcmp(version, "1") != 0)
        status =
            pr_fail(PRUNE_E_UNSUPPORTED, "it is a packed model of version \"%s\"; version 1 is read", PM_SHOW(version));
    if (!status)
        status = pm_packs_create(&packs, context);
    if (!status)
        status = read_model(out, context, archive, packs);
    pm_packs_release(packs);
    prune_archive_free(archive);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

static int32_t add_bytes(prune_archive *archive, prune_context *context, const char *name, const void *bytes,
                         int64_t length)
{
    prune_tensor *tensor = NULL;
    PR_TRY(prune_tensor_borrow(&tensor, context, (void *)(uintptr_t)bytes, PRUNE_U8, 1, &length, NULL));
    int32_t status = prune_archive_add(archive, name, tensor);
    prune_tensor_free(tensor);
    return status;
}

static int32_t add_blob(prune_archive *archive, prune_context *context, int32_t index, const struct pm_blob *blob)
{
    char name[32], packing[32], place[192];
    snprintf(name, sizeof name, "blob.%d", (int)index);
    snprintf(packing, sizeof packing, "blob.%d.weights", (int)index);
    snprintf(place, sizeof place, "parameter=%d,rows=%lld,columns=%lld,first=%lld,row_stride=%lld,column_stride=%lld",
             (int)blob->parameter, (long long)blob->rows, (long long)blob->columns, (long long)blob->first,
             (long long)blob->row_stride, (long long)blob->column_stride);
    PR_TRY(prune_archive_add_text(archive, name, place));
    PR_TRY(prune_archive_add_text(archive, packing, blob->weights));
    return add_bytes(archive, context, name, blob->data, blob->bytes);
}

/* Which parameters the blobs hold as they are. */
static int32_t find_whole(const prune_graph *graph, const struct pm_packs *packs, uint8_t *whole, int32_t *count)
{
    *count = 0;
    for (int32_t i = 0; i < graph->parameter_count; i++) {
        uint8_t *kept = NULL;
        if (!graph->parameters[i]->mask || !is_packed(packs, i))
            continue;
        PR_TRY(compare(graph, packs, i, &kept));
        whole[i] = kept != NULL;
        *count += whole[i];
        pr_release(graph->context, kept);
    }
    return PRUNE_OK;
}

static int32_t fill_archive(prune_archive *archive, const prune_graph *graph, const struct pm_packs *packs,
                            const uint8_t *whole)
{
    uint8_t *bytes = NULL;
    int64_t length = 0;
    int32_t next = 0;
    PR_TRY(prune_archive_add_text(archive, MARK, "1"));
    PR_TRY(pm_onnx_bytes_without(graph, whole, &bytes, &length));
    int32_t status = add_bytes(archive, graph->context, "model", bytes, length);
    pr_release(graph->context, bytes);
    for (int32_t i = 0; i < packs->count && !status; i++)
        if (whole[packs->blobs[i].parameter])
            status = add_blob(archive, graph->context, next++, &packs->blobs[i]);
    return status;
}

static int32_t write_packed(const prune_graph *graph, const char *path, const struct pm_packs *packs, int32_t *count)
{
    prune_archive *archive = NULL;
    uint8_t *whole = NULL;
    PR_TRY(pr_alloc_zero(graph->context, graph->parameter_count, 1, &whole));
    int32_t status = find_whole(graph, packs, whole, count);
    if (!status)
        status = prune_archive_create(&archive, graph->context);
    if (!status)
        status = fill_archive(archive, graph, packs, whole);
    if (!status)
        status = prune_archive_write(archive, path);
    prune_archive_free(archive);
    pr_release(graph->context, whole);
    return status;
}

int32_t prune_graph_write_packed(const prune_graph *graph, const char *path, int32_t count, const char *const *names,
                                 const prune_tensor *const *examples, const int32_t *fixed, const char *spec,
                                 int32_t *packed)
{
    struct pm_packs *packs = NULL;
    prune_session *session = NULL;
    int32_t done = 0;
    PR_REQUIRE(graph);
    PR_REQUIRE(path);
    if (count < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %d inputs; it must be 0 or more", __func__, (int)count);
    if (count > 0) {
        PR_REQUIRE(names);
        PR_REQUIRE(examples);
    }
    PR_TRY(pm_packs_create(&packs, graph->context));
    packs->is_recording = 1;
    int32_t status = pm_session_create(&session, graph, count, names, examples, fixed, spec, packs);
    prune_session_free(session);
    if (!status)
        status = write_packed(graph, path, packs, &done);
    pm_packs_release(packs);
    if (!status && packed)
        *packed = done;
    return status;
}
