/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a file of weights is: its names, its settings, and the extents that every tensor must have.
 */
#include <stdio.h>
#include <string.h>

#include "base/spec.h"
#include "model/io/json.h"
#include "model/io/llama/llama.h"

#define MOST_LAYERS 10000
#define MOST_POSITIONS 16777216

static const struct pm_llama_names meta = {"tok_embeddings.weight",
                                           "norm.weight",
                                           "output.weight",
                                           "layers.",
                                           {".attention_norm.weight", ".attention.wq.weight", ".attention.wk.weight",
                                            ".attention.wv.weight", ".attention.wo.weight", ".ffn_norm.weight",
                                            ".feed_forward.w1.weight", ".feed_forward.w2.weight",
                                            ".feed_forward.w3.weight"},
                                           1,
                                           {"n_heads", "n_kv_heads", "norm_eps", "rope_theta", "max_seq_len"}};

static const struct pm_llama_names hugging_face = {
    "model.embed_tokens.weight",
    "model.norm.weight",
    "lm_head.weight",
    "model.layers.",
    {".input_layernorm.weight", ".self_attn.q_proj.weight", ".self_attn.k_proj.weight", ".self_attn.v_proj.weight",
     ".self_attn.o_proj.weight", ".post_attention_layernorm.weight", ".mlp.gate_proj.weight", ".mlp.down_proj.weight",
     ".mlp.up_proj.weight"},
    0,
    {"num_attention_heads", "num_key_value_heads", "rms_norm_eps", "rope_theta", "max_position_embeddings"}};

/* In the order of pm_llama_names.settings; 0: the file says it, or the default stands. */
static const struct pr_parameter parameters[] = {
    {.name = "heads", .type = PR_WHOLE, .standard = "0", .most = 65536, .help = "query heads"},
    {.name = "kv_heads", .type = PR_WHOLE, .standard = "0", .most = 65536, .help = "key and value heads"},
    {.name = "epsilon", .type = PR_REAL, .standard = "0", .most = 1, .help = "what a norm adds to the mean square"},
    {.name = "theta", .type = PR_REAL, .standard = "0", .most = 1e12, .help = "base of the rotary angles"},
    {.name = "positions", .type = PR_WHOLE, .standard = "0", .most = MOST_POSITIONS, .help = "of the rotary table"},
    {.name = "caches", .type = PR_WORD, .standard = "no", .words = "no|yes", .help = "keys and values in and out"},
    {.name = NULL}};

const char *pm_llama_part(const struct pm_llama *llama, int64_t layer, int part, char name[PM_LLAMA_NAME])
{
    snprintf(name, PM_LLAMA_NAME, "%s%lld%s", llama->names->layers, (long long)layer, llama->names->parts[part]);
    return name;
}

/* The layer that a tensor belongs to; -1 for one of none, -2 for one that these models do not have. */
static int64_t layer_of(const struct pm_llama_names *names, const char *name)
{
    size_t length = strlen(names->layers), all = strlen(name);
    int64_t layer = 0;
    if (strcmp(name, names->embedding) == 0 || strcmp(name, names->norm) == 0 || strcmp(name, names->output) == 0 ||
        strcmp(name, "rope.cos") == 0 || strcmp(name, "rope.sin") == 0 || strcmp(name, "rope.freqs") == 0 ||
        (all > 20 && strcmp(name + all - 20, ".rotary_emb.inv_freq") == 0))
        return -1;
    if (strncmp(name, names->layers, length) != 0)
        return -2;
    const char *at = name + length;
    for (; *at >= '0' && *at <= '9' && layer < MOST_LAYERS; at++)
        layer = 10 * layer + (*at - '0');
    for (int part = 0; part < PM_LLAMA_PARTS; part++)
        if (at > name + length && strcmp(at, names->parts[part]) == 0)
            return layer;
    return -2;
}

