/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages into a graph. Every name that a body makes is known before its nodes are read, so that branches find the
 * values around them whatever the order of the nodes.
 */
#include <string.h>

#include "base/spec.h"
#include "model/io/onnx/onnx.h"

static int32_t check_name(const char *name, const char *what)
{
    return name && name[0] ? PRUNE_OK : pr_fail(PRUNE_E_FORMAT, "%s has no name; it must have one", what);
}

/* A tensor of a type that no tensor here has exists all the same: a node that cannot be run makes it. */
static int32_t add_stand_in(struct pm_body *body, const char *name, int32_t value)
{
    struct pm_node node = {.output_count = 1, .attribute_count = 1};
    int32_t status = pr_copy_text(body->context, name, &node.name);
    if (!status)
        status = pr_copy_text(body->context, "Constant", &node.op);
    if (!status)
        status = pr_copy_text(body->context, "", &node.domain);
    if (!status)
        status = pr_alloc(body->context, 1, sizeof *node.outputs, &node.outputs);
    if (!status)
        status = pr_alloc_zero(body->context, 1, sizeof *node.attributes, &node.attributes);
    if (!status) {
        node.outputs[0] = value;
        node.attributes[0].kind = PM_OPAQUE;
        status = pr_copy_text(body->context, "value", &node.attributes[0].name);
    }
    if (!status)
        status = pm_body_add_node(body, &node);
    if (status)
        pm_node_release(body->context, &node);
    return status;
}

/* Takes the tensor; NULL for one that no tensor here can be. */
static int32_t add_initializer(struct pm_body *body, const char *name, prune_tensor *tensor)
{
    int32_t value, parameter, found = pm_body_find(body, name);
    int32_t status = PRUNE_OK;
    if (found >= 0 && (body->values[found].parameter >= 0 || body->values[found].node >= 0))
        status = pr_fail(PRUNE_E_FORMAT, "there is another initializer of that name");
    if (!status)
        status = pm_body_value(body, name, &value);
    if (!status)
        status = tensor ? pm_body_add_parameter(body, value, tensor, &parameter) : add_stand_in(body, name, value);
    if (status)
        prune_tensor_free(tensor);
    return status;
}

static int32_t read_initializers(const pm_graph_message *message, struct pm_body *body)
{
    prune_tensor *tensor = NULL;
    for (size_t i = 0; i < message->n_initializer; i++) {
        const pm_tensor_message *initializer = message->initializer[i];
        PR_TRY(check_name(initializer->name, "an initializer"));
        int32_t status = pm_onnx_tensor(&tensor, body->context, initializer);
        if (!status)
            status = add_initializer(body, initializer->name, tensor);
        if (status)
            return pr_fail_in(status, "initializer \"%s\"", PM_SHOW(initializer->name));
    }
    for (size_t i = 0; i < message->n_sparse_initializer; i++) {
        const pm_sparse_message *sparse = message->sparse_initializer[i];
        PR_TRY(check_name(sparse->values ? sparse->values->name : NULL, "a sparse initializer"));
        int32_t status = pm_onnx_sparse(&tensor, body->context, sparse);
        if (!status)
            status = add_initializer(body, sparse->values->name, tensor);
        if (status)
            return pr_fail_in(status, "sparse initializer \"%s\"", PM_SHOW(sparse->values->name));
    }
    return PRUNE_OK;
}

static int32_t read_extents(const struct Pm__Onnx__Shape *shape, struct pm_body *body, struct pm_value *value)
{
    int is_known = 1;
    int64_t bytes;
    value->type.rank = (int32_t)shape->n_dim;
    for (size_t i = 0; i < shape->n_dim; i++) {
        const struct Pm__Onnx__Dimension *dim = shape->dim[i];
        int64_t extent = dim->has_dim_value ? dim->dim_value : -1;
        if (extent < -1)
            return pr_fail(PRUNE_E_FORMAT, "dim %d of its shape is %lld; it must be 0 or more", (int)i,
                           (long long)extent);
        is_known &= extent >= 0;
        value->type.extents[i] = extent;
        if (dim->dim_param && dim->dim_param[0] && !dim->has_dim_value)
            PR_TRY(pr_copy_text(body->context, dim->dim_param, &value->symbols[i]));
    }
    if (!is_known)
        return PRUNE_OK;
    /* Sizes that do not fit are found here, whatever the elements are. */
    PR_TRY(pm_file_bytes(value->type.dtype ? value->type.dtype : PRUNE_F64, value->type.rank, value->type.extents,
                         &bytes));
    return pr_count(value->type.rank, value->type.extents, &value->type.count);
}

/* What the file says about a value that is known by name; a parameter's own tensor says it better. */
static int32_t read_type(const pm_info_message *info, struct pm_body *body)
{
    int32_t found = info->name ? pm_body_find(body, info->name) : -1;
    if (found < 0 || !info->type || !info->type->tensor_type)
        return PRUNE_OK;
    struct pm_value *value = &body->values[found];
    const struct Pm__Onnx__TensorType *type = info->type->tensor_type;
    if (value->parameter >= 0 || value->type.rank >= 0)
        return PRUNE_OK;
    const struct pm_element *element = pm_onnx_element(type->elem_type);
    value->type.dtype = element ? element->dtype : 0;
    if (!type->shape || type->shape->n_dim > PRUNE_MAX_RANK)
        return PRUNE_OK;
    int32_t status = read_extents(type->shape, body, value);
    return status ? pr_fail_in(status, "\"%s\"", PM_SHOW(info->name)) : PRUNE_OK;
}

