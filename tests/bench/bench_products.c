/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Speed of products: forms of libprune against dense and sparse libraries in one race. bench_products --help.
 */
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "acceptance.h"
#include "options.h"
#include "prune/prune.h"
#include "results.h"

/* The peers read their environment when they are loaded: starts the program anew with the right one. */
static void set_environment(const struct options *o, char **argv)
{
    char threads[16];
    if (getenv("PRUNE_BENCH_STARTED"))
        return;
    snprintf(threads, sizeof threads, "%d", o->entries.threads);
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OPENBLAS_L2_SIZE");
    unsetenv("BLIS_ARCH_TYPE");
    setenv("OPENBLAS_NUM_THREADS", threads, 1);
    setenv("OMP_NUM_THREADS", threads, 1);
    setenv("BLIS_NUM_THREADS", threads, 1);
    if (!(o->cpu & PRUNE_CPU_AVX512) && (prune_cpu_detect() & PRUNE_CPU_AVX512)) {
        setenv("OPENBLAS_CORETYPE", "Haswell", 1);
        setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
        setenv("DNNL_MAX_CPU_ISA", "AVX2", 1);
        setenv("LIBXSMM_TARGET", "hsw", 1);
    }
    setenv("PRUNE_BENCH_STARTED", "1", 1);
    execv("/proc/self/exe", argv);
}

struct bench {
    const struct options *options;
    struct machine machine;
    json_t *records; /* NULL: none wanted */
    int layout;
};

static prune_context *make_context(const struct options *o, int threads)
{
    prune_context *context;
    if (prune_context_create(&context) || prune_context_set_threads(context, threads) ||
        prune_context_set_cpu(context, o->cpu)) {
        fprintf(stderr, "%s\n", prune_error());
        exit(1);
    }
    return context;
}

/* Whether weights come from memory: a matter of small n and of weights that no cache would hold. Some machines have so
 * much last cache, shared by many cores, that nothing would. */
static void place_weights(struct entry_list *entries, const struct problem *problem, const struct machine *machine)
{
    double cache = (double)(machine->l3_bytes < 32 << 20 ? machine->l3_bytes : 32 << 20);
    entries->from_memory = problem->n <= 32 && 4.0 * (double)problem->m * (double)problem->k > cache;
    entries->memory_bytes = 2.0 * (double)(machine->l3_bytes < 64 << 20 ? machine->l3_bytes : 64 << 20);
}

/* With several threads: who gains how much by them. Those with one thread are the last `singles` of all. */
static void print_scaling(const struct contender *contenders, const struct racer *racers, int count, int singles,
                          int rounds, int threads)
{
    for (int i = count; i < count + singles; i++)
        for (int j = 0; j < count; j++)
            if (!strcmp(contenders[i].name, contenders[j].name))
                printf("scaling: %-28s %.2f times as fast with %d threads as with 1\n", contenders[i].name,
                       median_ratio(&racers[i], &racers[j], rounds), threads);
}

/* One race: 1 when a contender of ours erred. */
static int race_product(void *user, int64_t m, int64_t n, int64_t k, const char *pattern, double sparsity,
                        struct outcome *outcome)
{
    static struct contender contenders[MOST_CONTENDERS];
    static struct racer racers[MOST_RACERS];
    struct bench *bench = user;
    struct entry_list entries = bench->options->entries;
    struct problem problem;
    const char *dense, *sparse;
    int wrong = 0;
    if (problem_make(&problem, m, n, k, bench->layout, pattern, sparsity, 1))
        return 1;
    prune_context *context = make_context(bench->options, entries.threads), *single = make_context(bench->options, 1);
    place_weights(&entries, &problem, &bench->machine);
    int count = contenders_make(contenders, &problem, &entries, &bench->machine, context, &wrong);
    int singles = 0;
    if (entries.threads > 1 && count < MOST_CONTENDERS / 2) {
        struct entry_list alone = entries;
        alone.threads = 1;
        alone.without = "all";
        singles = contenders_make(contenders + count, &problem, &alone, &bench->machine, single, &wrong);
    }
    memset(racers, 0, sizeof racers);
    for (int i = 0; i < count + singles; i++) {
        racers[i].run = contender_run;
        racers[i].state = &contenders[i];
    }
    int rounds = race(racers, count + singles, &bench->options->limits);
    results_of(contenders, racers, count, rounds, &problem, &bench->machine, entries.from_memory, &dense, &sparse);
    results_print(contenders, racers, count, rounds, &problem, entries.threads, dense, sparse);
    print_scaling(contenders, racers, count, singles, rounds, entries.threads);
    if (bench->records)
        results_add(bench->records, contenders, racers, count, &problem, &bench->machine, entries.threads, dense,
                    sparse);
    if (outcome && count > 0 && contenders[0].kind == OURS)
        *outcome = (struct outcome){contenders[0].ratio_dense, contenders[0].ratio_sparse, contenders[0].roofline};
    contenders_free(contenders, count + singles);
    prune_context_free(single);
    prune_context_free(context);
    problem_free(&problem);
    return wrong;
}

