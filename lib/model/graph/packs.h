/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights that were packed once for all: blobs of prune_packed_blob, each for a matrix among the numbers of a parameter
 * and the way it was packed. A session that wants just that takes the blob; anything else it packs itself.
 */
#ifndef PM_GRAPH_PACKS_H
#define PM_GRAPH_PACKS_H

#include "model/graph/graph.h"

/* Element (r, c) stands at first + r * row_stride + c * column_stride of the parameter. */
struct pm_blob {
    int32_t parameter; /* pm_parameter.number */
    int64_t rows, columns, first, row_stride, column_stride;
    char weights[256]; /* the spec of prune_packed_create */
    int64_t bytes;
    void *data;
};

struct pm_packs {
    prune_context *context;
    int references; /* changed atomically */
    int is_recording;
    struct pm_blob *blobs;
    int32_t count, room;
};

int32_t pm_packs_create(struct pm_packs **out, prune_context *context);
struct pm_packs *pm_packs_retain(struct pm_packs *packs);
void pm_packs_release(struct pm_packs *packs);

/* The blob of the same matrix, packed in the same way; NULL. */
const struct pm_blob *pm_packs_find(const struct pm_packs *packs, const struct pm_blob *like);

/* Adds a copy of `blob` and its data. */
int32_t pm_packs_add(struct pm_packs *packs, const struct pm_blob *blob);

/* Numbers that a byte of a blob can stand for at most, zeros included: a small file asks for little memory. */
#define PM_MOST_PER_BYTE 4096

/* The blob's weights go to their places among `count` F32 numbers, and, where `kept` is given, 1 for what is stored.
 * PRUNE_E_FORMAT where it is not what it says. */
int32_t pm_blob_unpack(const struct pm_blob *blob, float *numbers, uint8_t *kept, int64_t count);

#endif
