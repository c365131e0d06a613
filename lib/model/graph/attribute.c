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
