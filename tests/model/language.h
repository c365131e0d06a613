/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running a decoder: whole texts at once, and token by token with caches of a fixed length. Who includes this has the
 * macro OK, which does not go on after a call that failed.
 */
#ifndef PM_TESTS_LANGUAGE_H
#define PM_TESTS_LANGUAGE_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "prune/model.h"

enum { MOST_TOKENS = 512, MOST_LAYERS = 8 };

/* Lines of token ids, separated by blanks; returns how many are in `ids`, 0 at the end. */
static inline int64_t next_line(FILE *file, int64_t *ids)
{
    int64_t count = 0;
    long long id;
    int c = ' ';
    while (c != '\n' && count < MOST_TOKENS && fscanf(file, "%lld", &id) == 1) {
        ids[count++] = id;
        do
            c = fgetc(file);
        while (c == ' ' || c == ',');
        if (c != '\n' && c != EOF)
            ungetc(c, file);
    }
    return count;
}

/* Logits of every position of one text, by a graph without caches: [count, vocabulary], the caller's. */
static inline float *logits_of_text(const prune_graph *graph, int64_t count, int64_t *ids, const char *spec,
                                    int64_t *vocabulary)
{
    const char *name = "input_ids";
    prune_session *session;
    prune_tensor *tokens;
    OK(prune_tensor_borrow(&tokens, NULL, ids, PRUNE_I64, 2, (const int64_t[]){1, count}, NULL));
    const prune_tensor *fed[] = {tokens};
    OK(prune_session_create(&session, graph, 1, &name, fed, NULL, spec));
    OK(prune_session_run(session, 1, fed));
    const prune_tensor *logits = prune_session_output(session, 0);
    *vocabulary = prune_tensor_shape(logits)[2];
    size_t bytes = (size_t)prune_tensor_count(logits) * sizeof(float);
    float *copy = malloc(bytes);
    if (copy)
        memcpy(copy, prune_tensor_const_data(logits), bytes);
    prune_session_free(session);
    prune_tensor_free(tokens);
    return copy;
}

/* -log softmax(logits)[id], in nats. */
static inline double surprise(const float *logits, int64_t vocabulary, int64_t id)
{
    double most = -INFINITY, sum = 0;
    for (int64_t i = 0; i < vocabulary; i++)
        most = fmax(most, (double)logits[i]);
    for (int64_t i = 0; i < vocabulary; i++)
        sum += exp((double)logits[i] - most);
    return most + log(sum) - (double)logits[id];
}

/* The index of the largest, and by how much it is larger than the next. */
static inline int64_t best_of(const float *logits, int64_t vocabulary, double *gap)
{
    int64_t best = 0;
    double next = -INFINITY;
    for (int64_t i = 1; i < vocabulary; i++)
        if (logits[i] > logits[best])
            best = i;
    for (int64_t i = 0; i < vocabulary; i++)
        if (i != best)
            next = fmax(next, (double)logits[i]);
    if (gap)
        *gap = (double)logits[best] - next;
    return best;
}

/* A decoder whose caches have `room` places, of which `used` are: a session for one token at a time. */
struct decoder {
    prune_session *session;
    prune_tensor *inputs[3 + 2 * MOST_LAYERS];
    char names[3 + 2 * MOST_LAYERS][40];
    int64_t layers, room, used, kv_heads, size, vocabulary;
};

static inline void decoder_open(struct decoder *decoder, const prune_graph *graph, int64_t room, const char *spec)
{
    const char *names[3 + 2 * MOST_LAYERS];
    int32_t count = prune_graph_input_count(graph), dtype, rank;
    int64_t shape[8];
    *decoder = (struct decoder){.layers = (count - 3) / 2, .room = room};
    for (int32_t i = 0; i < count; i++) {
        names[i] = prune_graph_input_name(graph, i);
        OK(prune_graph_input_type(graph, i, &dtype, &rank, shape));
        if (i >= 3)
            decoder->kv_heads = shape[1], decoder->size = shape[3];
        for (int32_t axis = 0; axis < rank; axis++) {
            const char *symbol = prune_graph_input_symbol(graph, i, axis);
            if (shape[axis] < 0)
                shape[axis] = strcmp(symbol, "past") == 0 ? room : strcmp(symbol, "total") == 0 ? room + 1 : 1;
        }
        OK(prune_tensor_create(&decoder->inputs[i], NULL, dtype, rank, shape));
    }
    ((int64_t *)prune_tensor_data(decoder->inputs[1]))[room] = 1; /* the token itself */
    OK(prune_session_create(&decoder->session, graph, count, names, (const prune_tensor *const *)decoder->inputs, NULL,
                            spec));
}

