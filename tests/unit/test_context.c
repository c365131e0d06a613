/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The context: allocator, threads, executor, CPU mask, log, progress, and who keeps it alive.
 */
#define _GNU_SOURCE /* sched_getaffinity of a thread */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "allocator.h"
#include "base/alloc.h"

#define TASKS 1000

static void count_task(void *argument, int32_t index)
{
    int32_t *counts = argument;
    __atomic_add_fetch(&counts[index], 1, __ATOMIC_RELAXED);
}

/* How many of the tasks did not run exactly once. Asserts nothing: it also runs on threads and in forked children. */
static int wrong_counts(prune_context *context)
{
    int32_t counts[TASKS] = {0};
    int wrong = 0;
    prune_context_parallel(context, TASKS, count_task, counts);
    for (int i = 0; i < TASKS; i++)
        wrong += counts[i] != 1;
    return wrong;
}

static void expect_each_once(prune_context *context)
{
    ck_assert_int_eq(wrong_counts(context), 0);
}

START_TEST(null_stands_for_constants)
{
    ck_assert_int_eq(prune_context_threads(NULL), 1);
    ck_assert_uint_eq(prune_context_cpu(NULL), prune_cpu_detect());
    ck_assert_int_eq(prune_context_progress(NULL, "work", 1, 2), PRUNE_OK);
    prune_context_log(NULL, PRUNE_LOG_INFO, "nobody hears this");
    ck_assert_ptr_null(prune_context_retain(NULL));
    prune_context_free(NULL);
    void *memory = prune_context_alloc(NULL, 0);
    ck_assert_ptr_nonnull(memory);
    prune_context_release(NULL, memory);
    prune_context_release(NULL, NULL);
    expect_each_once(NULL);
}
END_TEST

START_TEST(memory_is_aligned_and_given_back_with_its_size)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    void *blocks[200];
    for (int i = 0; i < 200; i++) {
        blocks[i] = prune_context_alloc(context, (uint64_t)i);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % 64, 0);
        memset(blocks[i], 1, (size_t)i);
    }
    for (int i = 0; i < 200; i++)
        prune_context_release(context, blocks[i]);
    ck_assert_int_eq(a.live, 0);
    ck_assert_int_eq(a.bytes, 0);
    prune_context_free(context);
}
END_TEST

START_TEST(memory_that_is_not_there)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    a.fail_at = 0;
    ck_assert_ptr_null(prune_context_alloc(context, 1234567));
    ck_assert_ptr_nonnull(strstr(prune_error(), "1234567"));
    ck_assert_ptr_null(prune_context_alloc(NULL, UINT64_MAX));
    ck_assert_ptr_null(prune_context_alloc(NULL, (uint64_t)INT64_MAX));
    void *out = UNTOUCHED;
    FAILS(pr_alloc(NULL, INT64_MAX, 8, &out), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(pr_alloc(NULL, -1, 8, &out), PRUNE_E_OVERFLOW, "-1");
    a.fail_at = a.calls;
    FAILS(pr_alloc_zero(context, 10, 8, &out), PRUNE_E_NOMEM, "80");
    ck_assert_ptr_eq(out, UNTOUCHED);
    ck_assert_int_eq(a.live, 0);
    prune_context_free(context);
}
END_TEST

START_TEST(setters_refuse_what_cannot_be_meant)
{
    prune_context *context = NULL;
    FAILS(prune_context_create(NULL), PRUNE_E_ARGUMENT, "NULL");
    OK(prune_context_create(&context));
    FAILS(prune_context_set_threads(context, 0), PRUNE_E_ARGUMENT, "1 to 256");
    FAILS(prune_context_set_threads(context, 257), PRUNE_E_ARGUMENT, "257");
    FAILS(prune_context_set_threads(context, -1), PRUNE_E_ARGUMENT, "-1");
    FAILS(prune_context_set_threads(NULL, 2), PRUNE_E_ARGUMENT, "NULL");
    ck_assert_int_eq(prune_context_threads(context), 1);
    FAILS(prune_context_set_executor(context, NULL, NULL, 2), PRUNE_E_ARGUMENT, "executor");
    FAILS(prune_context_set_allocator(context, counted_alloc, NULL, NULL), PRUNE_E_ARGUMENT, "both");
    FAILS(prune_context_set_allocator(context, NULL, counted_release, NULL), PRUNE_E_ARGUMENT, "both");
    FAILS(prune_context_set_cpu(context, 1u << 31), PRUNE_E_UNSUPPORTED, "2147483648");
    ck_assert_uint_eq(prune_context_cpu(context), prune_cpu_detect());
    OK(prune_context_set_cpu(context, PRUNE_CPU_SCALAR));
    ck_assert_uint_eq(prune_context_cpu(context), 0);
    OK(prune_context_set_cpu(context, PRUNE_CPU_REPRODUCIBLE));
    ck_assert_uint_eq(prune_context_cpu(context), PRUNE_CPU_REPRODUCIBLE);
    ck_assert(!(prune_cpu_detect() & PRUNE_CPU_REPRODUCIBLE));
    OK(prune_context_set_cpu(context, prune_cpu_detect()));
    OK(prune_context_set_threads(context, 256));
    ck_assert_int_eq(prune_context_threads(context), 256);
    prune_context_free(context);
}
END_TEST

