/* SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>

#include "pruning.h"

#define DUE(...) ((const double[]){__VA_ARGS__})

static prune_regularizer *make(const char *spec)
{
    prune_regularizer *r;
    OK(prune_regularizer_create(&r, NULL, spec));
    return r;
}

static double penalty(const char *spec, const char *granularity, const double *w, int32_t rank, const int64_t *shape)
{
    prune_regularizer *r = make(spec);
    prune_granularity *g = granularity ? cut(granularity) : NULL;
    prune_tensor *weights = borrow(w, PRUNE_F64, rank, shape);
    double result;
    OK(prune_regularizer_penalty(r, weights, g, &result));
    prune_tensor_free(weights);
    prune_granularity_free(g);
    prune_regularizer_free(r);
    return result;
}

/* The proximal step when step >= 0, else the subgradient, of up to 16 weights. */
static void expect(const char *spec, const char *granularity, double step, const double *w, int32_t rank,
                   const int64_t *shape, const double *due, double tolerance)
{
    double copy[16] = {0}, gradient[16] = {0};
    prune_regularizer *r = make(spec);
    prune_granularity *g = granularity ? cut(granularity) : NULL;
    prune_tensor *weights = borrow(copy, PRUNE_F64, rank, shape), *into = borrow(gradient, PRUNE_F64, rank, shape);
    int64_t count = prune_tensor_count(weights);
    memcpy(copy, w, (size_t)count * sizeof *w);
    if (step >= 0)
        OK(prune_regularizer_proximal(r, weights, g, step));
    else
        OK(prune_regularizer_add_subgradient(r, weights, g, into));
    for (int64_t i = 0; i < count; i++) {
        double got = step >= 0 ? copy[i] : gradient[i];
        ck_assert_msg(got == due[i] || fabs(got - due[i]) <= tolerance * fabs(due[i]),
                      "%s: element %lld is %.17g, not %.17g", spec, (long long)i, got, due[i]);
        ck_assert_msg(got != 0 || step == 0 || !signbit(got), "%s: element %lld is -0", spec, (long long)i);
        ck_assert(step >= 0 || copy[i] == w[i]);
    }
    prune_tensor_free(into);
    prune_tensor_free(weights);
    prune_granularity_free(g);
    prune_regularizer_free(r);
}

START_TEST(soft_threshold_of_0_3_and_minus_0_05)
{
    expect("l1:strength=1", NULL, 0.1, DUE(.3, -.05, -.3, .1, -.1), 1, SHAPE(5), DUE(.2, 0, -.2, 0, 0), 1e-15);
}
END_TEST

START_TEST(group_lasso_of_3_4)
{
    const double w[] = {3, 4};
    expect("group:strength=1,size_weight=none", "row", 1, w, 2, SHAPE(1, 2), DUE(2.4, 3.2), 1e-15);
    expect("group:strength=1,size_weight=none", "row", 6, w, 2, SHAPE(1, 2), DUE(0, 0), 0);
    expect("group:strength=0.5", "row", sqrt(2), w, 2, SHAPE(1, 2), DUE(2.4, 3.2), 1e-15); /* sqrt(2) elements too */
    expect("group:strength=3", "row", sqrt(2), w, 2, SHAPE(1, 2), DUE(0, 0), 0);
    expect("group:strength=2", "row", -1, w, 2, SHAPE(1, 2), DUE(2 * sqrt(2) * .6, 2 * sqrt(2) * .8), 1e-15);
    ck_assert(fabs(penalty("group:strength=2", "row", w, 2, SHAPE(1, 2)) - 10 * sqrt(2)) < 1e-14);
    ck_assert(penalty("group:strength=2,size_weight=none", "row", w, 2, SHAPE(1, 2)) == 10);
}
END_TEST

