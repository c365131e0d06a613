/* SPDX-License-Identifier: BSD-2-Clause
 *
 * SparseGPT, OBC and mask swaps: published numbers, identities, and how they compare.
 */
#include "second_order.h"

#define NEAR(a, b, tolerance) ck_assert_double_eq_tol(a, b, tolerance)

/* ---- Numbers of the papers ---- */

/* H, of the loss 1/2 dw' H dw; the Gram matrix that gives the same error without a half is H / 2. */
static const double four_h[16] = {1, .5, .5, 0, .5, 1, .5, .5, .5, .5, 1, .5, 0, .5, .5, 1};
static const double four_w[4] = {.3, -.4, .9, .5};

static void halve(const double *h, int64_t count, double *gram)
{
    for (int64_t i = 0; i < count; i++)
        gram[i] = h[i] / 2;
}

/* One row that is to keep `kept` weights ends as `due`, what is 0 there exactly so, with this loss. */
static void expect_row(int method, int32_t dtype, int64_t n, const double *h, const double *w0, double kept,
                       const double *due, double loss)
{
    double gram[16], w[4], tolerance = dtype == PRUNE_F32 ? 1e-6 : 1e-12;
    halve(h, n * n, gram);
    struct recovery r = recovery_of(method, 1, n, w0, gram, w, NULL);
    want(&r, "element", PRUNE_KEEP, kept);
    r.dtype = dtype;
    OK(recover(&r));
    NEAR(r.error, loss, tolerance);
    NEAR(r.predicted, loss, tolerance);
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(due[i] == 0 ? w[i] == 0 : fabs(w[i] - due[i]) <= tolerance, "weight %d is %.17g, not %.17g",
                      (int)i, w[i], due[i]);
}

#define DUE(...) ((const double[]){__VA_ARGS__})

START_TEST(obc_loses_225_and_then_208_ten_thousandths)
{
    expect_row(OBC, PRUNE_F64, 4, four_h, four_w, 3, DUE(0, -.25, 1.05, .35), .0225);
    expect_row(OBC, PRUNE_F64, 4, four_h, four_w, 2, DUE(0, 0, 2.9 / 3, .8 / 3), .0225 + .0625 / 3);
}
END_TEST

START_TEST(sparsegpt_finds_the_best_of_six_pairs)
{
    double gram[16], w[4];
    uint8_t keep[4];
    halve(four_h, 16, gram);
    for (int32_t dtype = PRUNE_F32; dtype; dtype = dtype == PRUNE_F32 ? PRUNE_F64 : 0)
        expect_row(SPARSEGPT, dtype, 4, four_h, four_w, 2, DUE(0, 0, 2.9 / 3, .8 / 3), .13 / 3);
    static const struct {
        int a, b;
        double loss;
    } pairs[6] = {{0, 1, .0433333}, {0, 2, .39}, {0, 3, .0633333}, {1, 2, .2425}, {1, 3, .07}, {2, 3, .5033333}};
    for (int i = 0; i < 6; i++) {
        struct recovery r = recovery_of(OBC, 1, 4, four_w, gram, w, keep);
        memset(keep, 1, 4);
        keep[pairs[i].a] = keep[pairs[i].b] = 0;
        OK(recover(&r));
        NEAR(r.error, pairs[i].loss, 1e-7);
    }
}
END_TEST

/* The authors' program prunes one more. Its sweep cannot make up to the left; the best that is possible with the same
 * mask is 0.07. */
START_TEST(sparsegpt_counting_as_its_authors_prunes_three_of_four)
{
    double gram[16], w[4];
    uint8_t keep[4];
    halve(four_h, 16, gram);
    struct recovery r = recovery_of(SPARSEGPT, 1, 4, four_w, gram, w, keep);
    want(&r, "element", PRUNE_SPARSITY, .5);
    r.reference = 1;
    OK(recover(&r));
    ck_assert_mem_eq(keep, ((uint8_t[4]){0, 0, 1, 0}), 4);
    NEAR(w[2], .966666666667, 1e-11);
    NEAR(r.error, .0788888888889, 1e-12);
    struct recovery exact = recovery_of(OBC, 1, 4, four_w, gram, w, keep);
    OK(recover(&exact));
    NEAR(w[2], 1.1, 1e-12);
    NEAR(exact.error, .07, 1e-12);
    r.amount = 1;
    OK(recover(&r));
    ck_assert_int_eq(count_kept(keep, 4), 0);
    want(&r, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0);
    FAILS(recover(&r), PRUNE_E_ARGUMENT, "count=reference");
}
END_TEST

