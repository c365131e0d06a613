/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory of a context. Both libraries allocate through the public functions, so that objects of either can be handed
 * over.
 */
#ifndef PR_BASE_ALLOC_H
#define PR_BASE_ALLOC_H

#include "base/checked.h"
#include "prune/context.h"

/* `count` elements of `size` bytes, aligned to 64, not initialised (pr_alloc) or zero (pr_alloc_zero). On failure *out
 * is untouched and the sentence says how much was asked for. Count 0 gives memory too, so that NULL always means
 * failure. */
int32_t pr_alloc(prune_context *context, int64_t count, int64_t size, void *out);
int32_t pr_alloc_zero(prune_context *context, int64_t count, int64_t size, void *out);
int32_t pr_copy_text(prune_context *context, const char *text, char **out);

#define pr_release prune_context_release

#endif
