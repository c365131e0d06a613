/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What can be said of a mask and of weights under it, and the way between elements and units.
 */
#include "pruning.h"

static uint64_t state = 1;

static int64_t draw(int64_t bound)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((state >> 33) % (uint64_t)bound);
}

static prune_mask *mask_of(int32_t rank, const int64_t *shape, const char *bits)
{
    uint8_t bytes[512];
    int64_t n = 0;
    prune_mask *mask;
    for (const char *p = bits; *p; p++)
        if (*p == '0' || *p == '1')
            bytes[n++] = (uint8_t)(*p - '0');
    OK(prune_mask_from_bytes(&mask, NULL, rank, shape, bytes, n));
    return mask;
}

static uint64_t hash_of(prune_mask *mask)
{
    uint64_t hash = 0;
    OK(prune_mask_hash(mask, &hash));
    prune_mask_free(mask);
    return hash;
}

/* Numbers from the definition, worked out elsewhere; they must never change. */
START_TEST(hashes_are_the_same_everywhere)
{
    ck_assert(hash_of(mask_of(0, NULL, "1")) == 0x08328707b4eb6e3au);
    ck_assert(hash_of(mask_of(2, SHAPE(2, 5), "11001 01110")) == 0x41e99041da111fa6u);
    ck_assert(hash_of(mask_of(2, SHAPE(5, 2), "11001 01110")) == 0x3cc1d873c810d546u);
    ck_assert(hash_of(mask_of(1, SHAPE(0), "")) == 0x529a2cdc8ff533acu);
    char bits[131] = "";
    for (int i = 0; i < 130; i++)
        bits[i] = i % 3 ? '1' : '0';
    ck_assert(hash_of(mask_of(2, SHAPE(10, 13), bits)) == 0x16976fddab92a531u);
}
END_TEST

START_TEST(one_bit_changes_the_hash)
{
    uint64_t hashes[101];
    for (int i = 0; i <= 100; i++) {
        prune_mask *mask;
        OK(prune_mask_create(&mask, NULL, 1, SHAPE(100), 1));
        if (i < 100)
            OK(prune_mask_set(mask, i, 0));
        hashes[i] = hash_of(mask);
        for (int j = 0; j < i; j++)
            ck_assert(hashes[j] != hashes[i]);
    }
}
END_TEST

