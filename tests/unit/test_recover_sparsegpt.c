/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The recoveries "sparsegpt", "obc" and "dsnot" through the public functions: every type and view of weights, reports,
 * convolutions, and what is refused. Their numbers are in test_second_order.c.
 */
#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

enum { SAMPLES = 90, ROWS = 12, N = 36 };

static const char *const specs[] = {"sparsegpt", "obc", "dsnot", "sparsegpt:mask=wanda", "sparsegpt:block=8"};
#define SPECS (sizeof specs / sizeof *specs)

static prune_observations *observe(int64_t samples, int64_t n, uint64_t seed)
{
    double *x = malloc((size_t)(samples * n) * sizeof *x);
    prune_observations *o;
    for (int64_t i = 0; i < samples * n; i++)
        x[i] = pr_rng_at(seed, (uint64_t)i) - .4 + (i % n ? .5 * x[i - 1] : 0);
    prune_tensor *inputs = borrow(x, PRUNE_F64, 2, SHAPE(samples, n));
    OK(prune_observations_create(&o, NULL, PRUNE_OBSERVE_GRAM));
    OK(prune_observations_feed(o, PRUNE_INPUTS, inputs));
    prune_tensor_free(inputs);
    free(x);
    return o;
}

static void fill(double *w, int64_t count, uint64_t seed)
{
    for (int64_t i = 0; i < count; i++)
        w[i] = pr_rng_at(seed, (uint64_t)i) + pr_rng_at(seed + 1, (uint64_t)i) - 1;
}

static prune_recovery *recovery_of(const char *spec)
{
    prune_recovery *recovery;
    OK(prune_recovery_create(&recovery, NULL, spec));
    return recovery;
}

static double fact(const prune_repair *report, int32_t what)
{
    double value = -1;
    OK(prune_repair_get(report, what, &value));
    return value;
}

START_TEST(kinds_have_canonical_specs)
{
    static const char *const pairs[][2] = {{"sparsegpt", "sparsegpt"},
                                           {"sparsegpt:damping=0.010,block=128", "sparsegpt"},
                                           {"sparsegpt:count=reference,mask=l1", "sparsegpt:mask=l1,count=reference"},
                                           {"obc:damping=0", "obc:damping=0"},
                                           {"dsnot:swaps=3", "dsnot:swaps=3"}};
    prune_recovery *recovery = UNTOUCHED;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        OK(prune_recovery_create(&recovery, NULL, pairs[i][0]));
        ck_assert_str_eq(prune_recovery_spec(recovery), pairs[i][1]);
        ck_assert_int_eq(prune_recovery_needs(recovery), PRUNE_OBSERVE_GRAM);
        ck_assert_int_eq(prune_recovery_chooses(recovery), 1);
        ck_assert_int_eq(prune_recovery_repairs(recovery), i < 4);
        prune_recovery_free(recovery);
    }
    recovery = UNTOUCHED;
    FAILS(prune_recovery_create(&recovery, NULL, "sparsegpt:mask=obs"), PRUNE_E_SPEC, "sparsegpt|wanda|l1");
    FAILS(prune_recovery_create(&recovery, NULL, "sparsegpt:block=0"), PRUNE_E_SPEC, "block");
    FAILS(prune_recovery_create(&recovery, NULL, "obc:damping=-1"), PRUNE_E_SPEC, "damping");
    ck_assert_ptr_eq(recovery, UNTOUCHED);
}
END_TEST

