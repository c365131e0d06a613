/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Messages that are made for writing. They lie in the writer's arena and may point into the graph and its origin.
 */
#ifndef PM_IO_ONNX_WRITE_H
#define PM_IO_ONNX_WRITE_H

#include "model/io/onnx/onnx.h"

struct pm_external;
struct pm_writer {
    struct pm_arena arena;
    int is_sparse;
    const uint8_t *left_out; /* by pm_parameter.number, whose numbers stay out; NULL for none */
    int64_t least_ir;        /* the IR version that what is written needs */
    const char *location;    /* the file for large initializers, beside the model; NULL: they stay */
    struct pm_external *first, *last;
    int64_t external_bytes;
};

/* raw_data, dims and type of a tensor. */
int32_t pm_onnx_put_numbers(struct pm_arena *arena, const prune_tensor *tensor, pm_tensor_message *to);
int32_t pm_onnx_put_tensor(struct pm_arena *arena, const char *name, const prune_tensor *tensor,
                           pm_tensor_message **out);
/* A parameter dense, or left out. */
int32_t pm_onnx_put_parameter(struct pm_writer *writer, const char *name, const struct pm_parameter *parameter,
                              pm_tensor_message **out);
/* What the mask keeps, as values and ascending places in row-major order. */
int32_t pm_onnx_put_sparse(struct pm_writer *writer, const char *name, const struct pm_parameter *parameter,
                           pm_sparse_message **out);

/* Its dims and type, its numbers being in the place "packed:NUMBER". */
int32_t pm_onnx_put_place(struct pm_arena *arena, const struct pm_parameter *parameter, pm_tensor_message *to);
int pm_onnx_is_left_out(const struct pm_writer *writer, const struct pm_parameter *parameter);

/* Where a tensor's numbers are, in place of raw_data. */
int32_t pm_onnx_put_entries(struct pm_arena *arena, const char *const *keys, const char *const *values, size_t count,
                            pm_tensor_message *to);

/* Whether a parameter's numbers go to the file beside the model, moving them out of a message that has them as
 * raw_data, and writing that file. */
int pm_onnx_goes_out(const struct pm_writer *writer, const struct pm_parameter *parameter);
int32_t pm_onnx_move_out(struct pm_writer *writer, const struct pm_parameter *parameter, pm_tensor_message *tensor);
int32_t pm_onnx_write_external(const struct pm_writer *writer, struct pm_output *output);

/* A list of `count` types of values, anew where extents have got numbers; the old list stays as it is. */
int32_t pm_onnx_freeze(struct pm_arena *arena, const struct pm_body *body, pm_info_message ***list, size_t count);

/* Whether it becomes a sparse initializer: asked for, pruned, and not to nothing. */
int pm_onnx_wants_sparse(const struct pm_writer *writer, const struct pm_parameter *parameter);

/* A model from bodies alone. */
int32_t pm_onnx_make_model(struct pm_writer *writer, const prune_graph *graph, pm_model_message **out);

#endif
