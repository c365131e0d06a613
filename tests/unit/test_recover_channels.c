/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Least squares of what stays, and the choice of input channels.
 */
#include <math.h>

#include "allocator.h"
#include "base/rng.h"
#include "core/recover/pick.h"
#include "pruning.h"

/* Columns z1 = (1,0,1,0), z2 = (0,.4,0,.4), y = z1 + z2, N = 4: beta = (1 - 2 l, 1 - 12.5 l)+. */
START_TEST(lasso_of_two_channels_shrinks_by_2_and_by_12_5_lambda)
{
    static const double q[] = {2, 0, 0, 0.32}, p[] = {2, 0.32};
    static const double cases[][3] = {{0.05, 0.9, 0.375}, {0.1, 0.8, 0}, {0.5, 0, 0}};
    const struct pr_contributions z = {.count = 2, .n = 4, .q = q, .p = p};
    for (int i = 0; i < 3; i++) {
        double beta[2] = {0, 0}, slope[2];
        pr_lasso(&z, cases[i][0], beta, slope);
        ck_assert_double_eq_tol(beta[0], cases[i][1], 1e-12);
        ck_assert_double_eq_tol(beta[1], cases[i][2], 1e-12);
        ck_assert((beta[0] == 0) == (i == 2) && (beta[1] == 0) == (i > 0)); /* 0 is 0 */
    }
    uint8_t stay[2];
    OK(pr_pick_lasso(&z, 1, 0.1, 0, stay));
    ck_assert(stay[0] == 1 && stay[1] == 0);
}
END_TEST

/* Contributions [[1,.1,-.2],[2,-.1,.2]], two go: 5, .02 and .08 alone, then {2,3} .02. */
START_TEST(thinet_removes_channels_2_and_3)
{
    static const double x[2][3] = {{1, 0.1, -0.2}, {2, -0.1, 0.2}};
    double q[9], p[3] = {0};
    uint8_t stay[3];
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            q[i * 3 + j] = x[0][i] * x[0][j] + x[1][i] * x[1][j];
            p[i] += q[i * 3 + j];
        }
    ck_assert_double_eq_tol(q[0], 5, 1e-15);
    ck_assert_double_eq_tol(q[4], 0.02, 1e-15);
    ck_assert_double_eq_tol(q[8], 0.08, 1e-15);
    ck_assert_double_eq_tol(q[4] + 2 * q[1] + q[0], 4.82, 1e-14);
    const struct pr_contributions z = {.count = 3, .n = 2, .q = q, .p = p};
    OK(pr_pick_thinet(&z, 2, stay));
    ck_assert(stay[0] && !stay[1] && stay[2]);
    OK(pr_pick_thinet(&z, 1, stay));
    ck_assert(stay[0] && !stay[1] && !stay[2]);
    double factor[3], added, condition = 0;
    OK(pr_closing_scale(&z, stay, 0, factor, &added, &condition));
    ck_assert_double_eq_tol(condition, 1, 1e-12);
    ck_assert_double_eq_tol(factor[0], p[0] / 5, 1e-14);
    ck_assert(added == 0 && factor[1] == 1 && factor[2] == 1);
}
END_TEST

/* What goes second is what makes up best for the first, (.5, 0): (-1, .45) leaves (-.5, .45), (0, .77) more. */
START_TEST(thinet_takes_what_cancels_with_what_has_gone)
{
    static const double z[4][2] = {{9, 9}, {0.5, 0}, {-1, 0.45}, {0, 0.77}};
    double q[16], p[4] = {0};
    uint8_t stay[4];
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++)
            q[i * 4 + j] = z[i][0] * z[j][0] + z[i][1] * z[j][1];
    const struct pr_contributions c = {.count = 4, .n = 2, .q = q, .p = p};
    OK(pr_pick_thinet(&c, 2, stay));
    ck_assert(stay[0] && !stay[1] && !stay[2] && stay[3]);
}
END_TEST

