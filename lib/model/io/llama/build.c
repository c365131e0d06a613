/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "model/io/llama/build.h"

/* The next name of a list, its prefix put before it; where the list goes on, or NULL at its end. */
static const char *next_name(const struct pm_builder *builder, const char *list, char name[PM_BUILD_NAME])
{
    size_t length = strcspn(list, ",");
    snprintf(name, PM_BUILD_NAME, "%s%.*s", *list == '/' ? builder->prefix : "", (int)length, list);
    return list[length] ? list + length + 1 : NULL;
}

static int32_t values_of(struct pm_builder *builder, const char *list, int32_t *count, int32_t **values)
{
    int32_t names = 1;
    char name[PM_BUILD_NAME];
    for (const char *at = list; *at; at++)
        names += *at == ',';
    PR_TRY(pr_alloc(builder->context, names, sizeof **values, values));
    for (*count = 0; list; (*count)++) {
        list = next_name(builder, list, name);
        PR_TRY(pm_body_value(builder->body, name, &(*values)[*count]));
    }
    return PRUNE_OK;
}

static int32_t set_attribute(struct pm_builder *builder, struct pm_node *node, const char *name, int is_list,
                             int64_t count, const int64_t *values)
{
    PR_TRY(pr_alloc_zero(builder->context, 1, sizeof *node->attributes, &node->attributes));
    node->attribute_count = 1;
    struct pm_attribute *attribute = node->attributes;
    PR_TRY(pr_copy_text(builder->context, name, &attribute->name));
    attribute->kind = is_list ? PM_INTS : PM_INT;
    if (!is_list) {
        attribute->whole = values[0];
        return PRUNE_OK;
    }
    PR_TRY(pr_alloc(builder->context, count, sizeof *values, &attribute->wholes));
    attribute->count = count;
    memcpy(attribute->wholes, values, (size_t)count * sizeof *values);
    return PRUNE_OK;
}

static int32_t fill_node(struct pm_builder *builder, struct pm_node *node, const char *op, const char *inputs,
                         const char *outputs)
{
    char name[PM_BUILD_NAME];
    next_name(builder, outputs, name);
    PR_TRY(pr_copy_text(builder->context, name, &node->name));
    PR_TRY(pr_copy_text(builder->context, op, &node->op));
    PR_TRY(pr_copy_text(builder->context, "", &node->domain));
    PR_TRY(values_of(builder, inputs, &node->input_count, &node->inputs));
    return values_of(builder, outputs, &node->output_count, &node->outputs);
}

static void add(struct pm_builder *builder, const char *op, const char *inputs, const char *outputs,
                const char *attribute, int is_list, int64_t count, const int64_t *values)
{
    struct pm_node node = {0};
    if (builder->status)
        return;
    int32_t status = fill_node(builder, &node, op, inputs, outputs);
    if (!status && attribute)
        status = set_attribute(builder, &node, attribute, is_list, count, values);
    if (!status)
        status = pm_body_add_node(builder->body, &node);
    if (status)
        pm_node_release(builder->context, &node);
    builder->status = status;
}

void pm_build(struct pm_builder *builder, const char *op, const char *inputs, const char *outputs)
{
    add(builder, op, inputs, outputs, NULL, 0, 0, NULL);
}

void pm_build_int(struct pm_builder *builder, const char *op, const char *inputs, const char *outputs,
                  const char *attribute, int64_t value)
{
    add(builder, op, inputs, outputs, attribute, 0, 1, &value);
}

void pm_build_ints(struct pm_builder *builder, const char *op, const char *inputs, const char *outputs,
                   const char *attribute, int64_t count, const int64_t *values)
{
    add(builder, op, inputs, outputs, attribute, 1, count, values);
}

void pm_build_parameter(struct pm_builder *builder, const char *name, prune_tensor *tensor)
{
    char full[PM_BUILD_NAME];
    int32_t value, parameter;
    next_name(builder, name, full);
    if (!builder->status)
        builder->status = pm_body_value(builder->body, full, &value);
    if (!builder->status)
        builder->status = pm_body_add_parameter(builder->body, value, tensor, &parameter);
    if (builder->status)
        prune_tensor_free(tensor);
}

static void add_numbers(struct pm_builder *builder, const char *name, int32_t dtype, int32_t rank, int64_t count,
                        const void *numbers)
{
    prune_tensor *tensor = NULL;
    if (builder->status)
        return;
    builder->status = prune_tensor_create(&tensor, builder->context, dtype, rank, &count);
    if (builder->status)
        return;
    memcpy(prune_tensor_data(tensor), numbers, (size_t)(count * prune_dtype_size(dtype)));
    pm_build_parameter(builder, name, tensor);
}

void pm_build_whole(struct pm_builder *builder, const char *name, int64_t count, const int64_t *values)
{
    add_numbers(builder, name, PRUNE_I64, 1, count, values);
}

void pm_build_real(struct pm_builder *builder, const char *name, float value)
{
    add_numbers(builder, name, PRUNE_F32, 0, 1, &value);
}

/* The value with its type; its free extents have names. */
static int32_t declare(struct pm_builder *builder, const char *name, int32_t dtype, int32_t rank,
                       const int64_t *extents, const char *symbols, int32_t *value)
{
    char symbol[PM_BUILD_NAME];
    PR_TRY(pm_body_value(builder->body, name, value));
    struct pm_value *held = &builder->body->values[*value];
    held->type.dtype = dtype;
    held->type.rank = rank;
    for (int32_t i = 0; i < rank; i++) {
        held->type.extents[i] = extents[i];
        if (symbols)
            symbols = next_name(builder, symbols, symbol);
        if (extents[i] < 0 && !held->symbols[i])
            PR_TRY(pr_copy_text(builder->context, symbol, &held->symbols[i]));
    }
    return PRUNE_OK;
}

void pm_build_input(struct pm_builder *builder, const char *name, int32_t dtype, int32_t rank, const int64_t *extents,
                    const char *symbols)
{
    int32_t value = -1;
    if (!builder->status)
        builder->status = declare(builder, name, dtype, rank, extents, symbols, &value);
    if (!builder->status)
        builder->status = pm_body_add_input(builder->body, value);
}

void pm_build_output(struct pm_builder *builder, const char *name, int32_t dtype, int32_t rank, const int64_t *extents,
                     const char *symbols)
{
    int32_t value = -1;
    if (!builder->status)
        builder->status = declare(builder, name, dtype, rank, extents, symbols, &value);
    if (!builder->status)
        builder->status = pm_body_add_output(builder->body, value);
}
