/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Graph: a whole model as its framework wrote it: operators, the values between them, and parameters with their masks.
 *
 * A model comes in as an ONNX file (opset 9 to 21 of the default domain) and goes out as one. What this library does
 * not know (operators, domains, fields) is kept and goes out as it came; prune/session.h says what can be run. A
 * parameter is a tensor that the file holds, an initializer or the tensor of a Constant node, also inside the branches
 * of an If. A model can also be built here, node by node. A graph is changed by one thread at a time.
 */
#ifndef PRUNE_GRAPH_H
#define PRUNE_GRAPH_H

#include <stdint.h>

#include "prune/prune.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_graph prune_graph;

/* Reads a model. `spec`: external=no (the default: PRUNE_E_UNSUPPORTED for a model whose tensors lie in other files)
 * or external=folder (they are read, if they are regular files inside the model's folder); NULL means "". A packed
 * model (prune_graph_write_packed) is read as well. PRUNE_E_FORMAT with node, tensor and numbers for a file that is
 * none: truncated, a tensor named twice or of the wrong length, a cycle, a value that nothing makes. The file is never
 * changed. */
PRUNE_API int32_t prune_graph_read(prune_graph **out, prune_context *context, const char *path, const char *spec);

/* A decoder-only language model of the Llama architecture from its weights, a safetensors file or an index of several
 * (prune/stream.h), as a graph of opset 17. Tensors are named as Meta's releases do (tok_embeddings.weight,
 * layers.0.attention.wq.weight, ...) or as Hugging Face does (model.embed_tokens.weight,
 * model.layers.0.self_attn.q_proj.weight, ...), which also says which numbers of a head rotary positions turn
 * together; they keep their names and their shapes, out x in, and become F32. Without output.weight (lm_head.weight)
 * the output matrix is the embedding. rope.cos and rope.sin, [positions, head size / 2], are taken where the file has
 * them.
 *
 * `spec`: heads, kv_heads, epsilon (1e-5), theta (10000), positions (2048: the longest text); what is left out is
 * looked up in the file's metadata (n_heads, n_kv_heads, norm_eps, rope_theta, max_seq_len; or with Hugging Face's
 * names num_attention_heads, num_key_value_heads, rms_norm_eps, rope_theta, max_position_embeddings), then in
 * config.json in its folder; the number of heads must be said somewhere.
 *
 * caches=no (the default): input_ids I64 [batch, sequence] gives logits F32 [batch, sequence, vocabulary]; position i
 * sees positions 0 to i. caches=yes: also attention_mask I64 [batch, total], 1 for what may be seen, position_ids I64
 * [batch, sequence], and for each layer N past_key_values.N.key and .value F32 [batch, kv_heads, past, head size],
 * where total = past + sequence and past may be 0; present.N.key and .value [batch, kv_heads, total, head size] are
 * the past ones with those of these tokens behind them.
 *
 * PRUNE_E_FORMAT for a file that is none of these, a missing tensor or a setting outside its range, PRUNE_E_SHAPE for
 * a tensor of another shape or heads that do not divide, PRUNE_E_UNSUPPORTED for tensors that plain Llama models do
 * not have (biases, norms of queries and keys), for scaled angles and other activations, PRUNE_E_ARGUMENT where the
 * number of heads is not said. */
PRUNE_API int32_t prune_graph_read_llama(prune_graph **out, prune_context *context, const char *path, const char *spec);

/* Writes it as ONNX, whole or not at all (a temporary file, synced and renamed). `spec`: parameters=dense (the default;
 * pruned elements are +0.0) or sparse (pruned initializers become sparse_initializer, as indices and values);
 * external=no (the default) or file (dense initializers of 1024 bytes or more go to PATH.data beside the model, both
 * files being complete before the first takes its place). A graph that was read and not changed gives the same model,
 * its tensors with the same bits. */
PRUNE_API int32_t prune_graph_write(const prune_graph *graph, const char *path, const char *spec);

/* A network that Deep Compression released (prune_deep_compression_read, and what it refuses), its layers connected as
 * its authors describe them. "squeezenet" takes images "data" [N, 3, 227, 227], blue first, less the means 104, 117
 * and 123, and gives "pool_final" [N, 1000, 1, 1]. Masks keep the weights that are not 0. */
PRUNE_API int32_t prune_deep_compression_graph(prune_graph **out, prune_context *context, const char *path,
                                               const char *network);

/* A deep copy: prune one, keep the other. */
PRUNE_API int32_t prune_graph_copy(prune_graph **out, const prune_graph *graph);
PRUNE_API void prune_graph_free(prune_graph *graph);

/* What must be fed (initializers do not count) and what comes out. The shape has -1 where an extent is free; *rank is
 * -1 when it is not said; the dtype is 0 for one that this library does not have. `symbol` is the name of a free extent
 * ("batch"), NULL for none. Any pointer may be NULL. PRUNE_E_ARGUMENT outside the lists. */
PRUNE_API int32_t prune_graph_input_count(const prune_graph *graph);
PRUNE_API const char *prune_graph_input_name(const prune_graph *graph, int32_t index);
PRUNE_API int32_t prune_graph_input_type(const prune_graph *graph, int32_t index, int32_t *dtype, int32_t *rank,
                                         int64_t shape[8]);
