/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A graph that was read goes out as the messages it came in, with the parameters that changed in their places. The
 * messages are shared by copies of the graph, so what changes is cloned, down to the tensor; nothing else is copied.
 */
#include <string.h>

#include "base/spec.h"
#include "model/io/onnx/write.h"

static int32_t copy_list(struct pm_arena *arena, const void *list, size_t count, size_t extra, void *out)
{
    void *copy;
    size_t size = sizeof(void *);
    PR_TRY(pm_arena_alloc(arena, (int64_t)((count + extra) * size), &copy));
    if (count)
        memcpy(copy, list, count * size);
    memcpy(out, &copy, sizeof copy);
    return PRUNE_OK;
}

static const struct pm_parameter *parameter_of(const struct pm_body *body, const char *name)
{
    int32_t value = body && name && name[0] ? pm_body_find(body, name) : -1;
    int32_t parameter = value < 0 ? -1 : body->values[value].parameter;
    return parameter < 0 ? NULL : &body->parameters[parameter];
}

/* The body of a branch: attribute `name` of the node that makes the same values. */
static const struct pm_body *branch_of(const struct pm_body *body, const pm_node_message *node, const char *name)
{
    for (size_t i = 0; body && name && i < node->n_output; i++) {
        int32_t value = node->output[i][0] ? pm_body_find(body, node->output[i]) : -1;
        if (value < 0 || body->values[value].node < 0)
            continue;
        const struct pm_attribute *attribute = pm_attribute(&body->nodes[body->values[value].node], name);
        return attribute ? attribute->body : NULL;
    }
    return NULL;
}

/* The message with the parameter's numbers, all else as it was. */
static int32_t renew_tensor(struct pm_writer *writer, const pm_tensor_message *from,
                            const struct pm_parameter *parameter, pm_tensor_message **out)
{
    struct pm_arena *arena = &writer->arena;
    pm_tensor_message *to;
    PR_TRY(pm_arena_copy(arena, from, sizeof *from, &to));
    to->n_float_data = to->n_int32_data = to->n_int64_data = to->n_double_data = to->n_uint64_data = 0;
    if (pm_onnx_is_left_out(writer, parameter))
        PR_TRY(pm_onnx_put_place(arena, parameter, to));
    else
        PR_TRY(pm_onnx_put_numbers(arena, parameter->tensor, to));
    PR_TRY(pm_onnx_move_out(writer, parameter, to));
    *out = to;
    return PRUNE_OK;
}

/* Whether it is written anew. */
static int is_new(const struct pm_writer *writer, const struct pm_parameter *parameter)
{
    return parameter &&
           (parameter->changed || pm_onnx_is_left_out(writer, parameter) || pm_onnx_goes_out(writer, parameter));
}

int pm_onnx_wants_sparse(const struct pm_writer *writer, const struct pm_parameter *parameter)
{
    return writer->is_sparse && !pm_onnx_is_left_out(writer, parameter) && parameter->mask &&
           prune_tensor_rank(parameter->tensor) > 0 && prune_mask_kept(parameter->mask) > 0;
}

static int32_t clone_initializers(struct pm_writer *writer, const struct pm_body *body, const pm_graph_message *from,
                                  pm_graph_message *to)
{
    struct pm_arena *arena = &writer->arena;
    size_t dense = 0, sparse = 0;
    PR_TRY(copy_list(arena, NULL, 0, from->n_initializer + from->n_sparse_initializer, &to->initializer));
    PR_TRY(copy_list(arena, NULL, 0, from->n_initializer + from->n_sparse_initializer, &to->sparse_initializer));
    for (size_t i = 0; i < from->n_initializer; i++) {
        pm_tensor_message *tensor = from->initializer[i];
        const struct pm_parameter *parameter = parameter_of(body, tensor->name);
        if (parameter && pm_onnx_wants_sparse(writer, parameter)) {
            PR_TRY(pm_onnx_put_sparse(writer, tensor->name, parameter, &to->sparse_initializer[sparse++]));
            continue;
        }
        if (is_new(writer, parameter))
            PR_TRY(renew_tensor(writer, tensor, parameter, &tensor));
        to->initializer[dense++] = tensor;
    }
    for (size_t i = 0; i < from->n_sparse_initializer; i++) {
        pm_sparse_message *message = from->sparse_initializer[i];
        const struct pm_parameter *parameter = parameter_of(body, message->values->name);
        if (!is_new(writer, parameter))
            to->sparse_initializer[sparse++] = message;
        else if (pm_onnx_wants_sparse(writer, parameter))
            PR_TRY(pm_onnx_put_sparse(writer, message->values->name, parameter, &to->sparse_initializer[sparse++]));
        else
            PR_TRY(pm_onnx_put_parameter(writer, message->values->name, parameter, &to->initializer[dense++]));
    }
    to->n_initializer = dense;
    to->n_sparse_initializer = sparse;
    return PRUNE_OK;
}

