/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "bench_products [OPTION...]: products with sparse weights, raced against other libraries. LISTs have commas.\n"
    "Without --m, --n, --k, --sparsity and --pattern: the grid that libprune is judged by.\n"
    "  --cells LIST       rows of the grid: N1, N1L3, N1L2, N4, N16, N64, dlmc (default all)\n"
    "  --dlmc DIR         where patterns of pruned networks lie (default ../shared/data/dlmc)\n"
    "  --quick            fewer rounds, the same as --seconds 0.2\n"
    "  --m M --k K        W is M x K (default 4096 4096)\n"
    "  --n LIST           columns of X (default 16)\n"
    "  --sparsity LIST    of random patterns (default 0.9)\n"
    "  --pattern LIST     random, N:M, N:MxROWS (shared by neighbouring rows), dense, FILE.smtx\n"
    "  --layout LIST      kxn (default): Y = W X, X is K x N; nxk: Y = X W', X is N x K\n"
    "  --form LIST        forms of libprune (default auto)\n"
    "  --format LIST      formats of libprune (default auto)\n"
    "  --spec KEYS        more keys for prune_packed_create\n"
    "  --no-dense         without libprune's packed dense\n"
    "  --without LIST     beginnings of the names of peers that stay away; all: all but OpenBLAS\n"
    "  --cpu MASK         PRUNE_CPU_* bits that libprune may use; peers are held to the same (1: AVX2)\n"
    "  --threads T        (default 1)\n"
    "  --seconds S        of one race (default 2)\n"
    "  --rounds R         of one race at most (default 400)\n"
    "  --json FILE        write the records; --append: add them to those in FILE\n";

static const struct option long_options[] = {
    {"m", 1, NULL, 'm'},       {"n", 1, NULL, 'n'},      {"k", 1, NULL, 'k'},       {"sparsity", 1, NULL, 's'},
    {"pattern", 1, NULL, 'p'}, {"layout", 1, NULL, 'l'}, {"form", 1, NULL, 'f'},    {"format", 1, NULL, 'F'},
    {"spec", 1, NULL, 'S'},    {"cpu", 1, NULL, 'c'},    {"threads", 1, NULL, 't'}, {"seconds", 1, NULL, 'T'},
    {"rounds", 1, NULL, 'r'},  {"json", 1, NULL, 'j'},   {"without", 1, NULL, 'w'}, {"no-dense", 0, NULL, 'd'},
    {"cells", 1, NULL, 'C'},   {"dlmc", 1, NULL, 'D'},   {"quick", 0, NULL, 'q'},   {"append", 0, NULL, 'a'},
    {"help", 0, NULL, 'h'},    {NULL, 0, NULL, 0}};

int next_word(const char **list, char *word, size_t size)
{
    if (!**list)
        return 0;
    size_t length = strcspn(*list, ",");
    snprintf(word, size, "%.*s", (int)length, *list);
    *list += length + ((*list)[length] == ',');
    return 1;
}

static int set_text(struct options *o, int option, const char *value)
{
    const struct {
        int option;
        const char **text;
    } texts[] = {{'n', &o->n},
                 {'s', &o->sparsity},
                 {'p', &o->pattern},
                 {'l', &o->layout},
                 {'f', &o->entries.forms},
                 {'F', &o->entries.formats},
                 {'S', &o->entries.spec},
                 {'w', &o->entries.without},
                 {'j', &o->json},
                 {'C', &o->cells},
                 {'D', &o->dlmc}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].option == option) {
            *texts[i].text = value;
            return 1;
        }
    return 0;
}

static int set_number(struct options *o, int option, const char *value)
{
    if (option == 'm')
        o->m = atoll(value);
    else if (option == 'k')
        o->k = atoll(value);
    else if (option == 'c')
        o->cpu = (uint32_t)atoi(value);
    else if (option == 't')
        o->entries.threads = atoi(value);
    else if (option == 'T')
        o->limits.seconds = atof(value);
    else if (option == 'r')
        o->limits.most_rounds = atoi(value);
    else if (option == 'q')
        o->limits.seconds = 0.2;
    else if (option == 'd')
        o->entries.dense_form = 0;
    else if (option == 'a')
        o->append = 1;
    else
        return 0;
    return 1;
}

int options_parse(struct options *o, int argc, char **argv)
{
    *o = (struct options){
        .m = 4096,
        .k = 4096,
        .n = "16",
        .layout = "kxn",
        .dlmc = "../shared/data/dlmc",
        .entries = {.forms = "auto", .formats = "auto", .spec = "", .dense_form = 1, .without = "", .threads = 1},
        .limits = {.seconds = 2, .most_rounds = 400},
        .cpu = prune_cpu_detect()};
    for (int option; (option = getopt_long(argc, argv, "", long_options, NULL)) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (!set_text(o, option, optarg) && !set_number(o, option, optarg)) {
            fputs(usage, stderr);
            return 2;
        }
        o->single |= strchr("mknsp", option) != NULL;
    }
    o->limits.rest = o->entries.threads > 1 ? 0.03 : 0;
    if (optind < argc || o->m < 1 || o->k < 1 || o->entries.threads < 1 || o->limits.most_rounds < 3) {
        fputs(usage, stderr);
        return 2;
    }
    if (!o->pattern)
        o->pattern = o->sparsity ? "" : "random";
    if (!o->sparsity && strstr(o->pattern, "random"))
        o->sparsity = "0.9";
    return 0;
}
