/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/graph/type.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"

int32_t pm_type_set(struct pm_type *type, int32_t dtype, int32_t rank, const int64_t *extents)
{
    struct pm_type made = {.dtype = dtype, .rank = rank};
    int64_t bytes = 0;
    if (rank < 0 || rank > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_SHAPE, "a tensor of %d axes; libprune takes 0 to %d", (int)rank, PRUNE_MAX_RANK);
    for (int32_t i = 0; i < rank; i++) {
        if (extents[i] < 0)
            return pr_fail(PRUNE_E_SHAPE, "extent %d is %lld; it must be 0 or more", (int)i, (long long)extents[i]);
        made.extents[i] = extents[i];
    }
    PR_TRY(pr_count(rank, extents, &made.count));
    PR_TRY(pr_mul(made.count, 8, &bytes));
    *type = made;
    return PRUNE_OK;
}

int64_t pm_type_bytes(const struct pm_type *type)
{
    return type->count * prune_dtype_size(type->dtype);
}

const char *pm_type_text(const struct pm_type *type, char text[PM_TYPE_TEXT])
{
    int used = snprintf(text, PM_TYPE_TEXT, "%s[", prune_dtype_name(type->dtype));
    if (type->rank < 0) {
        snprintf(text + used, (size_t)(PM_TYPE_TEXT - used), "?]");
        return text;
    }
    for (int32_t i = 0; i < type->rank; i++) {
        const char *comma = i ? "," : "";
        size_t room = (size_t)(PM_TYPE_TEXT - used);
        if (type->extents[i] < 0)
            used += snprintf(text + used, room, "%s?", comma);
        else
            used += snprintf(text + used, room, "%s%lld", comma, (long long)type->extents[i]);
    }
    snprintf(text + used, (size_t)(PM_TYPE_TEXT - used), "]");
    return text;
}

int64_t pm_type_span(const struct pm_type *type, int32_t begin, int32_t end)
{
    int64_t count = 1;
    for (int32_t i = begin; i < end; i++)
        count *= type->extents[i];
    return count;
}
