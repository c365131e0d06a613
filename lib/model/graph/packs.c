/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/graph/packs.h"

#include <string.h>

int32_t pm_packs_create(struct pm_packs **out, prune_context *context)
{
    struct pm_packs *packs;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *packs, &packs));
    packs->context = prune_context_retain(context);
    packs->references = 1;
    *out = packs;
    return PRUNE_OK;
}

struct pm_packs *pm_packs_retain(struct pm_packs *packs)
{
    if (packs)
        __atomic_add_fetch(&packs->references, 1, __ATOMIC_RELAXED);
    return packs;
}

void pm_packs_release(struct pm_packs *packs)
{
    if (!packs || __atomic_sub_fetch(&packs->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    prune_context *context = packs->context;
    for (int32_t i = 0; i < packs->count; i++)
        pr_release(context, packs->blobs[i].data);
    pr_release(context, packs->blobs);
    pr_release(context, packs);
    prune_context_free(context);
}

static int same(const struct pm_blob *a, const struct pm_blob *b)
{
    return a->parameter == b->parameter && a->rows == b->rows && a->columns == b->columns && a->first == b->first &&
           a->row_stride == b->row_stride && a->column_stride == b->column_stride &&
           strcmp(a->weights, b->weights) == 0;
}

const struct pm_blob *pm_packs_find(const struct pm_packs *packs, const struct pm_blob *like)
{
    for (int32_t i = 0; packs && i < packs->count; i++)
        if (same(&packs->blobs[i], like))
            return &packs->blobs[i];
    return NULL;
}

int32_t pm_packs_add(struct pm_packs *packs, const struct pm_blob *blob)
{
    void *data;
    if (packs->count == packs->room) {
        struct pm_blob *larger;
        int64_t room = 2 * (int64_t)packs->room + 8;
        if (room > INT32_MAX)
            return pr_fail(PRUNE_E_OVERFLOW, "more than %d packed matrices", packs->room);
        PR_TRY(pr_alloc(packs->context, room, sizeof *larger, &larger));
        if (packs->count)
            memcpy(larger, packs->blobs, (size_t)packs->count * sizeof *larger);
        pr_release(packs->context, packs->blobs);
        packs->blobs = larger;
        packs->room = (int32_t)room;
    }
    PR_TRY(pr_alloc(packs->context, blob->bytes, 1, &data));
    if (blob->bytes)
        memcpy(data, blob->data, (size_t)blob->bytes);
    packs->blobs[packs->count] = *blob;
    packs->blobs[packs->count++].data = data;
    return PRUNE_OK;
}

/* Whether every element of the matrix is one of `count` numbers, and there are not too many. */
static int fits(const struct pm_blob *blob, int64_t count)
{
    int64_t down = 0, across = 0, last = 0;
    if (blob->rows < 1 || blob->columns < 1 || blob->first < 0 || blob->row_stride < 0 || blob->column_stride < 0)
        return 0;
    return !__builtin_mul_overflow(blob->rows - 1, blob->row_stride, &down) &&
           !__builtin_mul_overflow(blob->columns - 1, blob->column_stride, &across) &&
           !__builtin_add_overflow(down, across, &last) && !__builtin_add_overflow(last, blob->first, &last) &&
           last < count && blob->columns <= PM_MOST_PER_BYTE * blob->bytes / blob->rows;
}

static int32_t scatter_mask(const struct pm_blob *blob, const prune_packed *packed, uint8_t *kept)
{
    prune_sparse *sparse = NULL;
    prune_mask *mask = NULL;
    uint8_t *bytes = NULL;
    int64_t count = blob->rows * blob->columns;
    PR_TRY(prune_packed_to_sparse(&sparse, packed));
    int32_t status = prune_sparse_to_mask(&mask, sparse);
    if (!status)
        status = pr_alloc(NULL, count, 1, &bytes);
    if (!status)
        status = prune_mask_to_bytes(mask, bytes, count);
    for (int64_t r = 0; !status && r < blob->rows; r++)
        for (int64_t c = 0; c < blob->columns; c++)
            kept[blob->first + r * blob->row_stride + c * blob->column_stride] = bytes[r * blob->columns + c];
    pr_release(NULL, bytes);
    prune_mask_free(mask);
    prune_sparse_free(sparse);
    return status;
}

/* Blocks are stored whole: what of them was pruned is 0. */
static void drop_zeros(const struct pm_blob *blob, const float *from, uint8_t *kept)
{
    for (int64_t r = 0; r < blob->rows; r++)
        for (int64_t c = 0; c < blob->columns; c++)
            if (from[r * blob->columns + c] == 0)
                kept[blob->first + r * blob->row_stride + c * blob->column_stride] = 0;
}

/* Of no context: the reproducible mode would refuse some forms, which are as good for reading. */
int32_t pm_blob_unpack(const struct pm_blob *blob, float *numbers, uint8_t *kept, int64_t count)
{
    prune_packed *packed = NULL;
    prune_tensor *dense = NULL;
    if (!fits(blob, count))
        return pr_fail(PRUNE_E_FORMAT, "a packed matrix of %lld x %lld from element %lld on is not within the %lld",
                       (long long)blob->rows, (long long)blob->columns, (long long)blob->first, (long long)count);
    PR_TRY(prune_packed_load(&packed, NULL, blob->data, blob->bytes));
    int32_t status = PRUNE_OK;
    if (prune_packed_rows(packed) != blob->rows || prune_packed_columns(packed) != blob->columns)
        status = pr_fail(PRUNE_E_FORMAT, "a packed matrix is %lld x %lld; %lld x %lld was said",
                         (long long)prune_packed_rows(packed), (long long)prune_packed_columns(packed),
                         (long long)blob->rows, (long long)blob->columns);
    if (!status)
        status = prune_packed_to_tensor(&dense, packed);
    const float *from = dense ? prune_tensor_const_data(dense) : NULL;
    for (int64_t r = 0; !status && r < blob->rows; r++)
        for (int64_t c = 0; c < blob->columns; c++)
            numbers[blob->first + r * blob->row_stride + c * blob->column_stride] = from[r * blob->columns + c];
    if (!status && kept)
        status = scatter_mask(blob, packed, kept);
    if (!status && kept && strncmp(prune_packed_format(packed), "bsr", 3) == 0)
        drop_zeros(blob, from, kept);
    prune_tensor_free(dense);
    prune_packed_free(packed);
    return status;
}
