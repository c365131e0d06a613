/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cases of the slots whose values stand without gaps.
 */
#ifndef PR_TEST_SLOTS_GAPLESS_H
#define PR_TEST_SLOTS_GAPLESS_H

#include "slots.h"

#include "core/kernels/gapless.h"

/* Both kinds of windows on the same steps: the second has the kept values alone, and 16 more floats. */
static void tight_case(const struct setting *s, int finite)
{
    int64_t steps = s->m, vectors = 2 + s->n % 5, count = 0;
    float *x = random_floats(s, 0, vectors * 16), *gaps = guarded_floats(6, steps * 16, 0);
    float *sums = random_floats(s, 2, 16), *right = guarded_floats(7, 16, 0);
    uint16_t *starts = guarded_bytes(s, 3, steps * 2), *kept = guarded_bytes(s, 4, steps * 2);
    const uint32_t *words = random_positions(s, 5, steps, 16);
    if (!finite)
        x[pr_rng_below(&rng, (uint64_t)(vectors * 16))] = INFINITY;
    for (int64_t t = 0; t < steps; t++) {
        starts[t] = (uint16_t)pr_rng_below(&rng, (uint64_t)vectors - 1);
        kept[t] = (uint16_t)(s->n % 4 ? pr_rng_next(&rng) : s->n % 8 ? 0xffff : 0);
        for (int64_t i = 0; i < 16; i++)
            if (isinf(x[starts[t] * 16 + position_of(words, t, i, 16)]))
                kept[t] = (uint16_t)(kept[t] & ~(1u << i));
        count += __builtin_popcount(kept[t]);
    }
    float *values = random_floats(s, 1, count + PR_GAPLESS_PAD), *next = values;
    for (int64_t t = 0; t < steps; t++)
        for (int64_t i = 0; i < 16; i++)
            gaps[t * 16 + i] = kept[t] >> i & 1 ? *next++ : 0;
    for (int64_t i = 0; i < PR_GAPLESS_PAD; i++)
        next[i] = NAN;
    s->table->windows_tight(sums, x, starts, values, words, kept, steps, finite);
    scalar.windows_16(right, x, starts, gaps, words, kept, steps, finite);
    for (int64_t i = 0; i < 16; i++) {
        double size = 0;
        for (int64_t t = 0; t < steps; t++)
            if (kept[t] >> i & 1)
                size += fabs((double)gaps[t * 16 + i] * (double)x[starts[t] * 16 + position_of(words, t, i, 16)]);
        within(sums[i], (double)right[i], size, 2 * steps, "windows_tight");
    }
}

static void bitmap_case(const struct setting *s, int finite)
{
    int64_t blocks = s->m / 4, count = 0, columns = blocks * PR_BITMAP_COLUMNS;
    float *x = random_floats(s, 0, columns), *sums = random_floats(s, 2, PR_BITMAP_ROWS);
    uint32_t *masks = guarded_bytes(s, 3, blocks * PR_BITMAP_ROWS * 4);
    int64_t odd = !finite && columns ? (int64_t)pr_rng_below(&rng, (uint64_t)columns) : -1;
    for (int64_t i = 0; i < blocks * PR_BITMAP_ROWS; i++) {
        masks[i] = s->n % 4 ? (uint32_t)pr_rng_next(&rng) : s->n % 8 ? UINT32_MAX : 0;
        if (odd / PR_BITMAP_COLUMNS == i / PR_BITMAP_ROWS && odd >= 0)
            masks[i] &= ~(1u << odd % PR_BITMAP_COLUMNS);
        count += __builtin_popcount(masks[i]);
    }
    if (odd >= 0)
        x[odd] = NAN;
    float *values = random_floats(s, 1, count + PR_GAPLESS_PAD);
    double sum[PR_BITMAP_ROWS] = {0}, size[PR_BITMAP_ROWS] = {0};
    for (int64_t i = 0, v = 0; i < blocks * PR_BITMAP_ROWS; i++)
        for (int64_t k = 0; k < PR_BITMAP_COLUMNS; k++)
            if (masks[i] >> k & 1) {
                double product = (double)values[v++] * (double)x[i / PR_BITMAP_ROWS * PR_BITMAP_COLUMNS + k];
                sum[i % PR_BITMAP_ROWS] += product;
                size[i % PR_BITMAP_ROWS] += fabs(product);
            }
    for (int64_t i = 0; i < PR_GAPLESS_PAD; i++)
        values[count + i] = INFINITY;
    s->table->bitmap_block(sums, x, masks, values, blocks, finite);
    for (int r = 0; r < PR_BITMAP_ROWS; r++)
        within(sums[r], sum[r], size[r], columns, "bitmap_block");
}

#endif
