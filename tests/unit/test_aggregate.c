/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The step that all criteria share: aggregate and normalize.
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

/* Six channels in two groups of a grouped convolution: channels of the same place in their group live together. Two
 * heads of three: a head is a unit. */
START_TEST(grouped_importance_of_1_to_6)
{
    const double w[] = {1, 2, 3, 4, 5, 6};
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=mean", "column", 3, DUE(2.5, 3.5, 4.5), 0);
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=mean", "row", 2, DUE(2, 5), 0);
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 3));
    expect_mask(prune(weights, "l1:aggregate=mean", "column", PRUNE_SPARSITY, 0.34), "011 011");
    expect_mask(prune(weights, "l1:aggregate=mean", "row", PRUNE_SPARSITY, 0.5), "000 111");
    prune_tensor_free(weights);
}
END_TEST

START_TEST(every_aggregate_of_every_norm)
{
    const double w[] = {3, -2, 0.5, -1, 4, -8};
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=sum", "row", 2, DUE(5.5, 13), 0);
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=mean", "row", 2, DUE(5.5 / 3, 13. / 3), 0);
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=max", "row", 2, DUE(3, 8), 0);
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=product", "row", 2, DUE(3, 32), 0);
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=first", "row", 2, DUE(3, 1), 0);
    expect(w, 2, SHAPE(2, 3), "l1:aggregate=first", "column", 3, DUE(3, 2, .5), 0);
    /* The mean within a norm is the power mean; the others are of the elements' own scores, |w|. */
    expect(w, 2, SHAPE(2, 3), "l2:aggregate=mean", "row", 2, DUE(sqrt(13.25 / 3), sqrt(81. / 3)), 1e-15);
    expect(w, 2, SHAPE(2, 3), "lp:p=3,aggregate=mean", "row", 2, DUE(cbrt(35.125 / 3), cbrt(577. / 3)), 1e-15);
    const char *norms[] = {"l2", "lp", "lp"};
    const char *words[][2] = {{"max", "3 8"}, {"product", "3 32"}, {"first", "3 1"}};
    for (int i = 0; i < 9; i++) {
        char spec[80];
        double due[2];
        snprintf(spec, sizeof spec, "%s:%saggregate=%s", norms[i / 3],
                 i < 3   ? ""
                 : i < 6 ? "p=3,"
                         : "p=900,",
                 words[i % 3][0]);
        sscanf(words[i % 3][1], "%lf %lf", &due[0], &due[1]);
        expect(w, 2, SHAPE(2, 3), spec, "row", 2, due, 0);
    }
    expect(w, 2, SHAPE(2, 3), "scores:aggregate=mean", "column", 3, DUE(1, 1, -3.75), 0);
    expect(w, 2, SHAPE(2, 3), "scores:aggregate=max", "row", 2, DUE(3, 4), 0);
    expect(w, 2, SHAPE(2, 3), "scores:aggregate=product", "row", 2, DUE(-3, 32), 0);
    expect(w, 2, SHAPE(2, 3), "scores:aggregate=first", "row", 2, DUE(3, -1), 0);
    /* Of a single element all are the same. */
    const char *aggregates[] = {"sum", "mean", "max", "product", "first"};
    for (int i = 0; i < 5; i++) {
        char spec[40];
        snprintf(spec, sizeof spec, "l2:aggregate=%s", aggregates[i]);
        expect(w, 1, SHAPE(6), spec, "element", 6, DUE(3, 2, .5, 1, 4, 8), 0);
        expect(w, 2, SHAPE(6, 1), spec, "row", 6, DUE(3, 2, .5, 1, 4, 8), 0);
    }
}
END_TEST

START_TEST(units_at_the_edge_have_fewer_elements)
{
    const double w[] = {1, 2, 3, 10, 20, 30, 100, 200, 300};
    const char *pairs = "nm:keep_n=1,group_m=2,unit_rows=2";
    expect(w, 2, SHAPE(3, 3), "l1:aggregate=mean", pairs, 6, DUE(5.5, 11, 16.5, 100, 200, 300), 0);
    expect(w, 2, SHAPE(3, 3), "l2:aggregate=mean", pairs, 6,
           DUE(sqrt(101 / 2.), sqrt(404 / 2.), sqrt(909 / 2.), 100, 200, 300), 1e-15);
    expect(w, 2, SHAPE(3, 3), "l1:normalize=size", pairs, 6, DUE(5.5, 11, 16.5, 100, 200, 300), 0);
    expect(w, 2, SHAPE(3, 3), "l1:aggregate=product", pairs, 6, DUE(10, 40, 90, 100, 200, 300), 0);
    expect(w, 2, SHAPE(3, 3), "l1:aggregate=first", pairs, 6, DUE(1, 2, 3, 100, 200, 300), 0);
    expect(w, 2, SHAPE(3, 3), "l1:aggregate=max", pairs, 6, DUE(10, 20, 30, 100, 200, 300), 0);
}
END_TEST

