/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of kernels and packed objects share: memory between guard pages, products in double, and the bound
 * that every output must keep.
 */
#ifndef PR_TEST_REFERENCE_H
#define PR_TEST_REFERENCE_H

#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/rng.h"
#include "testing.h"

/* Numbers that begin right after one forbidden page and others that end right before one: reading or writing a byte
 * beyond either end is a crash. */
struct guarded {
    void *map;
    size_t bytes;
    float *at;
};

static inline struct guarded guarded_floats(int64_t count, int at_end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)count * sizeof(float);
    size_t inner = (size + page - 1) / page * page;
    struct guarded memory = {.bytes = inner + 2 * page};
    memory.map = mmap(NULL, memory.bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(memory.map != MAP_FAILED);
    char *first = (char *)memory.map + page;
    if (inner)
        ck_assert_int_eq(mprotect(first, inner, PROT_READ | PROT_WRITE), 0);
    memory.at = (float *)(void *)(at_end ? first + inner - size : first);
    return memory;
}

static inline void guarded_free(struct guarded *memory)
{
    munmap(memory->map, memory->bytes);
}

/* In [-1, 1), or whole numbers from -4 to 4, with which every sum is exact in float. */
static inline void fill_random(struct pr_rng *rng, float *to, int64_t count, int whole)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = whole ? (float)((int)pr_rng_below(rng, 9) - 4) : (float)(2 * pr_rng_uniform(rng) - 1);
}

/* gamma(n) of Higham 2002, 3.1, with u = 2^-24. */
static inline double gamma_of(int64_t n)
{
    const double nu = (double)n * 0x1p-24;
    return nu / (1 - nu);
}

#endif