START_TEST(magnitude_loses_65_thousandths)
{
    double gram[16], w[4];
    uint8_t keep[4];
    halve(four_h, 16, gram);
    struct recovery r = recovery_of(SWAPS, 1, 4, four_w, gram, w, keep);
    want(&r, "element", PRUNE_SPARSITY, .5);
    r.mask = PR_MASK_L1;
    OK(recover(&r));
    NEAR(r.error, .065, 1e-12);
}
END_TEST

START_TEST(obc_removes_0_and_1_of_the_tridiagonal_three)
{
    const double h[9] = {4, 1, 0, 1, 3, 1, 0, 1, 2}, w[3] = {1, -2, 3};
    expect_row(OBC, PRUNE_F64, 3, h, w, 2, DUE(0, -8. / 5, 14. / 5), 9. / 5);
    expect_row(OBC, PRUNE_F64, 3, h, w, 1, DUE(0, 0, 2), 5);
}
END_TEST

START_TEST(obc_removes_what_obs_removes)
{
    const double two_h[4] = {4, 2, 2, 3}, two_w[2] = {1, -1};
    const double three_h[9] = {2, 0, 0, 0, 1, .95, 0, .95, 1}, three_w[3] = {.9, 1, 1};
    expect_row(OBC, PRUNE_F64, 2, two_h, two_w, 1, DUE(.5, 0), 1);
    expect_row(OBC, PRUNE_F64, 3, three_h, three_w, 2, DUE(.9, 0, 1.95), .04875);
}
END_TEST

/* ---- Identities ---- */

