/* SPDX-License-Identifier: BSD-2-Clause
 *
 * bitmap: a bit for each element, and the values of those that are stored, row by row; the layout that
 * compressed-tensors calls sparse-bitmask.
 */
#include <string.h>

#include "core/sparse/formats/elements.h"

enum { COMPRESSED, BITMASK, ROW_OFFSETS };

#define CHUNK 512

static int64_t mask_bytes(const struct prune_sparse *sparse)
{
    return pr_ceil_div(sparse->columns, 8);
}

static int32_t prepare(struct prune_sparse *sparse)
{
    int64_t bytes;
    return pr_mul(sparse->rows, mask_bytes(sparse), &bytes);
}

static int32_t add_parts(struct prune_sparse *sparse)
{
    const int64_t shape[2] = {sparse->rows, mask_bytes(sparse)};
    PR_TRY(pr_sparse_add_part(sparse, BITMASK, PRUNE_U8, 2, shape));
    PR_TRY(pr_sparse_add_part(sparse, ROW_OFFSETS, PRUNE_I64, 1, &sparse->rows));
    sparse->positions = prune_tensor_data(sparse->parts[BITMASK]);
    sparse->indptr = prune_tensor_data(sparse->parts[ROW_OFFSETS]);
    sparse->position_bytes = mask_bytes(sparse);
    return PRUNE_OK;
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    (void)strict;
    sparse->stored = prune_mask_kept(mask);
    PR_TRY(pr_sparse_add_part(sparse, COMPRESSED, PRUNE_F32, 1, &sparse->stored));
    PR_TRY(add_parts(sparse));
    sparse->values = prune_tensor_data(sparse->parts[COMPRESSED]);
    memset(sparse->positions, 0, (size_t)(sparse->rows * sparse->position_bytes));
    int64_t next = 0;
    for (int64_t row = 0; row < sparse->rows; row++) {
        sparse->indptr[row] = next;
        for (int64_t k = 0; k < sparse->columns; k++) {
            int64_t i = row * sparse->columns + k;
            if (!pr_mask_get(mask, i))
                continue;
            sparse->positions[row * sparse->position_bytes + k / 8] |= (uint8_t)(1u << (k % 8));
            sparse->values[next++] = weights[i];
        }
    }
    return PRUNE_OK;
}

static int64_t bits_of_row(const struct prune_sparse *sparse, int64_t row)
{
    int64_t bits = 0;
    for (int64_t b = 0; b < sparse->position_bytes; b++)
        bits += __builtin_popcount(sparse->positions[row * sparse->position_bytes + b]);
    return bits;
}

/* Against the bits: the offsets, and how many values there must be. */
static int32_t check_rows(const struct prune_sparse *sparse, int64_t stored)
{
    int64_t sum = 0, spare = sparse->position_bytes * 8 - sparse->columns;
    for (int64_t row = 0; row < sparse->rows; row++) {
        if (sparse->indptr[row] != sum)
            return pr_fail(PRUNE_E_FORMAT, "bitmap: row_offsets[%lld] is %lld; the bits of the rows before it are %lld",
                           (long long)row, (long long)sparse->indptr[row], (long long)sum);
        if (spare && sparse->positions[(row + 1) * sparse->position_bytes - 1] >> (8 - spare))
            return pr_fail(PRUNE_E_FORMAT, "bitmap: bitmask of row %lld: a bit is set beyond the last of %lld columns",
                           (long long)row, (long long)sparse->columns);
        sum += bits_of_row(sparse, row);
    }
    if (sum != stored)
        return pr_fail(PRUNE_E_FORMAT, "bitmap: %lld bits are set in the bitmask and there are %lld values",
                       (long long)sum, (long long)stored);
    return PRUNE_OK;
}

static int32_t import_offsets(struct prune_sparse *sparse, const prune_tensor *part)
{
    struct pr_walk walk;
    pr_walk_start(&walk, part);
    while (walk.count) {
        int64_t count = walk.count < CHUNK ? walk.count : CHUNK;
        pr_read_i64(part->dtype, walk.data, walk.stride, count, sparse->indptr + walk.position);
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t shape[2] = {sparse->rows, mask_bytes(sparse)}, stored = parts[COMPRESSED]->count;
    if (parts[BITMASK]->dtype != PRUNE_U8)
        return pr_fail(PRUNE_E_DTYPE, "bitmap: part \"bitmask\" is of type %s; it must be u8",
                       prune_dtype_name(parts[BITMASK]->dtype));
    if (parts[ROW_OFFSETS]->dtype != PRUNE_I32 && parts[ROW_OFFSETS]->dtype != PRUNE_I64)
        return pr_fail(PRUNE_E_DTYPE, "bitmap: part \"row_offsets\" is of type %s; it must be i32 or i64",
                       prune_dtype_name(parts[ROW_OFFSETS]->dtype));
    PR_TRY(pr_sparse_check_part(sparse, BITMASK, parts[BITMASK], 2, shape));
    PR_TRY(pr_sparse_check_part(sparse, ROW_OFFSETS, parts[ROW_OFFSETS], 1, &sparse->rows));
    PR_TRY(add_parts(sparse));
    PR_TRY(prune_tensor_copy(sparse->parts[BITMASK], parts[BITMASK]));
    PR_TRY(import_offsets(sparse, parts[ROW_OFFSETS]));
    PR_TRY(check_rows(sparse, stored));
    sparse->stored = stored;
    return pr_sparse_import_values(sparse, COMPRESSED, parts[COMPRESSED], 1, &stored);
}

static void each(const struct prune_sparse *sparse, pr_element_fn *visit, void *user)
{
    int64_t next = 0;
    for (int64_t row = 0; row < sparse->rows; row++)
        for (int64_t b = 0; b < sparse->position_bytes; b++)
            for (unsigned bits = sparse->positions[row * sparse->position_bytes + b]; bits; bits &= bits - 1)
                visit(user, row, b * 8 + __builtin_ctz(bits), sparse->values[next++], 0);
}

const struct pr_format pr_format_bitmap = {
    .kind = {.name = "bitmap", .help = "a bit for each element, and the values of those that are stored"},
    .part_count = 3,
    .part_names = {"compressed", "bitmask", "row_offsets"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = pr_elements_to_dense,
    .to_mask = pr_elements_to_mask,
    .each = each,
};
