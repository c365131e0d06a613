/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Optimal Brain Surgeon: the published examples, what it promises, and what it refuses.
 */
#include <math.h>

#include "allocator.h"
#include "quadratics.h"

/* sum over samples and rows of ((a - b) x)^2 */
static double outputs_differ(const double *a, const double *b, int64_t rows, int64_t n, const double *x,
                             int64_t samples)
{
    double total = 0;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t s = 0; s < samples; s++) {
            double sum = 0;
            for (int64_t j = 0; j < n; j++)
                sum += (a[r * n + j] - b[r * n + j]) * x[s * n + j];
            total += sum * sum;
        }
    return total;
}

/* Repairs one row for a mask by both methods; the row and the error due. */
static void expect_repair(const double *h, int64_t n, const double *w, const uint8_t *keep, const double *due,
                          double error)
{
    static const char *const specs[] = {"obs:damping=0", "obs:method=greedy,damping=0", "obs:damping=0,memory=4096"};
    for (int m = 0; m < 3; m++) {
        double row[8];
        prune_observations *o = observe_hessian(h, n);
        prune_recovery *recovery;
        prune_repair *report;
        memcpy(row, w, sizeof *row * (size_t)n);
        prune_tensor *weights = borrow(row, PRUNE_F64, 2, SHAPE(1, n));
        prune_mask *mask = mask_of(keep, 1, n);
        OK(prune_recovery_create(&recovery, NULL, specs[m]));
        OK(prune_recovery_repair(weights, recovery, mask, o, &report));
        for (int64_t j = 0; j < n; j++) {
            ck_assert_msg(fabs(row[j] - due[j]) <= 1e-12, "weight %d is %.17g, not %.17g", (int)j, row[j], due[j]);
            if (!keep[j])
                ck_assert(row[j] == 0 && !signbit(row[j]));
        }
        ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_PREDICTED), error, 1e-12);
        ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_ERROR), error, 1e-12);
        prune_repair_free(report);
        prune_recovery_free(recovery);
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_observations_free(o);
    }
}

START_TEST(hassibi_stork_two_weights)
{
    const double h[] = {4, 2, 2, 3}, w[] = {1, -1};
    expect_repair(h, 2, w, (const uint8_t[]){1, 0}, (const double[]){.5, 0}, 1);
    expect_repair(h, 2, w, (const uint8_t[]){0, 1}, (const double[]){0, -1.0 / 3}, 4.0 / 3);
}
END_TEST

START_TEST(three_ways_to_differ)
{
    const double h[] = {2, 0, 0, 0, 1, .95, 0, .95, 1}, w[] = {.9, 1, 1};
    expect_repair(h, 3, w, (const uint8_t[]){1, 0, 1}, (const double[]){.9, 0, 1.95}, .04875);
    expect_repair(h, 3, w, (const uint8_t[]){0, 1, 1}, (const double[]){0, 1, 1}, .81);
}
END_TEST

START_TEST(the_tridiagonal_example)
{
    const double h[] = {4, 1, 0, 1, 3, 1, 0, 1, 2}, w[] = {1, -2, 3};
    expect_repair(h, 3, w, (const uint8_t[]){0, 1, 1}, (const double[]){0, -8.0 / 5, 14.0 / 5}, 9.0 / 5);
    expect_repair(h, 3, w, (const uint8_t[]){0, 0, 1}, (const double[]){0, 0, 2}, 5);
}
END_TEST

START_TEST(the_four_weight_example_and_its_six_pairs)
{
    const double h[] = {1, .5, .5, 0, .5, 1, .5, .5, .5, .5, 1, .5, 0, .5, .5, 1}, w[] = {.3, -.4, .9, .5};
    const double losses[] = {.13 / 3, .39, .19 / 3, .2425, .07, 1.51 / 3};
    expect_repair(h, 4, w, (const uint8_t[]){0, 0, 1, 1}, (const double[]){0, 0, 2.9 / 3, .8 / 3}, .13 / 3);
    for (int a = 0, pair = 0; a < 4; a++)
        for (int b = a + 1; b < 4; b++, pair++) {
            double row[] = {.3, -.4, .9, .5};
            uint8_t keep[] = {1, 1, 1, 1};
            keep[a] = keep[b] = 0;
            prune_observations *o = observe_hessian(h, 4);
            prune_tensor *weights = borrow(row, PRUNE_F64, 2, SHAPE(1, 4));
            prune_mask *mask = mask_of(keep, 1, 4);
            prune_recovery *recovery;
            prune_repair *report;
            OK(prune_recovery_create(&recovery, NULL, "obs:damping=0"));
            OK(prune_recovery_repair(weights, recovery, mask, o, &report));
            ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_ERROR), losses[pair], 1e-5);
            if (pair == 0)
                ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_PLAIN_ERROR), .065, 1e-12);
            prune_repair_free(report);
            prune_recovery_free(recovery);
            prune_mask_free(mask);
            prune_tensor_free(weights);
            prune_observations_free(o);
        }
    /* Three gone, as another program's counting has it. */
    expect_repair(h, 4, w, (const uint8_t[]){0, 0, 1, 0}, (const double[]){0, 0, 1.1, 0}, .07);
}
END_TEST

