/* SPDX-License-Identifier: BSD-2-Clause
 *
 * bsr: block sparse rows. Blocks of block_rows x block_columns in a grid; block row r has blocks indptr[r] to
 * indptr[r + 1] - 1. What the matrix has not of a block at its edges is stored as 0.
 */
#include "core/sparse/formats/compressed.h"

enum { INDPTR, INDICES, VALUES };
enum { BLOCK_ROWS, BLOCK_COLUMNS };
#define MAX_BLOCK 4096

static const struct pr_parameter parameters[] = {
    {.name = "block_rows", .type = PR_WHOLE, .least = 1, .most = MAX_BLOCK, .help = "rows of a block, 1 to 4096"},
    {.name = "block_columns", .type = PR_WHOLE, .least = 1, .most = MAX_BLOCK, .help = "columns of a block, 1 to 4096"},
    {0},
};

static struct pr_compressed block_rows_of(const struct prune_sparse *sparse)
{
    return (struct pr_compressed){
        .format = sparse->spec,
        .line = "block row",
        .index = "block column",
        .cells = " blocks",
        .lines = pr_ceil_div(sparse->rows, sparse->block_rows),
        .width = pr_ceil_div(sparse->columns, sparse->block_columns),
    };
}

static int32_t prepare(struct prune_sparse *sparse)
{
    sparse->block_rows = sparse->parameters.whole[BLOCK_ROWS];
    sparse->block_columns = sparse->parameters.whole[BLOCK_COLUMNS];
    if (sparse->columns > (int64_t)INT32_MAX + 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s: %lld columns; it holds up to 2147483648", sparse->spec,
                       (long long)sparse->columns);
    /* Neither the grid nor all of its blocks may be beyond counting. */
    struct pr_compressed grid = block_rows_of(sparse);
    int64_t pointers = 0, count = 0;
    PR_TRY(pr_add(grid.lines, 1, &pointers));
    PR_TRY(pr_mul(grid.lines, grid.width, &count));
    return pr_mul(count, sparse->block_rows * sparse->block_columns, &count);
}

static void take(struct prune_sparse *sparse, const struct pr_compressed *rows, int64_t blocks)
{
    sparse->stored = blocks * sparse->block_rows * sparse->block_columns;
    sparse->indptr = rows->pointers;
    sparse->indices = rows->indices;
}

/* How much of a block lies within the matrix. */
static int64_t height_of(const struct prune_sparse *sparse, int64_t block_row)
{
    int64_t left = sparse->rows - block_row * sparse->block_rows;
    return left < sparse->block_rows ? left : sparse->block_rows;
}

static int64_t width_of(const struct prune_sparse *sparse, int64_t block_column)
{
    int64_t left = sparse->columns - block_column * sparse->block_columns;
    return left < sparse->block_columns ? left : sparse->block_columns;
}

static int keeps_some(const struct prune_sparse *sparse, const prune_mask *mask, int64_t block_row,
                      int64_t block_column)
{
    const int64_t width = width_of(sparse, block_column), height = height_of(sparse, block_row);
    for (int64_t r = 0; r < height; r++) {
        int64_t first = (block_row * sparse->block_rows + r) * sparse->columns + block_column * sparse->block_columns;
        for (int64_t c = 0; c < width; c += 64)
            if (pr_mask_bits(mask, first + c, width - c < 64 ? width - c : 64))
                return 1;
    }
    return 0;
}

static void fill_block(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int64_t block_row,
                       int64_t block)
{
    const int64_t block_column = sparse->indices[block];
    const int64_t width = width_of(sparse, block_column), height = height_of(sparse, block_row);
    float *to = sparse->values + block * sparse->block_rows * sparse->block_columns;
    for (int64_t r = 0; r < sparse->block_rows; r++, to += sparse->block_columns) {
        int64_t first = (block_row * sparse->block_rows + r) * sparse->columns + block_column * sparse->block_columns;
        for (int64_t c = 0; c < sparse->block_columns; c++)
            to[c] = r < height && c < width && pr_mask_get(mask, first + c) ? weights[first + c] : 0;
    }
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    struct pr_compressed rows = block_rows_of(sparse);
    int64_t blocks = 0, next = 0;
    (void)strict;
    for (int64_t r = 0; rows.width && r < rows.lines; r++)
        for (int64_t c = 0; c < rows.width; c++)
            blocks += keeps_some(sparse, mask, r, c);
    const int64_t shape[3] = {blocks, sparse->block_rows, sparse->block_columns};
    PR_TRY(pr_compressed_add(sparse, &rows, INDPTR, INDICES, blocks));
    PR_TRY(pr_sparse_add_part(sparse, VALUES, PRUNE_F32, 3, shape));
    take(sparse, &rows, blocks);
    sparse->values = prune_tensor_data(sparse->parts[VALUES]);
    for (int64_t r = 0; r < rows.lines; r++) {
        sparse->indptr[r] = next;
        for (int64_t c = 0; c < rows.width; c++)
            if (keeps_some(sparse, mask, r, c)) {
                sparse->indices[next] = (int32_t)c;
                fill_block(sparse, weights, mask, r, next++);
            }
    }
    sparse->indptr[rows.lines] = next;
    return PRUNE_OK;
}