static int race_single(struct bench *bench, int64_t n)
{
    const struct options *o = bench->options;
    char word[256];
    int wrong = 0;
    if (o->sparsity)
        for (const char *list = o->sparsity; next_word(&list, word, sizeof word);)
            wrong |= race_product(bench, o->m, n, o->k, "random", atof(word), NULL);
    for (const char *list = o->pattern; next_word(&list, word, sizeof word);)
        if (strcmp(word, "random"))
            wrong |= race_product(bench, o->m, n, o->k, word, 0, NULL);
    return wrong;
}

static int race_all(struct bench *bench)
{
    const struct options *o = bench->options;
    char n[32], layout[32];
    int wrong = 0;
    for (const char *layouts = o->layout; next_word(&layouts, layout, sizeof layout);) {
        bench->layout = strcmp(layout, "nxk") ? KXN : NXK;
        for (const char *list = o->n; o->single && next_word(&list, n, sizeof n);)
            wrong |= race_single(bench, atoll(n));
        if (!o->single)
            wrong |= acceptance(race_product, bench, &bench->machine, o->cells, o->dlmc);
    }
    return wrong;
}

/* The records as a file; with `append` after those that the file has. */
static int write_json(const struct bench *bench)
{
    const char *path = bench->options->json;
    json_t *all = bench->options->append ? json_load_file(path, 0, NULL) : NULL;
    json_t *before = json_object_get(all, "records");
    if (before)
        json_array_extend(before, bench->records);
    else
        all = json_pack("{s:i, s:o, s:O}", "schema", 1, "machine", machine_json(&bench->machine), "records",
                        bench->records);
    int bad = json_dump_file(all, path, JSON_INDENT(1) | JSON_REAL_PRECISION(7));
    if (bad)
        fprintf(stderr, "%s: cannot be written\n", path);
    json_decref(all);
    return bad != 0;
}

/* After the grid with AVX-512 comes the grid with AVX2, where the peers have to be started anew. */
static void go_on_with_avx2(const struct options *o)
{
    char seconds[32], threads[16];
    snprintf(seconds, sizeof seconds, "%g", o->limits.seconds);
    snprintf(threads, sizeof threads, "%d", o->entries.threads);
    unsetenv("PRUNE_BENCH_STARTED");
    fflush(NULL);
    execl("/proc/self/exe", "bench_products", "--cpu", "1", "--cells", "N1,N4,N16,N64,dlmc", "--seconds", seconds,
          "--threads", threads, "--dlmc", o->dlmc, "--layout", o->layout, o->json ? "--append" : (char *)NULL, "--json",
          o->json, (char *)NULL);
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_parse(&options, argc, argv);
    if (status)
        return status;
    set_environment(&options, argv);
    struct bench bench = {.options = &options, .records = options.json ? json_array() : NULL};
    machine_measure(&bench.machine, options.cpu);
    results_print_machine(&bench.machine);
    printf("%s; it runs its %s kernels\n", openblas_get_config(), openblas_get_corename());
    int wrong = race_all(&bench);
    if (options.json)
        wrong |= write_json(&bench);
    json_decref(bench.records);
    if (!wrong && !options.single && !options.cells && options.cpu == (PRUNE_CPU_AVX2 | PRUNE_CPU_AVX512))
        go_on_with_avx2(&options);
    return wrong;
}