PRUNE_API const char *prune_graph_input_symbol(const prune_graph *graph, int32_t index, int32_t axis);
PRUNE_API int32_t prune_graph_output_count(const prune_graph *graph);
PRUNE_API const char *prune_graph_output_name(const prune_graph *graph, int32_t index);

/* Every free extent of that name becomes `extent` (0 or more), in inputs, outputs and wherever else the model says
 * a shape; it is written so. *count (NULL allowed): how many axes of inputs. PRUNE_E_ARGUMENT, listing the names, where
 * no input has one of that name. */
PRUNE_API int32_t prune_graph_freeze(prune_graph *graph, const char *symbol, int64_t extent, int32_t *count);

/* Nodes of the model's own body in the order in which they run; names are unique (made up where the file has none). */
PRUNE_API int32_t prune_graph_node_count(const prune_graph *graph);
PRUNE_API const char *prune_graph_node_name(const prune_graph *graph, int32_t index);
PRUNE_API const char *prune_graph_node_op(const prune_graph *graph, int32_t index);
PRUNE_API int64_t prune_graph_opset(const prune_graph *graph);

/* Parameters in the file's order. The tensor is borrowed (any dtype; NULL when there is none of that name); the mask is
 * NULL when all is kept. */
PRUNE_API int32_t prune_graph_parameter_count(const prune_graph *graph);
PRUNE_API const char *prune_graph_parameter_name(const prune_graph *graph, int32_t index);
PRUNE_API const prune_tensor *prune_graph_parameter(const prune_graph *graph, const char *name);
PRUNE_API const prune_mask *prune_graph_mask(const prune_graph *graph, const char *name);

/* Prunes a parameter: copies the mask and sets what it prunes to +0.0. NULL takes the mask away. PRUNE_E_SHAPE for
 * another shape, PRUNE_E_DTYPE for a parameter that is not floating. */
PRUNE_API int32_t prune_graph_set_mask(prune_graph *graph, const char *name, const prune_mask *mask);

/* Gives a mask to every floating parameter of two dimensions or more that has none and of which at least a fraction
 * `least` (0 to 1) is zero, and some are: what is not zero is kept. A file with dense weights does not say what was
 * pruned. *count (NULL allowed): how many got one. */
PRUNE_API int32_t prune_graph_mask_zeros(prune_graph *graph, double least, int32_t *count);

/* New numbers of the same shape and dtype; with a mask, what it prunes stays +0.0. */
PRUNE_API int32_t prune_graph_set_parameter(prune_graph *graph, const char *name, const prune_tensor *values);

/* Building a model. An empty one, of an opset from 9 to 21; then inputs, parameters and nodes, each after those whose
 * values it reads, and at the end outputs. A name has one source. What fails adds nothing. PRUNE_E_UNSUPPORTED for a
 * graph that was read from a file, whose parts stay as they are.
 *
 * A parameter shares the memory of its tensor, which nothing writes to: memory that the tensor borrows must outlive the
 * graph. A tensor whose strides are 0 stands for weights of which only the shape is known; it takes no memory until the
 * graph is copied, written, pruned or run. */
PRUNE_API int32_t prune_graph_create(prune_graph **out, prune_context *context, int64_t opset);
PRUNE_API int32_t prune_graph_add_parameter(prune_graph *graph, const char *name, const prune_tensor *tensor);

/* Extents of -1 are free; rank -1 (`shape` NULL) and dtype 0 leave it open what comes. PRUNE_E_FORMAT for a name that
 * has a source, or an output that has none. */
PRUNE_API int32_t prune_graph_add_input(prune_graph *graph, const char *name, int32_t dtype, int32_t rank,
                                        const int64_t *shape);
PRUNE_API int32_t prune_graph_add_output(prune_graph *graph, const char *name, int32_t dtype, int32_t rank,
                                         const int64_t *shape);

/* A node of the default domain ("Conv"), with a name that no other node has. An input "" or NULL is one left out, an
 * output likewise. Operators that cannot be run here are taken too. PRUNE_E_FORMAT for an input that nothing makes and
 * for an output that something makes already. */
PRUNE_API int32_t prune_graph_add_node(prune_graph *graph, const char *name, const char *op, int32_t input_count,
                                       const char *const *inputs, int32_t output_count, const char *const *outputs);

/* Attributes of a node, in the four kinds that operators have: set anew when it is there. What a value means is not
 * looked at before a session is made. PRUNE_E_ARGUMENT for a node that is not there. */
PRUNE_API int32_t prune_graph_set_int(prune_graph *graph, const char *node, const char *attribute, int64_t value);
PRUNE_API int32_t prune_graph_set_ints(prune_graph *graph, const char *node, const char *attribute, int32_t count,
                                       const int64_t *values);
PRUNE_API int32_t prune_graph_set_float(prune_graph *graph, const char *node, const char *attribute, float value);
PRUNE_API int32_t prune_graph_set_text(prune_graph *graph, const char *node, const char *attribute, const char *text);

#ifdef __cplusplus
}
#endif
#endif
