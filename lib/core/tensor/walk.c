/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tensor/tensor.h"

void pr_walk_start(struct pr_walk *walk, const prune_tensor *tensor)
{
    *walk = (struct pr_walk){.data = tensor->data, .size = prune_dtype_size(tensor->dtype), .stride = 1};
    if (tensor->count == 0)
        return;
    /* Merged from the innermost axis outwards into walk->shape, innermost first. */
    int32_t merged = 0;
    for (int32_t axis = tensor->rank - 1; axis >= 0; axis--) {
        int64_t extent = tensor->shape[axis], stride = tensor->strides[axis];
        if (extent == 1)
            continue;
        int64_t reach; /* of the axis within; where it does not fit, no stride can equal it */
        if (merged && !__builtin_mul_overflow(walk->shape[merged - 1], walk->strides[merged - 1], &reach) &&
            stride == reach) {
            walk->shape[merged - 1] *= extent;
        } else {
            walk->shape[merged] = extent;
            walk->strides[merged++] = stride;
        }
    }
    walk->count = merged ? walk->shape[0] : 1;
    walk->stride = merged ? walk->strides[0] : 1;
    walk->rank = merged;
}

void pr_walk_next(struct pr_walk *walk)
{
    walk->position += walk->count;
    if (walk->rank == 0) {
        walk->count = 0;
        return;
    }
    /* Back to the start of the innermost axis, of which a part may have been skipped. */
    walk->data -= (walk->shape[0] - walk->count) * walk->stride * walk->size;
    walk->count = walk->shape[0];
    for (int32_t axis = 1; axis < walk->rank; axis++) {
        if (++walk->index[axis] < walk->shape[axis]) {
            walk->data += walk->strides[axis] * walk->size;
            return;
        }
        walk->index[axis] = 0;
        walk->data -= (walk->shape[axis] - 1) * walk->strides[axis] * walk->size;
    }
    walk->count = 0;
}

void pr_walk_skip(struct pr_walk *walk, int64_t count)
{
    if (count == walk->count) {
        pr_walk_next(walk);
        return;
    }
    walk->data += count * walk->stride * walk->size;
    walk->position += count;
    walk->count -= count;
}
