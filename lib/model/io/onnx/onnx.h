/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ONNX files. The bytes are checked first (guard.c), so that protobuf-c, which recurses and trusts lengths, meets only
 * what is well-formed and shallow; its messages lie in an arena whose size is bounded by the file's. A graph is built
 * from them (read.c, node.c, tensor.c) and keeps them as its origin, from which it is written again (write.c).
 */
#ifndef PM_IO_ONNX_H
#define PM_IO_ONNX_H

#include "model/graph/graph.h"
#include "model/io/io.h"
#include "onnx.pb-c.h"

typedef struct Pm__Onnx__Model pm_model_message;
typedef struct Pm__Onnx__Graph pm_graph_message;
typedef struct Pm__Onnx__Node pm_node_message;
typedef struct Pm__Onnx__Attribute pm_attribute_message;
typedef struct Pm__Onnx__Tensor pm_tensor_message;
typedef struct Pm__Onnx__SparseTensor pm_sparse_message;
typedef struct Pm__Onnx__ValueInfo pm_info_message;

#define PM_MOST_DEPTH 100 /* of messages inside messages, as in other readers of protobuf */

/* Attribute types and the place of a tensor's numbers, by the numbers of the specification. */
enum { PM_ONNX_FLOAT = 1, PM_ONNX_INT, PM_ONNX_STRING, PM_ONNX_TENSOR, PM_ONNX_GRAPH, PM_ONNX_FLOATS, PM_ONNX_INTS };
enum { PM_ONNX_STRINGS = 8, PM_ONNX_EXTERNAL = 1 };

/* Memory that goes all at once; what is large can go before. Aligned to 16 bytes, large ones to 64. */
#define PM_ARENA_LARGE 1024
struct pm_chunk;
struct pm_arena {
    prune_context *context;
    struct pm_chunk *chunks;
    char *next;
    int64_t left;
    int64_t used, most; /* bytes; `most` 0 for any number */
    int32_t status;     /* of the allocation that failed, for protobuf-c does not pass it on */
};
void pm_arena_start(struct pm_arena *arena, prune_context *context, int64_t most);
int32_t pm_arena_alloc(struct pm_arena *arena, int64_t bytes, void *out);
int32_t pm_arena_copy(struct pm_arena *arena, const void *data, int64_t bytes, void *out);
ProtobufCAllocator pm_arena_allocator(struct pm_arena *arena);
void pm_arena_release(struct pm_arena *arena);

/* What a graph keeps of its file; shared by its copies. Parameters of the graph may lie in its raw_data. */
struct pm_onnx {
    prune_context *context;
    int references; /* changed atomically */
    struct pm_arena arena;
    pm_model_message *model;
};
int32_t pm_onnx_load(struct pm_onnx **out, prune_context *context, const struct pm_input *file);
void *pm_onnx_retain(void *onnx);
void pm_onnx_release(void *onnx);

/* PRUNE_E_FORMAT, with the place, for bytes that are no message of this type. */
int32_t pm_onnx_check(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, int64_t length);

/* What an ONNX number of an element type is here: the dtype, 0 for none; bits of an element, 0 when they vary (string);
 * and the field that holds the numbers where raw_data does not. */
enum pm_field { PM_RAW, PM_FLOAT_DATA, PM_INT32_DATA, PM_STRING_DATA, PM_INT64_DATA, PM_DOUBLE_DATA, PM_UINT64_DATA };
struct pm_element {
    const char *name;
    int32_t dtype, bits;
    enum pm_field field;
    int per_element; /* numbers of that field that make one element: 2 for complex */
};
const struct pm_element *pm_onnx_element(int32_t data_type); /* NULL for a number that is none */
int32_t pm_onnx_data_type(int32_t dtype);

/* The tensor that a message holds, borrowing its raw_data where that is possible. Everything about it is checked.
 * *tensor NULL when it is in order but of a type or rank that no tensor here has. */
int32_t pm_onnx_tensor(prune_tensor **tensor, prune_context *context, const pm_tensor_message *message);
int32_t pm_onnx_sparse(prune_tensor **tensor, prune_context *context, const pm_sparse_message *message);

/* Bytes of the raw_data that a tensor of these dims has. */
int32_t pm_onnx_bytes(const pm_tensor_message *message, const struct pm_element *element, int64_t *count,
                      int64_t *bytes);

/* Reads tensors that lie in other files into their raw_data, if those are inside the folder of `path`; without
 * `allowed` PRUNE_E_UNSUPPORTED for the first such tensor. */
int32_t pm_onnx_gather(struct pm_onnx *onnx, const char *path, int allowed);

/* Everything of a graph message goes into the body. */
int32_t pm_onnx_body(const pm_graph_message *message, struct pm_body *body);

/* Nodes, whose outputs are values of the body already. Constant nodes become parameters. */
int32_t pm_onnx_nodes(const pm_graph_message *message, struct pm_body *body);
int pm_onnx_is_constant(const pm_node_message *node, const pm_tensor_message **tensor);

/* A graph from messages whose numbers are all in memory; takes `onnx` in any case. */
int32_t pm_onnx_graph(prune_graph **out, prune_context *context, struct pm_onnx *onnx);

/* The bytes of a model, the numbers of some parameters left out: those with left_out[pm_parameter.number]. Their place
 * is said to be "packed:NUMBER". The caller releases the bytes. */
#define PM_PACKED_PLACE "packed:"
int32_t pm_onnx_bytes_without(const prune_graph *graph, const uint8_t *left_out, uint8_t **bytes, int64_t *length);

/* Packed models (packed.c): whether a file is one, and reading it. */
int pm_packed_is(const struct pm_input *file);
int32_t pm_packed_read(prune_graph **out, prune_context *context, const char *path);

#endif
