/* SPDX-License-Identifier: BSD-2-Clause
 *
 * 2:4 whose pattern is shared by 4 rows, lanes along the columns of W: a chunk of 2 L columns has L stored positions,
 * and one permute of two vectors of X serves four vectors of values. L is 16 or 8, the lanes of the vectors it was
 * packed for. Positions are 5 or 4 bits each, several chunks to a vector of words.
 */
#include "core/sparse/forms/form.h"
#include "prune/context.h"

enum { VALUES, WORDS };

/* Every 4 rows agree, whether or not the format says so. */
static int can(const struct pr_source *source)
{
    if (source->format != PR_SOURCE_NM || source->keep_n != 2 || source->group_m != 4)
        return 0;
    if (source->unit_rows % 4 == 0 || !source->indices)
        return source->unit_rows % 4 == 0;
    for (int64_t row = 0; row < source->rows; row++) {
        const int32_t *first = source->indices + (row - row % 4) * source->per_row;
        const int32_t *own = source->indices + row * source->per_row;
        for (int64_t i = 0; i < source->per_row; i++)
            if (own[i] != first[i])
                return 0;
    }
    return 1;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    return column_hint < 3 && (cpu & PRUNE_CPU_AVX2);
}

static int64_t chunk_count(int64_t columns, int64_t lanes)
{
    return pr_ceil_div(columns, 2 * lanes);
}

static int64_t words_of_unit(int64_t columns, int64_t lanes)
{
    return pr_ceil_div(chunk_count(columns, lanes), PR_PICK_STEPS(lanes)) * lanes;
}

static int32_t section_bytes(int64_t rows, int64_t columns, int64_t lanes, int64_t *bytes)
{
    int64_t units = pr_ceil_div(rows, 4);
    PR_TRY(pr_mul(units, 4 * lanes * chunk_count(columns, lanes), &bytes[VALUES]));
    PR_TRY(pr_mul(bytes[VALUES], (int64_t)sizeof(float), &bytes[VALUES]));
    PR_TRY(pr_mul(units, words_of_unit(columns, lanes), &bytes[WORDS]));
    return pr_mul(bytes[WORDS], (int64_t)sizeof(uint32_t), &bytes[WORDS]);
}

/* Two of each four columns: the first half of the lanes has its positions in the first half of the chunk. Lanes beyond
 * the last group point to the last column of their half, which then lies beyond the matrix. */
static void pack_unit(const struct pr_header *header, const struct pr_source *source, int64_t unit)
{
    int64_t lanes = header->parameter, chunks = chunk_count(source->columns, lanes);
    float *values = (float *)pr_section(header, VALUES) + unit * chunks * 4 * lanes;
    uint32_t *words = (uint32_t *)pr_section(header, WORDS) + unit * words_of_unit(source->columns, lanes);
    int64_t height = source->rows - unit * 4 < 4 ? source->rows - unit * 4 : 4;
    for (int64_t s = 0; s < chunks * lanes; s++) {
        int64_t chunk = s / lanes, lane = s % lanes, at = lane < lanes / 2 ? lanes - 1 : 2 * lanes - 1;
        if (s < source->per_row)
            at = source->indices[unit * 4 * source->per_row + s] - chunk * 2 * lanes;
        words[chunk / PR_PICK_STEPS(lanes) * lanes + lane] |= (uint32_t)at
                                                              << (chunk % PR_PICK_STEPS(lanes) * PR_PICK_BITS(lanes));
        for (int64_t r = 0; s < source->per_row && r < height; r++)
            values[(chunk * 4 + r) * lanes + lane] = source->values[(unit * 4 + r) * source->per_row + s];
    }
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    int64_t bytes[2], lanes = cpu & PRUNE_CPU_AVX512 ? 16 : 8;
    PR_TRY(section_bytes(source->rows, source->columns, lanes, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 2));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = source->rows * source->per_row;
    header->block_rows = pr_choose_block_rows(source->rows, 64, 256);
    header->parameter = lanes;
    for (int64_t unit = 0; unit < pr_ceil_div(source->rows, 4); unit++)
        pack_unit(header, source, unit);
    return PRUNE_OK;
}

/* Positions cannot leave their chunk, nor a chunk packed X, which is padded to the widest. */
static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[2];
    if (header->parameter != 8 && header->parameter != 16)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has vectors of %lld lanes; 8 or 16 are possible",
                       (long long)header->parameter);
    PR_TRY(section_bytes(header->rows, header->columns, header->parameter, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 2));
    return pr_blob_expect_blocks(header, PR_LANES, PR_MAX_BLOCK_ROWS);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    return pr_block_size(header, block) * pr_ceil_div(header->columns, 4) * 2;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t lanes = header->parameter, chunks = chunk_count(header->columns, lanes);
    int64_t first = run->block * header->block_rows, size = pr_block_size(header, run->block);
    pr_nm24_by_4_fn *kernel = lanes == 16 ? run->kernels->nm24_by_4_16 : run->kernels->nm24_by_4_8;
    for (int64_t i = 0; i < size; i += 4) {
        int64_t unit = (first + i) / 4;
        const float *values = (const float *)pr_section(header, VALUES) + unit * chunks * 4 * lanes;
        const uint32_t *words =
            (const uint32_t *)pr_section(header, WORDS) + unit * words_of_unit(header->columns, lanes);
        for (int64_t j = 0; j < run->tile; j++)
            kernel(run->sums + j * run->ld_sums + i, run->x + j * run->ldx, values, words, chunks);
    }
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    int64_t lanes = header->parameter, chunks = chunk_count(header->columns, lanes);
    for (int64_t row = 0; row < header->rows; row++) {
        const float *values = (const float *)pr_section(header, VALUES) + (row / 4 * chunks * 4 + row % 4) * lanes;
        const uint32_t *words =
            (const uint32_t *)pr_section(header, WORDS) + row / 4 * words_of_unit(header->columns, lanes);
        for (int64_t s = 0; s < chunks * lanes; s++) {
            int64_t chunk = s / lanes, lane = s % lanes, step = chunk % PR_PICK_STEPS(lanes);
            uint32_t word = words[chunk / PR_PICK_STEPS(lanes) * lanes + lane] >> (step * PR_PICK_BITS(lanes));
            float value = values[chunk * 4 * lanes + lane];
            if (!pr_is_filler(value))
                pr_unpack_put(to, row, chunk * 2 * lanes + (word & (uint32_t)(2 * lanes - 1)), value);
        }
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)n;
    return header->parameter == 16 ? PR_SLOT_nm24_by_4_16 : PR_SLOT_nm24_by_4_8;
}

const struct pr_form pr_form_nm24_by_4 = {
    .name = "nm24-by-4",
    .lanes_along_rows = 1,
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
