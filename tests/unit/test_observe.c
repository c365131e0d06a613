/* SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>

#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

#define NEEDS_OF_INPUTS (PRUNE_OBSERVE_INPUT_NORMS | PRUNE_OBSERVE_GRAM | PRUNE_OBSERVE_INPUT_MEANS)
#define NEEDS_OF_ACTIVATIONS                                                                                           \
    (PRUNE_OBSERVE_ACTIVATION_ZEROS | PRUNE_OBSERVE_MOMENTS | PRUNE_OBSERVE_ACTIVATION_GRADIENTS)
#define ALL_NEEDS 4095

static prune_observations *observe(int32_t needs)
{
    prune_observations *o;
    OK(prune_observations_create(&o, NULL, needs));
    return o;
}

static void feed(prune_observations *o, int32_t kind, const void *data, int32_t dtype, int32_t rank,
                 const int64_t *shape)
{
    prune_tensor *tensor = borrow(data, dtype, rank, shape);
    OK(prune_observations_feed(o, kind, tensor));
    prune_tensor_free(tensor);
}

static void feed_pair(prune_observations *o, int32_t kind, const double *data, const double *other, int32_t rank,
                      const int64_t *shape)
{
    prune_tensor *a = borrow(data, PRUNE_F64, rank, shape), *b = borrow(other, PRUNE_F64, rank, shape);
    OK(prune_observations_feed_pair(o, kind, a, b));
    prune_tensor_free(a);
    prune_tensor_free(b);
}

/* The statistic in memory for the caller to free; *count of its numbers. */
static double *read_back(const prune_observations *o, int32_t statistic, int64_t *count)
{
    prune_tensor *tensor;
    OK(prune_observations_get(&tensor, o, statistic));
    ck_assert_int_eq(prune_tensor_dtype(tensor), PRUNE_F64);
    *count = prune_tensor_count(tensor);
    double *copy = malloc((size_t)*count * sizeof *copy + 1);
    memcpy(copy, prune_tensor_const_data(tensor), (size_t)*count * sizeof *copy);
    prune_tensor_free(tensor);
    return copy;
}

/* The Gram matrix may be summed in any order; numbers here are small, their sums below 1000. */
static void expect(const prune_observations *o, int32_t statistic, int64_t count, const double *due, double tolerance)
{
    double rounding = statistic == PRUNE_OBSERVED_GRAM ? 1e-12 : 0;
    int64_t got_count;
    double *got = read_back(o, statistic, &got_count);
    ck_assert_int_eq(got_count, count);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(got[i] - due[i]) <= tolerance * fabs(due[i]) + rounding))
            ck_abort_msg("statistic %d: number %lld is %.17g, not %.17g", statistic, (long long)i, got[i], due[i]);
    free(got);
}

static void expect_same_observations(const prune_observations *a, const prune_observations *b, int32_t first,
                                     int32_t last, double tolerance)
{
    for (int32_t statistic = first; statistic <= last; statistic++) {
        int64_t count;
        double *due = read_back(b, statistic, &count);
        expect(a, statistic, count, due, tolerance);
        free(due);
    }
    for (int32_t kind = PRUNE_INPUTS; kind <= PRUNE_CHANNEL_SCALES; kind++)
        ck_assert_int_eq(prune_observations_count(a, kind), prune_observations_count(b, kind));
}

#define DUE(...) ((const double[]){__VA_ARGS__})

static double *numbers(uint64_t seed, int64_t count, double offset)
{
    double *x = malloc((size_t)count * sizeof *x + 1);
    struct pr_rng rng;
    pr_rng_seed(&rng, seed);
    for (int64_t i = 0; i < count; i++)
        x[i] = pr_rng_uniform(&rng) * 2 - 1 + offset;
    return x;
}

START_TEST(norms_means_and_gram_are_those_of_the_definition)
{
    const int64_t sizes[] = {1, 2, 7, 64, 65, 130}, samples[] = {1, 3, 4, 63, 64, 65, 150};
    for (int s = 0; s < 6; s++)
        for (int n = 0; n < 7; n++) {
            int64_t in = sizes[s], rows = samples[n];
            double *x = numbers((uint64_t)(s * 10 + n), in * rows, 0.25);
            prune_observations *o = observe(NEEDS_OF_INPUTS);
            feed(o, PRUNE_INPUTS, x, PRUNE_F64, 2, SHAPE(rows, in));
            double *gram = calloc((size_t)(in * in), sizeof *gram), *norm = calloc((size_t)in, sizeof *norm),
                   *mean = calloc((size_t)in, sizeof *mean);
            for (int64_t i = 0; i < in; i++) {
                for (int64_t r = 0; r < rows; r++) {
                    mean[i] += x[r * in + i] / (double)rows;
                    for (int64_t j = 0; j < in; j++)
                        gram[i * in + j] += x[r * in + i] * x[r * in + j];
                }
                norm[i] = sqrt(gram[i * in + i]);
            }
            expect(o, PRUNE_OBSERVED_GRAM, in * in, gram, 0);
            expect(o, PRUNE_OBSERVED_INPUT_NORMS, in, norm, 1e-15);
            expect(o, PRUNE_OBSERVED_INPUT_MEANS, in, mean, 1e-12);
            ck_assert_int_eq(prune_observations_count(o, PRUNE_INPUTS), rows);
            prune_observations_free(o);
            free(x), free(gram), free(norm), free(mean);
        }
}
END_TEST

