/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A library is a guest in its host's process: nothing of the process is another after it was loaded, used and made to
 * fail. Through the shared library, as a host would see it.
 */
#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "testing.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
static unsigned control_word(void)
{
    return _mm_getcsr();
}
static void set_control_word(unsigned word)
{
    _mm_setcsr(word);
}
#else
static unsigned control_word(void)
{
    return 0;
}
static void set_control_word(unsigned word)
{
    (void)word;
}
#endif

/* What main found, before any call; the loader has run the libraries' constructors by then. */
static unsigned word_at_start;
static int rounding_at_start;

static const char *const criteria[] = {"l1", "l2", "lp:p=1.5", "random:seed=3"};

/* Score, select, pack, multiply, with every criterion; every object is freed. */
static void use_everything(prune_context *context)
{
    float w[16 * 32], x[32 * 8], y[16 * 8];
    int64_t shape[2] = {16, 32};
    for (int i = 0; i < 16 * 32; i++)
        w[i] = (float)((i * 29) % 31 - 15) / 8.0f;
    for (int i = 0; i < 32 * 8; i++)
        x[i] = (float)(i % 5);
    for (size_t i = 0; i < sizeof criteria / sizeof *criteria; i++) {
        prune_tensor *weights = NULL;
        prune_granularity *granularity = NULL;
        prune_criterion *criterion = NULL;
        prune_scores *scores = NULL;
        prune_mask *mask = NULL;
        prune_packed *packed = NULL;
        OK(prune_tensor_borrow(&weights, context, w, PRUNE_F32, 2, shape, NULL));
        OK(prune_granularity_create(&granularity, context, "nm:keep_n=2,group_m=4"));
        OK(prune_criterion_create(&criterion, context, criteria[i]));
        OK(prune_criterion_score(&scores, criterion, weights, NULL, granularity));
        OK(prune_mask_select(&mask, scores, PRUNE_QUOTA, 0));
        OK(prune_packed_create(&packed, weights, mask, i % 2 ? "format=csr" : "format=nm"));
        OK(prune_packed_run(packed, y, 8, x, 8, 8, NULL));
        OK(prune_packed_run_batch(packed, y, 16, x, 32, 8, NULL));
        prune_packed_free(packed);
        prune_mask_free(mask);
        prune_scores_free(scores);
        prune_criterion_free(criterion);
        prune_granularity_free(granularity);
        prune_tensor_free(weights);
    }
}

static void fail_in_several_ways(void)
{
    prune_tensor *tensor = UNTOUCHED;
    prune_criterion *criterion = UNTOUCHED;
    prune_packed *packed = UNTOUCHED;
    int64_t shape[2] = {-1, 3};
    ck_assert_int_ne(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, shape), PRUNE_OK);
    ck_assert_int_ne(prune_tensor_create(NULL, NULL, PRUNE_F32, 2, shape), PRUNE_OK);
    ck_assert_int_ne(prune_criterion_create(&criterion, NULL, "lp:p=much"), PRUNE_OK);
    ck_assert_int_ne(prune_packed_load(&packed, NULL, "nothing", 7), PRUNE_OK);
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    ck_assert_ptr_eq(criterion, UNTOUCHED);
    ck_assert_ptr_eq(packed, UNTOUCHED);
}

START_TEST(loading_leaves_the_floating_point_mode)
{
#if defined(__x86_64__)
    ck_assert_uint_eq(word_at_start, 0x1f80); /* what a process starts with: all masked, to nearest, denormals kept */
#endif
    ck_assert_int_eq(rounding_at_start, FE_TONEAREST);
}
END_TEST

START_TEST(calls_leave_the_floating_point_mode)
{
    use_everything(NULL); /* sticky flags are raised by arithmetic, as they may; the mode is what must stay */
    unsigned mode = control_word() & ~0x3fu;
    use_everything(NULL);
    fail_in_several_ways();
    ck_assert_uint_eq(control_word() & ~0x3fu, mode);
#if defined(__x86_64__)
    /* A host that flushes denormals keeps doing so, and one that does not gets no denormal flushed. */
    set_control_word(mode | 0x8040u);
    use_everything(NULL);
    ck_assert_uint_eq(control_word() & ~0x3fu, mode | 0x8040u);
    set_control_word(mode);
#endif
    ck_assert_int_eq(fesetround(FE_UPWARD), 0);
    use_everything(NULL);
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
}
END_TEST