/* A layer, its inputs, and what is observed of them. */
struct layer {
    int64_t rows, in, samples;
    double *w, *x;
    prune_tensor *weights;
    prune_observations *observations;
};

static void observe(prune_observations **o, const double *x, int64_t samples, int64_t in)
{
    prune_tensor *inputs = borrow(x, PRUNE_F64, 2, SHAPE(samples, in));
    OK(prune_observations_create(o, NULL, PRUNE_OBSERVE_GRAM));
    OK(prune_observations_feed(*o, PRUNE_INPUTS, inputs));
    prune_tensor_free(inputs);
}

/* Correlated inputs: few hidden numbers behind many, channels of different strength. */
static struct layer make_layer(uint64_t seed, int64_t rows, int64_t in, int64_t samples)
{
    struct layer l = {.rows = rows, .in = in, .samples = samples};
    struct pr_rng rng;
    double hidden[6];
    pr_rng_seed(&rng, seed);
    l.w = malloc((size_t)(rows * in) * sizeof *l.w);
    l.x = malloc((size_t)(samples * in) * sizeof *l.x);
    double *mix = malloc((size_t)(6 * in) * sizeof *mix);
    for (int64_t i = 0; i < rows * in; i++)
        l.w[i] = 2 * pr_rng_uniform(&rng) - 1;
    for (int64_t i = 0; i < 6 * in; i++)
        mix[i] = 2 * pr_rng_uniform(&rng) - 1;
    for (int64_t s = 0; s < samples; s++) {
        for (int k = 0; k < 6; k++)
            hidden[k] = 2 * pr_rng_uniform(&rng) - 1;
        for (int64_t j = 0; j < in; j++) {
            double sum = 0.4 * (2 * pr_rng_uniform(&rng) - 1);
            for (int k = 0; k < 6; k++)
                sum += hidden[k] * mix[k * in + j];
            l.x[s * in + j] = sum * (double)(1 + j % 3);
        }
    }
    free(mix);
    l.weights = borrow(l.w, PRUNE_F64, 2, SHAPE(rows, in));
    observe(&l.observations, l.x, samples, in);
    return l;
}

static void free_layer(struct layer *l)
{
    prune_tensor_free(l->weights);
    prune_observations_free(l->observations);
    free(l->w);
    free(l->x);
}

/* |Y - X W'|^2; y NULL: the outputs of `before`. */
static double error_of(const struct layer *l, const double *y, const double *before, const double *after)
{
    double error = 0;
    for (int64_t s = 0; s < l->samples; s++)
        for (int64_t o = 0; o < l->rows; o++) {
            double sum = y ? y[s * l->rows + o] : 0;
            for (int64_t j = 0; j < l->in; j++)
                sum += l->x[s * l->in + j] * ((y ? 0 : before[o * l->in + j]) - after[o * l->in + j]);
            error += sum * sum;
        }
    return error;
}

static prune_recovery *recovery(const char *spec)
{
    prune_recovery *r;
    OK(prune_recovery_create(&r, NULL, spec));
    return r;
}

static double fact(const prune_repair *report, int32_t what)
{
    double value;
    OK(prune_repair_get(report, what, &value));
    return value;
}

/* Prunes a copy of the layer; returns the error by definition, and checks the report against it. */
static double prune_copy(const struct layer *l, const char *spec, const char *granularity, int64_t keep,
                         const double *y, const prune_observations *observations, double *after)
{
    prune_tensor *copy;
    prune_mask *mask;
    prune_repair *report;
    prune_recovery *r = recovery(spec);
    prune_granularity *g = cut(granularity);
    OK(prune_tensor_convert(&copy, l->weights, PRUNE_F64));
    OK(prune_recovery_prune(copy, &mask, r, g, PRUNE_KEEP, (double)keep, observations, &report));
    ck_assert_int_eq(prune_mask_kept(mask), keep * l->rows);
    expect_check(granularity, mask, 1, -1);
    const double *w = prune_tensor_const_data(copy);
    for (int64_t i = 0; i < l->rows * l->in; i++)
        if (!kept(mask, i) && (w[i] != 0 || signbit(w[i])))
            ck_abort_msg("pruned weight %lld is %g", (long long)i, w[i]);
    double error = error_of(l, y, l->w, w);
    ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_ERROR), error, 1e-8 * (1 + error));
    if (after)
        memcpy(after, w, (size_t)(l->rows * l->in) * sizeof *after);
    prune_repair_free(report);
    prune_mask_free(mask);
    prune_tensor_free(copy);
    prune_granularity_free(g);
    prune_recovery_free(r);
    return error;
}

