/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Criteria that look at more than one unit (LAMP, geometric median), the largest magnitude, and a caller's own.
 */
#include <float.h>

#include "pruning.h"

#define DUE(...) ((const double[]){__VA_ARGS__})

static void expect(const double *w, int32_t rank, const int64_t *shape, const char *criterion, const char *granularity,
                   int64_t units, const double *due, double tolerance)
{
    prune_tensor *weights = borrow(w, PRUNE_F64, rank, shape);
    prune_scores *scores = score(weights, criterion, granularity);
    const prune_tensor *values = prune_scores_values(scores);
    const double *got = prune_tensor_const_data(values);
    ck_assert_int_eq(prune_tensor_count(values), units);
    for (int64_t i = 0; i < units; i++)
        ck_assert_msg(got[i] == due[i] || fabs(got[i] - due[i]) <= tolerance * fabs(due[i]),
                      "%s of %s unit %lld is %.17g, not %.17g", criterion, granularity, (long long)i, got[i], due[i]);
    prune_scores_free(scores);
    prune_tensor_free(weights);
}

START_TEST(linf_is_the_largest_magnitude)
{
    const double w[] = {3, -2, 1, -5, INFINITY, 0};
    expect(w, 2, SHAPE(2, 2), "linf", "row", 2, DUE(3, 5), 0);
    expect(w, 2, SHAPE(2, 2), "linf", "column", 2, DUE(3, 5), 0);
    expect(w, 2, SHAPE(3, 2), "linf", "column", 2, DUE(INFINITY, 5), 0);
    expect(w, 1, SHAPE(6), "linf", "element", 6, DUE(3, 2, 1, 5, INFINITY, 0), 0);
    expect(w, 2, SHAPE(2, 2), "linf:aggregate=sum", "row", 2, DUE(5, 6), 0);
    prune_criterion *c;
    OK(prune_criterion_create(&c, NULL, "linf:aggregate=max"));
    ck_assert_str_eq(prune_criterion_spec(c), "linf");
    prune_criterion_free(c);
}
END_TEST

START_TEST(lamp_of_1_2_3)
{
    const double w[] = {1, 2, 3}, turned[] = {-3, 1, -2};
    expect(w, 1, SHAPE(3), "lamp", "element", 3, DUE(1. / 14, 4. / 13, 1), 1e-15);
    expect(turned, 1, SHAPE(3), "lamp", "element", 3, DUE(1, 1. / 14, 4. / 13), 1e-15);
}
END_TEST

START_TEST(lamp_of_units_ties_zeros_and_extremes)
{
    const double w[] = {3, -2, 1, -5, 0, 0}; /* rows: 13, 26, 0 */
    expect(w, 2, SHAPE(3, 2), "lamp", "row", 3, DUE(13. / 39, 1, 0), 1e-15);
    const double ties[] = {2, -2, 2, 1};
    expect(ties, 1, SHAPE(4), "lamp", "element", 4, DUE(1. / 3, 1. / 2, 1, 1. / 13), 1e-15);
    const double zeros[] = {0, -0.0, 0};
    expect(zeros, 1, SHAPE(3), "lamp", "element", 3, DUE(0, 0, 0), 0);
    const double huge[] = {1e300, -2e300, 3e300}, tiny[] = {1e-300, 2e-300, -3e-300};
    expect(huge, 1, SHAPE(3), "lamp", "element", 3, DUE(1. / 14, 4. / 13, 1), 1e-14);
    expect(tiny, 1, SHAPE(3), "lamp", "element", 3, DUE(1. / 14, 4. / 13, 1), 1e-14);
    const double infinite[] = {1, -INFINITY, 2, 3, INFINITY};
    expect(infinite, 1, SHAPE(5), "lamp", "element", 5, DUE(1. / 14, INFINITY, 4. / 13, 1, INFINITY), 1e-15);
    expect(w, 2, SHAPE(3, 2), "lamp:aggregate=max", "row", 3, DUE(9. / 34, 1, 0), 1e-15);
}
END_TEST

