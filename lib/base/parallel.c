/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Semaphores and atomics, no condition variable: a semaphore counts the posts that nobody waits for yet, so no wake-up
 * can get lost, and a caller can take back those that no helper has answered.
 */
#define _GNU_SOURCE /* sched_getcpu, pthread_setaffinity_np */
#include "base/parallel.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct pr_pool {
    sem_t work; /* one post for each helper asked to join a run */
    sem_t done; /* one post for each helper that has left it */
    pthread_t *threads;
    int32_t count;
    pid_t owner;
    int busy, stopping;
    int32_t tasks, next;
    prune_task_fn task;
    void *argument;
#ifdef __linux__
    cpu_set_t allowed; /* to the helpers; empty: not known */
    int avoided;       /* the CPU that they keep off; -1: none yet */
#endif
};

/* Looks for a while before it sleeps: a thread that sleeps takes as long to wake as a small product does to run, and in
 * a network the next product follows at once. About 0.1 ms. */
#define LOOKS 4000

static void wait_for(sem_t *semaphore)
{
    for (int i = 0; i < LOOKS; i++) {
        if (!sem_trywait(semaphore))
            return;
#if defined(__x86_64__)
        __builtin_ia32_pause();
#elif defined(__aarch64__)
        __asm__ volatile("yield");
#endif
    }
    while (sem_wait(semaphore) && errno == EINTR)
        continue;
}

static void take_tasks(struct pr_pool *pool)
{
    int32_t index;
    while ((index = __atomic_fetch_add(&pool->next, 1, __ATOMIC_RELAXED)) < pool->tasks)
        pool->task(pool->argument, index);
}

static void *help(void *argument)
{
    struct pr_pool *pool = argument;
    for (;;) {
        wait_for(&pool->work); /* the run was set up before the post */
        if (pool->stopping)
            return NULL;
        take_tasks(pool);
        sem_post(&pool->done);
    }
}

static void start_helpers(struct pr_pool *pool, int32_t wanted)
{
    sigset_t all, before; /* the host's signals are the host's business */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->count < wanted && !pthread_create(&pool->threads[pool->count], NULL, help, pool))
        pool->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct pr_pool *pr_pool_create(int32_t threads)
{
    struct pr_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->owner = getpid();
    pool->threads = calloc((size_t)threads, sizeof *pool->threads);
    if (!pool->threads || sem_init(&pool->work, 0, 0) || sem_init(&pool->done, 0, 0)) {
        free(pool->threads);
        free(pool);
        return NULL;
    }
#ifdef __linux__
    pool->avoided = -1;
    if (sched_getaffinity(0, sizeof pool->allowed, &pool->allowed))
        CPU_ZERO(&pool->allowed);
#endif
    start_helpers(pool, threads - 1);
    return pool;
}

/* Linux often wakes a helper on the very CPU that the caller keeps busy, where it waits until the caller is done. So
 * the helpers keep off it. */
static void clear_the_way(struct pr_pool *pool)
{
#ifdef __linux__
    int cpu = sched_getcpu();
    if (cpu < 0 || cpu == pool->avoided || cpu >= CPU_SETSIZE)
        return;
    cpu_set_t others = pool->allowed;
    CPU_CLR((size_t)cpu, &others);
    if (CPU_COUNT(&others) == 0)
        return;
    for (int32_t i = 0; i < pool->count; i++)
        pthread_setaffinity_np(pool->threads[i], sizeof others, &others);
    pool->avoided = cpu;
#else
    (void)pool;
#endif
}

static void run_together(struct pr_pool *pool, int32_t tasks, prune_task_fn task, void *argument)
{
    int32_t asked = tasks - 1 < pool->count ? tasks - 1 : pool->count;
    pool->task = task;
    pool->argument = argument;
    pool->tasks = tasks;
    __atomic_store_n(&pool->next, 0, __ATOMIC_RELAXED);
    clear_the_way(pool);
    for (int32_t i = 0; i < asked; i++)
        sem_post(&pool->work);
    take_tasks(pool);
    while (asked > 0 && !sem_trywait(&pool->work)) /* who has not come by now is not needed */
        asked--;
    while (asked-- > 0)
        wait_for(&pool->done);
}

void pr_pool_run(struct pr_pool *pool, int32_t tasks, prune_task_fn task, void *argument)
{
    if (tasks > 1 && pool->count > 0 && !__atomic_exchange_n(&pool->busy, 1, __ATOMIC_ACQUIRE)) {
        run_together(pool, tasks, task, argument);
        __atomic_store_n(&pool->busy, 0, __ATOMIC_RELEASE);
        return;
    }
    for (int32_t i = 0; i < tasks; i++)
        task(argument, i);
}

int pr_pool_is_ours(const struct pr_pool *pool)
{
    return pool->owner == getpid();
}

void pr_pool_free(struct pr_pool *pool)
{
    if (!pool)
        return;
    if (pr_pool_is_ours(pool)) {
        pool->stopping = 1;
        for (int32_t i = 0; i < pool->count; i++)
            sem_post(&pool->work);
        for (int32_t i = 0; i < pool->count; i++)
            pthread_join(pool->threads[i], NULL);
        sem_destroy(&pool->work);
        sem_destroy(&pool->done);
    }
    free(pool->threads);
    free(pool);
}