#define ROWS 5
#define IN 10
#define SAMPLES 60

/* Of random masks, without and with targets, with and without damping: never above what pruning alone costs. */
START_TEST(least_squares_never_makes_the_error_grow)
{
    static const char *const specs[] = {"least-squares", "least-squares:damping=0", "least-squares:damping=10",
                                        "least-squares:memory=4096"};
    struct pr_rng rng;
    pr_rng_seed(&rng, 7);
    int better = 0;
    for (int trial = 0; trial < 60; trial++) {
        struct layer l = make_layer((uint64_t)trial, ROWS, IN, SAMPLES);
        double joint[SAMPLES * (IN + ROWS)], y[SAMPLES * ROWS];
        for (int s = 0; s < SAMPLES; s++) {
            for (int o = 0; o < ROWS; o++) {
                y[s * ROWS + o] = pr_rng_uniform(&rng) - 0.5;
                for (int j = 0; j < IN; j++)
                    y[s * ROWS + o] += l.w[o * IN + j] * l.x[s * IN + j] * (1 + 0.3 * sin(j + o));
            }
            memcpy(joint + s * (IN + ROWS), l.x + s * IN, IN * sizeof *joint);
            memcpy(joint + s * (IN + ROWS) + IN, y + s * ROWS, ROWS * sizeof *joint);
        }
        prune_observations *with_targets;
        observe(&with_targets, joint, SAMPLES, IN + ROWS);
        prune_mask *mask;
        OK(prune_mask_create(&mask, NULL, 2, SHAPE(ROWS, IN), 1));
        for (int i = 0; i < ROWS * IN; i++)
            OK(prune_mask_set(mask, i, pr_rng_below(&rng, 3) > 0));
        for (int k = 0; k < 8; k++) {
            int targets = k >= 4;
            prune_tensor *copy, *plain;
            prune_repair *report;
            prune_recovery *r = recovery(specs[k % 4]);
            OK(prune_tensor_convert(&copy, l.weights, PRUNE_F64));
            OK(prune_tensor_convert(&plain, l.weights, PRUNE_F64));
            OK(prune_mask_apply(mask, plain));
            OK(prune_recovery_repair(copy, r, mask, targets ? with_targets : l.observations, &report));
            double before = error_of(&l, targets ? y : NULL, l.w, prune_tensor_const_data(plain));
            double after = error_of(&l, targets ? y : NULL, l.w, prune_tensor_const_data(copy));
            ck_assert_msg(after <= before * (1 + 1e-12), "%s: %g grows to %g", specs[k % 4], before, after);
            better += after < 0.9 * before;
            ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_ERROR), after, 1e-8 * (1 + after));
            ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_PLAIN_ERROR), before, 1e-8 * (1 + before));
            if (k % 4 == 1) /* without damping the promise is the truth, and no direction is downhill */
                ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_PREDICTED), after, 1e-8 * (1 + after));
            prune_repair_free(report);
            prune_recovery_free(r);
            prune_tensor_free(plain);
            prune_tensor_free(copy);
        }
        prune_mask_free(mask);
        prune_observations_free(with_targets);
        free_layer(&l);
    }
    ck_assert_int_gt(better, 300);
}
END_TEST

