/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

#define F64(rank, shape, ...) borrow((double[]){__VA_ARGS__}, PRUNE_F64, rank, shape)

static double number(const prune_tensor *tensor, int64_t index)
{
    prune_tensor *all;
    OK(prune_tensor_convert(&all, tensor, PRUNE_F64));
    double value = ((const double *)prune_tensor_const_data(all))[index];
    prune_tensor_free(all);
    return value;
}

static prune_mask *alive_of(const char *bits)
{
    int64_t count = (int64_t)strlen(bits);
    prune_mask *mask;
    OK(prune_mask_create(&mask, NULL, 1, &count, 0));
    for (int64_t i = 0; i < count; i++)
        OK(prune_mask_set(mask, i, bits[i] == '1'));
    return mask;
}

/* y[sample][o] = b[o] + sum w[o][i] x[sample][i]. */
static void linear(const double *w, const double *b, const double *x, double *y, int samples, int out, int in)
{
    for (int s = 0; s < samples; s++)
        for (int o = 0; o < out; o++) {
            y[s * out + o] = b[o];
            for (int i = 0; i < in; i++)
                y[s * out + o] += w[o * in + i] * x[s * in + i];
        }
}

static void moments(const double *y, int samples, int out, double *mean, double *variance)
{
    for (int o = 0; o < out; o++) {
        mean[o] = variance[o] = 0;
        for (int s = 0; s < samples; s++)
            mean[o] += y[s * out + o] / samples;
        for (int s = 0; s < samples; s++)
            variance[o] += (y[s * out + o] - mean[o]) * (y[s * out + o] - mean[o]) / samples;
    }
}

static void fill(struct pr_rng *rng, double *values, int count)
{
    for (int i = 0; i < count; i++)
        values[i] = 2 * pr_rng_uniform(rng) - 1;
}

#define SAMPLES 40
#define OUT 5
#define IN 7

START_TEST(bias_correction_keeps_the_mean_of_each_output)
{
    struct pr_rng rng;
    double w[OUT * IN], v[OUT * IN], b[OUT], x[SAMPLES * IN], before[SAMPLES * OUT], after[SAMPLES * OUT];
    double mean[IN], spread[IN], mean_before[OUT], mean_after[OUT], variance[OUT];
    pr_rng_seed(&rng, 1);
    fill(&rng, w, OUT * IN);
    fill(&rng, b, OUT);
    fill(&rng, x, SAMPLES * IN);
    for (int i = 0; i < SAMPLES * IN; i++)
        x[i] += 1 + i % IN;
    for (int i = 0; i < OUT * IN; i++)
        v[i] = i % 3 ? w[i] : 0;
    linear(w, b, x, before, SAMPLES, OUT, IN);
    moments(x, SAMPLES, IN, mean, spread);
    moments(before, SAMPLES, OUT, mean_before, variance);
    prune_tensor *bias = borrow(b, PRUNE_F64, 1, SHAPE(OUT)), *means = borrow(mean, PRUNE_F64, 1, SHAPE(IN));
    prune_tensor *old = borrow(w, PRUNE_F64, 2, SHAPE(OUT, IN)), *new = borrow(v, PRUNE_F64, 2, SHAPE(OUT, IN));
    double first = b[0];
    OK(prune_correct_bias(bias, old, new, means, 1));
    ck_assert(fabs(b[0] - first) > 0.01);
    linear(v, b, x, after, SAMPLES, OUT, IN);
    moments(after, SAMPLES, OUT, mean_after, variance);
    for (int o = 0; o < OUT; o++)
        ck_assert_double_eq_tol(mean_after[o], mean_before[o], 1e-13);
    prune_tensor_free(new);
    prune_tensor_free(old);
    prune_tensor_free(means);
    prune_tensor_free(bias);
}
END_TEST

/* Two groups of two channels each, 1 x 2 kernels: a mean for each channel, or for each tap. */
START_TEST(bias_correction_of_a_grouped_convolution)
{
    double w[] = {1, 2, 3, 4, /**/ 5, 6, 7, 8}, v[8] = {0}, b[2] = {0}, b2[2] = {0};
    prune_tensor *old = borrow(w, PRUNE_F64, 4, SHAPE(2, 2, 1, 2)), *new = borrow(v, PRUNE_F64, 4, SHAPE(2, 2, 1, 2));
    prune_tensor *bias = borrow(b, PRUNE_F64, 1, SHAPE(2)), *bias2 = borrow(b2, PRUNE_F64, 1, SHAPE(2));
    prune_tensor *channels = F64(1, SHAPE(4), 1, 10, 100, 1000);
    prune_tensor *taps = F64(1, SHAPE(8), 1, 1, 10, 0, 100, 100, 1000, 0);
    OK(prune_correct_bias(bias, old, new, channels, 2));
    ck_assert_double_eq(b[0], 3 + 70);
    ck_assert_double_eq(b[1], 1100 + 15000);
    OK(prune_correct_bias(bias2, old, new, taps, 2));
    ck_assert_double_eq(b2[0], 3 + 30);
    ck_assert_double_eq(b2[1], 1100 + 7000);
    prune_tensor_free(taps);
    prune_tensor_free(channels);
    prune_tensor_free(bias2);
    prune_tensor_free(bias);
    prune_tensor_free(new);
    prune_tensor_free(old);
}
END_TEST

