/* SPDX-License-Identifier: BSD-2-Clause */
#include "pruning.h"

static prune_mask *like(const double *values, int32_t rank, const int64_t *shape, const char *granularity,
                        const prune_mask *within, const char *rule, int32_t target, double amount)
{
    prune_tensor *weights = borrow(values, PRUNE_F64, rank, shape);
    prune_scores *scores = score(weights, "l1", granularity);
    prune_mask *mask;
    OK(prune_mask_select_like(&mask, scores, within, rule, target, amount));
    prune_scores_free(scores);
    prune_tensor_free(weights);
    return mask;
}

static prune_mask *row_like(const double *values, int64_t count, const char *rule, double sparsity)
{
    return like(values, 1, &count, "element", NULL, rule, PRUNE_SPARSITY, sparsity);
}

static const double LAB[25] = {-.46, -.40, .39, .19, .37, 0,   .40,  .17, -.15, .16,  -.20, -.23, .36,
                               .25,  .03,  .24, .41, .07, .13, -.15, .48, -.09, -.36, .12,  .45};

START_TEST(lab_tensor_and_ties)
{
    expect_mask(like(LAB, 2, SHAPE(5, 5), "element", NULL, "lab", PRUNE_SPARSITY, .75),
                "11000 01000 00000 01000 10001");
    expect_mask(like(LAB, 2, SHAPE(5, 5), "element", NULL, "lab", PRUNE_SPARSITY, .6), "11101 01000 00100 01000 10101");
    const double ties[] = {2, 1, 1, 3};
    expect_mask(row_like(ties, 4, "lab", .25), "1001"); /* one is asked for, both go */
    expect_mask(row_like(ties, 4, "lab", 0), "1111");
    expect_mask(row_like(ties, 4, "lab", 1), "0000");
    expect_kept(row_like(LAB, 25, "lab", .1), 23); /* 2.5 is 2 in Python, 3 here */
    expect_kept(prune_f32((const float[]){1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13,
                                          14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25},
                          1, SHAPE(25), "l1", "element", PRUNE_SPARSITY, .1),
                22);
}
END_TEST

/* A network for MNIST with 99 % of each weight tensor pruned (biases are not): 98.11 times fewer parameters as the lab
 * counts, 98.08 where those that equal the threshold stay. */
START_TEST(lab_demo_keeps_12230_of_1199882_parameters)
{
    const int64_t layers[] = {288, 18432, 1179648, 1280}, due[] = {3, 184, 11796, 13};
    const int64_t biases = 32 + 64 + 128 + 10;
    int64_t parameters = biases, left = biases;
    double *w = malloc((size_t)layers[2] * sizeof *w);
    for (int64_t i = 0; i < layers[2]; i++)
        w[i] = (double)(i + 1);
    for (int i = 0; i < 4; i++) {
        prune_mask *mask = row_like(w, layers[i], "lab", .99);
        ck_assert_int_eq(prune_mask_kept(mask), due[i]);
        parameters += layers[i];
        left += prune_mask_kept(mask);
        prune_mask_free(mask);
    }
    free(w);
    ck_assert_int_eq(parameters, 1199882);
    ck_assert_int_eq(left, 12230);
    ck_assert(fabs((double)parameters / (double)left - 98.11) < .005);
    ck_assert(fabs((double)parameters / (double)(left + 4) - 98.08) < .005);
}
END_TEST

START_TEST(lab_network_keeps_45_90_179_and_358_channels)
{
    const int64_t channels[] = {64, 128, 256, 512}, due[] = {45, 90, 179, 358};
    double w[512 * 9];
    for (int i = 0; i < 512 * 9; i++)
        w[i] = i * 37 % 4608;
    for (int i = 0; i < 4; i++) {
        prune_tensor *weights = borrow(w, PRUNE_F64, 4, SHAPE(channels[i], 1, 3, 3));
        expect_kept(like(w, 4, SHAPE(channels[i], 1, 3, 3), "filter", NULL, "lab", PRUNE_SPARSITY, .3), due[i] * 9);
        expect_kept(prune(weights, "l2", "filter", PRUNE_SPARSITY, .3), due[i] * 9);
        prune_tensor_free(weights);
    }
}
END_TEST

START_TEST(torch_amounts_by_fraction_and_by_number)
{
    const double w[] = {1, 2, 3, 4, -4, -3, -2, -1};
    double seventeen[17];
    for (int i = 0; i < 17; i++)
        seventeen[i] = i;
    expect_mask(like(w, 2, SHAPE(2, 4), "element", NULL, "torch", PRUNE_COUNT, 2), "0111 1110");
    expect_mask(like(w, 2, SHAPE(2, 4), "element", NULL, "torch", PRUNE_SPARSITY, .25), "0111 1110");
    expect_kept(row_like(seventeen, 17, "torch", .4), 10); /* 6.8: 7 go */
    expect_kept(row_like(seventeen, 17, "torch", 1), 0);
    expect_kept(like(seventeen, 1, SHAPE(17), "element", NULL, "torch", PRUNE_COUNT, 1), 16);
    expect_kept(row_like(seventeen, 5, "torch", .5), 3); /* 2.5: half to even */
}
END_TEST

START_TEST(tfmot_keeps_ties_and_at_least_one)
{
    double w[100];
    for (int i = 0; i < 100; i++)
        w[i] = i + 1;
    expect_mask(row_like(w, 10, "tfmot", .2), "0011111111"); /* threshold 3 */
    expect_mask(row_like(w, 10, "tfmot", 1), "0000000001");
    const double sparsity[] = {0, .1, .1, .3, .3, .5};
    const int64_t left[] = {100, 90, 90, 70, 70, 50};
    for (int i = 0; i < 6; i++)
        expect_kept(row_like(w, 100, "tfmot", sparsity[i]), left[i]);
    const double ties[] = {1, 2, 2, 2};
    expect_mask(row_like(ties, 4, "tfmot", .75), "0111"); /* one is to stay, three do */
}
END_TEST

