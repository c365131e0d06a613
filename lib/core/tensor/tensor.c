/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/tensor/tensor.h"

#include <string.h>

static void row_major(int32_t rank, const int64_t *shape, int64_t *strides)
{
    int64_t stride = 1;
    for (int32_t i = rank - 1; i >= 0; i--) {
        strides[i] = stride;
        stride *= shape[i] ? shape[i] : 1;
    }
}

static int32_t is_row_major(const prune_tensor *tensor)
{
    int64_t stride = 1;
    if (tensor->count == 0)
        return 1;
    for (int32_t i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->shape[i] != 1 && tensor->strides[i] != stride)
            return 0;
        stride *= tensor->shape[i];
    }
    return 1;
}

static int32_t check_dtype(const char *function, int32_t dtype)
{
    if (prune_dtype_size(dtype))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_DTYPE, "%s: %d is no dtype; those of prune/tensor.h are 1 (f32) to 12 (u32)", function,
                   (int)dtype);
}

/* How far the elements reach from the first one, in bytes, and that this fits, from `data` as well. An empty tensor has
 * no elements to reach. */
static int32_t check_reach(const prune_tensor *tensor)
{
    int64_t ahead = 0, behind = 0, size = prune_dtype_size(tensor->dtype), span;
    for (int32_t i = 0; tensor->count && i < tensor->rank; i++) {
        if (tensor->shape[i] == 1)
            continue;
        int64_t *reach = tensor->strides[i] < 0 ? &behind : &ahead;
        if (__builtin_mul_overflow(tensor->shape[i] - 1, tensor->strides[i], &span) || span == INT64_MIN ||
            __builtin_add_overflow(*reach, span < 0 ? -span : span, reach))
            return pr_fail(PRUNE_E_OVERFLOW,
                           "stride %lld of axis %d with %lld elements reaches further than 63 bits hold",
                           (long long)tensor->strides[i], (int)i, (long long)tensor->shape[i]);
    }
    uintptr_t place = (uintptr_t)tensor->data;
    if (__builtin_add_overflow(ahead, (int64_t)(tensor->count > 0), &ahead) ||
        __builtin_mul_overflow(ahead, size, &ahead) || __builtin_mul_overflow(behind, size, &behind) ||
        (uintptr_t)ahead > UINTPTR_MAX - place || (uintptr_t)behind > place)
        return pr_fail(PRUNE_E_OVERFLOW, "the strides reach beyond the address space; give those of the real memory");
    return PRUNE_OK;
}

int32_t pr_tensor_new(prune_tensor **out, prune_context *context, int32_t dtype, int32_t rank, const int64_t *shape)
{
    int64_t count = 0;
    prune_tensor *tensor;
    PR_TRY(pr_count(rank, shape, &count));
    PR_TRY(pr_alloc_zero(context, 1, sizeof *tensor, &tensor));
    int32_t status = pr_alloc(context, count, prune_dtype_size(dtype), &tensor->memory);
    if (status) {
        pr_release(context, tensor);
        return status;
    }
    tensor->context = prune_context_retain(context);
    tensor->references = 1;
    tensor->data = tensor->memory;
    tensor->dtype = dtype;
    tensor->rank = rank;
    tensor->count = count;
    for (int32_t i = 0; i < rank; i++)
        tensor->shape[i] = shape[i];
    row_major(rank, shape, tensor->strides);
    tensor->contiguous = 1;
    *out = tensor;
    return PRUNE_OK;
}

int32_t prune_tensor_create(prune_tensor **out, prune_context *context, int32_t dtype, int32_t rank,
                            const int64_t *shape)
{
    int64_t count;
    prune_tensor *tensor;
    PR_REQUIRE(out);
    PR_TRY(check_dtype(__func__, dtype));
    PR_TRY(pr_check_shape(__func__, rank, shape, &count));
    PR_TRY(pr_tensor_new(&tensor, context, dtype, rank, shape));
    memset(tensor->data, 0, (size_t)(count * prune_dtype_size(dtype)));
    *out = tensor;
    return PRUNE_OK;
}

