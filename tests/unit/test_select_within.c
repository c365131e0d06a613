/* SPDX-License-Identifier: BSD-2-Clause */
#include "pruning.h"

static prune_mask *within(const float *w, int32_t rank, const int64_t *shape, const char *criterion,
                          const char *granularity, const prune_mask *mask, int32_t target, double amount)
{
    prune_tensor *weights = borrow(w, PRUNE_F32, rank, shape);
    prune_scores *scores = score(weights, criterion, granularity);
    prune_mask *out;
    OK(prune_mask_select_within(&out, scores, mask, target, amount));
    prune_scores_free(scores);
    prune_tensor_free(weights);
    return out;
}

static prune_mask *bits(int32_t rank, const int64_t *shape, const char *text)
{
    uint8_t bytes[256];
    int64_t n = 0;
    prune_mask *mask;
    for (; *text; text++)
        if (*text == '0' || *text == '1')
            bytes[n++] = (uint8_t)(*text - '0');
    OK(prune_mask_from_bytes(&mask, NULL, rank, shape, bytes, n));
    return mask;
}

START_TEST(lottery_ticket_rounds_of_100_weights)
{
    /* A fifth of the survivors a round, and survivors go back to what they were at first. */
    const int64_t left[] = {80, 64, 51, 41, 33, 26};
    float initial[100], trained[100];
    prune_mask *mask;
    OK(prune_mask_create(&mask, NULL, 1, SHAPE(100), 1));
    for (int i = 0; i < 100; i++)
        initial[i] = (float)(i * 37 % 100 - 50) / 64 + 0.001f;
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 100; i++)
            trained[i] = kept(mask, i) ? initial[i] * (float)(1 + (i * (round + 3)) % 7) : 0;
        prune_mask *next = within(trained, 1, SHAPE(100), "l1", "element", mask, PRUNE_SPARSITY, 0.2), *both;
        ck_assert_int_eq(prune_mask_kept(next), left[round]);
        OK(prune_mask_and(&both, next, mask));
        expect_same(both, next);
        prune_mask_free(both);
        prune_mask_free(mask);
        mask = next;
        float rewound[100];
        memcpy(rewound, initial, sizeof rewound);
        prune_tensor *tensor = borrow(rewound, PRUNE_F32, 1, SHAPE(100));
        OK(prune_mask_apply(mask, tensor));
        for (int i = 0; i < 100; i++)
            ck_assert(rewound[i] == (kept(mask, i) ? initial[i] : 0));
        prune_tensor_free(tensor);
    }
    prune_mask_free(mask);
}
END_TEST

START_TEST(zeros_that_survive_are_not_zeros_that_are_gone)
{
    const float w[] = {0, 0, 0, 5, 0, 1};
    prune_mask *mask = bits(1, SHAPE(6), "010111");
    expect_mask(within(w, 1, SHAPE(6), "l1", "element", mask, PRUNE_COUNT, 1), "000111");
    expect_mask(within(w, 1, SHAPE(6), "l1", "element", mask, PRUNE_COUNT, 2), "000101");
    expect_mask(within(w, 1, SHAPE(6), "l1", "element", mask, PRUNE_SPARSITY, 0.5), "000101");
    expect_mask(within(w, 1, SHAPE(6), "l1", "element", mask, PRUNE_KEEP, 5), "010111");
    expect_mask(within(w, 1, SHAPE(6), "l1", "element", mask, PRUNE_KEEP, 0), "000000");
    expect_mask(within(w, 1, SHAPE(6), "l1", "element", mask, PRUNE_THRESHOLD, 0), "010111");
    prune_mask_free(mask);
    const float low[] = {-INFINITY, 3, -INFINITY};
    mask = bits(1, SHAPE(3), "110");
    expect_mask(within(low, 1, SHAPE(3), "scores", "element", mask, PRUNE_COUNT, 1), "010");
    prune_mask_free(mask);
}
END_TEST

START_TEST(torch_masks_that_continue_a_mask)
{
    const float w[] = {1, 2, 3, 4, 5, 6, 7, 8};
    prune_mask *mask = bits(2, SHAPE(2, 4), "1110 1101");
    expect_mask(within(w, 2, SHAPE(2, 4), "l1", "element", mask, PRUNE_COUNT, 2), "0010 1101");
    expect_mask(within(w, 2, SHAPE(2, 4), "l2", "row", mask, PRUNE_COUNT, 1), "0000 1101");
    expect_mask(within(w, 2, SHAPE(2, 4), "l2", "column", mask, PRUNE_COUNT, 1), "0110 0101");
    prune_mask_free(mask);
}
END_TEST