/* At the least-squares solution the residual is orthogonal to every input that stays: X_K'(Y - X W') = 0. */
START_TEST(least_squares_leave_a_residual_orthogonal_to_what_stays)
{
    static const char *const specs[] = {"least-squares:damping=0", "least-squares:damping=0,memory=4096"};
    enum { MANY = 40, FEW = 3, N = 120 };
    struct layer l = make_layer(5, FEW, MANY, N);
    double *joint = malloc(N * (MANY + FEW) * sizeof *joint);
    for (int s = 0; s < N; s++) {
        memcpy(joint + s * (MANY + FEW), l.x + s * MANY, MANY * sizeof *joint);
        for (int o = 0; o < FEW; o++)
            joint[s * (MANY + FEW) + MANY + o] = cos(s * (o + 1));
    }
    prune_observations *o;
    observe(&o, joint, N, MANY + FEW);
    prune_mask *mask =
        prune_f32((const float[FEW *MANY]){0}, 2, SHAPE(FEW, MANY), "random:seed=1", "element", PRUNE_SPARSITY, 0.5);
    for (int k = 0; k < 2; k++) { /* 40 columns do not fit 4096 bytes: block by block */
        prune_tensor *copy;
        prune_repair *report;
        prune_recovery *r = recovery(specs[k]);
        OK(prune_tensor_convert(&copy, l.weights, PRUNE_F64));
        OK(prune_recovery_repair(copy, r, mask, o, &report));
        const double *w = prune_tensor_const_data(copy);
        for (int row = 0; row < FEW; row++)
            for (int j = 0; j < MANY; j++) {
                double sum = 0, size = 0;
                for (int s = 0; s < N; s++) {
                    double y = joint[s * (MANY + FEW) + MANY + row];
                    for (int i = 0; i < MANY; i++)
                        y -= w[row * MANY + i] * l.x[s * MANY + i];
                    sum += y * l.x[s * MANY + j];
                    size += fabs(y * l.x[s * MANY + j]);
                }
                if (kept(mask, row * MANY + j))
                    ck_assert_double_eq_tol(sum, 0, 1e-8 * size);
            }
        prune_repair_free(report);
        prune_recovery_free(r);
        prune_tensor_free(copy);
    }
    prune_mask_free(mask);
    prune_observations_free(o);
    free(joint);
    free_layer(&l);
}
END_TEST

/* After keeping channel 1, least squares gives 1.0 and a residual of .32. */
START_TEST(least_squares_of_channel_1_gives_1_and_residual_0_32)
{
    static const double x[] = {1, 0, 0, 0.4, 1, 0, 0, 0.4};
    static const char *const specs[] = {"lasso:damping=0", "thinet:damping=0", "subset",
                                        "thinet:close=least-squares,damping=0", "thinet:close=nothing"};
    prune_observations *o;
    observe(&o, x, 4, 2);
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        double w[] = {1, 1};
        prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(1, 2));
        prune_recovery *r = recovery(specs[i]);
        prune_granularity *g = cut("column");
        prune_mask *mask;
        prune_repair *report;
        OK(prune_recovery_prune(weights, &mask, r, g, PRUNE_SPARSITY, 0.5, o, &report));
        expect_mask(mask, "10");
        ck_assert_double_eq_tol(w[0], 1, 1e-14);
        ck_assert(w[1] == 0);
        ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_ERROR), 0.32, 1e-14);
        ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_PREDICTED), 0.32, 1e-14);
        prune_repair_free(report);
        prune_granularity_free(g);
        prune_recovery_free(r);
        prune_tensor_free(weights);
    }
    prune_observations_free(o);
}
END_TEST