/* Puts a copy of `model`, whose context, owner, data, dtype, rank, count, shape and strides are set, on the heap. */
static int32_t make_view(prune_tensor **out, const prune_tensor *model)
{
    prune_tensor *tensor;
    PR_TRY(pr_alloc(model->context, 1, sizeof *tensor, &tensor));
    *tensor = *model;
    tensor->references = 1;
    tensor->memory = NULL;
    tensor->contiguous = is_row_major(tensor);
    prune_context_retain(tensor->context);
    if (tensor->owner)
        __atomic_add_fetch(&tensor->owner->references, 1, __ATOMIC_RELAXED);
    *out = tensor;
    return PRUNE_OK;
}

int32_t prune_tensor_borrow(prune_tensor **out, prune_context *context, void *data, int32_t dtype, int32_t rank,
                            const int64_t *shape, const int64_t *strides)
{
    prune_tensor model = {.context = context, .data = data, .dtype = dtype, .rank = rank};
    PR_REQUIRE(out);
    PR_TRY(check_dtype(__func__, dtype));
    PR_TRY(pr_check_shape(__func__, rank, shape, &model.count));
    if (!data && model.count)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: data is NULL; it must be given for %lld elements", __func__,
                       (long long)model.count);
    if ((uintptr_t)data % (uintptr_t)prune_dtype_size(dtype))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: data %p is not aligned to the %lld bytes of an element of type %s",
                       __func__, data, (long long)prune_dtype_size(dtype), prune_dtype_name(dtype));
    for (int32_t i = 0; i < rank; i++)
        model.shape[i] = shape[i];
    if (strides)
        for (int32_t i = 0; i < rank; i++)
            model.strides[i] = strides[i];
    else
        row_major(rank, shape, model.strides);
    PR_TRY(check_reach(&model));
    return make_view(out, &model);
}

/* What a view of `tensor` starts from: all but the count of references, which other threads may be changing, and which
 * is no part of what a constant tensor is. */
static prune_tensor view_of(const prune_tensor *tensor)
{
    prune_tensor model = {
        .context = tensor->context,
        .owner = tensor->memory ? (prune_tensor *)(uintptr_t)tensor : tensor->owner,
        .data = tensor->data,
        .dtype = tensor->dtype,
        .rank = tensor->rank,
        .count = tensor->count,
    };
    memcpy(model.shape, tensor->shape, sizeof model.shape);
    memcpy(model.strides, tensor->strides, sizeof model.strides);
    return model;
}

