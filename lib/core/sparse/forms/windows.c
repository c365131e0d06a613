/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows: any pattern, for one or a few columns of X, lanes along the rows of W; windows.h has the slices and steps. A
 * permute picks X out of the window, so nothing is gathered. L is 16 or 8.
 *
 * A lane that has nothing to take has value 0 and some position: harmless while X is finite. Where it is not, the
 * `kept` bits of each step say which lanes count.
 */
#include "core/sparse/forms/windows_shared.h"
#include "prune/context.h"

enum { SLICES, ROWS, STARTS, KEPT, WORDS, VALUES };

struct slice {
    int64_t step, word;
};

static int can(const struct pr_source *source)
{
    return source->format != PR_SOURCE_DENSE && source->columns <= 8 * (int64_t)UINT16_MAX;
}

/* Without gaps between its values a matrix is read from memory sooner: this is for caches. */
static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    return column_hint < 7 && (cpu & PRUNE_CPU_AVX2);
}

static int32_t section_bytes(int64_t rows, int64_t slices, int64_t steps, int64_t words, int64_t lanes,
                             int64_t encoding, int64_t *bytes)
{
    PR_TRY(pr_mul(slices + 1, (int64_t)sizeof(struct slice), &bytes[SLICES]));
    PR_TRY(pr_mul(rows, (int64_t)sizeof(uint16_t), &bytes[ROWS]));
    PR_TRY(pr_mul(steps, (int64_t)sizeof(uint16_t), &bytes[STARTS]));
    bytes[KEPT] = bytes[STARTS];
    PR_TRY(pr_mul(words, lanes * (int64_t)sizeof(uint32_t), &bytes[WORDS]));
    return pr_mul(steps, lanes * pr_encoding_bytes(encoding), &bytes[VALUES]);
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    struct pr_windows to = {
        .lanes = cpu & PRUNE_CPU_AVX512 ? 16 : 8,
        .block_rows = pr_choose_block_rows(source->rows, 256, PR_WINDOWS_BLOCK_ROWS),
        .slice_words = 2,
    };
    int64_t bytes[6], slices = pr_windows_slice_count(source->rows, to.block_rows, to.lanes);
    struct pr_slice end = pr_windows_walk(source, &to);
    PR_TRY(section_bytes(source->rows, slices, end.step, end.word, to.lanes, source->encoding, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 6));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = end.value;
    header->block_rows = to.block_rows;
    header->parameter = to.lanes;
    to.slices = pr_section(header, SLICES);
    to.rows = pr_section(header, ROWS);
    to.starts = pr_section(header, STARTS);
    to.kept = pr_section(header, KEPT);
    to.words = pr_section(header, WORDS);
    to.values = pr_section(header, VALUES);
    pr_windows_walk(source, &to);
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t lanes = header->parameter, bytes[6];
    if (lanes != 8 && lanes != 16)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has vectors of %lld lanes; 8 or 16 are possible",
                       (long long)lanes);
    PR_TRY(pr_blob_expect_blocks(header, PR_LANES, PR_WINDOWS_BLOCK_ROWS));
    int64_t slices = pr_windows_slice_count(header->rows, header->block_rows, lanes);
    int64_t steps = header->section_bytes[STARTS] / (int64_t)sizeof(uint16_t);
    int64_t words = header->section_bytes[WORDS] / (lanes * (int64_t)sizeof(uint32_t));
    PR_TRY(section_bytes(header->rows, slices, steps, words, lanes, header->encoding, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 6));
    const struct pr_windows windows = {
        .lanes = lanes,
        .slices = pr_section(header, SLICES),
        .slice_words = 2,
        .rows = pr_section(header, ROWS),
        .starts = pr_section(header, STARTS),
    };
    return pr_windows_validate(header, &windows, steps, words);
}

static int64_t first_slice(const struct pr_header *header, int64_t block)
{
    return block * pr_ceil_div(header->block_rows, header->parameter);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    const struct slice *slice = (const struct slice *)pr_section(header, SLICES) + first_slice(header, block);
    int64_t count = pr_ceil_div(pr_block_size(header, block), header->parameter);
    return (slice[count].step - slice[0].step) * header->parameter;
}

