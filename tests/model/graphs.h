/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Small graphs and nodes built by hand.
 */
#ifndef GRAPHS_H
#define GRAPHS_H

#include <stdarg.h>
#include <string.h>

#include "../unit/testing.h"
#include "model/graph/operator.h"

static inline char *text_of(const char *text)
{
    char *copy;
    OK(pr_copy_text(NULL, text, &copy));
    return copy;
}

/* Values of a list "x,w,,b"; an empty name is one left out. */
static inline int32_t values_of(struct pm_body *body, const char *list, int32_t **out)
{
    int32_t count = 0;
    OK(pr_alloc(NULL, 16, sizeof **out, out));
    while (*list || count == 0) {
        char name[64] = "";
        size_t length = strcspn(list, ",");
        memcpy(name, list, length);
        (*out)[count] = -1;
        if (length)
            OK(pm_body_value(body, name, &(*out)[count]));
        count++;
        list += length;
        if (*list == ',')
            list++;
        else
            break;
    }
    return count;
}

/* Attributes: name, kind, value(s) until NULL: PM_INT int, PM_FLOAT double, PM_STRING text, PM_INTS count and an array
 * of int64_t, PM_FLOATS count and an array of float, PM_BODY body. */
static inline void set_attributes(struct pm_node *node, va_list list)
{
    struct pm_attribute *made;
    const char *name;
    OK(pr_alloc_zero(NULL, 16, sizeof *made, &made));
    node->attributes = made;
    while ((name = va_arg(list, const char *)) != NULL) {
        struct pm_attribute *a = &made[node->attribute_count++];
        a->name = text_of(name);
        a->kind = (enum pm_attribute_kind)va_arg(list, int);
        if (a->kind == PM_INT) {
            a->whole = va_arg(list, int);
        } else if (a->kind == PM_FLOAT) {
            a->real = (float)va_arg(list, double);
        } else if (a->kind == PM_STRING) {
            a->text = text_of(va_arg(list, const char *));
            a->count = (int64_t)strlen(a->text);
        } else if (a->kind == PM_INTS) {
            a->count = va_arg(list, int);
            OK(pr_alloc(NULL, a->count, 8, &a->wholes));
            memcpy(a->wholes, va_arg(list, const int64_t *), (size_t)a->count * 8);
        } else if (a->kind == PM_FLOATS) {
            a->count = va_arg(list, int);
            OK(pr_alloc(NULL, a->count, 4, &a->reals));
            memcpy(a->reals, va_arg(list, const float *), (size_t)a->count * 4);
        } else if (a->kind == PM_BODY) {
            a->body = va_arg(list, struct pm_body *);
        }
    }
}

/* Adds a node with attributes as above, NULL at the end; the status of pm_body_add_node. */
static inline int32_t add_node(struct pm_body *body, const char *name, const char *op, const char *inputs,
                               const char *outputs, ...)
{
    struct pm_node node = {.name = text_of(name), .op = text_of(op), .domain = text_of("")};
    va_list list;
    node.input_count = values_of(body, inputs, &node.inputs);
    node.output_count = values_of(body, outputs, &node.outputs);
    va_start(list, outputs);
    set_attributes(&node, list);
    va_end(list);
    int32_t status = pm_body_add_node(body, &node);
    if (status)
        pm_node_release(NULL, &node);
    return status;
}

static inline void add_input(struct pm_body *body, const char *name, int32_t dtype, int32_t rank, const int64_t *shape)
{
    int32_t value;
    OK(pm_body_value(body, name, &value));
    OK(pm_type_set(&body->values[value].type, dtype, rank, shape));
    OK(pm_body_add_input(body, value));
}

static inline void add_output(struct pm_body *body, const char *name)
{
    int32_t value;
    OK(pm_body_value(body, name, &value));
    OK(pm_body_add_output(body, value));
}

/* A parameter with a copy of the numbers. */
static inline void add_parameter(struct pm_body *body, const char *name, int32_t dtype, int32_t rank,
                                 const int64_t *shape, const void *numbers)
{
    int32_t value, parameter;
    prune_tensor *tensor;
    OK(pm_body_value(body, name, &value));
    OK(prune_tensor_create(&tensor, NULL, dtype, rank, shape));
    memcpy(prune_tensor_data(tensor), numbers, (size_t)(prune_tensor_count(tensor) * prune_dtype_size(dtype)));
    OK(pm_body_add_parameter(body, value, tensor, &parameter));
}

/* One operator on tensors (NULL for an input left out), as in
 *   apply(&y, 13, "Relu", 1, (const prune_tensor *[]){x}, NULL)
 * with attributes as in add_node; output 0 goes to *out on success. */
static inline int32_t apply(prune_tensor **out, int64_t opset, const char *op, int32_t count,
                            const prune_tensor *const *inputs, ...)
{
    int32_t output = 0;
    struct pm_node node = {.name = text_of("node"), .op = text_of(op), .domain = text_of(""), .output_count = 1};
    prune_tensor *made = NULL;
    va_list list;
    OK(pr_alloc(NULL, 1, sizeof output, &node.outputs));
    node.outputs[0] = 0;
    va_start(list, inputs);
    set_attributes(&node, list);
    va_end(list);
    node.kind = pm_operator_find("", op);
    int32_t status = pm_operator_call(NULL, &node, opset, count, inputs, 1, &made);
    if (!status)
        *out = made;
    pm_node_release(NULL, &node);
    return status;
}

#endif
