/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Speed of products: forms of libprune against dense and sparse libraries in one race. bench_products --help.
 */
#include <cblas.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prune/prune.h"
#include "results.h"

#define MOST_WORDS 64

struct settings {
    int64_t m, k;
    const char *n, *sparsity, *pattern, *layout, *json;
    struct entry_list entries;
    struct race_limits limits;
    uint32_t cpu;
};

static const char usage[] =
    "bench_products [OPTION...]: one product against other libraries; lists are separated by commas\n"
    "  --m M --k K            W is M x K (default 4096 4096)\n"
    "  --n LIST               columns of X (default 16)\n"
    "  --sparsity LIST        of random patterns (default 0.9)\n"
    "  --pattern LIST         random, N:M, N:MxROWS (shared by neighbouring rows), dense, FILE.smtx\n"
    "  --layout LIST          kxn (default), nxk: X is K x N, or N x K and Y = X W'\n"
    "  --form LIST            forms of libprune (default auto)\n"
    "  --format LIST          formats of libprune (default auto)\n"
    "  --spec KEYS            more keys for prune_packed_create\n"
    "  --no-dense             without libprune's packed dense\n"
    "  --without LIST         beginnings of the names of peers that stay away; all: OpenBLAS alone\n"
    "  --cpu MASK             PRUNE_CPU_* bits that libprune may use; peers are held to the same (1: AVX2)\n"
    "  --threads T            (default 1)\n"
    "  --seconds S            of one race (default 2)\n"
    "  --rounds R             at most (default 400)\n"
    "  --json FILE            write the records\n";

static int parse(struct settings *s, int argc, char **argv)
{
    static const struct option options[] = {
        {"m", 1, NULL, 'm'},       {"n", 1, NULL, 'n'},      {"k", 1, NULL, 'k'},       {"sparsity", 1, NULL, 's'},
        {"pattern", 1, NULL, 'p'}, {"layout", 1, NULL, 'l'}, {"form", 1, NULL, 'f'},    {"format", 1, NULL, 'F'},
        {"spec", 1, NULL, 'S'},    {"cpu", 1, NULL, 'c'},    {"threads", 1, NULL, 't'}, {"seconds", 1, NULL, 'T'},
        {"rounds", 1, NULL, 'r'},  {"json", 1, NULL, 'j'},   {"without", 1, NULL, 'w'}, {"no-dense", 0, NULL, 'd'},
        {"help", 0, NULL, 'h'},    {NULL, 0, NULL, 0}};
    *s = (struct settings){
        .m = 4096,
        .k = 4096,
        .n = "16",
        .layout = "kxn",
        .entries = {.forms = "auto", .formats = "auto", .spec = "", .dense_form = 1, .without = "", .threads = 1},
        .limits = {.seconds = 2, .most_rounds = 400},
        .cpu = prune_cpu_detect()};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (option) {
        case 'm':
            s->m = atoll(optarg);
            break;
        case 'k':
            s->k = atoll(optarg);
            break;
        case 'n':
            s->n = optarg;
            break;
        case 's':
            s->sparsity = optarg;
            break;
        case 'p':
            s->pattern = optarg;
            break;
        case 'l':
            s->layout = optarg;
            break;
        case 'f':
            s->entries.forms = optarg;
            break;
        case 'F':
            s->entries.formats = optarg;
            break;
        case 'S':
            s->entries.spec = optarg;
            break;
        case 'd':
            s->entries.dense_form = 0;
            break;
        case 'w':
            s->entries.without = optarg;
            break;
        case 'c':
            s->cpu = (uint32_t)atoi(optarg);
            break;
        case 't':
            s->entries.threads = atoi(optarg);
            break;
        case 'T':
            s->limits.seconds = atof(optarg);
            break;
        case 'r':
            s->limits.most_rounds = atoi(optarg);
            break;
        case 'j':
            s->json = optarg;
            break;
        case 'h':
            fputs(usage, stdout);
            exit(0);
        default:
            fputs(usage, stderr);
            return 2;
        }
    if (optind < argc || s->m < 1 || s->k < 1 || s->entries.threads < 1 || s->limits.most_rounds < 3) {
        fputs(usage, stderr);
        return 2;
    }
    if (!s->pattern)
        s->pattern = s->sparsity ? "" : "random";
    if (!s->sparsity && strstr(s->pattern, "random"))
        s->sparsity = "0.9";
    return 0;
}