START_TEST(every_dtype_rank_and_view_of_inputs)
{
    const float x[12] = {1, -2, 0.5f, 3, -0.25f, 8, 2, 2, -1, 0, 4, -3};
    const int32_t dtypes[] = {PRUNE_F32, PRUNE_F16, PRUNE_BF16, PRUNE_F64}, order[] = {1, 0};
    prune_tensor *plain = borrow(x, PRUNE_F32, 2, SHAPE(4, 3)), *deep = borrow(x, PRUNE_F32, 3, SHAPE(2, 2, 3));
    prune_observations *first = observe(NEEDS_OF_INPUTS);
    OK(prune_observations_feed(first, PRUNE_INPUTS, plain));
    expect(first, PRUNE_OBSERVED_INPUT_MEANS, 3, DUE(6 / 4., 3.75 / 4, 4.5 / 4), 0);
    for (int i = 0; i < 4; i++) {
        prune_tensor *other, *turned, *copy, *back;
        prune_observations *o = observe(NEEDS_OF_INPUTS), *p = observe(NEEDS_OF_INPUTS), *q = observe(NEEDS_OF_INPUTS);
        OK(prune_tensor_convert(&other, plain, dtypes[i]));
        OK(prune_tensor_permute(&turned, other, order));
        OK(prune_tensor_convert(&copy, turned, dtypes[i])); /* 3 x 4 in memory */
        OK(prune_tensor_permute(&back, copy, order));
        OK(prune_observations_feed(o, PRUNE_INPUTS, other));
        OK(prune_observations_feed(p, PRUNE_INPUTS, back));
        for (int64_t row = 0; row < 4; row++) {
            prune_tensor *slice, *sample;
            OK(prune_tensor_slice(&slice, other, 0, row, 1, 1));
            OK(prune_tensor_reshape(&sample, slice, 1, SHAPE(3)));
            OK(prune_observations_feed(q, PRUNE_INPUTS, sample));
            prune_tensor_free(slice);
            prune_tensor_free(sample);
        }
        expect_same_observations(o, first, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_INPUT_MEANS, 0);
        expect_same_observations(p, first, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_INPUT_MEANS, 0);
        expect_same_observations(q, first, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_INPUT_MEANS, 0);
        prune_tensor_free(other), prune_tensor_free(turned), prune_tensor_free(copy), prune_tensor_free(back);
        prune_observations_free(o), prune_observations_free(p), prune_observations_free(q);
    }
    prune_observations *o = observe(NEEDS_OF_INPUTS);
    OK(prune_observations_feed(o, PRUNE_INPUTS, deep));
    expect_same_observations(o, first, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_INPUT_MEANS, 0);
    prune_observations_free(o), prune_observations_free(first);
    prune_tensor_free(plain), prune_tensor_free(deep);
}
END_TEST

/* Everything there is, from `samples` samples in batches of `batch`, by a context of `threads` threads. */
static prune_observations *observe_all(int64_t first, int64_t samples, int64_t batch, int32_t threads, int whole)
{
    enum { IN = 130, OUT = 3, CHANNELS = 5, PLANE = 7, MOST = 40 };
    static double x[MOST * IN], g[MOST * OUT * IN], w[OUT * IN], z[MOST * CHANNELS * PLANE],
        dz[MOST * CHANNELS * PLANE];
    struct pr_rng rng;
    prune_context *context;
    prune_observations *o;
    pr_rng_seed(&rng, 77);
    struct {
        double *data;
        int64_t count;
    } all[] = {{x, MOST * IN},
               {g, MOST * OUT * IN},
               {w, OUT * IN},
               {z, MOST * CHANNELS * PLANE},
               {dz, MOST * CHANNELS * PLANE}};
    for (int i = 0; i < 5; i++)
        for (int64_t j = 0; j < all[i].count; j++) {
            double number = pr_rng_uniform(&rng) * 4 - 2;
            all[i].data[j] = whole ? floor(number * 4) : number;
        }
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, threads));
    OK(prune_observations_create(&o, context, ALL_NEEDS));
    OK(prune_observations_configure(o, "samples=5"));
    for (int64_t at = first; at < first + samples; at += batch) {
        int64_t count = first + samples - at < batch ? first + samples - at : batch;
        feed(o, PRUNE_INPUTS, x + at * IN, PRUNE_F64, 2, SHAPE(count, IN));
        feed_pair(o, PRUNE_ACTIVATIONS, z + at * CHANNELS * PLANE, dz + at * CHANNELS * PLANE, 3,
                  SHAPE(count, CHANNELS, PLANE));
    }
    for (int64_t at = first; at < first + samples; at++) {
        feed_pair(o, PRUNE_GRADIENTS, g + at * OUT * IN, w, 2, SHAPE(OUT, IN));
        feed(o, PRUNE_CURVATURES, g + at * OUT * IN, PRUNE_F64, 2, SHAPE(OUT, IN));
        feed(o, PRUNE_CHANNEL_SCALES, z + at * CHANNELS, PRUNE_F64, 1, SHAPE(CHANNELS));
    }
    prune_context_free(context);
    return o;
}

START_TEST(batches_and_threads_do_not_change_a_bit)
{
    prune_observations *whole = observe_all(0, 40, 40, 1, 0);
    const int64_t batches[] = {1, 3, 16, 40};
    for (int i = 0; i < 4; i++)
        for (int32_t threads = 1; threads <= 4; threads += 3) {
            prune_observations *o = observe_all(0, 40, batches[i], threads, 0);
            expect_same_observations(o, whole, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_ACTIVATION_TAYLOR, 0);
            expect_same_observations(o, whole, PRUNE_OBSERVED_CHANNEL_SCALES, PRUNE_OBSERVED_CHANNEL_SCALES, 0);
            prune_observations_free(o);
        }
    prune_observations_free(whole);
}
END_TEST

