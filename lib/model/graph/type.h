/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The type of a value: what its elements are, and how many along each axis.
 */
#ifndef PM_GRAPH_TYPE_H
#define PM_GRAPH_TYPE_H

#include "prune/prune.h"

struct pm_type {
    int32_t dtype;                   /* of prune/tensor.h; 0 unknown */
    int32_t rank;                    /* -1 unknown */
    int64_t extents[PRUNE_MAX_RANK]; /* -1 unknown */
    int64_t count;                   /* elements; -1 where an extent is unknown */
};

/* A type of known extents; PRUNE_E_SHAPE for a negative extent or a rank beyond PRUNE_MAX_RANK, PRUNE_E_OVERFLOW when
 * the elements or their bytes do not fit in 63 bits. */
int32_t pm_type_set(struct pm_type *type, int32_t dtype, int32_t rank, const int64_t *extents);

/* Bytes of a known type. */
int64_t pm_type_bytes(const struct pm_type *type);

/* "f32[1,16,32,32]", "?" for what is unknown: for sentences. */
#define PM_TYPE_TEXT 256
const char *pm_type_text(const struct pm_type *type, char text[PM_TYPE_TEXT]);

/* Elements of the axes `begin` to `end` - 1. */
int64_t pm_type_span(const struct pm_type *type, int32_t begin, int32_t end);

#endif
