/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/packed/source.h"

#include <string.h>

#include "core/quantize/codebook.h"
#include "core/sparse/formats/elements.h"

/* Blocks as CSR, zeros inside of them included, what lies beyond the matrix left out. */
static int32_t entries_of_blocks(struct pr_owned_source *owned, const prune_sparse *sparse)
{
    struct pr_source *source = &owned->source;
    const int64_t height = sparse->block_rows, width = sparse->block_columns;
    int64_t stored = 0, next = 0;
    PR_TRY(pr_alloc(owned->context, sparse->rows + 1, sizeof *owned->indptr, &owned->indptr));
    owned->indptr[0] = 0;
    for (int64_t row = 0; row < sparse->rows; row++) {
        int64_t line = row / height, begin = sparse->indptr[line], end = sparse->indptr[line + 1];
        int64_t last = end > begin ? (int64_t)sparse->indices[end - 1] + 1 : 0;
        stored += (end - begin) * width - (last * width > sparse->columns ? last * width - sparse->columns : 0);
        owned->indptr[row + 1] = stored;
    }
    int32_t status = pr_alloc(owned->context, stored, sizeof *owned->indices, &owned->indices);
    if (!status)
        status = pr_alloc(owned->context, stored, sizeof *owned->values, &owned->values);
    if (status) {
        pr_source_release(owned);
        return status;
    }
    for (int64_t row = 0; row < sparse->rows; row++)
        for (int64_t block = sparse->indptr[row / height]; block < sparse->indptr[row / height + 1]; block++) {
            int64_t first = sparse->indices[block] * width;
            const float *from = sparse->values + (block * height + row % height) * width;
            for (int64_t c = 0; c < width && first + c < sparse->columns; c++) {
                owned->indices[next] = (int32_t)(first + c);
                owned->values[next++] = from[c];
            }
        }
    source->format = PR_SOURCE_CSR;
    source->block_rows = height;
    source->block_columns = width;
    source->indptr = owned->indptr;
    source->indices = owned->indices;
    source->values = owned->values;
    return PRUNE_OK;
}

int64_t pr_source_entries(const struct pr_source *source)
{
    int64_t entries = 0, begin, end;
    if (source->format == PR_SOURCE_CSR)
        return source->indptr[source->rows];
    for (int64_t row = 0; row < source->rows; row++) {
        pr_source_row(source, row, &begin, &end);
        entries += end - begin;
    }
    return entries;
}

/* In 16-bit indices; second-level caches have 1 or 2 MiB, and of a third one others use their part. */
int pr_from_memory(const struct pr_source *source)
{
    return pr_source_entries(source) * 6 > (int64_t)4 << 20;
}

int32_t pr_source_of(struct pr_owned_source *owned, const prune_sparse *sparse)
{
    memset(owned, 0, sizeof *owned);
    struct pr_source *source = &owned->source;
    owned->context = sparse->context;
    source->rows = sparse->rows;
    source->columns = sparse->columns;
    source->values = sparse->values;
    if (sparse->format == &pr_format_dense) {
        source->format = PR_SOURCE_DENSE;
        return PRUNE_OK;
    }
    if (sparse->format == &pr_format_csr) {
        source->format = PR_SOURCE_CSR;
        source->indptr = sparse->indptr;
        source->indices = sparse->indices;
        return PRUNE_OK;
    }
    if (sparse->format == &pr_format_bsr)
        return entries_of_blocks(owned, sparse);
    if (sparse->format->each) {
        int32_t status = pr_elements_to_source(owned, sparse);
        if (status)
            pr_source_release(owned);
        return status;
    }
    source->format = PR_SOURCE_NM;
    source->keep_n = sparse->keep_n;
    source->group_m = sparse->group_m;
    source->unit_rows = sparse->unit_rows;
    source->per_row = sparse->keep_n * sparse->groups;
    if (sparse->columns > INT32_MAX - sparse->group_m)
        return pr_fail(PRUNE_E_UNSUPPORTED, "a matrix of %lld columns; up to %d can be packed",
                       (long long)sparse->columns, INT32_MAX - (int)sparse->group_m);
    PR_TRY(pr_alloc(owned->context, sparse->stored, sizeof *owned->indices, &owned->indices));
    for (int64_t row = 0; sparse->groups && row < sparse->rows; row++)
        for (int64_t i = 0; i < source->per_row; i++)
            owned->indices[row * source->per_row + i] =
                (int32_t)(i / sparse->keep_n * sparse->group_m) +
                pr_nm_position(sparse->positions + row * sparse->position_bytes, i, sparse->position_bits);
    source->indices = owned->indices;
    return PRUNE_OK;
}

