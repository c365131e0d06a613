/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Models of the Llama architecture read from their weights: a trained one against what its authors published and what
 * was computed in double precision, a small one of made-up numbers against the formulas.
 */
#include "data.h"
#include "onnxruntime.h"

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

/* Masks and numbers of one graph for the parameters of the same names of another. */
static void take_over(prune_graph *to, const prune_graph *from)
{
    for (int32_t i = 0; i < prune_graph_parameter_count(from); i++) {
        const char *name = prune_graph_parameter_name(from, i);
        if (!prune_graph_mask(from, name))
            continue;
        OK(prune_graph_set_parameter(to, name, prune_graph_parameter(from, name)));
        OK(prune_graph_set_mask(to, name, prune_graph_mask(from, name)));
    }
}

/* To first order: what rounding can do in all products on the way, each at most gamma(n) of its magnitudes, in both
 * runs, as a part of the largest logit. */
static double product_bound(const float *logits, int64_t vocabulary)
{
    const double unit = 0x1p-24;
    double products = 5 * (6 * 64 + 172) + 64, most = 0;
    for (int64_t i = 0; i < vocabulary; i++)
        most = fmax(most, fabs((double)logits[i]));
    return 2 * products * unit / (1 - products * unit) * most;
}

static void check_packed(const char *unit, double sparsity, const char *spec)
{
    prune_graph *graph = stories(NULL), *caches;
    struct decoder masked, packed;
    double furthest = 0;
    int64_t id = 1, differ = 0;
    if (!graph)
        return;
    caches = stories("caches=yes");
    prune_tensor *texts = made_up_texts(caches, 2, 32, 1);
    prune_language_model(graph, texts, "l1", unit, NULL, sparsity);
    take_over(caches, graph);
    decoder_open(&masked, caches, 200, "weights=dense");
    decoder_open(&packed, caches, 200, spec);
    int is_sparse = 0;
    for (int32_t i = 0; i < prune_session_step_count(packed.session); i++) {
        const char *kernels = prune_session_step_kernels(packed.session, i);
        is_sparse += *kernels && strncmp(kernels, "dense", 5) != 0;
    }
    ck_assert_int_eq(is_sparse, 35);
    for (int64_t i = 0; i < 200; i++) {
        double gap;
        const float *dense = decoder_step(&masked, id), *sparse = decoder_step(&packed, id);
        int64_t vocabulary = masked.vocabulary;
        double bound = product_bound(dense, vocabulary);
        for (int64_t j = 0; j < vocabulary; j++) {
            double apart = fabs((double)dense[j] - (double)sparse[j]);
            ck_assert_double_le(apart, bound);
            furthest = fmax(furthest, apart);
        }
        id = best_of(dense, vocabulary, &gap);
        if (gap > 2 * bound)
            ck_assert_int_eq(best_of(sparse, vocabulary, NULL), id);
        differ += best_of(sparse, vocabulary, NULL) != id;
    }
    printf("stories260K, %s at %s: logits at most %.2g apart, %lld of 200 tokens differ\n", spec, unit, furthest,
           (long long)differ);
    decoder_close(&masked);
    decoder_close(&packed);
    prune_tensor_free(texts);
    prune_graph_free(caches);
    prune_graph_free(graph);
}

START_TEST(packed_logits_are_those_of_masked_weights_within_the_bound_of_products)
{
    check_packed("nm:keep_n=2,group_m=4", 0, "weights=nm");
    check_packed("nm:keep_n=2,group_m=4,unit_rows=4", 0, "weights=nm");
    check_packed("element", 0.7, "weights=csr");
}
END_TEST

/* A model of made-up numbers: two layers; four query heads of size 4 on two keys, so that 16 is not the width 8. */
enum { LAYERS = 2, DIM = 8, HEADS = 4, KV = 2, SIZE = 4, HIDDEN = 12, VOCABULARY = 11, LENGTH = 6 };

static const char *const meta[] = {"attention_norm",  "attention.wq",    "attention.wk",
                                   "attention.wv",    "attention.wo",    "ffn_norm",
                                   "feed_forward.w1", "feed_forward.w2", "feed_forward.w3"};
static const char *const hugging_face[] = {"input_layernorm",  "self_attn.q_proj", "self_attn.k_proj",
                                           "self_attn.v_proj", "self_attn.o_proj", "post_attention_layernorm",
                                           "mlp.gate_proj",    "mlp.down_proj",    "mlp.up_proj"};
