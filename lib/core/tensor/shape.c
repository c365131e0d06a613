/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdio.h>

#include "core/tensor/tensor.h"

int32_t pr_check_shape(const char *function, int32_t rank, const int64_t *shape, int64_t *count)
{
    if (rank < 0 || rank > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_SHAPE, "%s: rank is %d; it must be 0 to %d", function, (int)rank, PRUNE_MAX_RANK);
    if (rank > 0 && !shape)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: shape is NULL; it must be given when rank is %d", function, (int)rank);
    return pr_count(rank, shape, count);
}

int pr_same_shape(int32_t rank_a, const int64_t *shape_a, int32_t rank_b, const int64_t *shape_b)
{
    if (rank_a != rank_b)
        return 0;
    for (int32_t i = 0; i < rank_a; i++)
        if (shape_a[i] != shape_b[i])
            return 0;
    return 1;
}

static const char *list_text(char out[PR_MAX_SHAPE_TEXT], int32_t rank, const int64_t *numbers, const char *brackets)
{
    size_t length = 0;
    out[length++] = brackets[0];
    for (int32_t i = 0; i < rank; i++)
        length +=
            (size_t)snprintf(out + length, PR_MAX_SHAPE_TEXT - length, "%s%lld", i ? ", " : "", (long long)numbers[i]);
    out[length++] = brackets[1];
    out[length] = '\0';
    return out;
}

const char *pr_shape_text(char out[PR_MAX_SHAPE_TEXT], int32_t rank, const int64_t *shape)
{
    return list_text(out, rank, shape, "[]");
}

const char *pr_index_text(char out[PR_MAX_SHAPE_TEXT], int32_t rank, const int64_t *shape, int64_t position)
{
    int64_t index[PRUNE_MAX_RANK];
    for (int32_t i = rank - 1; i >= 0; i--) {
        index[i] = position % shape[i];
        position /= shape[i];
    }
    return list_text(out, rank, index, "()");
}

void *pr_element_at(const prune_tensor *tensor, int64_t position)
{
    int64_t offset = 0;
    for (int32_t i = tensor->rank - 1; i >= 0; i--) {
        offset += position % tensor->shape[i] * tensor->strides[i];
        position /= tensor->shape[i];
    }
    return tensor->data + offset * prune_dtype_size(tensor->dtype);
}

int32_t pr_refuse_nan(const prune_tensor *tensor, const char *what)
{
    struct pr_walk walk;
    if (!pr_dtype_is_float(tensor->dtype))
        return PRUNE_OK;
    pr_walk_start(&walk, tensor);
    while (walk.count) {
        double part[256];
        int64_t count = walk.count < 256 ? walk.count : 256;
        pr_read_double(tensor->dtype, walk.data, walk.stride, count, part);
        for (int64_t i = 0; i < count; i++) {
            if (isnan(part[i])) {
                char place[PR_MAX_SHAPE_TEXT];
                return pr_fail(PRUNE_E_VALUE, "%s %s: element %lld is NaN; all must be numbers", what,
                               pr_index_text(place, tensor->rank, tensor->shape, walk.position + i),
                               (long long)(walk.position + i));
            }
        }
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}