/* Random layers, random masks of several kinds: predicted is the true increase, within 1e-10 of it; every method and
 * every memory gives the same weights; nothing beats it nearby. */
START_TEST(predicted_loss_is_the_true_increase)
{
    static const char *const specs[] = {"obs:damping=0", "obs:damping=0,method=greedy", "obs:damping=0,memory=4096"};
    static const int64_t sizes[][2] = {{1, 1}, {3, 5}, {40, 33}, {5, 70}, {2, 130}};
    for (size_t z = 0; z < sizeof sizes / sizeof *sizes; z++)
        for (int kind = 0; kind < 3; kind++) {
            int64_t rows = sizes[z][0], n = sizes[z][1], samples = 2 * n + 5;
            double *x = correlated(samples, n, 3), *before = normal(rows * n, 4), *first = NULL;
            uint8_t *keep = malloc((size_t)(rows * n));
            for (int64_t i = 0; i < rows * n; i++)
                keep[i] = kind == 0   ? pr_rng_at(9, (uint64_t)i) < 0.5
                          : kind == 1 ? pr_rng_at(9, (uint64_t)(i % n)) < 0.5
                                      : i / n % 2 == 0;
            prune_mask *mask = mask_of(keep, rows, n);
            prune_observations *o = observe_inputs(NULL, x, samples, n);
            for (int m = 0; m < 3; m++) {
                double *w = normal(rows * n, 4);
                prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(rows, n));
                prune_recovery *recovery;
                prune_repair *report;
                OK(prune_recovery_create(&recovery, NULL, specs[m]));
                OK(prune_recovery_repair(weights, recovery, mask, o, &report));
                double truth = outputs_differ(w, before, rows, n, x, samples);
                double predicted = fact(report, PRUNE_REPAIR_PREDICTED);
                ck_assert_double_eq_tol(predicted, truth, 1e-10 * truth + 1e-20);
                ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_ERROR), truth, 1e-10 * truth + 1e-20);
                ck_assert(fact(report, PRUNE_REPAIR_PLAIN_ERROR) >= truth * (1 - 1e-12));
                ck_assert(fact(report, PRUNE_REPAIR_SAMPLES) == (double)samples);
                ck_assert(fact(report, PRUNE_REPAIR_CONDITION) >= 1);
                for (int64_t i = 0; i < rows * n; i++) {
                    if (!keep[i])
                        ck_assert(w[i] == 0 && !signbit(w[i]));
                    if (first)
                        ck_assert_double_eq_tol(w[i], first[i], 1e-7);
                }
                /* A change of one kept weight, up or down, makes it worse. */
                for (int64_t i = 0; i < rows * n; i += 7)
                    for (double nudge = -1e-3; keep[i] && nudge < 2e-3; nudge += 2e-3) {
                        w[i] += nudge;
                        ck_assert(outputs_differ(w, before, rows, n, x, samples) > truth);
                        w[i] -= nudge;
                    }
                if (first)
                    free(w);
                else
                    first = w;
                prune_repair_free(report);
                prune_recovery_free(recovery);
                prune_tensor_free(weights);
            }
            free(first), free(x), free(before), free(keep);
            prune_mask_free(mask);
            prune_observations_free(o);
        }
}
END_TEST