static const int64_t extents[][2] = {{DIM, 0},         {HEADS * SIZE, DIM}, {KV * SIZE, DIM},
                                     {KV * SIZE, DIM}, {DIM, HEADS *SIZE},  {DIM, 0},
                                     {HIDDEN, DIM},    {DIM, HIDDEN},       {HIDDEN, DIM}};

/* What to leave out of the file, or to give another shape. */
static const char *missing, *misshapen;

static const float *add_numbers(prune_archive *archive, const char *name, int64_t rows, int64_t columns, int seed)
{
    const int64_t shape[] = {rows + (misshapen && strcmp(misshapen, name) == 0), columns};
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, columns ? 2 : 1, shape));
    float *numbers = prune_tensor_data(tensor);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        numbers[i] = (float)(columns ? sin(1.7 * (double)i + seed) / 2 : 1 + 0.1 * cos((double)i + seed));
    if (!missing || strcmp(missing, name) != 0)
        OK(prune_archive_add(archive, name, tensor));
    prune_tensor_free(tensor);
    const prune_tensor *held = prune_archive_find(archive, name);
    return held ? prune_tensor_const_data(held) : NULL;
}

struct small {
    prune_archive *archive;
    const float *embedding, *norm, *output, *parts[LAYERS][9];
    int is_meta;
};

static struct small write_small(const char *path, int is_meta)
{
    struct small small = {.is_meta = is_meta};
    char name[100];
    OK(prune_archive_create(&small.archive, NULL));
    small.embedding =
        add_numbers(small.archive, is_meta ? "tok_embeddings.weight" : "model.embed_tokens.weight", VOCABULARY, DIM, 1);
    small.norm = add_numbers(small.archive, is_meta ? "norm.weight" : "model.norm.weight", DIM, 0, 2);
    small.output = is_meta ? small.embedding : add_numbers(small.archive, "lm_head.weight", VOCABULARY, DIM, 3);
    for (int layer = 0; layer < LAYERS; layer++)
        for (int part = 0; part < 9; part++) {
            snprintf(name, sizeof name, "%slayers.%d.%s.weight", is_meta ? "" : "model.", layer,
                     is_meta ? meta[part] : hugging_face[part]);
            small.parts[layer][part] =
                add_numbers(small.archive, name, extents[part][0], extents[part][1], 10 * layer + part);
        }
    OK(prune_archive_write(small.archive, path));
    return small;
}

static void multiply(double *y, const float *w, const double *x, int rows, int columns)
{
    for (int r = 0; r < rows; r++) {
        y[r] = 0;
        for (int c = 0; c < columns; c++)
            y[r] += (double)w[r * columns + c] * x[c];
    }
}

static void norm_of(double *y, const double *x, const float *gain)
{
    double squares = 0;
    for (int i = 0; i < DIM; i++)
        squares += x[i] * x[i] / DIM;
    for (int i = 0; i < DIM; i++)
        y[i] = (double)gain[i] * x[i] / sqrt(squares + 1e-5);
}

static void turn(double *head, int position, int neighbours)
{
    for (int k = 0; k < SIZE / 2; k++) {
        double angle = position / pow(100, 2.0 * k / SIZE), *a = head + (neighbours ? 2 * k : k);
        double *b = a + (neighbours ? 1 : SIZE / 2), one = *a, other = *b;
        *a = one * cos(angle) - other * sin(angle);
        *b = one * sin(angle) + other * cos(angle);
    }
}

/* Query head h at position t over all positions up to it. */
static void attend(double *seen, const double *q, double keys[][KV * SIZE], double values[][KV * SIZE], int t)
{
    for (int h = 0; h < HEADS; h++) {
        double weights[LENGTH], sum = 0;
        const int kv = h / (HEADS / KV) * SIZE;
        for (int j = 0; j <= t; j++) {
            weights[j] = 0;
            for (int i = 0; i < SIZE; i++)
                weights[j] += q[h * SIZE + i] * keys[j][kv + i] / 2; /* the root of 4 */
            sum += weights[j] = exp(weights[j]);
        }
        for (int i = 0; i < SIZE; i++) {
            seen[h * SIZE + i] = 0;
            for (int j = 0; j <= t; j++)
                seen[h * SIZE + i] += weights[j] / sum * values[j][kv + i];
        }
    }
}

