/* SPDX-License-Identifier: BSD-2-Clause */
#include "acceptance.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COLUMNS 8
#define MOST_SHAPES 8

static const struct {
    const char *title, *pattern;
    double sparsity;
} columns[COLUMNS] = {{"2:4", "2:4", 0},        {"2:4 x4", "2:4x4", 0},  {"50 %", "random", 0.5},
                      {"70 %", "random", 0.7},  {"80 %", "random", 0.8}, {"90 %", "random", 0.9},
                      {"95 %", "random", 0.95}, {"dense", "dense", 0}};

/* Goals over the best dense peer: on a core that reads memory slowly (below 25 GB/s), on a fast one, and with AVX2
 * against peers that are held to AVX2. 0: none. */
struct row {
    const char *name, *title;
    int64_t shape[MOST_SHAPES + 1][3]; /* m, n, k */
    double slow[COLUMNS], fast[COLUMNS], avx2[COLUMNS];
};

#define MEMORY_BETWEEN 25.0

static const struct row rows[] = {
    {"N1",
     "N = 1, memory",
     {{4096, 1, 4096}, {11008, 1, 4096}},
     {1.85, 1.85, 1.85, 3.0, 4.1, 7.8, 15, 1},
     {1.7, 1.8, 1.35, 2.1, 3.0, 5.0, 9.2, 1},
     {1.79, 1.84, 1.46, 2.4, 3.65, 8.4, 15.8, 1}},
    {"N1L3",
     "N = 1, L3",
     {{1024, 1, 1024}},
     {2.8, 3.1, 2.4, 5.5, 7.5, 11, 17, 1},
     {1.6, 1.7, 1.0, 1.4, 1.9, 3.0, 4.5, 1},
     {0}},
    {"N1L2",
     "N = 1, L2",
     {{512, 1, 512}},
     {1.6, 1.7, 0, 1.0, 1.25, 2.2, 3.2, 1},
     {1.6, 1.7, 0, 1.0, 1.25, 2.2, 3.2, 1},
     {0}},
    {"N4",
     "N = 4, memory",
     {{4096, 4, 4096}},
     {2.6, 2.8, 2.6, 3.6, 4.7, 9, 16, 1},
     {1.6, 1.8, 1.3, 1.9, 2.6, 4.5, 8, 1},
     {2.12, 2.35, 2.24, 2.98, 3.83, 7.4, 12.8, 1}},
    {"N16",
     "N = 16, memory",
     {{4096, 16, 4096}},
     {1.9, 2.4, 1.8, 2.8, 4.0, 7.5, 13, 1},
     {1.5, 1.8, 1.3, 2.0, 2.7, 4.5, 8, 1},
     {1.6, 2.04, 1.69, 2.55, 3.8, 7.1, 12.5, 1}},
    {"N64",
     "N >= 64",
     {{1024, 64, 1024},
      {3072, 128, 768},
      {768, 128, 3072},
      {256, 196, 1024},
      {512, 784, 512},
      {256, 3136, 64},
      {64, 12544, 64},
      {2048, 1024, 2048}},
     {1.6, 1.9, 1.5, 2.3, 3.2, 5.5, 9, 0.97},
     {1.6, 1.9, 1.5, 2.3, 3.2, 5.5, 9, 0.97},
     {1.65, 1.9, 1.5, 2.4, 3.5, 6, 10, 0.97}},
};
#define ROWS ((int)(sizeof rows / sizeof *rows))

/* Layers of pruned networks: file, columns of X. */
static const struct {
    const char *name;
    int64_t n;
} layers[] = {
    {"transformer/magnitude_pruning/%s/body_encoder_layer_2_self_attention_multihead_attention_q_fully_connected.smtx",
     128},
    {"transformer/magnitude_pruning/%s/body_encoder_layer_2_ffn_conv1_fully_connected.smtx", 128},
    {"transformer/magnitude_pruning/%s/body_encoder_layer_2_ffn_conv2_fully_connected.smtx", 1},
    {"rn50/magnitude_pruning/%s/bottleneck_3_block_group2_1_1.smtx", 784},
    {"rn50/magnitude_pruning/%s/bottleneck_2_block_group3_1_1.smtx", 196},
};

static int listed(const char *cells, const char *name)
{
    size_t length = strlen(name);
    if (!cells)
        return 1;
    for (; *cells; cells += strcspn(cells, ","), cells += *cells == ',')
        if (strcspn(cells, ",") == length && !strncmp(cells, name, length))
            return 1;
    return 0;
}

struct cell {
    int shapes;
    double log_ratio, worst_ratio, worst_sparse, best_roofline;
};