/* The peers read their environment when they are loaded: starts the program anew with the right one. */
static void set_environment(const struct settings *s, char **argv)
{
    char threads[16];
    if (getenv("PRUNE_BENCH_STARTED"))
        return;
    snprintf(threads, sizeof threads, "%d", s->entries.threads);
    unsetenv("OPENBLAS_CORETYPE");
    unsetenv("OPENBLAS_L2_SIZE");
    unsetenv("BLIS_ARCH_TYPE");
    setenv("OPENBLAS_NUM_THREADS", threads, 1);
    setenv("OMP_NUM_THREADS", threads, 1);
    setenv("BLIS_NUM_THREADS", threads, 1);
    if (!(s->cpu & PRUNE_CPU_AVX512) && (prune_cpu_detect() & PRUNE_CPU_AVX512)) {
        setenv("OPENBLAS_CORETYPE", "Haswell", 1);
        setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
        setenv("DNNL_MAX_CPU_ISA", "AVX2", 1);
        setenv("LIBXSMM_TARGET", "hsw", 1);
    }
    setenv("PRUNE_BENCH_STARTED", "1", 1);
    execv("/proc/self/exe", argv);
}

static int next_word(const char **list, char *word, size_t size)
{
    if (!**list)
        return 0;
    size_t length = strcspn(*list, ",");
    snprintf(word, size, "%.*s", (int)length, *list);
    *list += length + ((*list)[length] == ',');
    return 1;
}

/* One race: returns 1 when a contender of ours erred. */
static int run_cell(const struct settings *s, const struct machine *machine, int64_t n, int layout, const char *pattern,
                    double sparsity, json_t *records)
{
    static struct contender contenders[MOST_CONTENDERS];
    static struct racer racers[MOST_RACERS];
    struct problem problem;
    prune_context *context;
    const char *dense, *sparse;
    int wrong = 0;
    if (problem_make(&problem, s->m, n, s->k, layout, pattern, sparsity, 1))
        return 1;
    if (prune_context_create(&context) || prune_context_set_threads(context, s->entries.threads) ||
        prune_context_set_cpu(context, s->cpu)) {
        fprintf(stderr, "%s\n", prune_error());
        exit(1);
    }
    struct entry_list entries = s->entries;
    double bytes = 4.0 * (double)problem.m * (double)problem.k, cache = (double)machine->l3_bytes;
    cache = cache < 32 << 20 ? cache : 32 << 20;
    entries.from_memory = n <= 32 && bytes > cache;
    entries.memory_bytes = 2.0 * (double)(machine->l3_bytes < 64 << 20 ? machine->l3_bytes : 64 << 20);
    int count = contenders_make(contenders, &problem, &entries, machine, context, &wrong);
    memset(racers, 0, sizeof racers);
    for (int i = 0; i < count; i++) {
        racers[i].run = contender_run;
        racers[i].state = &contenders[i];
    }
    int rounds = race(racers, count, &s->limits);
    results_of(contenders, racers, count, rounds, &problem, machine, entries.from_memory, &dense, &sparse);
    results_print(contenders, racers, count, rounds, &problem, entries.threads, dense, sparse);
    if (records)
        results_add(records, contenders, racers, count, &problem, machine, entries.threads, dense, sparse);
    contenders_free(contenders, count);
    prune_context_free(context);
    problem_free(&problem);
    return wrong;
}

static int run_patterns(const struct settings *s, const struct machine *machine, int64_t n, int layout, json_t *records)
{
    char word[256];
    int wrong = 0;
    if (s->sparsity)
        for (const char *list = s->sparsity; next_word(&list, word, sizeof word);)
            wrong |= run_cell(s, machine, n, layout, "random", atof(word), records);
    for (const char *list = s->pattern; next_word(&list, word, sizeof word);)
        if (strcmp(word, "random"))
            wrong |= run_cell(s, machine, n, layout, word, 0, records);
    return wrong;
}

int main(int argc, char **argv)
{
    struct settings settings;
    struct machine machine;
    char n[32], layout[32];
    int wrong = 0;
    if (parse(&settings, argc, argv))
        return 2;
    set_environment(&settings, argv);
    machine_measure(&machine, settings.cpu);
    results_print_machine(&machine);
    printf("%s; it runs its %s kernels\n", openblas_get_config(), openblas_get_corename());
    json_t *records = settings.json ? json_array() : NULL;
    for (const char *layouts = settings.layout; next_word(&layouts, layout, sizeof layout);)
        for (const char *list = settings.n; next_word(&list, n, sizeof n);)
            wrong |= run_patterns(&settings, &machine, atoll(n), !strcmp(layout, "nxk"), records);
    if (records) {
        json_t *all =
            json_pack("{s:i, s:o, s:o}", "schema", 1, "machine", results_machine(&machine), "records", records);
        if (json_dump_file(all, settings.json, JSON_INDENT(1) | JSON_REAL_PRECISION(7))) {
            fprintf(stderr, "%s: cannot be written\n", settings.json);
            return 1;
        }
        json_decref(all);
    }
    return wrong;
}
