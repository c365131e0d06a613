/* SPDX-License-Identifier: BSD-2-Clause
 *
 * csr: compressed sparse rows. Row r has elements indptr[r] to indptr[r + 1] - 1 of indices and values.
 */
#include "core/sparse/formats/compressed.h"

enum { INDPTR, INDICES, VALUES };

static int32_t prepare(struct prune_sparse *sparse)
{
    int64_t pointers;
    if (sparse->columns > (int64_t)INT32_MAX + 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "csr: %lld columns; its indices are I32, so it holds up to 2147483648",
                       (long long)sparse->columns);
    return pr_add(sparse->rows, 1, &pointers);
}

static struct pr_compressed rows_of(const struct prune_sparse *sparse)
{
    return (struct pr_compressed){.format = "csr",
                                  .line = "row",
                                  .index = "column",
                                  .cells = "",
                                  .lines = sparse->rows,
                                  .width = sparse->columns};
}

static void take(struct prune_sparse *sparse, const struct pr_compressed *rows, int64_t stored)
{
    sparse->stored = stored;
    sparse->indptr = rows->pointers;
    sparse->indices = rows->indices;
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    const int64_t stored = prune_mask_kept(mask), columns = sparse->columns;
    (void)strict;
    struct pr_compressed rows = rows_of(sparse);
    PR_TRY(pr_compressed_add(sparse, &rows, INDPTR, INDICES, stored));
    take(sparse, &rows, stored);
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

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t stored = parts[INDICES]->count;
    struct pr_compressed rows = rows_of(sparse);
    PR_TRY(pr_compressed_import(sparse, &rows, INDPTR, INDICES, parts));
    take(sparse, &rows, stored);
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
