/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/mask/mask.h"

#include <string.h>

int32_t pr_mask_new(prune_mask **out, prune_context *context, int32_t rank, const int64_t *shape, int kept)
{
    int64_t count = 0;
    prune_mask *mask;
    PR_TRY(pr_count(rank, shape, &count));
    PR_TRY(pr_alloc_zero(context, 1, sizeof *mask, &mask));
    int64_t words = pr_ceil_div(count, 64);
    int32_t status = pr_alloc(context, words, sizeof *mask->words, &mask->words);
    if (status) {
        pr_release(context, mask);
        return status;
    }
    memset(mask->words, kept ? 0xff : 0, (size_t)words * sizeof *mask->words);
    if (kept && count % 64)
        mask->words[words - 1] = (1ULL << count % 64) - 1;
    mask->context = prune_context_retain(context);
    mask->rank = rank;
    for (int32_t i = 0; i < rank; i++)
        mask->shape[i] = shape[i];
    mask->count = count;
    mask->word_count = words;
    *out = mask;
    return PRUNE_OK;
}

static int32_t check_kept(const char *function, int32_t kept)
{
    if (kept == 0 || kept == 1)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_ARGUMENT, "%s: kept is %d; it must be 1 (kept) or 0 (pruned)", function, (int)kept);
}

int32_t prune_mask_create(prune_mask **out, prune_context *context, int32_t rank, const int64_t *shape, int32_t kept)
{
    int64_t count;
    PR_REQUIRE(out);
    PR_TRY(pr_check_shape(__func__, rank, shape, &count));
    PR_TRY(check_kept(__func__, kept));
    return pr_mask_new(out, context, rank, shape, kept);
}

/* Appends elements of value 0 or 1; `position` is the number of the first one. Returns how many were taken: fewer than
 * `count` when the next is neither. */
static int64_t take_bytes(prune_mask *mask, int64_t position, const uint8_t *bytes, int64_t stride, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        uint8_t byte = bytes[i * stride];
        if (byte > 1)
            return i;
        mask->words[(position + i) >> 6] |= (uint64_t)byte << ((position + i) & 63);
    }
    return count;
}

static int32_t refuse_byte(const prune_mask *mask, int64_t position, int byte)
{
    char place[PR_MAX_SHAPE_TEXT];
    return pr_fail(PRUNE_E_VALUE, "element %s of the mask is %d; it must be 0 or 1",
                   pr_index_text(place, mask->rank, mask->shape, position), byte);
}

int32_t prune_mask_from_bool(prune_mask **out, const prune_tensor *tensor)
{
    prune_mask *mask;
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    if (tensor->dtype != PRUNE_BOOL && tensor->dtype != PRUNE_U8)
        return pr_fail(PRUNE_E_DTYPE, "%s: the tensor is of type %s; it must be bool or u8", __func__,
                       prune_dtype_name(tensor->dtype));
    PR_TRY(pr_mask_new(&mask, tensor->context, tensor->rank, tensor->shape, 0));
    struct pr_walk walk;
    for (pr_walk_start(&walk, tensor); walk.count; pr_walk_next(&walk)) {
        const uint8_t *bytes = (const uint8_t *)walk.data;
        int64_t taken = take_bytes(mask, walk.position, bytes, walk.stride, walk.count);
        if (taken < walk.count) {
            int32_t status = refuse_byte(mask, walk.position + taken, bytes[taken * walk.stride]);
            prune_mask_free(mask);
            return status;
        }
    }
    *out = mask;
    return PRUNE_OK;
}

int32_t prune_mask_from_nonzero(prune_mask **out, const prune_tensor *tensor)
{
    prune_mask *mask;
    PR_REQUIRE(out);
    PR_REQUIRE(tensor);
    PR_TRY(pr_mask_new(&mask, tensor->context, tensor->rank, tensor->shape, 0));
    struct pr_walk walk;
    pr_walk_start(&walk, tensor);
    while (walk.count) {
        double values[256];
        int64_t count = walk.count < 256 ? walk.count : 256;
        pr_read_double(tensor->dtype, walk.data, walk.stride, count, values);
        for (int64_t i = 0; i < count; i++)
            mask->words[(walk.position + i) >> 6] |= (uint64_t) !(values[i] == 0) << ((walk.position + i) & 63);
        pr_walk_skip(&walk, count);
    }
    *out = mask;
    return PRUNE_OK;
}

static int32_t check_bytes(const char *function, int64_t elements, const uint8_t *bytes, int64_t count)
{
    if (count != elements)
        return pr_fail(PRUNE_E_SHAPE, "%s: %lld bytes for a mask of %lld elements; they must be as many", function,
                       (long long)count, (long long)elements);
    if (!bytes && count)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: bytes is NULL; it must be given", function);
    return PRUNE_OK;
}

int32_t prune_mask_from_bytes(prune_mask **out, prune_context *context, int32_t rank, const int64_t *shape,
                              const uint8_t *bytes, int64_t count)
{
    prune_mask *mask;
    int64_t elements = 0;
    PR_REQUIRE(out);
    PR_TRY(pr_check_shape(__func__, rank, shape, &elements));
    PR_TRY(check_bytes(__func__, elements, bytes, count));
    PR_TRY(pr_mask_new(&mask, context, rank, shape, 0));
    int64_t taken = take_bytes(mask, 0, bytes, 1, count);
    if (taken < count) {
        int32_t status = refuse_byte(mask, taken, bytes[taken]);
        prune_mask_free(mask);
        return status;
    }
    *out = mask;
    return PRUNE_OK;
}

int32_t prune_mask_to_bytes(const prune_mask *mask, uint8_t *bytes, int64_t count)
{
    PR_REQUIRE(mask);
    PR_TRY(check_bytes(__func__, mask->count, bytes, count));
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)pr_mask_get(mask, i);
    return PRUNE_OK;
}

static int32_t check_index(const char *function, const prune_mask *mask, int64_t index)
{
    if (index >= 0 && index < mask->count)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_ARGUMENT, "%s: index is %lld; the mask has elements 0 to %lld", function, (long long)index,
                   (long long)mask->count - 1);
}

int32_t prune_mask_get(const prune_mask *mask, int64_t index, int32_t *kept)
{
    PR_REQUIRE(mask);
    PR_REQUIRE(kept);
    PR_TRY(check_index(__func__, mask, index));
    *kept = pr_mask_get(mask, index);
    return PRUNE_OK;
}

int32_t prune_mask_set(prune_mask *mask, int64_t index, int32_t kept)
{
    PR_REQUIRE(mask);
    PR_TRY(check_index(__func__, mask, index));
    PR_TRY(check_kept(__func__, kept));
    if (kept)
        pr_mask_keep(mask, index);
    else
        pr_mask_drop(mask, index);
    return PRUNE_OK;
}

int32_t prune_mask_rank(const prune_mask *mask)
{
    return mask ? mask->rank : 0;
}

const int64_t *prune_mask_shape(const prune_mask *mask)
{
    return mask ? mask->shape : NULL;
}

int64_t prune_mask_count(const prune_mask *mask)
{
    return mask ? mask->count : 0;
}

prune_context *prune_mask_context(const prune_mask *mask)
{
    return mask ? mask->context : NULL;
}

void prune_mask_free(prune_mask *mask)
{
    if (!mask)
        return;
    prune_context *context = mask->context;
    pr_release(context, mask->words);
    pr_release(context, mask);
    prune_context_free(context);
}
