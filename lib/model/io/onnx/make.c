/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages from tensors and bodies.
 */
#include <stdio.h>
#include <string.h>

#include "model/io/onnx/write.h"

/* Messages only read the strings that they are given. */
static char *text_of(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* A message of the arena, initialised. */
static int32_t make(struct pm_arena *arena, const ProtobufCMessageDescriptor *type, void *out)
{
    ProtobufCMessage *message;
    PR_TRY(pm_arena_alloc(arena, (int64_t)type->sizeof_message, &message));
    protobuf_c_message_init(type, message);
    memcpy(out, &message, sizeof message);
    return PRUNE_OK;
}

static int32_t make_list(struct pm_arena *arena, int64_t count, void *out)
{
    return pm_arena_alloc(arena, count * (int64_t)sizeof(void *), out);
}

static int32_t put_row_major(struct pm_arena *arena, const prune_tensor *tensor, ProtobufCBinaryData *to)
{
    int64_t count = prune_tensor_count(tensor), size = prune_dtype_size(prune_tensor_dtype(tensor));
    to->len = (size_t)(count * size);
    to->data = (uint8_t *)(uintptr_t)prune_tensor_const_data(tensor);
    if (size == 1 || __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
        return PRUNE_OK;
    PR_TRY(pm_arena_copy(arena, to->data, count * size, &to->data));
    pm_to_native(to->data, size, count, 0);
    return PRUNE_OK;
}

int32_t pm_onnx_put_numbers(struct pm_arena *arena, const prune_tensor *tensor, pm_tensor_message *to)
{
    int64_t rank = prune_tensor_rank(tensor);
    to->n_dims = (size_t)rank;
    to->dims = (int64_t *)(uintptr_t)prune_tensor_shape(tensor);
    to->has_data_type = 1;
    to->data_type = pm_onnx_data_type(prune_tensor_dtype(tensor));
    to->has_raw_data = 1;
    if (prune_tensor_is_contiguous(tensor))
        return put_row_major(arena, tensor, &to->raw_data);
    prune_tensor *packed;
    PR_TRY(prune_tensor_convert(&packed, tensor, prune_tensor_dtype(tensor)));
    int32_t status = put_row_major(arena, packed, &to->raw_data);
    if (!status)
        status = pm_arena_copy(arena, to->raw_data.data, (int64_t)to->raw_data.len, &to->raw_data.data);
    prune_tensor_free(packed);
    return status;
}

int32_t pm_onnx_put_tensor(struct pm_arena *arena, const char *name, const prune_tensor *tensor,
                           pm_tensor_message **out)
{
    PR_TRY(make(arena, &pm__onnx__tensor__descriptor, out));
    (*out)->name = text_of(name);
    return pm_onnx_put_numbers(arena, tensor, *out);
}

int pm_onnx_is_left_out(const struct pm_writer *writer, const struct pm_parameter *parameter)
{
    return writer->left_out && parameter && writer->left_out[parameter->number];
}

int32_t pm_onnx_put_place(struct pm_arena *arena, const struct pm_parameter *parameter, pm_tensor_message *to)
{
    const prune_tensor *tensor = parameter->tensor;
    char place[32];
    snprintf(place, sizeof place, "%s%d", PM_PACKED_PLACE, (int)parameter->number);
    to->n_dims = (size_t)prune_tensor_rank(tensor);
    to->dims = (int64_t *)(uintptr_t)prune_tensor_shape(tensor);
    to->has_data_type = 1;
    to->data_type = pm_onnx_data_type(prune_tensor_dtype(tensor));
    return pm_onnx_put_entries(arena, (const char *const[]){"location"}, (const char *const[]){place}, 1, to);
}

int32_t pm_onnx_put_parameter(struct pm_writer *writer, const char *name, const struct pm_parameter *parameter,
                              pm_tensor_message **out)
{
    if (!pm_onnx_is_left_out(writer, parameter)) {
        PR_TRY(pm_onnx_put_tensor(&writer->arena, name, parameter->tensor, out));
        return pm_onnx_move_out(writer, parameter, *out);
    }
    PR_TRY(make(&writer->arena, &pm__onnx__tensor__descriptor, out));
    (*out)->name = text_of(name);
    return pm_onnx_put_place(&writer->arena, parameter, *out);
}

static int32_t make_list_of(struct pm_arena *arena, const char *name, int32_t data_type, int64_t count, int64_t size,
                            pm_tensor_message **out)
{
    PR_TRY(make(arena, &pm__onnx__tensor__descriptor, out));
    (*out)->name = text_of(name);
    (*out)->n_dims = 1;
    PR_TRY(pm_arena_copy(arena, &count, sizeof count, &(*out)->dims));
    (*out)->has_data_type = (*out)->has_raw_data = 1;
    (*out)->data_type = data_type;
    (*out)->raw_data.len = (size_t)(count * size);
    return pm_arena_alloc(arena, count * size, &(*out)->raw_data.data);
}

int32_t pm_onnx_put_sparse(struct pm_writer *writer, const char *name, const struct pm_parameter *parameter,
                           pm_sparse_message **out)
{
    struct pm_arena *arena = &writer->arena;
    const prune_tensor *tensor = parameter->tensor;
    int64_t count = prune_tensor_count(tensor), kept = prune_mask_kept(parameter->mask), next = 0;
    int64_t size = prune_dtype_size(prune_tensor_dtype(tensor));
    pm_sparse_message *sparse;
    pm_tensor_message dense = {0};
    PR_TRY(pm_onnx_put_numbers(arena, tensor, &dense));
    PR_TRY(make(arena, &pm__onnx__sparse_tensor__descriptor, &sparse));
    PR_TRY(make_list_of(arena, name, dense.data_type, kept, size, &sparse->values));
    PR_TRY(make_list_of(arena, "", pm_onnx_data_type(PRUNE_I64), kept, 8, &sparse->indices));
    sparse->n_dims = dense.n_dims;
    sparse->dims = dense.dims;
    for (int64_t i = 0; i < count; i++) {
        int32_t is_kept = 0;
        PR_TRY(prune_mask_get(parameter->mask, i, &is_kept));
        if (!is_kept)
            continue;
        memcpy(sparse->values->raw_data.data + next * size, dense.raw_data.data + i * size, (size_t)size);
        memcpy(sparse->indices->raw_data.data + next * 8, &i, 8);
        next++;
    }
    pm_to_native(sparse->indices->raw_data.data, 8, kept, 0);
    writer->least_ir = 6; /* the first with sparse initializers */
    *out = sparse;
    return PRUNE_OK;
}

static int32_t make_info(struct pm_arena *arena, const struct pm_value *value, pm_info_message **out)
{
    pm_info_message *info;
    struct Pm__Onnx__TensorType *type;
    PR_TRY(make(arena, &pm__onnx__value_info__descriptor, &info));
    info->name = value->name;
    *out = info;
    if (!value->type.dtype)
        return PRUNE_OK;
    PR_TRY(make(arena, &pm__onnx__type__descriptor, &info->type));
    PR_TRY(make(arena, &pm__onnx__tensor_type__descriptor, &type));
    info->type->tensor_type = type;
    type->has_elem_type = 1;
    type->elem_type = pm_onnx_data_type(value->type.dtype);
    if (value->type.rank < 0)
        return PRUNE_OK;
    PR_TRY(make(arena, &pm__onnx__shape__descriptor, &type->shape));
    PR_TRY(make_list(arena, value->type.rank, &type->shape->dim));
    type->shape->n_dim = (size_t)value->type.rank;
    for (int32_t i = 0; i < value->type.rank; i++) {
        struct Pm__Onnx__Dimension *dim;
        PR_TRY(make(arena, &pm__onnx__dimension__descriptor, &dim));
        dim->has_dim_value = value->type.extents[i] >= 0;
        dim->dim_value = value->type.extents[i];
        dim->dim_param = dim->has_dim_value ? NULL : value->symbols[i];
        type->shape->dim[i] = dim;
    }
    return PRUNE_OK;
}

static int32_t make_infos(struct pm_arena *arena, const struct pm_body *body, const int32_t *values, int32_t count,
                          pm_info_message ***out, size_t *out_count)
{
    PR_TRY(make_list(arena, count, out));
    for (int32_t i = 0; i < count; i++)
        PR_TRY(make_info(arena, &body->values[values[i]], &(*out)[i]));
    *out_count = (size_t)count;
    return PRUNE_OK;
}

static int32_t make_graph(struct pm_writer *writer, const struct pm_body *body, const char *name,
                          pm_graph_message **out);

static int32_t make_strings(struct pm_arena *arena, const struct pm_attribute *from, pm_attribute_message *to)
{
    PR_TRY(pm_arena_alloc(arena, from->count * (int64_t)sizeof *to->strings, &to->strings));
    to->n_strings = (size_t)from->count;
    for (int64_t i = 0; i < from->count; i++)
        to->strings[i] = (ProtobufCBinaryData){.len = strlen(from->texts[i]), .data = (uint8_t *)from->texts[i]};
    return PRUNE_OK;
}

static int32_t make_attribute(struct pm_writer *writer, const struct pm_attribute *from, pm_attribute_message **out)
{
    static const int32_t types[] = {
        [PM_INT] = PM_ONNX_INT,       [PM_FLOAT] = PM_ONNX_FLOAT,    [PM_STRING] = PM_ONNX_STRING,
        [PM_TENSOR] = PM_ONNX_TENSOR, [PM_BODY] = PM_ONNX_GRAPH,     [PM_INTS] = PM_ONNX_INTS,
        [PM_FLOATS] = PM_ONNX_FLOATS, [PM_STRINGS] = PM_ONNX_STRINGS};
    pm_attribute_message *to;
    if (from->kind == PM_OPAQUE)
        return pr_fail(PRUNE_E_UNSUPPORTED, "attribute \"%s\" is of a kind that was not kept", PM_SHOW(from->name));
    PR_TRY(make(&writer->arena, &pm__onnx__attribute__descriptor, &to));
    to->name = from->name;
    to->has_type = 1;
    to->type = types[from->kind];
    to->has_i = from->kind == PM_INT;
    to->i = from->whole;
    to->has_f = from->kind == PM_FLOAT;
    to->f = from->real;
    to->has_s = from->kind == PM_STRING;
    to->s = (ProtobufCBinaryData){.len = to->has_s ? (size_t)from->count : 0, .data = (uint8_t *)from->text};
    to->n_ints = from->kind == PM_INTS ? (size_t)from->count : 0;
    to->ints = from->wholes;
    to->n_floats = from->kind == PM_FLOATS ? (size_t)from->count : 0;
    to->floats = from->reals;
    *out = to;
    if (from->kind == PM_TENSOR)
        return pm_onnx_put_tensor(&writer->arena, "", from->tensor, &to->t);
    if (from->kind == PM_BODY)
        return make_graph(writer, from->body, from->name, &to->g);
    return from->kind == PM_STRINGS ? make_strings(&writer->arena, from, to) : PRUNE_OK;
}

static int32_t make_names(struct pm_arena *arena, const struct pm_body *body, const int32_t *values, int32_t count,
                          char ***out, size_t *out_count)
{
    PR_TRY(make_list(arena, count, out));
    for (int32_t i = 0; i < count; i++)
        (*out)[i] = values[i] < 0 ? text_of("") : body->values[values[i]].name;
    *out_count = (size_t)count;
    return PRUNE_OK;
}

static int32_t make_node(struct pm_writer *writer, const struct pm_body *body, const struct pm_node *from,
                         pm_node_message **out)
{
    struct pm_arena *arena = &writer->arena;
    pm_node_message *to;
    PR_TRY(make(arena, &pm__onnx__node__descriptor, &to));
    to->name = from->name;
    to->op_type = from->op;
    to->domain = from->domain && from->domain[0] ? from->domain : NULL;
    PR_TRY(make_names(arena, body, from->inputs, from->input_count, &to->input, &to->n_input));
    PR_TRY(make_names(arena, body, from->outputs, from->output_count, &to->output, &to->n_output));
    PR_TRY(make_list(arena, from->attribute_count, &to->attribute));
    to->n_attribute = (size_t)from->attribute_count;
    for (int32_t i = 0; i < from->attribute_count; i++) {
        int32_t status = make_attribute(writer, &from->attributes[i], &to->attribute[i]);
        if (status)
            return pr_fail_in(status, "node \"%s\"", PM_SHOW(from->name));
    }
    *out = to;
    return PRUNE_OK;
}

static int32_t make_parameters(struct pm_writer *writer, const struct pm_body *body, pm_graph_message *graph)
{
    PR_TRY(make_list(&writer->arena, body->parameter_count, &graph->initializer));
    PR_TRY(make_list(&writer->arena, body->parameter_count, &graph->sparse_initializer));
    for (int32_t i = 0; i < body->parameter_count; i++) {
        const struct pm_parameter *parameter = &body->parameters[i];
        const char *name = body->values[parameter->value].name;
        if (pm_onnx_wants_sparse(writer, parameter))
            PR_TRY(
                pm_onnx_put_sparse(writer, name, parameter, &graph->sparse_initializer[graph->n_sparse_initializer++]));
        else
            PR_TRY(pm_onnx_put_parameter(writer, name, parameter, &graph->initializer[graph->n_initializer++]));
    }
    return PRUNE_OK;
}

static int32_t make_graph(struct pm_writer *writer, const struct pm_body *body, const char *name,
                          pm_graph_message **out)
{
    pm_graph_message *graph;
    PR_TRY(make(&writer->arena, &pm__onnx__graph__descriptor, &graph));
    graph->name = text_of(name && name[0] ? name : "graph");
    PR_TRY(make_parameters(writer, body, graph));
    PR_TRY(make_infos(&writer->arena, body, body->inputs, body->input_count, &graph->input, &graph->n_input));
    PR_TRY(make_infos(&writer->arena, body, body->outputs, body->output_count, &graph->output, &graph->n_output));
    PR_TRY(make_list(&writer->arena, body->node_count, &graph->node));
    graph->n_node = (size_t)body->node_count;
    for (int32_t i = 0; i < body->node_count; i++)
        PR_TRY(make_node(writer, body, &body->nodes[i], &graph->node[i]));
    *out = graph;
    return PRUNE_OK;
}

/* Each domain once; of others than the default one the version is not known. */
static int32_t import_domain(struct pm_arena *arena, pm_model_message *model, const char *domain, int64_t version)
{
    struct Pm__Onnx__OperatorSet *set, **more;
    for (size_t i = 0; i < model->n_opset_import; i++)
        if (strcmp(model->opset_import[i]->domain, domain) == 0)
            return PRUNE_OK;
    PR_TRY(make(arena, &pm__onnx__operator_set__descriptor, &set));
    PR_TRY(make_list(arena, (int64_t)model->n_opset_import + 1, &more));
    if (model->n_opset_import)
        memcpy(more, model->opset_import, model->n_opset_import * sizeof *more);
    set->domain = text_of(domain);
    set->has_version = 1;
    set->version = version;
    more[model->n_opset_import++] = set;
    model->opset_import = more;
    return PRUNE_OK;
}

static int32_t import_domains(struct pm_arena *arena, const struct pm_body *body, pm_model_message *model)
{
    for (int32_t i = 0; i < body->node_count; i++) {
        const struct pm_node *node = &body->nodes[i];
        if (node->domain && node->domain[0] && strcmp(node->domain, "ai.onnx") != 0)
            PR_TRY(import_domain(arena, model, node->domain, 1));
        for (int32_t j = 0; j < node->attribute_count; j++)
            if (node->attributes[j].body)
                PR_TRY(import_domains(arena, node->attributes[j].body, model));
    }
    return PRUNE_OK;
}

int32_t pm_onnx_make_model(struct pm_writer *writer, const prune_graph *graph, pm_model_message **out)
{
    pm_model_message *model;
    PR_TRY(make(&writer->arena, &pm__onnx__model__descriptor, &model));
    model->has_ir_version = 1;
    model->ir_version = 8;
    model->producer_name = text_of("libprune");
    model->producer_version = text_of(PRUNE_VERSION_STRING);
    PR_TRY(import_domain(&writer->arena, model, "", graph->opset));
    PR_TRY(import_domains(&writer->arena, graph->body, model));
    PR_TRY(make_graph(writer, graph->body, graph->name, &model->graph));
    *out = model;
    return PRUNE_OK;
}