static int32_t find_names(struct pm_llama *llama)
{
    if (prune_archive_reader_find(llama->reader, meta.embedding) >= 0)
        llama->names = &meta;
    else if (prune_archive_reader_find(llama->reader, hugging_face.embedding) >= 0)
        llama->names = &hugging_face;
    else
        return pr_fail(PRUNE_E_FORMAT, "it has neither \"%s\" nor \"%s\"; a model of the Llama architecture has one",
                       meta.embedding, hugging_face.embedding);
    for (int32_t i = 0; i < prune_archive_reader_count(llama->reader); i++) {
        const char *name = prune_archive_reader_name(llama->reader, i);
        int64_t layer = layer_of(llama->names, name);
        if (layer == -2)
            return pr_fail(PRUNE_E_UNSUPPORTED, "tensor \"%s\" is of something that plain Llama models do not have",
                           PM_SHOW(name));
        if (layer >= MOST_LAYERS)
            return pr_fail(PRUNE_E_UNSUPPORTED, "tensor \"%s\" is of a layer beyond %d", PM_SHOW(name), MOST_LAYERS);
        if (layer >= llama->layers)
            llama->layers = layer + 1;
    }
    if (llama->layers == 0)
        return pr_fail(PRUNE_E_FORMAT, "it has no layers (\"%s0%s\" is the first tensor of one)", llama->names->layers,
                       llama->names->parts[0]);
    return PRUNE_OK;
}

/* A value of config.json that matters: a number of the settings, or what would make another model of it. */
static int32_t take_value(struct pm_llama *llama, const char *key, const char *text, int64_t length, double *settings)
{
    int is_null = length == 4 && memcmp(text, "null", 4) == 0;
    if (strcmp(key, "rope_scaling") == 0 && !is_null)
        return pr_fail(PRUNE_E_UNSUPPORTED, "config.json: rope_scaling is given; only plain rotary angles are made");
    /* A string that was passed over ends with NUL in place of its quotation mark. */
    if (strcmp(key, "hidden_act") == 0 && !(text[0] == '"' && strcmp(text + 1, "silu") == 0))
        return pr_fail(PRUNE_E_UNSUPPORTED, "config.json: hidden_act is %s; only silu is made",
                       text[0] == '"' ? PM_SHOW(text + 1) : "no string");
    for (int i = 0; i < PM_LLAMA_SETTINGS; i++)
        if (strcmp(key, llama->names->settings[i]) == 0 && !is_null &&
            !pr_number_parse(text, (size_t)length, &settings[i]))
            return pr_fail(PRUNE_E_FORMAT, "config.json: %s is no number", key);
    return PRUNE_OK;
}

static int32_t read_config(struct pm_llama *llama, struct pm_json *json, double *settings)
{
    char *key;
    PR_TRY(pm_json_expect(json, '{', "at the start of config.json"));
    if (pm_json_take(json, '}'))
        return pm_json_end(json);
    do {
        PR_TRY(pm_json_string(json, &key, "as a key of config.json"));
        PR_TRY(pm_json_expect(json, ':', "after a key of config.json"));
        while (json->at < json->length && strchr(" \t\r\n", json->text[json->at]))
            json->at++;
        int64_t start = json->at;
        PR_TRY(pm_json_skip(json));
        PR_TRY(take_value(llama, key, json->text + start, json->at - start, settings));
    } while (pm_json_take(json, ','));
    PR_TRY(pm_json_expect(json, '}', "at the end of config.json"));
    return pm_json_end(json);
}

/* config.json in the model's folder, where there is one. */
static int32_t find_config(struct pm_llama *llama, const char *path, double *settings)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    struct pm_input file;
    struct pm_json json = {0};
    char *name;
    PR_TRY(pr_alloc(llama->context, folder + 16, 1, &name));
    snprintf(name, (size_t)folder + 16, "%.*sconfig.json", folder, path);
    int32_t status = pm_input_open(&file, name);
    pr_release(llama->context, name);
    if (status)
        return status == PRUNE_E_NOTFOUND ? PRUNE_OK : status;
    json.length = file.size;
    status = pm_input_load(&file, llama->context, &json.text);
    pm_input_close(&file);
    if (!status)
        status = read_config(llama, &json, settings);
    pr_release(llama->context, json.text);
    return status;
}

static int32_t find_strings(const struct pm_llama *llama, double *settings)
{
    for (int i = 0; i < PM_LLAMA_SETTINGS; i++) {
        const char *text = prune_archive_reader_text(llama->reader, llama->names->settings[i]);
        if (text && !pr_number_parse(text, strlen(text), &settings[i]))
            return pr_fail(PRUNE_E_FORMAT, "metadata \"%s\" is \"%s\", which is no number", llama->names->settings[i],
                           PM_SHOW(text));
    }
    return PRUNE_OK;
}