static void expect_same_kept(const prune_observations *a, const prune_observations *b)
{
    int64_t kept = prune_observations_kept(a);
    ck_assert_int_eq(kept, prune_observations_kept(b));
    for (int64_t i = 0; i < kept; i++) {
        prune_tensor *x, *y;
        OK(prune_observations_gradient(&x, a, i));
        OK(prune_observations_gradient(&y, b, i));
        ck_assert_int_eq(prune_tensor_dtype(x), prune_tensor_dtype(y));
        ck_assert_mem_eq(prune_tensor_const_data(x), prune_tensor_const_data(y),
                         (size_t)(prune_tensor_count(x) * prune_dtype_size(prune_tensor_dtype(x))));
        prune_tensor_free(x), prune_tensor_free(y);
    }
}

START_TEST(two_halves_merged_are_the_whole)
{
    for (int whole_numbers = 0; whole_numbers <= 1; whole_numbers++)
        for (int64_t cut = 0; cut <= 40; cut += 19) {
            prune_observations *whole = observe_all(0, 40, 1, 1, whole_numbers),
                               *a = observe_all(0, cut, 1, 1, whole_numbers),
                               *b = observe_all(cut, 40 - cut, 1, 1, whole_numbers);
            OK(prune_observations_merge(a, b));
            for (int32_t s = PRUNE_OBSERVED_GRAM; s <= PRUNE_OBSERVED_CHANNEL_SCALES; s++) {
                int exact = whole_numbers && s != PRUNE_OBSERVED_MEANS && s != PRUNE_OBSERVED_VARIANCES &&
                            s != PRUNE_OBSERVED_ACTIVATION_TAYLOR;
                expect_same_observations(a, whole, s, s, exact ? 0 : 1e-9);
            }
            expect_same_kept(a, whole);
            prune_observations_free(b); /* what was taken over lives on */
            expect_same_kept(a, whole);
            prune_observations_free(a), prune_observations_free(whole);
        }
}
END_TEST

START_TEST(merging_what_does_not_fit_is_refused)
{
    const double x[] = {1, 2, 3};
    prune_observations *a = observe(PRUNE_OBSERVE_GRAM), *b = observe(PRUNE_OBSERVE_GRAM),
                       *c = observe(PRUNE_OBSERVE_GRAM | PRUNE_OBSERVE_INPUT_MEANS), *d = observe(PRUNE_OBSERVE_GRAM);
    feed(a, PRUNE_INPUTS, x, PRUNE_F64, 2, SHAPE(1, 3));
    feed(b, PRUNE_INPUTS, x, PRUNE_F64, 2, SHAPE(1, 2));
    OK(prune_observations_configure(d, "epsilon=0.5"));
    FAILS(prune_observations_merge(a, b), PRUNE_E_SHAPE, "[3]");
    FAILS(prune_observations_merge(a, c), PRUNE_E_ARGUMENT, "needs 2, the others 6");
    FAILS(prune_observations_merge(a, d), PRUNE_E_ARGUMENT, "epsilon=0.5");
    FAILS(prune_observations_merge(a, a), PRUNE_E_ARGUMENT, "themselves");
    FAILS(prune_observations_merge(a, NULL), PRUNE_E_ARGUMENT, "other");
    expect(a, PRUNE_OBSERVED_GRAM, 9, DUE(1, 2, 3, 2, 4, 6, 3, 6, 9), 0);
    prune_observations_free(a), prune_observations_free(b), prune_observations_free(c), prune_observations_free(d);
}
END_TEST

START_TEST(gradients_are_summed_squared_and_moved)
{
    const double g1[] = {0.5, -2, 0, 4}, g2[] = {1.5, 1, -0.0, -8}, w1[] = {1, 2, 3, 4}, w2[] = {-1, 2, 3, 0.5};
    prune_observations *o =
        observe(PRUNE_OBSERVE_GRADIENTS | PRUNE_OBSERVE_GRADIENT_MAGNITUDES | PRUNE_OBSERVE_MOVEMENTS);
    feed_pair(o, PRUNE_GRADIENTS, g1, w1, 2, SHAPE(2, 2));
    feed_pair(o, PRUNE_GRADIENTS, g2, w2, 2, SHAPE(2, 2));
    expect(o, PRUNE_OBSERVED_GRADIENT_MEANS, 4, DUE(1, -0.5, 0, -2), 0);
    expect(o, PRUNE_OBSERVED_GRADIENT_SQUARES, 4, DUE(1.25, 2.5, 0, 40), 0);
    expect(o, PRUNE_OBSERVED_GRADIENT_MAGNITUDES, 4, DUE(1, 1.5, 0, 6), 0);
    expect(o, PRUNE_OBSERVED_MOVEMENTS, 4, DUE(1, 2, 0, -12), 0);
    ck_assert_int_eq(prune_observations_count(o, PRUNE_GRADIENTS), 2);
    prune_observations_free(o);
}
END_TEST