/* gamma = 0.05 with gradient 0.01, strength 0.1, learning rate 0.1: both ways end at 0.039. */
START_TEST(slimming_a_scale_factor_of_0_05)
{
    double gamma = .05, gradient = .01;
    prune_regularizer *r = make("l1:strength=0.1");
    prune_tensor *g = borrow(&gamma, PRUNE_F64, 1, SHAPE(1)), *d = borrow(&gradient, PRUNE_F64, 1, SHAPE(1));
    OK(prune_regularizer_add_subgradient(r, g, NULL, d));
    ck_assert(fabs(gradient - .11) < 1e-16 && gamma == .05);
    ck_assert(fabs(gamma - .1 * gradient - .039) < 1e-16);
    gamma -= .1 * .01;
    OK(prune_regularizer_proximal(r, g, NULL, .1));
    ck_assert(fabs(gamma - .039) < 1e-16);
    prune_tensor_free(d);
    prune_tensor_free(g);
    prune_regularizer_free(r);
}
END_TEST

START_TEST(every_kind_by_hand)
{
    const double w[] = {3, -2, 0, -.5};
    ck_assert_double_eq(penalty("l1:strength=2", NULL, w, 1, SHAPE(4)), 11);
    ck_assert_double_eq(penalty("l2:strength=2", NULL, w, 1, SHAPE(4)), 26.5);
    ck_assert_double_eq(penalty("smooth-l1:strength=2,width=1", NULL, w, 1, SHAPE(4)), 2 * (2.5 + 1.5 + .125));
    ck_assert_double_eq(penalty("l1:strength=0", NULL, w, 1, SHAPE(4)), 0);
    expect("l1:strength=2", NULL, -1, w, 1, SHAPE(4), DUE(2, -2, 0, -2), 0);
    expect("l2:strength=2", NULL, -1, w, 1, SHAPE(4), DUE(12, -8, 0, -2), 0);
    expect("smooth-l1:strength=2,width=1", NULL, -1, w, 1, SHAPE(4), DUE(2, -2, 0, -1), 0);
    expect("l2:strength=2", NULL, .25, w, 1, SHAPE(4), DUE(1.5, -1, 0, -.25), 0);
    expect("smooth-l1:strength=2,width=1", NULL, .5, w, 1, SHAPE(4), DUE(2, -1, 0, -.25), 0);
    expect("l1:strength=2", NULL, 0, DUE(3, -2, 0, -0.0), 1, SHAPE(4), DUE(3, -2, 0, -0.0), 0);
    expect("l1:strength=2", NULL, 1, DUE(3, -2, 0, -0.0), 1, SHAPE(4), DUE(1, 0, 0, 0), 0);
    expect("l1:strength=1e300", NULL, 1e300, DUE(3, -2, 0, DBL_MAX), 1, SHAPE(4), DUE(0, 0, 0, 0), 0);
}
END_TEST

/* No other point does better than the proximal step, in one dimension and for a unit. */
START_TEST(proximal_steps_are_the_least_of_what_they_minimise)
{
    const char *specs[] = {"l1:strength=0.7", "l2:strength=0.7", "smooth-l1:strength=0.7,width=0.3",
                           "group:strength=0.7"};
    const double step = 0.6;
    for (int k = 0; k < 4; k++)
        for (double v = -2; v <= 2; v += 0.125) {
            double x[2] = {v, v / 3}, best[2];
            prune_regularizer *r = make(specs[k]);
            prune_granularity *g = cut("row");
            prune_tensor *weights = borrow(x, PRUNE_F64, 2, SHAPE(1, 2));
            OK(prune_regularizer_proximal(r, weights, g, step));
            memcpy(best, x, sizeof best);
            double least = 0;
            for (int i = 0; i < 41; i++) {
                double p;
                x[0] = best[0] + (i ? (i % 9 - 4) * 0.01 : 0);
                x[1] = best[1] + (i ? (i / 9 - 2) * 0.01 : 0);
                OK(prune_regularizer_penalty(r, weights, g, &p));
                double value = ((x[0] - v) * (x[0] - v) + (x[1] - v / 3) * (x[1] - v / 3)) / 2 + step * p;
                if (i == 0)
                    least = value;
                ck_assert_msg(value >= least - 1e-15, "%s at %g: %.17g below %.17g", specs[k], v, value, least);
            }
            prune_tensor_free(weights);
            prune_granularity_free(g);
            prune_regularizer_free(r);
        }
}
END_TEST

