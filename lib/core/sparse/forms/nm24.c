/* SPDX-License-Identifier: BSD-2-Clause
 *
 * 2:4 with lanes along the rows of W: strips of 64 rows (the last one of a multiple of 16). For each group of four
 * columns two vectors of values; for each 8 groups a vector of words with the 16 two-bit positions of each row, lowest
 * bits first. Four values of X are permuted by the positions, so nothing is gathered.
 */
#include "core/sparse/forms/form.h"
#include "prune/context.h"

enum { VALUES, WORDS };

static int can(const struct pr_source *source)
{
    return source->format == PR_SOURCE_NM && source->keep_n == 2 && source->group_m == 4;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    return column_hint < (cpu & PRUNE_CPU_AVX512 ? 11 : 6);
}

static int64_t strip_lanes(const struct pr_header *header, int64_t first_row)
{
    int64_t lanes = pr_ceil_div(header->rows - first_row, PR_LANES) * PR_LANES;
    return lanes < PR_STRIP ? lanes : PR_STRIP;
}

static int32_t section_bytes(int64_t rows, int64_t columns, int64_t *bytes)
{
    int64_t lanes = 0, groups = pr_ceil_div(columns, 4);
    PR_TRY(pr_add(rows, PR_LANES - 1, &lanes));
    lanes = lanes / PR_LANES * PR_LANES;
    PR_TRY(pr_mul(lanes, 2 * groups, &bytes[VALUES]));
    PR_TRY(pr_mul(bytes[VALUES], (int64_t)sizeof(float), &bytes[VALUES]));
    PR_TRY(pr_mul(lanes, pr_ceil_div(groups, 8), &bytes[WORDS]));
    return pr_mul(bytes[WORDS], (int64_t)sizeof(uint32_t), &bytes[WORDS]);
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    (void)column_hint;
    int64_t bytes[2];
    PR_TRY(section_bytes(source->rows, source->columns, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 2));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->block_rows = pr_choose_block_rows(source->rows, PR_STRIP, 4 * PR_STRIP);
    int64_t steps = source->per_row, words_per_row = pr_ceil_div(steps, 16);
    header->stored = source->rows * steps;
    for (int64_t row = 0; row < source->rows; row++) {
        int64_t first = row / PR_STRIP * PR_STRIP, lanes = strip_lanes(header, first);
        float *values = (float *)pr_section(header, VALUES) + first * steps + (row - first);
        uint32_t *words = (uint32_t *)pr_section(header, WORDS) + first * words_per_row + (row - first);
        for (int64_t s = 0; s < steps; s++) {
            values[s * lanes] = source->values[row * steps + s];
            words[s / 16 * lanes] |= (uint32_t)(source->indices[row * steps + s] % 4) << (2 * (s % 16));
        }
    }
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[2];
    PR_TRY(section_bytes(header->rows, header->columns, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 2));
    return pr_blob_expect_blocks(header, PR_STRIP, PR_MAX_BLOCK_ROWS);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    return pr_block_size(header, block) * pr_ceil_div(header->columns, 4) * 2;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t first = run->block * header->block_rows, end = first + pr_block_size(header, run->block);
    int64_t groups = pr_ceil_div(header->columns, 4), words_per_row = pr_ceil_div(groups, 8);
    const float *values = pr_section(header, VALUES);
    const uint32_t *words = pr_section(header, WORDS);
    pr_nm24_fn *kernel = run->ldx == 4 ? run->kernels->nm24_strip : run->kernels->few_nm24;
    for (int64_t row = first; row < end; row += PR_STRIP)
        kernel(run->sums + (row - first), run->ld_sums, run->x, run->ldx, run->tile, values + row * groups * 2,
               words + row * words_per_row, groups, strip_lanes(header, row));
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    int64_t steps = pr_ceil_div(header->columns, 4) * 2, words_per_row = pr_ceil_div(steps, 16);
    for (int64_t row = 0; row < header->rows; row++) {
        int64_t first = row / PR_STRIP * PR_STRIP, lanes = strip_lanes(header, first);
        const float *values = (const float *)pr_section(header, VALUES) + first * steps + (row - first);
        const uint32_t *words = (const uint32_t *)pr_section(header, WORDS) + first * words_per_row + (row - first);
        for (int64_t s = 0; s < steps; s++)
            if (!pr_is_filler(values[s * lanes]))
                pr_unpack_put(to, row, s / 2 * 4 + (words[s / 16 * lanes] >> (2 * (s % 16)) & 3), values[s * lanes]);
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    return n <= 1 ? PR_SLOT_nm24_strip : PR_SLOT_few_nm24;
}

const struct pr_form pr_form_nm24 = {
    .name = "nm24-strips",
    .column_order = 1,
    .lanes_along_rows = 1,
    .x_group = 4,
    .tile = 16,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
