/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What pruning without training leaves of a language model: language_model WEIGHTS TOKEN_IDS prints the rows of
 * README's table, in nats a token. It calibrates on 128 texts of 256 tokens that the dense model makes up.
 */
#define OK(call)                                                                                                       \
    do {                                                                                                               \
        if (call) {                                                                                                    \
            fprintf(stderr, "%s: %s\n", #call, prune_error());                                                         \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#include "../model/language.h"

static const struct {
    const char *title, *unit, *unit_of_rows; /* Wanda compares the weights of a row */
    double sparsity;
} settings[] = {
    {"30 %", "element", "element:pool=row", 0.3},
    {"50 %", "element", "element:pool=row", 0.5},
    {"70 %", "element", "element:pool=row", 0.7},
    {"2:4", "nm:keep_n=2,group_m=4", "nm:keep_n=2,group_m=4", 0},
};

static const struct {
    const char *score, *repair;
    int by_rows;
} methods[] = {{"l1", NULL, 0}, {"wanda", NULL, 1}, {NULL, "sparsegpt", 0}, {NULL, "obc", 0}};

static double nll_per_token(const prune_graph *graph, const char *path)
{
    int64_t predicted = 0;
    double nll = nll_of_file(graph, path, NULL, NULL, &predicted);
    if (predicted == 0) {
        fprintf(stderr, "%s: no token ids\n", path);
        exit(1);
    }
    return nll / (double)predicted;
}

int main(int argc, char **argv)
{
    prune_graph *dense, *decoder, *pruned;
    if (argc != 3) {
        fprintf(stderr, "usage: language_model WEIGHTS.safetensors TOKEN_IDS.txt\n");
        return 2;
    }
    OK(prune_graph_read_llama(&dense, NULL, argv[1], NULL));
    OK(prune_graph_read_llama(&decoder, NULL, argv[1], "caches=yes"));
    prune_tensor *texts = made_up_texts(decoder, 128, 256, 1);
    printf("| | | magnitude | Wanda | SparseGPT | OBC |\n|---|---|---|---|---|---|\n| dense %.6f |",
           nll_per_token(dense, argv[2]));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        printf("%s %s |", i ? "| |" : "", settings[i].title);
        for (size_t j = 0; j < sizeof methods / sizeof *methods; j++) {
            OK(prune_graph_copy(&pruned, dense));
            prune_language_model(pruned, texts, methods[j].score,
                                 methods[j].by_rows ? settings[i].unit_of_rows : settings[i].unit, methods[j].repair,
                                 settings[i].sparsity);
            printf(" %.3f |", nll_per_token(pruned, argv[2]));
            fflush(stdout);
            prune_graph_free(pruned);
        }
        printf("\n");
    }
    prune_tensor_free(texts);
    prune_graph_free(decoder);
    prune_graph_free(dense);
    return 0;
}