/* Each kind, each type of weights, through a view with the axes in the other order. */
START_TEST(every_type_and_any_strides)
{
    static const int32_t dtypes[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16};
    double w[ROWS * N], after[ROWS * N];
    prune_observations *o = observe(SAMPLES, N, 3);
    prune_granularity *g = cut("nm:keep_n=2,group_m=4");
    fill(w, ROWS * N, 5);
    for (size_t s = 0; s < SPECS; s++) {
        prune_recovery *recovery = recovery_of(specs[s]);
        for (int d = 0; d < 4; d++) {
            prune_tensor *plain = borrow(w, PRUNE_F64, 2, SHAPE(ROWS, N)), *stored, *turned, *view, *back;
            prune_mask *mask;
            prune_repair *report;
            int32_t holds = 0;
            OK(prune_tensor_convert(&stored, plain, dtypes[d]));
            OK(prune_tensor_create(&turned, NULL, dtypes[d], 2, SHAPE(N, ROWS)));
            OK(prune_tensor_permute(&view, turned, (int32_t[]){1, 0}));
            OK(prune_tensor_copy(view, stored));
            OK(prune_recovery_prune(view, &mask, recovery, g, PRUNE_QUOTA, 0, o, &report));
            OK(prune_granularity_check(g, mask, &holds, NULL));
            ck_assert_int_eq(holds, 1);
            ck_assert_int_eq(prune_mask_kept(mask), ROWS * N / 2);
            OK(prune_tensor_convert(&back, view, PRUNE_F64));
            memcpy(after, prune_tensor_const_data(back), sizeof after);
            for (int i = 0; i < ROWS * N; i++)
                ck_assert(kept(mask, i) || (after[i] == 0 && !signbit(after[i])));
            ck_assert_double_gt(fact(report, PRUNE_REPAIR_ERROR), 0);
            ck_assert_double_eq(fact(report, PRUNE_REPAIR_SAMPLES), SAMPLES);
            if (strcmp(specs[s], "dsnot") != 0)
                ck_assert_double_lt(fact(report, PRUNE_REPAIR_ERROR), fact(report, PRUNE_REPAIR_PLAIN_ERROR));
            /* The damped problem promises a little more than the true error. */
            double ratio = fact(report, PRUNE_REPAIR_PREDICTED) / fact(report, PRUNE_REPAIR_ERROR);
            ck_assert_msg(ratio > (d < 2 ? 0.9999 : 0.98) && ratio < 1.3, "%s: %g", specs[s], ratio);
            ck_assert_double_ge(fact(report, PRUNE_REPAIR_CONDITION), strcmp(specs[s], "dsnot") == 0 ? 0 : 1);
            prune_repair_free(report);
            prune_mask_free(mask);
            prune_tensor_free(back);
            prune_tensor_free(view);
            prune_tensor_free(turned);
            prune_tensor_free(stored);
            prune_tensor_free(plain);
        }
        prune_recovery_free(recovery);
    }
    prune_granularity_free(g);
    prune_observations_free(o);
}
END_TEST

/* OIHW weights: N:M along the input channels, whose elements lie kh x kw apart; kernels; and whole rows. */
START_TEST(convolutions_keep_their_pattern)
{
    static const struct {
        const char *granularity;
        int32_t target;
        double amount;
        int64_t kept;
    } cases[] = {{"nm:keep_n=1,group_m=2", PRUNE_QUOTA, 0, ROWS * N / 2},
                 {"element", PRUNE_SPARSITY, .75, ROWS * N / 4},
                 {"kernel", PRUNE_KEEP, 8, 8 * 9},
                 {"in-channel", PRUNE_COUNT, 1, ROWS * N * 3 / 4},
                 {"vector:vector=3,axis=3", PRUNE_SPARSITY, .5, ROWS * N / 2}};
    double w[ROWS * N];
    prune_observations *o = observe(SAMPLES, N, 8);
    for (size_t s = 0; s < SPECS; s++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            if (strcmp(specs[s], "dsnot") == 0 && i > 1)
                continue;
            prune_recovery *recovery = recovery_of(specs[s]);
            prune_granularity *g = cut(cases[i].granularity);
            prune_tensor *weights = borrow(w, PRUNE_F64, 4, SHAPE(ROWS, N / 9, 3, 3));
            prune_mask *mask;
            int32_t holds = 0;
            fill(w, ROWS * N, 6);
            OK(prune_recovery_prune(weights, &mask, recovery, g, cases[i].target, cases[i].amount, o, NULL));
            OK(prune_granularity_check(g, mask, &holds, NULL));
            ck_assert_msg(holds == 1, "%s %s", specs[s], cases[i].granularity);
            ck_assert_int_eq(prune_mask_kept(mask), cases[i].kept);
            prune_mask_free(mask);
            prune_tensor_free(weights);
            prune_granularity_free(g);
            prune_recovery_free(recovery);
        }
    prune_observations_free(o);
}
END_TEST

