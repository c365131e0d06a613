/* SPDX-License-Identifier: BSD-2-Clause */
#include "testing.h"

#include <math.h>

/* A mask of an f32 matrix by spec strings. */
static prune_mask *select_f32(const float *w, int32_t rank, const int64_t *shape, const char *criterion,
                              const char *granularity, int32_t target, double amount)
{
    prune_tensor *weights;
    prune_criterion *c;
    prune_granularity *g;
    prune_scores *scores;
    prune_mask *mask;
    OK(prune_tensor_borrow(&weights, NULL, (void *)(uintptr_t)w, PRUNE_F32, rank, shape, NULL));
    OK(prune_criterion_create(&c, NULL, criterion));
    OK(prune_granularity_create(&g, NULL, granularity));
    OK(prune_criterion_score(&scores, c, weights, NULL, g));
    OK(prune_mask_select(&mask, scores, target, amount));
    prune_scores_free(scores);
    prune_granularity_free(g);
    prune_criterion_free(c);
    prune_tensor_free(weights);
    return mask;
}

/* "1" kept, "0" pruned, in row-major order; other characters are for the eye. */
static void expect_mask(prune_mask *mask, const char *bits)
{
    char got[1024];
    int64_t n = 0, count = prune_mask_count(mask);
    for (const char *p = bits; *p; p++)
        if (*p == '0' || *p == '1') {
            int32_t kept;
            ck_assert(n < count);
            OK(prune_mask_get(mask, n, &kept));
            got[n++] = kept ? '1' : '0';
            ck_assert_msg(got[n - 1] == *p, "element %lld is %c in \"%s\"", (long long)(n - 1), got[n - 1], bits);
        }
    ck_assert_int_eq(n, count);
    prune_mask_free(mask);
}

static const float LAB[25] = {-.46f, -.40f, .39f, .19f, .37f, 0,    .40f,  .17f, -.15f, .16f,  -.20f, -.23f, .36f,
                              .25f,  .03f,  .24f, .41f, .07f, .13f, -.15f, .48f, -.09f, -.36f, .12f,  .45f};

START_TEST(the_lab_tensor)
{
    const int64_t shape[] = {5, 5};
    expect_mask(select_f32(LAB, 2, shape, "l1", "element", PRUNE_SPARSITY, 0.75), "11000 01000 00000 01000 10001");
    expect_mask(select_f32(LAB, 2, shape, "l1", "element", PRUNE_SPARSITY, 0.60), "11101 01000 00100 01000 10101");
}
END_TEST

START_TEST(the_lecture_matrix)
{
    const int64_t shape[] = {2, 2};
    const float w[] = {3, -2, 1, -5};
    expect_mask(select_f32(w, 2, shape, "l1", "element", PRUNE_SPARSITY, 0.5), "10 01");
    expect_mask(select_f32(w, 2, shape, "l1", "row", PRUNE_SPARSITY, 0.5), "00 11");
    expect_mask(select_f32(w, 2, shape, "l2", "row", PRUNE_SPARSITY, 0.5), "00 11");
}
END_TEST

START_TEST(the_lecture_row_is_two_of_four)
{
    const int64_t shape[] = {1, 8};
    const float w[] = {8, 3, 2, 7, 2, 6, 5, 4};
    expect_mask(select_f32(w, 2, shape, "l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0), "1001 0110");
}
END_TEST

TEST_MAIN("select", the_lab_tensor, the_lecture_matrix, the_lecture_row_is_two_of_four)