START_TEST(nothing_is_printed)
{
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    fflush(stdout);
    fflush(stderr);
    int out = dup(1), err = dup(2);
    dup2(fileno(file), 1);
    dup2(fileno(file), 2);
    use_everything(NULL);
    fail_in_several_ways();
    fflush(stdout);
    fflush(stderr);
    dup2(out, 1);
    dup2(err, 2);
    close(out);
    close(err);
    struct stat status;
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    ck_assert_int_eq((int)status.st_size, 0);
    fclose(file);
}
END_TEST

START_TEST(locale_stays_and_does_not_matter)
{
    char before[64];
    snprintf(before, sizeof before, "%s", setlocale(LC_ALL, NULL));
    use_everything(NULL);
    ck_assert_str_eq(setlocale(LC_ALL, NULL), before);
    static const char *const with_comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"};
    int found = 0;
    for (size_t i = 0; i < sizeof with_comma / sizeof *with_comma && !found; i++)
        found = setlocale(LC_ALL, with_comma[i]) != NULL;
    if (!found) {
        skip("numbers under a locale with a decimal comma", "no such locale is installed");
        return;
    }
    prune_criterion *criterion = NULL;
    OK(prune_criterion_create(&criterion, NULL, "lp:p=1.5"));
    ck_assert_str_eq(prune_criterion_spec(criterion), "lp:p=1.5");
    prune_criterion_free(criterion);
    setlocale(LC_ALL, "C");
}
END_TEST

START_TEST(signals_and_the_hosts_random_numbers_stay)
{
    static const int signals[] = {SIGFPE, SIGSEGV, SIGPIPE, SIGINT, SIGTERM, SIGABRT, SIGBUS, SIGILL, SIGXFSZ};
    struct sigaction before[sizeof signals / sizeof *signals], after;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], NULL, &before[i]);
    srand(11);
    int first = rand();
    srand(11);
    use_everything(NULL);
    fail_in_several_ways();
    ck_assert_int_eq(rand(), first);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        sigaction(signals[i], NULL, &after);
        ck_assert_msg(after.sa_handler == before[i].sa_handler, "signal %d has another handler", signals[i]);
    }
}
END_TEST

static int entries(const char *folder)
{
    int count = 0;
    DIR *open = opendir(folder);
    if (!open)
        return -1;
    while (readdir(open))
        count++;
    closedir(open);
    return count;
}

START_TEST(no_thread_and_no_file_is_left)
{
    int threads = entries("/proc/self/task"), files = entries("/proc/self/fd");
    if (threads < 0) {
        skip("threads and files that are left", "there is no /proc");
        return;
    }
    use_everything(NULL);
    ck_assert_int_eq(entries("/proc/self/task"), threads); /* one thread unless the host asks for more */
    prune_context *context = NULL;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, 3));
    use_everything(context);
    prune_context_free(context);
    fail_in_several_ways();
    ck_assert_int_eq(entries("/proc/self/fd"), files);
    /* A thread that was joined may stand in /proc for a moment longer. */
    for (int i = 0; i < 100 && entries("/proc/self/task") != threads; i++)
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    ck_assert_int_eq(entries("/proc/self/task"), threads);
}
END_TEST

START_TEST(version_of_header_and_library_agree)
{
    ck_assert_str_eq(prune_version(), PRUNE_VERSION_STRING);
    char numbers[32];
    snprintf(numbers, sizeof numbers, "%d.%d.%d", PRUNE_VERSION_MAJOR, PRUNE_VERSION_MINOR, PRUNE_VERSION_PATCH);
    ck_assert_str_eq(numbers, PRUNE_VERSION_STRING);
}
END_TEST

int main(void)
{
    word_at_start = control_word() & ~0x3fu;
    rounding_at_start = fegetround();
    const TTest *const tests[] = {loading_leaves_the_floating_point_mode,
                                  calls_leave_the_floating_point_mode,
                                  nothing_is_printed,
                                  locale_stays_and_does_not_matter,
                                  signals_and_the_hosts_random_numbers_stay,
                                  no_thread_and_no_file_is_left,
                                  version_of_header_and_library_agree};
    return run_tests("citizen", tests, (int)(sizeof tests / sizeof *tests));
}
