/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Vectors, blocks, kernels, channels, banks and processing elements: the published examples, and their rules.
 */
#include "pruning.h"

static void expect_check_of(const char *granularity, int32_t rank, const int64_t *shape, const char *bits, int holds,
                            int64_t violation)
{
    uint8_t bytes[512];
    int64_t n = 0;
    prune_mask *mask;
    for (const char *p = bits; *p; p++)
        if (*p == '0' || *p == '1')
            bytes[n++] = (uint8_t)(*p - '0');
    OK(prune_mask_from_bytes(&mask, NULL, rank, shape, bytes, n));
    expect_check(granularity, mask, holds, violation);
    prune_mask_free(mask);
}

static void expect_scores(const float *w, int32_t rank, const int64_t *shape, const char *criterion,
                          const char *granularity, const double *due)
{
    prune_tensor *weights = borrow(w, PRUNE_F32, rank, shape);
    prune_scores *scores = score(weights, criterion, granularity);
    const prune_tensor *values = prune_scores_values(scores);
    const double *got = prune_tensor_const_data(values);
    for (int64_t i = 0; i < prune_tensor_count(values); i++)
        ck_assert_double_eq_tol(got[i], due[i], 5e-3);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}

START_TEST(coremltools_blocks_of_two_along_axis_0)
{
    const float w[] = {1, 3, -6, -7, 0, 3, -9, 2};
    expect_scores(w, 2, SHAPE(4, 2), "l2", "vector:vector=2,axis=0", (double[]){6.08, 7.62, 9.00, 3.61});
    /* [[0,3],[0,-7],[0,0],[-9,0]]: the weight that was 0 belongs to a vector that stays */
    expect_mask(prune_f32(w, 2, SHAPE(4, 2), "l2", "vector:vector=2,axis=0", PRUNE_SPARSITY, 0.5), "01 01 10 10");
    expect_mask(prune_f32(w, 2, SHAPE(4, 2), "l2", "block:block=2x1", PRUNE_SPARSITY, 0.5), "01 01 10 10");
}
END_TEST

START_TEST(tfmot_blocks_of_2x2_by_average_and_by_maximum)
{
    const float average[] = {.1f, .1f, .2f, .2f, .1f, .1f, .2f, .2f, .3f, .3f, .4f, .4f, .3f, .3f, .4f, .4f};
    const float maximum[] = {.1f, 0, .2f, 0, 0, -.1f, 0, -.2f, .3f, 0, .4f, 0, 0, -.3f, 0, -.4f};
    const char *due = "0000 0000 1111 1111";
    expect_scores(average, 2, SHAPE(4, 4), "l1:aggregate=mean", "block:block=2x2", (double[]){.1, .2, .3, .4});
    expect_scores(maximum, 2, SHAPE(4, 4), "l1:aggregate=max", "block:block=2x2", (double[]){.1, .2, .3, .4});
    expect_mask(prune_f32(average, 2, SHAPE(4, 4), "l1:aggregate=mean", "block:block=2x2", PRUNE_SPARSITY, .5), due);
    expect_mask(prune_f32(maximum, 2, SHAPE(4, 4), "l1:aggregate=max", "block:block=2x2", PRUNE_SPARSITY, .5), due);
}
END_TEST

START_TEST(coremltools_channels_and_kernels_of_a_2x2x1x2_tensor)
{
    const float w[] = {2, -1, -3, 2, 5, -2, -1, -3};
    const int64_t *shape = SHAPE(2, 2, 1, 2);
    expect_scores(w, 4, shape, "l2", "filter", (double[]){4.2426, 6.2450});
    expect_scores(w, 4, shape, "l2", "kernel", (double[]){2.2361, 3.6056, 5.3852, 3.1623});
    expect_mask(prune_f32(w, 4, shape, "l2", "filter", PRUNE_SPARSITY, 0.5), "00 00 11 11");
    expect_mask(prune_f32(w, 4, shape, "l2", "kernel", PRUNE_SPARSITY, 0.5), "00 11 11 00");
}
END_TEST

