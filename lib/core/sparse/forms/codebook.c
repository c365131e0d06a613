/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Codebook: weights stay codes of 4 or 8 bits, and gaps to the one before in their row of 4 or 8 bits, until they are
 * used. Lanes along the rows of W: the rows of a block are sorted by their number of entries and cut into slices of 16,
 * whose words hold the next few codes, or gaps, of each row. A gap too wide for its bits takes entries of code 0 on the
 * way; these, and those that fill up a slice, read no X.
 */
#include <string.h>

#include "core/sparse/forms/form.h"

enum { SLICES, ROWS, GAPS, CODES, BOOK };

#define MOST_BLOCK_ROWS 512
#define STEP 8 /* entries of a row are padded to this many */

/* header->parameter */
#define PARAMETER(gap_bits, code_bits) ((gap_bits)*16 + (code_bits))
#define GAP_BITS(header) ((int)((header)->parameter / 16))
#define CODE_BITS(header) ((int)((header)->parameter % 16))

static int can(const struct pr_source *source)
{
    return source->codebook != NULL;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    (void)cpu;
    return column_hint <= 16;
}

/* What is packed of a row: its number, and its entries with those in between. */
struct line {
    int32_t row;
    int64_t entries;
};

static int64_t entries_of(const struct pr_source *source, int64_t row)
{
    int64_t begin, end, entries = 0, next = 0, most = (int64_t)1 << source->gap_bits;
    pr_source_row(source, row, &begin, &end);
    for (int64_t e = begin; e < end; e++)
        if (source->codes[e]) {
            entries += 1 + (source->indices[e] - next) / most;
            next = source->indices[e] + 1;
        }
    return entries;
}

/* Longest first, then by row. */
static int64_t sort_block(const struct pr_source *source, int64_t first, int64_t most, struct line *lines)
{
    int64_t count = source->rows - first < most ? source->rows - first : most;
    for (int64_t i = 0; i < count; i++) {
        struct line one = {(int32_t)i, entries_of(source, first + i)};
        int64_t j = i;
        for (; j > 0 && lines[j - 1].entries < one.entries; j--)
            lines[j] = lines[j - 1];
        lines[j] = one;
    }
    return count;
}

static void put(uint32_t *words, int64_t step, int64_t lane, int bits, uint32_t value)
{
    int64_t per_word = 32 / bits;
    words[step / per_word * PR_LANES + lane] |= value << (step % per_word * bits);
}

static void pack_row(const struct pr_header *header, const struct pr_source *source, int64_t row, int64_t first_step,
                     int64_t lane)
{
    int64_t begin, end, step = 0, next = 0, most = (int64_t)1 << source->gap_bits;
    uint32_t *gaps = (uint32_t *)pr_section(header, GAPS) + first_step * GAP_BITS(header) / 32 * PR_LANES;
    uint32_t *codes = (uint32_t *)pr_section(header, CODES) + first_step * CODE_BITS(header) / 32 * PR_LANES;
    pr_source_row(source, row, &begin, &end);
    for (int64_t e = begin; e < end; e++) {
        if (!source->codes[e])
            continue;
        for (; source->indices[e] - next >= most; next += most)
            put(gaps, step++, lane, GAP_BITS(header), (uint32_t)most - 1);
        put(gaps, step, lane, GAP_BITS(header), (uint32_t)(source->indices[e] - next));
        put(codes, step++, lane, CODE_BITS(header), source->codes[e]);
        next = source->indices[e] + 1;
    }
}

static int64_t slices_of_block(int64_t size)
{
    return pr_ceil_div(size, PR_LANES);
}

static int64_t slice_count(int64_t rows, int64_t block_rows)
{
    return rows / block_rows * slices_of_block(block_rows) + slices_of_block(rows % block_rows);
}