/* For a mask that is given, sparsegpt lies between no repair and the exact one, which obc and obs agree on. */
START_TEST(a_given_mask_is_repaired)
{
    static const char *const kinds[] = {"sparsegpt:damping=0", "obc:damping=0", "obs:damping=0"};
    double w[ROWS * N], error[3], plain = 0;
    prune_observations *o = observe(SAMPLES, N, 4);
    for (int k = 0; k < 3; k++) {
        prune_recovery *recovery = recovery_of(kinds[k]);
        prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(ROWS, N));
        prune_repair *report;
        fill(w, ROWS * N, 9);
        prune_mask *mask = prune(weights, "l1", "element", PRUNE_SPARSITY, .6);
        OK(prune_recovery_repair(weights, recovery, mask, o, &report));
        error[k] = fact(report, PRUNE_REPAIR_ERROR);
        plain = fact(report, PRUNE_REPAIR_PLAIN_ERROR);
        ck_assert_double_eq_tol(fact(report, PRUNE_REPAIR_PREDICTED) / error[k], 1, 1e-9);
        for (int i = 0; i < ROWS * N; i++)
            ck_assert(kept(mask, i) || w[i] == 0);
        prune_repair_free(report);
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_recovery_free(recovery);
    }
    ck_assert_double_gt(plain, error[0]);
    ck_assert_double_gt(error[0], error[1]);
    ck_assert_double_eq_tol(error[1] / error[2], 1, 1e-9);
    prune_observations_free(o);
}
END_TEST

START_TEST(little_memory_is_no_reason_to_refuse)
{
    static const char *const kinds[] = {"sparsegpt:memory=4096", "obc:memory=4096"};
    double w[ROWS * N];
    prune_observations *o = observe(SAMPLES, N, 4);
    for (int k = 0; k < 2; k++) {
        prune_recovery *recovery = recovery_of(kinds[k]);
        prune_granularity *g = cut("element");
        prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(ROWS, N));
        prune_mask *mask;
        prune_repair *report;
        fill(w, ROWS * N, 9);
        OK(prune_recovery_prune(weights, &mask, recovery, g, PRUNE_SPARSITY, .6, o, &report));
        ck_assert_int_eq(prune_mask_kept(mask), ROWS * N - 259);
        ck_assert_double_lt(fact(report, PRUNE_REPAIR_ERROR), fact(report, PRUNE_REPAIR_PLAIN_ERROR));
        ck_assert_double_gt(fact(report, PRUNE_REPAIR_MEMORY), 0);
        prune_repair_free(report);
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_granularity_free(g);
        prune_recovery_free(recovery);
    }
    prune_observations_free(o);
}
END_TEST

/* ---- What is refused ---- */

static void expect_refused(double *w, const char *spec, const char *granularity, int32_t target, double amount,
                           const prune_observations *o, int32_t status, const char *word)
{
    double before[4];
    prune_recovery *recovery = recovery_of(spec);
    prune_granularity *g = cut(granularity);
    prune_tensor *weights = borrow(w, PRUNE_F64, 2, SHAPE(2, 2));
    prune_mask *mask = UNTOUCHED;
    prune_repair *report = UNTOUCHED;
    memcpy(before, w, sizeof before);
    FAILS(prune_recovery_prune(weights, &mask, recovery, g, target, amount, o, &report), status, word);
    ck_assert_ptr_eq(mask, UNTOUCHED);
    ck_assert_ptr_eq(report, UNTOUCHED);
    ck_assert_mem_eq(before, w, sizeof before);
    prune_tensor_free(weights);
    prune_granularity_free(g);
    prune_recovery_free(recovery);
}

