/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A decoder of the Llama architecture (Touvron et al. 2023) from its weights: root mean square norms, rotary positions
 * (Su et al. 2021), attention in which several query heads share a key and a value, a gated feed-forward part.
 */
#ifndef PM_LLAMA_H
#define PM_LLAMA_H

#include "model/graph/graph.h"
#include "model/io/io.h"
#include "prune/stream.h"

/* Matrices and vectors of a layer. */
enum pm_llama_part {
    PM_LLAMA_ATTENTION_NORM,
    PM_LLAMA_Q,
    PM_LLAMA_K,
    PM_LLAMA_V,
    PM_LLAMA_O,
    PM_LLAMA_FEED_FORWARD_NORM,
    PM_LLAMA_GATE,
    PM_LLAMA_DOWN,
    PM_LLAMA_UP,
    PM_LLAMA_PARTS
};

#define PM_LLAMA_SETTINGS 5

/* How one family of files calls the tensors, and how it turns a head: numbers 2k and 2k + 1 are a pair, or k and
 * k + size / 2. */
struct pm_llama_names {
    const char *embedding, *norm, *output, *layers; /* "layers.": before the number of a layer */
    const char *parts[PM_LLAMA_PARTS];              /* ".attention.wq.weight": behind it */
    int turns_neighbours;
    const char *settings[PM_LLAMA_SETTINGS]; /* keys: heads, key and value heads, epsilon, theta, positions */
};

struct pm_llama {
    prune_context *context;
    prune_archive_reader *reader;
    const struct pm_llama_names *names;
    int64_t dim, hidden, layers, heads, kv_heads, head_size, vocabulary, positions;
    double epsilon, theta;
    int caches;  /* keys and values of the tokens before come in, and go out with those of these tokens */
    int is_tied; /* the output matrix is the embedding */
};

/* Tensor names. */
#define PM_LLAMA_NAME 160
const char *pm_llama_part(const struct pm_llama *llama, int64_t layer, int part, char name[PM_LLAMA_NAME]);

/* Settings from the spec, from the file's strings and from config.json beside it, then all extents, checked against
 * every tensor (settings.c). */
int32_t pm_llama_open(struct pm_llama *llama, const char *path, const char *spec);

/* The tensor of that name as F32. */
int32_t pm_llama_load(const struct pm_llama *llama, const char *name, prune_tensor **out);

/* The graph (graph.c). */
int32_t pm_llama_graph(const struct pm_llama *llama, prune_graph *graph);

#endif
