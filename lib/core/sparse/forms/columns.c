/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Columns: any pattern, column after column within a block of rows, so that a column whose X is 0 costs nothing. The
 * block's sums stay in the first-level cache; each element names its row in 16 bits.
 *
 * A zero of X adds nothing, whatever it meets; NaN and infinity are not zero.
 */
#include <string.h>

#include "core/sparse/forms/form.h"

enum { STARTS, ROWS, VALUES };

static int can(const struct pr_source *source)
{
    return source->format != PR_SOURCE_DENSE;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    return source->by_columns && column_hint <= 4;
}

static int32_t section_bytes(int64_t blocks, int64_t columns, int64_t entries, int64_t *bytes)
{
    PR_TRY(pr_mul(blocks, columns + 1, &bytes[STARTS]));
    PR_TRY(pr_mul(bytes[STARTS], (int64_t)sizeof(int64_t), &bytes[STARTS]));
    PR_TRY(pr_mul(entries, (int64_t)sizeof(uint16_t), &bytes[ROWS]));
    return pr_mul(entries, (int64_t)sizeof(float), &bytes[VALUES]);
}

/* Where the columns of a block begin, and the last one ends. */
static int64_t *starts_of(const struct pr_header *header, int64_t block)
{
    return (int64_t *)pr_section(header, STARTS) + block * (header->columns + 1);
}

/* Counts the columns of a block, then puts each element where its column has got to: rows come in order. */
static int64_t pack_block(const struct pr_header *header, const struct pr_source *source, int64_t block, int64_t from)
{
    int64_t *starts = starts_of(header, block), first = block * header->block_rows, begin, end;
    uint16_t *rows = pr_section(header, ROWS);
    float *values = pr_section(header, VALUES);
    for (int64_t row = first; row < first + pr_block_size(header, block); row++) {
        pr_source_row(source, row, &begin, &end);
        for (int64_t e = begin; e < end; e++)
            starts[source->indices[e] + 1]++;
    }
    starts[0] = from;
    for (int64_t k = 0; k < header->columns; k++)
        starts[k + 1] += starts[k];
    for (int64_t row = first; row < first + pr_block_size(header, block); row++) {
        pr_source_row(source, row, &begin, &end);
        for (int64_t e = begin; e < end; e++) {
            int64_t at = starts[source->indices[e]]++;
            rows[at] = (uint16_t)(row - first);
            values[at] = source->values[e];
        }
    }
    memmove(starts + 1, starts, (size_t)header->columns * sizeof *starts);
    starts[0] = from;
    return starts[header->columns];
}

static int64_t count_entries(const struct pr_source *source)
{
    int64_t entries = 0, begin, end;
    for (int64_t row = 0; row < source->rows; row++) {
        pr_source_row(source, row, &begin, &end);
        entries += end - begin;
    }
    return entries;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    (void)cpu;
    int64_t bytes[3], block_rows = pr_choose_block_rows(source->rows, 64, PR_MAX_BLOCK_ROWS), base = 0;
    int64_t entries = count_entries(source);
    PR_TRY(section_bytes(pr_ceil_div(source->rows, block_rows), source->columns, entries, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 3));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = entries;
    header->block_rows = block_rows;
    for (int64_t block = 0; block < pr_block_count(header); block++)
        base = pack_block(header, source, block, base);
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[3], previous = 0;
    PR_TRY(section_bytes(pr_block_count(header), header->columns, header->stored, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 3));
    const uint16_t *rows = pr_section(header, ROWS);
    for (int64_t block = 0; block < pr_block_count(header); block++) {
        const int64_t *starts = starts_of(header, block);
        for (int64_t k = 0; k <= header->columns; k++) {
            if (starts[k] < previous || starts[k] > header->stored || (k == 0 && starts[k] != previous))
                return pr_fail(PRUNE_E_FORMAT,
                               "column %lld of block %lld of the packed data begins at %lld, after %lld", (long long)k,
                               (long long)block, (long long)starts[k], (long long)previous);
            previous = starts[k];
        }
        for (int64_t e = starts[0]; e < previous; e++)
            if (rows[e] >= pr_block_size(header, block))
                return pr_fail(PRUNE_E_FORMAT, "entry %lld of the packed data has row %u of a block of %lld",
                               (long long)e, (unsigned)rows[e], (long long)pr_block_size(header, block));
    }
    if (previous != header->stored)
        return pr_fail(PRUNE_E_FORMAT, "the columns of the packed data have %lld of its %lld entries",
                       (long long)previous, (long long)header->stored);
    return PRUNE_OK;
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    const int64_t *starts = starts_of(header, block);
    return starts[header->columns] - starts[0];
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    for (int64_t j = 0; j < run->tile; j++) {
        float *sums = run->sums + j * run->ld_sums;
        memset(sums, 0, (size_t)pr_block_size(header, run->block) * sizeof *sums);
        run->kernels->columns_add(sums, run->x + j * run->ldx, header->columns, starts_of(header, run->block),
                                  pr_section(header, ROWS), pr_section(header, VALUES));
    }
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    const uint16_t *rows = pr_section(header, ROWS);
    const float *values = pr_section(header, VALUES);
    for (int64_t block = 0; block < pr_block_count(header); block++) {
        const int64_t *starts = starts_of(header, block);
        for (int64_t k = 0; k < header->columns; k++)
            for (int64_t e = starts[k]; e < starts[k + 1]; e++)
                pr_unpack_put(to, block * header->block_rows + rows[e], k, values[e]);
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    (void)n;
    return PR_SLOT_columns_add;
}

const struct pr_form pr_form_columns = {
    .name = "columns",
    .lanes_along_rows = 1,
    .column_order = 1,
    .own_way = 1,
    .x_group = PR_X_WHOLE,
    .tile = 16,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
