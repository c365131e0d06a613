/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Extents that had a name and have a number now, in the messages that say what values are.
 */
#include <string.h>

#include "model/io/onnx/write.h"

typedef struct Pm__Onnx__Type pm_type_message;
typedef struct Pm__Onnx__TensorType pm_tensor_type_message;
typedef struct Pm__Onnx__Shape pm_shape_message;
typedef struct Pm__Onnx__Dimension pm_dimension_message;

static const struct pm_value *value_of(const struct pm_body *body, const pm_info_message *info)
{
    int32_t found = info->name && info->type && info->type->tensor_type && info->type->tensor_type->shape
                        ? pm_body_find(body, info->name)
                        : -1;
    return found < 0 ? NULL : &body->values[found];
}

static int is_frozen(const struct pm_value *value, const pm_shape_message *shape)
{
    if (!value || value->type.rank != (int32_t)shape->n_dim)
        return 0;
    for (int32_t i = 0; i < value->type.rank; i++)
        if (!shape->dim[i]->has_dim_value && value->symbols[i] && value->type.extents[i] >= 0)
            return 1;
    return 0;
}

static int32_t clone_shape(struct pm_arena *arena, const struct pm_value *value, pm_shape_message **shape)
{
    pm_shape_message *to;
    PR_TRY(pm_arena_copy(arena, *shape, sizeof **shape, &to));
    PR_TRY(pm_arena_copy(arena, (*shape)->dim, (int64_t)(to->n_dim * sizeof *to->dim), &to->dim));
    for (size_t i = 0; i < to->n_dim; i++) {
        pm_dimension_message *dim;
        if (to->dim[i]->has_dim_value || !value->symbols[i] || value->type.extents[i] < 0)
            continue;
        PR_TRY(pm_arena_copy(arena, to->dim[i], sizeof *dim, &dim));
        dim->has_dim_value = 1;
        dim->dim_value = value->type.extents[i];
        dim->dim_param = NULL;
        to->dim[i] = dim;
    }
    *shape = to;
    return PRUNE_OK;
}

int32_t pm_onnx_freeze(struct pm_arena *arena, const struct pm_body *body, pm_info_message ***list, size_t count)
{
    int is_copied = 0;
    for (size_t i = 0; body && i < count; i++) {
        pm_info_message *info = (*list)[i];
        const struct pm_value *value = value_of(body, info);
        pm_type_message *type;
        pm_tensor_type_message *tensor;
        if (!value || !is_frozen(value, info->type->tensor_type->shape))
            continue;
        if (!is_copied)
            PR_TRY(pm_arena_copy(arena, *list, (int64_t)(count * sizeof **list), list));
        is_copied = 1;
        PR_TRY(pm_arena_copy(arena, info, sizeof *info, &info));
        PR_TRY(pm_arena_copy(arena, info->type, sizeof *type, &type));
        PR_TRY(pm_arena_copy(arena, type->tensor_type, sizeof *tensor, &tensor));
        PR_TRY(clone_shape(arena, value, &tensor->shape));
        type->tensor_type = tensor;
        info->type = type;
        (*list)[i] = info;
    }
    return PRUNE_OK;
}
