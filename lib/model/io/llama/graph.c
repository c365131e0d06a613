/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The graph of a decoder: N = batch * sequence rows go through its matrices, as Gemm with weights out x in under the
 * names that the file has. All query heads that share a key and a value head are rows of one product.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/io/llama/build.h"
#include "model/io/llama/llama.h"

static void add_tensor(struct pm_builder *b, const struct pm_llama *llama, const char *name)
{
    prune_tensor *tensor = NULL;
    if (!b->status)
        b->status = pm_llama_load(llama, name, &tensor);
    if (!b->status)
        pm_build_parameter(b, name, tensor);
}

static void whole(struct pm_builder *b, const char *name, int64_t value)
{
    pm_build_whole(b, name, 1, &value);
}

static void gemm(struct pm_builder *b, const char *x, const char *weights, const char *y)
{
    char inputs[PM_BUILD_NAME];
    snprintf(inputs, sizeof inputs, "%s,%s", x, weights);
    pm_build_int(b, "Gemm", inputs, y, "transB", 1);
}

/* cos or sin of all angles, [positions, 1, head size], in the order of a head's numbers; the sine of a pair's first
 * number is negative: x is turned to x cos + (its partner) sin. */
static int32_t make_table(const struct pm_llama *llama, int is_sine, prune_tensor **out)
{
    const int64_t shape[] = {llama->positions, 1, llama->head_size};
    int64_t half = llama->head_size / 2;
    const char *name = is_sine ? "rope.sin" : "rope.cos";
    prune_tensor *made = NULL, *given = NULL;
    PR_TRY(prune_tensor_create(&made, llama->context, PRUNE_F32, 3, shape));
    if (prune_archive_reader_find(llama->reader, name) >= 0) {
        int32_t status = pm_llama_load(llama, name, &given);
        if (status) {
            prune_tensor_free(made);
            return status;
        }
    }
    const float *table = given ? prune_tensor_const_data(given) : NULL;
    float *to = prune_tensor_data(made);
    for (int64_t k = 0; k < half; k++) {
        double rate = pow(llama->theta, -2.0 * (double)k / (double)llama->head_size);
        int64_t first = llama->names->turns_neighbours ? 2 * k : k;
        int64_t second = llama->names->turns_neighbours ? 2 * k + 1 : k + half;
        for (int64_t p = 0; p < llama->positions; p++) {
            double angle = (double)p * rate;
            float value = table ? table[p * half + k] : (float)(is_sine ? sin(angle) : cos(angle));
            to[p * llama->head_size + first] = is_sine ? -value : value;
            to[p * llama->head_size + second] = value;
        }
    }
    prune_tensor_free(given);
    *out = made;
    return PRUNE_OK;
}

static void add_table(struct pm_builder *b, const struct pm_llama *llama, int is_sine)
{
    prune_tensor *table = NULL;
    if (!b->status)
        b->status = make_table(llama, is_sine, &table);
    if (!b->status)
        pm_build_parameter(b, is_sine ? "rope.sin" : "rope.cos", table);
}

/* Which number of a head is the partner of each. */
static void add_partners(struct pm_builder *b, const struct pm_llama *llama)
{
    int64_t *partners, half = llama->head_size / 2;
    if (!b->status)
        b->status = pr_alloc(b->context, llama->head_size, sizeof *partners, &partners);
    if (b->status)
        return;
    for (int64_t i = 0; i < llama->head_size; i++)
        partners[i] = llama->names->turns_neighbours ? i ^ 1 : i < half ? i + half : i - half;
    pm_build_whole(b, "rope.partners", llama->head_size, partners);
    pr_release(b->context, partners);
}

/* 0, 1, 2, ...: the places of keys. */
static void add_places(struct pm_builder *b, const struct pm_llama *llama)
{
    int64_t *places;
    if (!b->status)
        b->status = pr_alloc(b->context, llama->positions, sizeof *places, &places);
    if (b->status)
        return;
    for (int64_t i = 0; i < llama->positions; i++)
        places[i] = i;
    pm_build_whole(b, "places", llama->positions, places);
    pr_release(b->context, places);
}