START_TEST(every_type_any_strides_any_threads)
{
    enum { ROWS = 12, COLUMNS = 20, SAMPLES = 50 };
    static const int32_t types[] = {PRUNE_F32, PRUNE_F16, PRUNE_BF16, PRUNE_F64};
    double *x = correlated(SAMPLES, COLUMNS, 3), *w = normal(ROWS * COLUMNS, 4);
    uint8_t keep[ROWS * COLUMNS];
    for (int64_t i = 0; i < ROWS * COLUMNS; i++)
        keep[i] = pr_rng_at(9, (uint64_t)i) < 0.5;
    for (int t = 0; t < 4; t++) {
        prune_tensor *kept[2];
        for (int threads = 1; threads <= 4; threads += 3) {
            prune_context *context;
            prune_tensor *plain, *turned, *weights, *shown;
            prune_recovery *recovery;
            prune_mask *mask;
            OK(prune_context_create(&context));
            OK(prune_context_set_threads(context, threads));
            OK(prune_tensor_borrow(&plain, context, w, PRUNE_F64, 2, SHAPE(ROWS, COLUMNS), NULL));
            /* Column-major weights of 4 axes. */
            OK(prune_tensor_create(&turned, context, types[t], 4, SHAPE(2, 2, 5, ROWS)));
            OK(prune_tensor_permute(&weights, turned, (const int32_t[]){3, 1, 2, 0}));
            OK(prune_tensor_reshape(&shown, plain, 4, SHAPE(ROWS, 2, 5, 2)));
            OK(prune_tensor_copy(weights, shown));
            OK(prune_mask_from_bytes(&mask, context, 4, SHAPE(ROWS, 2, 5, 2), keep, ROWS * COLUMNS));
            prune_observations *o = observe_inputs(context, x, SAMPLES, COLUMNS);
            OK(prune_recovery_create(&recovery, context, "obs"));
            OK(prune_recovery_repair(weights, recovery, mask, o, NULL));
            OK(prune_tensor_convert(&kept[threads > 1], weights, PRUNE_F64));
            prune_tensor_free(plain), prune_tensor_free(turned), prune_tensor_free(weights), prune_tensor_free(shown);
            prune_mask_free(mask);
            prune_observations_free(o);
            prune_recovery_free(recovery);
            prune_context_free(context);
        }
        const double *a = prune_tensor_const_data(kept[0]), *b = prune_tensor_const_data(kept[1]);
        for (int64_t i = 0; i < ROWS * COLUMNS; i++) {
            ck_assert_double_eq_tol(a[i], b[i], 1e-13);
            ck_assert(keep[i] || a[i] == 0);
        }
        prune_tensor_free(kept[0]), prune_tensor_free(kept[1]);
    }
    free(x), free(w);
}
END_TEST

/* A dead column's kept weights stay as they are, with damping and without. */
START_TEST(dead_columns_are_counted_and_left_alone)
{
    enum { N = 6, SAMPLES = 20 };
    double *x = correlated(SAMPLES, N, 5), w[N] = {1, 2, 3, 4, 5, 6};
    for (int64_t i = 0; i < SAMPLES; i++)
        x[i * N + 1] = x[i * N + 4] = 0;
    for (int m = 0; m < 3; m++) {
        const char *spec[] = {"obs:damping=0", "obs:damping=0.5", "obs:damping=0,method=greedy"};
        double row[N];
        prune_recovery *recovery;
        prune_repair *report;
        memcpy(row, w, sizeof row);
        prune_observations *o = observe_inputs(NULL, x, SAMPLES, N);
        prune_tensor *weights = borrow(row, PRUNE_F64, 2, SHAPE(1, N));
        prune_mask *mask = mask_of((const uint8_t[]){0, 1, 1, 1, 0, 1}, 1, N);
        OK(prune_recovery_create(&recovery, NULL, spec[m]));
        OK(prune_recovery_repair(weights, recovery, mask, o, &report));
        ck_assert(row[1] == 2 && row[4] == 0 && row[2] != 3);
        ck_assert(fact(report, PRUNE_REPAIR_DEAD_COLUMNS) == 2);
        ck_assert(m == 1 ? fact(report, PRUNE_REPAIR_DAMPING) > 0 : fact(report, PRUNE_REPAIR_DAMPING) == 0);
        prune_repair_free(report);
        prune_recovery_free(recovery);
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_observations_free(o);
    }
    free(x);
}
END_TEST