START_TEST(the_last_gradients_are_kept)
{
    prune_observations *o = observe(PRUNE_OBSERVE_GRADIENT_SAMPLES);
    prune_tensor *tensor = UNTOUCHED;
    OK(prune_observations_configure(o, "samples=20"));
    for (int i = 0; i < 50; i++) {
        float g[2] = {(float)i, (float)-i};
        feed(o, PRUNE_GRADIENTS, g, PRUNE_F32, 1, SHAPE(2));
        int64_t kept = i < 20 ? i + 1 : 20;
        ck_assert_int_eq(prune_observations_kept(o), kept);
        for (int64_t j = 0; j < kept; j++) {
            OK(prune_observations_gradient(&tensor, o, j));
            ck_assert_int_eq(prune_tensor_dtype(tensor), PRUNE_F32);
            const float *got = prune_tensor_const_data(tensor);
            ck_assert(got[0] == (float)(i + 1 - kept + j) && got[1] == -got[0]);
            prune_tensor_free(tensor);
        }
    }
    tensor = UNTOUCHED;
    FAILS(prune_observations_gradient(&tensor, o, 20), PRUNE_E_ARGUMENT, "gradient 20 is not kept; there are 20");
    FAILS(prune_observations_gradient(&tensor, o, -1), PRUNE_E_ARGUMENT, "-1");
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    OK(prune_observations_gradient(&tensor, o, 0));
    prune_observations_free(o);
    ck_assert(*(const float *)prune_tensor_const_data(tensor) == 30); /* it keeps the memory */
    prune_tensor_free(tensor);
}
END_TEST

/* The two samples of three channels of 4 x 4 that the lecture shows. */
static const float lecture_activations[2][3][16] = {
    {{0, .1f, .5f, 1, 1.2f, .6f, .3f, .2f, 0, .5f, 0, .3f, .2f, 0, 0, .8f},
     {.1f, .5f, 0, 0, .2f, .3f, 0, 1, .1f, 0, 0, .5f, .1f, .6f, .7f, .1f},
     {0, 0, .8f, 0, .7f, 0, .6f, .1f, 1.2f, 1, 0, .2f, .5f, 0, .3f, .5f}},
    {{.5f, 0, .2f, .1f, 0, .2f, 1.2f, 0, 1.2f, 0, .2f, .3f, .2f, .4f, 0, 0},
     {.1f, .5f, 0, 0, 0, .8f, 0, 1, .1f, 0, .1f, 1, .2f, 0, 1, 0},
     {0, .8f, .1f, 0, .2f, 0, 0, .3f, 0, .4f, 0, .5f, .2f, 0, .3f, 0}}};

START_TEST(the_lecture_counts_11_12_and_14_zeros_of_32)
{
    prune_observations *o = observe(PRUNE_OBSERVE_ACTIVATION_ZEROS), *p = observe(PRUNE_OBSERVE_ACTIVATION_ZEROS);
    feed(o, PRUNE_ACTIVATIONS, lecture_activations, PRUNE_F32, 4, SHAPE(2, 3, 4, 4));
    feed(p, PRUNE_ACTIVATIONS, lecture_activations[0], PRUNE_F32, 4, SHAPE(1, 3, 4, 4));
    feed(p, PRUNE_ACTIVATIONS, lecture_activations[1], PRUNE_F32, 4, SHAPE(1, 3, 4, 4));
    expect(o, PRUNE_OBSERVED_ZERO_FRACTIONS, 3, DUE(11 / 32., 12 / 32., 14 / 32.), 0);
    expect(p, PRUNE_OBSERVED_ZERO_FRACTIONS, 3, DUE(11 / 32., 12 / 32., 14 / 32.), 0);
    prune_observations_free(o), prune_observations_free(p);
}
END_TEST

START_TEST(minus_zero_and_small_activations_are_zeros)
{
    const double z[] = {-0.0, 0.0, 1e-300, -1e-3, 1e-3, 2e-3, -2e-3, 1};
    prune_observations *exact = observe(PRUNE_OBSERVE_ACTIVATION_ZEROS),
                       *near = observe(PRUNE_OBSERVE_ACTIVATION_ZEROS);
    OK(prune_observations_configure(near, "epsilon=0.001"));
    feed(exact, PRUNE_ACTIVATIONS, z, PRUNE_F64, 2, SHAPE(8, 1));
    feed(near, PRUNE_ACTIVATIONS, z, PRUNE_F64, 2, SHAPE(8, 1));
    expect(exact, PRUNE_OBSERVED_ZERO_FRACTIONS, 1, DUE(2 / 8.), 0);
    expect(near, PRUNE_OBSERVED_ZERO_FRACTIONS, 1, DUE(5 / 8.), 0);
    expect(near, PRUNE_OBSERVED_ACTIVATION_MEANS, 1, DUE(1. / 8), 1e-12);
    prune_observations_free(exact), prune_observations_free(near);
}
END_TEST

START_TEST(variances_of_numbers_far_from_zero)
{
    enum { SAMPLES = 37, CHANNELS = 3, PLANE = 700 };
    double *z = numbers(5, SAMPLES * CHANNELS * PLANE, 1e6), mean[CHANNELS], variance[CHANNELS];
    prune_observations *o = observe(PRUNE_OBSERVE_MOMENTS);
    for (int c = 0; c < CHANNELS; c++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < SAMPLES * PLANE; i++)
            sum += z[(i / PLANE * CHANNELS + c) * PLANE + i % PLANE] - 1e6;
        mean[c] = 1e6 + sum / (SAMPLES * PLANE);
        for (int i = 0; i < SAMPLES * PLANE; i++) {
            double d = z[(i / PLANE * CHANNELS + c) * PLANE + i % PLANE] - mean[c];
            squares += d * d;
        }
        variance[c] = squares / (SAMPLES * PLANE);
    }
    feed(o, PRUNE_ACTIVATIONS, z, PRUNE_F64, 3, SHAPE(SAMPLES, CHANNELS, PLANE));
    expect(o, PRUNE_OBSERVED_MEANS, CHANNELS, mean, 1e-13);
    expect(o, PRUNE_OBSERVED_VARIANCES, CHANNELS, variance, 1e-9);
    prune_observations_free(o);
    free(z);
}
END_TEST

