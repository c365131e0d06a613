/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Images and labels as rows in memory.
 */
#include "model/network/network.h"

static int32_t make_contiguous(const prune_tensor *tensor, int32_t dtype, const void **data, prune_tensor **copy)
{
    *copy = NULL;
    if (!prune_tensor_is_contiguous(tensor))
        PR_TRY(prune_tensor_convert(copy, tensor, dtype));
    *data = prune_tensor_const_data(*copy ? *copy : tensor);
    return PRUNE_OK;
}

int32_t pm_samples(const prune_tensor *images, int64_t size, const float **rows, int64_t *count, prune_tensor **copy)
{
    const void *data;
    if (prune_tensor_dtype(images) != PRUNE_F32)
        return pr_fail(PRUNE_E_DTYPE, "images are %s; they must be f32", prune_dtype_name(prune_tensor_dtype(images)));
    if (prune_tensor_rank(images) < 1)
        return pr_fail(PRUNE_E_SHAPE, "images have rank 0; axis 0 must count the samples");
    int64_t samples = prune_tensor_shape(images)[0], total = prune_tensor_count(images);
    if (samples < 1)
        return pr_fail(PRUNE_E_SHAPE, "there are 0 images; at least 1 is needed");
    if (total / samples != size)
        return pr_fail(PRUNE_E_SHAPE, "images have %lld numbers a sample; the network's input takes %lld",
                       (long long)(total / samples), (long long)size);
    PR_TRY(make_contiguous(images, PRUNE_F32, &data, copy));
    *rows = data;
    *count = samples;
    return PRUNE_OK;
}

int32_t pm_labels(const prune_tensor *labels, int64_t count, int64_t classes, const int64_t **rows, prune_tensor **copy)
{
    const void *data;
    if (prune_tensor_dtype(labels) != PRUNE_I64)
        return pr_fail(PRUNE_E_DTYPE, "labels are %s; they must be i64", prune_dtype_name(prune_tensor_dtype(labels)));
    if (prune_tensor_rank(labels) != 1 || prune_tensor_count(labels) != count)
        return pr_fail(PRUNE_E_SHAPE,
                       "labels have rank %d and %lld elements; there must be one for each of %lld images",
                       (int)prune_tensor_rank(labels), (long long)prune_tensor_count(labels), (long long)count);
    PR_TRY(make_contiguous(labels, PRUNE_I64, &data, copy));
    const int64_t *numbers = data;
    for (int64_t i = 0; i < count; i++)
        if (numbers[i] < 0 || numbers[i] >= classes) {
            int64_t label = numbers[i];
            prune_tensor_free(*copy);
            *copy = NULL;
            return pr_fail(PRUNE_E_VALUE, "label %lld is %lld; it must be 0 to %lld", (long long)i, (long long)label,
                           (long long)(classes - 1));
        }
    *rows = numbers;
    return PRUNE_OK;
}