static void add_constants(struct pm_builder *b, const struct pm_llama *llama)
{
    add_table(b, llama, 0);
    add_table(b, llama, 1);
    add_partners(b, llama);
    add_places(b, llama);
    whole(b, "0", 0);
    whole(b, "1", 1);
    whole(b, "2", 2);
    whole(b, "-1", -1);
    pm_build_whole(b, "q.axes", 2, (const int64_t[]){llama->heads, llama->head_size});
    pm_build_whole(b, "kv.axes", 2, (const int64_t[]){llama->kv_heads, llama->head_size});
    pm_build_whole(b, "kv.groups", 2, (const int64_t[]){llama->kv_heads, llama->heads / llama->kv_heads});
    whole(b, "kv.heads", llama->kv_heads);
    whole(b, "vocabulary", llama->vocabulary);
    pm_build_whole(b, "rows.axes", 2, (const int64_t[]){-1, llama->dim});
    pm_build_whole(b, "joined.axes", 2, (const int64_t[]){-1, llama->heads * llama->head_size});
    pm_build_whole(b, "grouped.axes", 4, (const int64_t[]){0, llama->kv_heads, -1, llama->head_size});
    pm_build_whole(b, "apart.axes", 4, (const int64_t[]){0, llama->heads, -1, llama->head_size});
    pm_build_real(b, "two", 2);
    pm_build_real(b, "epsilon", (float)llama->epsilon);
    pm_build_real(b, "scale", (float)(1 / sqrt((double)llama->head_size)));
    pm_build_real(b, "zero", 0);
    pm_build_real(b, "lowest", -FLT_MAX);
}

/* Extents that follow from the inputs, and with them the shapes that rows are given. */
static void add_shapes(struct pm_builder *b, const struct pm_llama *llama)
{
    pm_build(b, "Shape", "input_ids", "ids.axes");
    pm_build(b, "Slice", "ids.axes,0,1", "batch");
    pm_build(b, "Slice", "ids.axes,1,2", "sequence");
    if (llama->caches) {
        pm_build(b, "Shape", "attention_mask", "mask.axes");
        pm_build(b, "Slice", "mask.axes,1,2", "total");
        pm_build(b, "Sub", "total,sequence", "past");
    }
    const char *total = llama->caches ? "total" : "sequence";
    char list[PM_BUILD_NAME];
    pm_build_int(b, "Concat", "ids.axes,q.axes", "q.shape", "axis", 0);
    pm_build_int(b, "Concat", "ids.axes,kv.axes", "kv.shape", "axis", 0);
    snprintf(list, sizeof list, "batch,kv.groups,sequence,%s", total);
    pm_build_int(b, "Concat", list, "scores.shape", "axis", 0);
    snprintf(list, sizeof list, "batch,kv.heads,-1,%s", total);
    pm_build_int(b, "Concat", list, "weights.shape", "axis", 0);
    pm_build_int(b, "Concat", "ids.axes,vocabulary", "logits.shape", "axis", 0);
}

/* What is added to scores: 0 where a query may see a key, itself and those before it that the mask has. */
static void add_mask(struct pm_builder *b, const struct pm_llama *llama)
{
    if (!llama->caches) {
        pm_build(b, "Slice", "places,0,sequence", "keys");
        pm_build(b, "Unsqueeze", "keys,1", "queries");
        pm_build(b, "LessOrEqual", "keys,queries", "visible");
        pm_build(b, "Where", "visible,zero,lowest", "mask");
        return;
    }
    pm_build(b, "Slice", "places,0,total", "keys");
    pm_build(b, "Slice", "places,past,total", "query_places");
    pm_build(b, "Unsqueeze", "query_places,1", "queries");
    pm_build(b, "LessOrEqual", "keys,queries", "before");
    pm_build_int(b, "Cast", "attention_mask", "kept", "to", 9 /* bool */);
    pm_build_whole(b, "mask.new_axes", 3, (const int64_t[]){1, 2, 3});
    pm_build(b, "Unsqueeze", "kept,mask.new_axes", "kept_keys");
    pm_build(b, "And", "kept_keys,before", "visible");
    pm_build(b, "Where", "visible,zero,lowest", "mask");
}

static void add_start(struct pm_builder *b, const struct pm_llama *llama)
{
    const char *embedding = llama->names->embedding;
    char list[PM_BUILD_NAME];
    add_tensor(b, llama, embedding);
    snprintf(list, sizeof list, "%s,input_ids", embedding);
    pm_build_int(b, "Gather", list, "embedded", "axis", 0);
    pm_build(b, "Reshape", "embedded,rows.axes", "x.0");
    if (llama->caches) {
        pm_build_int(b, "Gather", "rope.cos,position_ids", "cos", "axis", 0);
        pm_build_int(b, "Gather", "rope.sin,position_ids", "sin", "axis", 0);
    } else {
        pm_build(b, "Slice", "rope.cos,0,sequence", "cos");
        pm_build(b, "Slice", "rope.sin,0,sequence", "sin");
    }
}

