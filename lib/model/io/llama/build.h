/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Building a graph node by node. The first failure is kept and what follows does nothing, so that a model reads as the
 * list of its nodes.
 *
 * Names are lists, "x,/q": one that begins with "/" is the layer's own and gets the prefix before it, all others are
 * the model's. A node is named as its first output.
 */
#ifndef PM_LLAMA_BUILD_H
#define PM_LLAMA_BUILD_H

#include "model/graph/graph.h"

#define PM_BUILD_NAME 256

struct pm_builder {
    prune_context *context;
    struct pm_body *body;
    char prefix[64]; /* "/layers.0" */
    int32_t status;
};

/* At most one attribute each: none; a number; a list. */
void pm_build(struct pm_builder *builder, const char *op, const char *inputs, const char *outputs);
void pm_build_int(struct pm_builder *builder, const char *op, const char *inputs, const char *outputs,
                  const char *attribute, int64_t value);
void pm_build_ints(struct pm_builder *builder, const char *op, const char *inputs, const char *outputs,
                   const char *attribute, int64_t count, const int64_t *values);

/* Parameters: I64 [count]; an F32 number without axes; a tensor that becomes the graph's, also on failure. */
void pm_build_whole(struct pm_builder *builder, const char *name, int64_t count, const int64_t *values);
void pm_build_real(struct pm_builder *builder, const char *name, float value);
void pm_build_parameter(struct pm_builder *builder, const char *name, prune_tensor *tensor);

/* Inputs and outputs; extents of -1 are called by the words of `symbols` at their places, "batch,,past,". */
void pm_build_input(struct pm_builder *builder, const char *name, int32_t dtype, int32_t rank, const int64_t *extents,
                    const char *symbols);
void pm_build_output(struct pm_builder *builder, const char *name, int32_t dtype, int32_t rank, const int64_t *extents,
                     const char *symbols);

#endif