START_TEST(bias_correction_refuses_what_does_not_fit)
{
    double b[2] = {7, 8}, w[] = {1, 2, 3, 4, 5, 6}, nan[] = {1, 2, 3, 4, NAN, 6};
    prune_tensor *bias = borrow(b, PRUNE_F64, 1, SHAPE(2)), *before = borrow(w, PRUNE_F64, 2, SHAPE(2, 3));
    prune_tensor *turned = borrow(w, PRUNE_F64, 2, SHAPE(3, 2)), *bad = borrow(nan, PRUNE_F64, 2, SHAPE(2, 3));
    prune_tensor *means = F64(1, SHAPE(3), 1, 1, 1), *two = F64(1, SHAPE(2), 1, 1);
    prune_tensor *ints = borrow((int32_t[]){1, 1, 1}, PRUNE_I32, 1, SHAPE(3));
    FAILS(prune_correct_bias(NULL, before, before, means, 1), PRUNE_E_ARGUMENT, "bias is NULL");
    FAILS(prune_correct_bias(bias, before, turned, means, 1), PRUNE_E_SHAPE, "[2, 3] and after [3, 2]");
    FAILS(prune_correct_bias(bias, before, before, two, 1), PRUNE_E_SHAPE, "means is [2]; it must be [3]");
    FAILS(prune_correct_bias(means, before, before, means, 1), PRUNE_E_SHAPE, "bias is [3]; it must be [2]");
    FAILS(prune_correct_bias(bias, before, before, means, 0), PRUNE_E_ARGUMENT, "groups is 0");
    FAILS(prune_correct_bias(bias, before, before, means, 3), PRUNE_E_ARGUMENT, "divide the 2 outputs");
    FAILS(prune_correct_bias(bias, before, bad, means, 1), PRUNE_E_VALUE, "element (1, 1) of after is NaN");
    FAILS(prune_correct_bias(bias, before, before, ints, 1), PRUNE_E_DTYPE, "means is of i32");
    ck_assert(b[0] == 7 && b[1] == 8);
    prune_tensor_free(ints);
    prune_tensor_free(two);
    prune_tensor_free(means);
    prune_tensor_free(bad);
    prune_tensor_free(turned);
    prune_tensor_free(before);
    prune_tensor_free(bias);
}
END_TEST

START_TEST(moments_correction_brings_back_mean_and_variance)
{
    struct pr_rng rng;
    double w[OUT * IN], b[OUT], x[SAMPLES * IN], y[SAMPLES * OUT], m[4][OUT], mean[OUT], variance[OUT];
    prune_tensor *vector[4];
    pr_rng_seed(&rng, 2);
    fill(&rng, w, OUT * IN);
    fill(&rng, b, OUT);
    fill(&rng, x, SAMPLES * IN);
    linear(w, b, x, y, SAMPLES, OUT, IN);
    moments(y, SAMPLES, OUT, m[0], m[1]);
    for (int i = 0; i < OUT * IN; i++) /* the last output becomes constant */
        w[i] = i % 2 && i < (OUT - 1) * IN ? w[i] : 0;
    linear(w, b, x, y, SAMPLES, OUT, IN);
    moments(y, SAMPLES, OUT, m[2], m[3]);
    ck_assert_double_lt(m[3][OUT - 1], 1e-20);
    m[3][OUT - 1] = 0;
    for (int i = 0; i < 4; i++)
        vector[i] = borrow(m[i], PRUNE_F64, 1, SHAPE(OUT));
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(OUT, IN)), *bias = borrow(b, PRUNE_F64, 1, SHAPE(OUT));
    OK(prune_correct_moments(weights, bias, vector[0], vector[1], vector[2], vector[3]));
    linear(w, b, x, y, SAMPLES, OUT, IN);
    moments(y, SAMPLES, OUT, mean, variance);
    for (int o = 0; o < OUT; o++) {
        ck_assert_double_eq_tol(mean[o], m[0][o], 1e-13);
        ck_assert_double_eq_tol(variance[o], o == OUT - 1 ? 0 : m[1][o], 1e-13);
    }
    for (int i = 0; i < OUT * IN; i += 2)
        ck_assert(w[i] == 0 && !signbit(w[i]));
    double kept = w[1];
    m[3][2] = -1;
    FAILS(prune_correct_moments(weights, bias, vector[0], vector[1], vector[2], vector[3]), PRUNE_E_VALUE,
          "output 2 are");
    m[3][2] = NAN;
    FAILS(prune_correct_moments(weights, bias, vector[0], vector[1], vector[2], vector[3]), PRUNE_E_VALUE,
          "(2) of variance_after is NaN");
    FAILS(prune_correct_moments(weights, bias, vector[0], vector[1], weights, vector[3]), PRUNE_E_SHAPE,
          "mean_after is [5, 7]; it must be [5]");
    FAILS(prune_correct_moments(weights, bias, vector[0], NULL, vector[2], vector[3]), PRUNE_E_ARGUMENT,
          "variance_before is NULL");
    ck_assert(w[1] == kept);
    for (int i = 0; i < 4; i++)
        prune_tensor_free(vector[i]);
    prune_tensor_free(bias);
    prune_tensor_free(weights);
}
END_TEST

