/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models of the Llama architecture read from their weights: a trained one against what its authors published and what
 * was computed in double precision, a small one of made-up numbers against the formulas.
 */
#include "data.h"

#include "language.h"

#define STORIES "stories260k/stories260K.safetensors"

static prune_graph *stories(const char *spec)
{
    const char *path = data_path(STORIES);
    prune_graph *graph = NULL;
    if (path)
        OK(prune_graph_read_llama(&graph, NULL, path, spec));
    return graph;
}

START_TEST(stories_have_1_329822_nats_a_token)
{
    prune_graph *graph = stories(NULL);
    int64_t predicted;
    double nll, each[8] = {0}, apart = 0, reference;
    char line[200];
    if (!graph)
        return;
    nll = nll_of_file(graph, data_path("stories260k/eval_token_ids.txt"), NULL, each, &predicted);
    FILE *references = fopen(data_path("stories260k/eval_nll.csv"), "r");
    ck_assert(references && fgets(line, sizeof line, references));
    for (int i = 0; i < 8; i++) {
        ck_assert(fgets(line, sizeof line, references) && sscanf(line, "%*[^,],%*[^,],%*[^,],%lf", &reference) == 1);
        apart = fmax(apart, fabs(each[i] - reference));
    }
    fclose(references);
    printf("stories260K: %.6f nats over %lld tokens, %.6f a token; a story at most %.2g from the reference\n", nll,
           (long long)predicted, nll / (double)predicted, apart);
    ck_assert_int_eq(predicted, 1430);
    ck_assert_double_eq_tol(nll / (double)predicted, 1.329822, 1e-6);
    ck_assert_double_le(apart, 2e-4);
    prune_graph_free(graph);
}
END_TEST

START_TEST(greedy_text_is_the_published_one_with_caches)
{
    prune_graph *graph = stories("caches=yes");
    int64_t ids[MOST_TOKENS];
    struct decoder decoder;
    if (!graph)
        return;
    FILE *file = fopen(data_path("stories260k/greedy_sample_200_token_ids.txt"), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(next_line(file, ids), 201);
    fclose(file);
    decoder_open(&decoder, graph, 200, NULL);
    for (int64_t i = 0; i < 200; i++) {
        const float *logits = decoder_step(&decoder, ids[i]);
        ck_assert_int_eq(best_of(logits, decoder.vocabulary, NULL), ids[i + 1]);
    }
    decoder_close(&decoder);
    prune_graph_free(graph);
}
END_TEST

START_TEST(greedy_text_is_the_published_one_without_caches)
{
    prune_graph *graph = stories(NULL);
    int64_t ids[MOST_TOKENS], vocabulary;
    if (!graph)
        return;
    FILE *file = fopen(data_path("stories260k/greedy_sample_200_token_ids.txt"), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(next_line(file, ids), 201);
    fclose(file);
    float *logits = logits_of_text(graph, 200, ids, NULL, &vocabulary);
    for (int64_t i = 0; i < 200; i++)
        ck_assert_int_eq(best_of(logits + i * vocabulary, vocabulary, NULL), ids[i + 1]);
    free(logits);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("llama", stories_have_1_329822_nats_a_token, greedy_text_is_the_published_one_with_caches,
          greedy_text_is_the_published_one_without_caches)