START_TEST(activations_with_their_gradients)
{
    /* 2 samples, 2 channels, planes of 2 */
    const double z[] = {1, 2, 3, 4, -1, 0.5, 2, 0}, dz[] = {1, 1, -1, 0.5, 2, 4, 0.25, 8};
    /* z dz by plane: 3; -3 + 2 = -1; -2 + 2 = 0; 0.5 */
    prune_observations *o = observe(PRUNE_OBSERVE_ACTIVATION_GRADIENTS),
                       *p = observe(PRUNE_OBSERVE_ACTIVATION_GRADIENTS);
    feed_pair(o, PRUNE_ACTIVATIONS, z, dz, 3, SHAPE(2, 2, 2));
    expect(o, PRUNE_OBSERVED_ACTIVATION_TAYLOR, 2, DUE(0.75, 0.375), 0);
    expect(o, PRUNE_OBSERVED_ACTIVATION_GATES, 2, DUE(9, 0.25), 0);
    feed_pair(p, PRUNE_ACTIVATIONS, z, dz, 3, SHAPE(1, 2, 2));
    feed_pair(p, PRUNE_ACTIVATIONS, z + 4, dz + 4, 3, SHAPE(1, 2, 2));
    expect(p, PRUNE_OBSERVED_ACTIVATION_TAYLOR, 2, DUE(0.75, 0.375), 0);
    expect(p, PRUNE_OBSERVED_ACTIVATION_GATES, 2, DUE(4.5, 0.625), 0); /* squared batch by batch */
    prune_observations_free(o), prune_observations_free(p);
}
END_TEST

START_TEST(saved_and_loaded_they_are_the_same_and_go_on)
{
    prune_observations *o = observe_all(0, 40, 7, 1, 0), *back = NULL, *half = observe_all(0, 20, 1, 1, 0), *again;
    prune_tensor *blob, *second;
    OK(prune_observations_save(&blob, o));
    OK(prune_observations_load(&back, NULL, prune_tensor_const_data(blob), prune_tensor_count(blob)));
    expect_same_observations(back, o, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_CHANNEL_SCALES, 0);
    expect_same_kept(back, o);
    ck_assert_int_eq(prune_observations_needs(back), prune_observations_needs(o));
    OK(prune_observations_save(&second, back));
    ck_assert_int_eq(prune_tensor_count(second), prune_tensor_count(blob));
    ck_assert_mem_eq(prune_tensor_const_data(second), prune_tensor_const_data(blob), (size_t)prune_tensor_count(blob));
    prune_tensor_free(second);
    prune_observations_free(back);
    prune_tensor_free(blob);
    OK(prune_observations_save(&blob, half)); /* half of the data, then the other half */
    OK(prune_observations_load(&again, NULL, prune_tensor_const_data(blob), prune_tensor_count(blob)));
    prune_observations *rest = observe_all(20, 20, 1, 1, 0);
    OK(prune_observations_merge(again, rest));
    OK(prune_observations_merge(half, rest));
    expect_same_observations(again, half, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_CHANNEL_SCALES, 0);
    prune_observations_free(rest);
    prune_observations_free(again), prune_observations_free(half), prune_observations_free(o);
    prune_tensor_free(blob);
}
END_TEST

START_TEST(every_damage_to_what_was_saved_is_refused)
{
    const double x[] = {1, 2, 3, 4}, g[] = {0.5, -1};
    prune_observations *o = observe(PRUNE_OBSERVE_GRAM | PRUNE_OBSERVE_GRADIENT_SAMPLES), *out = UNTOUCHED;
    prune_tensor *blob;
    feed(o, PRUNE_INPUTS, x, PRUNE_F64, 2, SHAPE(2, 2));
    feed(o, PRUNE_GRADIENTS, g, PRUNE_F64, 1, SHAPE(2));
    OK(prune_observations_save(&blob, o));
    int64_t bytes = prune_tensor_count(blob);
    unsigned char *data = prune_tensor_data(blob), *copy = malloc((size_t)bytes + 8);
    for (int64_t i = 0; i < bytes; i++)
        for (int bit = 0; bit < 8; bit++) {
            data[i] ^= (unsigned char)(1 << bit);
            if (prune_observations_load(&out, NULL, data, bytes) != PRUNE_E_FORMAT || out != UNTOUCHED)
                ck_abort_msg("bit %d of byte %lld: not refused", bit, (long long)i);
            data[i] ^= (unsigned char)(1 << bit);
        }
    memset(copy, 0, (size_t)bytes + 8);
    memcpy(copy, data, (size_t)bytes);
    for (int64_t length = 0; length <= bytes + 8; length++)
        if (length != bytes && prune_observations_load(&out, NULL, copy, length) != PRUNE_E_FORMAT)
            ck_abort_msg("%lld bytes of %lld: not refused", (long long)length, (long long)bytes);
    ck_assert_ptr_eq(out, UNTOUCHED);
    memset(copy, 'x', (size_t)bytes);
    FAILS(prune_observations_load(&out, NULL, copy, bytes), PRUNE_E_FORMAT, "PROBSERV");
    ck_assert_ptr_eq(out, UNTOUCHED);
    free(copy);
    prune_tensor_free(blob);
    prune_observations_free(o);
}
END_TEST