/* The average of batches with means 1 and 3 is 2. */
START_TEST(recalibration_of_means_1_and_3_gives_2)
{
    double m[] = {NAN}, v[] = {NAN};
    prune_tensor *mean = borrow(m, PRUNE_F64, 1, SHAPE(1)), *variance = borrow(v, PRUNE_F64, 1, SHAPE(1));
    prune_tensor *first = F64(2, SHAPE(3, 1), 0, 1, 2), *second = F64(2, SHAPE(3, 1), 1, 3, 5);
    OK(prune_recalibrate_batch_norm(mean, variance, first, 1, 0));
    ck_assert(m[0] == 1 && v[0] == 1);
    OK(prune_recalibrate_batch_norm(mean, variance, second, 2, 0));
    ck_assert_double_eq(m[0], 2);
    ck_assert_double_eq(v[0], 2.5);
    /* With a momentum of 0.1 instead: 0.9 x 1 + 0.1 x 3 and 0.9 x 1 + 0.1 x 4. */
    m[0] = v[0] = 1;
    OK(prune_recalibrate_batch_norm(mean, variance, second, 2, 0.1));
    ck_assert_double_eq_tol(m[0], 1.2, 1e-15);
    ck_assert_double_eq_tol(v[0], 1.3, 1e-15);
    /* A third batch of mean 8 counts a third: (1 + 3 + 8) / 3. */
    prune_tensor *third = F64(2, SHAPE(2, 1), 8, 8);
    m[0] = 2;
    OK(prune_recalibrate_batch_norm(mean, variance, third, 3, 0));
    ck_assert_double_eq_tol(m[0], 4, 1e-15);
    prune_tensor_free(third);
    prune_tensor_free(second);
    prune_tensor_free(first);
    prune_tensor_free(variance);
    prune_tensor_free(mean);
}
END_TEST

START_TEST(recalibration_takes_channels_of_images_and_any_strides)
{
    /* Two samples, three channels, 1 x 2; read from an array in channels-last order. */
    const float nhwc[] = {1, 10, 100, 2, 20, 200, 3, 30, 300, 4, 40, 400};
    float m[3] = {0}, v[3] = {0};
    prune_tensor *x, *mean = borrow(m, PRUNE_F32, 1, SHAPE(3)), *variance = borrow(v, PRUNE_F32, 1, SHAPE(3));
    OK(prune_tensor_borrow(&x, NULL, (void *)(uintptr_t)nhwc, PRUNE_F32, 4, SHAPE(2, 3, 1, 2), SHAPE(6, 1, 6, 3)));
    OK(prune_recalibrate_batch_norm(mean, variance, x, 1, 0));
    ck_assert(m[0] == 2.5f && m[1] == 25 && m[2] == 250);
    ck_assert_float_eq_tol(v[0], 5.0f / 3, 1e-6f);
    ck_assert_float_eq_tol(v[2], 50000.0f / 3, 1e-2f);
    prune_tensor_free(x);
    prune_tensor_free(variance);
    prune_tensor_free(mean);
}
END_TEST