/* How far the heuristics are from the best subset, c <= 10; none is better. */
START_TEST(heuristics_against_the_best_subset)
{
    static const char *const specs[] = {"lasso:damping=0", "lasso:damping=0,rounds=4",
                                        "thinet:close=least-squares,damping=0"};
    double worst[3] = {0}, mean[3] = {0};
    int cases = 0;
    for (int trial = 0; trial < 40; trial++) {
        struct layer l = make_layer((uint64_t)(100 + trial), ROWS, IN, SAMPLES);
        for (int64_t keep = 3; keep <= 7; keep += 2, cases++) {
            double best = prune_copy(&l, "subset", "in-channel", keep, NULL, l.observations, NULL);
            for (int k = 0; k < 3; k++) {
                double error = prune_copy(&l, specs[k], "in-channel", keep, NULL, l.observations, NULL);
                ck_assert_double_ge(error, best * (1 - 1e-9));
                worst[k] = fmax(worst[k], error / best);
                mean[k] += error / best;
            }
        }
        free_layer(&l);
    }
    for (int k = 0; k < 3; k++) {
        printf("# %s: error over the best subset's, mean %.3f, worst %.3f of %d\n", specs[k], mean[k] / cases, worst[k],
               cases);
        ck_assert_double_lt(mean[k] / cases, 1.5);
    }
}
END_TEST

/* The error(first k) > error(L1 magnitude) > error(LASSO and least squares). */
START_TEST(first_k_costs_more_than_l1_and_that_more_than_lasso)
{
    double first = 0, l1 = 0, lasso = 0, rounds = 0;
    for (int trial = 0; trial < 50; trial++) {
        enum { CHANNELS = 24, OUT = 12, KEEP = 12 };
        struct layer l = make_layer((uint64_t)(200 + trial), OUT, CHANNELS, 200);
        double cut_off[OUT * CHANNELS];
        memcpy(cut_off, l.w, sizeof cut_off);
        for (int i = 0; i < OUT * CHANNELS; i++)
            cut_off[i] = i % CHANNELS < KEEP ? l.w[i] : 0;
        first += error_of(&l, NULL, l.w, cut_off);
        memcpy(cut_off, l.w, sizeof cut_off);
        prune_mask *mask = prune(l.weights, "l1", "in-channel", PRUNE_KEEP, KEEP);
        prune_tensor *view = borrow(cut_off, PRUNE_F64, 2, SHAPE(OUT, CHANNELS));
        OK(prune_mask_apply(mask, view));
        l1 += error_of(&l, NULL, l.w, cut_off);
        prune_tensor_free(view);
        prune_mask_free(mask);
        lasso += prune_copy(&l, "lasso", "in-channel", KEEP, NULL, l.observations, NULL);
        rounds += prune_copy(&l, "lasso:rounds=5", "in-channel", KEEP, NULL, l.observations, NULL);
        free_layer(&l);
    }
    printf("# first k %.4g, l1 %.4g, lasso %.4g, five rounds %.4g\n", first / 50, l1 / 50, lasso / 50, rounds / 50);
    ck_assert_double_gt(first, l1);
    ck_assert_double_gt(l1, lasso);
}
END_TEST

/* Channels of a convolution are kh x kw columns each; the window of the search. */
START_TEST(channels_of_a_convolution_go_as_a_whole)
{
    enum { OUT = 3, CHANNELS = 20, TAPS = 4, COLUMNS = CHANNELS * TAPS };
    struct layer l = make_layer(9, OUT, COLUMNS, 400);
    prune_tensor *weights = borrow(l.w, PRUNE_F64, 4, SHAPE(OUT, CHANNELS, 2, 2));
    prune_granularity *g = cut("in-channel");
    static const char *const specs[] = {"lasso", "lasso:count=window", "thinet", "lasso:memory=4096",
                                        "thinet:memory=4096"};
    double kept_first = 0;
    for (int i = 0; i < 5; i++) {
        prune_tensor *copy;
        prune_mask *mask;
        prune_repair *report;
        prune_recovery *r = recovery(specs[i]);
        OK(prune_tensor_convert(&copy, weights, PRUNE_F32));
        OK(prune_recovery_prune(copy, &mask, r, g, PRUNE_KEEP, 10, l.observations, &report));
        int64_t channels = prune_mask_kept(mask) / (OUT * TAPS);
        ck_assert(i == 1 ? channels >= 10 && channels <= 11 : channels == 10);
        expect_check("in-channel", mask, 1, -1);
        ck_assert_double_lt(fact(report, PRUNE_REPAIR_ERROR), fact(report, PRUNE_REPAIR_PLAIN_ERROR));
        if (i == 0)
            kept_first = fact(report, PRUNE_REPAIR_ERROR);
        if (i == 3) /* less memory, the same channels, the same end */
            ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_ERROR), kept_first, 1e-3 * kept_first);
        prune_repair_free(report);
        prune_mask_free(mask);
        prune_recovery_free(r);
        prune_tensor_free(copy);
    }
    prune_granularity_free(g);
    prune_tensor_free(weights);
    free_layer(&l);
}
END_TEST