START_TEST(sparsegpt_of_a_diagonal_matrix_is_wanda_without_an_update)
{
    enum { ROWS = 7, N = 24 };
    static const struct {
        const char *granularity;
        int32_t target;
        double amount;
    } cases[] = {{"element", PRUNE_SPARSITY, .45},
                 {"element:pool=row", PRUNE_SPARSITY, .5},
                 {"nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0},
                 {"nm:keep_n=1,group_m=5,unit_rows=2", PRUNE_QUOTA, 0},
                 {"column", PRUNE_KEEP, 10}};
    double gram[N * N] = {0}, w0[ROWS * N], own[ROWS * N], wanda[ROWS * N];
    uint8_t own_keep[ROWS * N], wanda_keep[ROWS * N];
    struct pr_rng rng;
    pr_rng_seed(&rng, 5);
    for (int j = 0; j < N; j++)
        gram[j * N + j] = 0.01 + 9 * pr_rng_uniform(&rng);
    random_weights(&rng, ROWS * N, w0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct recovery r = recovery_of(SPARSEGPT, ROWS, N, w0, gram, own, own_keep);
        want(&r, cases[i].granularity, cases[i].target, cases[i].amount);
        int shared = strstr(cases[i].granularity, "unit_rows") || !strcmp(cases[i].granularity, "column");
        OK(recover(&r));
        for (int j = 0; j < ROWS * N; j++)
            ck_assert(own[j] == (own_keep[j] ? w0[j] : 0));
        if (shared)
            continue; /* sums of squares there, sums of magnitudes in Wanda */
        r.mask = PR_MASK_WANDA;
        r.out = wanda;
        r.keep = wanda_keep;
        OK(recover(&r));
        ck_assert_mem_eq(own_keep, wanda_keep, ROWS * N);
    }
}
END_TEST

START_TEST(losses_add_up_to_the_error)
{
    enum { ROWS = 13, N = 45 };
    static const char *const granularities[] = {"element",
                                                "element:pool=row",
                                                "nm:keep_n=2,group_m=4",
                                                "nm:keep_n=2,group_m=4,unit_rows=4",
                                                "nm:keep_n=3,group_m=7",
                                                "column",
                                                "filter"};
    double gram[N * N], w0[ROWS * N], w[ROWS * N];
    uint8_t keep[ROWS * N];
    random_layer(11, 200, ROWS, N, gram, w0);
    for (size_t i = 0; i < sizeof granularities / sizeof *granularities; i++)
        for (int method = SPARSEGPT; method <= OBC; method++) {
            int nm = granularities[i][0] == 'n';
            struct recovery r = recovery_of(method, ROWS, N, w0, gram, w, keep);
            want(&r, granularities[i], nm ? PRUNE_QUOTA : PRUNE_SPARSITY, nm ? 0 : .5);
            r.block = 16;
            prune_granularity *granularity;
            prune_mask *mask;
            int32_t holds = 0;
            OK(recover(&r));
            double error = layer_error(ROWS, N, gram, w0, w);
            NEAR(r.error / error, 1, 1e-10);
            NEAR(r.predicted / error, 1, 1e-9);
            for (int j = 0; j < ROWS * N; j++)
                ck_assert(keep[j] || (w[j] == 0 && !signbit(w[j])));
            OK(prune_granularity_create(&granularity, NULL, granularities[i]));
            OK(prune_mask_from_bytes(&mask, NULL, 2, (int64_t[]){ROWS, N}, keep, ROWS * N));
            OK(prune_granularity_check(granularity, mask, &holds, NULL));
            ck_assert_int_eq(holds, 1);
            if (!strncmp(granularities[i], "element", 7))
                ck_assert_int_eq(count_kept(keep, ROWS * N), i == 0 ? ROWS * N - 293 : ROWS * (N - 23));
            /* The same mask, exactly: OBC cannot be beaten, and is what its own choice has led to. */
            struct recovery exact = recovery_of(OBC, ROWS, N, w0, gram, w, keep);
            OK(recover(&exact));
            if (method == OBC)
                NEAR(exact.error / error, 1, 1e-9);
            else
                ck_assert(exact.error <= error * (1 + 1e-9));
            prune_mask_free(mask);
            prune_granularity_free(granularity);
        }
}
END_TEST

/* A unit of OBC that is wider than one column, against the closed form: w_S (A_SS)^-1 w_S'. */
START_TEST(a_unit_of_two_columns_costs_what_the_group_form_says)
{
    enum { N = 6 };
    double gram[N * N], w0[N], w[N];
    random_layer(3, 50, 1, N, gram, w0);
    double best = INFINITY;
    int pair = -1;
    for (int p = 0; p < N / 2; p++) {
        uint8_t keep[N];
        memset(keep, 1, N);
        keep[2 * p] = keep[2 * p + 1] = 0;
        struct recovery r = recovery_of(OBC, 1, N, w0, gram, w, keep);
        OK(recover(&r));
        if (r.error < best) {
            best = r.error;
            pair = p;
        }
    }
    const int64_t shape[3] = {1, N / 2, 2};
    prune_granularity *column;
    prune_tensor *weights;
    struct pr_quadratic problem;
    OK(prune_granularity_create(&column, NULL, "column"));
    OK(prune_tensor_borrow(&weights, NULL, w0, PRUNE_F64, 3, shape, NULL));
    OK(pr_quadratic_make(&problem, NULL, weights, gram, N, 0, PRUNE_F64));
    OK(pr_obc(&problem, &(struct pr_wanted){column, PRUNE_KEEP, N / 2 - 1}));
    NEAR(problem.predicted / best, 1, 1e-10);
    ck_assert_int_eq(problem.keep[2 * pair] + problem.keep[2 * pair + 1], 0);
    ck_assert_int_eq(count_kept(problem.keep, N), N - 2);
    pr_quadratic_free(&problem);
    prune_tensor_free(weights);
    prune_granularity_free(column);
}
END_TEST

START_TEST(every_block_of_sparsegpt_has_its_share_and_all_the_total)
{
    enum { ROWS = 5, N = 50 };
    double gram[N * N], w0[ROWS * N], w[ROWS * N];
    uint8_t keep[ROWS * N];
    random_layer(21, 100, ROWS, N, gram, w0);
    for (int per_mille = 0; per_mille <= 1000; per_mille += 37) {
        double sparsity = per_mille / 1000.0;
        struct recovery r = recovery_of(SPARSEGPT, ROWS, N, w0, gram, w, keep);
        want(&r, "element", PRUNE_SPARSITY, sparsity);
        r.block = 16;
        OK(recover(&r));
        int64_t gone = 0, before = 0;
        for (int64_t end = 16, j = 0; j < N; end += 16) {
            for (; j < end && j < N; j++)
                for (int i = 0; i < ROWS; i++)
                    gone += !keep[i * N + j];
            ck_assert_int_eq(gone, (int64_t)round(sparsity * (double)(ROWS * j)));
            ck_assert(fabs((double)(gone - before) - sparsity * 16 * ROWS) < 1 || j == N);
            before = gone;
        }
        r.target = PRUNE_KEEP;
        r.amount = (double)(ROWS * N - gone);
        OK(recover(&r));
        ck_assert_int_eq(count_kept(keep, ROWS * N), ROWS * N - gone);
    }
}
END_TEST

/* OBC's global allocation against a plain one: of all next steps of all rows the cheapest, until enough are gone. */
START_TEST(rows_lose_what_is_cheapest_in_all_of_them)
{
    enum { ROWS = 6, N = 20, GONE = 61 };
    double gram[N * N], w0[ROWS * N], w[ROWS * N], cost[ROWS][N + 1];
    uint8_t keep[ROWS * N];
    random_layer(8, 60, ROWS, N, gram, w0);
    for (int i = 0; i < N; i++)
        w0[i] *= 0.05; /* a row that loses much more than the others */
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k <= N; k++) {
            struct recovery r = recovery_of(OBC, 1, N, w0 + i * N, gram, w, NULL);
            want(&r, "element", PRUNE_KEEP, N - k);
            OK(recover(&r));
            cost[i][k] = r.predicted;
        }
    int gone[ROWS] = {0};
    for (int k = 0; k < GONE; k++) {
        int best = -1;
        for (int i = 0; i < ROWS; i++)
            if (gone[i] < N && (best < 0 || cost[i][gone[i] + 1] - cost[i][gone[i]] <
                                                cost[best][gone[best] + 1] - cost[best][gone[best]]))
                best = i;
        gone[best]++;
    }
    struct recovery r = recovery_of(OBC, ROWS, N, w0, gram, w, keep);
    want(&r, "element", PRUNE_KEEP, ROWS * N - GONE);
    OK(recover(&r));
    for (int i = 0; i < ROWS; i++)
        ck_assert_int_eq(N - count_kept(keep + i * N, N), gone[i]);
    ck_assert_int_ge(gone[0], 17);
}
END_TEST

