/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A scenario is run again and again, each time with another allocation failing: the first, the second, ..., until it
 * runs through; once with that allocation failing alone, once with every later one failing too. Each time it must
 * report PRUNE_E_NOMEM, and everything must have been given back. It is done for the allocations that go through the
 * context, and for those that C code linked into the program asks of malloc: jansson's and zlib's are such
 * (mk/check.mk).
 */
#ifndef PR_OOM_H
#define PR_OOM_H

#include "allocator.h"

/* Does its work with memory of `context`, looks at its results with OOM_REQUIRE, frees everything, returns a status. */
typedef int32_t (*oom_scenario)(prune_context *context);

/* Looks at what a run has left behind, whether it succeeded (PRUNE_OK) or not. NULL for nothing to look at. */
typedef void (*oom_check)(int32_t status);

static struct {
    int64_t calls, fail_at;
    int fail_for_ever, armed;
} oom_malloc;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static int oom_refuses(void)
{
    if (!oom_malloc.armed)
        return 0;
    int64_t call = ++oom_malloc.calls;
    return oom_malloc.fail_at &&
           (call == oom_malloc.fail_at || (oom_malloc.fail_for_ever && call > oom_malloc.fail_at));
}

void *__wrap_malloc(size_t size)
{
    return oom_refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return oom_refuses() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return oom_refuses() ? NULL : __real_realloc(block, size);
}

/* For scenarios, in place of Check's own, which allocate. */
#define OOM_REQUIRE(condition)                                                                                         \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            oom_malloc.armed = 0;                                                                                      \
            ck_abort_msg("%s", #condition);                                                                            \
        }                                                                                                              \
    } while (0)

static inline void oom_expect(const char *name, int64_t k, int for_ever, int refused, int32_t status)
{
    const char *mode = for_ever ? "for ever" : "once";
    if (refused)
        ck_assert_msg(status == PRUNE_E_NOMEM, "%s: allocation %lld failing %s: %s (%s)", name, (long long)k, mode,
                      prune_status_name(status), prune_error());
    else
        ck_assert_msg(status == PRUNE_OK, "%s: nothing failing: %s (%s)", name, prune_status_name(status),
                      prune_error());
}

/* The number of allocations through the context that were made to fail, each in both ways. */
static inline int64_t oom_sweep_context(const char *name, oom_scenario scenario, oom_check check)
{
    int64_t points = 0;
    for (int for_ever = 0; for_ever <= 1; for_ever++)
        for (int64_t k = 1, refused = 1; refused; k++) {
            struct allocator allocator;
            prune_context *context = counted_context(&allocator);
            allocator.fail_at = k - 1;
            allocator.fail_for_ever = for_ever;
            int32_t status = scenario(context);
            refused = allocator.calls >= k;
            prune_context_free(context);
            oom_expect(name, k, for_ever, (int)refused, status);
            ck_assert_msg(allocator.live == 0, "%s: allocation %lld failing %s: %lld blocks are not given back", name,
                          (long long)k, for_ever ? "for ever" : "once", (long long)allocator.live);
            if (check)
                check(status);
            points = k - 1;
        }
    printf("%s: %lld allocations of the context, each failing once and for ever\n", name, (long long)points);
    return points;
}

/* The same for malloc, calloc and realloc. Leaks are for a leak sanitizer to see. */
static inline int64_t oom_sweep_malloc(const char *name, oom_scenario scenario, oom_check check)
{
    int64_t points = 0;
    for (int for_ever = 0; for_ever <= 1; for_ever++)
        for (int64_t k = 1, refused = 1; refused; k++) {
            oom_malloc.calls = 0;
            oom_malloc.fail_at = k;
            oom_malloc.fail_for_ever = for_ever;
            oom_malloc.armed = 1;
            int32_t status = scenario(NULL);
            oom_malloc.armed = 0;
            refused = oom_malloc.calls >= k;
            oom_expect(name, k, for_ever, (int)refused, status);
            if (check)
                check(status);
            points = k - 1;
        }
    printf("%s: %lld calls of malloc, each failing once and for ever\n", name, (long long)points);
    return points;
}

#endif