START_TEST(products_that_fit_are_not_lost_on_the_way)
{
    double w[3000];
    for (int i = 0; i < 1000; i++) {
        w[i] = 1e300; /* 1e300^500 * 1e-300^500, huge first */
        if (i >= 500)
            w[i] = 1e-300;
        w[1000 + i] = i % 2 ? 0.001 : 1000;
        w[2000 + i] = 2;
    }
    expect(w, 2, SHAPE(3, 1000), "l1:aggregate=product", "row", 3, DUE(1, 1, ldexp(1, 1000)), 1e-12);
    const double ends[] = {1e-200, 1e-200, 1e200, 1e200, 0, 1e300, 5e-324, 0.5};
    expect(ends, 2, SHAPE(4, 2), "l1:aggregate=product", "row", 4, DUE(0, INFINITY, 0, 0), 0);
    const double infinite[] = {INFINITY, -3, 1, -INFINITY};
    expect(infinite, 2, SHAPE(2, 2), "scores:aggregate=product", "row", 2, DUE(-INFINITY, -INFINITY), 0);
    expect(infinite, 2, SHAPE(2, 2), "l2:aggregate=mean", "row", 2, DUE(INFINITY, INFINITY), 0);
    expect(infinite, 2, SHAPE(2, 2), "scores:aggregate=max", "row", 2, DUE(INFINITY, 1), 0);
    expect(infinite, 2, SHAPE(2, 2), "scores:aggregate=first", "row", 2, DUE(INFINITY, 1), 0);
}
END_TEST

START_TEST(an_infinity_times_zero_is_refused)
{
    const double w[] = {1, 2, 0, -INFINITY};
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 2));
    prune_granularity *g = cut("row");
    prune_criterion *c;
    prune_scores *scores = UNTOUCHED;
    OK(prune_criterion_create(&c, NULL, "l1:aggregate=product"));
    FAILS(prune_criterion_score(&scores, c, weights, NULL, g), PRUNE_E_VALUE,
          "unit 1, at (1, 0) of the grid, has an inf");
    ck_assert_ptr_eq(scores, UNTOUCHED);
    prune_criterion_free(c);
    prune_granularity_free(g);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(every_normalisation)
{
    const double w[] = {3, -2, 1, -5, 2, 4}; /* rows: 5, 6, 6 */
    expect(w, 2, SHAPE(3, 2), "l1:normalize=none", "row", 3, DUE(5, 6, 6), 0);
    expect(w, 2, SHAPE(3, 2), "l1:normalize=size", "row", 3, DUE(2.5, 3, 3), 0);
    expect(w, 2, SHAPE(3, 2), "l1:normalize=l2", "row", 3, DUE(5 / sqrt(97), 6 / sqrt(97), 6 / sqrt(97)), 1e-15);
    expect(w, 2, SHAPE(3, 2), "l1:normalize=sum", "row", 3, DUE(5. / 17, 6. / 17, 6. / 17), 1e-15);
    expect(w, 2, SHAPE(3, 2), "l1:normalize=max", "row", 3, DUE(5. / 6, 1, 1), 1e-15);
    expect(w, 2, SHAPE(3, 2), "l1:normalize=min-max", "row", 3, DUE(0, 1, 1), 0);
    expect(w, 2, SHAPE(3, 2), "l1:normalize=standard", "row", 3, DUE(-sqrt(2), sqrt(.5), sqrt(.5)), 1e-15);
    /* Both signs: sum and max are of magnitudes, so that no normalisation turns the order round. */
    expect(w, 1, SHAPE(6), "scores:normalize=sum", "element", 6,
           DUE(3. / 17, -2. / 17, 1. / 17, -5. / 17, 2. / 17, 4. / 17), 1e-15);
    expect(w, 1, SHAPE(6), "scores:normalize=max", "element", 6, DUE(.6, -.4, .2, -1, .4, .8), 1e-15);
    expect(w, 1, SHAPE(6), "scores:normalize=min-max", "element", 6, DUE(8. / 9, 3. / 9, 6. / 9, 0, 7. / 9, 1), 1e-15);
    double mean = 0.5, sd = sqrt((9 + 4 + 1 + 25 + 4 + 16) / 6. - .25);
    expect(w, 1, SHAPE(6), "scores:normalize=standard", "element", 6,
           DUE((3 - mean) / sd, (-2 - mean) / sd, (1 - mean) / sd, (-5 - mean) / sd, (2 - mean) / sd, (4 - mean) / sd),
           1e-14);
    expect(w, 2, SHAPE(3, 2), "l1:aggregate=mean,normalize=max", "row", 3, DUE(5. / 6, 1, 1), 1e-15);
}
END_TEST