void pr_source_release(struct pr_owned_source *owned)
{
    pr_release(owned->context, owned->indptr);
    pr_release(owned->context, owned->indices);
    pr_release(owned->context, owned->values);
    pr_release(owned->context, owned->scales);
    pr_release(owned->context, owned->codes);
    pr_release(owned->context, owned->codebook);
    memset(owned, 0, sizeof *owned);
}

/* Anything to CSR, without what is 0. */
static int32_t to_csr(struct pr_owned_source *to, const struct pr_source *from)
{
    int64_t stored = 0, next = 0;
    for (int64_t row = 0; row < from->rows; row++)
        for (int64_t e = pr_source_begin(from, row); e < pr_source_begin(from, row + 1); e++)
            stored += from->values[e] != 0;
    PR_TRY(pr_alloc(to->context, from->rows + 1, sizeof *to->indptr, &to->indptr));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->indices, &to->indices));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->values, &to->values));
    for (int64_t row = 0; row < from->rows; row++) {
        to->indptr[row] = next;
        for (int64_t e = pr_source_begin(from, row); e < pr_source_begin(from, row + 1); e++)
            if (from->values[e] != 0) {
                to->indices[next] = (int32_t)pr_source_column(from, row, e);
                to->values[next++] = from->values[e];
            }
    }
    to->indptr[from->rows] = next;
    return PRUNE_OK;
}

/* Which columns of a group the rows of a unit store, fillers at the highest free ones. cursor[i]: the next entry of row
 * first + i. */
static int32_t choose_positions(const struct pr_source *from, const struct pr_source *to, int64_t first, int64_t end,
                                int64_t begin, const int64_t *cursor, uint8_t taken[256])
{
    int32_t count = 0;
    memset(taken, 0, 256);
    for (int64_t row = first; row < end; row++)
        for (int64_t e = cursor[row]; e < from->indptr[row + 1] && from->indices[e] < begin + to->group_m; e++) {
            uint8_t *at = &taken[from->indices[e] - begin];
            count += !*at;
            *at = 1;
            if (count > to->keep_n)
                return pr_fail(PRUNE_E_VALUE, "packed: row %lld, column %d is one more than the %d of %d wanted",
                               (long long)row, (int)from->indices[e], (int)to->keep_n, (int)to->group_m);
        }
    for (int32_t i = to->group_m - 1; count < to->keep_n; i--) {
        count += !taken[i];
        taken[i] = 1;
    }
    return PRUNE_OK;
}

static int32_t fill_nm(struct pr_owned_source *to, const struct pr_source *from, int64_t *cursor)
{
    const struct pr_source *nm = &to->source;
    memcpy(cursor, from->indptr, (size_t)from->rows * sizeof *cursor);
    for (int64_t first = 0; nm->per_row && first < nm->rows; first += nm->unit_rows) {
        int64_t end = nm->rows - first < nm->unit_rows ? nm->rows : first + nm->unit_rows;
        for (int64_t begin = 0, slot = 0; begin < nm->columns; begin += nm->group_m) {
            uint8_t taken[256];
            PR_TRY(choose_positions(from, nm, first, end, begin, cursor, taken));
            for (int32_t i = 0; i < nm->group_m; i++) {
                for (int64_t row = first; taken[i] && row < end; row++) {
                    int64_t e = cursor[row];
                    int stored = e < from->indptr[row + 1] && from->indices[e] == begin + i;
                    to->indices[row * nm->per_row + slot] = (int32_t)(begin + i);
                    to->values[row * nm->per_row + slot] = stored ? from->values[e] : 0;
                    cursor[row] += stored;
                }
                slot += taken[i];
            }
        }
    }
    return PRUNE_OK;
}

static int32_t to_nm(struct pr_owned_source *to, const struct pr_source *from)
{
    int64_t *cursor = NULL, stored = 0;
    if (from->columns > INT32_MAX - to->source.group_m)
        return pr_fail(PRUNE_E_UNSUPPORTED, "a matrix of %lld columns; up to %d can be packed",
                       (long long)from->columns, INT32_MAX - (int)to->source.group_m);
    PR_TRY(pr_mul(from->rows, to->source.per_row, &stored));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->indices, &to->indices));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->values, &to->values));
    PR_TRY(pr_alloc(to->context, from->rows, sizeof *cursor, &cursor));
    int32_t status = fill_nm(to, from, cursor);
    pr_release(to->context, cursor);
    return status;
}