static void reference(const struct small *small, const int64_t *ids, double logits[][VOCABULARY])
{
    static double keys[LAYERS][LENGTH][KV * SIZE], values[LAYERS][LENGTH][KV * SIZE];
    for (int t = 0; t < LENGTH; t++) {
        double x[DIM], a[DIM], q[HEADS * SIZE], seen[HEADS * SIZE], more[DIM], gate[HIDDEN], up[HIDDEN];
        for (int i = 0; i < DIM; i++)
            x[i] = (double)small->embedding[ids[t] * DIM + i];
        for (int layer = 0; layer < LAYERS; layer++) {
            const float *const *w = small->parts[layer];
            norm_of(a, x, w[0]);
            multiply(q, w[1], a, HEADS * SIZE, DIM);
            multiply(keys[layer][t], w[2], a, KV * SIZE, DIM);
            multiply(values[layer][t], w[3], a, KV * SIZE, DIM);
            for (int h = 0; h < HEADS; h++)
                turn(q + h * SIZE, t, small->is_meta);
            for (int h = 0; h < KV; h++)
                turn(keys[layer][t] + h * SIZE, t, small->is_meta);
            attend(seen, q, keys[layer], values[layer], t);
            multiply(more, w[4], seen, DIM, HEADS * SIZE);
            for (int i = 0; i < DIM; i++)
                x[i] += more[i];
            norm_of(a, x, w[5]);
            multiply(gate, w[6], a, HIDDEN, DIM);
            multiply(up, w[8], a, HIDDEN, DIM);
            for (int i = 0; i < HIDDEN; i++)
                gate[i] *= up[i] / (1 + exp(-gate[i]));
            multiply(more, w[7], gate, DIM, HIDDEN);
            for (int i = 0; i < DIM; i++)
                x[i] += more[i];
        }
        norm_of(a, x, small->norm);
        multiply(logits[t], small->output, a, VOCABULARY, DIM);
    }
}

#define SETTINGS "heads=4,theta=100,positions=8"

static void check_small(int is_meta)
{
    int64_t ids[LENGTH] = {1, 7, 0, 10, 3, 3}, vocabulary;
    double expected[LENGTH][VOCABULARY];
    prune_graph *graph, *caches;
    struct decoder decoder;
    fresh_folder();
    struct small small = write_small(scratch("small.safetensors"), is_meta);
    reference(&small, ids, expected);
    OK(prune_graph_read_llama(&graph, NULL, scratch("small.safetensors"), SETTINGS));
    OK(prune_graph_read_llama(&caches, NULL, scratch("small.safetensors"), SETTINGS ",kv_heads=2,caches=yes"));
    ck_assert_int_eq(prune_graph_opset(graph), 17);
    ck_assert_ptr_nonnull(prune_graph_parameter(graph, is_meta ? "layers.1.attention.wk.weight"
                                                               : "model.layers.1.self_attn.k_proj.weight"));
    float *logits = logits_of_text(graph, LENGTH, ids, NULL, &vocabulary);
    ck_assert_int_eq(vocabulary, VOCABULARY);
    decoder_open(&decoder, caches, 7, NULL);
    for (int t = 0; t < LENGTH; t++) {
        const float *step = decoder_step(&decoder, ids[t]);
        for (int i = 0; i < VOCABULARY; i++) {
            ck_assert_double_eq_tol((double)logits[t * VOCABULARY + i], expected[t][i], 5e-5);
            ck_assert_double_eq_tol((double)step[i], expected[t][i], 5e-5);
        }
    }
    decoder_close(&decoder);
    free(logits);
    prune_archive_free(small.archive);
    prune_graph_free(caches);
    prune_graph_free(graph);
}

START_TEST(small_models_of_either_naming_are_as_in_double_precision)
{
    check_small(1);
    check_small(0);
}
END_TEST

static void refuse(const char *spec, int32_t status, const char *word)
{
    prune_graph *graph = UNTOUCHED;
    FAILS(prune_graph_read_llama(&graph, NULL, scratch("small.safetensors"), spec), status, word);
    ck_assert_ptr_eq(graph, UNTOUCHED);
}

static void rewrite(const char *without, const char *wrong)
{
    missing = without;
    misshapen = wrong;
    prune_archive_free(write_small(scratch("small.safetensors"), 1).archive);
    missing = misshapen = NULL;
}

static void write_config(const char *text)
{
    save(scratch("config.json"), text, strlen(text));
}

