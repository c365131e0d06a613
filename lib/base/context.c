/* SPDX-License-Identifier: BSD-2-Clause */
#define _DEFAULT_SOURCE /* madvise */
#include "base/context.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fail.h"

/* What every block begins with, so that it can be given back with its size and without the caller knowing either. */
struct block {
    uint64_t size;
    char padding[56]; /* keeps what follows aligned to 64 */
};

int32_t prune_context_create(prune_context **out)
{
    PR_REQUIRE(out);
    prune_context *context = calloc(1, sizeof *context);
    if (!context)
        return pr_fail(PRUNE_E_NOMEM, "no memory for a context of %zu bytes", sizeof *context);
    context->references = 1;
    context->threads = 1;
    context->cpu = prune_cpu_detect();
    *out = context;
    return PRUNE_OK;
}

void prune_context_free(prune_context *context)
{
    if (!context || __atomic_sub_fetch(&context->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    pr_pool_free(context->pool);
    free(context->speeds);
    free(context);
}

prune_context *prune_context_retain(prune_context *context)
{
    if (context) {
        __atomic_store_n(&context->fixed, 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&context->references, 1, __ATOMIC_RELAXED);
    }
    return context;
}

int32_t pr_context_require_open(const prune_context *context, const char *function)
{
    if (!context)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: context is NULL; it must be given", function);
    if (__atomic_load_n(&context->fixed, __ATOMIC_RELAXED))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: the context is fixed since an object was made with it; set it up before",
                       function);
    return PRUNE_OK;
}

int32_t prune_context_set_allocator(prune_context *context, prune_alloc_fn alloc, prune_release_fn release, void *user)
{
    PR_TRY(pr_context_require_open(context, __func__));
    if (!alloc != !release)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: one of alloc and release is NULL; give both, or neither for malloc",
                       __func__);
    context->alloc = alloc;
    context->release = release;
    context->alloc_user = user;
    return PRUNE_OK;
}

static int32_t set_threads(prune_context *context, int32_t threads, const char *function)
{
    if (threads < 1 || threads > 256)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %d threads asked for; 1 to 256 are possible", function, (int)threads);
    context->threads = threads;
    return PRUNE_OK;
}

int32_t prune_context_set_threads(prune_context *context, int32_t threads)
{
    PR_TRY(pr_context_require_open(context, __func__));
    PR_TRY(set_threads(context, threads, __func__));
    context->executor = NULL;
    return PRUNE_OK;
}

int32_t prune_context_set_executor(prune_context *context, prune_executor_fn executor, void *user, int32_t threads)
{
    PR_TRY(pr_context_require_open(context, __func__));
    PR_REQUIRE(executor);
    PR_TRY(set_threads(context, threads, __func__));
    context->executor = executor;
    context->executor_user = user;
    return PRUNE_OK;
}

int32_t prune_context_set_cpu(prune_context *context, uint32_t mask)
{
    PR_TRY(pr_context_require_open(context, __func__));
    uint32_t lacking = mask & ~(prune_cpu_detect() | PRUNE_CPU_REPRODUCIBLE);
    if (lacking)
        return pr_fail(PRUNE_E_UNSUPPORTED, "CPU mask %u asks for bits %u that this CPU has not; it has %u",
                       (unsigned)mask, (unsigned)lacking, (unsigned)prune_cpu_detect());
    context->cpu = mask;
    return PRUNE_OK;
}

int32_t prune_context_set_log(prune_context *context, prune_log_fn log, void *user)
{
    PR_TRY(pr_context_require_open(context, __func__));
    context->log = log;
    context->log_user = user;
    return PRUNE_OK;
}

int32_t prune_context_set_progress(prune_context *context, prune_progress_fn progress, void *user)
{
    PR_TRY(pr_context_require_open(context, __func__));
    context->progress = progress;
    context->progress_user = user;
    return PRUNE_OK;
}

uint32_t prune_context_cpu(const prune_context *context)
{
    return context ? context->cpu : prune_cpu_detect();
}

int32_t prune_context_threads(const prune_context *context)
{
    return context ? context->threads : 1;
}

/* Large blocks lie on large pages where the system gives them: a fault for each 4 KiB costs more than packing the
 * weights on it, and a product from memory gains a few percent. */
#define LARGE_PAGE 2097152

static void *alloc_default(uint64_t total)
{
#ifdef MADV_HUGEPAGE
    if (total >= 4 * LARGE_PAGE) {
        uint64_t pages = (total + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
        void *block = aligned_alloc(LARGE_PAGE, pages);
        if (block)
            (void)madvise(block, pages, MADV_HUGEPAGE);
        return block;
    }
#endif
    return aligned_alloc(64, total);
}

void *prune_context_alloc(prune_context *context, uint64_t size)
{
    struct block *block = NULL;
    if (size <= INT64_MAX - 2 * sizeof *block) {
        uint64_t total = (size + sizeof *block + 63) / 64 * 64; /* aligned_alloc wants a multiple */
        block = context && context->alloc ? context->alloc(context->alloc_user, total, 64) : alloc_default(total);
        if (block) {
            block->size = total;
            return block + 1;
        }
    }
    pr_fail(PRUNE_E_NOMEM, "no memory for %llu bytes", (unsigned long long)size);
    return NULL;
}

void prune_context_release(prune_context *context, void *pointer)
{
    if (!pointer)
        return;
    struct block *block = (struct block *)pointer - 1;
    if (context && context->release)
        context->release(context->alloc_user, block, block->size);
    else
        free(block);
}

/* The pool is made at first use; two threads may come at once, and the slower one throws its pool away. */
static struct pr_pool *pool_of(prune_context *context)
{
    struct pr_pool *pool = __atomic_load_n(&context->pool, __ATOMIC_ACQUIRE);
    if (pool && !pr_pool_is_ours(pool))
        return NULL;
    if (pool)
        return pool;
    struct pr_pool *made = pr_pool_create(context->threads);
    if (!made || __atomic_compare_exchange_n(&context->pool, &pool, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return made;
    pr_pool_free(made);
    return pool;
}

void prune_context_parallel(prune_context *context, int32_t tasks, prune_task_fn task, void *argument)
{
    struct pr_pool *pool = NULL;
    if (context && context->executor && tasks > 1) {
        context->executor(context->executor_user, tasks, task, argument);
        return;
    }
    if (context && context->threads > 1 && tasks > 1)
        pool = pool_of(context);
    if (pool)
        pr_pool_run(pool, tasks, task, argument);
    else
        for (int32_t i = 0; i < tasks; i++)
            task(argument, i);
}

int32_t prune_context_progress(prune_context *context, const char *what, int64_t done, int64_t total)
{
    if (context && context->progress && context->progress(context->progress_user, what, done, total))
        return pr_fail(PRUNE_E_CANCELLED, "%s was cancelled after %lld of %lld", what, (long long)done,
                       (long long)total);
    return PRUNE_OK;
}

void prune_context_log(prune_context *context, int32_t level, const char *sentence)
{
    if (context && context->log)
        context->log(context->log_user, level, sentence);
}
