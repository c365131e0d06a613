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

/* Sum over all stories, and the largest distance of one from the reference. */
static double nll_of(const prune_graph *graph, const char *spec, int64_t *predicted, double *most_apart)
{
    FILE *texts = fopen(data_path("stories260k/eval_token_ids.txt"), "r");
    FILE *references = fopen(data_path("stories260k/eval_nll.csv"), "r");
    int64_t ids[MOST_TOKENS], count, vocabulary;
    char line[200];
    double total = 0;
    *predicted = 0;
    *most_apart = 0;
    ck_assert(texts && references && fgets(line, sizeof line, references));
    while ((count = next_line(texts, ids)) > 0) {
        float *logits = logits_of_text(graph, count, ids, spec, &vocabulary);
        double nll = 0, reference;
        for (int64_t i = 0; i + 1 < count; i++)
            nll += surprise(logits + i * vocabulary, vocabulary, ids[i + 1]);
        ck_assert(fgets(line, sizeof line, references) && sscanf(line, "%*[^,],%*[^,],%*[^,],%lf", &reference) == 1);
        *most_apart = fmax(*most_apart, fabs(nll - reference));
        total += nll;
        *predicted += count - 1;
        free(logits);
    }
    fclose(texts);
    fclose(references);
    return total;
}

START_TEST(stories_have_1_329822_nats_a_token)
{
    prune_graph *graph = stories(NULL);
    int64_t predicted;
    double apart, nll;
    if (!graph)
        return;
    nll = nll_of(graph, NULL, &predicted, &apart);
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
