/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/alloc.h"

#include <string.h>

/* `out` is the address of any object pointer; it is written through memcpy because void ** would break aliasing rules.
 */
int32_t pr_alloc(prune_context *context, int64_t count, int64_t size, void *out)
{
    int64_t bytes = 0;
    PR_TRY(pr_mul(count, size, &bytes));
    void *memory = prune_context_alloc(context, (uint64_t)bytes);
    if (!memory)
        return PRUNE_E_NOMEM;
    memcpy(out, &memory, sizeof memory);
    return PRUNE_OK;
}

int32_t pr_alloc_zero(prune_context *context, int64_t count, int64_t size, void *out)
{
    void *memory;
    PR_TRY(pr_alloc(context, count, size, &memory));
    memset(memory, 0, (size_t)(count * size));
    memcpy(out, &memory, sizeof memory);
    return PRUNE_OK;
}

int32_t pr_copy_text(prune_context *context, const char *text, char **out)
{
    size_t bytes = strlen(text) + 1;
    char *copy;
    PR_TRY(pr_alloc(context, (int64_t)bytes, 1, &copy));
    memcpy(copy, text, bytes);
    *out = copy;
    return PRUNE_OK;
}