START_TEST(torch_amounts)
{
    const float w[] = {1, 2, 3, 4, -4, -3, -2, -1};
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element", PRUNE_COUNT, 2), "0111 1110");
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element", PRUNE_COUNT, 4), "0011 1100");
    prune_mask *mask = bits(2, SHAPE(2, 4), "0111 1110");
    expect_mask(within(w, 2, SHAPE(2, 4), "l1", "element", mask, PRUNE_COUNT, 2), "0011 1100");
    prune_mask_free(mask);
    const float importance[] = {4, 2, 1, 3, -3, -1, -2, -4};
    expect_mask(prune_f32(importance, 2, SHAPE(2, 4), "l1", "element", PRUNE_COUNT, 2), "1101 1011");
}
END_TEST

START_TEST(quotas_and_rows_within_a_mask)
{
    const float w[] = {8, 3, 2, 7, 2, 6, 5, 4};
    prune_mask *mask = bits(2, SHAPE(1, 8), "0111 0001");
    expect_mask(within(w, 2, SHAPE(1, 8), "l1", "nm:keep_n=2,group_m=4", mask, PRUNE_QUOTA, 0), "0101 0001");
    prune_mask_free(mask);
    mask = bits(2, SHAPE(2, 4), "1011 0110");
    expect_mask(within(w, 2, SHAPE(2, 4), "l1", "element:pool=row", mask, PRUNE_COUNT, 1), "1001 0100");
    expect_mask(within(w, 2, SHAPE(2, 4), "l1", "element:pool=row", mask, PRUNE_COUNT, 3), "0000 0000");
    prune_mask_free(mask);
}
END_TEST

START_TEST(large_pools_within_a_mask_against_a_sort)
{
    enum { N = 400000 };
    static float w[N];
    static uint8_t bytes[N];
    int64_t left = 0;
    prune_mask *mask;
    for (int i = 0; i < N; i++) {
        w[i] = (float)(((unsigned)i * 2654435761u >> 7) % 1000);
        bytes[i] = ((unsigned)i * 40503u >> 4) % 3 != 0;
        left += bytes[i];
    }
    OK(prune_mask_from_bytes(&mask, NULL, 1, SHAPE(N), bytes, N));
    prune_mask *got = within(w, 1, SHAPE(N), "l1", "element", mask, PRUNE_SPARSITY, 0.3);
    int64_t due = (int64_t)round(0.3 * (double)left), seen = 0;
    ck_assert_int_eq(prune_mask_kept(got), left - due);
    for (int value = 0; value < 1000; value++)
        for (int i = 0; i < N; i++)
            if (w[i] == (float)value && bytes[i]) {
                if (kept(got, i) != (seen >= due))
                    ck_abort_msg("element %d", i);
                seen++;
            }
    prune_mask_free(got);
    prune_mask_free(mask);
}
END_TEST

START_TEST(what_is_refused)
{
    const float w[] = {1, 2, 3, 4};
    prune_mask *mask = bits(1, SHAPE(4), "1111"), *out = UNTOUCHED;
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 2));
    prune_scores *scores = score(weights, "l1", "element");
    FAILS(prune_mask_select_within(&out, scores, mask, PRUNE_COUNT, 1), PRUNE_E_SHAPE, "[2, 2]");
    FAILS(prune_mask_select_within(&out, scores, NULL, PRUNE_COUNT, 1), PRUNE_E_ARGUMENT, "within");
    FAILS(prune_mask_select_within(&out, NULL, mask, PRUNE_COUNT, 1), PRUNE_E_ARGUMENT, "scores");
    FAILS(prune_mask_select(&out, scores, PRUNE_COUNT, 5), PRUNE_E_ARGUMENT, "smallest pool has 4");
    FAILS(prune_mask_select(&out, scores, PRUNE_COUNT, 1.5), PRUNE_E_ARGUMENT, "whole");
    FAILS(prune_mask_select(&out, scores, PRUNE_QUALITY, 1), PRUNE_E_ARGUMENT, "4 is no target");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_scores_free(scores);
    prune_tensor_free(weights);
    prune_mask_free(mask);
}
END_TEST

TEST_MAIN("select_within", lottery_ticket_rounds_of_100_weights, zeros_that_survive_are_not_zeros_that_are_gone,
          torch_masks_that_continue_a_mask, torch_amounts, quotas_and_rows_within_a_mask,
          large_pools_within_a_mask_against_a_sort, what_is_refused)