static void add(struct cell *cell, const struct outcome *outcome)
{
    if (!(outcome->ratio_dense > 0))
        return;
    if (!cell->shapes || outcome->ratio_dense < cell->worst_ratio)
        cell->worst_ratio = outcome->ratio_dense;
    if (outcome->ratio_sparse > 0 && (!(cell->worst_sparse > 0) || outcome->ratio_sparse < cell->worst_sparse))
        cell->worst_sparse = outcome->ratio_sparse;
    cell->best_roofline = fmax(cell->best_roofline, outcome->roofline);
    cell->log_ratio += log(outcome->ratio_dense);
    cell->shapes++;
}

static void print_heads(const char *first)
{
    printf("%-16s", first);
    for (int c = 0; c < COLUMNS; c++)
        printf(" %13s", columns[c].title);
    printf("\n");
}

static void print_row(const struct row *row, const struct cell *cells, const double *goals)
{
    char text[32];
    printf("%-16s", row->title);
    for (int c = 0; c < COLUMNS; c++) {
        double mean = cells[c].shapes ? exp(cells[c].log_ratio / cells[c].shapes) : 0;
        if (goals[c] > 0)
            snprintf(text, sizeof text, "%.2f/%.2f%s", mean, goals[c], mean < goals[c] ? " -" : " +");
        else
            snprintf(text, sizeof text, "%.2f", mean);
        printf(" %13s", text);
    }
    printf("\n%-16s", "  worst shape");
    for (int c = 0; c < COLUMNS; c++)
        printf(" %13.2f", cells[c].worst_ratio);
    printf("\n%-16s", "  / best sparse");
    for (int c = 0; c < COLUMNS; c++)
        if (cells[c].worst_sparse > 0)
            printf(" %11.2f %s", cells[c].worst_sparse, cells[c].worst_sparse < 1.15 ? "-" : "+");
        else
            printf(" %13s", "");
    printf("\n");
}

static int race_layers(race_fn race, void *user, const char *dlmc)
{
    static const char *const sparsities[] = {"0.5", "0.7", "0.8", "0.9", "0.95"};
    struct outcome outcome[5];
    int wrong = 0;
    char name[256], path[512];
    if (access(dlmc, R_OK)) {
        printf("\npatterns of pruned networks: SKIPPED, %s is absent\n", dlmc);
        return 0;
    }
    double table[sizeof layers / sizeof *layers][5];
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++)
        for (int s = 0; s < 5; s++) {
            snprintf(name, sizeof name, layers[l].name, sparsities[s]);
            snprintf(path, sizeof path, "%s/%s", dlmc, name);
            memset(&outcome[s], 0, sizeof *outcome);
            if (access(path, R_OK))
                printf("\n%s: SKIPPED, it is absent\n", path);
            else
                wrong |= race(user, 0, layers[l].n, 0, path, 0, &outcome[s]);
            table[l][s] = outcome[s].ratio_dense;
        }
    printf("\nPatterns of pruned networks: ratio to the best dense peer\n%-8s", "N");
    for (int s = 0; s < 5; s++)
        printf(" %7s", sparsities[s]);
    printf("\n");
    for (size_t l = 0; l < sizeof layers / sizeof *layers; l++) {
        printf("%-8lld", (long long)layers[l].n);
        for (int s = 0; s < 5; s++)
            printf(" %7.2f", table[l][s]);
        printf("  %s\n", layers[l].name);
    }
    return wrong;
}

int acceptance(race_fn race, void *user, const struct machine *machine, const char *names, const char *dlmc)
{
    static struct cell cells[ROWS][COLUMNS];
    int wrong = 0, slow = machine->read_memory < MEMORY_BETWEEN, avx2 = !strcmp(machine->isa, "avx2");
    memset(cells, 0, sizeof cells);
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS && listed(names, rows[r].name); c++)
            for (int s = 0; rows[r].shape[s][0]; s++) {
                const int64_t *shape = rows[r].shape[s];
                struct outcome outcome = {0};
                wrong |= race(user, shape[0], shape[1], shape[2], columns[c].pattern, columns[c].sparsity, &outcome);
                add(&cells[r][c], &outcome);
            }
    if (listed(names, "dlmc"))
        wrong |= race_layers(race, user, dlmc);
    printf("\nRatio to the best dense peer / goal for %s (%s, memory read at %.1f GB/s); + reached, - short. Several "
           "shapes:\ngeometric mean, and the worst of them. Below: ratio to the best sparse peer, the worst shape; at "
           "least 1.15 is wanted.\n",
           avx2   ? "AVX2"
           : slow ? "slow memory"
                  : "fast memory",
           machine->isa, machine->read_memory);
    print_heads("");
    for (int r = 0; r < ROWS; r++)
        if (listed(names, rows[r].name))
            print_row(&rows[r], cells[r], avx2 ? rows[r].avx2 : slow ? rows[r].slow : rows[r].fast);
    fflush(stdout);
    return wrong;
}
