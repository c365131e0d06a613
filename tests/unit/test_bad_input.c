/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Data that no method can use, given to every recovery and every criterion that there is: a status, a sentence with the
 * numbers, nothing changed.
 */
#include <math.h>

#include "core/observe/observe.h"
#include "testing.h"

#define SHAPE(...) ((const int64_t[]){__VA_ARGS__})

static const float weights_of_test[12] = {1, -2, 3, 4, 5, -6, 7, 8, -9, 1, 2, 3};
static const float inputs_of_test[10] = {1, 2, -1, 3, 2, 1, 1, -2, 1, 4};

/* What each recovery is asked for, and whether it solves a system that a singular matrix makes impossible. */
static const struct {
    const char *name, *damping, *granularity;
    int solves;
} recoveries[] = {
    {"obs", "damping=0", "element", 1},
    {"sparsegpt", "damping=0", "element", 1},
    {"obc", "damping=0", "element", 1},
    {"dsnot", "swaps=3", "element", 0},
    {"exact", "damping=0", "element:pool=row", 1},
    {"least-squares", "damping=0", "element", 1},
    {"lasso", "damping=0", "column", 1},
    {"thinet", "close=least-squares,damping=0", "column", 1},
    {"thinet", "close=scale,damping=0", "column", 1},
    {"subset", "damping=0", "column", 1},
};
enum { RECOVERIES = sizeof recoveries / sizeof *recoveries };

static prune_observations *observe(int32_t needs, int64_t samples, int64_t in)
{
    prune_observations *o = NULL;
    prune_tensor *x = NULL;
    OK(prune_observations_create(&o, NULL, needs));
    OK(prune_tensor_create(&x, NULL, PRUNE_F32, 2, SHAPE(samples, in)));
    memcpy(prune_tensor_data(x), inputs_of_test, (size_t)(samples * in) * sizeof(float));
    OK(prune_observations_feed(o, PRUNE_INPUTS, x));
    prune_tensor_free(x);
    return o;
}

/* Choosing and repairing both end with the status, and leave everything as it was. */
static void refuses(int which, const prune_observations *o, int32_t status, const char *word)
{
    char spec[100];
    float w[12];
    prune_recovery *recovery = NULL;
    prune_granularity *g = NULL;
    prune_tensor *weights = NULL;
    prune_mask *mask = UNTOUCHED, *half = NULL;
    prune_repair *report = UNTOUCHED;
    snprintf(spec, sizeof spec, "%s:%s", recoveries[which].name, recoveries[which].damping);
    memcpy(w, weights_of_test, sizeof w);
    OK(prune_recovery_create(&recovery, NULL, spec));
    OK(prune_granularity_create(&g, NULL, recoveries[which].granularity));
    OK(prune_tensor_borrow(&weights, NULL, w, PRUNE_F32, 2, SHAPE(3, 4), NULL));
    OK(prune_mask_create(&half, NULL, 2, SHAPE(3, 4), 1));
    OK(prune_mask_set(half, 0, 0));
    if (prune_recovery_chooses(recovery))
        FAILS(prune_recovery_prune(weights, &mask, recovery, g, PRUNE_SPARSITY, .5, o, &report), status, word);
    if (prune_recovery_repairs(recovery))
        FAILS(prune_recovery_repair(weights, recovery, half, o, &report), status, word);
    ck_assert(mask == UNTOUCHED && report == UNTOUCHED);
    ck_assert(memcmp(w, weights_of_test, sizeof w) == 0);
    prune_mask_free(half);
    prune_tensor_free(weights);
    prune_granularity_free(g);
    prune_recovery_free(recovery);
}

START_TEST(every_recovery_is_tried)
{
    for (int32_t i = 0; i < prune_kind_count("recoveries"); i++) {
        int found = 0;
        for (int r = 0; r < RECOVERIES; r++)
            found |= strcmp(recoveries[r].name, prune_kind_name("recoveries", i)) == 0;
        ck_assert_msg(found, "%s is not tried", prune_kind_name("recoveries", i));
    }
}
END_TEST

START_TEST(recoveries_without_samples_or_with_others)
{
    prune_observations *empty = NULL, *wide = observe(PRUNE_OBSERVE_GRAM, 2, 5);
    prune_observations *norms = observe(PRUNE_OBSERVE_INPUT_NORMS, 2, 4);
    OK(prune_observations_create(&empty, NULL, PRUNE_OBSERVE_GRAM));
    for (int r = 0; r < RECOVERIES; r++) {
        refuses(r, empty, PRUNE_E_ARGUMENT, "0 samples");
        refuses(r, wide, PRUNE_E_SHAPE, "inputs of 5 numbers");
        refuses(r, norms, PRUNE_E_ARGUMENT, "Gram");
        refuses(r, NULL, PRUNE_E_ARGUMENT, recoveries[r].name);
    }
    prune_observations_free(norms);
    prune_observations_free(wide);
    prune_observations_free(empty);
}
END_TEST

