/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A pool of threads that runs numbered tasks. Which thread runs a task is not fixed, so tasks own what they write and
 * results cannot depend on it.
 */
#ifndef PR_BASE_PARALLEL_H
#define PR_BASE_PARALLEL_H

#include "prune/context.h"

struct pr_pool;

/* A pool in which `threads` - 1 threads help the caller; fewer where they cannot be made. NULL when there is no memory
 * or no thread at all: the caller then works alone. */
struct pr_pool *pr_pool_create(int32_t threads);

/* Runs every task once and returns when all are done. Calls from several threads at once take turns for the helpers: a
 * caller that finds them busy works alone. */
void pr_pool_run(struct pr_pool *pool, int32_t tasks, prune_task_fn task, void *argument);

/* Whether the pool belongs to this process: a child of fork has none of its parent's threads. */
int pr_pool_is_ours(const struct pr_pool *pool);

void pr_pool_free(struct pr_pool *pool);

#endif
