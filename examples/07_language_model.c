/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A language model that tells a story, dense, and then pruned to 2:4 with SparseGPT on what it told and run packed:
 *
 *   07_language_model WEIGHTS.safetensors TOKENIZER.bin [TOKENS]
 *
 * WEIGHTS are those of stories260K or of another small model of Llama's architecture; the tokenizer is llama2.c's.
 * Greedily, one token at a time, keys and values of the tokens before being kept. Without arguments the files are
 * looked for in stories260k in the folder that PRUNE_TEST_DATA names.
 */
#define _POSIX_C_SOURCE 200809L
#include <prune/model.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_INPUTS = 131, MOST_TOKENS = 512, MOST_BYTES = 64 };

struct decoder {
    prune_session *session;
    prune_tensor *inputs[MOST_INPUTS]; /* input_ids, attention_mask, position_ids, then keys and values of each layer */
    int32_t count;
    int64_t room; /* tokens that the caches can hold */
};

/* Inputs for one token behind `room` places, none of which is filled. */
static int32_t decoder_open(struct decoder *d, const prune_graph *graph, int64_t room)
{
    const char *names[MOST_INPUTS];
    d->count = prune_graph_input_count(graph);
    d->room = room;
    if (d->count > MOST_INPUTS)
        return prune_fail(PRUNE_E_UNSUPPORTED, "the model has more than 64 layers");
    for (int32_t i = 0; i < d->count; i++) {
        int32_t dtype, rank;
        int64_t shape[8];
        names[i] = prune_graph_input_name(graph, i);
        int32_t status = prune_graph_input_type(graph, i, &dtype, &rank, shape);
        if (status)
            return status;
        for (int32_t axis = 0; axis < rank; axis++) {
            const char *symbol = prune_graph_input_symbol(graph, i, axis);
            if (shape[axis] < 0)
                shape[axis] = strcmp(symbol, "past") == 0 ? room : strcmp(symbol, "total") == 0 ? room + 1 : 1;
        }
        status = prune_tensor_create(&d->inputs[i], NULL, dtype, rank, shape);
        if (status)
            return status;
    }
    ((int64_t *)prune_tensor_data(d->inputs[1]))[room] = 1; /* a token sees itself */
    return prune_session_create(&d->session, graph, d->count, names, (const prune_tensor *const *)d->inputs, NULL,
                                NULL);
}

static void decoder_close(struct decoder *d)
{
    prune_session_free(d->session);
    for (int32_t i = 0; i < d->count && i < MOST_INPUTS; i++)
        prune_tensor_free(d->inputs[i]);
}

/* What comes out behind the caches goes into their place `position`. */
static void keep(struct decoder *d, int64_t position)
{
    for (int32_t i = 3; i < d->count; i++) {
        const int64_t *shape = prune_tensor_shape(d->inputs[i]);
        const float *present = prune_tensor_const_data(prune_session_output(d->session, i - 2));
        float *past = prune_tensor_data(d->inputs[i]);
        for (int64_t head = 0; head < shape[1]; head++)
            memcpy(past + (head * d->room + position) * shape[3], present + (head * (d->room + 1) + d->room) * shape[3],
                   (size_t)shape[3] * sizeof *past);
    }
    ((int64_t *)prune_tensor_data(d->inputs[1]))[position] = 1;
}

/* The likeliest tokens after the start token 1; tokens a second. */
static int32_t tell(const prune_graph *graph, int64_t *ids, int64_t count, double *speed)
{
    struct decoder d = {0};
    struct timespec start, end;
    int32_t status = decoder_open(&d, graph, count);
    ids[0] = 1;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int64_t i = 0; !status && i + 1 < count; i++) {
        *(int64_t *)prune_tensor_data(d.inputs[0]) = ids[i];
        *(int64_t *)prune_tensor_data(d.inputs[2]) = i;
        status = prune_session_run(d.session, d.count, (const prune_tensor *const *)d.inputs);
        if (status)
            break;
        keep(&d, i);
        const prune_tensor *logits = prune_session_output(d.session, 0);
        const float *score = prune_tensor_const_data(logits);
        int64_t best = 0;
        for (int64_t j = 1; j < prune_tensor_count(logits); j++)
            best = score[j] > score[best] ? j : best;
        ids[i + 1] = best;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    *speed = (double)(count - 1) /
             ((double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec) + 1e-9);
    decoder_close(&d);
    return status;
}

