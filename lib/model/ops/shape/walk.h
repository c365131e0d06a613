/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Moving elements: what Slice, Transpose, Expand, Concat, Split and Pad have in common.
 */
#ifndef PM_OPS_SHAPE_WALK_H
#define PM_OPS_SHAPE_WALK_H

#include "model/graph/operator.h"

/* A box of elements: where its first lies, and how many elements on the next along each axis is. */
struct pm_box {
    char *first;
    int64_t strides[PRUNE_MAX_RANK];
};

/* The box at offset 0 of a row-major tensor. */
struct pm_box pm_box_of(const struct pm_type *type, void *data);

/* Copies extents[0] x ... elements of `size` bytes from one box to another; the boxes do not overlap. */
void pm_box_copy(const struct pm_box *to, const struct pm_box *from, int32_t rank, const int64_t *extents,
                 int64_t size);

/* For PM_VIEW operators where memory is not shared. */
int32_t pm_view_run(const struct pm_call *call);

/* Output 0 with another shape of as many elements; PRUNE_E_SHAPE otherwise. */
int32_t pm_view_set(struct pm_call *call, int32_t rank, const int64_t *extents);

#endif
