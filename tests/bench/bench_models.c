/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whole trained networks, dense and pruned by magnitude (for time alone, not for accuracy), and the dense one in
 * onnxruntime, in a process of its own, where Node has it (NODE_PATH); all on one thread, taking turns.
 *
 *   bench_models [NAME...]     resnet20, resnet56, ds_cnn, stories260k (one token behind 128 others); the test data are
 *                              in PRUNE_TEST_DATA or ../shared/data
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if (call)                                                                                                      \
            fail(#call);                                                                                               \
    } while (0)

static void fail(const char *what);

#include "../model/language.h"
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
static int start_theirs(struct run *run, const char *path, const char *extents, int turns)
{
    int to[2], from[2];
    char count[12], byte;
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

static void end_theirs(const struct run *run)
{
    if (run->child <= 0)
        return;
    close(run->to);
    close(run->from);
    waitpid(run->child, NULL, 0);
}

static void show_race(const char *title, const char *unit, const struct racer *racers, int count, int rounds, int turns)
{
    printf("\n%s, %d rounds: microseconds a %s, times as fast as our dense%s\n", title, rounds, unit,
           count > WAYS ? " and as onnxruntime" : " (no onnxruntime for Node, skipped)");
    for (int i = 0; i < count; i++) {
        printf("%-16s %9.1f %7.2f", i < WAYS ? ways[i].title : "onnxruntime", 1e6 * racers[i].median / turns,
               median_ratio(&racers[0], &racers[i], rounds));
        if (count > WAYS)
            printf(" %7.2f", median_ratio(&racers[WAYS], &racers[i], rounds));
        printf("\n");
    }
    fflush(stdout);
}

static void race_model(int which, int64_t batch)
{
    static struct racer racers[WAYS + 1];
    static struct run runs[WAYS + 1];
    struct race_limits limits = {.seconds = 6, .most_rounds = 200};
    const char *base = getenv("PRUNE_TEST_DATA");
    int64_t shape[4];
    char path[1024], extents[100], title[80];
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
    snprintf(extents, sizeof extents, "%lld,%lld,%lld,%lld", (long long)shape[0], (long long)shape[1],
             (long long)shape[2], (long long)shape[3]);
    if (start_theirs(&runs[WAYS], path, extents, turns))
        racers[count++] = (struct racer){.run = run_theirs, .state = &runs[WAYS]};
    snprintf(title, sizeof title, "%s, batch %lld", models[which].name, (long long)batch);
    show_race(title, "batch", racers, count, race(racers, count, &limits), turns);
    for (int i = 0; i < WAYS; i++) {
        prune_session_free(runs[i].session);
        prune_graph_free(runs[i].graph);
    }
    end_theirs(&runs[WAYS]);
    prune_tensor_free(x);
}

enum { PAST = 128, TOKENS = 10 };

static void run_decoder(void *state, int64_t turn)
{
    struct decoder *decoder = state;
    (void)turn;
    for (int i = 0; i < TOKENS; i++)
        OK(prune_session_run(decoder->session, 3 + 2 * (int32_t)decoder->layers,
                             (const prune_tensor *const *)decoder->inputs));
}

/* The decoder with the masks of one of the ways. */
static prune_graph *pruned_decoder(const char *weights, const char *onnx, int way)
{
    prune_graph *decoder, *plain;
    OK(prune_graph_read(&decoder, NULL, onnx, NULL));
    if (!ways[way].granularity)
        return decoder;
    OK(prune_graph_read_llama(&plain, NULL, weights, NULL));
    prune_tensor *texts = made_up_texts(decoder, 1, 16, 1);
    prune_language_model(plain, texts, "l1", ways[way].granularity, NULL, ways[way].sparsity);
    for (int32_t i = 0; i < prune_graph_parameter_count(plain); i++) {
        const char *name = prune_graph_parameter_name(plain, i);
        if (prune_graph_mask(plain, name))
            OK(prune_graph_set_mask(decoder, name, prune_graph_mask(plain, name)));
    }
    prune_tensor_free(texts);
    prune_graph_free(plain);
    return decoder;
}

static void race_language(void)
{
    static struct racer racers[WAYS + 1];
    static struct decoder decoders[WAYS];
    static struct run theirs;
    struct race_limits limits = {.seconds = 6, .most_rounds = 200};
    prune_graph *graphs[WAYS], *whole;
    const char *base = getenv("PRUNE_TEST_DATA");
    char path[1024], onnx[] = "/tmp/bench_models_XXXXXX", extents[2000] = "";
    int count = WAYS;
    snprintf(path, sizeof path, "%s/stories260k/stories260K.safetensors", base && base[0] ? base : "../shared/data");
    if (access(path, R_OK) != 0) {
        printf("stories260k: skipped, %s is not there\n", path);
        return;
    }
    int file = mkstemp(onnx);
    if (file < 0)
        fail(onnx);
    close(file);
    OK(prune_graph_read_llama(&whole, NULL, path, "caches=yes"));
    OK(prune_graph_write(whole, onnx, NULL));
    prune_graph_free(whole);
    for (int i = 0; i < WAYS; i++) {
        graphs[i] = pruned_decoder(path, onnx, i);
        decoder_open(&decoders[i], graphs[i], PAST, NULL);
        int64_t *mask = prune_tensor_data(decoders[i].inputs[1]);
        for (int64_t k = 0; k <= PAST; k++)
            mask[k] = 1;
        racers[i] = (struct racer){.run = run_decoder, .state = &decoders[i]};
    }
    for (int32_t i = 0; i < prune_graph_input_count(graphs[0]); i++) {
        const int64_t *shape = prune_tensor_shape(decoders[0].inputs[i]);
        char *at = extents + strlen(extents);
        size_t room = sizeof extents - (size_t)(at - extents);
        if (i < 3)
            snprintf(at, room, "%si%lld,%lld", i ? ";" : "", (long long)shape[0], (long long)shape[1]);
        else
            snprintf(at, room, ";%lld,%lld,%lld,%lld", (long long)shape[0], (long long)shape[1], (long long)shape[2],
                     (long long)shape[3]);
    }
    if (start_theirs(&theirs, onnx, extents, TOKENS))
        racers[count++] = (struct racer){.run = run_theirs, .state = &theirs};
    unlink(onnx);
    show_race("stories260k, one token behind 128", "token", racers, count, race(racers, count, &limits), TOKENS);
    for (int i = 0; i < WAYS; i++) {
        decoder_close(&decoders[i]);
        prune_graph_free(graphs[i]);
    }
    end_theirs(&theirs);
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
    int wanted = argc == 1;
    for (int j = 1; j < argc; j++)
        wanted |= strcmp(argv[j], "stories260k") == 0;
    if (wanted)
        race_language();
    return 0;
}
