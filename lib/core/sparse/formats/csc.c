/* SPDX-License-Identifier: BSD-2-Clause
 *
 * csc: compressed sparse columns. Column k has elements indptr[k] to indptr[k + 1] - 1 of indices and values.
 */
#include <string.h>

#include "core/sparse/formats/compressed.h"
#include "core/sparse/formats/elements.h"

enum { INDPTR, INDICES, VALUES };

static int32_t prepare(struct prune_sparse *sparse)
{
    int64_t pointers;
    if (sparse->rows > (int64_t)INT32_MAX + 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "csc: %lld rows; its indices are I32, so it holds up to 2147483648",
                       (long long)sparse->rows);
    return pr_add(sparse->columns, 1, &pointers);
}

static struct pr_compressed columns_of(const struct prune_sparse *sparse)
{
    return (struct pr_compressed){.format = "csc",
                                  .line = "column",
                                  .index = "row",
                                  .cells = "",
                                  .lines = sparse->columns,
                                  .width = sparse->rows};
}

static void take(struct prune_sparse *sparse, const struct pr_compressed *columns, int64_t stored)
{
    sparse->stored = stored;
    sparse->indptr = columns->pointers;
    sparse->indices = columns->indices;
}

/* Counts the columns, then puts each element where its column has got to: rows come in order. */
static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    const int64_t stored = prune_mask_kept(mask), count = sparse->rows * sparse->columns;
    (void)strict;
    struct pr_compressed columns = columns_of(sparse);
    PR_TRY(pr_compressed_add(sparse, &columns, INDPTR, INDICES, stored));
    take(sparse, &columns, stored);
    PR_TRY(pr_sparse_add_part(sparse, VALUES, PRUNE_F32, 1, &stored));
    sparse->values = prune_tensor_data(sparse->parts[VALUES]);
    int64_t *pointers = sparse->indptr;
    memset(pointers, 0, (size_t)(sparse->columns + 1) * sizeof *pointers);
    for (int64_t i = 0; i < count; i++)
        pointers[i % sparse->columns + 1] += pr_mask_get(mask, i);
    for (int64_t k = 0; k < sparse->columns; k++)
        pointers[k + 1] += pointers[k];
    for (int64_t row = 0, i = 0; i < count; row++)
        for (int64_t k = 0; k < sparse->columns; k++, i++)
            if (pr_mask_get(mask, i)) {
                sparse->indices[pointers[k]] = (int32_t)row;
                sparse->values[pointers[k]++] = weights[i];
            }
    memmove(pointers + 1, pointers, (size_t)sparse->columns * sizeof *pointers);
    pointers[0] = 0;
    return PRUNE_OK;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t stored = parts[INDICES]->count;
    struct pr_compressed columns = columns_of(sparse);
    PR_TRY(pr_compressed_import(sparse, &columns, INDPTR, INDICES, parts));
    take(sparse, &columns, stored);
    return pr_sparse_import_values(sparse, VALUES, parts[VALUES], 1, &stored);
}

static void each(const struct prune_sparse *sparse, pr_element_fn *visit, void *user)
{
    for (int64_t k = 0; k < sparse->columns; k++)
        for (int64_t i = sparse->indptr[k]; i < sparse->indptr[k + 1]; i++)
            visit(user, sparse->indices[i], k, sparse->values[i], 0);
}

const struct pr_format pr_format_csc = {
    .kind = {.name = "csc", .help = "compressed sparse columns: products skip the zeros of X"},
    .part_count = 3,
    .part_names = {"indptr", "indices", "values"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = pr_elements_to_dense,
    .to_mask = pr_elements_to_mask,
    .each = each,
};
