/* SPDX-License-Identifier: BSD-2-Clause */
#include "pruning.h"

static double at(const char *spec, int64_t step)
{
    prune_schedule *schedule;
    double sparsity = -7;
    OK(prune_schedule_create(&schedule, NULL, spec));
    OK(prune_schedule_at(schedule, step, &sparsity));
    prune_schedule_free(schedule);
    return sparsity;
}

START_TEST(polynomial_decay_of_tfmot)
{
    const char *spec = "cubic:initial=0.2,final=0.8,begin=100,end=110";
    ck_assert_double_eq(at(spec, 0), 0.2);
    ck_assert_double_eq(at(spec, 100), 0.2);
    ck_assert_double_eq_tol(at(spec, 102), 0.4928, 1e-15);
    ck_assert_double_eq_tol(at(spec, 105), 0.725, 1e-15);
    ck_assert_double_eq(at(spec, 110), 0.8);
    ck_assert_double_eq(at(spec, INT64_MAX), 0.8);
}
END_TEST

START_TEST(agp_of_nni)
{
    const char *spec = "cubic:final=1,end=10";
    for (int64_t step = 0; step <= 12; step++) {
        double t = step < 10 ? (double)step / 10 : 1;
        ck_assert_double_eq_tol(at(spec, step), 1 - (1 - t) * (1 - t) * (1 - t), 1e-15);
    }
}
END_TEST

START_TEST(linear_is_a_straight_line)
{
    const char *up = "linear:initial=0.25,final=0.75,begin=4,end=12", *down = "linear:initial=0.75,final=0.25,end=8";
    ck_assert_double_eq(at(up, 0), 0.25);
    ck_assert_double_eq(at(up, 4), 0.25);
    ck_assert_double_eq(at(up, 6), 0.375);
    ck_assert_double_eq(at(up, 8), 0.5);
    ck_assert_double_eq(at(up, 12), 0.75);
    ck_assert_double_eq(at(up, 99), 0.75);
    ck_assert_double_eq(at(down, 2), 0.625);
    ck_assert_double_eq(at(down, 8), 0.25);
}
END_TEST

START_TEST(one_shot_is_nothing_and_then_everything)
{
    ck_assert_double_eq(at("one-shot:sparsity=0.9", 0), 0.9);
    ck_assert_double_eq(at("one-shot:sparsity=0.9,step=5", 4), 0);
    ck_assert_double_eq(at("one-shot:sparsity=0.9,step=5", 5), 0.9);
    ck_assert_double_eq(at("one-shot:sparsity=0.9,step=5", INT64_MAX), 0.9);
}
END_TEST

START_TEST(exponential_keeps_the_same_part_each_step)
{
    const char *spec = "exponential:final=0.9,end=20";
    for (int64_t step = 0; step <= 20; step++)
        ck_assert_double_eq_tol(at(spec, step), 1 - pow(0.1, (double)step / 20), 1e-15);
    ck_assert_double_eq(at(spec, 20), 0.9);
    ck_assert_double_eq_tol(at("exponential:initial=0.5,final=0.875,begin=2,end=4", 3), 0.75, 1e-15);
    ck_assert_double_eq_tol(at("exponential:initial=0.875,final=0.5,end=2", 1), 0.75, 1e-15);
}
END_TEST

START_TEST(cosine_of_a_quarter_and_of_half_a_wave)
{
    const double pi = 3.141592653589793;
    for (int64_t step = 0; step <= 30; step++) {
        double t = (double)step / 30;
        ck_assert_double_eq_tol(at("cosine:initial=0.1,final=0.8,end=30", step), 0.1 + 0.7 * (1 - cos(pi * t / 2)),
                                1e-15);
        ck_assert_double_eq_tol(at("cosine:final=1,end=30,curve=half", step), (1 - cos(pi * t)) / 2, 1e-15);
    }
    ck_assert_double_eq_tol(at("cosine:final=1,end=3", 2), 0.5, 1e-15);
    ck_assert_double_eq_tol(at("cosine:final=1,end=2,curve=half", 1), 0.5, 1e-15);
}
END_TEST

