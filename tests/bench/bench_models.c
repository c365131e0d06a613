/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole trained networks, dense and pruned by magnitude (for time alone, not for accuracy), and the dense one in
 * onnxruntime, in a process of its own, where Node has it (NODE_PATH); all on one thread, taking turns.
 *
 *   bench_models [NAME...]     resnet20, resnet56, ds_cnn; the test data are in PRUNE_TEST_DATA or ../shared/data
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "prune/model.h"
#include "race.h"

static const struct {
    const char *name, *file;
    int64_t shape[4];
    int turns; /* runs in one turn */
} models[] = {
    {"resnet20", "resnet/resnet20.onnx", {1, 3, 32, 32}, 4},
    {"resnet56", "resnet/resnet56.onnx", {1, 3, 32, 32}, 2},
    {"ds_cnn", "kws/ds_cnn_kws.onnx", {1, 1, 49, 10}, 20},
};

static const struct {
    const char *title, *granularity;
    double sparsity;
} ways[] = {
    {"dense", NULL, 0},
    {"2:4", "nm:keep_n=2,group_m=4", 0},
    {"2:4 by 4 rows", "nm:keep_n=2,group_m=4,unit_rows=4", 0},
    {"70 %", "element", 0.7},
    {"80 %", "element", 0.8},
    {"90 %", "element", 0.9},
};
#define WAYS ((int)(sizeof ways / sizeof *ways))

struct run {
    prune_graph *graph;
    prune_session *session;
    const prune_tensor *x;
    int turns;
    int to, from; /* pipes of the other process */
    pid_t child;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_models: %s: %s\n", what, prune_error());
    exit(1);
}

static void run_ours(void *state, int64_t turn)
{
    struct run *run = state;
    (void)turn;
    for (int i = 0; i < run->turns; i++)
        if (prune_session_run(run->session, 1, &run->x))
            fail("a run");
}

static void run_theirs(void *state, int64_t turn)
{
    struct run *run = state;
    char byte = '\n';
    (void)turn;
    if (write(run->to, &byte, 1) != 1 || read(run->from, &byte, 1) != 1)
        exit(1);
}

/* Prunes every layer but the first, as people do: it sees the image itself. */
static void prune_by_magnitude(prune_graph *graph, const prune_tensor *x, int way)
{
    const char *name = prune_graph_input_name(graph, 0);
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_pruner *pruner = NULL;
    int quota = ways[way].sparsity == 0;
    if (prune_granularity_create(&granularity, NULL, ways[way].granularity) ||
        prune_criterion_create(&criterion, NULL, "l1") || prune_pruner_create(&pruner, graph, 1, &name, &x, NULL) ||
        prune_pruner_include(pruner, prune_pruner_layer_name(pruner, 0), 0, NULL) ||
        prune_pruner_set_method(pruner, criterion, granularity, NULL) ||
        prune_pruner_set_target(pruner, quota ? PRUNE_QUOTA : PRUNE_SPARSITY, ways[way].sparsity, "uniform") ||
        prune_pruner_run(pruner))
        fail(ways[way].title);
    prune_pruner_free(pruner);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
}

static void prepare(struct run *run, const char *path, const prune_tensor *x, int way, int turns)
{
    if (prune_graph_read(&run->graph, NULL, path, NULL))
        fail(path);
    if (ways[way].granularity)
        prune_by_magnitude(run->graph, x, way);
    const char *name = prune_graph_input_name(run->graph, 0);
    if (prune_session_create(&run->session, run->graph, 1, &name, &x, NULL, NULL))
        fail(path);
    run->x = x;
    run->turns = turns;
}

/* 1 when Node and onnxruntime answer. */
static int start_theirs(struct run *run, const char *path, const int64_t *shape, int turns)
{
    int to[2], from[2];
    char extents[80], count[12], byte;
    snprintf(extents, sizeof extents, "%lld,%lld,%lld,%lld", (long long)shape[0], (long long)shape[1],
             (long long)shape[2], (long long)shape[3]);
    snprintf(count, sizeof count, "%d", turns);
    if (pipe(to) || pipe(from))
        return 0;
    run->child = fork();
    if (run->child == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp("node", "node", "tests/bench/onnxruntime.js", path, extents, count, (char *)NULL);
        _exit(3);
    }
    close(to[0]);
    close(from[1]);
    run->to = to[1];
    run->from = from[0];
    return run->child > 0 && read(run->from, &byte, 1) == 1;
}

static void race_model(int which, int64_t batch)
{
    static struct racer racers[WAYS + 1];
    static struct run runs[WAYS + 1];
    struct race_limits limits = {.seconds = 6, .most_rounds = 200};
    const char *base = getenv("PRUNE_TEST_DATA");
    int64_t shape[4];
    char path[1024];
    prune_tensor *x = NULL;
    int turns = batch > 1 ? (models[which].turns + 7) / 8 : models[which].turns, count = WAYS;
    snprintf(path, sizeof path, "%s/%s", base && base[0] ? base : "../shared/data", models[which].file);
    if (access(path, R_OK) != 0) {
        printf("%s: skipped, %s is not there\n", models[which].name, path);
        return;
    }
    memset(racers, 0, sizeof racers);
    memset(runs, 0, sizeof runs);
    memcpy(shape, models[which].shape, sizeof shape);
    shape[0] = batch;
    if (prune_tensor_create(&x, NULL, PRUNE_F32, 4, shape))
        fail("the input");
    float *numbers = prune_tensor_data(x);
    for (int64_t i = 0; i < prune_tensor_count(x); i++)
        numbers[i] = (float)sin((double)i);
    for (int i = 0; i < WAYS; i++) {
        prepare(&runs[i], path, x, i, turns);
        racers[i] = (struct racer){.run = run_ours, .state = &runs[i]};
    }
    if (start_theirs(&runs[WAYS], path, shape, turns))
        racers[count++] = (struct racer){.run = run_theirs, .state = &runs[WAYS]};
    int rounds = race(racers, count, &limits);
    printf("\n%s, batch %lld, %d rounds: microseconds a batch, times as fast as our dense%s\n", models[which].name,
           (long long)batch, rounds, count > WAYS ? " and as onnxruntime" : " (no onnxruntime for Node, skipped)");
    for (int i = 0; i < count; i++) {
        printf("%-16s %9.1f %7.2f", i < WAYS ? ways[i].title : "onnxruntime", 1e6 * racers[i].median / turns,
               median_ratio(&racers[0], &racers[i], rounds));
        if (count > WAYS)
            printf(" %7.2f", median_ratio(&racers[WAYS], &racers[i], rounds));
        printf("\n");
    }
    fflush(stdout);
    for (int i = 0; i < WAYS; i++) {
        prune_session_free(runs[i].session);
        prune_graph_free(runs[i].graph);
    }
    if (runs[WAYS].child > 0) {
        close(runs[WAYS].to);
        close(runs[WAYS].from);
        waitpid(runs[WAYS].child, NULL, 0);
    }
    prune_tensor_free(x);
}

int main(int argc, char **argv)
{
    for (int i = 0; i < (int)(sizeof models / sizeof *models); i++) {
        int wanted = argc == 1;
        for (int j = 1; j < argc; j++)
            wanted |= strcmp(argv[j], models[i].name) == 0;
        if (wanted) {
            race_model(i, 1);
            race_model(i, 16);
        }
    }
    return 0;
}