static int32_t clone_graph(struct pm_writer *writer, const struct pm_body *body, const pm_graph_message *from,
                           pm_graph_message **out);

/* The tensor of a Constant node, or branches. */
static int32_t clone_attribute(struct pm_writer *writer, const struct pm_body *body, const pm_node_message *node,
                               const struct pm_parameter *constant, pm_attribute_message **attribute)
{
    pm_attribute_message *to;
    const pm_attribute_message *from = *attribute;
    int is_value = is_new(writer, constant) && from->t && strcmp(from->name, "value") == 0;
    if (!is_value && !from->g)
        return PRUNE_OK;
    PR_TRY(pm_arena_copy(&writer->arena, from, sizeof *from, &to));
    if (is_value)
        PR_TRY(renew_tensor(writer, from->t, constant, &to->t));
    if (from->g)
        PR_TRY(clone_graph(writer, branch_of(body, node, from->name), from->g, &to->g));
    *attribute = to;
    return PRUNE_OK;
}

static int32_t clone_node(struct pm_writer *writer, const struct pm_body *body, pm_node_message **node)
{
    pm_node_message *to;
    const pm_node_message *from = *node;
    const pm_tensor_message *tensor;
    const struct pm_parameter *constant = NULL;
    int has_branch = 0;
    if (pm_onnx_is_constant(from, &tensor))
        constant = parameter_of(body, from->output[0]);
    for (size_t i = 0; i < from->n_attribute; i++)
        has_branch |= from->attribute[i]->g != NULL;
    if (!has_branch && !is_new(writer, constant))
        return PRUNE_OK;
    PR_TRY(pm_arena_copy(&writer->arena, from, sizeof *from, &to));
    PR_TRY(copy_list(&writer->arena, from->attribute, from->n_attribute, 0, &to->attribute));
    for (size_t i = 0; i < from->n_attribute; i++)
        PR_TRY(clone_attribute(writer, body, from, constant, &to->attribute[i]));
    *node = to;
    return PRUNE_OK;
}

static int32_t clone_graph(struct pm_writer *writer, const struct pm_body *body, const pm_graph_message *from,
                           pm_graph_message **out)
{
    pm_graph_message *to;
    PR_TRY(pm_arena_copy(&writer->arena, from, sizeof *from, &to));
    PR_TRY(clone_initializers(writer, body, from, to));
    PR_TRY(pm_onnx_freeze(&writer->arena, body, &to->input, to->n_input));
    PR_TRY(pm_onnx_freeze(&writer->arena, body, &to->output, to->n_output));
    PR_TRY(pm_onnx_freeze(&writer->arena, body, &to->value_info, to->n_value_info));
    PR_TRY(copy_list(&writer->arena, from->node, from->n_node, 0, &to->node));
    for (size_t i = 0; i < from->n_node; i++)
        PR_TRY(clone_node(writer, body, &to->node[i]));
    *out = to;
    return PRUNE_OK;
}

static int32_t clone_model(struct pm_writer *writer, const prune_graph *graph, pm_model_message **out)
{
    const struct pm_onnx *onnx = graph->origin;
    pm_model_message *to;
    PR_TRY(pm_arena_copy(&writer->arena, onnx->model, sizeof *onnx->model, &to));
    PR_TRY(clone_graph(writer, graph->body, onnx->model->graph, &to->graph));
    *out = to;
    return PRUNE_OK;
}

