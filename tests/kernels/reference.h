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

/* Numbers that begin right after a forbidden page, or end right before one: reading or writing a byte beyond that end
 * is a crash. Each of these places is one piece of memory, made once. */
#define PLACES 8
#define PLACE_BYTES ((size_t)1 << 20)
/* qemu 7.2 reads what a masked load of x86 masks out; under it only writing beyond the ends is a crash. */
#ifdef PR_READABLE_GUARDS
#define GUARD PROT_READ
#else
#define GUARD PROT_NONE
#endif

static inline float *guarded_floats(int place, int64_t count, int at_end)
{
    static char *places[PLACES];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), size = (size_t)count * sizeof(float);
    ck_assert(place >= 0 && place < PLACES && size <= PLACE_BYTES);
    if (!places[place]) {
        void *map = mmap(NULL, PLACE_BYTES + 2 * page, GUARD, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        ck_assert(map != MAP_FAILED);
        places[place] = (char *)map + page;
        ck_assert_int_eq(mprotect(places[place], PLACE_BYTES, PROT_READ | PROT_WRITE), 0);
    }
    return (float *)(void *)(at_end ? places[place] + PLACE_BYTES - size : places[place]);
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
