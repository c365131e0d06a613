/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The criterion obs, and recoveries that choose: obs by one ranking, exact by trying all.
 */
#include <math.h>

#include "allocator.h"
#include "quadratics.h"

static void expect_scores(const double *h, int64_t n, const double *w, int64_t rows, const char *granularity,
                          int64_t units, const double *due)
{
    prune_observations *o = observe_hessian(h, n);
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(rows, n));
    prune_granularity *g = cut(granularity);
    prune_criterion *criterion;
    prune_scores *scores;
    OK(prune_criterion_create(&criterion, NULL, "obs:damping=0"));
    ck_assert_int_eq(prune_criterion_needs(criterion), PRUNE_OBSERVE_GRAM);
    OK(prune_criterion_score(&scores, criterion, weights, o, g));
    ck_assert_int_eq(prune_tensor_count(prune_scores_values(scores)), units);
    const double *got = prune_tensor_const_data(prune_scores_values(scores));
    for (int64_t i = 0; i < units; i++)
        ck_assert_msg(fabs(got[i] - due[i]) <= 1e-12 * (1 + due[i]), "%s %d: %.17g, not %.17g", granularity, (int)i,
                      got[i], due[i]);
    prune_scores_free(scores);
    prune_criterion_free(criterion);
    prune_granularity_free(g);
    prune_tensor_free(weights);
    prune_observations_free(o);
}

#define DUE(...) ((const double[]){__VA_ARGS__})

START_TEST(scores_of_the_published_examples)
{
    const double two[] = {4, 2, 2, 3}, three[] = {4, 1, 0, 1, 3, 1, 0, 1, 2};
    const double rest[] = {3, 1, 1, 2}, ways[] = {2, 0, 0, 0, 1, .95, 0, .95, 1};
    const double four[] = {1, .5, .5, 0, .5, 1, .5, .5, .5, .5, 1, .5, 0, .5, .5, 1};
    expect_scores(two, 2, DUE(1, -1), 1, "element", 2, DUE(4.0 / 3, 1));
    expect_scores(three, 3, DUE(1, -2, 3), 1, "element", 3, DUE(9.0 / 5, 9.0 / 2, 81.0 / 11));
    /* The same once the first weight has gone: what is left of H, and of the weights after the repair. */
    expect_scores(rest, 2, DUE(-8.0 / 5, 14.0 / 5), 1, "element", 2, DUE(16.0 / 5, 98.0 / 15));
    expect_scores(ways, 3, DUE(.9, 1, 1), 1, "element", 3, DUE(.81, .04875, .04875));
    /* The diagonal of this inverse is 2, 2, 2, 2. */
    expect_scores(four, 4, DUE(.3, -.4, .9, .5), 1, "element", 4, DUE(.0225, .04, .2025, .0625));
}
END_TEST