START_TEST(weights_that_make_no_model_are_refused)
{
    prune_graph *graph = UNTOUCHED;
    fresh_folder();
    rewrite(NULL, NULL);
    FAILS(prune_graph_read_llama(NULL, NULL, "x", NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_graph_read_llama(&graph, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_graph_read_llama(&graph, NULL, scratch("none.safetensors"), NULL), PRUNE_E_NOTFOUND, "none");
    refuse(NULL, PRUNE_E_ARGUMENT, "heads=N");
    refuse("depth=3", PRUNE_E_SPEC, "depth");
    refuse("heads=3", PRUNE_E_SHAPE, "16 rows");
    refuse("heads=16", PRUNE_E_SHAPE, "even size");
    refuse("heads=4,kv_heads=3", PRUNE_E_SHAPE, "3 heads of size 4 have 12");
    refuse("heads=2,kv_heads=0,epsilon=2", PRUNE_E_SPEC, "epsilon");
    rewrite("layers.1.feed_forward.w2.weight", NULL);
    refuse("heads=4", PRUNE_E_FORMAT, "\"layers.1.feed_forward.w2.weight\" is missing");
    rewrite("norm.weight", NULL);
    refuse("heads=4", PRUNE_E_FORMAT, "\"norm.weight\" is missing");
    rewrite("tok_embeddings.weight", NULL);
    refuse("heads=4", PRUNE_E_FORMAT, "model.embed_tokens.weight");
    rewrite(NULL, "layers.1.attention.wo.weight");
    refuse("heads=4", PRUNE_E_SHAPE, "is 9 x 16; it must be 8 x 16");
    rewrite(NULL, "layers.0.attention.wk.weight");
    refuse("heads=4", PRUNE_E_SHAPE, "has 9 rows");
    rewrite(NULL, "layers.0.ffn_norm.weight");
    refuse("heads=4", PRUNE_E_SHAPE, "has 9 numbers; it must have 8");
}
END_TEST

START_TEST(config_json_says_what_the_file_does_not)
{
    prune_graph *graph;
    fresh_folder();
    prune_archive_free(write_small(scratch("small.safetensors"), 0).archive);
    write_config("{\"num_attention_heads\": 4, \"rms_norm_eps\": 1e-05, \"rope_scaling\": null, \"hidden_act\": "
                 "\"silu\", \"max_position_embeddings\": 8}");
    OK(prune_graph_read_llama(&graph, NULL, scratch("small.safetensors"), NULL));
    ck_assert_int_eq(prune_tensor_shape(prune_graph_parameter(graph, "rope.cos"))[0], 8);
    prune_graph_free(graph);
    write_config("{\"num_attention_heads\": 4.5}");
    refuse(NULL, PRUNE_E_FORMAT, "4.5");
    write_config("{\"num_attention_heads\": \"many\"}");
    refuse(NULL, PRUNE_E_FORMAT, "no number");
    write_config("{\"num_attention_heads\": 4, \"rope_scaling\": {\"type\": \"linear\"}}");
    refuse(NULL, PRUNE_E_UNSUPPORTED, "rope_scaling");
    write_config("{\"num_attention_heads\": 4, \"hidden_act\": \"gelu\"}");
    refuse(NULL, PRUNE_E_UNSUPPORTED, "gelu");
    write_config("{\"num_attention_heads\": 4");
    refuse(NULL, PRUNE_E_FORMAT, "config.json");
}
END_TEST

/* What is written is what onnxruntime runs. */
START_TEST(onnxruntime_gives_the_same_logits)
{
    static struct comparison all;
    prune_graph *graph = stories(NULL);
    const char *const name = "input_ids";
    prune_tensor *tokens;
    if (!graph)
        return;
    begin_comparison(&all);
    OK(prune_tensor_create(&tokens, NULL, PRUNE_I64, 2, (const int64_t[]){2, 40}));
    for (int64_t i = 0; i < 80; i++)
        ((int64_t *)prune_tensor_data(tokens))[i] = i % 40 ? (i * 37) % 512 : 1;
    add_forms(&all, "stories260K", graph, 1, &name, (const prune_tensor *const[]){tokens});
    end_comparison(&all, "stories260K");
    prune_tensor_free(tokens);
    prune_graph_free(graph);
}
END_TEST

TEST_MAIN("llama", stories_have_1_329822_nats_a_token, greedy_text_is_the_published_one_with_caches,
          greedy_text_is_the_published_one_without_caches,
          packed_logits_are_those_of_masked_weights_within_the_bound_of_products,
          small_models_of_either_naming_are_as_in_double_precision, weights_that_make_no_model_are_refused,
          config_json_says_what_the_file_does_not, onnxruntime_gives_the_same_logits)