START_TEST(recalibration_refuses_what_has_no_statistics)
{
    double m[] = {5, 5}, v[] = {6, 6};
    prune_tensor *mean = borrow(m, PRUNE_F64, 1, SHAPE(2)), *variance = borrow(v, PRUNE_F64, 1, SHAPE(2));
    prune_tensor *one = F64(2, SHAPE(1, 2), 1, 1), *none = borrow(NULL, PRUNE_F64, 2, SHAPE(0, 2));
    prune_tensor *bad = F64(2, SHAPE(2, 2), 1, 1, 1, INFINITY), *flat = F64(1, SHAPE(2), 1, 1);
    prune_tensor *good = F64(2, SHAPE(2, 2), 1, 1, 1, 1), *three = F64(2, SHAPE(2, 3), 1, 1, 1, 1, 1, 1);
    FAILS(prune_recalibrate_batch_norm(mean, variance, one, 1, 0), PRUNE_E_SHAPE, "1 numbers for each channel");
    FAILS(prune_recalibrate_batch_norm(mean, variance, none, 1, 0), PRUNE_E_SHAPE, "0 numbers for each channel");
    FAILS(prune_recalibrate_batch_norm(mean, variance, flat, 1, 0), PRUNE_E_SHAPE, "samples x channels");
    FAILS(prune_recalibrate_batch_norm(mean, variance, bad, 1, 0), PRUNE_E_VALUE, "channel 1");
    FAILS(prune_recalibrate_batch_norm(mean, variance, three, 1, 0), PRUNE_E_SHAPE, "mean is [2]; it must be [3]");
    FAILS(prune_recalibrate_batch_norm(mean, variance, good, 0, 0), PRUNE_E_ARGUMENT, "batch is 0");
    FAILS(prune_recalibrate_batch_norm(mean, variance, good, 1, 1.5), PRUNE_E_ARGUMENT, "momentum is 1.5");
    FAILS(prune_recalibrate_batch_norm(mean, variance, good, 1, NAN), PRUNE_E_ARGUMENT, "momentum is");
    v[1] = NAN; /* what stood there counts from the second batch on */
    FAILS(prune_recalibrate_batch_norm(mean, variance, good, 2, 0), PRUNE_E_VALUE, "(1) of variance is NaN");
    ck_assert(m[0] == 5 && m[1] == 5 && v[0] == 6);
    prune_tensor_free(three);
    prune_tensor_free(good);
    prune_tensor_free(flat);
    prune_tensor_free(bad);
    prune_tensor_free(none);
    prune_tensor_free(one);
    prune_tensor_free(variance);
    prune_tensor_free(mean);
}
END_TEST

/* Gamma 2, beta 1, mean .5, variance .25, epsilon 0 give scale 4 and shift -1. */
START_TEST(batch_norm_fold_gives_scale_4_and_shift_minus_1)
{
    double w[] = {1, -0.5, 3, 0}, b[] = {0, 0.25};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 2)), *bias = borrow(b, PRUNE_F64, 1, SHAPE(2));
    prune_tensor *gamma = F64(1, SHAPE(2), 2, 0), *beta = F64(1, SHAPE(2), 1, -3), *mean = F64(1, SHAPE(2), .5, 9);
    prune_tensor *variance = F64(1, SHAPE(2), .25, 1), *flat = F64(1, SHAPE(2), .25, 0);
    FAILS(prune_fold_batch_norm(weights, bias, gamma, beta, mean, flat, 0), PRUNE_E_VALUE, "channel 1");
    FAILS(prune_fold_batch_norm(weights, bias, gamma, beta, mean, variance, -1), PRUNE_E_ARGUMENT, "epsilon is -1");
    FAILS(prune_fold_batch_norm(weights, bias, gamma, beta, weights, variance, 0), PRUNE_E_SHAPE,
          "mean is [2, 2]; it must be [2]");
    ck_assert(w[0] == 1 && b[1] == 0.25);
    OK(prune_fold_batch_norm(weights, bias, gamma, beta, mean, variance, 0));
    ck_assert(w[0] == 4 && w[1] == -2 && b[0] == -1);
    /* gamma 0: a dead channel that gives beta. */
    ck_assert(w[2] == 0 && w[3] == 0 && b[1] == -3);
    prune_mask *alive;
    OK(prune_dead_channels(&alive, NULL, weights, bias, NULL));
    expect_mask(alive, "10");
    prune_tensor_free(flat);
    prune_tensor_free(variance);
    prune_tensor_free(mean);
    prune_tensor_free(beta);
    prune_tensor_free(gamma);
    prune_tensor_free(bias);
    prune_tensor_free(weights);
}
END_TEST