/* What units of several weights cost is what the repair says it does. */
START_TEST(scores_of_units_are_what_their_removal_costs)
{
    static const char *const granularities[] = {"element", "column", "row", "vector:vector=3",
                                                "nm:keep_n=1,group_m=4,unit_rows=2"};
    enum { ROWS = 4, N = 12, SAMPLES = 40 };
    double *x = correlated(SAMPLES, N, 7), *w = normal(ROWS * N, 8);
    prune_observations *o = observe_inputs(NULL, x, SAMPLES, N);
    prune_recovery *recovery;
    prune_criterion *criterion;
    OK(prune_recovery_create(&recovery, NULL, "obs:damping=0.02"));
    OK(prune_criterion_create(&criterion, NULL, "obs:damping=0.02"));
    for (int g = 0; g < 5; g++) {
        prune_granularity *granularity;
        prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(ROWS, N));
        prune_scores *scores;
        OK(prune_granularity_create(&granularity, NULL, granularities[g]));
        OK(prune_criterion_score(&scores, criterion, weights, o, granularity));
        const double *got = prune_tensor_const_data(prune_scores_values(scores));
        int64_t units = prune_tensor_count(prune_scores_values(scores));
        for (int64_t u = 0; u < units; u++) {
            /* Scores that are 1 but for this unit make selection take it alone, from pools of any kind. */
            uint8_t keep[ROWS * N];
            const int64_t *grid = prune_tensor_shape(prune_scores_values(scores));
            int64_t high = ROWS / grid[0] + (ROWS % grid[0] != 0), wide = N / grid[1];
            for (int64_t i = 0; i < ROWS * N; i++)
                keep[i] = i / N / high * grid[1] + i % N / wide != u;
            double *copy = normal(ROWS * N, 8);
            prune_tensor *repaired = borrow(copy, PRUNE_F64, 2, SHAPE(ROWS, N));
            prune_mask *mask = mask_of(keep, ROWS, N);
            prune_repair *report;
            OK(prune_recovery_repair(repaired, recovery, mask, o, &report));
            double due = fact(report, PRUNE_REPAIR_PREDICTED);
            ck_assert_msg(fabs(got[u] - due) <= 1e-10 * (1 + due), "%s unit %d: %.17g, not %.17g", granularities[g],
                          (int)u, got[u], due);
            prune_repair_free(report);
            prune_mask_free(mask);
            prune_tensor_free(repaired);
            free(copy);
        }
        prune_scores_free(scores);
        prune_granularity_free(granularity);
        prune_tensor_free(weights);
    }
    prune_criterion_free(criterion);
    prune_recovery_free(recovery);
    prune_observations_free(o);
    free(x), free(w);
}
END_TEST

START_TEST(an_inverse_in_blocks_ranks_as_the_blocks_do)
{
    enum { N = 40, SAMPLES = 100 };
    double *x = correlated(SAMPLES, N, 7), *w = normal(N, 8);
    prune_observations *o = observe_inputs(NULL, x, SAMPLES, N);
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(1, N)), *part;
    prune_granularity *element = cut("element");
    prune_criterion *narrow, *whole;
    prune_scores *scores, *due;
    /* 4096 bytes hold the inverses of blocks of 12 columns. */
    OK(prune_criterion_create(&narrow, NULL, "obs:damping=0,memory=4096"));
    OK(prune_criterion_create(&whole, NULL, "obs:damping=0"));
    OK(prune_criterion_score(&scores, narrow, weights, o, element));
    const double *got = prune_tensor_const_data(prune_scores_values(scores));
    for (int64_t first = 0; first < N; first += 12) {
        int64_t count = N - first < 12 ? N - first : 12;
        double *cut_out = malloc(sizeof *cut_out * (size_t)(SAMPLES * count));
        for (int64_t i = 0; i < SAMPLES * count; i++)
            cut_out[i] = x[i / count * N + first + i % count];
        prune_observations *block = observe_inputs(NULL, cut_out, SAMPLES, count);
        OK(prune_tensor_slice(&part, weights, 1, first, count, 1));
        OK(prune_criterion_score(&due, whole, part, block, element));
        const double *blocks = prune_tensor_const_data(prune_scores_values(due));
        for (int64_t i = 0; i < count; i++)
            ck_assert_double_eq_tol(got[first + i], blocks[i], 1e-12 * (1 + blocks[i]));
        prune_scores_free(due);
        prune_tensor_free(part);
        prune_observations_free(block);
        free(cut_out);
    }
    prune_scores_free(scores);
    prune_criterion_free(narrow), prune_criterion_free(whole);
    prune_granularity_free(element);
    prune_tensor_free(weights);
    prune_observations_free(o);
    free(x), free(w);
}
END_TEST

