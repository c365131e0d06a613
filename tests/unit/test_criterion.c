/* SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>

#include "core/criterion/criterion.h"
#include "pruning.h"

static double score_at(const prune_scores *scores, int64_t unit)
{
    const prune_tensor *values = prune_scores_values(scores);
    ck_assert_int_eq(prune_tensor_dtype(values), PRUNE_F64);
    ck_assert_int_lt(unit, prune_tensor_count(values));
    return ((const double *)prune_tensor_const_data(values))[unit];
}

/* The scores of an f64 tensor, each within `tolerance` of what is due, relatively; 0 for the same value. */
static void expect_scores(const double *w, int32_t rank, const int64_t *shape, const char *criterion,
                          const char *granularity, int64_t units, const double *due, double tolerance)
{
    prune_tensor *weights = borrow(w, PRUNE_F64, rank, shape);
    prune_scores *scores = score(weights, criterion, granularity);
    ck_assert_int_eq(prune_tensor_count(prune_scores_values(scores)), units);
    for (int64_t i = 0; i < units; i++) {
        double got = score_at(scores, i);
        ck_assert_msg(got == due[i] || fabs(got - due[i]) <= tolerance * fabs(due[i]),
                      "%s of %s unit %lld is %.17g, not %.17g", criterion, granularity, (long long)i, got, due[i]);
    }
    prune_scores_free(scores);
    prune_tensor_free(weights);
}

#define DUE(...) ((const double[]){__VA_ARGS__})

START_TEST(the_lecture_matrix_by_row)
{
    const double w[] = {3, -2, 1, -5};
    expect_scores(w, 2, SHAPE(2, 2), "l1", "row", 2, DUE(5, 6), 0);
    expect_scores(w, 2, SHAPE(2, 2), "l2", "row", 2, DUE(sqrt(13), sqrt(26)), 0);
    expect_scores(w, 2, SHAPE(2, 2), "l1", "column", 2, DUE(4, 7), 0);
    expect_scores(w, 2, SHAPE(2, 2), "scores", "column", 2, DUE(4, -7), 0);
    expect_scores(w, 2, SHAPE(2, 2), "lp:p=1", "row", 2, DUE(5, 6), 0);
    expect_scores(w, 2, SHAPE(2, 2), "lp:p=2", "row", 2, DUE(sqrt(13), sqrt(26)), 0);
    expect_scores(w, 2, SHAPE(2, 2), "lp:p=3", "row", 2, DUE(cbrt(35), cbrt(126)), 1e-15);
    expect_scores(w, 2, SHAPE(2, 2), "lp:p=0.5", "row", 2, DUE(pow(sqrt(3) + sqrt(2), 2), pow(1 + sqrt(5), 2)), 1e-15);
    expect_scores(w, 2, SHAPE(2, 2), "lp:p=1000", "row", 2, DUE(3, 5), 1e-14);
}
END_TEST

START_TEST(torch_tests_channel_norms)
{
    const double w[] = {1, 2, 1, 2.5, .5, 1, .1, .1, -3, -5, .1, -1};
    expect_scores(w, 4, SHAPE(1, 3, 2, 2), "l2", "column", 3, DUE(sqrt(12.25), sqrt(1.27), sqrt(35.01)), 1e-15);
    const double v[] = {2, -1, -3, 2, 5, -2, -1, -3};
    expect_scores(v, 4, SHAPE(2, 2, 1, 2), "l2", "filter", 2, DUE(sqrt(18), sqrt(39)), 0);
}
END_TEST

START_TEST(single_elements_are_exact)
{
    const double w[] = {0.1, -0.0, 5e-324, -DBL_MAX, 1.0 / 3, -INFINITY};
    const double due[] = {0.1, 0, 5e-324, DBL_MAX, 1.0 / 3, INFINITY};
    const char *norms[] = {"l1", "l2", "lp:p=0.1", "lp:p=3", "lp:p=1000"};
    for (int i = 0; i < 5; i++) {
        expect_scores(w, 1, SHAPE(6), norms[i], "element", 6, due, 0);
        expect_scores(w, 2, SHAPE(6, 1), norms[i], "filter", 6, due, 0);
    }
    expect_scores(w, 1, SHAPE(6), "scores", "element", 6, w, 0);
}
END_TEST

