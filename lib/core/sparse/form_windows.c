/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Windows: any pattern, for one or a few columns of X, lanes along the rows of W. The rows of a block are sorted by
 * length and cut into slices of L; a slice is a list of steps, each with a window of 2 L columns in which every lane
 * takes its next entry, if it has one there. A permute picks X out of the window, so nothing is gathered. L is 16 or 8.
 *
 * A lane that has nothing to take has value 0 and some position: harmless while X is finite. Where it is not, the
 * `kept` bits of each step say which lanes count.
 */
#include <string.h>

#include "core/sparse/form.h"
#include "prune/context.h"

enum { SLICES, ROWS, STARTS, KEPT, WORDS, VALUES };

#define MOST_BLOCK_ROWS 512

/* Where the steps of a slice begin, and its words; a last one says where they end. */
struct slice {
    int64_t step, word;
};

static int can(const struct pr_source *source)
{
    return source->format != PR_SOURCE_DENSE && source->columns <= 8 * (int64_t)UINT16_MAX;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    return column_hint < 7 && (cpu & PRUNE_CPU_AVX2);
}

/* Entries of each row of a block: its place in the source, and how far it has been taken. */
struct cursor {
    int64_t begin, end;
    int32_t row; /* within the block */
};

/* Longest first, then by row: a merge would be faster, but blocks are small. */
static void sort_rows(struct cursor *rows, int64_t count)
{
    for (int64_t gap = count / 2; gap > 0; gap /= 2)
        for (int64_t i = gap; i < count; i++) {
            struct cursor one = rows[i];
            int64_t length = one.end - one.begin, j = i;
            for (; j >= gap; j -= gap) {
                const struct cursor *other = &rows[j - gap];
                int64_t other_length = other->end - other->begin;
                if (other_length > length || (other_length == length && other->row < one.row))
                    break;
                rows[j] = *other;
            }
            rows[j] = one;
        }
}

static int64_t load_block(const struct pr_source *source, int64_t first, int64_t most, struct cursor *rows)
{
    int64_t count = source->rows - first < most ? source->rows - first : most;
    for (int64_t i = 0; i < count; i++) {
        pr_source_row(source, first + i, &rows[i].begin, &rows[i].end);
        rows[i].row = (int32_t)i;
    }
    sort_rows(rows, count);
    return count;
}

/* The next window of a slice: it begins with the vector that has the smallest column not yet taken. -1: all done. */
static int64_t next_window(const struct pr_source *source, const struct cursor *rows, int64_t count, int64_t lanes)
{
    int64_t least = INT64_MAX;
    for (int64_t i = 0; i < count; i++)
        if (rows[i].begin < rows[i].end && source->indices[rows[i].begin] < least)
            least = source->indices[rows[i].begin];
    if (least == INT64_MAX)
        return -1;
    int64_t last = pr_padded(source->columns) / lanes - 2, start = least / lanes;
    return start < last ? start : last;
}

/* Where the steps go; all NULL while they are only counted. */
struct target {
    uint16_t *starts, *kept;
    uint32_t *words;
    void *values;
};