START_TEST(subgradients_are_derivatives_of_penalties)
{
    const char *specs[] = {"l1:strength=0.7", "l2:strength=0.7", "smooth-l1:strength=0.7,width=0.3",
                           "group:strength=0.7"};
    const double h = 1e-6;
    for (int k = 0; k < 4; k++) {
        double w[6] = {.9, -.2, .05, -1.5, .21, 2}, gradient[6] = {1, 1, 1, 1, 1, 1};
        prune_regularizer *r = make(specs[k]);
        prune_granularity *g = cut("column");
        prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 3)),
                     *into = borrow(gradient, PRUNE_F64, 2, SHAPE(2, 3));
        OK(prune_regularizer_add_subgradient(r, weights, g, into));
        for (int i = 0; i < 6; i++) {
            double above, below, at = w[i];
            w[i] = at + h;
            OK(prune_regularizer_penalty(r, weights, g, &above));
            w[i] = at - h;
            OK(prune_regularizer_penalty(r, weights, g, &below));
            w[i] = at;
            ck_assert(fabs(gradient[i] - 1 - (above - below) / (2 * h)) < 1e-8);
        }
        prune_tensor_free(into);
        prune_tensor_free(weights);
        prune_granularity_free(g);
        prune_regularizer_free(r);
    }
}
END_TEST

/* Steps of l1 leave fewer and fewer weights; group lasso takes whole units, those of least norm first. */
START_TEST(proximal_paths_are_monotone)
{
    float w[60];
    uint32_t state = 7;
    for (int i = 0; i < 60; i++) {
        state = state * 1664525u + 1013904223u;
        w[i] = (float)(int32_t)state * 0x1p-31f * (float)(1 + i / 10);
    }
    for (int k = 0; k < 2; k++) {
        float x[60];
        int before = 61;
        memcpy(x, w, sizeof x);
        prune_regularizer *r = make(k ? "group:strength=1" : "l1:strength=1");
        prune_granularity *g = cut("row");
        prune_tensor *weights = borrow(x, PRUNE_F32, 2, SHAPE(6, 10));
        for (int t = 0; t < 80; t++) {
            int nonzero = 0;
            OK(prune_regularizer_proximal(r, weights, g, 0.1));
            for (int row = 0; row < 6; row++) {
                int alive = 0;
                for (int i = 0; i < 10; i++)
                    alive += x[row * 10 + i] != 0;
                ck_assert(!k || alive == 0 || alive == 10);
                nonzero += alive;
            }
            ck_assert_int_le(nonzero, before);
            before = nonzero;
        }
        ck_assert_int_eq(before, 0);
        prune_tensor_free(weights);
        prune_granularity_free(g);
        prune_regularizer_free(r);
    }
}
END_TEST