START_TEST(norms_neither_overflow_nor_lose_small_units)
{
    const double huge[] = {3e300, 4e300, 3e-300, 4e-300, 1.5e-323, 2e-323, 0, -0.0};
    expect_scores(huge, 2, SHAPE(4, 2), "l2", "row", 4, DUE(5e300, 5e-300, 2.5e-323, 0), 1e-15);
    expect_scores(huge, 2, SHAPE(4, 2), "lp:p=2", "row", 4, DUE(5e300, 5e-300, 2.5e-323, 0), 1e-15);
    expect_scores(huge, 2, SHAPE(4, 2), "lp:p=300", "row", 4, DUE(4e300, 4e-300, 2e-323, 0), 1e-15);
    expect_scores(huge, 2, SHAPE(4, 2), "lp:p=0.1", "column", 2, DUE(3e300, 4e300), 1e-13);
    float small[2] = {3 * FLT_TRUE_MIN, 4 * FLT_TRUE_MIN};
    prune_tensor *weights = borrow(small, PRUNE_F32, 2, SHAPE(1, 2));
    prune_scores *scores = score(weights, "l2", "row");
    ck_assert_double_eq(score_at(scores, 0), 5 * (double)FLT_TRUE_MIN);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(infinities_are_infinite)
{
    const double w[] = {INFINITY, 1, -INFINITY, INFINITY, 1, 2};
    const char *norms[] = {"l1", "l2", "lp:p=0.1", "lp:p=2.5"};
    for (int i = 0; i < 3; i++)
        expect_scores(w, 2, SHAPE(3, 2), norms[i], "column", 2, DUE(INFINITY, INFINITY), 0);
    for (int i = 0; i < 4; i++)
        expect_scores(w, 2, SHAPE(2, 2), norms[i], "row", 2, DUE(INFINITY, INFINITY), 0);
    expect_scores(w, 2, SHAPE(3, 1), "scores", "row", 3, w, 0);
}
END_TEST

START_TEST(both_infinities_in_one_sum_are_refused)
{
    const double w[] = {1, 2, INFINITY, -INFINITY};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 2));
    prune_granularity *g = cut("row");
    prune_criterion *c;
    prune_scores *scores = UNTOUCHED;
    OK(prune_criterion_create(&c, NULL, "scores"));
    FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_VALUE, "unit 1");
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(units_at_the_edge_are_scored_over_what_they_have)
{
    const double w[] = {1, 2, 3, 10, 20, 30, 100, 200, 300};
    expect_scores(w, 2, SHAPE(3, 3), "l1", "nm:keep_n=1,group_m=2,unit_rows=2", 6, DUE(11, 22, 33, 100, 200, 300), 0);
    expect_scores(w, 2, SHAPE(3, 3), "l1", "nm:keep_n=1,group_m=2,axis=0,unit_rows=2", 6, DUE(3, 3, 30, 30, 300, 300),
                  0);
}
END_TEST

START_TEST(sums_run_in_row_major_order)
{
    /* In any other order these give another double. */
    const double w[] = {1e16, 1, -1e16, 1, 1, 1e16, 1, -1e16};
    expect_scores(w, 2, SHAPE(2, 4), "scores", "filter", 2, DUE(((1e16 + 1) - 1e16) + 1, ((1 + 1e16) + 1) - 1e16), 0);
    expect_scores(w, 2, SHAPE(4, 2), "scores", "column", 2, DUE(((1e16 - 1e16) + 1) + 1, ((1. + 1) + 1e16) - 1e16), 0);
    expect_scores(w, 3, SHAPE(2, 2, 2), "scores", "column", 2, DUE(((1e16 + 1) + 1) + 1e16, ((-1e16 + 1) + 1) - 1e16),
                  0);
}
END_TEST

