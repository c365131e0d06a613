/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What every test program shares. One program a file: tests and a main that is TEST_MAIN("name", test_a, test_b, ...).
 */
#ifndef PR_TESTING_H
#define PR_TESTING_H

#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prune/prune.h"

/* A call that must succeed; shows the sentence when it does not. */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        int32_t status_ = (call);                                                                                      \
        ck_assert_msg(status_ == PRUNE_OK, "%s: %s: %s", #call, prune_status_name(status_), prune_error());            \
    } while (0)

/* A call that must fail with exactly this status and with `word` in its sentence. */
#define FAILS(call, expected, word)                                                                                    \
    do {                                                                                                               \
        int32_t status_ = (call);                                                                                      \
        ck_assert_msg(status_ == (expected), "%s: %s instead of %s (%s)", #call, prune_status_name(status_),           \
                      prune_status_name(expected), prune_error());                                                     \
        ck_assert_msg(strstr(prune_error(), (word)) != NULL, "%s: no \"%s\" in: %s", #call, (word), prune_error());    \
    } while (0)

/* A value for out-parameters that a failing call must leave alone. */
#define UNTOUCHED ((void *)(uintptr_t)0x5a5a)

/* Says that something could not be tested here, and why; counted and shown by `make check`. */
static inline void skip(const char *what, const char *why)
{
    printf("SKIP: %s: %s\n", what, why);
    fflush(stdout);
}

static inline int run_tests(const char *name, const TTest *const *tests, int count)
{
    Suite *suite = suite_create(name);
    for (int i = 0; i < count; i++) {
        TCase *test_case = tcase_create(tests[i]->name);
        tcase_set_timeout(test_case, getenv("LONG") && *getenv("LONG") ? 3600 : 120);
        tcase_add_test(test_case, tests[i]);
        suite_add_tcase(suite, test_case);
    }
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

#define TEST_MAIN(name, ...)                                                                                           \
    int main(void)                                                                                                     \
    {                                                                                                                  \
        const TTest *const tests[] = {__VA_ARGS__};                                                                    \
        return run_tests(name, tests, (int)(sizeof tests / sizeof *tests));                                            \
    }

#endif