START_TEST(bad_input_is_refused_and_nothing_changed)
{
    double good[4] = {1, 2, 3, 4}, nan[4] = {1, NAN, 3, 4}, infinite[4] = {1, 2, -INFINITY, 4};
    const double same[4] = {1, 1, 2, 2};
    prune_observations *o = observe(20, 2, 1), *three = observe(20, 3, 1), *none, *singular, *means;
    prune_tensor *inputs = borrow(same, PRUNE_F64, 2, SHAPE(2, 2));
    OK(prune_observations_create(&none, NULL, PRUNE_OBSERVE_GRAM));
    OK(prune_observations_create(&means, NULL, PRUNE_OBSERVE_INPUT_MEANS));
    OK(prune_observations_create(&singular, NULL, PRUNE_OBSERVE_GRAM));
    OK(prune_observations_feed(singular, PRUNE_INPUTS, inputs));
    OK(prune_observations_feed(means, PRUNE_INPUTS, inputs));
    for (size_t s = 0; s < 3; s++) {
        const char *spec = s == 0 ? "sparsegpt:damping=0" : s == 1 ? "obc:damping=0" : "dsnot";
        expect_refused(nan, spec, "element", PRUNE_SPARSITY, .5, o, PRUNE_E_VALUE, "(0, 1)");
        expect_refused(infinite, spec, "element", PRUNE_SPARSITY, .5, o, PRUNE_E_VALUE, "(1, 0)");
        expect_refused(good, spec, "element", PRUNE_SPARSITY, .5, NULL, PRUNE_E_ARGUMENT, "Gram");
        expect_refused(good, spec, "element", PRUNE_SPARSITY, .5, none, PRUNE_E_ARGUMENT, "inputs");
        expect_refused(good, spec, "element", PRUNE_SPARSITY, .5, means, PRUNE_E_ARGUMENT, "Gram");
        expect_refused(good, spec, "element", PRUNE_SPARSITY, .5, three, PRUNE_E_SHAPE, "3");
        expect_refused(good, spec, "element", PRUNE_SPARSITY, 2, o, PRUNE_E_ARGUMENT, "0 to 1");
        expect_refused(good, spec, "element", PRUNE_QUOTA, 0, o, PRUNE_E_ARGUMENT, "quota");
        if (s < 2)
            expect_refused(good, spec, "element", PRUNE_SPARSITY, .5, singular, PRUNE_E_VALUE, "pivot");
    }
    expect_refused(good, "dsnot", "column", PRUNE_SPARSITY, .5, o, PRUNE_E_UNSUPPORTED, "single elements");
    expect_refused(good, "sparsegpt:count=reference", "element:pool=row", PRUNE_SPARSITY, .5, o, PRUNE_E_ARGUMENT,
                   "count=reference");
    prune_mask *mask;
    prune_recovery *dsnot = recovery_of("dsnot");
    prune_tensor *weights = borrow(good, PRUNE_F64, 2, SHAPE(2, 2));
    OK(prune_mask_create(&mask, NULL, 2, SHAPE(2, 2), 1));
    FAILS(prune_recovery_repair(weights, dsnot, mask, o, NULL), PRUNE_E_UNSUPPORTED, "dsnot");
    prune_tensor_free(weights);
    prune_mask_free(mask);
    prune_recovery_free(dsnot);
    prune_tensor_free(inputs);
    prune_observations_free(o);
    prune_observations_free(three);
    prune_observations_free(none);
    prune_observations_free(means);
    prune_observations_free(singular);
}
END_TEST

/* A recovery that must change nothing when it fails. */
static int32_t recover_or_leave(double *w, prune_tensor *weights, prune_mask **mask, const prune_recovery *recovery,
                                const prune_granularity *g, const prune_observations *o)
{
    double before[ROWS * N];
    prune_repair *report = UNTOUCHED;
    int quota = prune_granularity_has_quota(g);
    memcpy(before, w, sizeof before);
    int32_t status = prune_recovery_prune(weights, mask, recovery, g, quota ? PRUNE_QUOTA : PRUNE_SPARSITY,
                                          quota ? 0 : .5, o, &report);
    if (status) {
        ck_assert_mem_eq(before, w, sizeof before);
        ck_assert_ptr_eq(report, UNTOUCHED);
    } else {
        prune_repair_free(report);
    }
    return status;
}