/* One refused call: status, word, the weights as they were, the report untouched. */
static void expect_refused(const char *spec, double *w, int64_t rows, int64_t n, const prune_mask *mask,
                           const prune_observations *o, int32_t status, const char *word)
{
    double before[256];
    prune_repair *report = UNTOUCHED;
    prune_recovery *recovery;
    memcpy(before, w, sizeof *w * (size_t)(rows * n));
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(rows, n));
    OK(prune_recovery_create(&recovery, NULL, spec));
    FAILS(prune_recovery_repair(weights, recovery, mask, o, &report), status, word);
    ck_assert(memcmp(before, w, sizeof *w * (size_t)(rows * n)) == 0);
    ck_assert_ptr_eq(report, UNTOUCHED);
    prune_recovery_free(recovery);
    prune_tensor_free(weights);
}

START_TEST(singular_without_damping_is_refused)
{
    enum { N = 8, SAMPLES = 3 };
    double *x = correlated(SAMPLES, N, 5), w[2 * N] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t keep[2 * N] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1};
    prune_observations *o = observe_inputs(NULL, x, SAMPLES, N);
    prune_mask *mask = mask_of(keep, 2, N);
    expect_refused("obs:damping=0", w, 2, N, mask, o, PRUNE_E_VALUE, "row 1, the weights that stay");
    expect_refused("obs:damping=0", w, 2, N, mask, o, PRUNE_E_VALUE, "the pivot of column 3 is ");
    expect_refused("obs:damping=0,method=greedy", w, 2, N, mask, o, PRUNE_E_VALUE, "not positive definite");
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, N));
    prune_recovery *recovery;
    OK(prune_recovery_create(&recovery, NULL, "obs"));
    OK(prune_recovery_repair(weights, recovery, mask, o, NULL));
    prune_recovery_free(recovery);
    prune_tensor_free(weights);
    prune_mask_free(mask);
    prune_observations_free(o);
    free(x);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
    enum { N = 8, SAMPLES = 20 };
    double *x = correlated(SAMPLES, N, 5), w[2 * N] = {1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t keep[2 * N] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1};
    prune_observations *o = observe_inputs(NULL, x, SAMPLES, N), *fewer = observe_inputs(NULL, x, SAMPLES, N - 1);
    prune_observations *none, *other;
    prune_mask *mask = mask_of(keep, 2, N), *narrow = mask_of(keep, 2, N - 1);
    OK(prune_observations_create(&none, NULL, PRUNE_OBSERVE_GRAM));
    OK(prune_observations_create(&other, NULL, PRUNE_OBSERVE_INPUT_NORMS));
    expect_refused("obs", w, 2, N, narrow, o, PRUNE_E_SHAPE, "[2, 7]");
    expect_refused("obs", w, 2, N, mask, fewer, PRUNE_E_SHAPE, "inputs of 7 numbers");
    expect_refused("obs", w, 2, N, mask, none, PRUNE_E_ARGUMENT, "obs");
    expect_refused("obs", w, 2, N, mask, other, PRUNE_E_ARGUMENT, "Gram");
    expect_refused("obs", w, 2, N, mask, NULL, PRUNE_E_ARGUMENT, "obs");
    w[3] = NAN;
    expect_refused("obs", w, 2, N, mask, o, PRUNE_E_VALUE, "(0, 3)");
    w[3] = 4;
    w[9] = -INFINITY;
    expect_refused("obs", w, 2, N, mask, o, PRUNE_E_VALUE, "(1, 1), is infinite");
    w[9] = 2;
    prune_recovery *recovery;
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, N)), *flat = borrow(w, PRUNE_F64, 1, SHAPE(2 * N));
    prune_mask *line, *chosen = UNTOUCHED;
    prune_granularity *element;
    int64_t whole[2 * N] = {0};
    prune_tensor *integers = borrow(whole, PRUNE_I64, 2, SHAPE(2, N));
    OK(prune_mask_create(&line, NULL, 1, SHAPE(2 * N), 1));
    OK(prune_granularity_create(&element, NULL, "element"));
    OK(prune_recovery_create(&recovery, NULL, "obs"));
    FAILS(prune_recovery_repair(integers, recovery, mask, o, NULL), PRUNE_E_DTYPE, "i64");
    FAILS(prune_recovery_repair(flat, recovery, line, o, NULL), PRUNE_E_SHAPE, "rank 1");
    FAILS(prune_recovery_repair(NULL, recovery, mask, o, NULL), PRUNE_E_ARGUMENT, "weights is NULL");
    FAILS(prune_recovery_repair(weights, NULL, mask, o, NULL), PRUNE_E_ARGUMENT, "recovery is NULL");
    FAILS(prune_recovery_repair(weights, recovery, NULL, o, NULL), PRUNE_E_ARGUMENT, "mask is NULL");
    FAILS(prune_recovery_prune(weights, NULL, recovery, element, PRUNE_SPARSITY, .5, o, NULL), PRUNE_E_ARGUMENT,
          "mask is NULL");
    ck_assert_ptr_eq(chosen, UNTOUCHED);
    prune_recovery_free(recovery);
    prune_tensor_free(weights), prune_tensor_free(flat), prune_tensor_free(integers);
    prune_mask_free(mask), prune_mask_free(narrow), prune_mask_free(line);
    prune_granularity_free(element);
    prune_observations_free(o), prune_observations_free(fewer);
    prune_observations_free(none), prune_observations_free(other);
    free(x);
}
END_TEST