/* The order of scores is that of magnitudes, and every share is what its definition says. */
START_TEST(lamp_follows_its_definition)
{
    enum { N = 300 };
    double w[N], due[N];
    uint32_t state = 3;
    for (int i = 0; i < N; i++) {
        state = state * 1664525u + 1013904223u;
        w[i] = (double)((int32_t)(state >> 16) % 50 - 25); /* many ties */
    }
    for (int i = 0; i < N; i++) {
        double sum = 0;
        for (int j = 0; j < N; j++)
            if (fabs(w[j]) > fabs(w[i]) || (fabs(w[j]) == fabs(w[i]) && j >= i))
                sum += w[j] * w[j];
        due[i] = sum > 0 ? w[i] * w[i] / sum : 0;
    }
    expect(w, 1, SHAPE(N), "lamp", "element", N, due, 1e-13);
    prune_tensor *weights = borrow(w, PRUNE_F64, 1, SHAPE(N));
    prune_mask *a = prune(weights, "lamp", "element", PRUNE_SPARSITY, 0.5),
               *b = prune(weights, "l1", "element", PRUNE_SPARSITY, 0.5);
    expect_same(a, b);
    prune_mask_free(a);
    prune_mask_free(b);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(fpgm_of_the_filters_3_2_and_a_tenth)
{
    double w[27];
    for (int i = 0; i < 27; i++)
        w[i] = i < 9 ? 3 : i < 18 ? 2 : .1;
    expect(w, 4, SHAPE(3, 1, 3, 3), "fpgm", "filter", 3, DUE(11.7, 8.7, 14.4), 1e-15);
    prune_tensor *weights = borrow(w, PRUNE_F64, 4, SHAPE(3, 1, 3, 3));
    expect_mask(prune(weights, "fpgm", "filter", PRUNE_KEEP, 2), "111111111 000000000 111111111");
    expect_mask(prune(weights, "l2", "filter", PRUNE_KEEP, 2), "111111111 111111111 000000000");
    prune_tensor_free(weights);
}
END_TEST

START_TEST(fpgm_at_edges_and_extremes)
{
    /* Pairs of rows; the last strip has one, and counts as if a zero stood below it: distances of (1,10), (2,20),
     * (3,30) and (100,0), (200,0), (300,0). */
    const double w[] = {1, 2, 3, 10, 20, 30, 100, 200, 300};
    const double a[6][2] = {{1, 10}, {2, 20}, {3, 30}, {100, 0}, {200, 0}, {300, 0}};
    double due[6] = {0};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            due[i] += hypot(a[i][0] - a[j][0], a[i][1] - a[j][1]);
    expect(w, 2, SHAPE(3, 3), "fpgm", "nm:keep_n=1,group_m=2,unit_rows=2", 6, due, 1e-14);
    const double huge[] = {1.5e308, 0, -1.5e308, 0, 3e-320, 0, 0, 0};
    expect(huge, 2, SHAPE(2, 2), "fpgm", "row", 2, DUE(INFINITY, INFINITY), 0);
    expect(huge + 4, 2, SHAPE(2, 2), "fpgm", "row", 2, DUE(3e-320, 3e-320), 1e-3);
    const double infinite[] = {3, 0, -INFINITY, 1, 0, 4, INFINITY, INFINITY};
    expect(infinite, 2, SHAPE(4, 2), "fpgm", "row", 4, DUE(5, INFINITY, 5, INFINITY), 1e-15);
    expect(infinite, 1, SHAPE(6), "fpgm", "element", 6, DUE(9, 8, INFINITY, 7, 8, 12), 1e-15);
    expect(infinite, 2, SHAPE(1, 2), "fpgm", "row", 1, DUE(0), 0);
    expect(infinite + 2, 1, SHAPE(1), "fpgm", "element", 1, DUE(INFINITY), 0);
    expect(infinite, 2, SHAPE(0, 2), "fpgm", "row", 0, NULL, 0);
}
END_TEST

/* Single elements take another way, by a sort: it gives what the definition gives. */
START_TEST(fpgm_of_single_elements_by_its_definition)
{
    enum { N = 401 };
    double w[N], due[N];
    uint32_t state = 5;
    for (int i = 0; i < N; i++) {
        state = state * 1664525u + 1013904223u;
        w[i] = (double)(int32_t)state * 0x1p-31 * (i % 7 ? 1 : 1e6);
        if (i % 5 == 0)
            w[i] = floor(w[i]);
    }
    for (int i = 0; i < N; i++) {
        due[i] = 0;
        for (int j = 0; j < N; j++)
            due[i] += fabs(w[i] - w[j]);
    }
    expect(w, 1, SHAPE(N), "fpgm", "element", N, due, 1e-13);
    expect(w, 2, SHAPE(1, N), "fpgm", "column", N, due, 1e-13);
    /* As rows of two, the second of which is 0, they take the way of vectors. */
    double pairs[2 * N] = {0};
    for (int i = 0; i < N; i++)
        pairs[2 * i] = w[i];
    expect(pairs, 2, SHAPE(N, 2), "fpgm", "row", N, due, 1e-13);
}
END_TEST

START_TEST(threads_and_strides_give_the_same_bits)
{
    const char *specs[] = {"fpgm", "lamp", "linf", "fpgm:normalize=l2"};
    const char *cuts[] = {"row", "column", "nm:keep_n=2,group_m=4,unit_rows=3"};
    const int64_t rows = 131, columns = 67;
    const int32_t order[] = {1, 0};
    float *w = malloc((size_t)(rows * columns) * sizeof *w), *t = malloc((size_t)(rows * columns) * sizeof *t);
    uint32_t state = 1;
    for (int64_t i = 0; i < rows * columns; i++) {
        state = state * 1664525u + 1013904223u;
        w[i] = (float)(int32_t)state * 0x1p-31f;
        t[i % columns * rows + i / columns] = w[i];
    }
    for (int i = 0; i < 12; i++) {
        prune_scores *scores[3];
        prune_granularity *g = cut(cuts[i % 3]);
        for (int k = 0; k < 3; k++) {
            prune_context *context;
            prune_tensor *weights, *other;
            prune_criterion *c;
            OK(prune_context_create(&context));
            OK(prune_context_set_threads(context, k ? 4 : 1));
            OK(prune_tensor_borrow(&weights, context, k == 2 ? t : w, PRUNE_F32, 2,
                                   k == 2 ? SHAPE(columns, rows) : SHAPE(rows, columns), NULL));
            if (k == 2) {
                OK(prune_tensor_permute(&other, weights, order));
                prune_tensor_free(weights);
                weights = other;
            }
            OK(prune_criterion_create(&c, context, specs[i / 3]));
            OK(prune_criterion_score(&scores[k], c, weights, NULL, g));
            prune_criterion_free(c);
            prune_tensor_free(weights);
            prune_context_free(context);
        }
        const prune_tensor *a = prune_scores_values(scores[0]);
        for (int k = 1; k < 3; k++)
            ck_assert_mem_eq(prune_tensor_const_data(a), prune_tensor_const_data(prune_scores_values(scores[k])),
                             (size_t)prune_tensor_count(a) * sizeof(double));
        for (int k = 0; k < 3; k++)
            prune_scores_free(scores[k]);
        prune_granularity_free(g);
    }
    free(w);
    free(t);
}
END_TEST

struct call {
    int calls;
    int32_t status;
    int64_t nan;
    const prune_observations *observations;
};

/* |w| doubled at odd columns. */
static int32_t importance(void *user, const prune_tensor *weights, const prune_observations *observations,
                          prune_tensor *importances)
{
    struct call *call = user;
    const double *w = prune_tensor_const_data(weights);
    double *out = prune_tensor_data(importances);
    call->calls++;
    call->observations = observations;
    if (call->status)
        return call->status < 0 ? prune_fail(call->status, "the host's disk is gone") : call->status;
    ck_assert_int_eq(prune_tensor_dtype(importances), PRUNE_F64);
    ck_assert_int_eq(prune_tensor_rank(importances), prune_tensor_rank(weights));
    for (int64_t i = 0; i < prune_tensor_count(importances); i++) {
        ck_assert_double_eq(out[i], 0);
        out[i] = fabs(w[i]) * (i % 2 ? 2 : 1);
    }
    if (call->nan >= 0)
        out[call->nan] = NAN;
    return PRUNE_OK;
}

START_TEST(a_callers_criterion)
{
    const double w[] = {3, -2, 1, -5};
    const char *settings[] = {NULL, "aggregate=mean", "normalize=sum,aggregate=max"};
    const char *specs[] = {"callback", "callback:aggregate=mean", "callback:aggregate=max,normalize=sum"};
    const double due[3][2] = {{7, 11}, {3.5, 5.5}, {4. / 14, 10. / 14}};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 2));
    prune_granularity *g = cut("row");
    for (int i = 0; i < 3; i++) {
        struct call call = {0, 0, -1, UNTOUCHED};
        prune_criterion *c;
        prune_scores *scores;
        OK(prune_criterion_from_callback(&c, NULL, importance, &call, settings[i]));
        ck_assert_str_eq(prune_criterion_spec(c), specs[i]);
        OK(prune_criterion_score(&scores, c, weights, NULL, g));
        ck_assert_int_eq(call.calls, 1);
        ck_assert_ptr_null(call.observations);
        const double *got = prune_tensor_const_data(prune_scores_values(scores));
        ck_assert(fabs(got[0] - due[i][0]) < 1e-15 && fabs(got[1] - due[i][1]) < 1e-15);
        prune_scores_free(scores);
        prune_criterion_free(c);
    }
    prune_granularity_free(g);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(a_callback_that_fails_or_gives_nan)
{
    const double w[] = {3, -2, 1, -5}, nan[] = {1, 2, 3, NAN};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 2)), *bad = borrow(nan, PRUNE_F64, 2, SHAPE(2, 2));
    prune_granularity *g = cut("row");
    struct call call = {0, 0, 2, NULL};
    prune_criterion *c = UNTOUCHED;
    prune_scores *scores = UNTOUCHED;
    FAILS(prune_criterion_from_callback(NULL, NULL, importance, NULL, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_criterion_from_callback(&c, NULL, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "importance");
    FAILS(prune_criterion_from_callback(&c, NULL, importance, NULL, "agregate=sum"), PRUNE_E_SPEC, "aggregate");
    FAILS(prune_criterion_create(&c, NULL, "callback"), PRUNE_E_SPEC, "callback");
    ck_assert_ptr_eq(c, UNTOUCHED);
    OK(prune_criterion_from_callback(&c, NULL, importance, &call, NULL));
    FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_VALUE, "importance 2, at (1, 0), is NaN");
    call.status = PRUNE_E_IO;
    FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_IO, "the host's disk is gone");
    call.status = 7;
    FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_ARGUMENT, "7");
    call.calls = call.status = 0;
    FAILS(prune_criterion_score(&scores, c, bad, NULL, g), PRUNE_E_VALUE, "(1, 1)");
    ck_assert_int_eq(call.calls, 0); /* weights that are NaN are refused before it is asked */
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(bad);
    prune_tensor_free(weights);
}
END_TEST

TEST_MAIN("criterion_weights", linf_is_the_largest_magnitude, lamp_of_1_2_3, lamp_of_units_ties_zeros_and_extremes,
          lamp_follows_its_definition, fpgm_of_the_filters_3_2_and_a_tenth, fpgm_at_edges_and_extremes,
          fpgm_of_single_elements_by_its_definition, threads_and_strides_give_the_same_bits, a_callers_criterion,
          a_callback_that_fails_or_gives_nan)