/* A neuron without inputs, bias .3, behind it weights 2 and -1: the next bias becomes (.6, -.3). */
START_TEST(dead_neuron_behind_relu_leaves_biases_0_6_and_minus_0_3)
{
    double w1[] = {1, 2, /**/ 0, -0.0}, b1[] = {-1, 0.3}, w2[] = {5, 2, /**/ 6, -1}, b2[] = {0, 0}, border = 7;
    prune_tensor *first = borrow(w1, PRUNE_F64, 2, SHAPE(2, 2)), *bias1 = borrow(b1, PRUNE_F64, 1, SHAPE(2));
    prune_tensor *second = borrow(w2, PRUNE_F64, 2, SHAPE(2, 2)), *bias2 = borrow(b2, PRUNE_F64, 1, SHAPE(2));
    prune_tensor *constants, *smaller_rows, *smaller_columns;
    prune_mask *alive;
    OK(prune_dead_channels(&alive, &constants, first, bias1, "activation=relu"));
    OK(prune_absorb_constants(bias2, second, constants, alive, NULL, &border));
    ck_assert_double_eq(b2[0], 0.6);
    ck_assert_double_eq(b2[1], -0.3);
    ck_assert_double_eq(border, 0);
    ck_assert(w2[0] == 5 && w2[1] == 0 && w2[2] == 6 && w2[3] == 0 && !signbit(w2[3]));
    OK(prune_keep_channels(&smaller_rows, first, 0, alive));
    OK(prune_keep_channels(&smaller_columns, second, 1, alive));
    ck_assert_int_eq(prune_tensor_shape(smaller_rows)[0], 1);
    ck_assert_int_eq(prune_tensor_shape(smaller_columns)[1], 1);
    ck_assert(number(smaller_rows, 1) == 2 && number(smaller_columns, 1) == 6);
    prune_tensor_free(smaller_columns);
    prune_tensor_free(smaller_rows);
    prune_mask_free(alive);
    prune_tensor_free(constants);
    prune_tensor_free(bias2);
    prune_tensor_free(second);
    prune_tensor_free(bias1);
    prune_tensor_free(first);
}
END_TEST

START_TEST(constants_are_what_the_activation_makes_of_the_bias)
{
    static const struct {
        const char *spec;
        double values[4];
    } cases[] = {
        {NULL, {-2, 0, 3, 8}},
        {"activation=none", {-2, 0, 3, 8}},
        {"activation=relu", {0, 0, 3, 8}},
        {"activation=relu6", {0, 0, 3, 6}},
        {"activation=sigmoid", {0.11920292202211755, 0.5, 0.9525741268224334, 0.9996646498695336}},
        {"activation=tanh", {-0.9640275800758169, 0, 0.9950547536867305, 0.9999997749296758}},
    };
    prune_tensor *weights = F64(2, SHAPE(5, 1), 0, 0, 0, 0, 1), *bias = F64(1, SHAPE(5), -2, 0, 3, 8, 4);
    prune_tensor *constants;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        OK(prune_dead_channels(NULL, &constants, weights, bias, cases[i].spec));
        for (int c = 0; c < 4; c++)
            ck_assert_double_eq_tol(number(constants, c), cases[i].values[c], 1e-15);
        ck_assert_double_eq(number(constants, 4), 0);
        prune_tensor_free(constants);
    }
    /* Without a bias, and of a batch norm: gamma 0 gives beta. */
    OK(prune_dead_channels(NULL, &constants, weights, NULL, "activation=sigmoid"));
    ck_assert_double_eq(number(constants, 3), 0.5);
    prune_tensor_free(constants);
    prune_tensor *gamma = F64(1, SHAPE(2), 0, 1), *beta = F64(1, SHAPE(2), 1.5, 1);
    OK(prune_dead_channels(NULL, &constants, gamma, beta, "activation=relu"));
    ck_assert(number(constants, 0) == 1.5 && number(constants, 1) == 0);
    prune_tensor_free(constants);

    prune_mask *mask = UNTOUCHED;
    constants = UNTOUCHED;
    FAILS(prune_dead_channels(&mask, &constants, weights, beta, NULL), PRUNE_E_SHAPE, "bias is [2]; it must be [5]");
    FAILS(prune_dead_channels(&mask, &constants, weights, bias, "activation=gelu"), PRUNE_E_SPEC, "gelu");
    FAILS(prune_dead_channels(NULL, NULL, weights, bias, NULL), PRUNE_E_ARGUMENT, "one of them must be given");
    FAILS(prune_dead_channels(&mask, &constants, NULL, bias, NULL), PRUNE_E_ARGUMENT, "weights is NULL");
    ck_assert(mask == UNTOUCHED && constants == UNTOUCHED);
    prune_tensor_free(beta);
    prune_tensor_free(gamma);
    prune_tensor_free(bias);
    prune_tensor_free(weights);
}
END_TEST

/* An image of `size` x `size`, 3 x 3 taps, stride 1, zeros around it (padding 1) or none (padding 0). */
static void convolve(const double *w, const double *b, const double *x, double *y, int out, int in, int size, int pad)
{
    int side = size + 2 * pad - 2;
    for (int o = 0; o < out; o++)
        for (int i = 0; i < side; i++)
            for (int j = 0; j < side; j++) {
                double sum = b[o];
                for (int c = 0; c < in; c++)
                    for (int u = 0; u < 9; u++) {
                        int row = i + u / 3 - pad, column = j + u % 3 - pad;
                        if (row >= 0 && row < size && column >= 0 && column < size)
                            sum += w[(o * in + c) * 9 + u] * x[(c * size + row) * size + column];
                    }
                y[(o * side + i) * side + j] = sum;
            }
}

