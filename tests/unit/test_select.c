/* SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>

#include "core/select/select.h"
#include "pruning.h"

static const float LAB[25] = {-.46f, -.40f, .39f, .19f, .37f, 0,    .40f,  .17f, -.15f, .16f,  -.20f, -.23f, .36f,
                              .25f,  .03f,  .24f, .41f, .07f, .13f, -.15f, .48f, -.09f, -.36f, .12f,  .45f};

START_TEST(the_lab_tensor)
{
    expect_mask(prune_f32(LAB, 2, SHAPE(5, 5), "l1", "element", PRUNE_SPARSITY, 0.75), "11000 01000 00000 01000 10001");
    expect_mask(prune_f32(LAB, 2, SHAPE(5, 5), "l1", "element", PRUNE_SPARSITY, 0.60), "11101 01000 00100 01000 10101");
    expect_kept(prune_f32(LAB, 2, SHAPE(5, 5), "l1", "element", PRUNE_SPARSITY, 0.75), 6);
    expect_kept(prune_f32(LAB, 2, SHAPE(5, 5), "l1", "element", PRUNE_SPARSITY, 0.60), 10);
    expect_kept(prune_f32(LAB, 2, SHAPE(5, 5), "l1", "element", PRUNE_KEEP, 6), 6);
}
END_TEST

START_TEST(han_quality_rule_as_a_threshold)
{
    /* The population deviation of the lab tensor, 0.274554, as threshold prunes 15. */
    double mean = 0, square = 0;
    for (int i = 0; i < 25; i++)
        mean += (double)LAB[i] / 25;
    for (int i = 0; i < 25; i++)
        square += ((double)LAB[i] - mean) * ((double)LAB[i] - mean) / 25;
    ck_assert_double_eq_tol(sqrt(square), 0.274554, 1e-6);
    expect_kept(prune_f32(LAB, 2, SHAPE(5, 5), "l1", "element", PRUNE_THRESHOLD, sqrt(square)), 10);
}
END_TEST

START_TEST(the_lecture_matrix)
{
    const float w[] = {3, -2, 1, -5};
    expect_mask(prune_f32(w, 2, SHAPE(2, 2), "l1", "element", PRUNE_SPARSITY, 0.5), "10 01");
    expect_mask(prune_f32(w, 2, SHAPE(2, 2), "l1", "row", PRUNE_SPARSITY, 0.5), "00 11");
    expect_mask(prune_f32(w, 2, SHAPE(2, 2), "l2", "row", PRUNE_SPARSITY, 0.5), "00 11");
}
END_TEST

START_TEST(rows_where_l1_and_l2_disagree)
{
    const float w[] = {3, 3, 5, 0};
    expect_mask(prune_f32(w, 2, SHAPE(2, 2), "l1", "row", PRUNE_KEEP, 1), "11 00");
    expect_mask(prune_f32(w, 2, SHAPE(2, 2), "l2", "row", PRUNE_KEEP, 1), "00 11");
}
END_TEST

START_TEST(the_lecture_neuron_loses_its_smallest_weight)
{
    const float w[] = {10, -8, 0.1f};
    const char *norms[] = {"l1", "l2", "lp:p=0.5", "lp:p=7"};
    for (int i = 0; i < 4; i++)
        expect_mask(prune_f32(w, 1, SHAPE(3), norms[i], "element", PRUNE_KEEP, 2), "110");
}
END_TEST

START_TEST(every_norm_ranks_single_elements_alike)
{
    const char *norms[] = {"l2", "lp:p=0.1", "lp:p=0.5", "lp:p=1", "lp:p=3", "lp:p=1000"};
    for (int k = 0; k <= 25; k++) {
        prune_mask *l1 = prune_f32(LAB, 2, SHAPE(5, 5), "l1", "element", PRUNE_KEEP, k);
        for (int i = 0; i < 6; i++) {
            prune_mask *other = prune_f32(LAB, 2, SHAPE(5, 5), norms[i], "element", PRUNE_KEEP, k);
            expect_same(l1, other);
            prune_mask_free(other);
        }
        prune_mask_free(l1);
    }
}
END_TEST