/* gain x / sqrt(mean(x^2) + epsilon) of each row; `to` is "/attention" or the like. */
static void add_norm(struct pm_builder *b, const char *x, const char *gain, const char *to)
{
    char from[PM_BUILD_NAME], name[PM_BUILD_NAME];
    static const int64_t last = -1;
    snprintf(from, sizeof from, "%s,two", x);
    snprintf(name, sizeof name, "%s/squares", to);
    pm_build(b, "Pow", from, name);
    snprintf(from, sizeof from, "%s/mean", to);
    pm_build_ints(b, "ReduceMean", name, from, "axes", 1, &last);
    snprintf(from, sizeof from, "%s/mean,epsilon", to);
    snprintf(name, sizeof name, "%s/shifted", to);
    pm_build(b, "Add", from, name);
    snprintf(from, sizeof from, "%s/root", to);
    pm_build(b, "Sqrt", name, from);
    snprintf(from, sizeof from, "%s,%s/root", x, to);
    snprintf(name, sizeof name, "%s/unit", to);
    pm_build(b, "Div", from, name);
    snprintf(from, sizeof from, "%s/unit,%s", to, gain);
    pm_build(b, "Mul", from, to);
}

/* Heads turned by the angles of their positions, [batch, sequence, heads, size]. */
static void add_turn(struct pm_builder *b, const char *x, const char *partner, const char *one, const char *other,
                     const char *y)
{
    char list[PM_BUILD_NAME];
    snprintf(list, sizeof list, "%s,rope.partners", x);
    pm_build_int(b, "Gather", list, partner, "axis", 3);
    snprintf(list, sizeof list, "%s,cos", x);
    pm_build(b, "Mul", list, one);
    snprintf(list, sizeof list, "%s,sin", partner);
    pm_build(b, "Mul", list, other);
    snprintf(list, sizeof list, "%s,%s", one, other);
    pm_build(b, "Add", list, y);
}

/* The new keys or values behind those of the past, where there are some. */
static void add_cache(struct pm_builder *b, const struct pm_llama *llama, int64_t layer, const char *what,
                      const char *fresh, char all[PM_BUILD_NAME])
{
    const int64_t before[] = {-1, llama->kv_heads, -1, llama->head_size};
    char list[PM_BUILD_NAME], past[64];
    snprintf(all, PM_BUILD_NAME, "%s", fresh);
    if (!llama->caches)
        return;
    snprintf(past, sizeof past, "past_key_values.%lld.%s", (long long)layer, what);
    snprintf(all, PM_BUILD_NAME, "present.%lld.%s", (long long)layer, what);
    snprintf(list, sizeof list, "%s,%s", past, fresh);
    pm_build_input(b, past, PRUNE_F32, 4, before, "batch,,past,");
    pm_build_int(b, "Concat", list, all, "axis", 2);
}

static void add_attention(struct pm_builder *b, const struct pm_llama *llama, int64_t layer)
{
    static const int64_t turn[] = {0, 2, 1, 3}, transpose[] = {0, 1, 3, 2};
    char keys[PM_BUILD_NAME], values[PM_BUILD_NAME], list[2 * PM_BUILD_NAME];
    pm_build(b, "Reshape", "/q,q.shape", "/q/heads");
    pm_build(b, "Reshape", "/k,kv.shape", "/k/heads");
    pm_build(b, "Reshape", "/v,kv.shape", "/v/heads");
    add_turn(b, "/q/heads", "/q/partner", "/q/one", "/q/other", "/q/turned");
    add_turn(b, "/k/heads", "/k/partner", "/k/one", "/k/other", "/k/turned");
    pm_build(b, "Mul", "/q/turned,scale", "/q/scaled");
    pm_build_ints(b, "Transpose", "/q/scaled", "/q/rows", "perm", 4, turn);
    pm_build(b, "Reshape", "/q/rows,grouped.axes", "/q/grouped");
    pm_build_ints(b, "Transpose", "/k/turned", "/k/rows", "perm", 4, turn);
    pm_build_ints(b, "Transpose", "/v/heads", "/v/rows", "perm", 4, turn);
    add_cache(b, llama, layer, "key", "/k/rows", keys);
    add_cache(b, llama, layer, "value", "/v/rows", values);
    pm_build_ints(b, "Transpose", keys, "/k/columns", "perm", 4, transpose);
    pm_build(b, "MatMul", "/q/grouped,/k/columns", "/scores/grouped");
    pm_build(b, "Reshape", "/scores/grouped,scores.shape", "/scores");
    pm_build(b, "Add", "/scores,mask", "/scores/masked");
    pm_build_int(b, "Softmax", "/scores/masked", "/weights", "axis", -1);
    pm_build(b, "Reshape", "/weights,weights.shape", "/weights/grouped");
    snprintf(list, sizeof list, "/weights/grouped,%s", values);
    pm_build(b, "MatMul", list, "/seen/grouped");
    pm_build(b, "Reshape", "/seen/grouped,apart.axes", "/seen/heads");
    pm_build_ints(b, "Transpose", "/seen/heads", "/seen/rows", "perm", 4, turn);
    pm_build(b, "Reshape", "/seen/rows,joined.axes", "/seen");
}

