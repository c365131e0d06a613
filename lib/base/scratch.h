/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Scratch that a context lends: objects that run one after another then use the same memory, which is in the cache.
 */
#ifndef PR_BASE_SCRATCH_H
#define PR_BASE_SCRATCH_H

#include "base/context.h"

/* Memory of at least `bytes`, aligned to 64, or NULL where none can be had. Of no context: allocated. */
void *pr_scratch_lend(prune_context *context, int64_t bytes);

/* Gives it back, NULL too. */
void pr_scratch_return(prune_context *context, void *scratch);

/* Makes sure that `count` tasks at once are lent as much without allocating. */
int32_t pr_scratch_reserve(prune_context *context, int64_t bytes, int32_t count);

/* Who is lent scratch joins before and leaves at the end; with the last one goes the scratch. */
void pr_scratch_join(prune_context *context);
void pr_scratch_leave(prune_context *context);

#endif