/* What F16 cannot hold is refused, not stored as infinity. */
START_TEST(a_result_beyond_the_type_is_refused)
{
    double x[] = {1, 1, 1e-4, 0}, w[] = {60000, 60000};
    prune_observations *o = observe_inputs(NULL, x, 2, 2);
    prune_tensor *wide = borrow(w, PRUNE_F64, 2, SHAPE(1, 2)), *weights;
    prune_mask *mask = mask_of((const uint8_t[]){0, 1}, 1, 2);
    prune_recovery *recovery;
    OK(prune_tensor_convert(&weights, wide, PRUNE_F16));
    const uint16_t *bits = prune_tensor_const_data(weights), first = bits[0], second = bits[1];
    OK(prune_recovery_create(&recovery, NULL, "obs:damping=0"));
    FAILS(prune_recovery_repair(weights, recovery, mask, o, NULL), PRUNE_E_VALUE, "(0, 1) is no number that f16");
    ck_assert(bits[0] == first && bits[1] == second);
    OK(prune_recovery_repair(wide, recovery, mask, o, NULL));
    ck_assert_double_eq_tol(w[1], 120000, 1e-6);
    prune_recovery_free(recovery);
    prune_tensor_free(weights), prune_tensor_free(wide);
    prune_mask_free(mask);
    prune_observations_free(o);
}
END_TEST

/* Every allocation may fail: nothing is lost, nothing changed. What is taken stays within what the report says, and
 * that within the memory that was given and some vectors. */
START_TEST(memory_runs_out_and_is_kept_to)
{
    enum { ROWS = 7, N = 100, SAMPLES = 150 };
    static const char *const specs[] = {"obs", "obs:method=greedy", "obs:memory=8192", "obs:method=greedy,memory=8192",
                                        "obs:memory=90000"};
    struct allocator a;
    double *x = correlated(SAMPLES, N, 3);
    uint8_t keep[ROWS * N];
    for (int64_t i = 0; i < ROWS * N; i++)
        keep[i] = pr_rng_at(9, (uint64_t)i) < 0.5;
    for (int m = 0; m < 5; m++) {
        prune_context *context = counted_context(&a);
        prune_observations *o = observe_inputs(context, x, SAMPLES, N);
        double *w = normal(ROWS * N, 4), *before = normal(ROWS * N, 4);
        prune_tensor *weights;
        prune_mask *mask;
        prune_recovery *recovery;
        prune_repair *report;
        OK(prune_tensor_borrow(&weights, context, w, PRUNE_F64, 2, SHAPE(ROWS, N), NULL));
        OK(prune_mask_from_bytes(&mask, context, 2, SHAPE(ROWS, N), keep, ROWS * N));
        OK(prune_recovery_create(&recovery, context, specs[m]));
        for (int64_t fail = 0;; fail++) {
            int64_t live = a.live;
            a.fail_at = a.calls + fail;
            report = UNTOUCHED;
            int32_t status = prune_recovery_repair(weights, recovery, mask, o, &report);
            if (status == PRUNE_OK)
                break;
            ck_assert_int_eq(status, PRUNE_E_NOMEM);
            ck_assert_ptr_eq(report, UNTOUCHED);
            ck_assert_int_eq(a.live, live);
            ck_assert(memcmp(w, before, sizeof *w * ROWS * N) == 0);
        }
        a.fail_at = -1;
        double memory = fact(report, PRUNE_REPAIR_MEMORY), error = fact(report, PRUNE_REPAIR_ERROR);
        prune_repair_free(report);
        memcpy(w, before, sizeof *w * ROWS * N);
        a.peak = a.bytes;
        int64_t start = a.bytes;
        OK(prune_recovery_repair(weights, recovery, mask, o, NULL));
        double taken = (double)(a.peak - start) - ROWS * N * 8;
        ck_assert_msg(taken <= memory + 1024, "%s: %g bytes taken, %g reported", specs[m], taken, memory);
        double vectors = 100.0 * N * 8 + 100 * ROWS;
        ck_assert(memory <= (m < 2 ? 2.0 * N * N * 8 : m == 4 ? 90000 : 8192) + vectors);
        double truth = outputs_differ(w, before, ROWS, N, x, SAMPLES);
        ck_assert_double_eq_tol(truth, error, 1e-9 * error);
        prune_recovery_free(recovery);
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_observations_free(o);
        prune_context_free(context);
        ck_assert_int_eq(a.live, 0);
        free(w), free(before);
    }
    free(x);
}
END_TEST

