/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/parallel.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct pr_pool {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    pthread_t *threads;
    int32_t count;
    pid_t owner;
    int busy, stopping;
    uint64_t round; /* goes up with every run, so that a helper works once for each */
    int32_t tasks, next, running;
    prune_task_fn task;
    void *argument;
};

/* Takes tasks until none is left. Called and left with the lock held. */
static void take_tasks(struct pr_pool *pool)
{
    pool->running++;
    while (pool->next < pool->tasks) {
        int32_t index = pool->next++;
        pthread_mutex_unlock(&pool->lock);
        pool->task(pool->argument, index);
        pthread_mutex_lock(&pool->lock);
    }
    if (--pool->running == 0)
        pthread_cond_signal(&pool->done);
}

static void *help(void *argument)
{
    struct pr_pool *pool = argument;
    uint64_t seen = 0;
    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        if (pool->round != seen && pool->next < pool->tasks) {
            seen = pool->round;
            take_tasks(pool);
        } else {
            pthread_cond_wait(&pool->work, &pool->lock);
        }
    }
    pthread_mutex_unlock(&pool->lock);
    return NULL;
}

struct pr_pool *pr_pool_create(int32_t threads)
{
    struct pr_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->owner = getpid();
    pool->threads = calloc((size_t)threads, sizeof *pool->threads);
    if (!pool->threads || pthread_mutex_init(&pool->lock, NULL)) {
        free(pool->threads);
        free(pool);
        return NULL;
    }
    pthread_cond_init(&pool->work, NULL);
    pthread_cond_init(&pool->done, NULL);
    sigset_t all, before; /* the host's signals are the host's business */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (pool->count < threads - 1 && !pthread_create(&pool->threads[pool->count], NULL, help, pool))
        pool->count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return pool;
}

void pr_pool_run(struct pr_pool *pool, int32_t tasks, prune_task_fn task, void *argument)
{
    pthread_mutex_lock(&pool->lock);
    if (pool->busy || pool->count == 0 || tasks < 2) {
        pthread_mutex_unlock(&pool->lock);
        for (int32_t i = 0; i < tasks; i++)
            task(argument, i);
        return;
    }
    pool->busy = 1;
    pool->task = task;
    pool->argument = argument;
    pool->tasks = tasks;
    pool->next = 0;
    pool->round++;
    pthread_cond_broadcast(&pool->work);
    take_tasks(pool);
    while (pool->running > 0)
        pthread_cond_wait(&pool->done, &pool->lock);
    pool->busy = 0;
    pthread_mutex_unlock(&pool->lock);
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
        pthread_mutex_lock(&pool->lock);
        pool->stopping = 1;
        pthread_cond_broadcast(&pool->work);
        pthread_mutex_unlock(&pool->lock);
        for (int32_t i = 0; i < pool->count; i++)
            pthread_join(pool->threads[i], NULL);
        pthread_cond_destroy(&pool->work);
        pthread_cond_destroy(&pool->done);
        pthread_mutex_destroy(&pool->lock);
    }
    free(pool->threads);
    free(pool);
}