START_TEST(normalisation_of_scores_that_are_equal_or_none)
{
    const double same[] = {.1, .1, .1}, zero[] = {0, -0.0, 0};
    expect(same, 1, SHAPE(3), "l1:normalize=standard", "element", 3, DUE(0, 0, 0), 0);
    expect(same, 1, SHAPE(3), "l1:normalize=min-max", "element", 3, DUE(0, 0, 0), 0);
    expect(same, 1, SHAPE(3), "l1:normalize=max", "element", 3, DUE(1, 1, 1), 0);
    const char *all[] = {"l1:normalize=l2",      "l1:normalize=sum",  "l1:normalize=max",
                         "l1:normalize=min-max", "l1:normalize=size", "l1:normalize=standard"};
    for (int i = 0; i < 6; i++) {
        expect(zero, 1, SHAPE(3), all[i], "element", 3, DUE(0, 0, 0), 0);
        expect(zero, 1, SHAPE(0), all[i], "element", 0, NULL, 0);
    }
}
END_TEST

/* An infinite score stays infinite, and the finite ones are what they would be without it. */
START_TEST(infinite_scores_do_not_count)
{
    const double w[] = {INFINITY, 3, 4, -INFINITY};
    expect(w, 1, SHAPE(4), "scores:normalize=l2", "element", 4, DUE(INFINITY, .6, .8, -INFINITY), 1e-15);
    expect(w, 1, SHAPE(4), "scores:normalize=sum", "element", 4, DUE(INFINITY, 3. / 7, 4. / 7, -INFINITY), 1e-15);
    expect(w, 1, SHAPE(4), "scores:normalize=max", "element", 4, DUE(INFINITY, .75, 1, -INFINITY), 0);
    expect(w, 1, SHAPE(4), "scores:normalize=min-max", "element", 4, DUE(INFINITY, 0, 1, -INFINITY), 0);
    expect(w, 1, SHAPE(4), "scores:normalize=standard", "element", 4, DUE(INFINITY, -1, 1, -INFINITY), 1e-15);
    expect(w, 1, SHAPE(1), "l1:normalize=standard", "element", 1, DUE(INFINITY), 0);
}
END_TEST

START_TEST(normalisation_neither_overflows_nor_underflows)
{
    const double huge[] = {3e306, -1.7e308, 1.7e308, 4e306}, tiny[] = {3e-310, 4e-310};
    expect(tiny, 1, SHAPE(2), "l1:normalize=l2", "element", 2, DUE(.6, .8), 1e-12);
    expect(tiny, 1, SHAPE(2), "l1:normalize=standard", "element", 2, DUE(-1, 1), 1e-12);
    expect(huge, 1, SHAPE(4), "scores:normalize=sum", "element", 4, DUE(3. / 347, -170. / 347, 170. / 347, 4. / 347),
           1e-15);
    expect(huge, 1, SHAPE(4), "scores:normalize=min-max", "element", 4, DUE(173. / 340, 0, 1, 174. / 340), 1e-15);
    double n = sqrt(9 + 289 * 200 + 16);
    expect(huge, 1, SHAPE(4), "scores:normalize=l2", "element", 4, DUE(3 / n, -170 / n, 170 / n, 4 / n), 1e-15);
}
END_TEST

