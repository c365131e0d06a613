/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/forms/windows_shared.h"

/* Entries of a row that were not taken yet. */
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

#define NONE INT32_MAX

static inline int32_t column_of(const struct pr_source *source, const struct cursor *row)
{
    return row->begin < row->end ? source->indices[row->begin] : NONE;
}

static inline int32_t least_of(const int32_t next[PR_LANES])
{
    int32_t least = next[0];
    for (int i = 1; i < PR_LANES; i++)
        least = next[i] < least ? next[i] : least;
    return least;
}

static int64_t count_slice(const struct pr_source *source, struct cursor *rows, int64_t count, int64_t lanes)
{
    int32_t next[PR_LANES], least;
    int64_t steps = 0, last = pr_padded(source->columns) / lanes - 2;
    for (int64_t i = 0; i < PR_LANES; i++)
        next[i] = i < count ? column_of(source, &rows[i]) : NONE;
    for (; (least = least_of(next)) != NONE; steps++) {
        int64_t start = least / lanes < last ? least / lanes : last, end = (start + 2) * lanes;
        for (int64_t i = 0; i < count; i++)
            if (next[i] < end) {
                rows[i].begin++;
                next[i] = column_of(source, &rows[i]);
            }
    }
    return steps;
}

/* A window begins with the vector that has the smallest column not yet taken. */
static int64_t fill_slice(const struct pr_source *source, int64_t first, struct cursor *rows, int64_t count,
                          const struct pr_windows *to, struct pr_slice *at)
{
    int32_t next[PR_LANES], least;
    int64_t lanes = to->lanes, last = pr_padded(source->columns) / lanes - 2, step = at->step;
    for (int64_t i = 0; i < PR_LANES; i++)
        next[i] = i < count ? column_of(source, &rows[i]) : NONE;
    int64_t s = 0;
    for (; (least = least_of(next)) != NONE; s++, step++) {
        int64_t start = least / lanes < last ? least / lanes : last, end = (start + 2) * lanes;
        uint32_t *words = to->words + (at->word + s / PR_PICK_STEPS(lanes)) * lanes, kept = 0;
        int shift = (int)(s % PR_PICK_STEPS(lanes)) * PR_PICK_BITS(lanes);
        for (int64_t i = 0; i < count; i++)
            if (next[i] < end) {
                words[i] |= (uint32_t)(next[i] - start * lanes) << shift;
                kept |= 1u << i;
                pr_encode_put(to->values, to->tight ? at->value++ : step * lanes + i, source->encoding,
                              source->values[rows[i].begin++], pr_source_scale(source, first + rows[i].row));
                next[i] = column_of(source, &rows[i]);
            }
        to->starts[step] = (uint16_t)start;
        to->kept[step] = (uint16_t)kept;
    }
    return s;
}

static void put_slice(const struct pr_windows *to, int64_t index, const struct pr_slice *slice)
{
    const int64_t numbers[3] = {slice->step, slice->word, slice->value};
    for (int64_t i = 0; to->slices && i < to->slice_words; i++)
        to->slices[index * to->slice_words + i] = numbers[i];
}

struct pr_slice pr_windows_walk(const struct pr_source *source, const struct pr_windows *to)
{
    struct cursor rows[PR_WINDOWS_BLOCK_ROWS];
    struct pr_slice at = {0, 0, 0};
    int64_t index = 0, lanes = to->lanes;
    for (int64_t first = 0; first < source->rows; first += to->block_rows) {
        int64_t size = load_block(source, first, to->block_rows, rows);
        for (int64_t i = 0; i < size; i += lanes) {
            int64_t count = size - i < lanes ? size - i : lanes, steps = 0, value = at.value;
            put_slice(to, index++, &at);
            for (int64_t l = i; l < i + count; l++) {
                value += rows[l].end - rows[l].begin;
                if (to->starts)
                    to->rows[first + l] = (uint16_t)rows[l].row;
            }
            if (to->starts)
                steps = fill_slice(source, first, rows + i, count, to, &at);
            else
                steps = count_slice(source, rows + i, count, lanes);
            at = (struct pr_slice){at.step + steps, at.word + pr_ceil_div(steps, PR_PICK_STEPS(lanes)), value};
        }
    }
    put_slice(to, index, &at);
    return at;
}

int64_t pr_windows_slice_count(int64_t rows, int64_t block_rows, int64_t lanes)
{
    return rows / block_rows * pr_ceil_div(block_rows, lanes) + pr_ceil_div(rows % block_rows, lanes);
}

/* Every row of a block stands in it once. */
static int32_t validate_rows(const struct pr_header *header, const uint16_t *rows, int64_t block)
{
    uint8_t seen[PR_WINDOWS_BLOCK_ROWS] = {0};
    int64_t size = pr_block_size(header, block);
    rows += block * header->block_rows;
    for (int64_t i = 0; i < size; i++) {
        if (rows[i] >= size || seen[rows[i]])
            return pr_fail(PRUNE_E_FORMAT, "row %u stands twice in block %lld of the packed data, or lies outside it",
                           (unsigned)rows[i], (long long)block);
        seen[rows[i]] = 1;
    }
    return PRUNE_OK;
}

int32_t pr_windows_validate(const struct pr_header *header, const struct pr_windows *windows, int64_t steps,
                            int64_t words)
{
    int64_t lanes = windows->lanes, width = windows->slice_words;
    int64_t slices = pr_windows_slice_count(header->rows, header->block_rows, lanes);
    const int64_t *slice = windows->slices, *last = slice + slices * width;
    if (slice[0] != 0 || slice[1] != 0 || last[0] != steps || last[1] != words)
        return pr_fail(PRUNE_E_FORMAT, "the slices of the packed data do not cover its %lld steps", (long long)steps);
    for (int64_t i = 0; i < slices; i++, slice += width)
        if (slice[0] > slice[width] || slice[1] > words || slice[width] > steps ||
            slice[width + 1] != slice[1] + pr_ceil_div(slice[width] - slice[0], PR_PICK_STEPS(lanes)))
            return pr_fail(PRUNE_E_FORMAT, "slice %lld of the packed data does not end where it should", (long long)i);
    for (int64_t s = 0; s < steps; s++)
        if (windows->starts[s] * lanes > pr_padded(header->columns) - 2 * lanes)
            return pr_fail(PRUNE_E_FORMAT, "step %lld of the packed data has a window at %lld of %lld columns",
                           (long long)s, (long long)(windows->starts[s] * lanes), (long long)header->columns);
    for (int64_t block = 0; block < pr_block_count(header); block++)
        PR_TRY(validate_rows(header, windows->rows, block));
    return PRUNE_OK;
}