/* One sample of four inputs: every matrix of two of them or more is singular. */
START_TEST(recoveries_of_singular_matrices_without_damping)
{
    prune_observations *o = observe(PRUNE_OBSERVE_GRAM, 1, 4);
    for (int r = 0; r < RECOVERIES; r++)
        if (recoveries[r].solves && strcmp(recoveries[r].damping, "close=scale,damping=0") != 0)
            refuses(r, o, PRUNE_E_VALUE, "pivot");
    prune_observations_free(o);
}
END_TEST

/* A Gram matrix cannot be indefinite, one that came out of damaged memory can: the pivot that says so is not above 0
 * whichever columns are taken. */
START_TEST(recoveries_of_indefinite_matrices)
{
    static const double indefinite[16] = {1, 2, 2, 2, 2, 1, 2, 2, 2, 2, 1, 2, 2, 2, 2, 1};
    prune_observations *o = observe(PRUNE_OBSERVE_GRAM, 2, 4);
    int64_t in, samples;
    memcpy((double *)(uintptr_t)pr_observed_gram(o, &in, &samples), indefinite, sizeof indefinite);
    for (int r = 0; r < RECOVERIES; r++)
        if (recoveries[r].solves && strcmp(recoveries[r].damping, "close=scale,damping=0") != 0)
            refuses(r, o, PRUNE_E_VALUE, "pivot");
    prune_observations_free(o);
}
END_TEST

/* ---- Criteria ---- */

static const struct {
    int32_t needs, kind;
    int64_t shape[2];
    int32_t rank;
} feeds[] = {
    {PRUNE_OBSERVE_GRAM, PRUNE_INPUTS, {2, 5}, 2},
    {PRUNE_OBSERVE_INPUT_NORMS, PRUNE_INPUTS, {2, 5}, 2},
    {PRUNE_OBSERVE_GRADIENTS, PRUNE_GRADIENTS, {3, 5}, 2},
    {PRUNE_OBSERVE_GRADIENT_SAMPLES, PRUNE_GRADIENTS, {3, 5}, 2},
    {PRUNE_OBSERVE_GRADIENT_MAGNITUDES, PRUNE_GRADIENTS, {3, 5}, 2},
    {PRUNE_OBSERVE_HESSIAN_DIAGONAL, PRUNE_CURVATURES, {3, 5}, 2},
    {PRUNE_OBSERVE_ACTIVATION_ZEROS, PRUNE_ACTIVATIONS, {2, 5}, 2},
    {PRUNE_OBSERVE_MOMENTS, PRUNE_ACTIVATIONS, {2, 5}, 2},
    {PRUNE_OBSERVE_CHANNEL_SCALES, PRUNE_CHANNEL_SCALES, {5, 0}, 1},
};
enum { FEEDS = sizeof feeds / sizeof *feeds };

/* 0 for what is fed in pairs. */
static int feed_of(int32_t needs)
{
    for (int f = 0; f < FEEDS; f++)
        if (feeds[f].needs == needs)
            return f;
    return -1;
}

static prune_tensor *numbers(int f, float bad)
{
    prune_tensor *tensor = NULL;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, feeds[f].rank, feeds[f].shape));
    float *data = prune_tensor_data(tensor);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        data[i] = (float)(i % 7 - 2);
    data[4] = bad;
    return tensor;
}

START_TEST(numbers_that_are_not_of_every_kind_of_data)
{
    for (int f = 0; f < FEEDS; f++) {
        prune_observations *o = NULL;
        prune_tensor *nan = numbers(f, NAN), *infinite = numbers(f, -INFINITY);
        OK(prune_observations_create(&o, NULL, feeds[f].needs));
        FAILS(prune_observations_feed(o, feeds[f].kind, nan), PRUNE_E_VALUE, "number 4 of the ");
        ck_assert_ptr_nonnull(strstr(prune_error(), "NaN"));
        FAILS(prune_observations_feed(o, feeds[f].kind, infinite), PRUNE_E_VALUE, "infinite");
        prune_tensor_free(infinite);
        prune_tensor_free(nan);
        prune_observations_free(o);
    }
}
END_TEST