/* ---- How they compare ---- */

/* The best mask of a row with half of its 8 weights, by trying all 70. */
static double best_of_all(const double *gram, const double *w0)
{
    double w[8], best = INFINITY;
    for (int bits = 0; bits < 256; bits++) {
        uint8_t keep[8];
        for (int j = 0; j < 8; j++)
            keep[j] = bits >> j & 1;
        if (count_kept(keep, 8) != 4)
            continue;
        struct recovery r = recovery_of(OBC, 1, 8, w0, gram, w, keep);
        OK(recover(&r));
        best = r.error < best ? r.error : best;
    }
    return best;
}

START_TEST(magnitude_wanda_sparsegpt_obc_best_in_this_order)
{
    enum { SEEDS = 20, ROWS = 4, N = 8 };
    double sum[5] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        double gram[N * N], w0[ROWS * N], w[ROWS * N];
        random_layer(seed, 40, ROWS, N, gram, w0);
        for (int i = 0; i < 4; i++) {
            struct recovery r = recovery_of(i < 2 ? SWAPS : i == 2 ? SPARSEGPT : OBC, ROWS, N, w0, gram, w, NULL);
            want(&r, "element:pool=row", PRUNE_SPARSITY, .5);
            r.mask = i == 0 ? PR_MASK_L1 : i == 1 ? PR_MASK_WANDA : PR_MASK_OWN;
            OK(recover(&r));
            sum[i] += r.error;
        }
        for (int i = 0; i < ROWS; i++)
            sum[4] += best_of_all(gram, w0 + i * N);
    }
    for (int i = 0; i < 4; i++)
        ck_assert_msg(sum[i] > sum[i + 1], "%d: %g, then %g", i, sum[i], sum[i + 1]);
}
END_TEST