/* Prunes a copy; returns its error, and the mask's bytes. */
static double prune_by(const char *spec, const char *granularity, int32_t target, double amount, const double *w,
                       int64_t rows, int64_t n, const prune_observations *o, uint8_t *keep)
{
    double *copy = malloc(sizeof *copy * (size_t)(rows * n));
    memcpy(copy, w, sizeof *copy * (size_t)(rows * n));
    prune_tensor *weights = borrow(copy, PRUNE_F64, 2, SHAPE(rows, n));
    prune_granularity *g = cut(granularity);
    prune_recovery *recovery;
    prune_mask *mask;
    prune_repair *report;
    OK(prune_recovery_create(&recovery, NULL, spec));
    ck_assert_int_eq(prune_recovery_chooses(recovery), 1);
    OK(prune_recovery_prune(weights, &mask, recovery, g, target, amount, o, &report));
    OK(prune_mask_to_bytes(mask, keep, rows * n));
    for (int64_t i = 0; i < rows * n; i++)
        ck_assert(keep[i] || (copy[i] == 0 && !signbit(copy[i])));
    double error = fact(report, PRUNE_REPAIR_ERROR);
    ck_assert_double_eq_tol(error, fact(report, PRUNE_REPAIR_PREDICTED), 1e-9 * (1 + error));
    prune_repair_free(report);
    prune_recovery_free(recovery);
    prune_granularity_free(g);
    prune_mask_free(mask);
    prune_tensor_free(weights);
    free(copy);
    return error;
}

START_TEST(exact_finds_the_best_of_the_six_pairs)
{
    const double h[] = {1, .5, .5, 0, .5, 1, .5, .5, .5, .5, 1, .5, 0, .5, .5, 1}, w[] = {.3, -.4, .9, .5};
    prune_observations *o = observe_hessian(h, 4);
    uint8_t keep[4];
    double error = prune_by("exact:damping=0", "element:pool=row", PRUNE_KEEP, 2, w, 1, 4, o, keep);
    ck_assert_double_eq_tol(error, .13 / 3, 1e-12);
    ck_assert(!keep[0] && !keep[1] && keep[2] && keep[3]);
    error = prune_by("exact:damping=0", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0, w, 1, 4, o, keep);
    ck_assert_double_eq_tol(error, .13 / 3, 1e-12);
    error = prune_by("exact:damping=0", "element", PRUNE_SPARSITY, .75, w, 1, 4, o, keep);
    ck_assert_double_eq_tol(error, .07, 1e-12);
    prune_observations_free(o);
}
END_TEST

/* Against every mask of 8 columns, by the repair itself; and the ordering of magnitude, obs and exact. */
START_TEST(nothing_is_better_than_exact)
{
    enum { ROWS = 3, N = 8, SAMPLES = 24, SEEDS = 6 };
    double magnitude = 0, ranked = 0, best = 0;
    prune_recovery *recovery;
    OK(prune_recovery_create(&recovery, NULL, "obs:damping=0"));
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double *x = correlated(SAMPLES, N, seed), *w = normal(ROWS * N, seed + 50), least[ROWS], sum = 0, nm = 0;
        uint8_t keep[ROWS * N];
        prune_observations *o = observe_inputs(NULL, x, SAMPLES, N);
        for (int nm_groups = 0; nm_groups < 2; nm_groups++) {
            for (int r = 0; r < ROWS; r++)
                least[r] = INFINITY;
            for (int bits = 0; bits < 256; bits++) {
                int left = 0, right = 0;
                for (int j = 0; j < N; j++) {
                    *(j < 4 ? &left : &right) += bits >> j & 1;
                    for (int r = 0; r < ROWS; r++)
                        keep[r * N + j] = (uint8_t)(bits >> j & 1);
                }
                if (left + right != 4 || (nm_groups && left != 2))
                    continue;
                for (int r = 0; r < ROWS; r++) {
                    double row[N];
                    prune_repair *report;
                    memcpy(row, w + r * N, sizeof row);
                    prune_tensor *weights = borrow(row, PRUNE_F64, 2, SHAPE(1, N));
                    prune_mask *mask = mask_of(keep, 1, N);
                    OK(prune_recovery_repair(weights, recovery, mask, o, &report));
                    double error = fact(report, PRUNE_REPAIR_ERROR);
                    least[r] = error < least[r] ? error : least[r];
                    prune_repair_free(report);
                    prune_mask_free(mask);
                    prune_tensor_free(weights);
                }
            }
            sum = 0;
            for (int r = 0; r < ROWS; r++)
                sum += least[r];
            double found =
                nm_groups ? prune_by("exact:damping=0", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0, w, ROWS, N, o, keep)
                          : prune_by("exact:damping=0", "element:pool=row", PRUNE_SPARSITY, .5, w, ROWS, N, o, keep);
            ck_assert_double_eq_tol(found, sum, 1e-9 * sum);
            nm = nm_groups ? found : nm;
            best += nm_groups ? 0 : found;
        }
        ck_assert(nm >= 0);
        ranked += prune_by("obs:damping=0", "element:pool=row", PRUNE_SPARSITY, .5, w, ROWS, N, o, keep);
        prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(ROWS, N));
        prune_mask *mask = prune(weights, "l1", "element:pool=row", PRUNE_SPARSITY, .5);
        prune_repair *report;
        OK(prune_recovery_repair(weights, recovery, mask, o, &report));
        magnitude += fact(report, PRUNE_REPAIR_PLAIN_ERROR);
        prune_repair_free(report);
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_observations_free(o);
        free(x), free(w);
    }
    ck_assert_msg(magnitude > ranked && ranked > best, "magnitude %g, obs %g, best %g", magnitude, ranked, best);
    prune_recovery_free(recovery);
}
END_TEST

