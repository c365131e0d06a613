/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sentences, checked sizes, random numbers.
 */
#include <pthread.h>

#include "base/checked.h"
#include "base/rng.h"
#include "testing.h"

START_TEST(status_numbers_are_what_they_were)
{
    /* Numbers and names that callers and bindings have written down. */
    static const struct {
        int32_t status, number;
        const char *name;
    } known[] = {
        {PRUNE_OK, 0, "PRUNE_OK"},
        {PRUNE_E_ARGUMENT, -1, "PRUNE_E_ARGUMENT"},
        {PRUNE_E_SHAPE, -2, "PRUNE_E_SHAPE"},
        {PRUNE_E_DTYPE, -3, "PRUNE_E_DTYPE"},
        {PRUNE_E_SPEC, -4, "PRUNE_E_SPEC"},
        {PRUNE_E_VALUE, -5, "PRUNE_E_VALUE"},
        {PRUNE_E_FORMAT, -6, "PRUNE_E_FORMAT"},
        {PRUNE_E_UNSUPPORTED, -7, "PRUNE_E_UNSUPPORTED"},
        {PRUNE_E_INFEASIBLE, -8, "PRUNE_E_INFEASIBLE"},
        {PRUNE_E_OVERFLOW, -9, "PRUNE_E_OVERFLOW"},
        {PRUNE_E_NOMEM, -101, "PRUNE_E_NOMEM"},
        {PRUNE_E_IO, -102, "PRUNE_E_IO"},
        {PRUNE_E_NOTFOUND, -103, "PRUNE_E_NOTFOUND"},
        {PRUNE_E_CANCELLED, -104, "PRUNE_E_CANCELLED"},
        {PRUNE_E_DIVERGED, -105, "PRUNE_E_DIVERGED"},
        {-10, -10, "PRUNE_E_?"},
        {1, 1, "PRUNE_E_?"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        ck_assert_int_eq(known[i].status, known[i].number);
        ck_assert_str_eq(prune_status_name(known[i].status), known[i].name);
    }
}
END_TEST

static void *fail_elsewhere(void *sentence)
{
    ck_assert_str_eq(prune_error(), "");
    prune_fail(PRUNE_E_IO, sentence);
    ck_assert_str_eq(prune_error(), sentence);
    return NULL;
}

START_TEST(each_thread_has_its_own_sentence)
{
    pthread_t thread;
    ck_assert_str_eq(prune_error(), "");
    ck_assert_int_eq(prune_fail(PRUNE_E_SHAPE, "here"), PRUNE_E_SHAPE);
    ck_assert_int_eq(pthread_create(&thread, NULL, fail_elsewhere, "elsewhere"), 0);
    pthread_join(thread, NULL);
    ck_assert_str_eq(prune_error(), "here");
}
END_TEST

START_TEST(sentences_are_copied_and_cut)
{
    char text[2000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    prune_fail(PRUNE_E_IO, text);
    ck_assert_uint_eq(strlen(prune_error()), 511);
    text[0] = 'b';
    ck_assert_int_eq(prune_error()[0], 'a');
    prune_fail(PRUNE_E_IO, prune_error() + 500); /* its own text again */
    ck_assert_str_eq(prune_error(), "aaaaaaaaaaa");
    prune_fail(PRUNE_E_IO, NULL);
    ck_assert_str_eq(prune_error(), "");
}
END_TEST

START_TEST(success_keeps_the_sentence)
{
    int64_t product;
    prune_fail(PRUNE_E_IO, "the old one");
    OK(pr_mul(2, 3, &product));
    ck_assert_str_eq(prune_error(), "the old one");
}
END_TEST

START_TEST(a_prefix_is_put_before_a_sentence)
{
    pr_fail(PRUNE_E_FORMAT, "no %s at %d", "brace", 7);
    ck_assert_int_eq(pr_fail_in(PRUNE_E_FORMAT, "file %s", "x"), PRUNE_E_FORMAT);
    ck_assert_str_eq(prune_error(), "file x: no brace at 7");
}
END_TEST

START_TEST(sizes_that_do_not_fit_are_refused)
{
    int64_t result = -77;
    OK(pr_mul(3037000499, 3037000499, &result));
    ck_assert_int_eq(result, 9223372030926249001);
    result = -77;
    FAILS(pr_mul(3037000500, 3037000500, &result), PRUNE_E_OVERFLOW, "3037000500");
    FAILS(pr_mul(INT64_MAX, 2, &result), PRUNE_E_OVERFLOW, "9223372036854775807 x 2");
    FAILS(pr_mul(-1, 2, &result), PRUNE_E_OVERFLOW, "-1");
    FAILS(pr_add(INT64_MAX, 1, &result), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(pr_add(1, -1, &result), PRUNE_E_OVERFLOW, "-1");
    ck_assert_int_eq(result, -77);
    OK(pr_add(INT64_MAX - 1, 1, &result));
    ck_assert_int_eq(result, INT64_MAX);
    ck_assert_int_eq(pr_ceil_div(INT64_MAX, 2), INT64_MAX / 2 + 1);
    ck_assert_int_eq(pr_ceil_div(8, 4), 2);
    ck_assert_int_eq(pr_ceil_div(0, 4), 0);
}
END_TEST

START_TEST(counts_of_shapes)
{
    static const struct {
        int64_t shape[3], count;
        int32_t rank, status;
        const char *word;
    } cases[] = {
        {{2, 3, 4}, 24, 3, PRUNE_OK, ""},
        {{0}, 1, 0, PRUNE_OK, ""},
        {{5, 0, 7}, 0, 3, PRUNE_OK, ""},
        {{5, -1, 7}, 0, 3, PRUNE_E_SHAPE, "extent 1 of the shape is -1"},
        {{INT64_MAX, 2, 1}, 0, 3, PRUNE_E_OVERFLOW, "63 bits"},
        {{0, INT64_MAX, 2}, 0, 3, PRUNE_E_OVERFLOW, "63 bits"}, /* nothing to hold, but strides could not be computed */
        {{INT64_MAX, 2, 0}, 0, 3, PRUNE_E_OVERFLOW, "63 bits"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t count = -77;
        if (cases[i].status == PRUNE_OK) {
            OK(pr_count(cases[i].rank, cases[i].shape, &count));
            ck_assert_int_eq(count, cases[i].count);
        } else {
            FAILS(pr_count(cases[i].rank, cases[i].shape, &count), cases[i].status, cases[i].word);
            ck_assert_int_eq(count, -77);
        }
    }
}
END_TEST

/* SplitMix64 of seed 1234567 and xoshiro256** of state 1, 2, 3, 4: the numbers that implementations compare. */
START_TEST(splitmix64_seeds_with_the_published_numbers)
{
    static const uint64_t expected[4] = {6457827717110365317u, 3203168211198807973u, 9817491932198370423u,
                                         4593380528125082431u};
    struct pr_rng rng;
    pr_rng_seed(&rng, 1234567);
    ck_assert_mem_eq(rng.state, expected, sizeof expected);
}
END_TEST

START_TEST(xoshiro256starstar_gives_the_published_numbers)
{
    static const uint64_t expected[] = {11520u,
                                        0u,
                                        1509978240u,
                                        1215971899390074240u,
                                        1216172134540287360u,
                                        607988272756665600u,
                                        16172922978634559625u,
                                        8476171486693032832u,
                                        10595114339597558777u,
                                        2904607092377533576u};
    struct pr_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        ck_assert_uint_eq(pr_rng_next(&rng), expected[i]);
}
END_TEST

START_TEST(random_numbers_stay_in_their_range)
{
    struct pr_rng rng;
    int64_t hits[7] = {0};
    double sum = 0;
    pr_rng_seed(&rng, 1);
    for (int i = 0; i < 70000; i++) {
        double u = pr_rng_uniform(&rng), v = pr_rng_at(9, (uint64_t)i);
        uint64_t below = pr_rng_below(&rng, 7);
        ck_assert(u >= 0 && u < 1 && v >= 0 && v < 1 && below < 7);
        hits[below]++;
        sum += u + v;
    }
    for (int i = 0; i < 7; i++)
        ck_assert_msg(hits[i] > 9600 && hits[i] < 10400, "%d came %lld times of 10000", i, (long long)hits[i]);
    ck_assert(sum / 140000 > 0.495 && sum / 140000 < 0.505);
    ck_assert_uint_eq(pr_rng_below(&rng, 1), 0);
    ck_assert(pr_rng_at(9, 3) == pr_rng_at(9, 3));
    ck_assert(pr_rng_at(9, 3) != pr_rng_at(9, 4));
    ck_assert(pr_rng_at(9, 3) != pr_rng_at(8, 3));
}
END_TEST

TEST_MAIN("base", status_numbers_are_what_they_were, each_thread_has_its_own_sentence, sentences_are_copied_and_cut,
          success_keeps_the_sentence, a_prefix_is_put_before_a_sentence, sizes_that_do_not_fit_are_refused,
          counts_of_shapes, splitmix64_seeds_with_the_published_numbers, xoshiro256starstar_gives_the_published_numbers,
          random_numbers_stay_in_their_range)