/* Every matrix but the embedding, on the text `ids`; the numbers and masks go over into the model with caches. */
static int32_t prune_to_2_of_4(prune_graph *plain, prune_graph *with_caches, int64_t *ids, int64_t count)
{
    const char *name = "input_ids";
    const int64_t shape[2] = {1, count};
    prune_tensor *text = NULL;
    prune_granularity *granularity = NULL;
    prune_recovery *recovery = NULL;
    prune_pruner *pruner = NULL;
    int32_t bad = prune_tensor_borrow(&text, NULL, ids, PRUNE_I64, 2, shape, NULL) ||
                  prune_granularity_create(&granularity, NULL, "nm:keep_n=2,group_m=4") ||
                  prune_recovery_create(&recovery, NULL, "sparsegpt") ||
                  prune_pruner_create(&pruner, plain, 1, &name, (const prune_tensor *const *)&text, NULL) ||
                  prune_pruner_include(pruner, "tok_embeddings*", 0, NULL) ||
                  prune_pruner_set_method(pruner, NULL, granularity, recovery) ||
                  prune_pruner_set_target(pruner, PRUNE_QUOTA, 0, "uniform") || prune_pruner_run(pruner);
    for (int32_t i = 0; !bad && i < prune_graph_parameter_count(plain); i++) {
        const char *weights = prune_graph_parameter_name(plain, i);
        if (prune_graph_mask(plain, weights))
            bad = prune_graph_set_parameter(with_caches, weights, prune_graph_parameter(plain, weights)) ||
                  prune_graph_set_mask(with_caches, weights, prune_graph_mask(plain, weights));
    }
    prune_pruner_free(pruner);
    prune_recovery_free(recovery);
    prune_granularity_free(granularity);
    prune_tensor_free(text);
    return bad;
}

/* Text of each token: a number (its score), the length, the bytes. */
static int read_tokens(const char *path, char (*texts)[MOST_BYTES], int most)
{
    FILE *file = fopen(path, "rb");
    int32_t length = 0;
    float score;
    int count = 0, is_good = file && fread(&length, sizeof length, 1, file) == 1;
    while (is_good && count < most && fread(&score, sizeof score, 1, file) == 1 &&
           fread(&length, sizeof length, 1, file) == 1 && length > 0 && length < MOST_BYTES &&
           fread(texts[count], 1, (size_t)length, file) == (size_t)length)
        texts[count++][length] = '\0';
    if (file)
        fclose(file);
    return count;
}

static void print_text(char (*texts)[MOST_BYTES], int known, const int64_t *ids, int64_t count)
{
    for (int64_t i = 1; i < count; i++) {
        const char *text = ids[i] < known ? texts[ids[i]] : "?";
        unsigned byte;
        if (sscanf(text, "<0x%02X>", &byte) == 1)
            putchar((int)byte);
        else
            fputs(i == 1 && *text == ' ' ? text + 1 : text, stdout); /* no blank at the start */
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    static char texts[32768][MOST_BYTES], weights[1024], tokenizer[1024];
    static int64_t ids[MOST_TOKENS], packed_ids[MOST_TOKENS];
    const char *base = getenv("PRUNE_TEST_DATA");
    int64_t count = argc > 3 ? atoi(argv[3]) : 200;
    double dense = 0, packed = 0;
    base = base && *base ? base : ".";
    snprintf(weights, sizeof weights, "%s/stories260k/stories260K.safetensors", base);
    snprintf(tokenizer, sizeof tokenizer, "%s/stories260k/tok512.bin", base);
    if (argc < 3 && access(weights, R_OK) != 0) {
        printf("SKIP: 07_language_model: %s is not there; give WEIGHTS.safetensors and TOKENIZER.bin\n", weights);
        return 0;
    }
    const char *model = argc > 2 ? argv[1] : weights;
    int known = read_tokens(argc > 2 ? argv[2] : tokenizer, texts, 32768);
    if (known == 0 || count < 2 || count > MOST_TOKENS) {
        fprintf(stderr, "usage: 07_language_model WEIGHTS.safetensors TOKENIZER.bin [TOKENS], 2 to %d\n", MOST_TOKENS);
        return 2;
    }
    prune_graph *plain = NULL, *with_caches = NULL;
    int32_t bad = prune_graph_read_llama(&plain, NULL, model, NULL) ||
                  prune_graph_read_llama(&with_caches, NULL, model, "caches=yes") ||
                  tell(with_caches, ids, count, &dense);
    if (!bad) {
        print_text(texts, known, ids, count);
        bad = prune_to_2_of_4(plain, with_caches, ids, count) || tell(with_caches, packed_ids, count, &packed);
    }
    if (!bad) {
        printf("\npruned to 2:4 on that text:\n");
        print_text(texts, known, packed_ids, count);
        printf("\n%.0f tokens a second dense, %.0f pruned and packed\n", dense, packed);
    } else {
        fprintf(stderr, "%s\n", prune_error());
    }
    prune_graph_free(with_caches);
    prune_graph_free(plain);
    return bad != 0;
}