static void expect_refused(const char *spec, const char *granularity, int32_t target, double amount, int64_t rows,
                           int64_t n, int32_t status, const char *word)
{
    double *x = correlated(2 * n, n, 3), *w = normal(rows * n, 4), *before = normal(rows * n, 4);
    prune_observations *o = observe_inputs(NULL, x, 2 * n, n);
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(rows, n));
    prune_granularity *g = cut(granularity);
    prune_recovery *recovery;
    prune_mask *mask = UNTOUCHED;
    prune_repair *report = UNTOUCHED;
    OK(prune_recovery_create(&recovery, NULL, spec));
    FAILS(prune_recovery_prune(weights, &mask, recovery, g, target, amount, o, &report), status, word);
    ck_assert(mask == UNTOUCHED && report == UNTOUCHED);
    ck_assert(memcmp(w, before, sizeof *w * (size_t)(rows * n)) == 0);
    prune_recovery_free(recovery);
    prune_granularity_free(g);
    prune_tensor_free(weights);
    prune_observations_free(o);
    free(x), free(w), free(before);
}

START_TEST(exact_names_what_is_too_much)
{
    expect_refused("exact", "element:pool=row", PRUNE_KEEP, 1, 1, 22, PRUNE_E_UNSUPPORTED, "21 weights of row 0");
    expect_refused("exact", "element:pool=row", PRUNE_KEEP, 20, 2, 40, PRUNE_E_UNSUPPORTED,
                   "row 0 has about 137846528820");
    expect_refused("exact", "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0, 2, 28, PRUNE_E_UNSUPPORTED, "about 279936 ways");
    expect_refused("exact", "element", PRUNE_SPARSITY, .5, 2, 4, PRUNE_E_UNSUPPORTED, "rows 0 and 1");
    expect_refused("exact", "row", PRUNE_SPARSITY, .5, 2, 4, PRUNE_E_UNSUPPORTED, "more than one weight");
    expect_refused("exact", "nm:keep_n=2,group_m=4", PRUNE_SPARSITY, .5, 2, 4, PRUNE_E_ARGUMENT, "quota");
    expect_refused("obs", "element", PRUNE_SPARSITY, 1.5, 2, 4, PRUNE_E_ARGUMENT, "1.5");
    double w[] = {1, 2}, x[] = {1, 0, 0, 1};
    prune_observations *o = observe_inputs(NULL, x, 2, 2);
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(1, 2));
    prune_mask *mask = mask_of((const uint8_t[]){1, 0}, 1, 2);
    prune_recovery *recovery;
    OK(prune_recovery_create(&recovery, NULL, "exact"));
    ck_assert_int_eq(prune_recovery_repairs(recovery), 0);
    FAILS(prune_recovery_repair(weights, recovery, mask, o, NULL), PRUNE_E_UNSUPPORTED, "prune_recovery_prune");
    ck_assert(w[1] == 2);
    prune_recovery_free(recovery);
    prune_mask_free(mask);
    prune_tensor_free(weights);
    prune_observations_free(o);
}
END_TEST