/* The spec's numbers before the file's, these before config.json's, these before the defaults. */
static int32_t find_settings(struct pm_llama *llama, const char *path, const struct pr_values *values)
{
    static const double least[] = {1, 1, 0, 1, 1}, most[] = {65536, 65536, 1, 1e12, MOST_POSITIONS};
    double settings[PM_LLAMA_SETTINGS] = {0, 0, 1e-5, 10000, 2048};
    PR_TRY(find_config(llama, path, settings));
    PR_TRY(find_strings(llama, settings));
    for (int i = 0; i < PM_LLAMA_SETTINGS; i++) {
        if (values->real[i] != 0)
            settings[i] = values->real[i];
        int is_left_out = settings[i] == 0 && i < 2;
        int is_whole = i == 2 || i == 3 || settings[i] == (double)(int64_t)settings[i];
        if (!is_left_out && !(settings[i] >= least[i] && settings[i] <= most[i] && is_whole))
            return pr_fail(PRUNE_E_FORMAT, "its setting \"%s\" is %g; it must be from %g to %g",
                           llama->names->settings[i], settings[i], least[i], most[i]);
    }
    llama->heads = (int64_t)settings[0];
    llama->kv_heads = (int64_t)settings[1];
    llama->epsilon = settings[2];
    llama->theta = settings[3];
    llama->positions = (int64_t)settings[4];
    llama->caches = values->whole[5] == 1;
    if (llama->heads == 0)
        return pr_fail(PRUNE_E_ARGUMENT, "the file does not say how many heads it has; say it with heads=N");
    return PRUNE_OK;
}

/* Extent `axis` of a tensor that must be there with that rank. */
static int32_t extent_of(const struct pm_llama *llama, const char *name, int32_t rank, int32_t axis, int64_t *extent)
{
    int32_t index = prune_archive_reader_find(llama->reader, name);
    if (index < 0)
        return pr_fail(PRUNE_E_FORMAT, "tensor \"%s\" is missing; it must be there", name);
    int32_t dtype = prune_archive_reader_dtype(llama->reader, index);
    int32_t its_rank = prune_archive_reader_rank(llama->reader, index);
    if (dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_BF16 && dtype != PRUNE_F64)
        return pr_fail(PRUNE_E_DTYPE, "tensor \"%s\" is %s; it must be floating", name, prune_dtype_name(dtype));
    if (its_rank != rank)
        return pr_fail(PRUNE_E_SHAPE, "tensor \"%s\" has %d axes; it must have %d", name, (int)its_rank, (int)rank);
    *extent = prune_archive_reader_shape(llama->reader, index)[axis];
    if (*extent < 1)
        return pr_fail(PRUNE_E_SHAPE, "tensor \"%s\" is empty", name);
    return PRUNE_OK;
}

/* rows x columns, or a vector of `rows` where `columns` is 0. */
static int32_t expect(const struct pm_llama *llama, const char *name, int64_t rows, int64_t columns)
{
    int64_t extents[2] = {0, 0};
    PR_TRY(extent_of(llama, name, columns ? 2 : 1, 0, &extents[0]));
    if (columns)
        PR_TRY(extent_of(llama, name, 2, 1, &extents[1]));
    if (extents[0] == rows && extents[1] == columns)
        return PRUNE_OK;
    return columns ? pr_fail(PRUNE_E_SHAPE, "tensor \"%s\" is %lld x %lld; it must be %lld x %lld", name,
                             (long long)extents[0], (long long)extents[1], (long long)rows, (long long)columns)
                   : pr_fail(PRUNE_E_SHAPE, "tensor \"%s\" has %lld numbers; it must have %lld", name,
                             (long long)extents[0], (long long)rows);
}