START_TEST(sparsegpt_makes_the_masks_of_others_better)
{
    enum { ROWS = 16, N = 64 };
    double gram[N * N], w0[ROWS * N], w[ROWS * N];
    random_layer(2, 200, ROWS, N, gram, w0);
    for (int mask = PR_MASK_WANDA; mask <= PR_MASK_L1; mask++) {
        uint8_t keep[ROWS * N], plain[ROWS * N];
        struct recovery bare = recovery_of(SWAPS, ROWS, N, w0, gram, w, plain);
        want(&bare, "nm:keep_n=2,group_m=4", PRUNE_QUOTA, 0);
        bare.mask = mask;
        OK(recover(&bare));
        struct recovery swept = bare;
        swept.method = SPARSEGPT;
        swept.keep = keep;
        OK(recover(&swept));
        ck_assert_mem_eq(keep, plain, sizeof keep);
        ck_assert(swept.error < bare.error);
        /* Half-way between: swaps alone. */
        bare.most = 50;
        double before = bare.error;
        OK(recover(&bare));
        ck_assert(bare.error < before);
        for (int i = 0; i < ROWS * N; i++)
            ck_assert(w[i] == (plain[i] ? w0[i] : 0));
        for (int i = 0; i < ROWS * N; i += 4)
            ck_assert_int_eq(count_kept(plain + i, 4), 2);
    }
}
END_TEST

/* ---- Machines ---- */

START_TEST(obc_has_the_same_bits_for_any_number_of_threads)
{
    enum { ROWS = 37, N = 40 };
    static const char *const granularities[] = {"element", "nm:keep_n=2,group_m=4,unit_rows=3"};
    static double gram[N * N], w0[ROWS * N], one[ROWS * N], many[ROWS * N];
    uint8_t one_keep[ROWS * N], many_keep[ROWS * N];
    random_layer(77, 100, ROWS, N, gram, w0);
    for (int i = 0; i < 2; i++) {
        struct recovery r = recovery_of(OBC, ROWS, N, w0, gram, one, one_keep);
        want(&r, granularities[i], i ? PRUNE_QUOTA : PRUNE_SPARSITY, i ? 0 : .6);
        r.fraction = .01;
        OK(recover(&r));
        double predicted = r.predicted;
        r.threads = 4;
        r.out = many;
        r.keep = many_keep;
        OK(recover(&r));
        ck_assert_mem_eq(one, many, sizeof one);
        ck_assert_mem_eq(one_keep, many_keep, sizeof one_keep);
        ck_assert(predicted == r.predicted);
    }
}
END_TEST

/* With memory for a few columns only, groups of them are worked one after another, each making up for those before. */
START_TEST(what_does_not_fit_is_worked_in_groups)
{
    enum { ROWS = 9, N = 60 };
    double gram[N * N], w0[ROWS * N], w[ROWS * N];
    uint8_t keep[ROWS * N];
    random_layer(6, 150, ROWS, N, gram, w0);
    for (int method = SPARSEGPT; method <= OBC; method++)
        for (int nm = 0; nm < 2; nm++) {
            struct recovery r = recovery_of(method, ROWS, N, w0, gram, w, keep);
            want(&r, nm ? "nm:keep_n=2,group_m=4" : "element", nm ? PRUNE_QUOTA : PRUNE_SPARSITY, nm ? 0 : .5);
            r.block = 8;
            OK(recover(&r));
            double whole = r.error;
            for (int64_t columns = 24; columns <= 40; columns += 8) {
                r.memory = columns * columns * 8 + 1;
                OK(recover(&r));
                ck_assert_int_eq(count_kept(keep, ROWS * N), ROWS * N / 2);
                NEAR(r.predicted / r.error, 1, 1e-9);
                ck_assert_msg(r.error < 2.5 * whole, "%d columns: %g instead of %g", (int)columns, r.error, whole);
            }
            /* A mask that is given. */
            r.granularity = NULL;
            OK(recover(&r));
            NEAR(r.predicted / r.error, 1, 1e-9);
        }
}
END_TEST

/* ---- Damping, dead columns, bad input ---- */