static void refuses_scores(const char *name, const prune_observations *o, int32_t status, const char *word)
{
    prune_criterion *criterion = NULL;
    prune_granularity *g = NULL;
    prune_tensor *weights = NULL;
    prune_scores *scores = UNTOUCHED;
    float w[12];
    memcpy(w, weights_of_test, sizeof w);
    OK(prune_criterion_create(&criterion, NULL, name));
    OK(prune_granularity_create(&g, NULL, "row"));
    OK(prune_tensor_borrow(&weights, NULL, w, PRUNE_F32, 2, SHAPE(3, 4), NULL));
    FAILS(prune_criterion_score(&scores, criterion, weights, o, g), status, word);
    ck_assert_ptr_nonnull(strstr(prune_error(), name));
    ck_assert(scores == UNTOUCHED);
    prune_tensor_free(weights);
    prune_granularity_free(g);
    prune_criterion_free(criterion);
}

START_TEST(criteria_without_data_or_with_others)
{
    int tried = 0;
    for (int32_t i = 0; i < prune_kind_count("criteria"); i++) {
        const char *name = prune_kind_name("criteria", i);
        prune_criterion *criterion = NULL;
        prune_observations *empty = NULL, *other = NULL;
        OK(prune_criterion_create(&criterion, NULL, strcmp(name, "lp") == 0 ? "lp:p=2" : name));
        int32_t needs = prune_criterion_needs(criterion);
        prune_criterion_free(criterion);
        if (!needs)
            continue;
        OK(prune_observations_create(&empty, NULL, needs));
        refuses_scores(name, NULL, PRUNE_E_ARGUMENT, "need");
        refuses_scores(name, empty, PRUNE_E_ARGUMENT, "0 ");
        prune_observations_free(empty);
        int f = feed_of(needs);
        if (f < 0)
            continue;
        prune_tensor *data = numbers(f, 3);
        OK(prune_observations_create(&other, NULL, needs));
        OK(prune_observations_feed(other, feeds[f].kind, data));
        refuses_scores(name, other, PRUNE_E_SHAPE, "5");
        prune_tensor_free(data);
        prune_observations_free(other);
        tried++;
    }
    ck_assert_int_ge(tried, 11);
}
END_TEST

/* A group that keeps nothing, patterns that fit no kernel. */
START_TEST(granularities_that_cannot_be)
{
    static const struct {
        const char *spec, *word;
    } bad[] = {
        {"nm:keep_n=0,group_m=4", "keep_n=0 is outside its range, 1 to 2147483647"},
        {"nm:keep_n=5,group_m=4", "keep_n=5 is above group_m=4"},
        {"nm-transposable:keep_n=0,group_m=4", "keep_n=0"},
        {"pattern:keep_n=0", "keep_n=0 is outside its range, 1 to 64"},
        {"pattern:masks=1110/11", "a pattern of 2 elements after one of 4"},
        {"vector:vector=0", "vector=0"},
        {"block:block=4x0", "block=4x0 is outside its range, 1 to 2147483647 each"},
        {"balanced:processing_elements=0", "processing_elements=0"},
        {"bank-balanced:bank=0", "bank=0"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        prune_granularity *g = UNTOUCHED;
        FAILS(prune_granularity_create(&g, NULL, bad[i].spec), PRUNE_E_SPEC, bad[i].word);
        ck_assert(g == UNTOUCHED);
    }
    prune_granularity *four = NULL;
    prune_tensor *nine = NULL;
    prune_mask *mask = UNTOUCHED;
    prune_criterion *l1 = NULL;
    prune_scores *scores = UNTOUCHED;
    OK(prune_granularity_create(&four, NULL, "pattern:masks=1110/0111"));
    OK(prune_criterion_create(&l1, NULL, "l1"));
    OK(prune_tensor_create(&nine, NULL, PRUNE_F32, 4, SHAPE(2, 2, 3, 3)));
    FAILS(prune_criterion_score(&scores, l1, nine, NULL, four), PRUNE_E_SHAPE, "4 elements for kernels of 9");
    FAILS(prune_mask_magnitude(&mask, nine, four, PRUNE_QUOTA, 0), PRUNE_E_SHAPE, "4 elements for kernels of 9");
    ck_assert(scores == UNTOUCHED && mask == UNTOUCHED);
    prune_tensor_free(nine);
    prune_criterion_free(l1);
    prune_granularity_free(four);
}
END_TEST

TEST_MAIN("bad_input", every_recovery_is_tried, recoveries_without_samples_or_with_others,
          recoveries_of_singular_matrices_without_damping, recoveries_of_indefinite_matrices,
          numbers_that_are_not_of_every_kind_of_data, criteria_without_data_or_with_others,
          granularities_that_cannot_be)