static int64_t take_slice(const struct pr_source *source, int64_t first, struct cursor *rows, int64_t count,
                          int64_t lanes, const struct target *to)
{
    int64_t step = 0, start;
    for (; (start = next_window(source, rows, count, lanes)) >= 0; step++)
        for (int64_t i = 0; i < count; i++) {
            if (to->starts)
                to->starts[step] = (uint16_t)start;
            int64_t at = rows[i].begin < rows[i].end ? source->indices[rows[i].begin] - start * lanes : 2 * lanes;
            if (at >= 2 * lanes)
                continue;
            if (to->starts) {
                to->kept[step] |= (uint16_t)(1u << i);
                to->words[step / PR_PICK_STEPS(lanes) * lanes + i] |=
                    (uint32_t)at << (step % PR_PICK_STEPS(lanes) * PR_PICK_BITS(lanes));
                pr_encode_put(to->values, step * lanes + i, source->encoding, source->values[rows[i].begin],
                              pr_source_scale(source, first + rows[i].row));
            }
            rows[i].begin++;
        }
    return step;
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

static int64_t slices_of_block(int64_t size, int64_t lanes)
{
    return pr_ceil_div(size, lanes);
}

static int64_t slice_count(int64_t rows, int64_t block_rows, int64_t lanes)
{
    return rows / block_rows * slices_of_block(block_rows, lanes) + slices_of_block(rows % block_rows, lanes);
}

/* Goes over all slices: counts them, or with a header packs them. */
static struct slice walk(const struct pr_header *header, const struct pr_source *source, int64_t block_rows,
                         int64_t lanes, struct cursor *rows)
{
    struct slice at = {0, 0}, *slice = header ? pr_section(header, SLICES) : NULL;
    for (int64_t first = 0; first < source->rows; first += block_rows) {
        int64_t count = load_block(source, first, block_rows, rows);
        for (int64_t i = 0; i < count; i += lanes) {
            struct target to = {0};
            if (header) {
                *slice++ = at;
                to.starts = (uint16_t *)pr_section(header, STARTS) + at.step;
                to.kept = (uint16_t *)pr_section(header, KEPT) + at.step;
                to.words = (uint32_t *)pr_section(header, WORDS) + at.word * lanes;
                to.values = (char *)pr_section(header, VALUES) + at.step * lanes * pr_encoding_bytes(header->encoding);
                for (int64_t l = i; l < i + lanes && l < count; l++)
                    ((uint16_t *)pr_section(header, ROWS))[first + l] = (uint16_t)rows[l].row;
            }
            int64_t steps = take_slice(source, first, rows + i, count - i < lanes ? count - i : lanes, lanes, &to);
            at.step += steps;
            at.word += pr_ceil_div(steps, PR_PICK_STEPS(lanes));
        }
    }
    if (header)
        *slice = at;
    return at;
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
    int64_t bytes[6], lanes = cpu & PRUNE_CPU_AVX512 ? 16 : 8;
    int64_t block_rows = pr_choose_block_rows(source->rows, 256, MOST_BLOCK_ROWS);
    struct cursor *rows = NULL;
    PR_TRY(pr_alloc(blob->context, block_rows, sizeof *rows, &rows));
    struct slice end = walk(NULL, source, block_rows, lanes, rows);
    int32_t status = section_bytes(source->rows, slice_count(source->rows, block_rows, lanes), end.step, end.word,
                                   lanes, source->encoding, bytes);
    if (!status)
        status = pr_blob_begin(blob, bytes, 6);
    if (!status) {
        struct pr_header *header = blob->header;
        header->rows = source->rows;
        header->columns = source->columns;
        header->stored = count_entries(source);
        header->block_rows = block_rows;
        header->parameter = lanes;
        walk(header, source, block_rows, lanes, rows);
    }
    pr_release(blob->context, rows);
    return status;
}

/* Every row of a block stands in it once. */
static int32_t validate_rows(const struct pr_header *header, int64_t block)
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
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t lanes = header->parameter, bytes[6];
    if (lanes != 8 && lanes != 16)
        return pr_fail(PRUNE_E_FORMAT, "the packed data has vectors of %lld lanes; 8 or 16 are possible",
                       (long long)lanes);
    PR_TRY(pr_blob_expect_blocks(header, PR_LANES, MOST_BLOCK_ROWS));
    int64_t slices = slice_count(header->rows, header->block_rows, lanes);
    int64_t steps = header->section_bytes[STARTS] / (int64_t)sizeof(uint16_t);
    int64_t words = header->section_bytes[WORDS] / (lanes * (int64_t)sizeof(uint32_t));
    PR_TRY(section_bytes(header->rows, slices, steps, words, lanes, header->encoding, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 6));
    const struct slice *slice = pr_section(header, SLICES);
    const uint16_t *starts = pr_section(header, STARTS);
    if (slice[0].step != 0 || slice[0].word != 0 || slice[slices].step != steps || slice[slices].word != words)
        return pr_fail(PRUNE_E_FORMAT, "the slices of the packed data do not cover its %lld steps", (long long)steps);
    for (int64_t i = 0; i < slices; i++)
        if (slice[i].step > slice[i + 1].step || slice[i].word > words ||
            slice[i + 1].word - slice[i].word != pr_ceil_div(slice[i + 1].step - slice[i].step, PR_PICK_STEPS(lanes)))
            return pr_fail(PRUNE_E_FORMAT, "slice %lld of the packed data does not end where it should", (long long)i);
    for (int64_t s = 0; s < steps; s++)
        if (starts[s] * lanes > pr_padded(header->columns) - 2 * lanes)
            return pr_fail(PRUNE_E_FORMAT, "step %lld of the packed data has a window at %lld of %lld columns",
                           (long long)s, (long long)(starts[s] * lanes), (long long)header->columns);
    for (int64_t block = 0; block < pr_block_count(header); block++)
        PR_TRY(validate_rows(header, block));
    return PRUNE_OK;
}

static int64_t first_slice(const struct pr_header *header, int64_t block)
{
    return block * slices_of_block(header->block_rows, header->parameter);
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    const struct slice *slice = (const struct slice *)pr_section(header, SLICES) + first_slice(header, block);
    int64_t count = slices_of_block(pr_block_size(header, block), header->parameter);
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
    int64_t lanes = header->parameter, steps = PR_PICK_STEPS(lanes);
    const struct slice *slice = pr_section(header, SLICES);
    const uint16_t *starts = pr_section(header, STARTS), *kept = pr_section(header, KEPT);
    const uint32_t *words = pr_section(header, WORDS);
    const void *values = pr_section(header, VALUES);
    for (int64_t first = 0; first < header->rows; first += header->block_rows) {
        int64_t size = pr_block_size(header, first / header->block_rows);
        const uint16_t *rows = (const uint16_t *)pr_section(header, ROWS) + first;
        for (int64_t i = 0; i < size; i += lanes, slice++)
            for (int64_t s = slice->step; s < slice[1].step; s++)
                for (int64_t l = 0; l < lanes && i + l < size; l++) {
                    int64_t at = s - slice->step;
                    uint32_t word = words[(slice->word + at / steps) * lanes + l] >> (at % steps * PR_PICK_BITS(lanes));
                    if (kept[s] >> l & 1)
                        pr_unpack_put(to, first + rows[i + l], starts[s] * lanes + (word & (uint32_t)(2 * lanes - 1)),
                                      pr_encode_get(values, s * lanes + l, header->encoding,
                                                    pr_scale_of(header, first + rows[i + l])));
                }
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