START_TEST(damping_is_a_part_of_the_mean_of_the_live_diagonal)
{
    const double gram[9] = {4, 1, 0, 1, 2, 0, 0, 0, 0}, w0[6] = {1, 2, 3, -1, .5, 7};
    double w[6];
    uint8_t keep[6];
    for (int method = SPARSEGPT; method <= OBC; method++) {
        struct recovery r = recovery_of(method, 2, 3, w0, gram, w, keep);
        want(&r, "element", PRUNE_SPARSITY, 1. / 3);
        r.fraction = .1;
        OK(recover(&r));
        NEAR(r.damping, .3, 1e-15);
        ck_assert_int_eq(r.dead, 1);
        ck_assert(w[2] == 0 && w[5] == 0);
        ck_assert(w[0] == w0[0] && w[1] == w0[1] && w[3] == w0[3] && w[4] == w0[4]);
        ck_assert_int_eq(keep[2] + keep[5], 0);
        ck_assert(r.error == 0);
        /* |H| = 5.3; H^-1 of [[4.3, 1], [1, 2.3]] has the norm 5.3 / 8.89, the dead column 1. */
        ck_assert_double_ge(r.condition, 5.3 * .5);
        ck_assert_double_le(r.condition, 5.3 * 1.0000001);
    }
}
END_TEST

START_TEST(matrices_that_are_not_definite_are_refused)
{
    const double indefinite[4] = {1, 2, 2, 1}, singular[4] = {1, 1, 1, 1}, negative[4] = {1, 0, 0, -1};
    const double *const bad[] = {indefinite, singular, negative};
    const double w0[2] = {1, 2};
    double w[2] = {77, 78};
    for (int method = SPARSEGPT; method <= OBC; method++)
        for (int i = 0; i < 3; i++) {
            struct recovery r = recovery_of(method, 1, 2, w0, bad[i], w, NULL);
            want(&r, "element", PRUNE_SPARSITY, .5);
            FAILS(recover(&r), PRUNE_E_VALUE, "pivot");
            ck_assert(w[0] == 77 && w[1] == 78);
            if (bad[i] == singular) {
                r.fraction = .01;
                OK(recover(&r));
                w[0] = 77, w[1] = 78;
            }
        }
}
END_TEST

START_TEST(bad_targets_are_refused)
{
    const double gram[4] = {2, 1, 1, 2}, good[2] = {1, 2};
    double w[2];
    static const struct {
        const char *granularity;
        int32_t target;
        double amount;
        const char *word;
    } bad[] = {{"element", PRUNE_QUOTA, 0, "no quota"},
               {"element", PRUNE_SPARSITY, 1.5, "1.5"},
               {"element", PRUNE_SPARSITY, NAN, "NaN"},
               {"element", PRUNE_KEEP, 3, "0 to 2"},
               {"element", PRUNE_KEEP, .5, "whole"},
               {"element", 9, .5, "9"},
               {"nm:keep_n=1,group_m=2", PRUNE_SPARSITY, .5, "PRUNE_QUOTA"},
               {"nm:keep_n=1,group_m=2", PRUNE_QUOTA, .5, "must be 0"}};
    for (int method = SPARSEGPT; method <= OBC; method++) {
        struct recovery r = recovery_of(method, 1, 2, good, gram, w, NULL);
        want(&r, "element", PRUNE_SPARSITY, .5);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            want(&r, bad[i].granularity, bad[i].target, bad[i].amount);
            FAILS(recover(&r), PRUNE_E_ARGUMENT, bad[i].word);
        }
    }
}
END_TEST

TEST_MAIN("second-order", obc_loses_225_and_then_208_ten_thousandths, sparsegpt_finds_the_best_of_six_pairs,
          sparsegpt_counting_as_its_authors_prunes_three_of_four, magnitude_loses_65_thousandths,
          obc_removes_0_and_1_of_the_tridiagonal_three, obc_removes_what_obs_removes,
          sparsegpt_of_a_diagonal_matrix_is_wanda_without_an_update, losses_add_up_to_the_error,
          a_unit_of_two_columns_costs_what_the_group_form_says,
          every_block_of_sparsegpt_has_its_share_and_all_the_total, rows_lose_what_is_cheapest_in_all_of_them,
          magnitude_wanda_sparsegpt_obc_best_in_this_order, sparsegpt_makes_the_masks_of_others_better,
          obc_has_the_same_bits_for_any_number_of_threads, what_does_not_fit_is_worked_in_groups,
          damping_is_a_part_of_the_mean_of_the_live_diagonal, matrices_that_are_not_definite_are_refused,
          bad_targets_are_refused)
