/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The context from the inside: libprune only. libprune-model uses the public functions.
 */
#ifndef PR_BASE_CONTEXT_H
#define PR_BASE_CONTEXT_H

#include "base/parallel.h"
#include "prune/context.h"

#define PR_SCRATCH_WAITING 16 /* blocks of scratch that a context keeps */

struct pr_speeds; /* how fast the sparse forms are here: core/sparse/choice/speed.h */

struct prune_context {
    int references; /* changed atomically */
    int fixed;      /* set by the first object, read atomically */
    prune_alloc_fn alloc;
    prune_release_fn release;
    void *alloc_user;
    int32_t threads;
    prune_executor_fn executor;
    void *executor_user;
    struct pr_pool *pool; /* made at the first call that can use it */
    uint32_t cpu;
    prune_log_fn log;
    void *log_user;
    prune_progress_fn progress;
    void *progress_user;
    int64_t scratch_users, scratch_bytes; /* changed atomically; the bytes are what tasks are lent at most */
    void *scratch[PR_SCRATCH_WAITING];    /* taken and given back atomically, NULL for none (scratch.h) */
    struct pr_speeds *speeds;             /* one block from malloc; NULL for what is built in */
};

/* PRUNE_E_ARGUMENT for a context that is NULL or was used already. */
int32_t pr_context_require_open(const prune_context *context, const char *function);

#endif