static int32_t to_dense(struct pr_owned_source *to, const struct pr_source *from)
{
    int64_t count = 0;
    PR_TRY(pr_mul(from->rows, from->columns, &count));
    PR_TRY(pr_alloc_zero(to->context, count, sizeof *to->values, &to->values));
    for (int64_t row = 0; row < from->rows; row++)
        for (int64_t e = from->indptr[row]; e < from->indptr[row + 1]; e++)
            to->values[row * from->columns + from->indices[e]] = from->values[e];
    return PRUNE_OK;
}

/* The columns of a block row's blocks, ascending and each once, into `blocks`; gives how many. `seen` is all 0 before
 * and after. */
static int64_t find_blocks(const struct pr_source *from, int64_t first, int64_t end, int64_t width, uint8_t *seen,
                           int64_t *blocks)
{
    int64_t count = 0, grid = pr_ceil_div(from->columns, width);
    for (int64_t e = from->indptr[first]; e < from->indptr[end]; e++)
        seen[from->indices[e] / width] = 1;
    for (int64_t b = 0; b < grid; b++) {
        if (seen[b])
            blocks[count++] = b;
        seen[b] = 0;
    }
    return count;
}

/* The entries of a row, with zeros in between wherever one of the blocks has none. */
static int64_t fill_row(struct pr_owned_source *to, const struct pr_source *from, int64_t row, int64_t next,
                        const int64_t *blocks, int64_t count)
{
    int64_t e = from->indptr[row], width = to->source.block_columns;
    for (int64_t b = 0; b < count; b++)
        for (int64_t k = blocks[b] * width; k < (blocks[b] + 1) * width && k < from->columns; k++, next++) {
            int stored = e < from->indptr[row + 1] && from->indices[e] == k;
            to->indices[next] = (int32_t)k;
            to->values[next] = stored ? from->values[e] : 0;
            e += stored;
        }
    return next;
}

/* CSR to CSR in which all of each block is stored: counts first, then fills. */
static int32_t to_blocks(struct pr_owned_source *to, const struct pr_source *from)
{
    int64_t height = to->source.block_rows, width = to->source.block_columns, grid = pr_ceil_div(from->columns, width);
    int64_t *blocks = NULL, next = 0;
    uint8_t *seen = NULL;
    int32_t status = pr_alloc(to->context, from->rows + 1, sizeof *to->indptr, &to->indptr);
    if (!status)
        status = pr_alloc(to->context, grid, sizeof *blocks, &blocks);
    if (!status)
        status = pr_alloc_zero(to->context, grid, 1, &seen);
    for (int fills = 0; !status && fills < 2; fills++) {
        next = 0;
        for (int64_t first = 0; first < from->rows; first += height) {
            int64_t end = from->rows - first < height ? from->rows : first + height;
            int64_t count = find_blocks(from, first, end, width, seen, blocks), stored = count * width;
            if (count && (blocks[count - 1] + 1) * width > from->columns)
                stored -= (blocks[count - 1] + 1) * width - from->columns;
            for (int64_t row = first; row < end; row++) {
                to->indptr[row] = next;
                next = fills ? fill_row(to, from, row, next, blocks, count) : next + stored;
            }
        }
        to->indptr[from->rows] = next;
        if (!fills)
            status = pr_alloc(to->context, next, sizeof *to->indices, &to->indices);
        if (!fills && !status)
            status = pr_alloc(to->context, next, sizeof *to->values, &to->values);
    }
    pr_release(to->context, seen);
    pr_release(to->context, blocks);
    return status;
}

/* One step: replaces the owned source by one of `wanted`'s format. */
static int32_t step(struct pr_owned_source *owned, const struct pr_source *wanted, enum pr_source_format format,
                    int blocks)
{
    struct pr_owned_source next = {.context = owned->context};
    const struct pr_source *from = &owned->source;
    next.source.format = format;
    next.source.rows = from->rows;
    next.source.columns = from->columns;
    if (format == PR_SOURCE_NM) {
        next.source.keep_n = wanted->keep_n;
        next.source.group_m = wanted->group_m;
        next.source.unit_rows = wanted->unit_rows;
        next.source.per_row = pr_ceil_div(from->columns, wanted->group_m) * wanted->keep_n;
    }
    if (blocks) {
        next.source.block_rows = wanted->block_rows;
        next.source.block_columns = wanted->block_columns;
    }
    int32_t status = blocks                    ? to_blocks(&next, from)
                     : format == PR_SOURCE_CSR ? to_csr(&next, from)
                     : format == PR_SOURCE_NM  ? to_nm(&next, from)
                                               : to_dense(&next, from);
    pr_source_release(owned);
    if (status) {
        pr_source_release(&next);
        return status;
    }
    next.source.indptr = next.indptr;
    next.source.indices = next.indices;
    next.source.values = next.values;
    *owned = next;
    return PRUNE_OK;
}

