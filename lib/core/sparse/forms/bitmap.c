/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Bitmap: for matrices that come from memory and keep a good part of their elements, one column of X. Blocks of 8 rows
 * and 32 columns have a mask for each row and, without gaps, the values of one row after another, so that both are read
 * as one stream each. Blocks of 8 rows follow one another along the columns.
 */
#include "core/kernels/gapless.h"
#include "core/sparse/forms/form.h"
#include "prune/context.h"

enum { STARTS, MASKS, VALUES };

#define ROWS PR_BITMAP_ROWS
#define COLUMNS PR_BITMAP_COLUMNS

static int can(const struct pr_source *source)
{
    return source->format != PR_SOURCE_DENSE;
}

/* Reading a mask for what is not there pays down to two fifths or so; on cores with a fast expand, to a fifth. */
static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    return column_hint < 2 && (cpu & PRUNE_CPU_AVX2) && pr_from_memory(source) &&
           5 * (pr_source_entries(source) / source->rows) >= 2 * source->columns;
}

static int64_t blocks_across(int64_t columns)
{
    return pr_ceil_div(columns, COLUMNS);
}

static int32_t section_bytes(int64_t rows, int64_t columns, int64_t stored, int64_t *bytes)
{
    int64_t strips = pr_ceil_div(rows, ROWS);
    PR_TRY(pr_mul(strips + 1, (int64_t)sizeof(int64_t), &bytes[STARTS]));
    PR_TRY(pr_mul(strips, blocks_across(columns), &bytes[MASKS]));
    PR_TRY(pr_mul(bytes[MASKS], ROWS * (int64_t)sizeof(uint32_t), &bytes[MASKS]));
    PR_TRY(pr_add(stored, PR_GAPLESS_PAD, &bytes[VALUES]));
    return pr_mul(bytes[VALUES], (int64_t)sizeof(float), &bytes[VALUES]);
}

/* A strip of 8 rows; gives where the values of the next one go. */
static float *pack_strip(const struct pr_source *source, int64_t first, uint32_t *masks, float *values)
{
    int64_t at[ROWS], end[ROWS], count = source->rows - first < ROWS ? source->rows - first : ROWS;
    for (int64_t r = 0; r < count; r++)
        pr_source_row(source, first + r, &at[r], &end[r]);
    for (int64_t k = 0; k < source->columns; k += COLUMNS, masks += ROWS)
        for (int64_t r = 0; r < count; r++) {
            uint32_t mask = 0;
            int64_t e = at[r];
            for (; e < end[r] && source->indices[e] < k + COLUMNS; e++) {
                mask |= 1u << (source->indices[e] - k);
                *values++ = source->values[e];
            }
            at[r] = e;
            masks[r] = mask;
        }
    return values;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    (void)cpu;
    int64_t bytes[3], stored = pr_source_entries(source), across = blocks_across(source->columns);
    PR_TRY(section_bytes(source->rows, source->columns, stored, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 3));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = stored;
    header->block_rows = pr_choose_block_rows(source->rows, 64, 256);
    int64_t *starts = pr_section(header, STARTS), strips = pr_ceil_div(source->rows, ROWS);
    uint32_t *masks = pr_section(header, MASKS);
    float *values = pr_section(header, VALUES), *next = values;
    for (int64_t s = 0; s < strips; s++, masks += across * ROWS) {
        next = pack_strip(source, s * ROWS, masks, next);
        starts[s + 1] = next - values;
    }
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[3], value = 0, across = blocks_across(header->columns), strips = pr_ceil_div(header->rows, ROWS);
    int64_t stored = header->section_bytes[VALUES] / (int64_t)sizeof(float) - PR_GAPLESS_PAD;
    PR_TRY(section_bytes(header->rows, header->columns, stored, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 3));
    PR_TRY(pr_blob_expect_blocks(header, PR_LANES, PR_MAX_BLOCK_ROWS));
    const int64_t *starts = pr_section(header, STARTS);
    const uint32_t *mask = pr_section(header, MASKS);
    for (int64_t s = 0; s <= strips; s++) {
        if (starts[s] != value)
            return pr_fail(PRUNE_E_FORMAT, "rows %lld and on of the packed data begin at value %lld instead of %lld",
                           (long long)(s * ROWS), (long long)starts[s], (long long)value);
        for (int64_t i = 0; s < strips && i < across * ROWS; i++)
            value += __builtin_popcount(*mask++);
    }
    if (value != stored)
        return pr_fail(PRUNE_E_FORMAT, "the masks of the packed data keep %lld elements; %lld values are there",
                       (long long)value, (long long)stored);
    return PRUNE_OK;
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    return pr_block_size(header, block) * header->columns;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t first = run->block * header->block_rows, size = pr_block_size(header, run->block);
    int64_t across = blocks_across(header->columns);
    const int64_t *starts = pr_section(header, STARTS);
    const uint32_t *masks = pr_section(header, MASKS);
    const float *values = pr_section(header, VALUES);
    for (int64_t i = 0; i < size; i += ROWS) {
        int64_t strip = (first + i) / ROWS;
        for (int64_t j = 0; j < run->tile; j++)
            run->kernels->bitmap_block(run->sums + j * run->ld_sums + i, run->x + j * run->ldx,
                                       masks + strip * across * ROWS, values + starts[strip], across, run->finite);
    }
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    int64_t across = blocks_across(header->columns), strips = pr_ceil_div(header->rows, ROWS);
    const uint32_t *masks = pr_section(header, MASKS);
    const float *values = pr_section(header, VALUES);
    for (int64_t s = 0; s < strips; s++)
        for (int64_t b = 0; b < across; b++)
            for (int64_t r = 0; r < ROWS; r++)
                for (uint32_t mask = *masks++; mask; mask &= mask - 1)
                    pr_unpack_put(to, s * ROWS + r, b * COLUMNS + __builtin_ctz(mask), *values++);
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    (void)n;
    return PR_SLOT_bitmap_block;
}

const struct pr_form pr_form_bitmap = {
    .name = "bitmap",
    .lanes_along_rows = 1,
    .x_group = PR_X_WHOLE,
    .needs_finite = 1,
    .tile = 16,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