START_TEST(specs_and_reports)
{
    prune_recovery *recovery = UNTOUCHED;
    prune_repair *report;
    double value = 7, w[] = {1, 2}, x[] = {1, 0, 0, 1};
    FAILS(prune_recovery_create(&recovery, NULL, "obd"), PRUNE_E_SPEC, "obs");
    FAILS(prune_recovery_create(&recovery, NULL, "obs:damping=-1"), PRUNE_E_SPEC, "damping");
    FAILS(prune_recovery_create(&recovery, NULL, "obs:memory=0"), PRUNE_E_SPEC, "memory");
    FAILS(prune_recovery_create(&recovery, NULL, "obs:method=fast"), PRUNE_E_SPEC, "greedy");
    FAILS(prune_recovery_create(NULL, NULL, "obs"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_recovery_create(&recovery, NULL, NULL), PRUNE_E_ARGUMENT, "spec");
    ck_assert_ptr_eq(recovery, UNTOUCHED);
    OK(prune_recovery_create(&recovery, NULL, "obs:method=greedy,damping=0.0001"));
    ck_assert_str_eq(prune_recovery_spec(recovery), "obs:method=greedy");
    ck_assert_int_eq(prune_recovery_needs(recovery), PRUNE_OBSERVE_GRAM);
    ck_assert_int_eq(prune_recovery_repairs(recovery), 1);
    ck_assert_int_eq(prune_recovery_needs(NULL), 0);
    ck_assert_int_eq(prune_recovery_repairs(NULL), 0);
    ck_assert_int_eq(prune_recovery_chooses(NULL), 0);
    ck_assert_ptr_null(prune_recovery_spec(NULL));
    prune_observations *o = observe_inputs(NULL, x, 2, 2);
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(1, 2));
    prune_mask *mask = mask_of((const uint8_t[]){1, 1}, 1, 2);
    OK(prune_recovery_repair(weights, recovery, mask, o, &report));
    ck_assert(w[0] == 1 && w[1] == 2 && fact(report, PRUNE_REPAIR_ERROR) == 0);
    FAILS(prune_repair_get(report, 0, &value), PRUNE_E_ARGUMENT, "1 to 8");
    FAILS(prune_repair_get(report, 9, &value), PRUNE_E_ARGUMENT, "9");
    FAILS(prune_repair_get(NULL, 1, &value), PRUNE_E_ARGUMENT, "report");
    ck_assert(value == 7);
    prune_repair_free(NULL), prune_recovery_free(NULL);
    prune_repair_free(report), prune_recovery_free(recovery);
    prune_tensor_free(weights);
    prune_mask_free(mask);
    prune_observations_free(o);
}
END_TEST

TEST_MAIN("recover obs", hassibi_stork_two_weights, three_ways_to_differ, the_tridiagonal_example,
          the_four_weight_example_and_its_six_pairs, predicted_loss_is_the_true_increase,
          every_type_any_strides_any_threads, dead_columns_are_counted_and_left_alone,
          singular_without_damping_is_refused, what_does_not_fit_is_refused, a_result_beyond_the_type_is_refused,
          memory_runs_out_and_is_kept_to, specs_and_reports)
