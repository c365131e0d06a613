/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows without gaps between the values: for matrices that come from memory rather than from a cache, where 16 lanes
 * with nothing to take in a third of them or more cost less to tell apart than to read. windows.h has the slices and
 * steps; the `kept` bits of a step say which lanes its values belong to.
 */
#include "core/kernels/gapless.h"
#include "core/sparse/forms/windows_shared.h"
#include "prune/context.h"

enum { SLICES, ROWS, STARTS, KEPT, WORDS, VALUES };

#define LANES 16
#define SLICE_WORDS 3 /* all of struct pr_slice */

static int can(const struct pr_source *source)
{
    return source->format != PR_SOURCE_DENSE && source->columns <= LANES * (int64_t)UINT16_MAX;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    return column_hint < 2 && (cpu & PRUNE_CPU_AVX2) && pr_from_memory(source);
}

static int32_t section_bytes(int64_t rows, int64_t slices, const struct pr_slice *end, int64_t *bytes)
{
    PR_TRY(pr_mul(slices + 1, (int64_t)sizeof(struct pr_slice), &bytes[SLICES]));
    PR_TRY(pr_mul(rows, (int64_t)sizeof(uint16_t), &bytes[ROWS]));
    PR_TRY(pr_mul(end->step, (int64_t)sizeof(uint16_t), &bytes[STARTS]));
    bytes[KEPT] = bytes[STARTS];
    PR_TRY(pr_mul(end->word, LANES * (int64_t)sizeof(uint32_t), &bytes[WORDS]));
    PR_TRY(pr_add(end->value, PR_GAPLESS_PAD, &bytes[VALUES]));
    return pr_mul(bytes[VALUES], (int64_t)sizeof(float), &bytes[VALUES]);
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    (void)cpu;
    struct pr_windows to = {
        .lanes = LANES,
        .block_rows = pr_choose_block_rows(source->rows, 256, PR_WINDOWS_BLOCK_ROWS),
        .slice_words = SLICE_WORDS,
        .tight = 1,
    };
    int64_t bytes[6], slices = pr_windows_slice_count(source->rows, to.block_rows, to.lanes);
    struct pr_slice end = pr_windows_walk(source, &to);
    PR_TRY(section_bytes(source->rows, slices, &end, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 6));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = end.value;
    header->block_rows = to.block_rows;
    header->parameter = LANES;
    to.slices = pr_section(header, SLICES);
    to.rows = pr_section(header, ROWS);
    to.starts = pr_section(header, STARTS);
    to.kept = pr_section(header, KEPT);
    to.words = pr_section(header, WORDS);
    to.values = pr_section(header, VALUES);
    pr_windows_walk(source, &to);
    return PRUNE_OK;
}

/* What the `kept` bits say each slice has is what it has. */
static int32_t validate_values(const struct pr_header *header, int64_t slices)
{
    const struct pr_slice *slice = pr_section(header, SLICES);
    const uint16_t *kept = pr_section(header, KEPT);
    int64_t value = 0;
    for (int64_t i = 0; i <= slices; i++) {
        if (slice[i].value != value)
            return pr_fail(PRUNE_E_FORMAT, "slice %lld of the packed data begins at value %lld instead of %lld",
                           (long long)i, (long long)slice[i].value, (long long)value);
        for (int64_t s = slice[i].step; i < slices && s < slice[i + 1].step; s++)
            value += __builtin_popcount(kept[s]);
    }
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[6];
    if (header->parameter != LANES)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has vectors of %lld lanes; %d are possible",
                       (long long)header->parameter, LANES);
    PR_TRY(pr_blob_expect_blocks(header, LANES, PR_WINDOWS_BLOCK_ROWS));
    int64_t slices = pr_windows_slice_count(header->rows, header->block_rows, LANES);
    const struct pr_slice end = {
        .step = header->section_bytes[STARTS] / (int64_t)sizeof(uint16_t),
        .word = header->section_bytes[WORDS] / (LANES * (int64_t)sizeof(uint32_t)),
        .value = header->section_bytes[VALUES] / (int64_t)sizeof(float) - PR_GAPLESS_PAD,
    };
    PR_TRY(section_bytes(header->rows, slices, &end, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 6));
    const struct pr_windows windows = {
        .lanes = LANES,
        .slices = pr_section(header, SLICES),
        .slice_words = SLICE_WORDS,
        .rows = pr_section(header, ROWS),
        .starts = pr_section(header, STARTS),
    };
    PR_TRY(pr_windows_validate(header, &windows, end.step, end.word));
    PR_TRY(validate_values(header, slices));
    if (((const struct pr_slice *)pr_section(header, SLICES))[slices].value != end.value)
        return pr_fail(PRUNE_E_FORMAT, "the slices of the packed data do not cover its %lld values",
                       (long long)end.value);
    return PRUNE_OK;
}

static const struct pr_slice *first_slice(const struct pr_header *header, int64_t block)
{
    return (const struct pr_slice *)pr_section(header, SLICES) + block * pr_ceil_div(header->block_rows, LANES);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    const struct pr_slice *slice = first_slice(header, block);
    return (slice[pr_ceil_div(pr_block_size(header, block), LANES)].step - slice[0].step) * LANES;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t size = pr_block_size(header, run->block);
    const struct pr_slice *slice = first_slice(header, run->block);
    const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + run->block * header->block_rows;
    const uint16_t *starts = pr_section(header, STARTS), *kept = pr_section(header, KEPT);
    const uint32_t *words = pr_section(header, WORDS);
    const float *values = pr_section(header, VALUES);
    _Alignas(64) float sums[LANES];
    for (int64_t i = 0; i < size; i += LANES, slice++, rows += LANES) {
        int64_t step = slice->step, count = size - i < LANES ? size - i : LANES;
        for (int64_t j = 0; j < run->tile; j++) {
            run->kernels->windows_tight(sums, run->x + j * run->ldx, starts + step, values + slice->value,
                                        words + slice->word * LANES, kept + step, slice[1].step - step, run->finite);
            for (int64_t l = 0; l < count; l++)
                run->sums[j * run->ld_sums + rows[l]] = sums[l];
        }
    }
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    const struct pr_slice *slice = pr_section(header, SLICES);
    const uint16_t *starts = pr_section(header, STARTS), *kept = pr_section(header, KEPT);
    const uint32_t *words = pr_section(header, WORDS);
    const float *value = pr_section(header, VALUES);
    for (int64_t first = 0; first < header->rows; first += header->block_rows) {
        int64_t size = pr_block_size(header, first / header->block_rows);
        const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + first;
        for (int64_t i = 0; i < size; i += LANES, slice++)
            for (int64_t s = slice->step; s < slice[1].step; s++)
                for (int64_t l = 0; l < LANES; l++) {
                    if (!(kept[s] >> l & 1))
                        continue;
                    int64_t at =
                        starts[s] * LANES + pr_windows_position(words + slice->word * LANES, s - slice->step, l, LANES);
                    if (i + l < size)
                        pr_unpack_put(to, first + rows[i + l], at, *value);
                    value++;
                }
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    (void)n;
    return PR_SLOT_windows_tight;
}

const struct pr_form pr_form_windows_tight = {
    .name = "windows-tight",
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
