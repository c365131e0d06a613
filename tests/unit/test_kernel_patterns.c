/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pattern pruning: kernels whose masks come from a dictionary.
 */
#include "pruning.h"

static uint64_t state = 1;

static int64_t draw(int64_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)bound);
}

START_TEST(given_patterns)
{
    const float w[] = {9, 1, 5, 2, /* the diagonal is 11, the other 6, the upper row 10 */
                       1, 4, 3, 1, /* 2, 7, 5 */
                       2, 2, 2, 2, /* equal: the first of the dictionary */
                       8, 7, 0, 0};
    const char *spec = "pattern:masks=1001/0110/1100";
    prune_mask *mask = prune_f32(w, 4, SHAPE(2, 2, 2, 2), "l1", spec, PRUNE_QUOTA, 0);
    expect_check(spec, mask, 1, -1);
    expect_check("pattern:keep_n=2,patterns=3", mask, 1, -1);
    expect_check("pattern:keep_n=2,patterns=2", mask, 0, 12);
    expect_check("pattern:keep_n=1,patterns=4", mask, 0, 3);
    expect_mask(mask, "1001 0110 1001 1100");
}
END_TEST

START_TEST(mined_patterns)
{
    /* The best two of each kernel: 1100 three times, 0011 twice, 1001 once. */
    const float w[] = {5, 4, 1, 0, 6, 5, 1, 0, 7, 6, 0, 1, 0, 1, 5, 6, 1, 0, 5, 6, 9, 1, 1, 8};
    const int64_t *shape = SHAPE(6, 1, 2, 2);
    expect_mask(prune_f32(w, 4, shape, "l1", "pattern:keep_n=2,patterns=1", PRUNE_QUOTA, 0),
                "1100 1100 1100 1100 1100 1100");
    expect_mask(prune_f32(w, 4, shape, "l1", "pattern:keep_n=2,patterns=2", PRUNE_QUOTA, 0),
                "1100 1100 1100 0011 0011 1100");
    expect_mask(prune_f32(w, 4, shape, "l1", "pattern:keep_n=2,patterns=3", PRUNE_QUOTA, 0),
                "1100 1100 1100 0011 0011 1001");
    expect_mask(prune_f32(w, 4, shape, "l1", "pattern:keep_n=64", PRUNE_QUOTA, 0), "1111 1111 1111 1111 1111 1111");
}
END_TEST

START_TEST(equals_go_by_number)
{
    /* Of equal scores the lower index goes first: 0011 is best for the first kernel. Of equally frequent patterns the
     * smaller number, bit i being element i, is first in the dictionary; of equal sums the first is taken. */
    const float w[] = {1, 1, 1, 1, 5, 4, 0, 0};
    expect_mask(prune_f32(w, 4, SHAPE(2, 1, 2, 2), "l1", "pattern:keep_n=2", PRUNE_QUOTA, 0), "1100 1100");
    expect_mask(prune_f32(w, 4, SHAPE(2, 1, 2, 2), "l1", "pattern:keep_n=2,patterns=1", PRUNE_QUOTA, 0), "1100 1100");
}
END_TEST

#define KERNELS 60

/* The same from the definition. */
static void mine_slowly(const double *scores, int64_t kernels, int elements, int keep_n, int patterns, uint8_t *keep)
{
    uint32_t best[KERNELS], dictionary[KERNELS];
    int count[KERNELS], found = 0;
    for (int64_t k = 0; k < kernels; k++) {
        best[k] = 0;
        for (int i = 0; i < elements; i++) {
            int rank = 0; /* how many are better */
            for (int j = 0; j < elements; j++)
                rank += scores[k * elements + j] > scores[k * elements + i] ||
                        (scores[k * elements + j] == scores[k * elements + i] && j > i);
            best[k] |= (uint32_t)(rank < keep_n) << i;
        }
        int d = 0;
        while (d < found && dictionary[d] != best[k])
            d++;
        if (d == found) {
            dictionary[found] = best[k];
            count[found++] = 0;
        }
        count[d]++;
    }
    for (int i = 0; i < found; i++)
        for (int j = i + 1; j < found; j++)
            if (count[j] > count[i] || (count[j] == count[i] && dictionary[j] < dictionary[i])) {
                uint32_t bits = dictionary[i];
                int n = count[i];
                dictionary[i] = dictionary[j], count[i] = count[j];
                dictionary[j] = bits, count[j] = n;
            }
    for (int64_t k = 0; k < kernels; k++) {
        double most = -1;
        uint32_t chosen = 0;
        for (int d = 0; d < found && d < patterns; d++) {
            double sum = 0;
            for (int i = 0; i < elements; i++)
                sum += dictionary[d] >> i & 1 ? scores[k * elements + i] : 0;
            if (sum > most)
                most = sum, chosen = dictionary[d];
        }
        for (int i = 0; i < elements; i++)
            keep[k * elements + i] = chosen >> i & 1;
    }
}

