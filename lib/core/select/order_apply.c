/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "core/select/order.h"
#include "core/tensor/tensor.h"

int32_t pr_order_check_permutation(prune_context *context, const char *function, const int64_t *channels, int64_t count)
{
    uint8_t *seen;
    PR_TRY(pr_alloc_zero(context, count, 1, &seen));
    int32_t status = PRUNE_OK;
    for (int64_t i = 0; i < count && !status; i++) {
        if (channels[i] < 0 || channels[i] >= count)
            status = pr_fail(PRUNE_E_VALUE, "%s: place %lld takes channel %lld; there are channels 0 to %lld", function,
                             (long long)i, (long long)channels[i], (long long)count - 1);
        else if (seen[channels[i]]++)
            status = pr_fail(PRUNE_E_VALUE, "%s: place %lld takes channel %lld, which an earlier place has", function,
                             (long long)i, (long long)channels[i]);
    }
    pr_release(context, seen);
    return status;
}

int32_t prune_order_inverse(int64_t *inverse, const int64_t *channels, int64_t count)
{
    if (count < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %lld channels; it must be 0 or more", __func__, (long long)count);
    if (count == 0)
        return PRUNE_OK;
    PR_REQUIRE(inverse);
    PR_REQUIRE(channels);
    PR_TRY(pr_order_check_permutation(NULL, __func__, channels, count));
    for (int64_t i = 0; i < count; i++)
        inverse[channels[i]] = i;
    return PRUNE_OK;
}

/* Bytes of `to`, which is row-major, from `tensor`: outer index, place along the axis, inner index. */
static void gather(prune_tensor *to, const prune_tensor *tensor, int32_t axis, const int64_t *channels)
{
    int64_t size = prune_dtype_size(tensor->dtype), index[PRUNE_MAX_RANK] = {0}, last = tensor->rank - 1;
    char *target = to->data;
    for (int64_t done = 0; done < to->count; done += to->shape[last]) {
        int64_t offset = 0;
        for (int32_t i = 0; i < last; i++)
            offset += (i == axis ? channels[index[i]] : index[i]) * tensor->strides[i];
        for (int64_t i = 0; i < to->shape[last]; i++, target += size)
            memcpy(target, tensor->data + (offset + (last == axis ? channels[i] : i) * tensor->strides[last]) * size,
                   (size_t)size);
        for (int64_t i = last - 1; i >= 0 && ++index[i] == to->shape[i]; i--)
            index[i] = 0;
    }
}

int32_t prune_order_apply(prune_tensor **out, const prune_tensor *tensor, int32_t axis, const int64_t *channels,
                          int64_t count)
{
    prune_tensor *ordered;
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    if (axis < 0 || axis >= tensor->rank)
        return pr_fail(PRUNE_E_SHAPE, "%s: axis %d is outside a tensor of rank %d", __func__, (int)axis,
                       (int)tensor->rank);
    if (count != tensor->shape[axis])
        return pr_fail(PRUNE_E_SHAPE, "%s: an order of %lld channels for an axis of %lld; they must be as many",
                       __func__, (long long)count, (long long)tensor->shape[axis]);
    if (count > 0)
        PR_REQUIRE(channels);
    PR_TRY(pr_order_check_permutation(tensor->context, __func__, channels, count));
    PR_TRY(pr_tensor_new(&ordered, tensor->context, tensor->dtype, tensor->rank, tensor->shape));
    gather(ordered, tensor, axis, channels);
    *out = ordered;
    return PRUNE_OK;
}
