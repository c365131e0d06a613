/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Slots that make masks: every element's place among the others counted one by one.
 */
#ifndef PR_TEST_SLOTS_MASKS_H
#define PR_TEST_SLOTS_MASKS_H

#include "core/kernels/masks.h"
#include "slots.h"

/* Few numbers, so that many are equal, of both signs, with infinities and both zeros. */
static inline double some_number(void)
{
    static const double numbers[] = {0, -0.0, 1, -1, 1, 2, -2, 0.5, -0.5, INFINITY, -INFINITY, 1e-40, -1e-40, 3, -3, 1};
    return numbers[pr_rng_below(&rng, 16)];
}

/* In f32, or in f64; what counts of them. */
struct numbers {
    float *floats;
    double *doubles;
};

static inline struct numbers some_numbers(const struct setting *s, int64_t count, int doubles)
{
    struct numbers n = {NULL, NULL};
    if (doubles)
        n.doubles = guarded_bytes(s, 0, count * 8);
    else
        n.floats = random_floats(s, 0, count);
    for (int64_t i = 0; i < count; i++) {
        if (doubles)
            n.doubles[i] = some_number();
        else
            n.floats[i] = (float)some_number();
    }
    return n;
}

static inline double number_at(const struct numbers *n, int64_t i)
{
    return n->doubles ? n->doubles[i] : fabs((double)n->floats[i]);
}

static void keep_of_4_case(const struct setting *s, int doubles)
{
    int64_t count = s->m % 7;
    uint64_t *words = guarded_bytes(s, 1, count * 8);
    for (int keep_n = 1; keep_n <= 3; keep_n++) {
        struct numbers n = some_numbers(s, 64 * count, doubles);
        int nan = doubles ? s->table->keep_of_4_f64(words, n.doubles, count, keep_n)
                          : s->table->keep_of_4_f32(words, n.floats, count, keep_n);
        ck_assert_int_eq(nan, 0);
        for (int64_t i = 0; i < 64 * count; i++) {
            int before = 0;
            for (int64_t j = i / 4 * 4; j < i / 4 * 4 + 4; j++)
                before += number_at(&n, j) < number_at(&n, i) || (number_at(&n, j) == number_at(&n, i) && j < i);
            ck_assert_int_eq((int)(words[i / 64] >> i % 64 & 1), before >= 4 - keep_n);
        }
        for (int64_t i = 0; !doubles && i < 64 * count; i += 13) {
            float was = n.floats[i];
            n.floats[i] = i % 2 ? NAN : -NAN;
            ck_assert_int_eq(s->table->keep_of_4_f32(words, n.floats, count, keep_n), 1);
            n.floats[i] = was;
        }
    }
}

static void split_case(const struct setting *s, int doubles)
{
    static const double limits[][2] = {{0, 1}, {0.5, 0.5}, {1, INFINITY}, {-1, 2}, {-INFINITY, INFINITY}};
    int64_t count = s->m + s->n;
    for (int l = 0; l < (doubles ? 5 : 3); l++) {
        double low = limits[l][0], high = limits[l][1];
        struct numbers n = some_numbers(s, count, doubles);
        struct pr_split split = {3, 2, 1, 0}, right = split;
        int64_t bytes = (count + 1 + PR_SPLIT_SLACK) * (doubles ? 8 : 4);
        void *kept = guarded_bytes(s, 1, bytes);
        memset(kept, 0, (size_t)bytes);
        if (doubles)
            s->table->split_f64(&split, kept, n.doubles, count, low, high);
        else
            s->table->split_f32(&split, kept, n.floats, count, (float)low, (float)high);
        for (int64_t i = 0; i < count; i++) {
            double x = number_at(&n, i);
            right.below += x < low;
            right.low += x == low;
            if (x > low && x <= high) {
                ck_assert(x == (doubles ? ((double *)kept)[right.between] : (double)((float *)kept)[right.between]));
                right.between++;
            }
        }
        ck_assert_int_eq(split.below, right.below);
        ck_assert_int_eq(split.low, right.low);
        ck_assert_int_eq(split.between, right.between);
        ck_assert_int_eq(split.nan, 0);
        if (doubles || count == 0)
            continue;
        n.floats[s->n % count] = s->m % 2 ? NAN : -NAN;
        s->table->split_f32(&right, kept, n.floats, 0, 0, 1);
        ck_assert_int_eq(right.nan, 0);
        right.between = 0;
        s->table->split_f32(&right, kept, n.floats, count, 0, 1);
        ck_assert_int_ne(right.nan, 0);
    }
}

static void keep_above_case(const struct setting *s, int doubles)
{
    int64_t count = s->m % 7, stop = count ? s->n % (count + 1) : 0;
    uint64_t *words = guarded_bytes(s, 1, count * 8);
    struct numbers n = some_numbers(s, 64 * count, doubles);
    double limit = doubles && s->m % 2 ? -1.5 : 1.5;
    memset(words, 0x5a, (size_t)count * 8);
    if (stop < count) {
        int64_t at = 64 * stop + s->n % 64;
        if (doubles)
            n.doubles[at] = limit;
        else
            n.floats[at] = (float)(s->m % 2 ? limit : -limit);
    }
    int64_t done = doubles ? s->table->keep_above_f64(words, n.doubles, count, limit)
                           : s->table->keep_above_f32(words, n.floats, count, (float)limit);
    ck_assert_int_eq(done, stop);
    for (int64_t i = 0; i < 64 * stop; i++)
        ck_assert_int_eq((int)(words[i / 64] >> i % 64 & 1), number_at(&n, i) > limit);
}

/* 0 for a slot that is none of these. */
static int masks_case(enum pr_slot slot, const struct setting *s)
{
    if (slot == PR_SLOT_keep_of_4_f32 || slot == PR_SLOT_keep_of_4_f64)
        keep_of_4_case(s, slot == PR_SLOT_keep_of_4_f64);
    else if (slot == PR_SLOT_split_f32 || slot == PR_SLOT_split_f64)
        split_case(s, slot == PR_SLOT_split_f64);
    else if (slot == PR_SLOT_keep_above_f32 || slot == PR_SLOT_keep_above_f64)
        keep_above_case(s, slot == PR_SLOT_keep_above_f64);
    else
        return 0;
    return 1;
}

#endif