START_TEST(two_of_four)
{
    const float row[] = {8, 3, 2, 7, 2, 6, 5, 4};
    expect_mask(prune_f32(row, 2, SHAPE(1, 8), "l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0), "1001 0110");
    const float hipsparselt[] = {1, 2, 0, 0, 0, 0, 3, 4, 0, 6, 7, 0, 0, 6, 0, 8};
    expect_mask(prune_f32(hipsparselt, 2, SHAPE(4, 4), "l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0),
                "1100 0011 0110 0101");
}
END_TEST

START_TEST(one_of_two_of_coremltools)
{
    const float w[] = {3, 4, 7, 6, 1, 8, -3, -8, -2, -3, -4, 0, 5, 4, -3, -2};
    expect_mask(prune_f32(w, 2, SHAPE(4, 4), "l1", "nm:keep_n=1,group_m=2", PRUNE_QUOTA, 0), "0110 0101 0110 1010");
}
END_TEST

/* Two of every three along axis 0 go; of equal ones (columns 2 and 3) the later stays. */
START_TEST(one_of_three_of_coremltools_along_axis_0_with_a_remainder)
{
    const float w[7 * 6] = {
        1,  3,  4,  -3, 2,  4,  /* */
        -6, -7, 2,  4,  6,  8,  /* */
        0,  4,  4,  1,  -9, -4, /* */
        -9, 2,  -1, 8,  3,  9,  /* */
        -1, 5,  0,  8,  9,  -3, /* */
        -3, 3,  6,  3,  6,  -1, /* */
        2,  1,  -2, 8,  2,  -6, /* */
    };
    expect_mask(prune_f32(w, 2, SHAPE(7, 6), "l1", "nm:keep_n=1,group_m=3,axis=0", PRUNE_QUOTA, 0),
                "000000 110101 001010 100001 010110 001000 111111");
}
END_TEST

START_TEST(masks_of_tfmot_with_remainders)
{
    const float a[] = {.25f, -1.33f, .43f, -.11f, .47f, .92f, -.13f, -2.23f};
    const float b[] = {-.49f, -.66f, .42f, .31f, .63f, -1.63f};
    const float c[] = {1.71f, -.27f, -.3f, -.61f, -.19f, -.4f, 1.12f, .46f, -1.12f, .17f};
    expect_mask(prune_f32(a, 2, SHAPE(2, 4), "l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0), "0110 0101");
    expect_mask(prune_f32(b, 2, SHAPE(2, 3), "l1", "nm:keep_n=1,group_m=2", PRUNE_QUOTA, 0), "011 011");
    expect_mask(prune_f32(b, 2, SHAPE(2, 3), "l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0), "110 011");
    expect_mask(prune_f32(c, 2, SHAPE(2, 5), "l1", "nm:keep_n=2,group_m=5", PRUNE_QUOTA, 0), "10010 01010");
}
END_TEST

START_TEST(counts_and_containers_of_torch_tests)
{
    const float w[] = {1, 2, 3, 4, -4, -3, -2, -1}, s[] = {4, 2, 1, 3, -3, -1, -2, -4};
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element", PRUNE_KEEP, 6), "0111 1110");
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element", PRUNE_KEEP, 4), "0011 1100");
    expect_mask(prune_f32(s, 2, SHAPE(2, 4), "l1", "element", PRUNE_KEEP, 6), "1101 1011");
    /* A mask that is there already: what it has pruned goes first, or is kept out by intersection. */
    float v[] = {1, 2, 3, 0, 5, 6, 0, 8};
    const float whole[] = {1, 2, 3, 4, 5, 6, 7, 8};
    expect_mask(prune_f32(v, 2, SHAPE(2, 4), "l1", "element", PRUNE_KEEP, 4), "0010 1101");
    prune_mask *prior = prune_f32(v, 2, SHAPE(2, 4), "l1", "element", PRUNE_KEEP, 6), *both;
    prune_mask *row = prune_f32(whole, 2, SHAPE(2, 4), "l2", "row", PRUNE_KEEP, 1);
    prune_mask *column = prune_f32(whole, 2, SHAPE(2, 4), "l2", "column", PRUNE_KEEP, 3);
    OK(prune_mask_and(&both, prior, row));
    expect_mask(both, "0000 1101");
    OK(prune_mask_and(&both, prior, column));
    expect_mask(both, "0110 0101");
    prune_mask_free(prior);
    prune_mask_free(row);
    prune_mask_free(column);
}
END_TEST

START_TEST(slices_of_torch_and_tfmot_tests)
{
    const float conv[] = {1, 2, 1, 2.5f, .5f, 1, .1f, .1f, -3, -5, .1f, -1};
    const float channels[] = {2, -1, -3, 2, 5, -2, -1, -3};
    expect_mask(prune_f32(conv, 4, SHAPE(1, 3, 2, 2), "l2", "column", PRUNE_KEEP, 2), "1111 0000 1111");
    expect_mask(prune_f32(channels, 4, SHAPE(2, 2, 1, 2), "l2", "filter", PRUNE_SPARSITY, 0.5), "0000 1111");
}
END_TEST

static int64_t kept_of(int64_t count, double sparsity)
{
    float *w = malloc((size_t)count * sizeof *w + 1);
    for (int64_t i = 0; i < count; i++)
        w[i] = (float)(i + 1);
    prune_mask *mask = prune_f32(w, 1, SHAPE(count), "l1", "element", PRUNE_SPARSITY, sparsity);
    int64_t result = prune_mask_kept(mask);
    for (int64_t i = 0; i < count; i++) /* the smallest are first */
        ck_assert_int_eq(kept(mask, i), i >= count - result);
    prune_mask_free(mask);
    free(w);
    return result;
}

START_TEST(how_many_go_is_exact)
{
    const struct {
        int64_t units;
        double sparsity;
        int64_t pruned;
    } cases[] = {
        {45, 0.7, 31}, /* the product is 31.499999999999996 */
        {10, 0.1, 1},      {17, 0.4, 7},
        {1, 0.5, 1},       {2, 0.25, 1},
        {3, 0.5, 2},       {5, 0.5, 3},
        {5, 0.1, 1},       {25, 0.75, 19},
        {7, 0, 0},         {7, -0.0, 0},
        {7, 1, 7},         {7, 1e-300, 0},
        {1, 0.499999, 0},  {1, 1, 1},
        {2, 1, 2},         {10, 0.2, 2},
        {0, 0.5, 0},       {0, 1, 0},
        {2, 0.2499999, 0}, {1, 0.49999999999999994, 0}, /* adding a half before cutting off would give 1 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(kept_of(cases[i].units, cases[i].sparsity) == cases[i].units - cases[i].pruned, "%lld at %g",
                      (long long)cases[i].units, cases[i].sparsity);
    const double schedule[] = {0, .1, .1, .3, .3, .5};
    const int64_t left[] = {100, 90, 90, 70, 70, 50};
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(kept_of(100, schedule[i]), left[i]);
}
END_TEST

START_TEST(counts_beyond_what_a_double_counts)
{
    ck_assert_int_eq(pr_prune_count(0.5, INT64_C(1) << 60), INT64_C(1) << 59);
    ck_assert_int_eq(pr_prune_count(1, INT64_MAX), INT64_MAX);
    ck_assert_int_eq(pr_prune_count(1, (INT64_C(1) << 53) + 1), (INT64_C(1) << 53) + 1);
    ck_assert_int_eq(pr_prune_count(1 - 0x1p-53, INT64_MAX), INT64_MAX - 1023);
    ck_assert_int_eq(pr_prune_count(0, INT64_MAX), 0);
}
END_TEST

START_TEST(of_equal_scores_the_lower_number_goes)
{
    const float same[] = {2, -2, 2, 2, -2, 2, 2, 2}, zeros[] = {0, -0.0f, 0, -0.0f, -0.0f, 0, 0, -0.0f};
    expect_mask(prune_f32(same, 1, SHAPE(8), "l1", "element", PRUNE_KEEP, 3), "0000 0111");
    expect_mask(prune_f32(zeros, 1, SHAPE(8), "l1", "element", PRUNE_KEEP, 3), "0000 0111");
    expect_mask(prune_f32(zeros, 1, SHAPE(8), "scores", "element", PRUNE_KEEP, 3), "0000 0111");
    expect_mask(prune_f32(same, 2, SHAPE(1, 8), "l1", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0), "0011 0011");
    expect_mask(prune_f32(zeros, 2, SHAPE(1, 8), "scores", "nm:keep_n=1,group_m=4", PRUNE_QUOTA, 0), "0001 0001");
    expect_mask(prune_f32(same, 2, SHAPE(2, 4), "l1", "element:pool=row", PRUNE_SPARSITY, 0.25), "0111 0111");
    expect_mask(prune_f32(same, 2, SHAPE(4, 2), "l1", "row", PRUNE_SPARSITY, 0.5), "00 00 11 11");
}
END_TEST

START_TEST(infinities_and_denormals_are_ranked)
{
    const float w[] = {INFINITY, FLT_MAX, -INFINITY, FLT_TRUE_MIN, 0, FLT_MIN, -2 * FLT_TRUE_MIN, 1};
    expect_mask(prune_f32(w, 1, SHAPE(8), "l1", "element", PRUNE_KEEP, 7), "1111 0111");
    expect_mask(prune_f32(w, 1, SHAPE(8), "l1", "element", PRUNE_KEEP, 6), "1110 0111");
    expect_mask(prune_f32(w, 1, SHAPE(8), "l1", "element", PRUNE_KEEP, 5), "1110 0101");
    expect_mask(prune_f32(w, 1, SHAPE(8), "l1", "element", PRUNE_KEEP, 3), "1110 0000");
    expect_mask(prune_f32(w, 1, SHAPE(8), "l1", "element", PRUNE_KEEP, 1), "0010 0000");
    expect_mask(prune_f32(w, 1, SHAPE(8), "scores", "element", PRUNE_KEEP, 7), "1101 1111");
    expect_mask(prune_f32(w, 1, SHAPE(8), "scores", "element", PRUNE_KEEP, 6), "1101 1101");
    expect_mask(prune_f32(w, 1, SHAPE(8), "scores", "element", PRUNE_KEEP, 1), "1000 0000");
}
END_TEST

START_TEST(thresholds)
{
    const float w[] = {1, -2, 3, -4, INFINITY, 0};
    expect_mask(prune_f32(w, 1, SHAPE(6), "l1", "element", PRUNE_THRESHOLD, 3), "001110"); /* 3 is not below 3 */
    expect_mask(prune_f32(w, 1, SHAPE(6), "l1", "element", PRUNE_THRESHOLD, 0), "111111");
    expect_mask(prune_f32(w, 1, SHAPE(6), "l1", "element", PRUNE_THRESHOLD, -INFINITY), "111111");
    expect_mask(prune_f32(w, 1, SHAPE(6), "l1", "element", PRUNE_THRESHOLD, INFINITY), "000010");
    expect_mask(prune_f32(w, 1, SHAPE(6), "scores", "element", PRUNE_THRESHOLD, -2), "111011");
    expect_mask(prune_f32(w, 2, SHAPE(3, 2), "l1", "row", PRUNE_THRESHOLD, 4), "00 11 11");
    expect_mask(prune_f32(w, 2, SHAPE(0, 2), "l1", "row", PRUNE_THRESHOLD, 4), "");
}
END_TEST

START_TEST(targets_are_met_in_every_pool)
{
    const float w[] = {1, 2, 3, 40, 10, 20, 30, 4};
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element", PRUNE_KEEP, 4), "0001 1110");
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element:pool=row", PRUNE_KEEP, 2), "0011 0110");
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element:pool=row", PRUNE_SPARSITY, 0.75), "0001 0010");
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element:pool=row", PRUNE_KEEP, 4), "1111 1111");
    expect_mask(prune_f32(w, 2, SHAPE(2, 4), "l1", "element:pool=row", PRUNE_KEEP, 0), "0000 0000");
}
END_TEST

START_TEST(scalars_and_tensors_without_elements)
{
    const float w[] = {3};
    expect_mask(prune_f32(w, 0, NULL, "l2", "element", PRUNE_SPARSITY, 0.5), "0");
    expect_mask(prune_f32(w, 0, NULL, "l2", "element", PRUNE_SPARSITY, 0.4), "1");
    expect_mask(prune_f32(w, 2, SHAPE(0, 4), "l2", "element", PRUNE_KEEP, 0), "");
    expect_mask(prune_f32(w, 2, SHAPE(4, 0), "l2", "filter", PRUNE_SPARSITY, 1), "");
    expect_mask(prune_f32(w, 2, SHAPE(4, 0), "random", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0), "");
}
END_TEST

static void refuse(const prune_scores *scores, int32_t target, double amount, const char *word)
{
    prune_mask *mask = UNTOUCHED;
    FAILS(prune_mask_select(&mask, scores, target, amount), PRUNE_E_ARGUMENT, word);
    ck_assert_ptr_eq(mask, UNTOUCHED);
}

START_TEST(bad_targets)
{
    prune_tensor *weights = borrow(LAB, PRUNE_F32, 2, SHAPE(5, 5));
    prune_scores *scores = score(weights, "l1", "element"), *groups = score(weights, "l1", "nm:keep_n=2,group_m=4");
    prune_scores *none = score(weights, "l1", "element:pool=row");
    prune_mask *mask = UNTOUCHED;
    refuse(scores, PRUNE_SPARSITY, -1e-9, "sparsity -1e-09");
    refuse(scores, PRUNE_SPARSITY, nextafter(1, 2), "0 to 1");
    refuse(scores, PRUNE_SPARSITY, NAN, "NaN");
    refuse(scores, PRUNE_SPARSITY, INFINITY, "sparsity inf");
    refuse(scores, PRUNE_SPARSITY, -INFINITY, "sparsity -inf");
    refuse(scores, PRUNE_SPARSITY, -5e-324, "0 to 1");
    refuse(scores, PRUNE_KEEP, -1, "whole number");
    refuse(scores, PRUNE_KEEP, 2.5, "whole number");
    refuse(scores, PRUNE_KEEP, NAN, "NaN");
    refuse(scores, PRUNE_KEEP, 26, "0 to 25");
    refuse(scores, PRUNE_KEEP, INFINITY, "0 to 25");
    refuse(scores, PRUNE_KEEP, 1e300, "0 to 25");
    refuse(none, PRUNE_KEEP, 6, "0 to 5");
    refuse(scores, PRUNE_THRESHOLD, NAN, "NaN");
    refuse(scores, PRUNE_QUOTA, 0, "no quota");
    refuse(scores, -1, 0, "no target");
    refuse(scores, 4, 0, "no target");
    refuse(groups, PRUNE_QUOTA, 2, "must be 0");
    refuse(groups, PRUNE_QUOTA, NAN, "NaN");
    refuse(groups, PRUNE_SPARSITY, 0.5, "PRUNE_QUOTA");
    refuse(groups, PRUNE_KEEP, 2, "PRUNE_QUOTA");
    refuse(groups, PRUNE_THRESHOLD, 2, "PRUNE_QUOTA");
    refuse(NULL, PRUNE_SPARSITY, 0.5, "scores");
    FAILS(prune_mask_select(NULL, scores, PRUNE_SPARSITY, 0.5), PRUNE_E_ARGUMENT, "out");
    OK(prune_mask_select(&mask, groups, PRUNE_QUOTA, -0.0));
    prune_mask_free(mask);
    prune_scores_free(none);
    prune_scores_free(groups);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(the_smallest_pool_limits_what_can_be_kept)
{
    /* Scores of one pool a row, and no pool at all. */
    prune_tensor *weights = borrow(LAB, PRUNE_F32, 2, SHAPE(0, 5));
    prune_scores *scores = score(weights, "l1", "element:pool=row");
    refuse(scores, PRUNE_KEEP, 1, "0 to 0");
    prune_scores_free(scores);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(pruning_again_at_a_lower_sparsity_revives_nothing)
{
    float w[25];
    memcpy(w, LAB, sizeof w);
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(5, 5));
    prune_mask *once = prune(weights, "l1", "element", PRUNE_SPARSITY, 0.6);
    OK(prune_mask_apply(once, weights));
    prune_mask *twice = prune(weights, "l1", "element", PRUNE_SPARSITY, 0.6);
    expect_same(once, twice);
    prune_mask *less = prune(weights, "l1", "element", PRUNE_SPARSITY, 0.2), *lost;
    OK(prune_mask_andnot(&lost, once, less)); /* nothing that lived dies */
    expect_kept(lost, 0);
    OK(prune_mask_apply(less, weights));
    for (int i = 0; i < 25; i++)
        ck_assert(kept(once, i) ? w[i] == LAB[i] : w[i] == 0);
    prune_mask_free(once);
    prune_mask_free(twice);
    prune_mask_free(less);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(objects_outlive_what_they_were_made_from)
{
    float w[] = {1, 2, 3, 4};
    prune_context *context;
    prune_tensor *weights;
    prune_granularity *g;
    prune_criterion *c;
    prune_scores *scores;
    prune_mask *mask;
    OK(prune_context_create(&context));
    OK(prune_tensor_borrow(&weights, context, w, PRUNE_F32, 1, SHAPE(4), NULL));
    prune_context_free(context);
    OK(prune_granularity_create(&g, NULL, "element"));
    OK(prune_criterion_create(&c, NULL, "l1"));
    OK(prune_criterion_score(&scores, c, weights, NULL, g));
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
    OK(prune_mask_select(&mask, scores, PRUNE_KEEP, 1));
    ck_assert_ptr_eq(prune_mask_context(mask), context);
    prune_scores_free(scores);
    expect_mask(mask, "0001");
}
END_TEST

TEST_MAIN("select", the_lab_tensor, han_quality_rule_as_a_threshold, the_lecture_matrix, rows_where_l1_and_l2_disagree,
          the_lecture_neuron_loses_its_smallest_weight, every_norm_ranks_single_elements_alike, two_of_four,
          one_of_two_of_coremltools, one_of_three_of_coremltools_along_axis_0_with_a_remainder,
          masks_of_tfmot_with_remainders, counts_and_containers_of_torch_tests, slices_of_torch_and_tfmot_tests,
          how_many_go_is_exact, counts_beyond_what_a_double_counts, of_equal_scores_the_lower_number_goes,
          infinities_and_denormals_are_ranked, thresholds, targets_are_met_in_every_pool,
          scalars_and_tensors_without_elements, bad_targets, the_smallest_pool_limits_what_can_be_kept,
          pruning_again_at_a_lower_sparsity_revives_nothing, objects_outlive_what_they_were_made_from)