START_TEST(mining_equals_its_definition)
{
    for (int trial = 0; trial < 3000; trial++) {
        int64_t kernels = 1 + draw(KERNELS), high = 1 + draw(3), wide = 1 + draw(3), bound = draw(2) ? 4 : 1000000;
        int elements = (int)(high * wide), keep_n = 1 + (int)draw(elements), patterns = 1 + (int)draw(9);
        double w[KERNELS * 9];
        uint8_t due[KERNELS * 9], got[KERNELS * 9];
        char spec[64];
        for (int64_t i = 0; i < kernels * elements; i++)
            w[i] = (double)draw(bound);
        snprintf(spec, sizeof spec, "pattern:keep_n=%d,patterns=%d", keep_n, patterns);
        mine_slowly(w, kernels, elements, keep_n, patterns, due);
        prune_tensor *weights = borrow(w, PRUNE_F64, 4, SHAPE(kernels, 1, high, wide));
        prune_mask *mask = prune(weights, "l1", spec, PRUNE_QUOTA, 0);
        OK(prune_mask_to_bytes(mask, got, kernels * elements));
        if (memcmp(got, due, (size_t)(kernels * elements)) != 0 || prune_mask_kept(mask) != kernels * keep_n)
            ck_abort_msg("%s on %d kernels of %d", spec, (int)kernels, elements);
        expect_check(spec, mask, 1, -1);
        prune_mask_free(mask);
        prune_tensor_free(weights);
    }
}
END_TEST

START_TEST(threads_do_not_matter)
{
    static float w[160 * 160 * 9];
    prune_mask *masks[2];
    for (int i = 0; i < 160 * 160 * 9; i++)
        w[i] = (float)draw(100);
    for (int i = 0; i < 2; i++) {
        prune_context *context;
        prune_tensor *weights;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, i == 0 ? 1 : 4));
        OK(prune_tensor_borrow(&weights, context, w, PRUNE_F32, 4, SHAPE(160, 160, 3, 3), NULL));
        masks[i] = prune(weights, "l1", "pattern", PRUNE_QUOTA, 0);
        prune_tensor_free(weights);
        prune_context_free(context);
    }
    expect_same(masks[0], masks[1]);
    ck_assert_int_eq(prune_mask_kept(masks[0]), 160 * 160 * 4);
    prune_mask_free(masks[0]);
    prune_mask_free(masks[1]);
}
END_TEST

START_TEST(infinite_scores_are_kept)
{
    const float w[] = {INFINITY, 1, 9, 9, 2, 3, 1, 1};
    expect_mask(prune_f32(w, 4, SHAPE(2, 1, 2, 2), "l1", "pattern:masks=1100/0011", PRUNE_QUOTA, 0), "1100 1100");
}
END_TEST

START_TEST(patterns_of_the_wrong_size)
{
    const char *bad[][2] = {
        {"pattern:keep_n=0", "keep_n=0"},
        {"pattern:patterns=0", "patterns=0"},
        {"pattern:keep_n=65", "keep_n=65"},
        {"pattern:masks=", "no value"},
        {"pattern:masks=102", "\"2\""},
        {"pattern:masks=1-1", "alone"},
        {"pattern:masks=110/11", "2 elements after one of 3"},
        {"pattern:masks=110/", "0 elements after one of 3"},
        {"pattern:masks=/110", "0 elements after one of 0"},
        {"pattern:masks=110,keep_n=2", "leave them out"},
        {"pattern:masks=10101010101010101010101010101010101010101010101010101010101010101", "65 elements"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        prune_granularity *g = UNTOUCHED;
        FAILS(prune_granularity_create(&g, NULL, bad[i][0]), PRUNE_E_SPEC, bad[i][1]);
        ck_assert_ptr_eq(g, UNTOUCHED);
    }
    char text[600] = "pattern:masks=";
    prune_granularity *long_one = UNTOUCHED;
    for (int i = 0; i < 60; i++)
        strcat(text, "10100101/");
    FAILS(prune_granularity_create(&long_one, NULL, text), PRUNE_E_SPEC, "at most 399");
    const struct {
        const char *spec;
        int32_t rank;
        int64_t shape[4];
        const char *word;
    } misfits[] = {
        {"pattern:masks=111010000", 4, {2, 2, 5, 5}, "9 elements for kernels of 25"},
        {"pattern:masks=111010000", 4, {2, 2, 1, 1}, "9 elements for kernels of 1"},
        {"pattern", 4, {2, 2, 9, 9}, "81"},
        {"pattern", 2, {2, 2}, "rank 3"},
    };
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        int64_t units = 7;
        prune_granularity *g = cut(misfits[i].spec);
        FAILS(prune_granularity_count(g, misfits[i].rank, misfits[i].shape, &units, NULL, NULL), PRUNE_E_SHAPE,
              misfits[i].word);
        ck_assert_int_eq(units, 7);
        prune_granularity_free(g);
    }
}
END_TEST

START_TEST(a_dictionary_is_carried_by_the_spec)
{
    prune_granularity *g = cut("pattern:masks=111010000/010111000");
    ck_assert_str_eq(prune_granularity_spec(g), "pattern:masks=111010000/010111000");
    ck_assert_int_eq(prune_granularity_has_quota(g), 1);
    prune_granularity_free(g);
    g = cut("pattern:masks=-,patterns=8,keep_n=4");
    ck_assert_str_eq(prune_granularity_spec(g), "pattern");
    int64_t units, pools;
    OK(prune_granularity_count(g, 4, SHAPE(5, 4, 3, 3), &units, &pools, NULL));
    ck_assert(units == 180 && pools == 20);
    OK(prune_granularity_count(g, 4, SHAPE(5, 4, 0, 3), &units, &pools, NULL));
    ck_assert(units == 0);
    prune_granularity_free(g);
}
END_TEST

TEST_MAIN("kernel_patterns", given_patterns, mined_patterns, equals_go_by_number, mining_equals_its_definition,
          threads_do_not_matter, infinite_scores_are_kept, patterns_of_the_wrong_size,
          a_dictionary_is_carried_by_the_spec)