START_TEST(random_goes_by_unit_number_and_seed)
{
    double w[200] = {0};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(100, 2)), *few = borrow(w, PRUNE_F64, 1, SHAPE(50));
    prune_scores *a = score(weights, "random:seed=7", "row"), *b = score(few, "random:seed=7", "element"),
                 *other = score(weights, "random:seed=8", "row");
    double mean = 0;
    for (int64_t i = 0; i < 100; i++) {
        double x = score_at(a, i);
        ck_assert(x >= 0 && x < 1);
        ck_assert(x != score_at(other, i));
        ck_assert(i >= 50 || x == score_at(b, i));
        mean += x / 100;
    }
    ck_assert(fabs(mean - 0.5) < 0.1);
    prune_scores_free(a);
    prune_scores_free(b);
    prune_scores_free(other);
    prune_tensor_free(weights);
    prune_tensor_free(few);
}
END_TEST

START_TEST(every_dtype_and_view_gives_the_same_scores)
{
    const float w[6] = {1.5f, -2, 0.25f, 3, -0.5f, 8};
    const int32_t dtypes[] = {PRUNE_F16, PRUNE_BF16, PRUNE_F64, PRUNE_F32};
    const int32_t order[] = {1, 0};
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 3));
    for (int i = 0; i < 4; i++) {
        prune_tensor *converted, *turned, *flipped;
        OK(prune_tensor_convert(&converted, weights, dtypes[i]));
        OK(prune_tensor_permute(&turned, converted, order));
        OK(prune_tensor_slice(&flipped, turned, 0, 2, 3, -1));
        prune_scores *rows = score(converted, "l1", "row"), *columns = score(turned, "l1", "column"),
                     *back = score(flipped, "l1", "row");
        for (int64_t j = 0; j < 2; j++)
            ck_assert(score_at(rows, j) == (j ? 11.5 : 3.75) && score_at(columns, j) == score_at(rows, j));
        ck_assert(score_at(back, 0) == 8.25 && score_at(back, 1) == 2.5 && score_at(back, 2) == 4.5);
        prune_scores_free(rows);
        prune_scores_free(columns);
        prune_scores_free(back);
        prune_tensor_free(flipped);
        prune_tensor_free(turned);
        prune_tensor_free(converted);
    }
    prune_tensor_free(weights);
}
END_TEST

/* NaN, quiet or signalling, is refused by every criterion, with the position of the first. */
START_TEST(nan_among_weights)
{
    const char *criteria[] = {"l1", "l2", "lp:p=1.5", "random", "scores", "linf", "lamp", "fpgm"};
    const char *granularities[] = {"element", "row", "column", "nm:keep_n=2,group_m=4"};
    const uint32_t nans[] = {0x7fc00000u, 0x7f800001u, 0xffc00001u};
    for (int i = 0; i < 96; i++) {
        float w[12] = {0, 1, 2, 3, 4, 5, 6, INFINITY, 8, 9, 10, 11};
        memcpy(&w[6], &nans[i % 3], 4);
        memcpy(&w[9], &nans[0], 4);
        prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(3, 4));
        prune_granularity *g = cut(granularities[i / 3 % 4]);
        prune_criterion *c;
        prune_scores *scores = UNTOUCHED;
        OK(prune_criterion_create(&c, NULL, criteria[i / 12]));
        FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_VALUE, "weight 6, at (1, 2), is NaN");
        ck_assert_ptr_eq(scores, UNTOUCHED);
        prune_criterion_free(c);
        prune_granularity_free(g);
        prune_tensor_free(weights);
    }
}
END_TEST

START_TEST(only_floats_are_weights)
{
    const int32_t dtypes[] = {PRUNE_U8, PRUNE_BOOL, PRUNE_I32, PRUNE_I64};
    prune_granularity *g = cut("element");
    prune_criterion *c;
    OK(prune_criterion_create(&c, NULL, "l1"));
    for (int i = 0; i < 4; i++) {
        prune_tensor *weights;
        prune_scores *scores = UNTOUCHED;
        OK(prune_tensor_create(&weights, NULL, dtypes[i], 1, SHAPE(4)));
        FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_DTYPE, prune_dtype_name(dtypes[i]));
        ck_assert_ptr_eq(scores, UNTOUCHED);
        prune_tensor_free(weights);
    }
    prune_criterion_free(c);
    prune_granularity_free(g);
}
END_TEST