START_TEST(pruned_weights_are_plus_zero)
{
    const float w[] = {1, 0, 2, 0, -0.0f, 3, NAN, 0, 1e-45f, 5};
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 5)), *turned;
    const struct {
        const char *bits;
        int64_t violations, first;
    } cases[] = {
        {"10101 11011", 0, -1}, {"10100 11011", 1, 4}, /* -0.0 */
        {"10101 10011", 1, 6},                         /* NaN */
        {"10101 11001", 1, 8},                         /* a denormal */
        {"00000 00000", 7, 0},  {"11111 11111", 0, -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        prune_mask *mask = mask_of(2, SHAPE(2, 5), cases[i].bits);
        int64_t violations = 7, first = 7;
        OK(prune_mask_check(mask, weights, &violations, &first));
        ck_assert_msg(violations == cases[i].violations && first == cases[i].first, "%s: %lld, %lld", cases[i].bits,
                      (long long)violations, (long long)first);
        OK(prune_mask_check(mask, weights, NULL, NULL));
        prune_mask_free(mask);
    }
    OK(prune_tensor_permute(&turned, weights, (int32_t[]){1, 0}));
    prune_mask *mask = mask_of(2, SHAPE(5, 2), "11 11 11 01 11");
    int64_t violations, first;
    OK(prune_mask_check(mask, turned, &violations, &first));
    ck_assert(violations == 0 && first == -1);
    prune_mask_set(mask, 9, 0);
    prune_mask_set(mask, 4, 0);
    OK(prune_mask_check(mask, turned, &violations, &first));
    ck_assert(violations == 2 && first == 4);
    FAILS(prune_mask_check(mask, weights, &violations, &first), PRUNE_E_SHAPE, "[5, 2]");
    FAILS(prune_mask_check(NULL, weights, &violations, &first), PRUNE_E_ARGUMENT, "mask");
    FAILS(prune_mask_check(mask, NULL, &violations, &first), PRUNE_E_ARGUMENT, "weights");
    ck_assert(violations == 2 && first == 4);
    prune_mask_free(mask);
    prune_tensor_free(turned);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(patterns_that_hold)
{
    prune_mask *mask = mask_of(2, SHAPE(4, 8), "11001100 11001100 00110011 00110011");
    const char *due[] = {"nm:keep_n=2,group_m=4",          "nm:keep_n=4,group_m=8",
                         "nm:keep_n=2,group_m=4,axis=0",   "nm-transposable:keep_n=2,group_m=4",
                         "balanced:processing_elements=4", "balanced:processing_elements=32",
                         "bank-balanced:bank=16",          "bank-balanced:bank=32"};
    size_t found = 0;
    for (int32_t i = 0; i < prune_pattern_count(); i++) {
        int32_t holds = 7;
        int64_t violation = -7;
        prune_granularity *g = cut(prune_pattern_spec(i));
        ck_assert_str_eq(prune_granularity_spec(g), prune_pattern_spec(i));
        prune_granularity_free(g);
        OK(prune_pattern_check(i, mask, &holds, &violation));
        if (holds == 1) {
            ck_assert_msg(found < sizeof due / sizeof *due, "%s holds too", prune_pattern_spec(i));
            ck_assert_str_eq(prune_pattern_spec(i), due[found++]);
            ck_assert_int_eq(violation, -1);
        } else if (strcmp(prune_pattern_spec(i), "kernel") == 0 || strcmp(prune_pattern_spec(i), "pattern") == 0) {
            ck_assert(holds == -1 && violation == -1);
        } else {
            ck_assert(holds == 0 && violation >= 0);
        }
    }
    ck_assert_uint_eq(found, sizeof due / sizeof *due);
    int32_t holds = 7;
    FAILS(prune_pattern_check(-1, mask, &holds, NULL), PRUNE_E_ARGUMENT, "index is -1");
    FAILS(prune_pattern_check(prune_pattern_count(), mask, &holds, NULL), PRUNE_E_ARGUMENT, "index");
    FAILS(prune_pattern_check(0, NULL, &holds, NULL), PRUNE_E_ARGUMENT, "mask");
    ck_assert_int_eq(holds, 7);
    ck_assert_ptr_null(prune_pattern_spec(-1));
    ck_assert_ptr_null(prune_pattern_spec(prune_pattern_count()));
    OK(prune_pattern_check(0, mask, NULL, NULL));
    prune_mask_free(mask);
}
END_TEST

START_TEST(channels_that_an_element_mask_already_empties)
{
    /* OIHW 2 x 3 x 1 x 2: input channel 1 is empty, channel 0 whole, channel 2 in part. */
    prune_mask *mask = mask_of(4, SHAPE(2, 3, 1, 2), "11 00 10 11 00 01"), *lifted;
    prune_granularity *g = cut("in-channel");
    uint8_t units[3] = {9, 9, 9};
    OK(prune_granularity_lift(&lifted, g, mask, units, 3));
    ck_assert(units[0] == 1 && units[1] == 0 && units[2] == 2);
    expect_check("in-channel", lifted, 1, -1);
    expect_mask(lifted, "11 00 11 11 00 11");
    OK(prune_granularity_lift(NULL, g, mask, units, 3));
    OK(prune_granularity_lift(&lifted, g, mask, NULL, 0));
    expect_mask(lifted, "11 00 11 11 00 11");
    OK(prune_granularity_lower(&lifted, g, 4, SHAPE(2, 3, 1, 2), units, 3));
    expect_mask(lifted, "11 00 11 11 00 11");
    lifted = UNTOUCHED;
    FAILS(prune_granularity_lift(&lifted, g, mask, units, 2), PRUNE_E_SHAPE, "2 bytes for 3 units");
    FAILS(prune_granularity_lift(&lifted, g, mask, NULL, 3), PRUNE_E_ARGUMENT, "units");
    FAILS(prune_granularity_lift(&lifted, NULL, mask, units, 3), PRUNE_E_ARGUMENT, "granularity");
    FAILS(prune_granularity_lift(&lifted, g, NULL, units, 3), PRUNE_E_ARGUMENT, "mask");
    FAILS(prune_granularity_lower(&lifted, g, 4, SHAPE(2, 3, 1, 2), units, 6), PRUNE_E_SHAPE, "6 bytes");
    FAILS(prune_granularity_lower(&lifted, g, 1, SHAPE(12), units, 3), PRUNE_E_SHAPE, "rank 2");
    FAILS(prune_granularity_lower(NULL, g, 4, SHAPE(2, 3, 1, 2), units, 3), PRUNE_E_ARGUMENT, "out");
    ck_assert_ptr_eq(lifted, UNTOUCHED);
    prune_granularity_free(g);
    prune_mask_free(mask);
}
END_TEST

START_TEST(lifting_and_lowering_are_inverse_on_units)
{
    const char *specs[] = {"element",
                           "filter",
                           "kernel",
                           "block:block=2x5",
                           "vector:vector=2,axis=3",
                           "nm:keep_n=1,group_m=2,unit_rows=3",
                           "in-channel"};
    for (int trial = 0; trial < 400; trial++) {
        int64_t shape[4] = {1 + draw(5), 1 + draw(5), 1 + draw(4), 1 + draw(4)}, count;
        prune_granularity *g = cut(specs[draw(7)]);
        uint8_t units[500], again[500];
        prune_mask *mask, *lifted;
        OK(prune_granularity_count(g, 4, shape, &count, NULL, NULL));
        for (int64_t i = 0; i < count; i++)
            units[i] = (uint8_t)draw(2);
        OK(prune_granularity_lower(&mask, g, 4, shape, units, count));
        OK(prune_granularity_lift(&lifted, g, mask, again, count));
        ck_assert_mem_eq(units, again, (size_t)count);
        expect_same(mask, lifted);
        prune_mask_free(lifted);
        prune_mask_free(mask);
        prune_granularity_free(g);
    }
}
END_TEST

/* || dW X' || of every output and in all, in long sums of the real thing. */
static double true_change(const double *dw, const double *x, int64_t out, int64_t in, int64_t samples, double *rows)
{
    double all = 0;
    for (int64_t o = 0; o < out; o++) {
        double sum = 0;
        for (int64_t s = 0; s < samples; s++) {
            double y = 0;
            for (int64_t i = 0; i < in; i++)
                y += dw[o * in + i] * x[s * in + i];
            sum += y * y;
        }
        rows[o] = sqrt(sum);
        all += sum;
    }
    return sqrt(all);
}

START_TEST(the_bound_is_never_below_the_change)
{
    enum { MOST = 12 };
    for (int trial = 0; trial < 2000; trial++) {
        int64_t out = 1 + draw(4), in = 1 + draw(MOST), samples = 1 + draw(9);
        double w[4 * MOST], dw[4 * MOST], x[9 * MOST], norms[MOST] = {0}, rows[4], due[4], bound;
        uint8_t keep[4 * MOST];
        for (int64_t i = 0; i < out * in; i++) {
            w[i] = (double)(draw(2001) - 1000) / 997;
            keep[i] = (uint8_t)draw(2);
            dw[i] = keep[i] ? 0 : w[i];
        }
        for (int64_t i = 0; i < samples * in; i++) {
            x[i] = trial % 4 ? (double)(draw(2001) - 1000) / 991 : 1; /* all columns equal: the bound is reached */
            norms[i % in] += x[i] * x[i];
        }
        for (int64_t i = 0; i < in; i++)
            norms[i] = sqrt(norms[i]);
        prune_mask *mask;
        prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(out, in)), *n = borrow(norms, PRUNE_F64, 1, SHAPE(in));
        OK(prune_mask_from_bytes(&mask, NULL, 2, SHAPE(out, in), keep, out * in));
        OK(prune_mask_error_bound(mask, weights, n, rows, out, &bound));
        double all = true_change(dw, x, out, in, samples, due);
        ck_assert_msg(bound >= all * (1 - 1e-15), "%.17g below %.17g", bound, all);
        for (int64_t o = 0; o < out; o++) {
            double sum = 0;
            for (int64_t i = 0; i < in; i++)
                sum += fabs(dw[o * in + i]) * norms[i];
            ck_assert_msg(rows[o] >= due[o] * (1 - 1e-15), "row %d: %.17g below %.17g", (int)o, rows[o], due[o]);
            ck_assert_double_eq_tol(rows[o], sum, 1e-13 * (sum + 1));
        }
        prune_tensor_free(n);
        prune_tensor_free(weights);
        prune_mask_free(mask);
    }
}
END_TEST