static int32_t find_heads(struct pm_llama *llama)
{
    int64_t rows, kv_rows, said = llama->kv_heads;
    char name[PM_LLAMA_NAME];
    PR_TRY(extent_of(llama, pm_llama_part(llama, 0, PM_LLAMA_Q, name), 2, 0, &rows));
    if (rows % llama->heads || rows / llama->heads % 2)
        return pr_fail(PRUNE_E_SHAPE, "tensor \"%s\" has %lld rows; %lld heads of an even size do not make these", name,
                       (long long)rows, (long long)llama->heads);
    llama->head_size = rows / llama->heads;
    PR_TRY(extent_of(llama, pm_llama_part(llama, 0, PM_LLAMA_K, name), 2, 0, &kv_rows));
    llama->kv_heads = said ? said : kv_rows / llama->head_size;
    if (llama->kv_heads == 0 || kv_rows != llama->kv_heads * llama->head_size)
        return pr_fail(PRUNE_E_SHAPE, "tensor \"%s\" has %lld rows; %lld heads of size %lld have %lld", name,
                       (long long)kv_rows, (long long)llama->kv_heads, (long long)llama->head_size,
                       (long long)(llama->kv_heads * llama->head_size));
    if (llama->heads % llama->kv_heads)
        return pr_fail(PRUNE_E_SHAPE, "%lld query heads cannot share %lld key and value heads evenly",
                       (long long)llama->heads, (long long)llama->kv_heads);
    return PRUNE_OK;
}

static int32_t check_layer(const struct pm_llama *llama, int64_t layer)
{
    int64_t q = llama->heads * llama->head_size, kv = llama->kv_heads * llama->head_size, dim = llama->dim;
    const int64_t extents[PM_LLAMA_PARTS][2] = {{dim, 0},
                                                {q, dim},
                                                {kv, dim},
                                                {kv, dim},
                                                {dim, q},
                                                {dim, 0},
                                                {llama->hidden, dim},
                                                {dim, llama->hidden},
                                                {llama->hidden, dim}};
    char name[PM_LLAMA_NAME];
    for (int part = 0; part < PM_LLAMA_PARTS; part++)
        PR_TRY(expect(llama, pm_llama_part(llama, layer, part, name), extents[part][0], extents[part][1]));
    return PRUNE_OK;
}

static int32_t check_tensors(struct pm_llama *llama)
{
    char name[PM_LLAMA_NAME];
    PR_TRY(extent_of(llama, llama->names->embedding, 2, 0, &llama->vocabulary));
    PR_TRY(extent_of(llama, llama->names->embedding, 2, 1, &llama->dim));
    PR_TRY(extent_of(llama, pm_llama_part(llama, 0, PM_LLAMA_GATE, name), 2, 0, &llama->hidden));
    PR_TRY(find_heads(llama));
    for (int64_t i = 0; i < llama->layers; i++)
        PR_TRY(check_layer(llama, i));
    PR_TRY(expect(llama, llama->names->norm, llama->dim, 0));
    llama->is_tied = prune_archive_reader_find(llama->reader, llama->names->output) < 0;
    if (!llama->is_tied)
        PR_TRY(expect(llama, llama->names->output, llama->vocabulary, llama->dim));
    if (prune_archive_reader_find(llama->reader, "rope.cos") < 0)
        return PRUNE_OK;
    PR_TRY(extent_of(llama, "rope.cos", 2, 0, &llama->positions));
    PR_TRY(expect(llama, "rope.cos", llama->positions, llama->head_size / 2));
    return expect(llama, "rope.sin", llama->positions, llama->head_size / 2);
}

int32_t pm_llama_open(struct pm_llama *llama, const char *path, const char *spec)
{
    struct pr_values values;
    PR_TRY(pr_spec_parse_list(spec, "llama", parameters, &values));
    PR_TRY(prune_archive_reader_open(&llama->reader, llama->context, path));
    int32_t status = find_names(llama);
    if (!status)
        status = find_settings(llama, path, &values);
    if (!status)
        status = check_tensors(llama);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

int32_t pm_llama_load(const struct pm_llama *llama, const char *name, prune_tensor **out)
{
    prune_tensor *read = NULL, *made = NULL;
    PR_TRY(prune_archive_reader_read(&read, llama->reader, prune_archive_reader_find(llama->reader, name)));
    if (prune_tensor_dtype(read) == PRUNE_F32) {
        *out = read;
        return PRUNE_OK;
    }
    int32_t status = prune_tensor_convert(&made, read, PRUNE_F32);
    prune_tensor_free(read);
    if (status)
        return pr_fail_in(status, "tensor \"%s\"", name);
    *out = made;
    return PRUNE_OK;
}