START_TEST(sparsegpt_prunes_3_of_4_at_half)
{
    const double w[] = {3, 1, 4, 2}, ties[] = {1, 2, 2, 2};
    expect_mask(row_like(w, 4, "sparsegpt", .5), "0010");
    expect_mask(row_like(w, 4, "sparsegpt", .49), "1010"); /* int(1.96) + 1 */
    expect_mask(row_like(w, 4, "sparsegpt", 0), "1011");
    expect_mask(row_like(w, 4, "sparsegpt", 1), "0000");
    expect_mask(row_like(ties, 4, "sparsegpt", .25), "0000");
}
END_TEST

START_TEST(wanda_cuts_off_in_each_row)
{
    /* w = 1..4 and x = (100, 10, 1, .1): what is left is 1 and 2. */
    const double product[] = {100, 20, 3, .4, .4, 3, 20, 100};
    expect_mask(like(product, 2, SHAPE(2, 4), "element:pool=row", NULL, "wanda", PRUNE_SPARSITY, .5), "1100 0011");
    const double ones[] = {1, 1, 1, 1, 1, 1};
    expect_mask(like(ones, 2, SHAPE(2, 3), "element:pool=row", NULL, "wanda", PRUNE_SPARSITY, .6), "011 011");
    expect_mask(like(ones, 2, SHAPE(2, 3), "element", NULL, "wanda", PRUNE_SPARSITY, .6), "000 111"); /* torchao */
}
END_TEST

START_TEST(coremltools_cuts_off)
{
    const double w[] = {3, 1, 4, 2, 5};
    expect_mask(row_like(w, 5, "coremltools", .5), "10101");
    expect_mask(row_like(w, 5, "coremltools", .59), "10101");
    expect_mask(row_like(w, 5, "coremltools", .6), "00101");
}
END_TEST

START_TEST(network_slimming_removes_three_of_the_lecture_gammas)
{
    const double gamma[] = {1.17, .10, .29, .82, .56};
    expect_mask(row_like(gamma, 5, "network-slimming", .4), "10010"); /* threshold .56 */
}
END_TEST

START_TEST(lottery_ticket_code_prunes_one_more_of_the_survivors)
{
    double w[100];
    prune_mask *mask, *next;
    const int64_t left[] = {79, 62, 49};
    for (int i = 0; i < 100; i++)
        w[i] = i * 37 % 100 + 1;
    OK(prune_mask_create(&mask, NULL, 1, SHAPE(100), 1));
    for (int round = 0; round < 3; round++) {
        next = like(w, 1, SHAPE(100), "element", mask, "lottery-ticket", PRUNE_SPARSITY, .2);
        ck_assert_int_eq(prune_mask_kept(next), left[round]);
        prune_mask_free(mask);
        mask = next;
    }
    prune_mask_free(mask);
}
END_TEST

START_TEST(what_is_refused)
{
    prune_tensor *weights = borrow(LAB, PRUNE_F64, 2, SHAPE(5, 5));
    prune_scores *scores = score(weights, "l1", "element"), *groups = score(weights, "l1", "nm:keep_n=1,group_m=2");
    prune_mask *out = UNTOUCHED, *other;
    OK(prune_mask_create(&other, NULL, 1, SHAPE(25), 1));
    FAILS(prune_mask_select_like(&out, scores, NULL, "keras", PRUNE_SPARSITY, .5), PRUNE_E_SPEC, "network-slimming");
    FAILS(prune_mask_select_like(&out, scores, NULL, NULL, PRUNE_SPARSITY, .5), PRUNE_E_ARGUMENT, "rule");
    FAILS(prune_mask_select_like(&out, scores, NULL, "lab", PRUNE_COUNT, 5), PRUNE_E_ARGUMENT, "lab takes");
    FAILS(prune_mask_select_like(&out, scores, NULL, "torch", PRUNE_KEEP, 5), PRUNE_E_ARGUMENT, "PRUNE_COUNT");
    FAILS(prune_mask_select_like(&out, scores, NULL, "torch", PRUNE_COUNT, 26), PRUNE_E_ARGUMENT, "25");
    FAILS(prune_mask_select_like(&out, scores, NULL, "lab", PRUNE_SPARSITY, NAN), PRUNE_E_ARGUMENT, "NaN");
    FAILS(prune_mask_select_like(&out, scores, NULL, "lab", PRUNE_SPARSITY, 1.5), PRUNE_E_ARGUMENT, "1.5");
    FAILS(prune_mask_select_like(&out, groups, NULL, "lab", PRUNE_SPARSITY, .5), PRUNE_E_ARGUMENT, "quota");
    FAILS(prune_mask_select_like(&out, scores, other, "lab", PRUNE_SPARSITY, .5), PRUNE_E_SHAPE, "[25]");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_mask_free(other);
    prune_scores_free(groups);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}
END_TEST

TEST_MAIN("conformance", lab_tensor_and_ties, lab_demo_keeps_12230_of_1199882_parameters,
          lab_network_keeps_45_90_179_and_358_channels, torch_amounts_by_fraction_and_by_number,
          tfmot_keeps_ties_and_at_least_one, sparsegpt_prunes_3_of_4_at_half, wanda_cuts_off_in_each_row,
          coremltools_cuts_off, network_slimming_removes_three_of_the_lecture_gammas,
          lottery_ticket_code_prunes_one_more_of_the_survivors, what_is_refused)
