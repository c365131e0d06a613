/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A context whose allocator counts, and fails when told to.
 */
#ifndef PR_COUNTING_H
#define PR_COUNTING_H

#include "testing.h"

struct counting {
    int64_t live, peak;    /* bytes */
    int64_t blocks, calls; /* blocks not given back; allocations asked for */
    int64_t fail_at;       /* the number of the call that fails, from 1; 0 for none */
    int fail_for_ever;     /* and every later one as well */
};

static void *counting_alloc(void *user, uint64_t size, uint64_t align)
{
    struct counting *counting = user;
    int64_t call = ++counting->calls;
    if (counting->fail_at && (call == counting->fail_at || (counting->fail_for_ever && call > counting->fail_at)))
        return NULL;
    void *block = aligned_alloc((size_t)align, (size_t)size);
    if (block) {
        counting->blocks++;
        counting->live += (int64_t)size;
        counting->peak = counting->live > counting->peak ? counting->live : counting->peak;
    }
    return block;
}

static void counting_release(void *user, void *pointer, uint64_t size)
{
    struct counting *counting = user;
    counting->blocks--;
    counting->live -= (int64_t)size;
    free(pointer);
}

static inline prune_context *counting_context(struct counting *counting)
{
    prune_context *context;
    *counting = (struct counting){0};
    OK(prune_context_create(&context));
    OK(prune_context_set_allocator(context, counting_alloc, counting_release, counting));
    return context;
}

#endif