int32_t prune_tensor_slice(prune_tensor **out, const prune_tensor *tensor, int32_t axis, int64_t start, int64_t count,
                           int64_t step)
{
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    if (axis < 0 || axis >= tensor->rank)
        return pr_fail(PRUNE_E_SHAPE, "%s: axis is %d; the tensor has axes 0 to %d", __func__, (int)axis,
                       (int)tensor->rank - 1);
    if (step == 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: step is 0; it must be positive or negative", __func__);
    int64_t extent = tensor->shape[axis], last;
    int fits = count >= 0 && start >= 0 && (start < extent || (start == extent && count == 0));
    if (fits && count > 0)
        fits = !__builtin_mul_overflow(count - 1, step, &last) && !__builtin_add_overflow(start, last, &last) &&
               last >= 0 && last < extent;
    if (!fits)
        return pr_fail(PRUNE_E_SHAPE, "%s: %lld elements from %lld by step %lld leave axis %d, which has %lld",
                       __func__, (long long)count, (long long)start, (long long)step, (int)axis, (long long)extent);

    prune_tensor model = view_of(tensor);
    model.shape[axis] = count;
    PR_TRY(pr_count(model.rank, model.shape, &model.count));
    if (model.count)
        model.data += start * tensor->strides[axis] * prune_dtype_size(tensor->dtype);
    if (count > 1 && __builtin_mul_overflow(tensor->strides[axis], step, &model.strides[axis]))
        return pr_fail(PRUNE_E_OVERFLOW, "%s: stride %lld times step %lld does not fit in 63 bits", __func__,
                       (long long)tensor->strides[axis], (long long)step);
    return make_view(out, &model);
}

int32_t prune_tensor_permute(prune_tensor **out, const prune_tensor *tensor, const int32_t *order)
{
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    if (tensor->rank > 0)
        PR_REQUIRE(order);
    prune_tensor model = view_of(tensor);
    uint32_t seen = 0;
    for (int32_t i = 0; i < tensor->rank; i++) {
        if (order[i] < 0 || order[i] >= tensor->rank || seen >> order[i] & 1)
            return pr_fail(PRUNE_E_SHAPE, "%s: order[%d] is %d; each of 0 to %d must appear once", __func__, (int)i,
                           (int)order[i], (int)tensor->rank - 1);
        seen |= 1U << order[i];
        model.shape[i] = tensor->shape[order[i]];
        model.strides[i] = tensor->strides[order[i]];
    }
    return make_view(out, &model);
}

int32_t prune_tensor_reshape(prune_tensor **out, const prune_tensor *tensor, int32_t rank, const int64_t *shape)
{
    int64_t count = 0;
    char from[PR_MAX_SHAPE_TEXT], to[PR_MAX_SHAPE_TEXT];
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    PR_TRY(pr_check_shape(__func__, rank, shape, &count));
    if (count != tensor->count)
        return pr_fail(PRUNE_E_SHAPE, "%s: %s has %lld elements, %s has %lld; they must be as many", __func__,
                       pr_shape_text(from, tensor->rank, tensor->shape), (long long)tensor->count,
                       pr_shape_text(to, rank, shape), (long long)count);
    if (!tensor->contiguous)
        return pr_fail(PRUNE_E_SHAPE,
                       "%s: the tensor is a view with gaps or another order; convert it to a tensor of its own first",
                       __func__);
    prune_tensor model = view_of(tensor);
    model.rank = rank;
    for (int32_t i = 0; i < rank; i++)
        model.shape[i] = shape[i];
    row_major(rank, shape, model.strides);
    return make_view(out, &model);
}

int32_t prune_tensor_dtype(const prune_tensor *tensor)
{
    return tensor ? tensor->dtype : 0;
}

int32_t prune_tensor_rank(const prune_tensor *tensor)
{
    return tensor ? tensor->rank : 0;
}

int64_t prune_tensor_count(const prune_tensor *tensor)
{
    return tensor ? tensor->count : 0;
}

const int64_t *prune_tensor_shape(const prune_tensor *tensor)
{
    return tensor ? tensor->shape : NULL;
}

const int64_t *prune_tensor_strides(const prune_tensor *tensor)
{
    return tensor ? tensor->strides : NULL;
}

void *prune_tensor_data(prune_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

const void *prune_tensor_const_data(const prune_tensor *tensor)
{
    return tensor ? tensor->data : NULL;
}

int32_t prune_tensor_is_contiguous(const prune_tensor *tensor)
{
    return tensor ? tensor->contiguous : 0;
}

prune_context *prune_tensor_context(const prune_tensor *tensor)
{
    return tensor ? tensor->context : NULL;
}

void prune_tensor_free(prune_tensor *tensor)
{
    while (tensor && __atomic_sub_fetch(&tensor->references, 1, __ATOMIC_ACQ_REL) == 0) {
        prune_tensor *owner = tensor->owner;
        prune_context *context = tensor->context;
        pr_release(context, tensor->memory);
        pr_release(context, tensor);
        prune_context_free(context);
        tensor = owner;
    }
}