/* Conv2d(3, 1, 2) of torch's tests, OIHW [1, 3, 2, 2]: the least input channel, then the least column of kernels. */
START_TEST(torch_structured_along_axis_1_then_the_last)
{
    const float w[] = {1, 2, 1, 2.5f, .5f, 1, .1f, .1f, -3, -5, .1f, -1};
    const int64_t *shape = SHAPE(1, 3, 2, 2);
    const int32_t last_first[] = {3, 0, 1, 2};
    expect_mask(prune_f32(w, 4, shape, "l2", "in-channel", PRUNE_KEEP, 2), "1111 0000 1111");
    prune_tensor *weights = borrow(w, PRUNE_F32, 4, shape), *turned;
    OK(prune_tensor_permute(&turned, weights, last_first));
    expect_mask(prune(turned, "l1", "filter", PRUNE_KEEP, 1), "000000 111111");
    prune_tensor_free(turned);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(blocks_of_a_convolution_are_blocks_of_its_matrix)
{
    float w[4 * 3 * 2 * 2], matrix[4 * 12];
    for (int i = 0; i < 48; i++)
        w[i] = matrix[i] = (float)((i * 29 + 7) % 53 - 26);
    prune_tensor *plain = borrow(w, PRUNE_F32, 4, SHAPE(4, 3, 2, 2)), *turned, *back;
    OK(prune_tensor_permute(&turned, plain, (int32_t[]){1, 0, 2, 3}));
    OK(prune_tensor_convert(&back, turned, PRUNE_F32)); /* I O H W in memory */
    prune_tensor_free(turned);
    OK(prune_tensor_permute(&turned, back, (int32_t[]){1, 0, 2, 3})); /* OIHW again, no row-major order */
    ck_assert_int_eq(prune_tensor_is_contiguous(turned), 0);
    const char *specs[] = {"block:block=2x5", "block:block=3x4,pool=row", "block:block=1x1"};
    for (int i = 0; i < 3; i++) {
        prune_mask *of_matrix = prune_f32(matrix, 2, SHAPE(4, 12), "l1", specs[i], PRUNE_SPARSITY, 0.4);
        uint8_t bytes[48];
        char bits[49];
        OK(prune_mask_to_bytes(of_matrix, bytes, 48));
        for (int j = 0; j < 48; j++)
            bits[j] = (char)('0' + bytes[j]);
        bits[48] = '\0';
        prune_mask *mask = prune(turned, "l1", specs[i], PRUNE_SPARSITY, 0.4);
        ck_assert_int_eq(prune_mask_rank(mask), 4);
        ck_assert_int_eq(prune_mask_shape(mask)[1], 3);
        expect_check(specs[i], mask, 1, -1);
        expect_mask(mask, bits);
        expect_mask(prune(plain, "l1", specs[i], PRUNE_SPARSITY, 0.4), bits);
        prune_mask_free(of_matrix);
    }
    prune_tensor_free(turned);
    prune_tensor_free(back);
    prune_tensor_free(plain);
}
END_TEST

START_TEST(nan_in_a_convolution_is_named_where_it_is)
{
    float w[2 * 2 * 2 * 2] = {0};
    w[13] = NAN;
    prune_tensor *weights = borrow(w, PRUNE_F32, 4, SHAPE(2, 2, 2, 2));
    prune_granularity *g = cut("block:block=2x2");
    prune_criterion *c;
    prune_scores *scores = UNTOUCHED;
    OK(prune_criterion_create(&c, NULL, "l1"));
    FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_VALUE, "(1, 1, 0, 1)");
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(pieces_at_the_edge_are_units)
{
    const float w[] = {1, 1, 1, 1, 9, 2, 2, 2, 2, 1};
    expect_scores(w, 2, SHAPE(2, 5), "l1", "vector:vector=2", (double[]){2, 2, 9, 4, 4, 1});
    expect_mask(prune_f32(w, 2, SHAPE(2, 5), "l1", "vector:vector=2", PRUNE_KEEP, 3), "00001 11110");
    expect_mask(prune_f32(w, 2, SHAPE(2, 5), "l1", "vector:vector=2,pool=row", PRUNE_KEEP, 1), "00001 00110");
    expect_mask(prune_f32(w, 2, SHAPE(2, 5), "l1", "block:block=2x3", PRUNE_KEEP, 1), "00011 00011");
    expect_mask(prune_f32(w, 2, SHAPE(2, 5), "l1", "block:block=3x4", PRUNE_KEEP, 1), "11110 11110");
}
END_TEST

START_TEST(check_of_vectors_blocks_and_kernels)
{
    expect_check_of("vector:vector=2", 2, SHAPE(2, 5), "11001 00110", 1, -1);
    expect_check_of("vector:vector=2", 2, SHAPE(2, 5), "11001 00100", 0, 8);
    expect_check_of("block:block=2x2", 2, SHAPE(3, 4), "1100 1100 0011", 1, -1);
    expect_check_of("block:block=2x2", 2, SHAPE(3, 4), "1100 1110 0011", 0, 6);
    expect_check_of("block:block=1x2", 3, SHAPE(2, 3, 2), "110011 001100", 1, -1);
    expect_check_of("block:block=2x2", 3, SHAPE(2, 3, 2), "110011 111100", 0, 8);
    expect_check_of("kernel", 4, SHAPE(2, 2, 1, 2), "11 00 00 11", 1, -1);
    expect_check_of("kernel", 4, SHAPE(2, 2, 1, 2), "11 00 01 11", 0, 5);
    expect_check_of("in-channel", 3, SHAPE(2, 2, 2), "11 00 11 00", 1, -1);
    expect_check_of("in-channel", 3, SHAPE(2, 2, 2), "11 00 11 01", 0, 7);
}
END_TEST

/* Mao et al. 2017: 8 bits a weight that is kept, 4 bits of index a unit that is kept, to 8 bits of every weight. Of
 * single elements .375 at a density of .25, of vectors of 3 .35 at .30, of 3 x 3 kernels .38 (36 * 76 / 7200) at .36:
 * vectors take least although more is kept. */
START_TEST(storage_of_elements_vectors_and_kernels_is_375_350_and_380_thousandths)
{
    enum { OUT = 20, IN = 20, COUNT = OUT * IN * 9 };
    const struct {
        const char *granularity;
        double density, due;
    } cases[] = {{"element", .25, .375}, {"vector:vector=3,axis=3", .30, .35}, {"kernel", .36, .38}};
    static float w[COUNT];
    for (int i = 0; i < COUNT; i++)
        w[i] = (float)(i * 1237 % 3607) - 1803;
    for (int i = 0; i < 3; i++) {
        prune_granularity *g = cut(cases[i].granularity);
        prune_mask *mask =
            prune_f32(w, 4, SHAPE(OUT, IN, 3, 3), "l1", cases[i].granularity, PRUNE_SPARSITY, 1 - cases[i].density);
        static uint8_t units[COUNT];
        int64_t count = COUNT / (i == 0 ? 1 : i == 1 ? 3 : 9), indices = 0;
        OK(prune_granularity_lift(NULL, g, mask, units, count));
        for (int64_t u = 0; u < count; u++)
            indices += units[u] != 0;
        double bits = 8 * (double)prune_mask_kept(mask) + 4 * (double)indices;
        ck_assert(fabs((double)prune_mask_kept(mask) / COUNT - cases[i].density) < 1e-12);
        ck_assert(fabs(bits / (8 * COUNT) - cases[i].due) < 1e-12);
        prune_mask_free(mask);
        prune_granularity_free(g);
    }
}
END_TEST

/* The lecture's 8 x 4 matrix on 4 processing elements: 5, 2, 4 and 1 of 12, in 5 cycles; balanced 3 each, in 3. */
START_TEST(ese_loads_of_5_2_4_1_become_3_3_3_3)
{
    const float w[8 * 4] = {
        9, 8, 7, 0, /* element 0 */
        6, 0, 1, 2, /* 1 */
        0, 9, 8, 0, /* 2 */
        0, 1, 2, 3, /* 3 */
        6, 0, 0, 6, /* 0 */
        2, 7, 0, 1, /* 1 */
        7, 0, 6, 0, /* 2 */
        1, 0, 8, 2, /* 3 */
    };
    const char *specs[] = {"element", "balanced:processing_elements=4"};
    const int due[2][4] = {{5, 2, 4, 1}, {3, 3, 3, 3}};
    for (int which = 0; which < 2; which++) {
        int load[4] = {0}, cycles = 0;
        prune_mask *mask = prune_f32(w, 2, SHAPE(8, 4), "l1", specs[which], PRUNE_KEEP, 12);
        for (int i = 0; i < 32; i++)
            load[i / 4 % 4] += kept(mask, i);
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(load[i], due[which][i]);
            cycles = load[i] > cycles ? load[i] : cycles;
        }
        ck_assert_int_eq(cycles, which == 0 ? 5 : 3);
        expect_check("balanced:processing_elements=4", mask, which, which == 0 ? 2 : -1);
        prune_mask_free(mask);
    }
}
END_TEST

