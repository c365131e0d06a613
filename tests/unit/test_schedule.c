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

/* Both ends are exact, and a rounding never leads outside of them, however long the way. */
START_TEST(never_outside_its_ends)
{
    const char *kinds[] = {"linear", "cubic"};
    for (int i = 0; i < 2; i++)
        for (int from = 0; from <= 10; from++)
            for (int to = 0; to <= 10; to++) {
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
          one_shot_is_nothing_and_then_everything, never_outside_its_ends, very_long_ways, canonical_spec, bad_specs,
          bad_arguments)