static void run_slice(const struct pr_block_run *run, float *sums, const float *x, const uint16_t *starts,
                      const void *values, const uint32_t *words, const uint16_t *kept, int64_t steps)
{
    const struct pr_kernels *kernels = run->kernels;
    int64_t encoding = run->header->encoding, wide = run->header->parameter == 16;
    pr_windows_values_fn *const encoded[PR_ENCODINGS][2] = {{NULL, NULL},
                                                            {kernels->windows_8_f16, kernels->windows_16_f16},
                                                            {kernels->windows_8_bf16, kernels->windows_16_bf16},
                                                            {kernels->windows_8_int8, kernels->windows_16_int8}};
    if (encoding == PR_VALUES_F32)
        (wide ? kernels->windows_16 : kernels->windows_8)(sums, x, starts, values, words, kept, steps, run->finite);
    else
        encoded[encoding][wide](sums, x, starts, values, words, kept, steps, run->finite);
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    int64_t lanes = header->parameter, size = pr_block_size(header, run->block);
    const struct slice *slice = (const struct slice *)pr_section(header, SLICES) + first_slice(header, run->block);
    const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + run->block * header->block_rows;
    const uint16_t *starts = pr_section(header, STARTS), *kept = pr_section(header, KEPT);
    const uint32_t *words = pr_section(header, WORDS);
    const char *values = pr_section(header, VALUES);
    int64_t bytes = lanes * pr_encoding_bytes(header->encoding);
    _Alignas(64) float sums[PR_LANES];
    for (int64_t i = 0; i < size; i += lanes, slice++, rows += lanes) {
        int64_t step = slice->step, count = size - i < lanes ? size - i : lanes;
        for (int64_t j = 0; j < run->tile; j++) {
            run_slice(run, sums, run->x + j * run->ldx, starts + step, values + step * bytes,
                      words + slice->word * lanes, kept + step, slice[1].step - step);
            for (int64_t l = 0; l < count; l++)
                run->sums[j * run->ld_sums + rows[l]] = sums[l];
        }
    }
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    int64_t lanes = header->parameter;
    const struct slice *slice = pr_section(header, SLICES);
    const uint16_t *starts = pr_section(header, STARTS), *kept = pr_section(header, KEPT);
    const uint32_t *words = pr_section(header, WORDS);
    const void *values = pr_section(header, VALUES);
    for (int64_t first = 0; first < header->rows; first += header->block_rows) {
        int64_t size = pr_block_size(header, first / header->block_rows);
        const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + first;
        for (int64_t i = 0; i < size; i += lanes, slice++)
            for (int64_t s = slice->step; s < slice[1].step; s++)
                for (int64_t l = 0; l < lanes && i + l < size; l++)
                    if (kept[s] >> l & 1)
                        pr_unpack_put(to, first + rows[i + l],
                                      starts[s] * lanes +
                                          pr_windows_position(words + slice->word * lanes, s - slice->step, l, lanes),
                                      pr_encode_get(values, s * lanes + l, header->encoding,
                                                    pr_scale_of(header, first + rows[i + l])));
    }
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    static const enum pr_slot slots[PR_ENCODINGS][2] = {{PR_SLOT_windows_8, PR_SLOT_windows_16},
                                                        {PR_SLOT_windows_8_f16, PR_SLOT_windows_16_f16},
                                                        {PR_SLOT_windows_8_bf16, PR_SLOT_windows_16_bf16},
                                                        {PR_SLOT_windows_8_int8, PR_SLOT_windows_16_int8}};
    (void)n;
    return slots[header->encoding][header->parameter == 16];
}

const struct pr_form pr_form_windows = {
    .name = "windows",
    .lanes_along_rows = 1,
    .x_group = PR_X_WHOLE,
    .needs_finite = 1,
    .any_encoding = 1,
    .tile = 16,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