START_TEST(the_bound_of_a_small_layer)
{
    /* pruned: 3 and -4 with norms 2 and 1, row 0: 10; row 1 nothing */
    const float w[] = {3, 1, -4, 5, 6, 7}, after[] = {0, 2, 0, 5, 6, 7};
    const float norms[] = {2, 0.5f, 1};
    double rows[2] = {7, 7}, bound = 7;
    prune_mask *mask = mask_of(2, SHAPE(2, 3), "010 111");
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 3)), *n = borrow(norms, PRUNE_F32, 1, SHAPE(3));
    prune_tensor *repaired = borrow(after, PRUNE_F32, 2, SHAPE(2, 3));
    OK(prune_mask_error_bound(mask, weights, n, rows, 2, &bound));
    ck_assert_double_eq_tol(rows[0], 10, 1e-12);
    ck_assert(rows[0] >= 10 && rows[1] == 0 && bound >= 10 && bound < 10 + 1e-12);
    OK(prune_weights_error_bound(weights, repaired, n, rows, 2, NULL));
    ck_assert_double_eq_tol(rows[0], 10.5, 1e-12);
    OK(prune_weights_error_bound(weights, repaired, n, NULL, 0, &bound));
    ck_assert_double_eq_tol(bound, 10.5, 1e-12);
    OK(prune_weights_error_bound(weights, weights, n, NULL, 0, &bound));
    ck_assert(bound == 0);
    prune_tensor_free(repaired);
    prune_tensor_free(n);
    prune_tensor_free(weights);
    prune_mask_free(mask);
}
END_TEST

