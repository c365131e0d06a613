/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the cases of kernel slots share: buffers between guard pages, and how results are compared.
 */
#ifndef PR_TEST_SLOTS_H
#define PR_TEST_SLOTS_H

#include "reference.h"

#include "core/kernels/kernels.h"

static struct pr_kernels scalar;
static struct pr_rng rng;

/* What one case is about: the table, and sizes that go through all tails. */
struct setting {
    const struct pr_kernels *table;
    int64_t m, n;
    int at_end;
};

static inline void same_bits(const float *a, const float *b, int64_t count, const char *what)
{
    for (int64_t i = 0; i < count; i++)
        if (memcmp(a + i, b + i, sizeof *a) != 0)
            ck_abort_msg("%s: number %lld of %lld is %.9g; scalar code gives %.9g", what, (long long)i,
                         (long long)count, (double)a[i], (double)b[i]);
}

static inline void within(float value, double sum, double size, int64_t products, const char *what)
{
    if (!(fabs((double)value - sum) <= gamma_of(products) * size))
        ck_abort_msg("%s: %.9g for %.17g, beyond gamma(%lld) * %.9g", what, (double)value, sum, (long long)products,
                     size);
}

static inline float *random_floats(const struct setting *s, int place, int64_t count)
{
    float *to = guarded_floats(place, count, s->at_end);
    fill_random(&rng, to, count, 0);
    return to;
}

/* Words or 16-bit numbers in the same kind of memory, in whole floats. */
static inline void *guarded_bytes(const struct setting *s, int place, int64_t bytes)
{
    char *to = (char *)guarded_floats(place, (bytes + 3) / 4, s->at_end);
    return s->at_end && bytes % 4 ? to + 2 : to;
}

static inline uint32_t *random_positions(const struct setting *s, int place, int64_t steps, int lanes)
{
    int64_t words = (steps + PR_PICK_STEPS(lanes) - 1) / PR_PICK_STEPS(lanes) * lanes;
    uint32_t *positions = guarded_bytes(s, place, words * 4);
    for (int64_t i = 0; i < words; i++)
        positions[i] = (uint32_t)pr_rng_next(&rng);
    return positions;
}

static inline int64_t position_of(const uint32_t *words, int64_t step, int64_t lane, int lanes)
{
    return words[step / PR_PICK_STEPS(lanes) * lanes + lane] >> (step % PR_PICK_STEPS(lanes) * PR_PICK_BITS(lanes)) &
           (uint32_t)(2 * lanes - 1);
}

#endif
