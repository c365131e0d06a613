/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dense: every element is stored. Where sparse does not pay.
 */
#include <string.h>

#include "core/sparse/sparse.h"

static int32_t prepare(struct prune_sparse *sparse)
{
    return pr_mul(sparse->rows, sparse->columns, &sparse->stored);
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    const int64_t shape[2] = {sparse->rows, sparse->columns};
    (void)strict;
    PR_TRY(pr_sparse_add_part(sparse, 0, PRUNE_F32, 2, shape));
    sparse->values = prune_tensor_data(sparse->parts[0]);
    for (int64_t i = 0; i < sparse->stored; i++)
        sparse->values[i] = pr_mask_get(mask, i) ? weights[i] : 0;
    return PRUNE_OK;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t shape[2] = {sparse->rows, sparse->columns};
    return pr_sparse_import_values(sparse, 0, parts[0], 2, shape);
}

static void to_dense(const struct prune_sparse *sparse, float *dense)
{
    memcpy(dense, sparse->values, (size_t)sparse->stored * sizeof *dense);
}

static void to_mask(const struct prune_sparse *sparse, prune_mask *mask)
{
    for (int64_t i = 0; i < sparse->stored; i++)
        pr_mask_keep(mask, i);
}

const struct pr_format pr_format_dense = {
    .kind = {.name = "dense", .help = "every element is stored, zeros too"},
    .part_count = 1,
    .part_names = {"values"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = to_dense,
    .to_mask = to_mask,
};