START_TEST(ragged_units_views_and_dtypes)
{
    /* Strips of two rows: units (3,4), (5,12) and, of one element each, 8 and -15. */
    const double w[] = {3, 5, 4, -12, 8, -15};
    const char *pairs = "nm:keep_n=1,group_m=2,unit_rows=2";
    ck_assert(fabs(penalty("group:strength=1", pairs, w, 2, SHAPE(3, 2)) - (18 * sqrt(2) + 23)) < 1e-13);
    expect("group:strength=1,size_weight=none", pairs, 6.5, w, 2, SHAPE(3, 2), DUE(0, 2.5, 0, -6, 1.5, -8.5), 1e-15);
    expect("group:strength=1,size_weight=none", pairs, -1, w, 2, SHAPE(3, 2), DUE(.6, 5. / 13, .8, -12. / 13, 1, -1),
           1e-15);
    const int32_t dtypes[] = {PRUNE_F32, PRUNE_F16, PRUNE_BF16, PRUNE_F64}, order[] = {1, 0};
    for (int i = 0; i < 4; i++) {
        prune_tensor *from = borrow(w, PRUNE_F64, 2, SHAPE(3, 2)), *weights, *turned, *back, *gradient;
        prune_regularizer *r = make("group:strength=1,size_weight=none");
        prune_granularity *g = cut("column"), *rows = cut("row");
        OK(prune_tensor_convert(&weights, from, dtypes[i]));
        OK(prune_tensor_permute(&turned, weights, order));
        OK(prune_tensor_create(&gradient, NULL, PRUNE_F64, 2, SHAPE(2, 3)));
        OK(prune_regularizer_add_subgradient(r, turned, rows, gradient));
        const double *d = prune_tensor_const_data(gradient);
        ck_assert(fabs(d[2] - 8 / sqrt(89)) < 1e-15 && fabs(d[3] - 5 / sqrt(394)) < 1e-15);
        OK(prune_regularizer_proximal(r, weights, g, 15));
        OK(prune_tensor_convert(&back, weights, PRUNE_F64));
        const double *x = prune_tensor_const_data(back);
        ck_assert(x[0] == 0 && x[2] == 0 && x[4] == 0);
        ck_assert(fabs(x[5] + 15 * (1 - 15 / sqrt(394))) < 0.02 && x[1] > 0 && x[3] < 0);
        prune_tensor_free(back);
        prune_tensor_free(gradient);
        prune_tensor_free(turned);
        prune_tensor_free(weights);
        prune_tensor_free(from);
        prune_granularity_free(rows);
        prune_granularity_free(g);
        prune_regularizer_free(r);
    }
    const double huge[] = {3e300, 4e300, 3e-300, 4e-300};
    expect("group:strength=1", "row", -1, huge, 2, SHAPE(2, 2),
           DUE(sqrt(2) * .6, sqrt(2) * .8, sqrt(2) * .6, sqrt(2) * .8), 1e-15);
    expect("group:strength=1,size_weight=none", "row", 5e299, huge, 2, SHAPE(2, 2), DUE(2.7e300, 3.6e300, 0, 0), 1e-15);
    ck_assert(penalty("l2:strength=1", NULL, huge, 1, SHAPE(2)) == INFINITY);
    ck_assert(penalty("l1:strength=1", NULL, NULL, 1, SHAPE(0)) == 0);
    ck_assert(penalty("group:strength=1", "row", NULL, 2, SHAPE(0, 3)) == 0);
}
END_TEST