START_TEST(a_granularity_that_does_not_fit)
{
    const float w[4] = {1, 2, 3, 4};
    prune_tensor *weights = borrow(w, PRUNE_F32, 1, SHAPE(4));
    prune_granularity *g = cut("nm:keep_n=2,group_m=4");
    prune_criterion *c;
    prune_scores *scores = UNTOUCHED;
    OK(prune_criterion_create(&c, NULL, "l1"));
    FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_SHAPE, "axis=1");
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(specs)
{
    const char *good[][2] = {{"l1", "l1"},
                             {"l2", "l2"},
                             {"lp:p=1.50", "lp:p=1.5"},
                             {"lp:p=0.1", "lp:p=0.1"},
                             {"random", "random"},
                             {"random:seed=0", "random"},
                             {"random:seed=-0", "random"},
                             {"random:seed=9007199254740992", "random:seed=9007199254740992"},
                             {"scores", "scores"}};
    const char *bad[][2] = {{"", "l1, l2, lp, linf, lamp, fpgm, "},
                            {"L1", "\"L1\""},
                            {"lp", "p"},
                            {"lp:", "colon"},
                            {"lp:p", "no value"},
                            {"lp:p=", "no value"},
                            {"lp:p=0", "range"},
                            {"lp:p=-1", "range"},
                            {"lp:p=1e9", "range"},
                            {"lp:p=nan", "nan"},
                            {"lp:p=inf", "inf"},
                            {"lp:p=1,5", "5"},
                            {"lp:q=1", "unknown key"},
                            {"l1:p=1", "aggregate, normalize"},
                            {"random:seed=-1", "range"},
                            {"random:seed=1.5", "whole number"},
                            {"random:seed=0x10", "0x10"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        prune_criterion *c;
        OK(prune_criterion_create(&c, NULL, good[i][0]));
        ck_assert_str_eq(prune_criterion_spec(c), good[i][1]);
        prune_criterion_free(c);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        prune_criterion *c = UNTOUCHED;
        FAILS(prune_criterion_create(&c, NULL, bad[i][0]), PRUNE_E_SPEC, bad[i][1]);
        ck_assert_ptr_eq(c, UNTOUCHED);
    }
}
END_TEST

START_TEST(the_callers_own_scores)
{
    const float v[] = {3, 1, 2, -0.0f, INFINITY, -INFINITY};
    const int32_t order[] = {1, 0};
    prune_granularity *g = cut("element");
    prune_tensor *values = borrow(v, PRUNE_F32, 2, SHAPE(2, 3)), *turned;
    prune_scores *scores;
    OK(prune_scores_create(&scores, g, 1, SHAPE(6), values)); /* any shape of as many elements */
    for (int64_t i = 0; i < 6; i++)
        ck_assert_double_eq(score_at(scores, i), (double)v[i]);
    ck_assert_int_eq(prune_tensor_rank(prune_scores_values(scores)), 1);
    prune_scores_free(scores);
    OK(prune_tensor_permute(&turned, values, order));
    OK(prune_scores_create(&scores, g, 2, SHAPE(3, 2), turned));
    for (int64_t i = 0; i < 6; i++)
        ck_assert_double_eq(score_at(scores, i), (double)v[i % 2 * 3 + i / 2]);
    prune_tensor_free(turned);
    prune_tensor_free(values);
    prune_granularity_free(g);
    ck_assert_double_eq(score_at(scores, 1), -0.0); /* the scores are a copy */
    prune_scores_free(scores);
}
END_TEST

START_TEST(scores_that_do_not_fit)
{
    const double v[] = {3, 1, NAN, 4};
    prune_granularity *g = cut("row");
    prune_tensor *values = borrow(v, PRUNE_F64, 1, SHAPE(4)), *half;
    prune_scores *scores = UNTOUCHED;
    FAILS(prune_scores_create(&scores, g, 2, SHAPE(4, 9), values), PRUNE_E_VALUE, "2");
    FAILS(prune_scores_create(&scores, g, 2, SHAPE(3, 4), values), PRUNE_E_SHAPE, "3 units");
    FAILS(prune_scores_create(&scores, g, 1, SHAPE(4), values), PRUNE_E_SHAPE, "rank 2");
    FAILS(prune_scores_create(&scores, g, 2, SHAPE(4, -1), values), PRUNE_E_SHAPE, "-1");
    FAILS(prune_scores_create(&scores, g, 2, NULL, values), PRUNE_E_ARGUMENT, "shape");
    OK(prune_tensor_create(&half, NULL, PRUNE_F16, 1, SHAPE(4)));
    FAILS(prune_scores_create(&scores, g, 2, SHAPE(4, 9), half), PRUNE_E_DTYPE, "f16");
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_tensor_free(half);
    prune_tensor_free(values);
    prune_granularity_free(g);
}
END_TEST

START_TEST(null_pointers)
{
    const float w[] = {1, 2};
    prune_tensor *weights = borrow(w, PRUNE_F32, 1, SHAPE(2));
    prune_granularity *g = cut("element");
    prune_criterion *c = UNTOUCHED;
    prune_scores *scores = UNTOUCHED;
    FAILS(prune_criterion_create(NULL, NULL, "l1"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_criterion_create(&c, NULL, NULL), PRUNE_E_ARGUMENT, "spec");
    ck_assert_ptr_eq(c, UNTOUCHED);
    OK(prune_criterion_create(&c, NULL, "l1"));
    FAILS(prune_criterion_score(NULL, c, weights, NULL, g), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_criterion_score(&scores, NULL, weights, NULL, g), PRUNE_E_ARGUMENT, "criterion");
    FAILS(prune_criterion_score(&scores, c, NULL, NULL, g), PRUNE_E_ARGUMENT, "weights");
    FAILS(prune_criterion_score(&scores, c, weights, NULL, NULL), PRUNE_E_ARGUMENT, "granularity");
    FAILS(prune_scores_create(NULL, g, 1, SHAPE(2), weights), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_scores_create(&scores, NULL, 1, SHAPE(2), weights), PRUNE_E_ARGUMENT, "granularity");
    FAILS(prune_scores_create(&scores, g, 1, SHAPE(2), NULL), PRUNE_E_ARGUMENT, "values");
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
    prune_criterion_free(NULL);
    prune_scores_free(NULL);
}
END_TEST

/* Sums of units that lie across the work of several threads have the same bits. */
START_TEST(any_number_of_threads_gives_the_same_bits)
{
    const char *granularities[] = {"row", "column", "element", "nm:keep_n=2,group_m=4,unit_rows=3"};
    const char *criteria[] = {"l1", "l2", "lp:p=1.5", "random:seed=3"};
    const int32_t threads[] = {1, 2, 3, 7};
    const int64_t rows = 701, columns = 997;
    double *w = malloc((size_t)(rows * columns) * sizeof *w);
    uint64_t state = 1;
    for (int64_t i = 0; i < rows * columns; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        w[i] = (double)(int64_t)state * 0x1p-60;
    }
    for (int i = 0; i < 16; i++) {
        prune_scores *first = NULL;
        for (int t = 0; t < 4; t++) {
            prune_context *context;
            prune_tensor *weights;
            prune_criterion *c;
            prune_granularity *g;
            prune_scores *scores;
            OK(prune_context_create(&context));
            OK(prune_context_set_threads(context, threads[t]));
            OK(prune_tensor_borrow(&weights, context, w, PRUNE_F64, 2, SHAPE(rows, columns), NULL));
            OK(prune_criterion_create(&c, context, criteria[i / 4]));
            OK(prune_granularity_create(&g, context, granularities[i % 4]));
            prune_context_free(context);
            OK(prune_criterion_score(&scores, c, weights, NULL, g));
            const prune_tensor *values = prune_scores_values(scores);
            if (first)
                ck_assert_mem_eq(prune_tensor_const_data(values), prune_tensor_const_data(prune_scores_values(first)),
                                 (size_t)prune_tensor_count(values) * sizeof(double));
            prune_criterion_free(c);
            prune_granularity_free(g);
            prune_tensor_free(weights);
            if (first)
                prune_scores_free(scores);
            else
                first = scores;
        }
        prune_scores_free(first);
    }
    free(w);
}
END_TEST

START_TEST(the_first_nan_is_named_for_any_number_of_threads)
{
    const int64_t count = 1000000;
    float *w = calloc((size_t)count, sizeof *w);
    w[999999] = w[700001] = NAN;
    for (int32_t threads = 1; threads <= 3; threads++) {
        prune_context *context;
        prune_tensor *weights;
        prune_criterion *c;
        prune_granularity *g = cut("column");
        prune_scores *scores = UNTOUCHED;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, threads));
        OK(prune_tensor_borrow(&weights, context, w, PRUNE_F32, 2, SHAPE(1000, 1000), NULL));
        OK(prune_criterion_create(&c, NULL, "l2"));
        FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_VALUE, "weight 700001, at (700, 1)");
        ck_assert_ptr_eq(scores, UNTOUCHED);
        prune_criterion_free(c);
        prune_granularity_free(g);
        prune_tensor_free(weights);
        prune_context_free(context);
    }
    free(w);
}
END_TEST

