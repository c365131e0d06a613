/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/scratch.h"

#include <stddef.h>

#include "base/alloc.h"

/* What every block begins with, padded to what it is aligned to. */
union head {
    int64_t bytes;
    char padding[64];
};

static void *make(prune_context *context, int64_t bytes)
{
    union head *head = NULL;
    int64_t whole = 0;
    if (pr_add(bytes, (int64_t)sizeof *head, &whole) || pr_alloc(context, whole, 1, &head))
        return NULL;
    head->bytes = bytes;
    return head + 1;
}

/* Puts a block where it waits; 0 where there is no room. */
static int keep(prune_context *context, union head *head)
{
    for (int i = 0; i < PR_SCRATCH_WAITING; i++) {
        void *empty = NULL;
        if (__atomic_compare_exchange_n(&context->scratch[i], &empty, (void *)head, 0, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
            return 1;
    }
    return 0;
}

void *pr_scratch_lend(prune_context *context, int64_t bytes)
{
    for (int i = 0; context && i < PR_SCRATCH_WAITING; i++) {
        union head *head = __atomic_exchange_n(&context->scratch[i], NULL, __ATOMIC_ACQUIRE);
        if (head && head->bytes >= bytes)
            return head + 1;
        if (head && !keep(context, head))
            pr_release(context, head);
    }
    return make(context, bytes);
}

/* More than was reserved is not kept. */
void pr_scratch_return(prune_context *context, void *scratch)
{
    union head *head = scratch ? (union head *)scratch - 1 : NULL;
    if (!head)
        return;
    if (!context || head->bytes > __atomic_load_n(&context->scratch_bytes, __ATOMIC_RELAXED) || !keep(context, head))
        pr_release(context, head);
}

int32_t pr_scratch_reserve(prune_context *context, int64_t bytes, int32_t count)
{
    void *made[PR_SCRATCH_WAITING];
    int32_t taken = 0, status = PRUNE_OK;
    count = count > PR_SCRATCH_WAITING ? PR_SCRATCH_WAITING : count;
    if (!context || bytes <= __atomic_load_n(&context->scratch_bytes, __ATOMIC_RELAXED))
        return PRUNE_OK;
    for (; !status && taken < count; taken++) {
        made[taken] = make(context, bytes);
        status = made[taken] ? PRUNE_OK : PRUNE_E_NOMEM;
    }
    for (int i = 0; !status && i < PR_SCRATCH_WAITING; i++) /* what waits is smaller */
        pr_release(context, __atomic_exchange_n(&context->scratch[i], NULL, __ATOMIC_ACQUIRE));
    if (!status)
        __atomic_store_n(&context->scratch_bytes, bytes, __ATOMIC_RELAXED);
    for (int32_t i = 0; i < taken; i++) {
        union head *head = made[i] ? (union head *)made[i] - 1 : NULL;
        if (status || !keep(context, head))
            pr_release(context, head);
    }
    return status;
}

void pr_scratch_join(prune_context *context)
{
    if (context)
        __atomic_add_fetch(&context->scratch_users, 1, __ATOMIC_RELAXED);
}

void pr_scratch_leave(prune_context *context)
{
    if (!context || __atomic_sub_fetch(&context->scratch_users, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    __atomic_store_n(&context->scratch_bytes, 0, __ATOMIC_RELAXED);
    for (int i = 0; i < PR_SCRATCH_WAITING; i++)
        pr_release(context, __atomic_exchange_n(&context->scratch[i], NULL, __ATOMIC_ACQUIRE));
}