START_TEST(an_object_fixes_its_context_and_keeps_it)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_tensor *tensor = NULL, *converted = NULL;
    int64_t shape[1] = {5};
    OK(prune_tensor_create(&tensor, context, PRUNE_F32, 1, shape));
    FAILS(prune_context_set_threads(context, 2), PRUNE_E_ARGUMENT, "fixed");
    FAILS(prune_context_set_cpu(context, 0), PRUNE_E_ARGUMENT, "fixed");
    FAILS(prune_context_set_allocator(context, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "fixed");
    FAILS(prune_context_set_log(context, NULL, NULL), PRUNE_E_ARGUMENT, "fixed");
    FAILS(prune_context_set_progress(context, NULL, NULL), PRUNE_E_ARGUMENT, "fixed");
    prune_context_free(context); /* the tensor has it now */
    ck_assert_ptr_eq(prune_tensor_context(tensor), context);
    OK(prune_tensor_convert(&converted, tensor, PRUNE_F16));
    prune_tensor_free(tensor);
    ck_assert_ptr_eq(prune_tensor_context(converted), context);
    prune_tensor_free(converted); /* and now it is gone: a sanitizer would see it leak */
    ck_assert_int_eq(a.live, 0);
}
END_TEST

START_TEST(every_task_runs_once_on_any_number_of_threads)
{
    static const int32_t threads[] = {1, 2, 3, 7, 64};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        prune_context *context = NULL;
        OK(prune_context_create(&context));
        OK(prune_context_set_threads(context, threads[i]));
        for (int round = 0; round < 20; round++)
            expect_each_once(context);
        prune_context_parallel(context, 0, count_task, NULL);
        prune_context_free(context);
    }
}
END_TEST

/* Returns NULL when all went well. */
static void *caller(void *context)
{
    int wrong = 0;
    for (int round = 0; round < 50; round++)
        wrong += wrong_counts(context);
    return wrong ? context : NULL;
}

static void join_caller(pthread_t thread)
{
    void *result = NULL;
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    ck_assert_ptr_null(result);
}

START_TEST(a_context_may_be_used_from_several_threads)
{
    prune_context *context = NULL;
    pthread_t threads[4];
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, 3));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, caller, context), 0);
    for (int i = 0; i < 4; i++)
        join_caller(threads[i]);
    prune_context_free(context);
}
END_TEST

static void nested_task(void *context, int32_t index)
{
    (void)index;
    expect_each_once(context);
}

START_TEST(a_task_may_run_tasks)
{
    prune_context *context = NULL;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, 3));
    prune_context_parallel(context, 10, nested_task, context);
    prune_context_free(context);
}
END_TEST

/* What the child of a fork does: 0 when every task ran once. */
static int child_runs(prune_context *context)
{
    signal(SIGALRM, SIG_DFL); /* Check has put its own in place */
    alarm(20);                /* waiting for threads that are not there would be for ever */
    int wrong = wrong_counts(context);
    prune_context_free(context);
    return wrong ? 1 : 0;
}

static void expect_child(pid_t child)
{
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static void fork_a_child(prune_context *context)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0)
        _exit(child_runs(context));
    expect_child(child);
}

START_TEST(a_child_of_fork_works_alone)
{
    prune_context *context = NULL;
    pthread_t thread;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, 3));
    fork_a_child(context); /* before there are threads */
    expect_each_once(context);
    fork_a_child(context);
    expect_each_once(context);
    ck_assert_int_eq(pthread_create(&thread, NULL, caller, context), 0);
    for (int i = 0; i < 10; i++) /* while another thread computes */
        fork_a_child(context);
    join_caller(thread);
    prune_context_free(context);
}
END_TEST

struct rendezvous {
    pthread_mutex_t lock;
    pthread_cond_t met;
    int here;
};

static void wait_for_the_others(void *argument, int32_t index)
{
    struct rendezvous *r = argument;
    (void)index;
    pthread_mutex_lock(&r->lock);
    if (++r->here == 3)
        pthread_cond_broadcast(&r->met);
    while (r->here < 3)
        pthread_cond_wait(&r->met, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

START_TEST(three_threads_work_at_once)
{
    struct rendezvous r = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    prune_context *context = NULL;
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, 3));
    prune_context_parallel(context, 3, wait_for_the_others, &r); /* for ever, when two of them share a thread */
    ck_assert_int_eq(r.here, 3);
    prune_context_free(context);
}
END_TEST

static void *do_nothing(void *argument)
{
    return argument;
}

#ifdef __linux__
struct meeting {
    int arrived;
    pthread_t who[2];
    int cpus[2]; /* that the thread may run on */
};