int32_t pr_source_convert(struct pr_owned_source *owned, const struct pr_source *wanted)
{
    owned->source.by_columns = 0;
    owned->source.codebook = NULL;
    if (owned->source.format != PR_SOURCE_CSR || owned->source.block_rows)
        PR_TRY(step(owned, wanted, PR_SOURCE_CSR, 0));
    if (wanted->format == PR_SOURCE_CSR && !wanted->block_rows)
        return PRUNE_OK;
    return step(owned, wanted, wanted->format, wanted->block_rows > 0);
}

/* Values that the source does not own are copied. */
static int32_t own_values(struct pr_owned_source *owned)
{
    int64_t count = pr_source_begin(&owned->source, owned->source.rows);
    if (owned->values)
        return PRUNE_OK;
    PR_TRY(pr_alloc(owned->context, count, sizeof *owned->values, &owned->values));
    memcpy(owned->values, owned->source.values, (size_t)count * sizeof *owned->values);
    owned->source.values = owned->values;
    return PRUNE_OK;
}

int32_t pr_source_share_values(struct pr_owned_source *owned, int32_t levels, int32_t gap_bits)
{
    struct pr_source *source = &owned->source;
    int64_t count = pr_source_begin(source, source->rows);
    PR_TRY(own_values(owned));
    if (!owned->codes)
        PR_TRY(pr_alloc(owned->context, count, sizeof *owned->codes, &owned->codes));
    PR_TRY(pr_alloc(owned->context, levels, sizeof *owned->codebook, &owned->codebook));
    PR_TRY(pr_codebook_make(owned->context, source->values, count, owned->codebook, levels));
    int32_t used = pr_codebook_used(owned->codebook, levels);
    for (int64_t i = 0; i < count; i++) {
        owned->codes[i] =
            (uint8_t)(owned->values[i] != 0 ? pr_codebook_code(owned->codebook, used, owned->values[i]) : 0);
        owned->values[i] = owned->codebook[owned->codes[i]];
    }
    source->codes = owned->codes;
    source->codebook = owned->codebook;
    source->levels = levels;
    source->gap_bits = gap_bits;
    return PRUNE_OK;
}

static int32_t refuse_value(const struct pr_source *source, int64_t row, int64_t entry)
{
    return pr_fail(PRUNE_E_VALUE,
                   "packed: the value %.9g in row %lld, column %lld, is beyond %s; values=f32 %sholds it",
                   (double)source->values[entry], (long long)row, (long long)pr_source_column(source, row, entry),
                   pr_encoding_name(source->encoding), source->encoding == PR_VALUES_F16 ? "or bf16 " : "");
}

int32_t pr_source_encode(struct pr_owned_source *owned, int64_t encoding)
{
    struct pr_source *source = &owned->source;
    int64_t count = pr_source_begin(source, source->rows);
    source->encoding = encoding;
    if (encoding == PR_VALUES_F32)
        return PRUNE_OK;
    PR_TRY(own_values(owned));
    if (encoding == PR_VALUES_INT8) {
        PR_TRY(pr_alloc(owned->context, source->rows, sizeof *owned->scales, &owned->scales));
        source->scales = owned->scales;
    }
    for (int64_t row = 0; count > 0 && row < source->rows; row++) {
        int64_t begin = pr_source_begin(source, row), size = pr_source_begin(source, row + 1) - begin;
        if (owned->scales)
            owned->scales[row] = pr_int8_scale(source->values + begin, size);
        int64_t bad = pr_encode_round(encoding, pr_source_scale(source, row), owned->values + begin, size);
        if (bad >= 0)
            return refuse_value(source, row, begin + bad);
    }
    for (int64_t row = 0; count == 0 && owned->scales && row < source->rows; row++)
        owned->scales[row] = 1;
    return PRUNE_OK;
}