START_TEST(numbers_that_are_not_are_refused)
{
    double x[6] = {1, 2, 3, 4, NAN, 6};
    prune_observations *o = observe(ALL_NEEDS);
    prune_tensor *inputs = borrow(x, PRUNE_F64, 2, SHAPE(2, 3)), *out = UNTOUCHED;
    FAILS(prune_observations_feed(o, PRUNE_INPUTS, inputs), PRUNE_E_VALUE, "(1, 1), is NaN");
    x[4] = 5;
    OK(prune_observations_feed(o, PRUNE_INPUTS, inputs));
    x[2] = -INFINITY;
    FAILS(prune_observations_feed(o, PRUNE_INPUTS, inputs), PRUNE_E_VALUE, "(0, 2), is infinite");
    FAILS(prune_observations_feed(o, PRUNE_CURVATURES, inputs), PRUNE_E_VALUE, "curvatures");
    expect(o, PRUNE_OBSERVED_INPUT_MEANS, 3, DUE(2.5, 3.5, 4.5), 0); /* a refused batch changes nothing */
    ck_assert_int_eq(prune_observations_count(o, PRUNE_INPUTS), 2);
    FAILS(prune_observations_get(&out, o, PRUNE_OBSERVED_HESSIAN_DIAGONAL), PRUNE_E_ARGUMENT, "no curvatures were fed");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(inputs);
    prune_observations_free(o);
}
END_TEST

START_TEST(sizes_that_differ_are_refused)
{
    const double x[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    prune_observations *o = observe(ALL_NEEDS);
    prune_tensor *four = borrow(x, PRUNE_F64, 2, SHAPE(2, 4)), *two = borrow(x, PRUNE_F64, 2, SHAPE(4, 2)),
                 *flat = borrow(x, PRUNE_F64, 1, SHAPE(8)), *scalar = borrow(x, PRUNE_F64, 0, NULL);
    OK(prune_observations_feed(o, PRUNE_INPUTS, four));
    FAILS(prune_observations_feed(o, PRUNE_INPUTS, two), PRUNE_E_SHAPE,
          "shape [2] are fed, those before had shape [4]");
    FAILS(prune_observations_feed(o, PRUNE_INPUTS, scalar), PRUNE_E_SHAPE, "rank 0");
    FAILS(prune_observations_feed(o, PRUNE_ACTIVATIONS, flat), PRUNE_E_SHAPE, "rank 2 or more");
    FAILS(prune_observations_feed(o, PRUNE_CHANNEL_SCALES, four), PRUNE_E_SHAPE, "rank 1");
    FAILS(prune_observations_feed_pair(o, PRUNE_GRADIENTS, four, two), PRUNE_E_SHAPE, "[4, 2]");
    FAILS(prune_observations_feed_pair(o, PRUNE_INPUTS, four, four), PRUNE_E_ARGUMENT, "inputs are fed alone");
    FAILS(prune_observations_feed(o, PRUNE_GRADIENTS, four), PRUNE_E_ARGUMENT, "prune_observations_feed_pair");
    FAILS(prune_observations_feed(o, PRUNE_ACTIVATIONS, four), PRUNE_E_ARGUMENT, "prune_observations_feed_pair");
    OK(prune_observations_feed(o, PRUNE_CURVATURES, four));
    FAILS(prune_observations_feed(o, PRUNE_CURVATURES, two), PRUNE_E_SHAPE, "[2, 4]");
    ck_assert_int_eq(prune_observations_count(o, PRUNE_GRADIENTS), 0);
    ck_assert_int_eq(prune_observations_count(o, PRUNE_CURVATURES), 1);
    prune_tensor_free(four), prune_tensor_free(two), prune_tensor_free(flat), prune_tensor_free(scalar);
    prune_observations_free(o);
}
END_TEST

START_TEST(what_cannot_be_meant_is_refused)
{
    const int32_t whole[2] = {1, 2};
    const double x[2] = {1, 2};
    prune_observations *o = UNTOUCHED;
    prune_tensor *data = borrow(x, PRUNE_F64, 2, SHAPE(1, 2)), *ints = borrow(whole, PRUNE_I32, 2, SHAPE(1, 2)),
                 *empty = borrow(x, PRUNE_F64, 2, SHAPE(0, 2)), *out = UNTOUCHED;
    FAILS(prune_observations_create(&o, NULL, 0), PRUNE_E_ARGUMENT, "1 to 4095");
    FAILS(prune_observations_create(&o, NULL, 4096), PRUNE_E_ARGUMENT, "4096");
    FAILS(prune_observations_create(NULL, NULL, 1), PRUNE_E_ARGUMENT, "out is NULL");
    ck_assert_ptr_eq(o, UNTOUCHED);
    o = observe(PRUNE_OBSERVE_GRAM);
    FAILS(prune_observations_configure(o, "samples=0"), PRUNE_E_SPEC, "samples");
    FAILS(prune_observations_configure(o, "epsilon=-1"), PRUNE_E_SPEC, "epsilon");
    FAILS(prune_observations_feed(o, 0, data), PRUNE_E_ARGUMENT, "kind is 0");
    FAILS(prune_observations_feed(o, 6, data), PRUNE_E_ARGUMENT, "kind is 6");
    FAILS(prune_observations_feed(o, PRUNE_GRADIENTS, data), PRUNE_E_ARGUMENT, "gradients are not gathered");
    FAILS(prune_observations_feed(o, PRUNE_INPUTS, ints), PRUNE_E_DTYPE, "i32");
    FAILS(prune_observations_feed(o, PRUNE_INPUTS, NULL), PRUNE_E_ARGUMENT, "data is NULL");
    OK(prune_observations_feed(o, PRUNE_INPUTS, empty));
    FAILS(prune_observations_get(&out, o, PRUNE_OBSERVED_GRAM), PRUNE_E_ARGUMENT, "0 samples");
    FAILS(prune_observations_get(&out, o, PRUNE_OBSERVED_INPUT_NORMS), PRUNE_E_ARGUMENT, "PRUNE_OBSERVE_INPUT_NORMS");
    FAILS(prune_observations_get(&out, o, 0), PRUNE_E_ARGUMENT, "1 to 15");
    FAILS(prune_observations_get(&out, o, 16), PRUNE_E_ARGUMENT, "1 to 15");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_observations_feed(o, PRUNE_INPUTS, data));
    FAILS(prune_observations_configure(o, "samples=3"), PRUNE_E_ARGUMENT, "inputs were fed already (1)");
    ck_assert_int_eq(prune_observations_count(o, 9), -1);
    ck_assert_int_eq(prune_observations_count(NULL, PRUNE_INPUTS), -1);
    ck_assert_int_eq(prune_observations_needs(NULL), 0);
    prune_tensor_free(data), prune_tensor_free(ints), prune_tensor_free(empty);
    prune_observations_free(o);
    prune_observations_free(NULL);
}
END_TEST