/* Two tasks that each wait for the other one are on two threads. */
static void meet(void *argument, int32_t index)
{
    struct meeting *meeting = argument;
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    meeting->who[index] = pthread_self();
    meeting->cpus[index] = CPU_COUNT(&set);
    __atomic_add_fetch(&meeting->arrived, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&meeting->arrived, __ATOMIC_ACQUIRE) < 2)
        sched_yield();
}

/* Otherwise the system may wake it where it has to wait until the caller is done. */
START_TEST(a_helper_keeps_off_the_cpu_of_the_caller)
{
    prune_context *context;
    struct meeting meeting = {.arrived = 0};
    OK(prune_context_create(&context));
    OK(prune_context_set_threads(context, 2));
    prune_context_parallel(context, 2, meet, &meeting);
    int mine = pthread_equal(meeting.who[0], pthread_self()) ? 0 : 1;
    ck_assert(pthread_equal(meeting.who[mine], pthread_self()) &&
              !pthread_equal(meeting.who[1 - mine], pthread_self()));
    ck_assert_int_ge(meeting.cpus[mine], 1);
    ck_assert_int_eq(meeting.cpus[1 - mine], meeting.cpus[mine] > 1 ? meeting.cpus[mine] - 1 : 1);
    prune_context_free(context);
}
END_TEST
#else
START_TEST(a_helper_keeps_off_the_cpu_of_the_caller)
{
    skip("a helper keeps off the CPU of the caller", "only Linux says which CPU that is");
}
END_TEST
#endif

START_TEST(where_no_thread_can_be_made_the_caller_works_alone)
{
    pid_t child = fork(); /* as nobody, because root may always make threads */
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct rlimit none = {0, 0};
        prune_context *context;
        pthread_t thread;
        if ((geteuid() == 0 && setuid(65534)) || setrlimit(RLIMIT_NPROC, &none) ||
            pthread_create(&thread, NULL, do_nothing, NULL) == 0)
            _exit(77);
        if (prune_context_create(&context) || prune_context_set_threads(context, 8))
            _exit(1);
        _exit(child_runs(context));
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip("where_no_thread_can_be_made_the_caller_works_alone", "RLIMIT_NPROC keeps no thread from being made here");
    else
        ck_assert_int_eq(status, 0);
}
END_TEST

struct backwards {
    int32_t calls, tasks;
};

static void run_backwards(void *user, int32_t tasks, prune_task_fn task, void *argument)
{
    struct backwards *b = user;
    b->calls++;
    b->tasks += tasks;
    for (int32_t i = tasks - 1; i >= 0; i--)
        task(argument, i);
}

START_TEST(the_hosts_executor_runs_the_tasks)
{
    struct backwards b = {0, 0};
    prune_context *context = NULL;
    OK(prune_context_create(&context));
    OK(prune_context_set_executor(context, run_backwards, &b, 4));
    ck_assert_int_eq(prune_context_threads(context), 4);
    expect_each_once(context);
    ck_assert_int_eq(b.calls, 1);
    ck_assert_int_eq(b.tasks, TASKS);
    OK(prune_context_set_threads(context, 2)); /* the library's own again */
    expect_each_once(context);
    ck_assert_int_eq(b.calls, 1);
    prune_context_free(context);
}
END_TEST

static int32_t stop_at(void *user, const char *what, int64_t done, int64_t total)
{
    ck_assert_str_eq(what, "epoch");
    ck_assert_int_eq(total, 10);
    return done >= *(int64_t *)user;
}

static void keep_sentence(void *user, int32_t level, const char *sentence)
{
    snprintf(user, 40, "%d %s", (int)level, sentence);
}

START_TEST(progress_can_stop_and_the_log_is_heard)
{
    int64_t limit = 3;
    char heard[40] = "";
    prune_context *context = NULL;
    OK(prune_context_create(&context));
    OK(prune_context_set_progress(context, stop_at, &limit));
    OK(prune_context_set_log(context, keep_sentence, heard));
    OK(prune_context_progress(context, "epoch", 2, 10));
    FAILS(prune_context_progress(context, "epoch", 3, 10), PRUNE_E_CANCELLED, "epoch was cancelled after 3 of 10");
    prune_context_log(context, PRUNE_LOG_WARNING, "look");
    ck_assert_str_eq(heard, "2 look");
    prune_context_free(context);
}
END_TEST

TEST_MAIN("context", null_stands_for_constants, memory_is_aligned_and_given_back_with_its_size,
          memory_that_is_not_there, setters_refuse_what_cannot_be_meant, an_object_fixes_its_context_and_keeps_it,
          every_task_runs_once_on_any_number_of_threads, a_context_may_be_used_from_several_threads,
          a_task_may_run_tasks, a_child_of_fork_works_alone, three_threads_work_at_once,
          a_helper_keeps_off_the_cpu_of_the_caller, where_no_thread_can_be_made_the_caller_works_alone,
          the_hosts_executor_runs_the_tasks, progress_can_stop_and_the_log_is_heard)
