/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dense for many columns of X: strips of 6 rows (the last one of fewer), each [columns][strip], lanes along the columns
 * of X. Panels of columns are such that a strip's stay in the first-level cache and X's in the second.
 */
#include "core/sparse/forms/form.h"

enum { VALUES };

static int can(const struct pr_source *source)
{
    return source->format == PR_SOURCE_DENSE;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    (void)cpu;
    return column_hint >= 12;
}

static int32_t value_bytes(int64_t rows, int64_t columns, int64_t *bytes)
{
    PR_TRY(pr_mul(rows, columns, bytes));
    return pr_mul(*bytes, (int64_t)sizeof(float), bytes);
}

/* Rows of the strip that begins at a row. */
static int64_t strip_rows(int64_t rows, int64_t first)
{
    return rows - first < PR_TILE_ROWS ? rows - first : PR_TILE_ROWS;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    (void)column_hint;
    int64_t bytes = 0;
    PR_TRY(value_bytes(source->rows, source->columns, &bytes));
    PR_TRY(pr_blob_begin(blob, &bytes, 1));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = source->rows * source->columns;
    header->block_rows = pr_choose_block_rows(source->rows, 2 * PR_TILE_ROWS, 32 * 2 * PR_TILE_ROWS);
    float *to = pr_section(header, VALUES);
    for (int64_t first = 0; first < source->rows; first += PR_TILE_ROWS) {
        int64_t height = strip_rows(source->rows, first);
        const float *from = source->values + first * source->columns;
        for (int64_t k = 0; k < source->columns; k++)
            for (int64_t i = 0; i < height; i++)
                *to++ = from[i * source->columns + k];
    }
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes = 0;
    PR_TRY(value_bytes(header->rows, header->columns, &bytes));
    PR_TRY(pr_blob_expect(header, &bytes, 1));
    return pr_blob_expect_blocks(header, PR_TILE_ROWS, PR_MAX_BLOCK_ROWS);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    return pr_block_size(header, block) * header->columns;
}

/* Panels of equal size, near the best. */
static int64_t panel_columns(int64_t columns, int64_t tile)
{
    int64_t best = tile <= PR_LANES ? 256 : 512;
    return pr_ceil_div(columns, pr_ceil_div(columns, best));
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t first = run->block * header->block_rows, size = pr_block_size(header, run->block);
    int64_t columns = header->columns, stride = PR_TILE_ROWS * columns, whole = size / PR_TILE_ROWS * PR_TILE_ROWS;
    const float *values = (const float *)pr_section(header, VALUES) + first * columns;
    if (columns == 0) {
        for (int64_t i = 0; i < size; i++)
            memset(run->sums + i * run->ld_sums, 0, (size_t)run->tile * sizeof *run->sums);
        return;
    }
    int64_t panel = panel_columns(columns, run->tile);
    for (int64_t k = 0; k < columns; k += panel) {
        int64_t count = columns - k < panel ? columns - k : panel;
        if (run->starts) {
            run->kernels->dense_shifts(run->sums, run->ld_sums, run->x, run->starts + k, run->tile,
                                       values + k * PR_TILE_ROWS, stride, count, whole, k == 0);
            run->kernels->dense_shifts(run->sums + whole * run->ld_sums, run->ld_sums, run->x, run->starts + k,
                                       run->tile, values + whole * columns + k * (size - whole), stride, count,
                                       size - whole, k == 0);
            continue;
        }
        const float *x = run->x + k * run->ldx;
        run->kernels->dense_tile(run->sums, run->ld_sums, x, run->ldx, run->tile, values + k * PR_TILE_ROWS, stride,
                                 count, whole, k == 0);
        run->kernels->dense_tile(run->sums + whole * run->ld_sums, run->ld_sums, x, run->ldx, run->tile,
                                 values + whole * columns + k * (size - whole), stride, count, size - whole, k == 0);
    }
}

/* In one pass: the sums never leave the registers. */
static void through(const struct pr_block_run *run, float *y, int64_t ldy, int64_t n,
                    const struct pr_epilogue_args *epilogue)
{
    const struct pr_header *header = run->header;
    int64_t first = run->block * header->block_rows;
    const float *values = (const float *)pr_section(header, VALUES) + first * header->columns;
    run->kernels->dense_rows(y, ldy, run->x, run->ldx, n, values, header->columns, pr_block_size(header, run->block),
                             epilogue);
}

static int64_t passes(const struct pr_header *header)
{
    return header->columns ? pr_ceil_div(header->columns, panel_columns(header->columns, 2 * PR_LANES)) : 1;
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    const float *values = pr_section(header, VALUES);
    for (int64_t first = 0; first < header->rows; first += PR_TILE_ROWS)
        for (int64_t k = 0; k < header->columns; k++)
            for (int64_t i = 0; i < strip_rows(header->rows, first); i++)
                pr_unpack_put(to, first + i, k, *values++);
}

/* Wider ones fetch longer pieces of X's rows, but all of X must stay in the second-level cache. */
static int64_t widest(const struct pr_header *header, uint32_t cpu, int64_t cache)
{
    (void)cpu;
    (void)cache;
    return header->columns <= 1024 ? 128 : 64;
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    (void)n;
    return PR_SLOT_dense_tile;
}

const struct pr_form pr_form_dense_tiles = {
    .name = "dense-tiles",
    .column_order = 1,
    .lanes_along_rows = 0,
    .x_group = 1,
    .tile_least = PR_LANES,
    .tile_step = PR_LANES,
    .tile = 64,
    .widest = widest,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .passes = passes,
    .through = through,
    .slot = slot,
};