START_TEST(the_bound_of_a_convolution)
{
    const float w[] = {1, 2, 3, 4, 5, 6, 7, 8}; /* 1 x 2 x 2 x 2 */
    const double by_channel[] = {1, 10}, by_column[] = {1, 1, 1, 1, 10, 10, 10, 10};
    double a, b;
    prune_mask *mask = mask_of(4, SHAPE(1, 2, 2, 2), "01101001");
    prune_tensor *weights = borrow(w, PRUNE_F32, 4, SHAPE(1, 2, 2, 2)), *turned, *copy, *back;
    prune_tensor *c = borrow(by_channel, PRUNE_F64, 1, SHAPE(2)), *all = borrow(by_column, PRUNE_F64, 1, SHAPE(8));
    OK(prune_mask_error_bound(mask, weights, c, NULL, 0, &a));
    OK(prune_mask_error_bound(mask, weights, all, NULL, 0, &b));
    ck_assert(a == b);
    ck_assert_double_eq_tol(a, 1 + 4 + 60 + 70, 1e-11);
    OK(prune_tensor_permute(&turned, weights, (int32_t[]){3, 1, 2, 0}));
    OK(prune_tensor_convert(&copy, turned, PRUNE_F32));
    OK(prune_tensor_permute(&back, copy, (int32_t[]){3, 1, 2, 0})); /* the same values, other strides */
    OK(prune_weights_error_bound(weights, back, c, NULL, 0, &b));
    ck_assert(b == 0);
    OK(prune_mask_error_bound(mask, back, c, NULL, 0, &b));
    ck_assert(a == b);
    prune_tensor_free(back);
    prune_tensor_free(copy);
    prune_tensor_free(turned);
    prune_tensor_free(all);
    prune_tensor_free(c);
    prune_tensor_free(weights);
    prune_mask_free(mask);
}
END_TEST

