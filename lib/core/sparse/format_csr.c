/* SPDX-License-Identifier: BSD-2-Clause
 *
 * csr: compressed sparse rows. Row r has elements indptr[r] to indptr[r + 1] - 1 of indices and values.
 */
#include "core/sparse/sparse.h"

enum { INDPTR, INDICES, VALUES };
#define CHUNK 512

static int32_t prepare(struct prune_sparse *sparse)
{
    int64_t pointers;
    if (sparse->columns > (int64_t)INT32_MAX + 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "csr: %lld columns; its indices are I32, so it holds up to 2147483648",
                       (long long)sparse->columns);
    return pr_add(sparse->rows, 1, &pointers);
}

static int32_t add_parts(struct prune_sparse *sparse, int64_t stored)
{
    const int64_t pointers = sparse->rows + 1;
    sparse->stored = stored;
    PR_TRY(pr_sparse_add_part(sparse, INDPTR, PRUNE_I64, 1, &pointers));
    PR_TRY(pr_sparse_add_part(sparse, INDICES, PRUNE_I32, 1, &stored));
    sparse->indptr = prune_tensor_data(sparse->parts[INDPTR]);
    sparse->indices = prune_tensor_data(sparse->parts[INDICES]);
    return PRUNE_OK;
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    const int64_t stored = prune_mask_kept(mask), columns = sparse->columns;
    (void)strict;
    PR_TRY(add_parts(sparse, stored));
    PR_TRY(pr_sparse_add_part(sparse, VALUES, PRUNE_F32, 1, &stored));
    sparse->values = prune_tensor_data(sparse->parts[VALUES]);
    int64_t next = 0;
    for (int64_t row = 0; row < sparse->rows; row++) {
        sparse->indptr[row] = next;
        for (int64_t begin = 0; begin < columns; begin += 64) {
            int64_t first = row * columns + begin;
            uint64_t kept = pr_mask_bits(mask, first, columns - begin < 64 ? columns - begin : 64);
            for (; kept; kept &= kept - 1) {
                int64_t bit = __builtin_ctzll(kept);
                sparse->indices[next] = (int32_t)(begin + bit);
                sparse->values[next++] = weights[first + bit];
            }
        }
    }
    sparse->indptr[sparse->rows] = next;
    return PRUNE_OK;
}

static int32_t check_index_type(const prune_tensor *part, const char *name)
{
    if (part->dtype == PRUNE_I32 || part->dtype == PRUNE_I64)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_DTYPE, "csr: part \"%s\" is of type %s; it must be i32 or i64", name,
                   prune_dtype_name(part->dtype));
}

static int32_t import_indptr(struct prune_sparse *sparse, const prune_tensor *part)
{
    int64_t previous = 0, stored = sparse->stored;
    struct pr_walk walk;
    pr_walk_start(&walk, part);
    while (walk.count) {
        int64_t pointers[CHUNK], count = walk.count < CHUNK ? walk.count : CHUNK;
        pr_read_i64(part->dtype, walk.data, walk.stride, count, pointers);
        for (int64_t i = 0; i < count; i++) {
            int64_t at = walk.position + i, pointer = pointers[i];
            if (at == 0 && pointer != 0)
                return pr_fail(PRUNE_E_FORMAT, "csr: indptr[0] is %lld; it must be 0", (long long)pointer);
            if (pointer < previous)
                return pr_fail(PRUNE_E_FORMAT, "csr: indptr[%lld] is %lld, after %lld; it must not decrease",
                               (long long)at, (long long)pointer, (long long)previous);
            if (pointer > stored || (at == sparse->rows && pointer != stored))
                return pr_fail(PRUNE_E_FORMAT, "csr: indptr[%lld] is %lld; there are %lld indices, where it must end",
                               (long long)at, (long long)pointer, (long long)stored);
            sparse->indptr[at] = previous = pointer;
        }
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

static int32_t import_indices(struct prune_sparse *sparse, const prune_tensor *part)
{
    int64_t row = 0, previous = -1;
    struct pr_walk walk;
    pr_walk_start(&walk, part);
    while (walk.count) {
        int64_t columns[CHUNK], count = walk.count < CHUNK ? walk.count : CHUNK;
        pr_read_i64(part->dtype, walk.data, walk.stride, count, columns);
        for (int64_t i = 0; i < count; i++) {
            int64_t at = walk.position + i, column = columns[i];
            for (; at == sparse->indptr[row + 1]; previous = -1)
                row++;
            if (column < 0 || column >= sparse->columns)
                return pr_fail(PRUNE_E_FORMAT, "csr: indices[%lld] in row %lld is column %lld; there are %lld columns",
                               (long long)at, (long long)row, (long long)column, (long long)sparse->columns);
            if (column <= previous)
                return pr_fail(PRUNE_E_FORMAT,
                               "csr: indices[%lld] in row %lld is column %lld, after %lld; columns must ascend within "
                               "a row, each once",
                               (long long)at, (long long)row, (long long)column, (long long)previous);
            sparse->indices[at] = (int32_t)column;
            previous = column;
        }
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t pointers = sparse->rows + 1, stored = parts[INDICES]->count;
    PR_TRY(check_index_type(parts[INDPTR], "indptr"));
    PR_TRY(check_index_type(parts[INDICES], "indices"));
    PR_TRY(pr_sparse_check_part(sparse, INDPTR, parts[INDPTR], 1, &pointers));
    PR_TRY(pr_sparse_check_part(sparse, INDICES, parts[INDICES], 1, &stored));
    if (stored > sparse->rows * sparse->columns)
        return pr_fail(PRUNE_E_FORMAT, "csr: %lld indices for a matrix of %lld x %lld; it cannot have more than that",
                       (long long)stored, (long long)sparse->rows, (long long)sparse->columns);
    PR_TRY(add_parts(sparse, stored));
    PR_TRY(import_indptr(sparse, parts[INDPTR]));
    PR_TRY(import_indices(sparse, parts[INDICES]));
    return pr_sparse_import_values(sparse, VALUES, parts[VALUES], 1, &stored);
}

static void to_dense(const struct prune_sparse *sparse, float *dense)
{
    for (int64_t row = 0; row < sparse->rows; row++)
        for (int64_t i = sparse->indptr[row]; i < sparse->indptr[row + 1]; i++)
            dense[row * sparse->columns + sparse->indices[i]] = sparse->values[i];
}

static void to_mask(const struct prune_sparse *sparse, prune_mask *mask)
{
    for (int64_t row = 0; row < sparse->rows; row++)
        for (int64_t i = sparse->indptr[row]; i < sparse->indptr[row + 1]; i++)
            pr_mask_keep(mask, row * sparse->columns + sparse->indices[i]);
}

const struct pr_format pr_format_csr = {
    .kind = {.name = "csr", .help = "compressed sparse rows: any pattern, 8 bytes for each stored element"},
    .part_count = 3,
    .part_names = {"indptr", "indices", "values"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = to_dense,
    .to_mask = to_mask,
};
