/* SPDX-License-Identifier: BSD-2-Clause
 *
 * coo: row, column and value of each element. Sorted by row, then column, once it is an object.
 */
#include <string.h>

#include "base/sort.h"
#include "core/sparse/formats/elements.h"

enum { ROWS, COLUMNS, VALUES };

#define CHUNK 512

static int32_t prepare(struct prune_sparse *sparse)
{
    if (sparse->rows > (int64_t)INT32_MAX + 1 || sparse->columns > (int64_t)INT32_MAX + 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "coo: %lld x %lld; its indices are I32, so each may be up to 2147483648",
                       (long long)sparse->rows, (long long)sparse->columns);
    return PRUNE_OK;
}

static int32_t add_parts(struct prune_sparse *sparse, int64_t stored)
{
    sparse->stored = stored;
    for (int32_t i = 0; i < 3; i++)
        PR_TRY(pr_sparse_add_part(sparse, i, i == VALUES ? PRUNE_F32 : PRUNE_I32, 1, &stored));
    sparse->row_indices = prune_tensor_data(sparse->parts[ROWS]);
    sparse->indices = prune_tensor_data(sparse->parts[COLUMNS]);
    sparse->values = prune_tensor_data(sparse->parts[VALUES]);
    return PRUNE_OK;
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    (void)strict;
    PR_TRY(add_parts(sparse, prune_mask_kept(mask)));
    int64_t next = 0;
    for (int64_t row = 0, i = 0; next < sparse->stored; row++)
        for (int64_t k = 0; k < sparse->columns; k++, i++)
            if (pr_mask_get(mask, i)) {
                sparse->row_indices[next] = (int32_t)row;
                sparse->indices[next] = (int32_t)k;
                sparse->values[next++] = weights[i];
            }
    return PRUNE_OK;
}

/* One of the two index parts into the keys, shifted, each checked against its limit. */
static int32_t read_indices(const struct prune_sparse *sparse, int32_t part_index, const prune_tensor *part,
                            int64_t limit, struct pr_keyed *items)
{
    const char *name = sparse->format->part_names[part_index];
    struct pr_walk walk;
    pr_walk_start(&walk, part);
    while (walk.count) {
        int64_t numbers[CHUNK], count = walk.count < CHUNK ? walk.count : CHUNK;
        pr_read_i64(part->dtype, walk.data, walk.stride, count, numbers);
        for (int64_t i = 0; i < count; i++) {
            if (numbers[i] < 0 || numbers[i] >= limit)
                return pr_fail(PRUNE_E_FORMAT, "coo: %s[%lld] is %lld; there are %lld %s", name,
                               (long long)(walk.position + i), (long long)numbers[i], (long long)limit, name);
            items[walk.position + i].index = walk.position + i;
            items[walk.position + i].key = items[walk.position + i].key << 32 | (uint64_t)numbers[i];
        }
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

static int32_t store_sorted(struct prune_sparse *sparse, const struct pr_keyed *items, const float *values)
{
    for (int64_t i = 0; i < sparse->stored; i++) {
        int64_t row = (int64_t)(items[i].key >> 32), column = (int64_t)(items[i].key & 0xffffffffu);
        if (i > 0 && items[i].key == items[i - 1].key)
            return pr_fail(PRUNE_E_FORMAT,
                           "coo: elements %lld and %lld both are row %lld, column %lld; each may stand "
                           "once",
                           (long long)items[i - 1].index, (long long)items[i].index, (long long)row, (long long)column);
        sparse->row_indices[i] = (int32_t)row;
        sparse->indices[i] = (int32_t)column;
        sparse->values[i] = values[items[i].index];
    }
    return PRUNE_OK;
}

static int32_t sort_in(struct prune_sparse *sparse, const prune_tensor *const *parts, struct pr_keyed *items)
{
    struct pr_keyed *scratch;
    float *values;
    PR_TRY(read_indices(sparse, ROWS, parts[ROWS], sparse->rows, items));
    PR_TRY(read_indices(sparse, COLUMNS, parts[COLUMNS], sparse->columns, items));
    PR_TRY(pr_alloc(sparse->context, sparse->stored, sizeof *scratch, &scratch));
    pr_sort_keyed(items, scratch, sparse->stored, 8);
    pr_release(sparse->context, scratch);
    PR_TRY(pr_alloc(sparse->context, sparse->stored, sizeof *values, &values));
    memcpy(values, sparse->values, (size_t)sparse->stored * sizeof *values);
    int32_t status = store_sorted(sparse, items, values);
    pr_release(sparse->context, values);
    return status;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t stored = parts[ROWS]->count;
    struct pr_keyed *items;
    for (int32_t i = 0; i < 2; i++) {
        if (parts[i]->dtype != PRUNE_I32 && parts[i]->dtype != PRUNE_I64)
            return pr_fail(PRUNE_E_DTYPE, "coo: part \"%s\" is of type %s; it must be i32 or i64",
                           sparse->format->part_names[i], prune_dtype_name(parts[i]->dtype));
        PR_TRY(pr_sparse_check_part(sparse, i, parts[i], 1, &stored));
    }
    if (stored > sparse->rows * sparse->columns)
        return pr_fail(PRUNE_E_FORMAT, "coo: %lld elements of a matrix of %lld x %lld; it cannot have more than that",
                       (long long)stored, (long long)sparse->rows, (long long)sparse->columns);
    PR_TRY(pr_sparse_import_values(sparse, VALUES, parts[VALUES], 1, &stored));
    for (int32_t i = 0; i < 2; i++)
        PR_TRY(pr_sparse_add_part(sparse, i, PRUNE_I32, 1, &stored));
    sparse->stored = stored;
    sparse->row_indices = prune_tensor_data(sparse->parts[ROWS]);
    sparse->indices = prune_tensor_data(sparse->parts[COLUMNS]);
    PR_TRY(pr_alloc_zero(sparse->context, stored, sizeof *items, &items));
    int32_t status = sort_in(sparse, parts, items);
    pr_release(sparse->context, items);
    return status;
}

static void each(const struct prune_sparse *sparse, pr_element_fn *visit, void *user)
{
    for (int64_t i = 0; i < sparse->stored; i++)
        visit(user, sparse->row_indices[i], sparse->indices[i], sparse->values[i], 0);
}

const struct pr_format pr_format_coo = {
    .kind = {.name = "coo", .help = "row, column and value of each stored element: 12 bytes"},
    .part_count = 3,
    .part_names = {"rows", "columns", "values"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = pr_elements_to_dense,
    .to_mask = pr_elements_to_mask,
    .each = each,
};