static void add_layer(struct pm_builder *b, const struct pm_llama *llama, int64_t layer)
{
    char names[PM_LLAMA_PARTS][PM_LLAMA_NAME], x[32], list[PM_BUILD_NAME];
    for (int part = 0; part < PM_LLAMA_PARTS; part++)
        add_tensor(b, llama, pm_llama_part(llama, layer, part, names[part]));
    snprintf(b->prefix, sizeof b->prefix, "/layers.%lld", (long long)layer);
    snprintf(x, sizeof x, "x.%lld", (long long)layer);
    add_norm(b, x, names[PM_LLAMA_ATTENTION_NORM], "/attention_norm");
    gemm(b, "/attention_norm", names[PM_LLAMA_Q], "/q");
    gemm(b, "/attention_norm", names[PM_LLAMA_K], "/k");
    gemm(b, "/attention_norm", names[PM_LLAMA_V], "/v");
    add_attention(b, llama, layer);
    gemm(b, "/seen", names[PM_LLAMA_O], "/attention");
    snprintf(list, sizeof list, "%s,/attention", x);
    pm_build(b, "Add", list, "/x");
    add_norm(b, "/x", names[PM_LLAMA_FEED_FORWARD_NORM], "/feed_forward_norm");
    gemm(b, "/feed_forward_norm", names[PM_LLAMA_GATE], "/gate");
    gemm(b, "/feed_forward_norm", names[PM_LLAMA_UP], "/up");
    pm_build(b, "Sigmoid", "/gate", "/gate/sigmoid");
    pm_build(b, "Mul", "/gate,/gate/sigmoid", "/gate/silu");
    pm_build(b, "Mul", "/gate/silu,/up", "/hidden");
    gemm(b, "/hidden", names[PM_LLAMA_DOWN], "/feed_forward");
    snprintf(x, sizeof x, "x.%lld", (long long)layer + 1);
    pm_build(b, "Add", "/x,/feed_forward", x);
    b->prefix[0] = '\0';
}

static void add_end(struct pm_builder *b, const struct pm_llama *llama)
{
    const struct pm_llama_names *names = llama->names;
    const int64_t logits[] = {-1, -1, llama->vocabulary}, all[] = {-1, llama->kv_heads, -1, llama->head_size};
    char x[32], present[64];
    snprintf(x, sizeof x, "x.%lld", (long long)llama->layers);
    add_tensor(b, llama, names->norm);
    if (!llama->is_tied)
        add_tensor(b, llama, names->output);
    add_norm(b, x, names->norm, "norm");
    gemm(b, "norm", llama->is_tied ? names->embedding : names->output, "logits.rows");
    pm_build(b, "Reshape", "logits.rows,logits.shape", "logits");
    pm_build_output(b, "logits", PRUNE_F32, 3, logits, "batch,sequence,");
    for (int64_t i = 0; llama->caches && i < 2 * llama->layers; i++) {
        snprintf(present, sizeof present, "present.%lld.%s", (long long)i / 2, i % 2 ? "value" : "key");
        pm_build_output(b, present, PRUNE_F32, 4, all, "batch,,total,");
    }
}

int32_t pm_llama_graph(const struct pm_llama *llama, prune_graph *graph)
{
    const int64_t free_extents[] = {-1, -1};
    struct pm_builder b = {.context = graph->context, .body = graph->body};
    pm_build_input(&b, "input_ids", PRUNE_I64, 2, free_extents, "batch,sequence");
    if (llama->caches) {
        pm_build_input(&b, "attention_mask", PRUNE_I64, 2, free_extents, "batch,total");
        pm_build_input(&b, "position_ids", PRUNE_I64, 2, free_extents, "batch,sequence");
    }
    add_constants(&b, llama);
    add_shapes(&b, llama);
    add_mask(&b, llama);
    add_start(&b, llama);
    for (int64_t i = 0; i < llama->layers; i++)
        add_layer(&b, llama, i);
    add_end(&b, llama);
    PR_TRY(b.status);
    return pm_graph_finish(graph);
}