static int32_t read_inputs(const pm_graph_message *message, struct pm_body *body)
{
    for (size_t i = 0; i < message->n_input; i++) {
        int32_t value;
        const char *name = message->input[i]->name;
        PR_TRY(check_name(name, "an input"));
        PR_TRY(pm_body_value(body, name, &value));
        body->values[value].outer = -1; /* it hides one of the same name around it */
        /* Files before IR version 4 list initializers among the inputs. */
        if (body->values[value].parameter < 0 && body->values[value].node < 0)
            PR_TRY(pm_body_add_input(body, value));
    }
    return PRUNE_OK;
}

/* Names for what the nodes will make. */
static int32_t read_names(const pm_graph_message *message, struct pm_body *body)
{
    for (size_t i = 0; i < message->n_node; i++)
        for (size_t j = 0; j < message->node[i]->n_output; j++) {
            int32_t value;
            if (message->node[i]->output[j][0])
                PR_TRY(pm_body_value(body, message->node[i]->output[j], &value));
        }
    return PRUNE_OK;
}

static int32_t read_outputs(const pm_graph_message *message, struct pm_body *body)
{
    for (size_t i = 0; i < message->n_output; i++) {
        int32_t value;
        PR_TRY(check_name(message->output[i]->name, "an output"));
        PR_TRY(pm_body_value(body, message->output[i]->name, &value));
        PR_TRY(pm_body_add_output(body, value));
    }
    return PRUNE_OK;
}

static int32_t read_types(const pm_graph_message *message, struct pm_body *body)
{
    for (size_t i = 0; i < message->n_input; i++)
        PR_TRY(read_type(message->input[i], body));
    for (size_t i = 0; i < message->n_output; i++)
        PR_TRY(read_type(message->output[i], body));
    for (size_t i = 0; i < message->n_value_info; i++)
        PR_TRY(read_type(message->value_info[i], body));
    return PRUNE_OK;
}

int32_t pm_onnx_body(const pm_graph_message *message, struct pm_body *body)
{
    PR_TRY(read_initializers(message, body));
    PR_TRY(read_inputs(message, body));
    PR_TRY(read_names(message, body));
    PR_TRY(pm_onnx_nodes(message, body));
    PR_TRY(read_outputs(message, body));
    return read_types(message, body);
}

/* The version of the default domain, which has two names. */
static int32_t find_opset(const pm_model_message *model, int64_t *opset)
{
    int64_t found = -1;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const struct Pm__Onnx__OperatorSet *set = model->opset_import[i];
        if (set->domain && set->domain[0] && strcmp(set->domain, "ai.onnx") != 0)
            continue;
        if (found >= 0 && found != set->version)
            return pr_fail(PRUNE_E_FORMAT, "it imports opset %lld and opset %lld of the default domain",
                           (long long)found, (long long)set->version);
        found = set->version;
    }
    if (found < 0)
        return pr_fail(PRUNE_E_FORMAT, "it imports no opset of the default domain; %d to %d are read", PM_OLDEST_OPSET,
                       PM_NEWEST_OPSET);
    if (found < PM_OLDEST_OPSET || found > PM_NEWEST_OPSET)
        return pr_fail(PRUNE_E_UNSUPPORTED, "it is of opset %lld; %d to %d are read", (long long)found, PM_OLDEST_OPSET,
                       PM_NEWEST_OPSET);
    *opset = found;
    return PRUNE_OK;
}

static int32_t build(prune_graph *graph, const pm_model_message *model)
{
    if (model->graph->name)
        PR_TRY(pr_copy_text(graph->context, model->graph->name, &graph->name));
    PR_TRY(pm_onnx_body(model->graph, graph->body));
    return pm_graph_finish(graph);
}

int32_t pm_onnx_graph(prune_graph **out, prune_context *context, struct pm_onnx *onnx)
{
    prune_graph *graph = NULL;
    int64_t opset = 0;
    int32_t status = find_opset(onnx->model, &opset);
    if (!status)
        status = pm_graph_create(&graph, context, opset);
    if (status) {
        pm_onnx_release(onnx);
        return status;
    }
    graph->origin = onnx;
    graph->free_origin = pm_onnx_release;
    graph->retain_origin = pm_onnx_retain;
    status = build(graph, onnx->model);
    if (status)
        prune_graph_free(graph);
    else
        *out = graph;
    return status;
}

static int32_t read_file(prune_graph **out, prune_context *context, const char *path, const struct pm_input *file,
                         int external)
{
    struct pm_onnx *onnx = NULL;
    int64_t opset = 0;
    PR_TRY(pm_onnx_load(&onnx, context, file));
    int32_t status = find_opset(onnx->model, &opset); /* before other files are opened */
    if (!status)
        status = pm_onnx_gather(onnx, path, external);
    if (!status)
        return pm_onnx_graph(out, context, onnx);
    pm_onnx_release(onnx);
    return status;
}

static int32_t read_graph(prune_graph **out, prune_context *context, const char *path, int external)
{
    struct pm_input file;
    int is_packed = 0;
    int32_t status = pm_input_open(&file, path);
    if (!status) {
        is_packed = pm_packed_is(&file);
        status = is_packed ? PRUNE_OK : read_file(out, context, path, &file, external);
        pm_input_close(&file);
    }
    if (is_packed) /* its sentences name the file already */
        return pm_packed_read(out, context, path);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

static const struct pr_parameter read_parameters[] = {
    {.name = "external", .type = PR_WORD, .standard = "no", .words = "no|folder", .help = "tensors in other files"},
    {.name = NULL}};

int32_t prune_graph_read(prune_graph **out, prune_context *context, const char *path, const char *spec)
{
    struct pr_values values;
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    PR_TRY(pr_spec_parse_list(spec, "a model's reading", read_parameters, &values));
    return read_graph(out, context, path, values.whole[0] == 1);
}
