/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the tests of kernels use of Check, for machines that have none: programs for another processor, linked
 * statically and run under an emulator. A failure ends its test; the last line is Check's.
 */
#ifndef PR_PLAIN_CHECK_H
#define PR_PLAIN_CHECK_H

#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    void (*run)(void);
} TTest;

typedef struct {
    const TTest *tests[100];
    const char *name;
    int count, failed;
} Suite;
typedef Suite SRunner;
typedef const TTest TCase;

static jmp_buf plain_end;

#define START_TEST(test)                                                                                               \
    static void test##_run(void);                                                                                      \
    static const TTest test##_test = {#test, test##_run};                                                              \
    static const TTest *const test = &test##_test;                                                                     \
    static void test##_run(void)
#define END_TEST

#define ck_abort_msg(...)                                                                                              \
    do {                                                                                                               \
        printf("%s:%d: ", __FILE__, __LINE__);                                                                         \
        printf(__VA_ARGS__);                                                                                           \
        printf("\n");                                                                                                  \
        longjmp(plain_end, 1);                                                                                         \
    } while (0)
#define ck_assert_msg(truth, ...)                                                                                      \
    do {                                                                                                               \
        if (!(truth))                                                                                                  \
            ck_abort_msg(__VA_ARGS__);                                                                                 \
    } while (0)
#define ck_assert(truth) ck_assert_msg(truth, "%s", #truth)
#define PLAIN_COMPARE(type, a, relation, b, format)                                                                    \
    do {                                                                                                               \
        type left_ = (a);                                                                                              \
        type right_ = (b);                                                                                             \
        ck_assert_msg(left_ relation right_, "%s " #relation " %s: " format " and " format, #a, #b, left_, right_);    \
    } while (0)
#define ck_assert_int_eq(a, b) PLAIN_COMPARE(long long, a, ==, b, "%lld")
#define ck_assert_int_ne(a, b) PLAIN_COMPARE(long long, a, !=, b, "%lld")
#define ck_assert_int_lt(a, b) PLAIN_COMPARE(long long, a, <, b, "%lld")
#define ck_assert_int_le(a, b) PLAIN_COMPARE(long long, a, <=, b, "%lld")
#define ck_assert_int_gt(a, b) PLAIN_COMPARE(long long, a, >, b, "%lld")
#define ck_assert_int_ge(a, b) PLAIN_COMPARE(long long, a, >=, b, "%lld")
#define ck_assert_uint_eq(a, b) PLAIN_COMPARE(unsigned long long, a, ==, b, "%llu")
#define ck_assert_ptr_eq(a, b) PLAIN_COMPARE(const void *, a, ==, b, "%p")
#define ck_assert_ptr_ne(a, b) PLAIN_COMPARE(const void *, a, !=, b, "%p")
#define ck_assert_ptr_nonnull(a) ck_assert((a) != NULL)
#define ck_assert_ptr_null(a) ck_assert((a) == NULL)
#define ck_assert_str_eq(a, b) ck_assert_msg(strcmp(a, b) == 0, "%s is \"%s\", not \"%s\"", #a, a, b)
#define ck_assert_mem_eq(a, b, size) ck_assert_msg(memcmp(a, b, size) == 0, "%s and %s differ", #a, #b)

#define suite_create(text) (&(Suite){.name = (text)})
#define tcase_create(text) ((void)(text), (const TTest *)NULL)
#define tcase_set_timeout(test_case, seconds) ((void)(test_case), (void)(seconds))
#define tcase_add_test(test_case, test) ((test_case) = (test))
#define suite_add_tcase(suite, test_case) ((suite)->tests[(suite)->count++] = (test_case))
#define srunner_create(suite) (suite)
#define srunner_free(runner) ((void)(runner))
#define srunner_ntests_failed(runner) ((runner)->failed)
#define CK_NORMAL 0

static void srunner_run_all(SRunner *runner, int how)
{
    (void)how;
    for (int i = 0; i < runner->count; i++) {
        if (setjmp(plain_end) == 0) {
            runner->tests[i]->run();
            continue;
        }
        printf("failed: %s\n", runner->tests[i]->name);
        runner->failed++;
    }
    printf("%d%%: Checks: %d, Failures: %d, Errors: 0\n",
           runner->count ? 100 * (runner->count - runner->failed) / runner->count : 100, runner->count, runner->failed);
}

#endif