START_TEST(bad_input_changes_nothing)
{
    float w[] = {1, 2, 3, 4, NAN, 6}, d[] = {1, 1, 1, 1, 1, 1};
    prune_regularizer *r = make("l1:strength=1"), *group = make("group:strength=1");
    prune_granularity *g = cut("row"), *nm = cut("nm:keep_n=2,group_m=4");
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(3, 2)), *into = borrow(d, PRUNE_F32, 2, SHAPE(3, 2)),
                 *flat = borrow(d, PRUNE_F32, 1, SHAPE(6)), *whole;
    double p = 7;
    OK(prune_tensor_create(&whole, NULL, PRUNE_I32, 2, SHAPE(3, 2)));
    FAILS(prune_regularizer_penalty(r, weights, NULL, &p), PRUNE_E_VALUE, "weight 4, at (2, 0), is NaN");
    FAILS(prune_regularizer_proximal(r, weights, NULL, 1), PRUNE_E_VALUE, "weight 4, at (2, 0), is NaN");
    FAILS(prune_regularizer_add_subgradient(r, weights, NULL, into), PRUNE_E_VALUE, "weight 4");
    w[4] = -INFINITY;
    FAILS(prune_regularizer_penalty(group, weights, g, &p), PRUNE_E_VALUE, "weight 4, at (2, 0), is infinite");
    w[4] = 5;
    d[5] = NAN;
    FAILS(prune_regularizer_add_subgradient(r, weights, NULL, into), PRUNE_E_VALUE, "gradient 5, at (2, 1), is NaN");
    d[5] = 1;
    FAILS(prune_regularizer_add_subgradient(r, weights, NULL, flat), PRUNE_E_SHAPE, "[6]");
    FAILS(prune_regularizer_add_subgradient(r, weights, NULL, whole), PRUNE_E_DTYPE, "i32");
    FAILS(prune_regularizer_penalty(r, whole, NULL, &p), PRUNE_E_DTYPE, "i32");
    FAILS(prune_regularizer_penalty(group, weights, NULL, &p), PRUNE_E_ARGUMENT, "granularity is NULL");
    FAILS(prune_regularizer_penalty(group, flat, nm, &p), PRUNE_E_SHAPE, "axis");
    const double steps[] = {-1, NAN, INFINITY};
    for (int i = 0; i < 3; i++)
        FAILS(prune_regularizer_proximal(r, weights, NULL, steps[i]), PRUNE_E_ARGUMENT, "step");
    FAILS(prune_regularizer_penalty(NULL, weights, NULL, &p), PRUNE_E_ARGUMENT, "regularizer");
    FAILS(prune_regularizer_penalty(r, NULL, NULL, &p), PRUNE_E_ARGUMENT, "weights");
    FAILS(prune_regularizer_penalty(r, weights, NULL, NULL), PRUNE_E_ARGUMENT, "penalty");
    FAILS(prune_regularizer_proximal(NULL, weights, NULL, 1), PRUNE_E_ARGUMENT, "regularizer");
    FAILS(prune_regularizer_proximal(r, NULL, NULL, 1), PRUNE_E_ARGUMENT, "weights");
    FAILS(prune_regularizer_add_subgradient(r, weights, NULL, NULL), PRUNE_E_ARGUMENT, "gradient");
    ck_assert_double_eq(p, 7);
    for (int i = 0; i < 6; i++)
        ck_assert(w[i] == (float)(i + 1) && d[i] == 1);
    const char *bad[][2] = {{"l3:strength=1", "l1, l2, smooth-l1, group"},
                            {"l1", "strength"},
                            {"l1:strength=-1", "range"},
                            {"group:strength=1,size_weight=half", "root|none"},
                            {"smooth-l1:strength=1,width=0", "range"}};
    for (int i = 0; i < 5; i++) {
        prune_regularizer *made = UNTOUCHED;
        FAILS(prune_regularizer_create(&made, NULL, bad[i][0]), PRUNE_E_SPEC, bad[i][1]);
        ck_assert_ptr_eq(made, UNTOUCHED);
    }
    FAILS(prune_regularizer_create(NULL, NULL, "l1:strength=1"), PRUNE_E_ARGUMENT, "out");
    ck_assert_str_eq(prune_regularizer_spec(group), "group:strength=1");
    ck_assert_ptr_null(prune_regularizer_spec(NULL));
    prune_regularizer_free(NULL);
    prune_tensor_free(whole);
    prune_tensor_free(flat);
    prune_tensor_free(into);
    prune_tensor_free(weights);
    prune_granularity_free(nm);
    prune_granularity_free(g);
    prune_regularizer_free(group);
    prune_regularizer_free(r);
}
END_TEST

TEST_MAIN("regularize", soft_threshold_of_0_3_and_minus_0_05, group_lasso_of_3_4, slimming_a_scale_factor_of_0_05,
          every_kind_by_hand, proximal_steps_are_the_least_of_what_they_minimise,
          subgradients_are_derivatives_of_penalties, proximal_paths_are_monotone, ragged_units_views_and_dtypes,
          bad_input_changes_nothing)