/* The figure is what the allocator lends at most, but for its own words beside each block. */
START_TEST(memory_is_what_was_said_before)
{
    enum { OUT = 40, IN = 96 };
    static float data[OUT * IN];
    const int32_t needs[] = {PRUNE_OBSERVE_GRAM, NEEDS_OF_INPUTS, PRUNE_OBSERVE_GRADIENTS,
                             PRUNE_OBSERVE_GRADIENT_SAMPLES, PRUNE_OBSERVE_HESSIAN_DIAGONAL};
    for (int i = 0; i < 5; i++) {
        struct allocator a;
        int64_t bytes = -1;
        prune_context *context = counted_context(&a);
        prune_observations *o;
        int32_t kind = i < 2 ? PRUNE_INPUTS : i < 4 ? PRUNE_GRADIENTS : PRUNE_CURVATURES;
        OK(prune_observations_memory(needs[i], 2, SHAPE(OUT, IN), 10, &bytes));
        OK(prune_observations_create(&o, context, needs[i]));
        OK(prune_observations_configure(o, "samples=10"));
        for (int step = 0; step < 10; step++)
            feed(o, kind, data, PRUNE_F32, 2, SHAPE(OUT, IN));
        ck_assert_msg(a.peak >= bytes * 9 / 10 && a.peak <= bytes + 8192, "needs %d: %lld bytes said, %lld lent",
                      needs[i], (long long)bytes, (long long)a.peak);
        prune_observations_free(o);
        prune_context_free(context);
        ck_assert_int_eq(a.live, 0);
    }
    int64_t bytes = -7;
    FAILS(prune_observations_memory(PRUNE_OBSERVE_GRAM, 2, SHAPE(1, INT64_C(1) << 40), 0, &bytes), PRUNE_E_OVERFLOW,
          "63 bits");
    FAILS(prune_observations_memory(0, 2, SHAPE(1, 1), 0, &bytes), PRUNE_E_ARGUMENT, "needs is 0");
    FAILS(prune_observations_memory(1, 2, SHAPE(1, -1), 0, &bytes), PRUNE_E_SHAPE, "-1");
    FAILS(prune_observations_memory(1, 2, SHAPE(1, 1), -1, &bytes), PRUNE_E_ARGUMENT, "samples is -1");
    ck_assert_int_eq(bytes, -7);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_observations *o, *back;
    prune_tensor *blob, *copy, *batch = borrow(lecture_activations, PRUNE_F32, 4, SHAPE(2, 3, 4, 4));
    const int32_t kinds[] = {PRUNE_INPUTS, PRUNE_GRADIENTS, PRUNE_CURVATURES, PRUNE_ACTIVATIONS};
    SURVIVES(&a, &o, prune_observations_create(&o, context, ALL_NEEDS));
    for (int i = 0; i < 4; i++)
        for (int64_t failing = 0;; failing++) {
            a.fail_at = a.calls + failing;
            int32_t status = i == 1 || i == 3 ? prune_observations_feed_pair(o, kinds[i], batch, batch)
                                              : prune_observations_feed(o, kinds[i], batch);
            ck_assert_int_eq(prune_observations_count(o, kinds[i]) > 0, status == PRUNE_OK);
            if (status == PRUNE_OK)
                break;
            ck_assert_int_eq(status, PRUNE_E_NOMEM);
        }
    a.fail_at = -1;
    SURVIVES(&a, &copy, prune_observations_get(&copy, o, PRUNE_OBSERVED_GRAM));
    prune_tensor_free(copy);
    SURVIVES(&a, &blob, prune_observations_save(&blob, o));
    SURVIVES(&a, &back,
             prune_observations_load(&back, context, prune_tensor_const_data(blob), prune_tensor_count(blob)));
    prune_observations *none;
    OK(prune_observations_create(&none, context, ALL_NEEDS));
    int64_t live = a.live;
    for (int64_t failing = 0;; failing++) {
        a.fail_at = a.calls + failing;
        int32_t status = prune_observations_merge(none, back);
        if (status == PRUNE_OK)
            break;
        ck_assert_int_eq(status, PRUNE_E_NOMEM);
        ck_assert_int_eq(a.live, live);
        ck_assert_int_eq(prune_observations_count(none, PRUNE_INPUTS), 0);
    }
    a.fail_at = -1;
    expect_same_observations(none, o, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_ACTIVATION_GATES, 0);
    expect_same_kept(none, o);
    prune_observations_free(none), prune_observations_free(back), prune_observations_free(o);
    prune_tensor_free(blob), prune_tensor_free(batch);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

START_TEST(images_are_the_rows_of_their_convolution)
{
    enum { SAMPLES = 2, CHANNELS = 3, H = 5, W = 6 };
    const struct {
        int64_t kh, kw, stride, padding, dilation;
    } cases[] = {{1, 1, 1, 0, 1}, {3, 3, 1, 1, 1}, {2, 3, 2, 0, 1}, {3, 2, 1, 2, 2}, {5, 6, 1, 0, 1}};
    double *x = numbers(8, SAMPLES * CHANNELS * H * W, 0);
    prune_tensor *images = borrow(x, PRUNE_F64, 4, SHAPE(SAMPLES, CHANNELS, H, W));
    for (int c = 0; c < 5; c++) {
        int64_t kh = cases[c].kh, kw = cases[c].kw, s = cases[c].stride, p = cases[c].padding, d = cases[c].dilation;
        int64_t oh = (H + 2 * p - d * (kh - 1) - 1) / s + 1, ow = (W + 2 * p - d * (kw - 1) - 1) / s + 1;
        int64_t in = CHANNELS * kh * kw, rows = SAMPLES * oh * ow;
        double *columns = calloc((size_t)(rows * in), sizeof *columns);
        char spec[100];
        for (int64_t n = 0; n < rows * in; n++) {
            int64_t v = n % kw, u = n / kw % kh, channel = n / (kw * kh) % CHANNELS, row = n / in;
            int64_t i = row / ow % oh * s + u * d - p, j = row % ow * s + v * d - p;
            if (i >= 0 && i < H && j >= 0 && j < W)
                columns[n] = x[((row / (oh * ow) * CHANNELS + channel) * H + i) * W + j];
        }
        prune_observations *o = observe(NEEDS_OF_INPUTS), *due = observe(NEEDS_OF_INPUTS);
        snprintf(spec, sizeof spec, "stride=%d,padding=%d,dilation=%d", (int)s, (int)p, (int)d);
        OK(prune_observations_feed_images(o, images, kh, kw, spec));
        feed(due, PRUNE_INPUTS, columns, PRUNE_F64, 2, SHAPE(rows, in));
        expect_same_observations(o, due, PRUNE_OBSERVED_GRAM, PRUNE_OBSERVED_INPUT_MEANS, 0);
        prune_observations_free(o), prune_observations_free(due);
        free(columns);
    }
    prune_observations *o = observe(NEEDS_OF_INPUTS), *other = observe(PRUNE_OBSERVE_MOMENTS);
    prune_tensor *flat = borrow(x, PRUNE_F64, 3, SHAPE(CHANNELS, H, W));
    FAILS(prune_observations_feed_images(o, flat, 1, 1, NULL), PRUNE_E_SHAPE, "[3, 5, 6]");
    FAILS(prune_observations_feed_images(o, images, 6, 1, NULL), PRUNE_E_SHAPE, "smaller than the window of 6 x 1");
    FAILS(prune_observations_feed_images(o, images, 0, 1, NULL), PRUNE_E_SHAPE, "0 x 1");
    FAILS(prune_observations_feed_images(o, images, 1, 1, "stride=0"), PRUNE_E_SPEC, "stride");
    FAILS(prune_observations_feed_images(other, images, 1, 1, NULL), PRUNE_E_ARGUMENT, "inputs are not gathered");
    OK(prune_observations_feed_images(o, images, 1, 1, NULL));
    FAILS(prune_observations_feed_images(o, images, 3, 3, NULL), PRUNE_E_SHAPE, "[27]");
    ck_assert_int_eq(prune_observations_count(o, PRUNE_INPUTS), SAMPLES * H * W);
    x[7] = NAN;
    FAILS(prune_observations_feed_images(o, images, 1, 1, NULL), PRUNE_E_VALUE, "NaN");
    prune_observations_free(o), prune_observations_free(other);
    prune_tensor_free(images), prune_tensor_free(flat);
    free(x);
}
END_TEST

TEST_MAIN("observe", images_are_the_rows_of_their_convolution, norms_means_and_gram_are_those_of_the_definition,
          every_dtype_rank_and_view_of_inputs, batches_and_threads_do_not_change_a_bit, two_halves_merged_are_the_whole,
          merging_what_does_not_fit_is_refused, gradients_are_summed_squared_and_moved, the_last_gradients_are_kept,
          the_lecture_counts_11_12_and_14_zeros_of_32, minus_zero_and_small_activations_are_zeros,
          variances_of_numbers_far_from_zero, activations_with_their_gradients,
          saved_and_loaded_they_are_the_same_and_go_on, every_damage_to_what_was_saved_is_refused,
          numbers_that_are_not_are_refused, sizes_that_differ_are_refused, what_cannot_be_meant_is_refused,
          memory_is_what_was_said_before, every_allocation_may_fail)