START_TEST(powers_are_within_two_units_in_the_last_place)
{
    const double p[] = {0.1, 0.3, 0.5, 0.7, 1.5, 1.7, 2.5, 3, 4, 7, 10};
    uint64_t random = 1;
    for (int64_t i = 0; i < 200000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        double x = ldexp((double)(random >> 11), -53 - (int)(random % 61)), y = ldexp(x, (int)(random % 97));
        double q = p[i % 11];
        long double power = powl(x, q), root = powl(y, 1.0L / q);
        if (x == 0 || power < DBL_MIN)
            continue;
        if (fabsl(pr_power(x, q) - power) > 2 * DBL_EPSILON * power)
            ck_abort_msg("%a^%g is %a", x, q, pr_power(x, q));
        if (root < DBL_MAX && fabsl(pr_root(y, q) - root) > 2 * DBL_EPSILON * root)
            ck_abort_msg("%a^(1/%g) is %a", y, q, pr_root(y, q));
    }
}
END_TEST

/* The same on every machine. */
START_TEST(powers_have_these_bits)
{
    ck_assert_double_eq(pr_power(0.7, 1.5), 0x1.2bdbe460916ep-1);
    ck_assert_double_eq(pr_power(0x1.23456789abcdep-20, 0.3), 0x1.0a1b8883e3bccp-6);
    ck_assert_double_eq(pr_root(12345.678, 2.5), 0x1.5a7e83ad0eda2p+5);
    ck_assert_double_eq(pr_power(1, 7.3), 1);
    ck_assert_double_eq(pr_root(1, 7.3), 1);
    ck_assert_double_eq(pr_power(0, 0.5), 0);
    ck_assert_double_eq(pr_power(0x1p-1074, 1000), 0);
    ck_assert_double_eq(pr_power(INFINITY, 0.5), INFINITY);
    ck_assert_double_eq(pr_root(INFINITY, 0.5), INFINITY);
    ck_assert_double_eq(pr_root(0, 0.5), 0);
    ck_assert_double_eq(pr_root(1e300, 0.1), INFINITY);
}
END_TEST

TEST_MAIN("criterion", the_lecture_matrix_by_row, torch_tests_channel_norms, single_elements_are_exact,
          norms_neither_overflow_nor_lose_small_units, infinities_are_infinite, both_infinities_in_one_sum_are_refused,
          units_at_the_edge_are_scored_over_what_they_have, sums_run_in_row_major_order,
          random_goes_by_unit_number_and_seed, every_dtype_and_view_gives_the_same_scores, nan_among_weights,
          only_floats_are_weights, a_granularity_that_does_not_fit, specs, the_callers_own_scores,
          scores_that_do_not_fit, null_pointers, any_number_of_threads_gives_the_same_bits,
          the_first_nan_is_named_for_any_number_of_threads, powers_are_within_two_units_in_the_last_place,
          powers_have_these_bits)