/* Logits after `id`, the session's. */
static inline const float *decoder_step(struct decoder *decoder, int64_t id)
{
    int64_t room = decoder->room, size = decoder->size;
    *(int64_t *)prune_tensor_data(decoder->inputs[0]) = id;
    *(int64_t *)prune_tensor_data(decoder->inputs[2]) = decoder->used;
    OK(prune_session_run(decoder->session, 3 + 2 * (int32_t)decoder->layers,
                         (const prune_tensor *const *)decoder->inputs));
    for (int32_t i = 0; i < 2 * decoder->layers; i++) {
        const float *present = prune_tensor_const_data(prune_session_output(decoder->session, 1 + i));
        float *past = prune_tensor_data(decoder->inputs[3 + i]);
        for (int64_t h = 0; h < decoder->kv_heads; h++)
            memcpy(past + (h * room + decoder->used) * size, present + (h * (room + 1) + room) * size,
                   (size_t)size * sizeof *past);
    }
    ((int64_t *)prune_tensor_data(decoder->inputs[1]))[decoder->used++] = 1;
    const prune_tensor *logits = prune_session_output(decoder->session, 0);
    decoder->vocabulary = prune_tensor_count(logits);
    return prune_tensor_const_data(logits);
}

static inline void decoder_close(struct decoder *decoder)
{
    prune_session_free(decoder->session);
    for (int32_t i = 0; i < 3 + 2 * decoder->layers; i++)
        prune_tensor_free(decoder->inputs[i]);
}

/* The decoder forgets what it has seen. */
static inline void decoder_restart(struct decoder *decoder)
{
    decoder->used = 0;
    memset(prune_tensor_data(decoder->inputs[1]), 0, (size_t)decoder->room * sizeof(int64_t));
}

/* The next token by its probability; `chance` is in [0, 1). */
static inline int64_t draw(const float *logits, int64_t vocabulary, double chance)
{
    double most = -INFINITY, sum = 0;
    int64_t id = 0;
    for (int64_t i = 0; i < vocabulary; i++)
        most = fmax(most, (double)logits[i]);
    for (int64_t i = 0; i < vocabulary; i++)
        sum += exp((double)logits[i] - most);
    for (chance *= sum; id < vocabulary - 1; id++) {
        chance -= exp((double)logits[id] - most);
        if (chance < 0)
            break;
    }
    return id;
}

/* Texts that the model makes up, to calibrate on: I64 [count, length], each from the start token 1. */
static inline prune_tensor *made_up_texts(const prune_graph *graph, int64_t count, int64_t length, uint64_t seed)
{
    struct decoder decoder;
    prune_tensor *texts;
    decoder_open(&decoder, graph, length, NULL);
    OK(prune_tensor_create(&texts, NULL, PRUNE_I64, 2, (const int64_t[]){count, length}));
    int64_t *ids = prune_tensor_data(texts);
    for (int64_t text = 0; text < count; text++) {
        decoder_restart(&decoder);
        *ids++ = 1;
        for (int64_t i = 1; i < length; i++, ids++) {
            const float *logits = decoder_step(&decoder, ids[-1]);
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            *ids = draw(logits, decoder.vocabulary, (double)(seed >> 11) * 0x1p-53);
        }
    }
    decoder_close(&decoder);
    return texts;
}

/* Sum of all surprises of the texts in a file, one a line. */
static inline double nll_of_file(const prune_graph *graph, const char *path, const char *spec, double *each,
                                 int64_t *predicted)
{
    FILE *file = fopen(path, "r");
    int64_t ids[MOST_TOKENS], count, vocabulary;
    double total = 0;
    *predicted = 0;
    while (file && (count = next_line(file, ids)) > 0) {
        float *logits = logits_of_text(graph, count, ids, spec, &vocabulary);
        double nll = 0;
        for (int64_t i = 0; i + 1 < count; i++)
            nll += surprise(logits + i * vocabulary, vocabulary, ids[i + 1]);
        if (each)
            *each++ = nll;
        total += nll;
        *predicted += count - 1;
        free(logits);
    }
    if (file)
        fclose(file);
    return total;
}

/* Prunes and repairs all matrices but the embedding. `score` or `repair` may be NULL; sparsity 0 is the quota. */
static inline void prune_language_model(prune_graph *graph, const prune_tensor *texts, const char *score,
                                        const char *unit, const char *repair, double sparsity)
{
    static const char *const name = "input_ids";
    prune_granularity *granularity = NULL;
    prune_criterion *criterion = NULL;
    prune_recovery *recovery = NULL;
    prune_pruner *pruner;
    if (score)
        OK(prune_criterion_create(&criterion, NULL, score));
    if (repair)
        OK(prune_recovery_create(&recovery, NULL, repair));
    OK(prune_granularity_create(&granularity, NULL, unit));
    OK(prune_pruner_create(&pruner, graph, 1, &name, &texts, NULL));
    OK(prune_pruner_include(pruner, "tok_embeddings*", 0, NULL));
    OK(prune_pruner_set_method(pruner, criterion, granularity, recovery));
    OK(prune_pruner_set_target(pruner, sparsity > 0 ? PRUNE_SPARSITY : PRUNE_QUOTA, sparsity, "uniform"));
    OK(prune_pruner_run(pruner));
    prune_pruner_free(pruner);
    prune_criterion_free(criterion);
    prune_granularity_free(granularity);
    prune_recovery_free(recovery);
}

#endif