START_TEST(multi_step_with_the_counts_of_tfmot)
{
    /* Of the weights 1 to 100, with the schedule 0, .1, .1, .3, .3, .5: 100, 90, 90, 70, 70, 50 are left. */
    const char *spec = "multi-step:steps=1:0.1/3:0.3/5:0.5";
    const int64_t left[] = {100, 90, 90, 70, 70, 50};
    float w[100];
    for (int i = 0; i < 100; i++)
        w[i] = (float)(i + 1);
    for (int64_t step = 0; step < 6; step++)
        expect_kept(prune_f32(w, 1, SHAPE(100), "l1", "element", PRUNE_SPARSITY, at(spec, step)), left[step]);
    ck_assert_double_eq(at("multi-step:initial=0.25,steps=7:1", 6), 0.25);
    ck_assert_double_eq(at("multi-step:initial=0.25,steps=7:1", 7), 1);
    ck_assert_double_eq(at("multi-step:steps=0:0.5/1e3:0.25", INT64_MAX), 0.25);
}
END_TEST

static int32_t own(void *user, int64_t step, double *sparsity)
{
    if (step == 99)
        return prune_fail(PRUNE_E_IO, "no table");
    *sparsity = *(double *)user * (double)step;
    return PRUNE_OK;
}

START_TEST(a_callers_function)
{
    prune_schedule *schedule;
    double slope = 0.125, sparsity = -7;
    OK(prune_schedule_create_callback(&schedule, NULL, own, &slope));
    ck_assert_str_eq(prune_schedule_spec(schedule), "callback");
    OK(prune_schedule_at(schedule, 6, &sparsity));
    ck_assert_double_eq(sparsity, 0.75);
    FAILS(prune_schedule_at(schedule, 9, &sparsity), PRUNE_E_VALUE, "1.125");
    FAILS(prune_schedule_at(schedule, 99, &sparsity), PRUNE_E_IO, "no table");
    FAILS(prune_schedule_at(schedule, -1, &sparsity), PRUNE_E_ARGUMENT, "negative");
    slope = NAN;
    FAILS(prune_schedule_at(schedule, 1, &sparsity), PRUNE_E_VALUE, "nan");
    ck_assert_double_eq(sparsity, 0.75);
    prune_schedule_free(schedule);
    schedule = UNTOUCHED;
    FAILS(prune_schedule_create_callback(&schedule, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "function");
    ck_assert_ptr_eq(schedule, UNTOUCHED);
}
END_TEST

/* Both ends are exact, and a rounding never leads outside of them, however long the way. */
START_TEST(never_outside_its_ends)
{
    const char *kinds[] = {"linear", "cubic", "cosine", "exponential"};
    for (int i = 0; i < 4; i++)
        for (int from = 0; from <= (i < 3 ? 10 : 9); from++)
            for (int to = 0; to <= (i < 3 ? 10 : 9); to++) {
                char spec[100];
                double last = from / 10.0;
                prune_schedule *schedule;
                snprintf(spec, sizeof spec, "%s:initial=%d.%d,final=%d.%d,begin=3,end=40", kinds[i], from / 10,
                         from % 10, to / 10, to % 10);
                OK(prune_schedule_create(&schedule, NULL, spec));
                for (int64_t step = 0; step < 45; step++) {
                    double sparsity;
                    OK(prune_schedule_at(schedule, step, &sparsity));
                    ck_assert_msg(from <= to ? sparsity >= last && sparsity <= to / 10.0
                                             : sparsity <= last && sparsity >= to / 10.0,
                                  "%s at %d: %.17g after %.17g", spec, (int)step, sparsity, last);
                    last = sparsity;
                }
                ck_assert_double_eq(last, to / 10.0);
                prune_schedule_free(schedule);
            }
}
END_TEST

START_TEST(very_long_ways)
{
    ck_assert_double_eq(at("linear:final=1,end=9007199254740992", 4503599627370496), 0.5);
    ck_assert_double_eq(at("cubic:final=1,begin=9007199254740990,end=9007199254740992", 9007199254740991), 0.875);
}
END_TEST

START_TEST(canonical_spec)
{
    const char *same[][2] = {
        {"one-shot:step=0,sparsity=.50", "one-shot:sparsity=0.5"},
        {"one-shot:sparsity=-0", "one-shot:sparsity=0"},
        {"linear:end=1e2,final=1", "linear:final=1,end=100"},
        {"cubic:end=110,begin=100,final=0.8,initial=0.2", "cubic:initial=0.2,final=0.8,begin=100,end=110"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        prune_schedule *schedule;
        OK(prune_schedule_create(&schedule, NULL, same[i][0]));
        ck_assert_str_eq(prune_schedule_spec(schedule), same[i][1]);
        prune_schedule_free(schedule);
    }
}
END_TEST

START_TEST(bad_specs)
{
    const char *bad[][2] = {
        {"", "one-shot, linear, cubic"},
        {"quadratic:final=1,end=2", "quadratic"},
        {"one-shot", "sparsity"},
        {"one-shot:sparsity", "no value"},
        {"one-shot:sparsity=", "no value"},
        {"one-shot:sparsity=-0.1", "range"},
        {"one-shot:sparsity=1.0000000000000002", "range"},
        {"one-shot:sparsity=nan", "nan"},
        {"one-shot:sparsity=0.5,step=-1", "range"},
        {"one-shot:sparsity=0.5,step=1.5", "whole number"},
        {"one-shot:sparsity=0.5,end=3", "unknown key"},
        {"linear:final=0.5", "end"},
        {"linear:end=5", "final"},
        {"linear:final=0.5,end=0", "begin=0 is not before end=0"},
        {"cubic:final=0.5,begin=5,end=5", "begin=5 is not before end=5"},
        {"cubic:final=0.5,begin=6,end=5", "before"},
        {"cubic:final=0.5,begin=6,end=1e300", "range"},
        {"exponential:final=1,end=5", "below 1"},
        {"exponential:final=0.5,end=0", "before"},
        {"cosine:final=0.5,end=5,curve=full", "quarter|half"},
        {"multi-step", "steps"},
        {"multi-step:steps=5", "STEP:SPARSITY"},
        {"multi-step:steps=5:0.5/", "STEP:SPARSITY"},
        {"multi-step:steps=5:0.5/7", "STEP:SPARSITY"},
        {"multi-step:steps=1.5:0.5", "STEP:SPARSITY"},
        {"multi-step:steps=5:0.5/5:0.6", "ascend"},
        {"multi-step:steps=-5:0.5", "ascend"},
        {"multi-step:steps=5:1.5", "1.5"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        prune_schedule *schedule = UNTOUCHED;
        FAILS(prune_schedule_create(&schedule, NULL, bad[i][0]), PRUNE_E_SPEC, bad[i][1]);
        ck_assert_ptr_eq(schedule, UNTOUCHED);
    }
}
END_TEST

START_TEST(bad_arguments)
{
    prune_schedule *schedule = UNTOUCHED;
    double sparsity = 77;
    FAILS(prune_schedule_create(NULL, NULL, "one-shot:sparsity=1"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_schedule_create(&schedule, NULL, NULL), PRUNE_E_ARGUMENT, "spec");
    ck_assert_ptr_eq(schedule, UNTOUCHED);
    OK(prune_schedule_create(&schedule, NULL, "one-shot:sparsity=1"));
    FAILS(prune_schedule_at(schedule, -1, &sparsity), PRUNE_E_ARGUMENT, "step -1");
    FAILS(prune_schedule_at(NULL, 1, &sparsity), PRUNE_E_ARGUMENT, "schedule");
    FAILS(prune_schedule_at(schedule, 1, NULL), PRUNE_E_ARGUMENT, "sparsity");
    ck_assert_double_eq(sparsity, 77);
    prune_schedule_free(schedule);
    prune_schedule_free(NULL);
}
END_TEST

TEST_MAIN("schedule", polynomial_decay_of_tfmot, agp_of_nni, linear_is_a_straight_line,
          one_shot_is_nothing_and_then_everything, exponential_keeps_the_same_part_each_step,
          cosine_of_a_quarter_and_of_half_a_wave, multi_step_with_the_counts_of_tfmot, a_callers_function,
          never_outside_its_ends, very_long_ways, canonical_spec, bad_specs, bad_arguments)