START_TEST(running_out_of_memory_loses_nothing)
{
    static const char *const more[] = {"sparsegpt",
                                       "obc",
                                       "dsnot",
                                       "sparsegpt:mask=wanda",
                                       "sparsegpt:memory=4096",
                                       "obc:memory=4096",
                                       "sparsegpt:count=reference"};
    double w[ROWS * N];
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_observations *o = observe(SAMPLES, N, 2);
    fill(w, ROWS * N, 6);
    for (size_t s = 0; s < sizeof more / sizeof *more; s++)
        for (int nm = 0; nm < 2; nm++) {
            if (nm && strstr(more[s], "reference"))
                continue;
            prune_granularity *g = cut(nm ? "nm:keep_n=2,group_m=4" : "element");
            prune_recovery *recovery = recovery_of(more[s]);
            prune_tensor *weights;
            prune_mask *mask;
            OK(prune_tensor_borrow(&weights, context, w, PRUNE_F64, 2, SHAPE(ROWS, N), NULL));
            SURVIVES(&a, &mask, recover_or_leave(w, weights, &mask, recovery, g, o));
            prune_mask_free(mask);
            prune_tensor_free(weights);
            prune_recovery_free(recovery);
            prune_granularity_free(g);
        }
    prune_observations_free(o);
    ck_assert_int_eq(a.live, 0);
    prune_context_free(context);
}
END_TEST

static int32_t stop(void *user, const char *what, int64_t done, int64_t total)
{
    (void)what;
    return ++*(int *)user > 1 || done == total;
}

START_TEST(a_caller_may_cancel)
{
    for (size_t s = 0; s < 3; s++) {
        double w[ROWS * N];
        int calls = 0;
        prune_context *context;
        prune_tensor *weights;
        prune_mask *mask = UNTOUCHED;
        prune_observations *o = observe(SAMPLES, N, 2);
        prune_granularity *g = cut("element");
        prune_recovery *recovery = recovery_of(specs[s]);
        fill(w, ROWS * N, 6);
        OK(prune_context_create(&context));
        OK(prune_context_set_progress(context, stop, &calls));
        OK(prune_tensor_borrow(&weights, context, w, PRUNE_F64, 2, SHAPE(ROWS, N), NULL));
        ck_assert_int_eq(recover_or_leave(w, weights, &mask, recovery, g, o), PRUNE_E_CANCELLED);
        ck_assert_ptr_eq(mask, UNTOUCHED);
        prune_tensor_free(weights);
        prune_recovery_free(recovery);
        prune_granularity_free(g);
        prune_observations_free(o);
        prune_context_free(context);
    }
}
END_TEST

START_TEST(empty_weights_stay_empty)
{
    prune_observations *o = observe(SAMPLES, N, 4);
    prune_granularity *g = cut("element");
    for (size_t s = 0; s < SPECS; s++) {
        prune_recovery *recovery = recovery_of(specs[s]);
        prune_tensor *weights = borrow(NULL, PRUNE_F32, 2, SHAPE(0, N));
        prune_mask *mask;
        prune_repair *report;
        OK(prune_recovery_prune(weights, &mask, recovery, g, PRUNE_SPARSITY, .5, o, &report));
        ck_assert_int_eq(prune_mask_count(mask), 0);
        ck_assert(fact(report, PRUNE_REPAIR_ERROR) == 0);
        prune_repair_free(report);
        prune_mask_free(mask);
        prune_tensor_free(weights);
        prune_recovery_free(recovery);
    }
    prune_granularity_free(g);
    prune_observations_free(o);
}
END_TEST

TEST_MAIN("recover-sparsegpt", kinds_have_canonical_specs, every_type_and_any_strides, convolutions_keep_their_pattern,
          a_given_mask_is_repaired, little_memory_is_no_reason_to_refuse, bad_input_is_refused_and_nothing_changed,
          running_out_of_memory_loses_nothing, a_caller_may_cancel, empty_weights_stay_empty)
