/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/tensor/tensor.h"

#define CHUNK 512

static int32_t refuse(const prune_tensor *source, int64_t position, int32_t dtype)
{
    char place[PR_MAX_SHAPE_TEXT];
    double value;
    pr_read_double(source->dtype, pr_element_at(source, position), 1, 1, &value);
    return pr_fail(PRUNE_E_VALUE, "element %s is %.17g, which %s cannot hold exactly%s",
                   pr_index_text(place, source->rank, source->shape, position), value, prune_dtype_name(dtype),
                   dtype == PRUNE_BOOL ? "; it must be 0 or 1" : "");
}

/* That every value of `source` can be stored as `dtype`. */
static int32_t check_values(const prune_tensor *source, int32_t dtype)
{
    struct pr_walk walk;
    if (pr_dtype_is_float(dtype) || (source->dtype == dtype && dtype != PRUNE_BOOL))
        return PRUNE_OK;
    pr_walk_start(&walk, source);
    while (walk.count) {
        int64_t stored[CHUNK], count = walk.count < CHUNK ? walk.count : CHUNK, done;
        if (pr_dtype_is_float(source->dtype)) {
            double values[CHUNK];
            pr_read_double(source->dtype, walk.data, walk.stride, count, values);
            done = pr_store_double(dtype, stored, 1, count, values);
        } else {
            int64_t values[CHUNK];
            pr_read_i64(source->dtype, walk.data, walk.stride, count, values);
            done = pr_store_i64(dtype, stored, 1, count, values);
        }
        if (done < count)
            return refuse(source, walk.position + done, dtype);
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

static void copy_bits(char *to, int64_t to_stride, const char *from, int64_t from_stride, int64_t count, int64_t size)
{
    if (to_stride == 1 && from_stride == 1) {
        memcpy(to, from, (size_t)(count * size));
        return;
    }
    for (int64_t i = 0; i < count; i++)
        memcpy(to + i * to_stride * size, from + i * from_stride * size, (size_t)size);
}

/* Both in row-major order, by pieces that are one run of each. */
static void copy_values(prune_tensor *target, const prune_tensor *source)
{
    struct pr_walk to, from;
    pr_walk_start(&to, target);
    pr_walk_start(&from, source);
    while (to.count) {
        int64_t count = to.count < from.count ? to.count : from.count;
        if (target->dtype == source->dtype) {
            copy_bits(to.data, to.stride, from.data, from.stride, count, to.size);
        } else if (pr_dtype_is_float(source->dtype)) {
            double values[CHUNK];
            count = count < CHUNK ? count : CHUNK;
            pr_read_double(source->dtype, from.data, from.stride, count, values);
            pr_store_double(target->dtype, to.data, to.stride, count, values);
        } else {
            int64_t values[CHUNK];
            count = count < CHUNK ? count : CHUNK;
            pr_read_i64(source->dtype, from.data, from.stride, count, values);
            pr_store_i64(target->dtype, to.data, to.stride, count, values);
        }
        pr_walk_skip(&to, count);
        pr_walk_skip(&from, count);
    }
}

int32_t prune_tensor_convert(prune_tensor **out, const prune_tensor *tensor, int32_t dtype)
{
    prune_tensor *target;
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    if (!prune_dtype_size(dtype))
        return pr_fail(PRUNE_E_DTYPE, "%s: %d is no dtype; those of prune/tensor.h are 1 (f32) to 12 (u32)", __func__,
                       (int)dtype);
    PR_TRY(check_values(tensor, dtype));
    PR_TRY(pr_tensor_new(&target, tensor->context, dtype, tensor->rank, tensor->shape));
    copy_values(target, tensor);
    *out = target;
    return PRUNE_OK;
}

int32_t prune_tensor_copy(prune_tensor *target, const prune_tensor *source)
{
    char ours[PR_MAX_SHAPE_TEXT], theirs[PR_MAX_SHAPE_TEXT];
    PR_REQUIRE(target);
    PR_REQUIRE(source);
    if (!pr_same_shape(target->rank, target->shape, source->rank, source->shape))
        return pr_fail(PRUNE_E_SHAPE, "%s: the target has shape %s, the source %s; they must be equal", __func__,
                       pr_shape_text(ours, target->rank, target->shape),
                       pr_shape_text(theirs, source->rank, source->shape));
    PR_TRY(check_values(source, target->dtype));
    copy_values(target, source);
    return PRUNE_OK;
}
