/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An engine that runs whole models inside a host with its own memory and its own threads: what a session will take is
 * known before it runs, a run asks for nothing, and it says what it runs. A pruned model beside its dense self: what
 * each step runs, what it costs, and how far the answers lie apart.
 */
#include <prune/model.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 2
#define BATCH 4
#define WIDTH 256
#define CLASSES 10

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
    pthread_t thread;
    struct share shares[THREADS] = {{task, argument, 0, tasks}, {task, argument, 1, tasks}};
    (void)user;
    int is_started = pthread_create(&thread, NULL, run_share, &shares[1]) == 0;
    if (!is_started)
        run_share(&shares[1]);
    run_share(&shares[0]);
    if (is_started)
        pthread_join(thread, NULL);
}

/* Numbers from -1 to 1 that look random and are the same everywhere. */
static float number(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

static int32_t add_layer(prune_graph *graph, const char *name, int64_t in, int64_t out, uint32_t seed)
{
    prune_tensor *w = NULL;
    int32_t bad = prune_tensor_create(&w, NULL, PRUNE_F32, 2, (int64_t[]){in, out});
    float *numbers = bad ? NULL : prune_tensor_data(w);
    for (int64_t i = 0; numbers && i < in * out; i++)
        numbers[i] = number(&seed) / 16;
    bad = bad || prune_graph_add_parameter(graph, name, w);
    prune_tensor_free(w);
    return bad;
}

static int32_t add(prune_graph *graph, const char *op, const char *in, const char *weights, const char *out)
{
    return prune_graph_add_node(graph, out, op, weights ? 2 : 1, (const char *const[]){in, weights}, 1, &out);
}

/* Two hidden layers; a file of ONNX would be read with prune_graph_read instead. */
static int32_t build(prune_graph **out, prune_context *context)
{
    return prune_graph_create(out, context, 13) ||
           prune_graph_add_input(*out, "x", PRUNE_F32, 2, (int64_t[]){-1, WIDTH}) ||
           add_layer(*out, "first", WIDTH, WIDTH, 1) || add_layer(*out, "second", WIDTH, WIDTH, 2) ||
           add_layer(*out, "last", WIDTH, CLASSES, 3) || add(*out, "MatMul", "x", "first", "a") ||
           add(*out, "Relu", "a", NULL, "b") || add(*out, "MatMul", "b", "second", "c") ||
           add(*out, "Relu", "c", NULL, "d") || add(*out, "MatMul", "d", "last", "y") ||
           prune_graph_add_output(*out, "y", PRUNE_F32, 2, (int64_t[]){-1, CLASSES});
}

/* A tenth of each layer stays. */
static int32_t prune_tenth(prune_graph *graph)
{
    prune_granularity *element = NULL;
    int32_t bad = prune_granularity_create(&element, NULL, "element");
    for (int32_t i = 0; i < prune_graph_parameter_count(graph) && !bad; i++) {
        const char *name = prune_graph_parameter_name(graph, i);
        prune_mask *mask = NULL;
        bad = prune_mask_magnitude(&mask, prune_graph_parameter(graph, name), element, PRUNE_SPARSITY, 0.9) ||
              prune_graph_set_mask(graph, name, mask);
        prune_mask_free(mask);
    }
    prune_granularity_free(element);
    return bad;
}

static void show(const char *title, const prune_session *session)
{
    int64_t macs = 0, kept = 0;
    for (int32_t i = 0; i < prune_session_step_count(session); i++) {
        macs += prune_session_step_macs(session, i);
        kept += prune_session_step_kept_macs(session, i);
        printf("  %-6s %s\n", prune_session_step_node(session, i), prune_session_step_kernels(session, i));
    }
    printf("%s: %lld of %lld multiply-adds, %lld bytes of values and scratch\n", title, (long long)kept,
           (long long)macs, (long long)prune_session_memory(session));
}

/* A session of a model, made and run twice; the second run's allocations are counted. Its output is copied to *y. */
static int32_t run(const char *title, const prune_graph *graph, const prune_tensor *x, const struct counter *counter,
                   prune_tensor **y, int64_t *asked)
{
    prune_session *session = NULL;
    const char *const name = "x";
    int32_t bad = prune_session_create(&session, graph, 1, &name, &x, NULL, NULL) || prune_session_run(session, 1, &x);
    int64_t before = counter->calls;
    bad = bad || prune_session_run(session, 1, &x);
    *asked = counter->calls - before;
    if (!bad)
        show(title, session);
    bad = bad || prune_tensor_convert(y, prune_session_output(session, 0), PRUNE_F32);
    prune_session_free(session);
    return bad;
}

int main(void)
{
    struct counter counter = {0, 0};
    static _Alignas(64) float samples[BATCH * WIDTH]; /* aligned to 64 bytes they are read where they lie */
    prune_context *context = NULL;
    prune_graph *dense = NULL, *pruned = NULL;
    prune_tensor *x = NULL, *y[2] = {NULL, NULL};
    int64_t asked[2] = {-1, -1};
    double largest = 0, relative = 0;
    uint32_t state = 7;
    for (int i = 0; i < BATCH * WIDTH; i++)
        samples[i] = number(&state);
    int32_t bad =
        prune_context_create(&context) || prune_context_set_allocator(context, count_alloc, count_release, &counter) ||
        prune_context_set_executor(context, host_executor, NULL, THREADS) || build(&dense, context) ||
        prune_graph_copy(&pruned, dense) || prune_tenth(pruned) ||
        prune_tensor_borrow(&x, context, samples, PRUNE_F32, 2, (int64_t[]){BATCH, WIDTH}, NULL) ||
        run("dense", dense, x, &counter, &y[0], &asked[0]) || run("pruned", pruned, x, &counter, &y[1], &asked[1]) ||
        prune_outputs_difference(&largest, &relative, y[0], y[1]);
    if (bad)
        fprintf(stderr, "%s\n", prune_error());
    else
        printf("a run asks for %lld and %lld blocks; the answers lie %.2f apart\n", (long long)asked[0],
               (long long)asked[1], largest);
    prune_tensor_free(y[0]);
    prune_tensor_free(y[1]);
    prune_tensor_free(x);
    prune_graph_free(pruned);
    prune_graph_free(dense);
    prune_context_free(context);
    if (!bad && counter.blocks)
        fprintf(stderr, "%lld blocks were not given back\n", (long long)counter.blocks);
    return bad || asked[0] || asked[1] || counter.blocks || largest == 0 ? 1 : 0;
}
