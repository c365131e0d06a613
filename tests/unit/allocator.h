/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A context whose allocator counts what it lends and can be told to fail.
 */
#ifndef PR_TESTS_ALLOCATOR_H
#define PR_TESTS_ALLOCATOR_H

#include "testing.h"

struct allocator {
    int64_t calls, live; /* allocations asked for, and not yet given back */
    int64_t bytes, peak; /* lent now, and at most */
    int64_t fail_at;     /* the call that fails, counted from 0 as `calls` is; -1 for none */
    int fail_for_ever;   /* and all later ones */
};

static inline void *counted_alloc(void *user, uint64_t size, uint64_t align)
{
    struct allocator *a = user;
    ck_assert(size > 0 && align >= 8 && align <= 4096 && (align & (align - 1)) == 0);
    int64_t call = a->calls++;
    if (call == a->fail_at || (a->fail_for_ever && call > a->fail_at))
        return NULL;
    void *memory = aligned_alloc((size_t)align, (size_t)((size + align - 1) / align * align));
    ck_assert_ptr_nonnull(memory);
    memset(memory, 0xa5, (size_t)size); /* nothing may count on zeros */
    a->live++;
    a->bytes += (int64_t)size;
    a->peak = a->bytes > a->peak ? a->bytes : a->peak;
    return memory;
}

static inline void counted_release(void *user, void *pointer, uint64_t size)
{
    struct allocator *a = user;
    ck_assert_ptr_nonnull(pointer);
    a->live--;
    a->bytes -= (int64_t)size;
    free(pointer);
}

static inline prune_context *counted_context(struct allocator *a)
{
    prune_context *context;
    *a = (struct allocator){.fail_at = -1};
    OK(prune_context_create(&context));
    OK(prune_context_set_allocator(context, counted_alloc, counted_release, a));
    return context;
}

/* Makes each allocation of `call` fail in turn, until it gets through: each time PRUNE_E_NOMEM, nothing lost and `*out`
 * untouched. What it made at last is for the caller to free. */
#define SURVIVES(a, out, call)                                                                                         \
    do {                                                                                                               \
        int64_t live_ = (a)->live, failures_ = 0;                                                                      \
        for (;; failures_++) {                                                                                         \
            *(out) = UNTOUCHED;                                                                                        \
            (a)->fail_at = (a)->calls + failures_;                                                                     \
            int32_t status_ = (call);                                                                                  \
            if (status_ == PRUNE_OK)                                                                                   \
                break;                                                                                                 \
            ck_assert_msg(status_ == PRUNE_E_NOMEM, "%s: %s: %s", #call, prune_status_name(status_), prune_error());   \
            ck_assert_ptr_eq(*(out), UNTOUCHED);                                                                       \
            ck_assert_int_eq((a)->live, live_);                                                                        \
        }                                                                                                              \
        (a)->fail_at = -1;                                                                                             \
        ck_assert_msg(failures_ > 0, "%s allocates nothing", #call);                                                   \
    } while (0)

#endif
