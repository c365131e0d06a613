/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/graph/graph.h"

const struct pm_attribute *pm_attribute(const struct pm_node *node, const char *name)
{
    for (int32_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

static const struct pm_attribute *of_kind(const struct pm_node *node, const char *name, enum pm_attribute_kind kind)
{
    const struct pm_attribute *found = pm_attribute(node, name);
    return found && found->kind == kind ? found : NULL;
}

int64_t pm_attribute_int(const struct pm_node *node, const char *name, int64_t or_else)
{
    const struct pm_attribute *found = of_kind(node, name, PM_INT);
    return found ? found->whole : or_else;
}

float pm_attribute_float(const struct pm_node *node, const char *name, float or_else)
{
    const struct pm_attribute *found = of_kind(node, name, PM_FLOAT);
    return found ? found->real : or_else;
}

const char *pm_attribute_string(const struct pm_node *node, const char *name, const char *or_else)
{
    const struct pm_attribute *found = of_kind(node, name, PM_STRING);
    return found ? found->text : or_else;
}

int64_t pm_attribute_ints(const struct pm_node *node, const char *name, const int64_t **ints)
{
    const struct pm_attribute *found = of_kind(node, name, PM_INTS);
    *ints = found ? found->wholes : NULL;
    return found ? found->count : 0;
}

int64_t pm_attribute_floats(const struct pm_node *node, const char *name, const float **floats)
{
    const struct pm_attribute *found = of_kind(node, name, PM_FLOATS);
    *floats = found ? found->reals : NULL;
    return found ? found->count : 0;
}

/* The attributes that operators here read, and what each holds. "value" is a number of Pad and a tensor of others. */
static const struct {
    const char *name;
    enum pm_attribute_kind kind;
} known[] = {
    {"activations", PM_STRINGS},
    {"allowzero", PM_INT},
    {"alpha", PM_FLOAT},
    {"antialias", PM_INT},
    {"approximate", PM_STRING},
    {"auto_pad", PM_STRING},
    {"axes", PM_INTS},
    {"axis", PM_INT},
    {"beta", PM_FLOAT},
    {"block_size", PM_INT},
    {"ceil_mode", PM_INT},
    {"clip", PM_FLOAT},
    {"coordinate_transformation_mode", PM_STRING},
    {"count_include_pad", PM_INT},
    {"cubic_coeff_a", PM_FLOAT},
    {"dilations", PM_INTS},
    {"direction", PM_STRING},
    {"else_branch", PM_BODY},
    {"end", PM_INT},
    {"ends", PM_INTS},
    {"epsilon", PM_FLOAT},
    {"exclude_outside", PM_INT},
    {"extrapolation_value", PM_FLOAT},
    {"group", PM_INT},
    {"hidden_size", PM_INT},
    {"input_forget", PM_INT},
    {"keep_aspect_ratio_policy", PM_STRING},
    {"keepdims", PM_INT},
    {"kernel_shape", PM_INTS},
    {"layout", PM_INT},
    {"linear_before_reset", PM_INT},
    {"max", PM_FLOAT},
    {"min", PM_FLOAT},
    {"mode", PM_STRING},
    {"nearest_mode", PM_STRING},
    {"noop_with_empty_axes", PM_INT},
    {"num_outputs", PM_INT},
    {"output_dtype", PM_INT},
    {"output_padding", PM_INTS},
    {"output_shape", PM_INTS},
    {"pads", PM_INTS},
    {"perm", PM_INTS},
    {"ratio", PM_FLOAT},
    {"split", PM_INTS},
    {"start", PM_INT},
    {"starts", PM_INTS},
    {"stash_type", PM_INT},
    {"steps", PM_INTS},
    {"storage_order", PM_INT},
    {"strides", PM_INTS},
    {"then_branch", PM_BODY},
    {"to", PM_INT},
    {"training_mode", PM_INT},
    {"transA", PM_INT},
    {"transB", PM_INT},
    {"value_float", PM_FLOAT},
    {"value_floats", PM_FLOATS},
    {"value_int", PM_INT},
    {"value_ints", PM_INTS},
};

int32_t pm_attributes_check(const struct pm_node *node)
{
    static const char *const kinds[] = {[PM_INT] = "a whole number",     [PM_FLOAT] = "a real number",
                                        [PM_STRING] = "a text",          [PM_TENSOR] = "a tensor",
                                        [PM_BODY] = "a graph",           [PM_INTS] = "a list of whole numbers",
                                        [PM_FLOATS] = "a list of reals", [PM_STRINGS] = "a list of texts",
                                        [PM_OPAQUE] = "something else"};
    for (int32_t i = 0; i < node->attribute_count; i++)
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            const struct pm_attribute *attribute = &node->attributes[i];
            if (attribute->kind != known[k].kind && strcmp(attribute->name, known[k].name) == 0)
                return pr_fail(PRUNE_E_FORMAT, "attribute \"%s\" is %s; it must be %s", attribute->name,
                               kinds[attribute->kind], kinds[known[k].kind]);
        }
    return PRUNE_OK;
}