START_TEST(choosing_survives_without_memory)
{
    enum { ROWS = 2, N = 8, SAMPLES = 20 };
    static const char *const specs[] = {"obs", "exact"};
    struct allocator a;
    double *x = correlated(SAMPLES, N, 3);
    for (int m = 0; m < 2; m++) {
        prune_context *context = counted_context(&a);
        prune_observations *o = observe_inputs(context, x, SAMPLES, N);
        double *w = normal(ROWS * N, 4);
        prune_tensor *weights;
        prune_mask *mask;
        prune_granularity *g;
        prune_recovery *recovery;
        OK(prune_tensor_borrow(&weights, context, w, PRUNE_F64, 2, SHAPE(ROWS, N), NULL));
        OK(prune_granularity_create(&g, context, "nm:keep_n=2,group_m=4"));
        OK(prune_recovery_create(&recovery, context, specs[m]));
        SURVIVES(&a, &mask, prune_recovery_prune(weights, &mask, recovery, g, PRUNE_QUOTA, 0, o, NULL));
        prune_mask_free(mask);
        prune_recovery_free(recovery);
        prune_granularity_free(g);
        prune_tensor_free(weights);
        prune_observations_free(o);
        prune_context_free(context);
        ck_assert_int_eq(a.live, 0);
        free(w);
    }
    free(x);
}
END_TEST

START_TEST(the_criterion_refuses_what_it_cannot_use)
{
    double x[] = {1, 1, 1, 1}, w[] = {1, 2};
    prune_observations *o = observe_inputs(NULL, x, 2, 2), *norms;
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(1, 2)), *tall = borrow(w, PRUNE_F64, 2, SHAPE(2, 1));
    prune_granularity *element = cut("element");
    prune_criterion *criterion, *plain;
    prune_scores *scores = UNTOUCHED;
    OK(prune_observations_create(&norms, NULL, PRUNE_OBSERVE_INPUT_NORMS));
    OK(prune_criterion_create(&criterion, NULL, "obs"));
    OK(prune_criterion_create(&plain, NULL, "obs:damping=0"));
    FAILS(prune_criterion_score(&scores, plain, weights, o, element), PRUNE_E_VALUE, "the pivot of column 1 is ");
    FAILS(prune_criterion_score(&scores, criterion, tall, o, element), PRUNE_E_SHAPE, "inputs of 2 numbers");
    FAILS(prune_criterion_score(&scores, criterion, weights, NULL, element), PRUNE_E_ARGUMENT, "criterion obs");
    FAILS(prune_criterion_score(&scores, criterion, weights, norms, element), PRUNE_E_ARGUMENT, "Gram");
    w[1] = NAN;
    FAILS(prune_criterion_score(&scores, criterion, weights, o, element), PRUNE_E_VALUE, "(0, 1)");
    ck_assert_ptr_eq(scores, UNTOUCHED);
    w[1] = INFINITY;
    OK(prune_criterion_score(&scores, criterion, weights, o, element));
    ck_assert(isinf(((const double *)prune_tensor_const_data(prune_scores_values(scores)))[1]));
    prune_scores_free(scores);
    prune_criterion_free(criterion), prune_criterion_free(plain);
    prune_granularity_free(element);
    prune_tensor_free(weights), prune_tensor_free(tall);
    prune_observations_free(o), prune_observations_free(norms);
}
END_TEST

TEST_MAIN("OBS chooses", scores_of_the_published_examples, scores_of_units_are_what_their_removal_costs,
          an_inverse_in_blocks_ranks_as_the_blocks_do, exact_finds_the_best_of_the_six_pairs,
          nothing_is_better_than_exact, exact_names_what_is_too_much, choosing_survives_without_memory,
          the_criterion_refuses_what_it_cannot_use)