START_TEST(what_cannot_be_done_is_refused_and_changes_nothing)
{
    struct layer l = make_layer(11, ROWS, IN, SAMPLES), few = make_layer(12, ROWS, IN, 4);
    double before[ROWS * IN];
    memcpy(before, l.w, sizeof before);
    prune_granularity *column = cut("column"), *element = cut("element");
    prune_recovery *lasso = recovery("lasso:damping=0"), *fit = recovery("least-squares:damping=0");
    prune_recovery *subset = recovery("subset"), *damped = recovery("least-squares");
    prune_mask *mask = UNTOUCHED, *all;
    prune_repair *report = UNTOUCHED;
    prune_observations *other, *empty;
    observe(&other, l.x, 10, IN + 1);
    OK(prune_observations_create(&empty, NULL, PRUNE_OBSERVE_GRAM));
    OK(prune_mask_create(&all, NULL, 2, SHAPE(ROWS, IN), 1));
    for (int i = 0; i < ROWS * IN; i += 3)
        OK(prune_mask_set(all, i, 0));
    FAILS(prune_recovery_prune(l.weights, &mask, lasso, element, PRUNE_KEEP, 3, l.observations, &report),
          PRUNE_E_UNSUPPORTED, "granularity element must be in-channel or column");
    FAILS(prune_recovery_prune(l.weights, &mask, lasso, column, PRUNE_THRESHOLD, 3, l.observations, &report),
          PRUNE_E_ARGUMENT, "threshold");
    FAILS(prune_recovery_prune(l.weights, &mask, lasso, column, PRUNE_KEEP, 11, l.observations, &report),
          PRUNE_E_ARGUMENT, "11");
    FAILS(prune_recovery_prune(l.weights, &mask, lasso, column, PRUNE_KEEP, 3, other, &report), PRUNE_E_SHAPE,
          "inputs of 11 numbers");
    FAILS(prune_recovery_prune(l.weights, &mask, lasso, column, PRUNE_KEEP, 3, empty, &report), PRUNE_E_ARGUMENT,
          "0 samples");
    /* Fewer samples than columns: singular. */
    FAILS(prune_recovery_prune(l.weights, &mask, lasso, column, PRUNE_KEEP, 8, few.observations, &report),
          PRUNE_E_VALUE, "pivot");
    FAILS(prune_recovery_prune(l.weights, &mask, subset, column, PRUNE_KEEP, 8, few.observations, &report),
          PRUNE_E_VALUE, "pivot");
    FAILS(prune_recovery_repair(l.weights, fit, all, few.observations, &report), PRUNE_E_VALUE, "pivot");
    FAILS(prune_recovery_repair(l.weights, lasso, all, l.observations, &report), PRUNE_E_UNSUPPORTED, "lasso");
    ck_assert(mask == UNTOUCHED && report == UNTOUCHED && !memcmp(before, l.w, sizeof before));
    l.w[7] = NAN;
    FAILS(prune_recovery_prune(l.weights, &mask, lasso, column, PRUNE_KEEP, 3, l.observations, &report), PRUNE_E_VALUE,
          "NaN");
    l.w[7] = before[7];
    prune_recovery *bad = UNTOUCHED;
    FAILS(prune_recovery_create(&bad, NULL, "lasso:rounds=0"), PRUNE_E_SPEC, "rounds");
    FAILS(prune_recovery_create(&bad, NULL, "thinet:close=never"), PRUNE_E_SPEC, "never");
    ck_assert(bad == UNTOUCHED);
    /* With damping, too few samples are no hindrance. */
    OK(prune_recovery_repair(l.weights, damped, all, few.observations, &report));
    ck_assert_double_gt(fact(report, PRUNE_REPAIR_DAMPING), 0);
    ck_assert_double_eq(fact(report, PRUNE_REPAIR_SAMPLES), 4);
    prune_repair_free(report);
    /* Too many subsets. */
    struct layer wide = make_layer(13, 1, 40, 50);
    prune_granularity *in = cut("in-channel");
    FAILS(prune_recovery_prune(wide.weights, &mask, subset, in, PRUNE_KEEP, 20, wide.observations, NULL),
          PRUNE_E_UNSUPPORTED, "20 of 40 channels");
    prune_granularity_free(in);
    free_layer(&wide);
    prune_mask_free(all);
    prune_observations_free(empty);
    prune_observations_free(other);
    prune_recovery_free(damped);
    prune_recovery_free(subset);
    prune_recovery_free(fit);
    prune_recovery_free(lasso);
    prune_granularity_free(element);
    prune_granularity_free(column);
    free_layer(&few);
    free_layer(&l);
}
END_TEST