/* What lies beyond the matrix is 0. */
static int32_t check_block(const struct prune_sparse *sparse, int64_t block_row, int64_t block)
{
    const int64_t width = width_of(sparse, sparse->indices[block]), height = height_of(sparse, block_row);
    const float *values = sparse->values + block * sparse->block_rows * sparse->block_columns;
    if (width == sparse->block_columns && height == sparse->block_rows)
        return PRUNE_OK;
    for (int64_t r = 0; r < sparse->block_rows; r++)
        for (int64_t c = 0; c < sparse->block_columns; c++)
            if ((r >= height || c >= width) && values[r * sparse->block_columns + c] != 0)
                return pr_fail(PRUNE_E_FORMAT, "%s: values[%lld, %lld, %lld] is %g, beyond the matrix; it must be 0",
                               sparse->spec, (long long)block, (long long)r, (long long)c,
                               (double)values[r * sparse->block_columns + c]);
    return PRUNE_OK;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    struct pr_compressed rows = block_rows_of(sparse);
    const int64_t blocks = parts[INDICES]->count;
    const int64_t shape[3] = {blocks, sparse->block_rows, sparse->block_columns};
    PR_TRY(pr_compressed_import(sparse, &rows, INDPTR, INDICES, parts));
    take(sparse, &rows, blocks);
    PR_TRY(pr_sparse_import_values(sparse, VALUES, parts[VALUES], 3, shape));
    for (int64_t r = 0; r < rows.lines; r++)
        for (int64_t block = rows.pointers[r]; block < rows.pointers[r + 1]; block++)
            PR_TRY(check_block(sparse, r, block));
    return PRUNE_OK;
}

static void to_dense(const struct prune_sparse *sparse, float *dense)
{
    const int64_t lines = pr_ceil_div(sparse->rows, sparse->block_rows);
    for (int64_t r = 0; r < lines; r++)
        for (int64_t block = sparse->indptr[r]; block < sparse->indptr[r + 1]; block++) {
            const int64_t c = sparse->indices[block], height = height_of(sparse, r), width = width_of(sparse, c);
            const float *from = sparse->values + block * sparse->block_rows * sparse->block_columns;
            float *to = dense + r * sparse->block_rows * sparse->columns + c * sparse->block_columns;
            for (int64_t i = 0; i < height; i++)
                for (int64_t j = 0; j < width; j++)
                    to[i * sparse->columns + j] = from[i * sparse->block_columns + j];
        }
}

static void to_mask(const struct prune_sparse *sparse, prune_mask *mask)
{
    const int64_t lines = pr_ceil_div(sparse->rows, sparse->block_rows);
    for (int64_t r = 0; r < lines; r++)
        for (int64_t block = sparse->indptr[r]; block < sparse->indptr[r + 1]; block++) {
            const int64_t c = sparse->indices[block], height = height_of(sparse, r), width = width_of(sparse, c);
            int64_t first = r * sparse->block_rows * sparse->columns + c * sparse->block_columns;
            for (int64_t i = 0; i < height; i++)
                for (int64_t j = 0; j < width; j++)
                    pr_mask_keep(mask, first + i * sparse->columns + j);
        }
}

const struct pr_format pr_format_bsr = {
    .kind = {.name = "bsr",
             .help = "blocks of block_rows x block_columns, each stored whole with one index",
             .parameters = parameters},
    .part_count = 3,
    .part_names = {"indptr", "indices", "values"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = to_dense,
    .to_mask = to_mask,
};
