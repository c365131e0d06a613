/* SPDX-License-Identifier: BSD-2-Clause */
#include "prune/kinds.h"

#include <string.h>

#include "core/criterion/criterion.h"
#include "core/recover/recover.h"
#include "core/regularize/regularize.h"
#include "core/select/order.h"
#include "core/select/select.h"
#include "core/select/selection.h"
#include "core/sparse/sparse.h"

static const struct {
    const char *name;
    const struct pr_kind *const *kinds;
    const int32_t *count;
} registries[] = {
    {"criteria", pr_criterion_kinds, &pr_criterion_kind_count},
    {"granularities", pr_granularity_kinds, &pr_granularity_kind_count},
    {"allocations", pr_allocation_kinds, &pr_allocation_kind_count},
    {"conformances", pr_conformance_kinds, &pr_conformance_kind_count},
    {"schedules", pr_schedule_kinds, &pr_schedule_kind_count},
    {"recoveries", pr_recovery_kinds, &pr_recovery_kind_count},
    {"regularizers", pr_regularizer_kinds, &pr_regularizer_kind_count},
    {"orders", pr_order_kinds, &pr_order_kind_count},
    {"formats", pr_format_kinds, &pr_format_count},
};

static const struct pr_kind *find(const char *registry, int32_t index)
{
    for (size_t i = 0; registry && i < sizeof registries / sizeof *registries; i++)
        if (strcmp(registries[i].name, registry) == 0)
            return index >= 0 && index < *registries[i].count ? registries[i].kinds[index] : NULL;
    return NULL;
}

static const struct pr_parameter *find_parameter(const char *registry, int32_t index, int32_t parameter)
{
    if (parameter < 0 || parameter >= prune_kind_parameter_count(registry, index))
        return NULL;
    return &find(registry, index)->parameters[parameter];
}

int32_t prune_kind_count(const char *registry)
{
    for (size_t i = 0; registry && i < sizeof registries / sizeof *registries; i++)
        if (strcmp(registries[i].name, registry) == 0)
            return *registries[i].count;
    return -1;
}

const char *prune_kind_name(const char *registry, int32_t index)
{
    const struct pr_kind *kind = find(registry, index);
    return kind ? kind->name : NULL;
}

const char *prune_kind_help(const char *registry, int32_t index)
{
    const struct pr_kind *kind = find(registry, index);
    return kind ? kind->help : NULL;
}

int32_t prune_kind_parameter_count(const char *registry, int32_t index)
{
    const struct pr_kind *kind = find(registry, index);
    int32_t count = 0;
    if (!kind)
        return -1;
    while (kind->parameters && kind->parameters[count].name)
        count++;
    return count;
}

const char *prune_kind_parameter_name(const char *registry, int32_t index, int32_t parameter)
{
    const struct pr_parameter *found = find_parameter(registry, index, parameter);
    return found ? found->name : NULL;
}

const char *prune_kind_parameter_default(const char *registry, int32_t index, int32_t parameter)
{
    const struct pr_parameter *found = find_parameter(registry, index, parameter);
    return found ? found->standard : NULL;
}

const char *prune_kind_parameter_help(const char *registry, int32_t index, int32_t parameter)
{
    const struct pr_parameter *found = find_parameter(registry, index, parameter);
    return found ? found->help : NULL;
}