#define CHANNELS 3
#define SIZE 5

/* Channel 1 of the image is 0.7 everywhere. */
START_TEST(absorption_by_a_convolution_is_exact_without_zero_padding)
{
    struct pr_rng rng;
    double w[OUT * CHANNELS * 9], b[OUT], x[CHANNELS * SIZE * SIZE], y[OUT * SIZE * SIZE], z[OUT * SIZE * SIZE];
    double border = 7, first[OUT * CHANNELS * 9], first_bias[OUT];
    pr_rng_seed(&rng, 3);
    fill(&rng, first, OUT * CHANNELS * 9);
    fill(&rng, first_bias, OUT);
    fill(&rng, x, CHANNELS * SIZE * SIZE);
    for (int i = 0; i < SIZE * SIZE; i++)
        x[SIZE * SIZE + i] = 0.7;
    prune_tensor *weights = borrow(w, PRUNE_F64, 4, SHAPE(OUT, CHANNELS, 3, 3));
    prune_tensor *bias = borrow(b, PRUNE_F64, 1, SHAPE(OUT)), *constants = F64(1, SHAPE(CHANNELS), 0, 0.7, 0);
    prune_mask *alive = alive_of("101");
    for (int pad = 0; pad <= 1; pad++) {
        int side = SIZE + 2 * pad - 2;
        memcpy(w, first, sizeof w);
        memcpy(b, first_bias, sizeof b);
        convolve(w, b, x, y, OUT, CHANNELS, SIZE, pad);
        if (pad) {
            FAILS(prune_absorb_constants(bias, weights, constants, alive, "padding=zero", &border), PRUNE_E_UNSUPPORTED,
                  "channel 1 is 0.7");
            ck_assert(!memcmp(w, first, sizeof w) && !memcmp(b, first_bias, sizeof b) && border == 0);
        }
        OK(prune_absorb_constants(bias, weights, constants, alive, pad ? "padding=interior" : NULL, &border));
        convolve(w, b, x, z, OUT, CHANNELS, SIZE, pad);
        double worst = 0;
        for (int i = 0; i < OUT * side * side; i++) {
            int row = i / side % side, column = i % side;
            int inside = !pad || (row > 0 && row < side - 1 && column > 0 && column < side - 1);
            if (inside)
                ck_assert_double_eq_tol(y[i], z[i], 1e-14);
            else
                worst = fmax(worst, fabs(y[i] - z[i]));
        }
        ck_assert(pad ? worst > 0.01 && worst <= border * (1 + 1e-12) : border == 0);
    }
    /* What is exact under zero padding: a constant of 0, and a channel that is not used. */
    border = 7;
    memcpy(w, first, sizeof w);
    prune_tensor *zeros = F64(1, SHAPE(CHANNELS), 0, 0, 0);
    OK(prune_absorb_constants(bias, weights, zeros, alive, "padding=zero", &border));
    OK(prune_absorb_constants(bias, weights, constants, alive, "padding=zero", &border)); /* now without weights */
    ck_assert_double_eq(border, 0);
    prune_tensor_free(zeros);
    prune_mask_free(alive);
    prune_tensor_free(constants);
    prune_tensor_free(bias);
    prune_tensor_free(weights);
}
END_TEST