/* Goes over all slices: counts their steps, or with a header packs them. */
static int64_t walk(const struct pr_header *header, const struct pr_source *source, int64_t block_rows,
                    struct line *lines)
{
    int64_t step = 0, *slice = header ? pr_section(header, SLICES) : NULL;
    for (int64_t first = 0; first < source->rows; first += block_rows) {
        int64_t count = sort_block(source, first, block_rows, lines);
        for (int64_t i = 0; i < count; i += PR_LANES) {
            for (int64_t l = 0; header && l < PR_LANES && i + l < count; l++) {
                ((uint16_t *)pr_section(header, ROWS))[first + i + l] = (uint16_t)lines[i + l].row;
                pack_row(header, source, first + lines[i + l].row, step, l);
            }
            if (header)
                *slice++ = step;
            step += pr_ceil_div(lines[i].entries, STEP) * STEP;
        }
    }
    if (header)
        *slice = step;
    return step;
}

static int32_t section_bytes(int64_t rows, int64_t slices, int64_t steps, int64_t parameter, int64_t *bytes)
{
    const struct pr_header sizes = {.parameter = parameter};
    PR_TRY(pr_mul(slices + 1, (int64_t)sizeof(int64_t), &bytes[SLICES]));
    PR_TRY(pr_mul(rows, (int64_t)sizeof(uint16_t), &bytes[ROWS]));
    PR_TRY(pr_mul(steps, GAP_BITS(&sizes) * PR_LANES / 8, &bytes[GAPS]));
    bytes[BOOK] = ((int64_t)1 << CODE_BITS(&sizes)) * (int64_t)sizeof(float);
    return pr_mul(steps, CODE_BITS(&sizes) * PR_LANES / 8, &bytes[CODES]);
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    (void)cpu;
    int64_t bytes[5], block_rows = pr_choose_block_rows(source->rows, 64, MOST_BLOCK_ROWS);
    int64_t parameter = PARAMETER(source->gap_bits, source->levels == 16 ? 4 : 8);
    struct line *lines = NULL;
    PR_TRY(pr_alloc(blob->context, block_rows, sizeof *lines, &lines));
    int64_t steps = walk(NULL, source, block_rows, lines);
    int32_t status = section_bytes(source->rows, slice_count(source->rows, block_rows), steps, parameter, bytes);
    if (!status)
        status = pr_blob_begin(blob, bytes, 5);
    if (!status) {
        struct pr_header *header = blob->header;
        header->rows = source->rows;
        header->columns = source->columns;
        header->block_rows = block_rows;
        header->parameter = parameter;
        memcpy(pr_section(header, BOOK), source->codebook, (size_t)bytes[BOOK]);
        for (int64_t row = 0; row < source->rows; row++)
            header->stored += entries_of(source, row);
        walk(header, source, block_rows, lines);
    }
    pr_release(blob->context, lines);
    return status;
}

