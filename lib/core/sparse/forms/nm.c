/* SPDX-License-Identifier: BSD-2-Clause
 *
 * N:M of groups of 2, 4, 8 or 16, with lanes along the rows of W: strips of 64 rows (the last one of a multiple of 16).
 * For each stored position of a group a vector of values, and its place in the group in 1, 2 or 4 bits of a word that
 * each row has, lowest bits first. The columns of a group of X are permuted by them, so nothing is gathered.
 */
#include "core/sparse/forms/form.h"
#include "prune/context.h"

enum { VALUES, WORDS };

/* header->parameter */
#define PARAMETER(keep_n, group_m) ((keep_n)*256 + (group_m))
#define KEEP_N(header) ((int)((header)->parameter / 256))
#define GROUP_M(header) ((int)((header)->parameter % 256))

static int can(const struct pr_source *source)
{
    int32_t m = source->group_m;
    return source->format == PR_SOURCE_NM && (m == 2 || m == 4 || m == 8 || m == 16);
}

/* Plain 2:4 in F32 has forms of its own. */
static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    if (source->encoding == PR_VALUES_F32 && source->keep_n == 2 && source->group_m == 4)
        return 0;
    return column_hint < (cpu & PRUNE_CPU_AVX512 ? 32 : 16) || source->encoding != PR_VALUES_F32;
}

static int64_t strip_lanes(const struct pr_header *header, int64_t first_row)
{
    int64_t lanes = pr_ceil_div(header->rows - first_row, PR_LANES) * PR_LANES;
    return lanes < PR_STRIP ? lanes : PR_STRIP;
}

static int64_t step_count(const struct pr_header *header)
{
    return pr_ceil_div(header->columns, GROUP_M(header)) * KEEP_N(header);
}

static int64_t words_per_row(const struct pr_header *header)
{
    return pr_ceil_div(step_count(header), 32 / pr_nm_bits(GROUP_M(header)));
}

static int32_t section_bytes(int64_t rows, int64_t columns, int64_t parameter, int64_t encoding, int64_t *bytes)
{
    const struct pr_header sizes = {.columns = columns, .parameter = parameter};
    int64_t lanes = 0;
    PR_TRY(pr_add(rows, PR_LANES - 1, &lanes));
    lanes = lanes / PR_LANES * PR_LANES;
    PR_TRY(pr_mul(lanes, step_count(&sizes), &bytes[VALUES]));
    PR_TRY(pr_mul(bytes[VALUES], pr_encoding_bytes(encoding), &bytes[VALUES]));
    PR_TRY(pr_mul(lanes, words_per_row(&sizes), &bytes[WORDS]));
    return pr_mul(bytes[WORDS], (int64_t)sizeof(uint32_t), &bytes[WORDS]);
}

/* Where the values of a strip begin. */
static void *strip_values(const struct pr_header *header, int64_t first_row)
{
    return (char *)pr_section(header, VALUES) + first_row * step_count(header) * pr_encoding_bytes(header->encoding);
}

static uint32_t *row_words(const struct pr_header *header, int64_t row)
{
    int64_t first = row / PR_STRIP * PR_STRIP;
    return (uint32_t *)pr_section(header, WORDS) + first * words_per_row(header) + (row - first);
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    (void)column_hint;
    int64_t bytes[2], parameter = PARAMETER(source->keep_n, source->group_m);
    PR_TRY(section_bytes(source->rows, source->columns, parameter, source->encoding, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 2));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->parameter = parameter;
    header->block_rows = pr_choose_block_rows(source->rows, PR_STRIP, 4 * PR_STRIP);
    header->stored = source->rows * source->per_row;
    int bits = pr_nm_bits(source->group_m), per_word = 32 / bits;
    for (int64_t row = 0; row < source->rows; row++) {
        int64_t first = row / PR_STRIP * PR_STRIP, lanes = strip_lanes(header, first);
        float scale = pr_source_scale(source, row);
        void *values = strip_values(header, first);
        uint32_t *words = row_words(header, row);
        for (int64_t s = 0; s < source->per_row; s++) {
            int64_t from = row * source->per_row + s;
            pr_encode_put(values, s * lanes + (row - first), source->encoding, source->values[from], scale);
            words[s / per_word * lanes] |= (uint32_t)(source->indices[from] % source->group_m)
                                           << (bits * (s % per_word));
        }
    }
    return PRUNE_OK;
}

/* No word can leave its group of packed X, which is padded to 32 columns. */
static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[2], m = GROUP_M(header);
    if (header->parameter < 0 || header->parameter > PARAMETER(16, 16) || KEEP_N(header) < 1 || KEEP_N(header) > m ||
        (m != 2 && m != 4 && m != 8 && m != 16))
        return pr_fail(PRUNE_E_FORMAT, "the packed data keeps %d of %d; groups of 2, 4, 8 or 16 are possible",
                       KEEP_N(header), GROUP_M(header));
    PR_TRY(section_bytes(header->rows, header->columns, header->parameter, header->encoding, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 2));
    return pr_blob_expect_blocks(header, PR_STRIP, PR_MAX_BLOCK_ROWS);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    return pr_block_size(header, block) * step_count(header);
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    pr_nm_strip_fn *const kernels[PR_ENCODINGS] = {run->kernels->nm_strip_f32, run->kernels->nm_strip_f16,
                                                   run->kernels->nm_strip_bf16, run->kernels->nm_strip_int8};
    int64_t first = run->block * header->block_rows, end = first + pr_block_size(header, run->block);
    int64_t groups = pr_ceil_div(header->columns, GROUP_M(header));
    for (int64_t row = first; row < end; row += PR_STRIP)
        kernels[header->encoding](run->sums + (row - first), run->ld_sums, run->x, run->ldx, run->tile,
                                  strip_values(header, row), row_words(header, row), groups, strip_lanes(header, row),
                                  KEEP_N(header), GROUP_M(header));
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    int bits = pr_nm_bits(GROUP_M(header)), per_word = 32 / bits, m = GROUP_M(header);
    for (int64_t row = 0; row < header->rows; row++) {
        int64_t first = row / PR_STRIP * PR_STRIP, lanes = strip_lanes(header, first);
        const void *values = strip_values(header, first);
        const uint32_t *words = row_words(header, row);
        float scale = pr_scale_of(header, row);
        for (int64_t s = 0; s < step_count(header); s++) {
            float value = pr_encode_get(values, s * lanes + (row - first), header->encoding, scale);
            int64_t at = words[s / per_word * lanes] >> (bits * (s % per_word)) & (uint32_t)(m - 1);
            if (!pr_is_filler(value))
                pr_unpack_put(to, row, s / KEEP_N(header) * m + at, value);
        }
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    static const enum pr_slot slots[PR_ENCODINGS] = {PR_SLOT_nm_strip_f32, PR_SLOT_nm_strip_f16, PR_SLOT_nm_strip_bf16,
                                                     PR_SLOT_nm_strip_int8};
    (void)n;
    return slots[header->encoding];
}

const struct pr_form pr_form_nm = {
    .name = "nm-strips",
    .lanes_along_rows = 1,
    .column_order = 1,
    .any_encoding = 1,
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