/* Channels whose image of 2 pixels is flattened, and a convolution of two groups. */
START_TEST(absorption_knows_flattened_images_and_groups)
{
    double w[] = {1, 2, 3, 4, /**/ 5, 6, 7, 8}, b[] = {0, 0}, v[] = {1, 2, 3, 4}, a[] = {0, 0};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 4)), *bias = borrow(b, PRUNE_F64, 1, SHAPE(2));
    prune_tensor *constants = F64(1, SHAPE(2), 9, 10), *of_four = F64(1, SHAPE(4), 10, 100, 1000, 10000);
    prune_tensor *grouped = borrow(v, PRUNE_F64, 2, SHAPE(2, 2)), *grouped_bias = borrow(a, PRUNE_F64, 1, SHAPE(2));
    prune_mask *alive = alive_of("10"), *four = alive_of("0110");
    OK(prune_absorb_constants(bias, weights, constants, alive, NULL, NULL));
    ck_assert(b[0] == 70 && b[1] == 150 && w[1] == 2 && w[2] == 0 && w[3] == 0 && w[5] == 6);
    prune_tensor *kept;
    OK(prune_keep_channels(&kept, weights, 1, alive));
    ck_assert(number(kept, 2) == 5 && number(kept, 3) == 6 && prune_tensor_count(kept) == 4);
    prune_tensor_free(kept);
    OK(prune_absorb_constants(grouped_bias, grouped, of_four, four, "groups=2", NULL));
    ck_assert(a[0] == 10 && a[1] == 40000 && v[0] == 0 && v[1] == 2 && v[2] == 3 && v[3] == 0);

    prune_mask *three = alive_of("110");
    prune_tensor *bad = F64(1, SHAPE(2), 0, NAN);
    FAILS(prune_absorb_constants(bias, weights, constants, three, NULL, NULL), PRUNE_E_SHAPE, "has 4 inputs");
    FAILS(prune_absorb_constants(bias, weights, of_four, alive, NULL, NULL), PRUNE_E_SHAPE, "constants is [4]");
    FAILS(prune_absorb_constants(of_four, weights, constants, alive, NULL, NULL), PRUNE_E_SHAPE, "next_bias is [4]");
    FAILS(prune_absorb_constants(bias, weights, constants, alive, "groups=3", NULL), PRUNE_E_SHAPE, "groups is 3");
    FAILS(prune_absorb_constants(bias, weights, constants, alive, "padding=same", NULL), PRUNE_E_SPEC, "same");
    FAILS(prune_absorb_constants(bias, weights, bad, alive, NULL, NULL), PRUNE_E_VALUE, "(1) of constants is NaN");
    kept = UNTOUCHED;
    FAILS(prune_keep_channels(&kept, weights, 2, alive), PRUNE_E_SHAPE, "axis is 2");
    FAILS(prune_keep_channels(&kept, weights, 1, three), PRUNE_E_SHAPE, "extent 4 of axis 1");
    ck_assert(kept == UNTOUCHED && b[0] == 70);
    prune_tensor_free(bad);
    prune_mask_free(three);
    prune_mask_free(four);
    prune_mask_free(alive);
    prune_tensor_free(grouped_bias);
    prune_tensor_free(grouped);
    prune_tensor_free(of_four);
    prune_tensor_free(constants);
    prune_tensor_free(bias);
    prune_tensor_free(weights);
}
END_TEST

#define LAYERS 4
#define WIDTH 6

/* A chain of linear layers with ReLU. A neuron goes when nothing goes in or nothing comes out; one that goes may leave
 * another without either, so this runs until nothing changes. */
static int remove_dead_neurons(prune_tensor **weights, prune_tensor **biases)
{
    int removed = 0, round;
    do {
        round = 0;
        for (int i = 0; i + 1 < LAYERS; i++) {
            prune_mask *fed, *used, *alive;
            prune_tensor *constants, *back, *smaller;
            OK(prune_dead_channels(&fed, &constants, weights[i], biases[i], "activation=relu"));
            OK(prune_absorb_constants(biases[i + 1], weights[i + 1], constants, fed, NULL, NULL));
            OK(prune_tensor_permute(&back, weights[i + 1], (const int32_t[]){1, 0}));
            OK(prune_dead_channels(&used, NULL, back, NULL, NULL));
            OK(prune_mask_and(&alive, fed, used));
            round += (int)(prune_mask_count(alive) - prune_mask_kept(alive));
            prune_tensor_free(back);
            OK(prune_keep_channels(&smaller, weights[i], 0, alive));
            prune_tensor_free(weights[i]);
            weights[i] = smaller;
            OK(prune_keep_channels(&smaller, biases[i], 0, alive));
            prune_tensor_free(biases[i]);
            biases[i] = smaller;
            OK(prune_keep_channels(&smaller, weights[i + 1], 1, alive));
            prune_tensor_free(weights[i + 1]);
            weights[i + 1] = smaller;
            prune_mask_free(alive);
            prune_mask_free(used);
            prune_mask_free(fed);
            prune_tensor_free(constants);
        }
        removed += round;
    } while (round);
    return removed;
}

static void run_chain(prune_tensor *const *weights, prune_tensor *const *biases, const double *x, double *y)
{
    double in[WIDTH], out[WIDTH];
    memcpy(in, x, sizeof in);
    for (int i = 0; i < LAYERS; i++) {
        const int64_t *shape = prune_tensor_shape(weights[i]);
        linear(prune_tensor_const_data(weights[i]), prune_tensor_const_data(biases[i]), in, out, 1, (int)shape[0],
               (int)shape[1]);
        for (int o = 0; o < shape[0]; o++)
            in[o] = i + 1 < LAYERS && out[o] < 0 ? 0 : out[o];
    }
    memcpy(y, in, sizeof in);
}