/* Dead inputs, all channels or none, and memory that runs out. */
START_TEST(edges_of_channel_selection)
{
    static const char *const specs[] = {"lasso", "thinet", "subset:damping=0.0001", "lasso:rounds=3"};
    struct layer l = make_layer(21, ROWS, IN, SAMPLES);
    for (int s = 0; s < SAMPLES; s++)
        l.x[s * IN + 4] = 0;
    prune_observations_free(l.observations);
    observe(&l.observations, l.x, SAMPLES, IN);
    for (int i = 0; i < 4; i++) {
        double after[ROWS * IN];
        ck_assert_double_eq(prune_copy(&l, specs[i], "column", IN, NULL, l.observations, after), 0);
        ck_assert(!memcmp(after, l.w, sizeof after));
        ck_assert_double_gt(prune_copy(&l, specs[i], "column", 0, NULL, l.observations, NULL), 1);
        ck_assert_double_lt(prune_copy(&l, specs[i], "column", IN - 1, NULL, l.observations, after), 1e-20);
        ck_assert(after[4] == 0 && fabs(after[3] - l.w[3]) < 1e-10); /* the dead one goes first */
    }
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_granularity *column = cut("column");
    for (int i = 0; i < 4; i++) {
        prune_recovery *r = recovery(specs[i]);
        prune_tensor *weights;
        prune_mask *mask;
        double w[ROWS * IN];
        memcpy(w, l.w, sizeof w);
        OK(prune_tensor_borrow(&weights, context, w, PRUNE_F64, 2, SHAPE(ROWS, IN), NULL));
        SURVIVES(&allocator, &mask,
                 prune_recovery_prune(weights, &mask, r, column, PRUNE_KEEP, 5, l.observations, NULL));
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_recovery_free(r);
    }
    ck_assert_int_eq(allocator.live, 0);
    prune_granularity_free(column);
    prune_context_free(context);
    free_layer(&l);
}
END_TEST

TEST_MAIN("recover channels", lasso_of_two_channels_shrinks_by_2_and_by_12_5_lambda, thinet_removes_channels_2_and_3,
          thinet_takes_what_cancels_with_what_has_gone, least_squares_never_makes_the_error_grow,
          least_squares_leave_a_residual_orthogonal_to_what_stays, least_squares_of_channel_1_gives_1_and_residual_0_32,
          heuristics_against_the_best_subset, first_k_costs_more_than_l1_and_that_more_than_lasso,
          channels_of_a_convolution_go_as_a_whole, what_cannot_be_done_is_refused_and_changes_nothing,
          edges_of_channel_selection)