/* What is said of a kind stays its canonical string; what is the default is not written. */
START_TEST(canonical_strings)
{
    const char *specs[][2] = {{"l1:aggregate=sum,normalize=none", "l1"},
                              {"l2:normalize=l2", "l2:normalize=l2"},
                              {"l2:normalize=min-max,aggregate=first", "l2:aggregate=first,normalize=min-max"},
                              {"lp:normalize=standard,p=1.50", "lp:p=1.5,normalize=standard"},
                              {"lp:p=3,aggregate=sum", "lp:p=3"},
                              {"random:normalize=sum", "random:normalize=sum"},
                              {"scores:aggregate=max", "scores:aggregate=max"}};
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        prune_criterion *c;
        OK(prune_criterion_create(&c, NULL, specs[i][0]));
        ck_assert_str_eq(prune_criterion_spec(c), specs[i][1]);
        prune_criterion_free(c);
    }
    const char *bad[][2] = {{"l1:aggregate=sun", "sum|mean|max|product|first"},
                            {"l1:normalize=gauss", "none|size|l2|sum|max|min-max|standard"},
                            {"l1:aggregate=", "no value"},
                            {"random:aggregate=sum", "seed, normalize"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        prune_criterion *c = UNTOUCHED;
        FAILS(prune_criterion_create(&c, NULL, bad[i][0]), PRUNE_E_SPEC, bad[i][1]);
        ck_assert_ptr_eq(c, UNTOUCHED);
    }
}
END_TEST

/* Every criterion takes the shared step, or says that it scores units as wholes by not having `aggregate`. */
START_TEST(every_criterion_takes_normalize)
{
    for (int32_t i = 0; i < prune_kind_count("criteria"); i++) {
        int found = 0;
        for (int32_t p = 0; p < prune_kind_parameter_count("criteria", i); p++)
            found += strcmp(prune_kind_parameter_name("criteria", i, p), "normalize") == 0;
        ck_assert_msg(found == 1, "%s has no normalize", prune_kind_name("criteria", i));
    }
}
END_TEST

START_TEST(threads_give_the_same_bits)
{
    const char *specs[] = {"l1:aggregate=product", "l2:aggregate=mean,normalize=standard",
                           "l2:aggregate=max",     "lp:p=3,aggregate=first",
                           "scores:normalize=l2",  "l1:normalize=sum"};
    const char *cuts[] = {"row", "column", "element", "nm:keep_n=2,group_m=4,unit_rows=3"};
    const int64_t rows = 701, columns = 997;
    float *w = malloc((size_t)(rows * columns) * sizeof *w);
    uint32_t state = 1;
    for (int64_t i = 0; i < rows * columns; i++) {
        state = state * 1664525u + 1013904223u;
        w[i] = (float)(int32_t)state * 0x1p-31f;
    }
    for (int i = 0; i < 24; i++) {
        prune_scores *scores[2];
        prune_granularity *g = cut(cuts[i % 4]);
        for (int t = 0; t < 2; t++) {
            prune_context *context;
            prune_tensor *weights;
            prune_criterion *c;
            OK(prune_context_create(&context));
            OK(prune_context_set_threads(context, t ? 4 : 1));
            OK(prune_tensor_borrow(&weights, context, w, PRUNE_F32, 2, SHAPE(rows, columns), NULL));
            OK(prune_criterion_create(&c, context, specs[i / 4]));
            OK(prune_criterion_score(&scores[t], c, weights, NULL, g));
            prune_criterion_free(c);
            prune_tensor_free(weights);
            prune_context_free(context);
        }
        const prune_tensor *a = prune_scores_values(scores[0]), *b = prune_scores_values(scores[1]);
        ck_assert_mem_eq(prune_tensor_const_data(a), prune_tensor_const_data(b),
                         (size_t)prune_tensor_count(a) * sizeof(double));
        prune_scores_free(scores[0]);
        prune_scores_free(scores[1]);
        prune_granularity_free(g);
    }
    free(w);
}
END_TEST

TEST_MAIN("aggregate", grouped_importance_of_1_to_6, every_aggregate_of_every_norm,
          units_at_the_edge_have_fewer_elements, products_that_fit_are_not_lost_on_the_way,
          an_infinity_times_zero_is_refused, every_normalisation, normalisation_of_scores_that_are_equal_or_none,
          infinite_scores_do_not_count, normalisation_neither_overflows_nor_underflows, canonical_strings,
          every_criterion_takes_normalize, threads_give_the_same_bits)
