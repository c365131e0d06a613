/* SPDX-License-Identifier: BSD-2-Clause
 *
 * For a host that has its own allocator and its own threads: a context that uses both. Counts what the library asks
 * for, and shows that running a packed object asks for nothing.
 */
#include <prune/prune.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define THREADS 4

struct counter {
    int64_t blocks; /* not given back yet */
    int64_t calls;
};

static void *count_alloc(void *user, uint64_t size, uint64_t align)
{
    struct counter *counter = user;
    __atomic_add_fetch(&counter->blocks, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&counter->calls, 1, __ATOMIC_RELAXED);
    return aligned_alloc(align, (size + align - 1) / align * align);
}

static void count_release(void *user, void *pointer, uint64_t size)
{
    struct counter *counter = user;
    (void)size;
    __atomic_sub_fetch(&counter->blocks, 1, __ATOMIC_RELAXED);
    free(pointer);
}

/* The host's way of running tasks; a real one has threads that wait for work. */
struct share {
    prune_task_fn task;
    void *argument;
    int32_t first, tasks;
};

static void *run_share(void *share)
{
    struct share *mine = share;
    for (int32_t i = mine->first; i < mine->tasks; i += THREADS)
        mine->task(mine->argument, i);
    return NULL;
}

static void host_executor(void *user, int32_t tasks, prune_task_fn task, void *argument)
{
    pthread_t thread[THREADS];
    struct share share[THREADS];
    int started[THREADS];
    (void)user;
    for (int32_t i = 0; i < THREADS; i++) {
        share[i] = (struct share){task, argument, i, tasks};
        started[i] = i > 0 && pthread_create(&thread[i], NULL, run_share, &share[i]) == 0;
    }
    for (int32_t i = 0; i < THREADS; i++)
        if (!started[i])
            run_share(&share[i]);
    for (int32_t i = 0; i < THREADS; i++)
        if (started[i])
            pthread_join(thread[i], NULL);
}

static int32_t run_in(prune_context *context, struct counter *counter)
{
    static float x[512], y[512];
    int64_t shape[2] = {512, 512};
    prune_tensor *weights = NULL;
    prune_packed *packed = NULL;
    int32_t bad = prune_tensor_create(&weights, context, PRUNE_F32, 2, shape);
    if (!bad) {
        float *w = prune_tensor_data(weights);
        for (int64_t i = 0; i < 512 * 512; i += 7)
            w[i] = 1.0f;
        for (int i = 0; i < 512; i++)
            x[i] = 1.0f;
        bad =
            prune_packed_create(&packed, weights, NULL, "format=csr") || prune_packed_run(packed, y, 1, x, 1, 1, NULL);
    }
    int64_t before = counter->calls;
    for (int i = 0; !bad && i < 100; i++)
        bad = prune_packed_run(packed, y, 1, x, 1, 1, NULL);
    if (!bad)
        printf("%lld allocations to pack, %lld for a hundred runs; y[0] = %g\n", (long long)before,
               (long long)(counter->calls - before), (double)y[0]);
    prune_packed_free(packed);
    prune_tensor_free(weights);
    return bad;
}

int main(void)
{
    struct counter counter = {0, 0};
    prune_context *context = NULL;
    int32_t bad = prune_context_create(&context) ||
                  prune_context_set_allocator(context, count_alloc, count_release, &counter) ||
                  prune_context_set_executor(context, host_executor, NULL, THREADS) || run_in(context, &counter);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    prune_context_free(context);
    printf("%lld blocks were not given back\n", (long long)counter.blocks);
    return bad != 0 || counter.blocks != 0;
}