START_TEST(bounds_that_cannot_be)
{
    float w[] = {1, 2, 3, 4, 5, 6}, bad[] = {1, NAN, 3, 4, 5, 6};
    const double norms[] = {1, 2, 3, 4}, negative[] = {1, -2, 3}, nan[] = {1, NAN, 3};
    double rows[3] = {7, 7, 7}, bound = 7;
    prune_mask *mask = mask_of(2, SHAPE(2, 3), "010 111");
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 3)), *broken = borrow(bad, PRUNE_F32, 2, SHAPE(2, 3));
    prune_tensor *three = borrow(norms, PRUNE_F64, 1, SHAPE(3)), *four = borrow(norms, PRUNE_F64, 1, SHAPE(4));
    prune_tensor *below = borrow(negative, PRUNE_F64, 1, SHAPE(3)), *none = borrow(nan, PRUNE_F64, 1, SHAPE(3));
    prune_tensor *flat = borrow(w, PRUNE_F32, 1, SHAPE(6)), *whole = borrow(w, PRUNE_I32, 2, SHAPE(2, 3));
    FAILS(prune_mask_error_bound(mask, weights, four, rows, 2, &bound), PRUNE_E_SHAPE, "4 input norms");
    FAILS(prune_mask_error_bound(mask, flat, three, rows, 2, &bound), PRUNE_E_SHAPE, "[6]");
    FAILS(prune_weights_error_bound(flat, flat, three, rows, 2, &bound), PRUNE_E_SHAPE, "rank 1");
    FAILS(prune_weights_error_bound(flat, weights, three, rows, 2, &bound), PRUNE_E_SHAPE, "[2, 3] after");
    FAILS(prune_mask_error_bound(mask, weights, three, rows, 3, &bound), PRUNE_E_SHAPE, "3 rows");
    FAILS(prune_mask_error_bound(mask, weights, three, NULL, 2, &bound), PRUNE_E_ARGUMENT, "rows");
    FAILS(prune_mask_error_bound(mask, weights, below, rows, 2, &bound), PRUNE_E_VALUE, "norm 1 is negative");
    FAILS(prune_mask_error_bound(mask, weights, none, rows, 2, &bound), PRUNE_E_VALUE, "norm 1 is NaN");
    FAILS(prune_mask_error_bound(mask, broken, three, rows, 2, &bound), PRUNE_E_VALUE, "(0, 1)");
    FAILS(prune_weights_error_bound(weights, broken, three, rows, 2, &bound), PRUNE_E_VALUE, "(0, 1)");
    FAILS(prune_mask_error_bound(mask, whole, three, rows, 2, &bound), PRUNE_E_DTYPE, "i32");
    FAILS(prune_weights_error_bound(weights, whole, three, rows, 2, &bound), PRUNE_E_DTYPE, "i32");
    FAILS(prune_weights_error_bound(weights, weights, whole, rows, 2, &bound), PRUNE_E_DTYPE, "i32");
    FAILS(prune_mask_error_bound(NULL, weights, three, rows, 2, &bound), PRUNE_E_ARGUMENT, "mask");
    FAILS(prune_mask_error_bound(mask, weights, NULL, rows, 2, &bound), PRUNE_E_ARGUMENT, "input_norms");
    FAILS(prune_weights_error_bound(NULL, weights, three, rows, 2, &bound), PRUNE_E_ARGUMENT, "before");
    FAILS(prune_weights_error_bound(weights, NULL, three, rows, 2, &bound), PRUNE_E_ARGUMENT, "after");
    ck_assert(bound == 7 && rows[0] == 7 && rows[1] == 7 && rows[2] == 7);
    w[0] = INFINITY;
    OK(prune_mask_error_bound(mask, weights, three, rows, 2, &bound)); /* 0 is pruned */
    ck_assert(isinf(rows[0]) && isinf(bound) && rows[1] == 0);
    prune_tensor_free(whole);
    prune_tensor_free(flat);
    prune_tensor_free(none);
    prune_tensor_free(below);
    prune_tensor_free(four);
    prune_tensor_free(three);
    prune_tensor_free(broken);
    prune_tensor_free(weights);
    prune_mask_free(mask);
}
END_TEST

TEST_MAIN("check", hashes_are_the_same_everywhere, one_bit_changes_the_hash, pruned_weights_are_plus_zero,
          patterns_that_hold, channels_that_an_element_mask_already_empties, lifting_and_lowering_are_inverse_on_units,
          the_bound_is_never_below_the_change, the_bound_of_a_small_layer, the_bound_of_a_convolution,
          bounds_that_cannot_be)