/* The message's bytes; protobuf readers take less than 2 GiB. */
static int32_t to_bytes(struct pm_writer *writer, const pm_model_message *model, uint8_t **out, int64_t *length)
{
    uint8_t *bytes;
    size_t size = pm__onnx__model__get_packed_size(model);
    if (size > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "the model has %llu bytes; a protobuf message has at most %d",
                       (unsigned long long)size, INT32_MAX);
    PR_TRY(pr_alloc(writer->arena.context, (int64_t)size, 1, &bytes));
    pm__onnx__model__pack(model, bytes);
    *out = bytes;
    *length = (int64_t)size;
    return PRUNE_OK;
}

/* Into the writer's arena, which the caller releases, and bytes. */
static int32_t graph_bytes(struct pm_writer *writer, const prune_graph *graph, uint8_t **bytes, int64_t *length)
{
    pm_model_message *model = NULL;
    pm_arena_start(&writer->arena, graph->context, 0);
    PR_TRY(graph->origin ? clone_model(writer, graph, &model) : pm_onnx_make_model(writer, graph, &model));
    if (writer->least_ir > model->ir_version) {
        model->ir_version = writer->least_ir;
        model->has_ir_version = 1;
    }
    return to_bytes(writer, model, bytes, length);
}

int32_t pm_onnx_bytes_without(const prune_graph *graph, const uint8_t *left_out, uint8_t **bytes, int64_t *length)
{
    struct pm_writer writer = {.left_out = left_out};
    int32_t status = graph_bytes(&writer, graph, bytes, length);
    pm_arena_release(&writer.arena);
    return status;
}

/* "PATH.data", and the name that the model has for it. */
static int32_t name_external(prune_context *context, const char *path, char **out, const char **location)
{
    static const char end[] = ".data";
    size_t length = strlen(path);
    char *made;
    PR_TRY(pr_alloc(context, (int64_t)(length + sizeof end), 1, &made));
    memcpy(made, path, length);
    memcpy(made + length, end, sizeof end);
    const char *slash = strrchr(made, '/');
    *out = made;
    *location = slash ? slash + 1 : made;
    return PRUNE_OK;
}

/* Both files are complete before the first takes its place. */
static int32_t save(const struct pm_writer *writer, const uint8_t *bytes, int64_t length, const char *path,
                    const char *data_path)
{
    struct pm_output model, data;
    prune_context *context = writer->arena.context;
    PR_TRY(pm_output_open(&model, context, path));
    int32_t status = pm_output_write(&model, bytes, length);
    if (!status && writer->first) {
        status = pm_output_open(&data, context, data_path);
        if (!status) {
            status = pm_onnx_write_external(writer, &data);
            if (!status)
                status = pm_output_commit(&data);
            pm_output_close(&data);
        }
        if (status)
            status = pr_fail_in(status, "%s", PM_SHOW(data_path));
    }
    if (!status)
        status = pm_output_commit(&model);
    pm_output_close(&model);
    return status;
}

static int32_t write_graph(const prune_graph *graph, const char *path, int is_sparse, int is_external)
{
    struct pm_writer writer = {.is_sparse = is_sparse};
    uint8_t *bytes = NULL;
    char *data_path = NULL;
    int64_t length = 0;
    if (is_external)
        PR_TRY(name_external(graph->context, path, &data_path, &writer.location));
    int32_t status = graph_bytes(&writer, graph, &bytes, &length);
    if (!status)
        status = save(&writer, bytes, length, path, data_path);
    pm_arena_release(&writer.arena);
    if (bytes)
        pr_release(graph->context, bytes);
    if (data_path)
        pr_release(graph->context, data_path);
    return status;
}

static const struct pr_parameter write_parameters[] = {{.name = "parameters",
                                                        .type = PR_WORD,
                                                        .standard = "dense",
                                                        .words = "dense|sparse",
                                                        .help = "how pruned initializers are stored"},
                                                       {.name = "external",
                                                        .type = PR_WORD,
                                                        .standard = "no",
                                                        .words = "no|file",
                                                        .help = "where large initializers are stored"},
                                                       {.name = NULL}};

int32_t prune_graph_write(const prune_graph *graph, const char *path, const char *spec)
{
    struct pr_values values;
    PR_REQUIRE(graph);
    PR_REQUIRE(path);
    PR_TRY(pr_spec_parse_list(spec, "a model's writing", write_parameters, &values));
    int32_t status = write_graph(graph, path, values.whole[0] == 1, values.whole[1] == 1);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}