/* Every row of a block stands in it once, and its entries stay within the columns. */
static int32_t validate_rows(const struct pr_header *header, int64_t block, const int64_t *slice)
{
    uint8_t seen[MOST_BLOCK_ROWS] = {0};
    int64_t first = block * header->block_rows, size = pr_block_size(header, block);
    const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + first;
    for (int64_t i = 0; i < size; i++) {
        if (rows[i] >= size || seen[rows[i]])
            return pr_fail(PRUNE_E_FORMAT, "row %u stands twice in block %lld of the packed data, or lies outside it",
                           (unsigned)rows[i], (long long)block);
        seen[rows[i]] = 1;
    }
    for (int64_t i = 0; i < slices_of_block(size) * PR_LANES; i++) {
        int64_t at = -1, begin = slice[i / PR_LANES], end = slice[i / PR_LANES + 1];
        for (int64_t s = begin; s < end; s++) {
            at += pr_lane_number(pr_section(header, GAPS), s, i % PR_LANES, GAP_BITS(header)) + 1;
            if (at >= header->columns && pr_lane_number(pr_section(header, CODES), s, i % PR_LANES, CODE_BITS(header)))
                return pr_fail(PRUNE_E_FORMAT, "an entry of block %lld of the packed data is in column %lld of %lld",
                               (long long)block, (long long)at, (long long)header->columns);
        }
    }
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[5], gap_bits = GAP_BITS(header), code_bits = CODE_BITS(header);
    if ((gap_bits != 4 && gap_bits != 8) || (code_bits != 4 && code_bits != 8) || header->parameter > PARAMETER(8, 8))
        return pr_fail(PRUNE_E_FORMAT, "the packed data has gaps of %d bits and codes of %d; 4 and 8 are possible",
                       (int)gap_bits, (int)code_bits);
    PR_TRY(pr_blob_expect_blocks(header, PR_LANES, MOST_BLOCK_ROWS));
    int64_t slices = slice_count(header->rows, header->block_rows);
    int64_t steps = header->section_bytes[GAPS] / (gap_bits * PR_LANES / 8);
    PR_TRY(section_bytes(header->rows, slices, steps, header->parameter, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 5));
    const int64_t *slice = pr_section(header, SLICES);
    if (slice[0] != 0 || slice[slices] != steps)
        return pr_fail(PRUNE_E_FORMAT, "the slices of the packed data do not cover its %lld steps", (long long)steps);
    for (int64_t i = 0; i < slices; i++)
        if (slice[i] > slice[i + 1] || slice[i + 1] % STEP || slice[i + 1] > steps)
            return pr_fail(PRUNE_E_FORMAT, "slice %lld of the packed data does not end where it should", (long long)i);
    for (int64_t block = 0; block < pr_block_count(header); block++)
        PR_TRY(validate_rows(header, block, slice + block * slices_of_block(header->block_rows)));
    return PRUNE_OK;
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    const int64_t *slice = (const int64_t *)pr_section(header, SLICES) + block * slices_of_block(header->block_rows);
    return (slice[slices_of_block(pr_block_size(header, block))] - slice[0]) * PR_LANES;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t size = pr_block_size(header, run->block), gap_bits = GAP_BITS(header), code_bits = CODE_BITS(header);
    const int64_t *slice =
        (const int64_t *)pr_section(header, SLICES) + run->block * slices_of_block(header->block_rows);
    const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + run->block * header->block_rows;
    _Alignas(64) float sums[PR_LANES];
    for (int64_t i = 0; i < size; i += PR_LANES, slice++)
        for (int64_t j = 0; j < run->tile; j++) {
            run->kernels->codebook_slice(
                sums, run->x + j * run->ldx,
                (const uint32_t *)pr_section(header, GAPS) + slice[0] * gap_bits / 32 * PR_LANES,
                (const uint32_t *)pr_section(header, CODES) + slice[0] * code_bits / 32 * PR_LANES, slice[1] - slice[0],
                pr_section(header, BOOK), (int)gap_bits, (int)code_bits);
            for (int64_t l = 0; l < PR_LANES && i + l < size; l++)
                run->sums[j * run->ld_sums + rows[i + l]] = sums[l];
        }
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    const int64_t *slice = pr_section(header, SLICES);
    const float *book = pr_section(header, BOOK);
    for (int64_t first = 0; first < header->rows; first += header->block_rows) {
        int64_t size = pr_block_size(header, first / header->block_rows);
        const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + first;
        for (int64_t i = 0; i < size; i++) {
            int64_t at = -1, lane = i % PR_LANES;
            const int64_t *own = slice + i / PR_LANES;
            for (int64_t s = own[0]; s < own[1]; s++) {
                uint32_t code = pr_lane_number(pr_section(header, CODES), s, lane, CODE_BITS(header));
                at += pr_lane_number(pr_section(header, GAPS), s, lane, GAP_BITS(header)) + 1;
                if (code)
                    pr_unpack_put(to, first + rows[i], at, book[code]);
            }
        }
        slice += slices_of_block(size);
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    (void)n;
    return PR_SLOT_codebook_slice;
}

const struct pr_form pr_form_codebook = {
    .name = "codebook-slices",
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