START_TEST(dead_neurons_of_a_chain_go_without_changing_its_outputs)
{
    struct pr_rng rng;
    int removed = 0;
    pr_rng_seed(&rng, 4);
    for (int trial = 0; trial < 200; trial++) {
        prune_tensor *weights[LAYERS], *biases[LAYERS];
        double x[WIDTH], before[WIDTH], after[WIDTH];
        for (int i = 0; i < LAYERS; i++) {
            OK(prune_tensor_create(&weights[i], NULL, PRUNE_F64, 2, SHAPE(WIDTH, WIDTH)));
            OK(prune_tensor_create(&biases[i], NULL, PRUNE_F64, 1, SHAPE(WIDTH)));
            double *w = prune_tensor_data(weights[i]);
            fill(&rng, w, WIDTH * WIDTH);
            fill(&rng, prune_tensor_data(biases[i]), WIDTH);
            for (int k = 0; k < WIDTH * WIDTH; k++)
                if (pr_rng_uniform(&rng) < 0.75)
                    w[k] = 0;
        }
        fill(&rng, x, WIDTH);
        run_chain(weights, biases, x, before);
        removed += remove_dead_neurons(weights, biases);
        run_chain(weights, biases, x, after);
        for (int o = 0; o < WIDTH; o++)
            ck_assert_double_eq_tol(before[o], after[o], 1e-14);
        for (int i = 0; i < LAYERS; i++) {
            prune_tensor_free(weights[i]);
            prune_tensor_free(biases[i]);
        }
    }
    ck_assert_int_gt(removed, 200);
}
END_TEST

/* Every allocation of every correction may fail; then nothing has changed and nothing is lost. */
START_TEST(corrections_survive_running_out_of_memory)
{
    double w[] = {0, 0, 3, 4}, b[] = {1, 2}, one[] = {1, 1}, x[] = {1, 2, 3, 5};
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_tensor *t[5];
    const int64_t square[] = {2, 2}, pair[] = {2};
    OK(prune_tensor_borrow(&t[0], context, w, PRUNE_F64, 2, square, NULL));
    OK(prune_tensor_borrow(&t[1], context, b, PRUNE_F64, 1, pair, NULL));
    OK(prune_tensor_borrow(&t[2], context, one, PRUNE_F64, 1, pair, NULL));
    OK(prune_tensor_borrow(&t[3], context, x, PRUNE_F64, 2, square, NULL));
    int64_t live = allocator.live;
    for (int64_t limit = 0; limit < 24; limit++) {
        prune_mask *alive = NULL;
        prune_tensor *constants = NULL, *kept = NULL;
        double w0[4], b0[2];
        for (int step = 0; step < 7; step++) {
            memcpy(w0, w, sizeof w);
            memcpy(b0, b, sizeof b);
            allocator.fail_at = allocator.calls + limit;
            int32_t status = PRUNE_OK;
            switch (step) {
            case 0:
                status = prune_correct_bias(t[1], t[0], t[3], t[2], 1);
                break;
            case 1:
                status = prune_correct_moments(t[0], t[1], t[2], t[2], t[2], t[2]);
                break;
            case 2:
                status = prune_fold_batch_norm(t[0], t[1], t[2], t[2], t[2], t[2], 1);
                break;
            case 3:
                status = prune_recalibrate_batch_norm(t[1], t[1], t[3], 2, 0);
                break;
            case 4:
                status = prune_dead_channels(&alive, &constants, t[0], t[1], NULL);
                break;
            case 5:
                status = alive ? prune_absorb_constants(t[1], t[3], constants, alive, NULL, NULL) : PRUNE_OK;
                break;
            default:
                status = alive ? prune_keep_channels(&kept, t[0], 0, alive) : PRUNE_OK;
                break;
            }
            allocator.fail_at = -1;
            ck_assert(status == PRUNE_OK || status == PRUNE_E_NOMEM);
            if (status)
                ck_assert(!memcmp(w0, w, sizeof w) && !memcmp(b0, b, sizeof b));
            if (limit == 23)
                ck_assert_int_eq(status, PRUNE_OK);
        }
        prune_mask_free(alive);
        prune_tensor_free(constants);
        prune_tensor_free(kept);
        ck_assert_int_eq(allocator.live, live);
    }
    for (int i = 0; i < 4; i++)
        prune_tensor_free(t[i]);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("correct", bias_correction_keeps_the_mean_of_each_output, bias_correction_of_a_grouped_convolution,
          bias_correction_refuses_what_does_not_fit, moments_correction_brings_back_mean_and_variance,
          recalibration_of_means_1_and_3_gives_2, recalibration_takes_channels_of_images_and_any_strides,
          recalibration_refuses_what_has_no_statistics, batch_norm_fold_gives_scale_4_and_shift_minus_1,
          dead_neuron_behind_relu_leaves_biases_0_6_and_minus_0_3, constants_are_what_the_activation_makes_of_the_bias,
          absorption_by_a_convolution_is_exact_without_zero_padding, absorption_knows_flattened_images_and_groups,
          dead_neurons_of_a_chain_go_without_changing_its_outputs, corrections_survive_running_out_of_memory)