START_TEST(balance_with_remainders_keeps_the_exact_count)
{
    float w[5 * 3];
    for (int i = 0; i < 15; i++)
        w[i] = (float)(15 - i);
    /* 7 of 15 on 2: rows 0, 2, 4 have 9 elements, rows 1 and 3 have 6; 4 and 3 */
    expect_mask(prune_f32(w, 2, SHAPE(5, 3), "l1", "balanced:processing_elements=2", PRUNE_KEEP, 7),
                "111 111 100 000 000");
    /* 14: 8 and the 6 that there are */
    expect_mask(prune_f32(w, 2, SHAPE(5, 3), "l1", "balanced:processing_elements=2", PRUNE_KEEP, 14),
                "111 111 111 111 110");
    /* more processing elements than rows */
    expect_mask(prune_f32(w, 2, SHAPE(5, 3), "l1", "balanced:processing_elements=64", PRUNE_KEEP, 7),
                "110 110 100 100 100");
    expect_kept(prune_f32(w, 2, SHAPE(5, 3), "l1", "balanced:processing_elements=4", PRUNE_SPARSITY, 0.7), 4);
    expect_kept(prune_f32(w, 2, SHAPE(5, 3), "l1", "balanced:processing_elements=4", PRUNE_SPARSITY, 1), 0);
    expect_kept(prune_f32(w, 2, SHAPE(5, 3), "l1", "balanced:processing_elements=4", PRUNE_SPARSITY, 0), 15);
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(5, 3));
    prune_scores *scores = score(weights, "l1", "balanced:processing_elements=2");
    prune_mask *mask = UNTOUCHED;
    FAILS(prune_mask_select(&mask, scores, PRUNE_THRESHOLD, 3), PRUNE_E_ARGUMENT, "threshold");
    FAILS(prune_mask_select(&mask, scores, PRUNE_QUOTA, 0), PRUNE_E_ARGUMENT, "no quota");
    FAILS(prune_mask_select(&mask, scores, PRUNE_KEEP, 16), PRUNE_E_ARGUMENT, "15");
    ck_assert_ptr_eq(mask, UNTOUCHED);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(banks_keep_equally_many)
{
    const float w[] = {1, 2, 3, 4, 8, 7, 6, 5, 9, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3};
    expect_mask(prune_f32(w, 2, SHAPE(2, 10), "l1", "bank-balanced:bank=4", PRUNE_SPARSITY, 0.5),
                "0011 1100 10 0011 0011 01");
    expect_mask(prune_f32(w, 3, SHAPE(2, 5, 2), "l1", "bank-balanced:bank=4", PRUNE_SPARSITY, 0.5),
                "0011 1100 10 0011 0011 01");
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 10));
    prune_scores *scores = score(weights, "l1", "bank-balanced:bank=4");
    prune_mask *mask = UNTOUCHED;
    FAILS(prune_mask_select(&mask, scores, PRUNE_THRESHOLD, 3), PRUNE_E_ARGUMENT, "threshold");
    ck_assert_ptr_eq(mask, UNTOUCHED);
    prune_scores_free(scores);
    prune_tensor_free(weights);
    expect_check_of("bank-balanced:bank=4", 2, SHAPE(2, 6), "0011 10 1100 11", 1, -1);
    expect_check_of("bank-balanced:bank=4", 2, SHAPE(2, 6), "0011 10 1000 11", 0, 6);
    expect_check_of("bank-balanced:bank=4", 2, SHAPE(2, 6), "0001 10 1000 11", 0, 10);
    expect_check_of("bank-balanced:bank=40", 2, SHAPE(2, 6), "000110 100100", 1, -1);
    expect_check_of("bank-balanced:bank=40", 2, SHAPE(2, 6), "000110 100000", 0, 6);
}
END_TEST

TEST_MAIN("boxes", coremltools_blocks_of_two_along_axis_0, tfmot_blocks_of_2x2_by_average_and_by_maximum,
          coremltools_channels_and_kernels_of_a_2x2x1x2_tensor, torch_structured_along_axis_1_then_the_last,
          blocks_of_a_convolution_are_blocks_of_its_matrix, nan_in_a_convolution_is_named_where_it_is,
          pieces_at_the_edge_are_units, check_of_vectors_blocks_and_kernels,
          storage_of_elements_vectors_and_kernels_is_375_350_and_380_thousandths, ese_loads_of_5_2_4_1_become_3_3_3_3,
          balance_with_remainders_keeps_the_exact_count, banks_keep_equally_many)
