/* SPDX-License-Identifier: BSD-2-Clause
 *
 * codebook: each stored weight is a code, an index into a few shared numbers, and the count of empty places before it
 * in its column, or row (Han et al. 2016, EIE). Where more are empty than a gap can say, an entry of code 0 stands in
 * between: it stores nothing.
 */
#include <string.h>

#include "core/quantize/codebook.h"
#include "core/sparse/formats/elements.h"

enum { INDPTR, GAPS, CODES, CODEBOOK };
enum { LEVELS, GAP_BITS, BY };
enum { BY_COLUMNS, BY_ROWS };

#define CHUNK 512

static const struct pr_parameter parameters[] = {
    {.name = "levels", .type = PR_WORD, .standard = "16", .words = "16|256", .help = "numbers to share: 16 or 256"},
    {.name = "gap_bits", .type = PR_WORD, .standard = "4", .words = "4|8", .help = "bits of a gap: 4 or 8"},
    {.name = "by", .type = PR_WORD, .standard = "columns", .words = "columns|rows", .help = "along what gaps count"},
    {0},
};

/* A line is a column, or a row. */
static int64_t line_count(const struct prune_sparse *sparse)
{
    return sparse->parameters.whole[BY] == BY_COLUMNS ? sparse->columns : sparse->rows;
}

static int64_t line_width(const struct prune_sparse *sparse)
{
    return sparse->parameters.whole[BY] == BY_COLUMNS ? sparse->rows : sparse->columns;
}

/* Row-major number of what stands at a place of a line. */
static int64_t element_at(const struct prune_sparse *sparse, int64_t line, int64_t place)
{
    return sparse->parameters.whole[BY] == BY_COLUMNS ? place * sparse->columns + line : line * sparse->columns + place;
}

static int32_t prepare(struct prune_sparse *sparse)
{
    int64_t pointers, bits;
    sparse->levels = sparse->parameters.whole[LEVELS] ? 256 : 16;
    sparse->gap_bits = sparse->parameters.whole[GAP_BITS] ? 8 : 4;
    if (sparse->rows > INT32_MAX || sparse->columns > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s: %lld x %lld; it holds up to 2147483647 rows and columns", sparse->spec,
                       (long long)sparse->rows, (long long)sparse->columns);
    PR_TRY(pr_mul(sparse->rows * sparse->columns, 8, &bits));
    return pr_add(line_count(sparse), 1, &pointers);
}

static int32_t code_bits(const struct prune_sparse *sparse)
{
    return sparse->levels == 16 ? 4 : 8;
}

static void put_bits(uint8_t *to, int64_t index, int32_t bits, int32_t value)
{
    int64_t bit = index * bits;
    to[bit >> 3] |= (uint8_t)(value << (bit & 7));
}

static int32_t add_parts(struct prune_sparse *sparse, int64_t entries)
{
    const int64_t pointers = line_count(sparse) + 1, levels = sparse->levels;
    const int64_t gap_bytes = pr_ceil_div(entries * sparse->gap_bits, 8);
    const int64_t code_bytes = pr_ceil_div(entries * code_bits(sparse), 8);
    sparse->stored = entries;
    if (!sparse->parts[INDPTR])
        PR_TRY(pr_sparse_add_part(sparse, INDPTR, PRUNE_I64, 1, &pointers));
    PR_TRY(pr_sparse_add_part(sparse, GAPS, PRUNE_U8, 1, &gap_bytes));
    PR_TRY(pr_sparse_add_part(sparse, CODES, PRUNE_U8, 1, &code_bytes));
    if (!sparse->parts[CODEBOOK])
        PR_TRY(pr_sparse_add_part(sparse, CODEBOOK, PRUNE_F32, 1, &levels));
    sparse->indptr = prune_tensor_data(sparse->parts[INDPTR]);
    sparse->positions = prune_tensor_data(sparse->parts[GAPS]);
    sparse->codes = prune_tensor_data(sparse->parts[CODES]);
    sparse->codebook = prune_tensor_data(sparse->parts[CODEBOOK]);
    return PRUNE_OK;
}

/* Goes over the weights, counts entries, and writes them where `to` says so. A kept 0 is not stored. */
static int64_t encode(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int write)
{
    int64_t entries = 0, most = (1 << sparse->gap_bits) - 1;
    int32_t used = write ? pr_codebook_used(sparse->codebook, sparse->levels) : 0;
    for (int64_t line = 0; line < line_count(sparse); line++) {
        int64_t next = 0; /* the first place that no entry covers */
        if (write)
            sparse->indptr[line] = entries;
        for (int64_t place = 0; place < line_width(sparse); place++) {
            int64_t element = element_at(sparse, line, place);
            if (!pr_mask_get(mask, element) || weights[element] == 0)
                continue;
            for (; place - next > most; next += most + 1, entries++)
                if (write)
                    put_bits(sparse->positions, entries, sparse->gap_bits, (int32_t)most);
            if (write) {
                put_bits(sparse->positions, entries, sparse->gap_bits, (int32_t)(place - next));
                put_bits(sparse->codes, entries, code_bits(sparse),
                         pr_codebook_code(sparse->codebook, used, weights[element]));
            }
            next = place + 1;
            entries++;
        }
    }
    if (write)
        sparse->indptr[line_count(sparse)] = entries;
    return entries;
}

/* The codebook from what is kept. */
static int32_t make_codebook(struct prune_sparse *sparse, const float *weights, const prune_mask *mask)
{
    int64_t kept = prune_mask_kept(mask), next = 0;
    float *values;
    PR_TRY(pr_alloc(sparse->context, kept, sizeof *values, &values));
    for (int64_t i = 0; next < kept; i++)
        if (pr_mask_get(mask, i))
            values[next++] = weights[i];
    int32_t status = pr_codebook_make(sparse->context, values, kept, sparse->codebook, sparse->levels);
    pr_release(sparse->context, values);
    return status;
}

static int32_t create(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict)
{
    (void)strict;
    PR_TRY(add_parts(sparse, encode(sparse, weights, mask, 0)));
    PR_TRY(make_codebook(sparse, weights, mask));
    memset(sparse->positions, 0, (size_t)sparse->parts[GAPS]->count);
    memset(sparse->codes, 0, (size_t)sparse->parts[CODES]->count);
    encode(sparse, weights, mask, 1);
    return PRUNE_OK;
}

static int32_t import_pointers(struct prune_sparse *sparse, const prune_tensor *part)
{
    const int64_t lines = line_count(sparse), pointers = lines + 1;
    int64_t previous = 0;
    if (part->dtype != PRUNE_I32 && part->dtype != PRUNE_I64)
        return pr_fail(PRUNE_E_DTYPE, "%s: part \"indptr\" is of type %s; it must be i32 or i64", sparse->spec,
                       prune_dtype_name(part->dtype));
    PR_TRY(pr_sparse_check_part(sparse, INDPTR, part, 1, &pointers));
    PR_TRY(pr_sparse_add_part(sparse, INDPTR, PRUNE_I64, 1, &pointers));
    sparse->indptr = prune_tensor_data(sparse->parts[INDPTR]);
    struct pr_walk walk;
    for (pr_walk_start(&walk, part); walk.count; pr_walk_next(&walk))
        pr_read_i64(part->dtype, walk.data, walk.stride, walk.count, sparse->indptr + walk.position);
    for (int64_t i = 0; i < pointers; previous = sparse->indptr[i++])
        if (sparse->indptr[i] < previous || (i == 0 && sparse->indptr[0] != 0))
            return pr_fail(PRUNE_E_FORMAT,
                           "%s: indptr[%lld] is %lld, after %lld; it must begin with 0 and not decrease", sparse->spec,
                           (long long)i, (long long)sparse->indptr[i], (long long)previous);
    if (previous > lines * line_width(sparse))
        return pr_fail(PRUNE_E_FORMAT, "%s: %lld entries for a matrix of %lld x %lld; it cannot have more than that",
                       sparse->spec, (long long)previous, (long long)sparse->rows, (long long)sparse->columns);
    return PRUNE_OK;
}

static int32_t import_bytes(const struct prune_sparse *sparse, int32_t index, const prune_tensor *part, int32_t bits)
{
    const char *name = sparse->format->part_names[index];
    const int64_t bytes = sparse->parts[index]->count;
    if (part->dtype != PRUNE_U8)
        return pr_fail(PRUNE_E_DTYPE, "%s: part \"%s\" is of type %s; it must be u8", sparse->spec, name,
                       prune_dtype_name(part->dtype));
    PR_TRY(pr_sparse_check_part(sparse, index, part, 1, &bytes));
    PR_TRY(prune_tensor_copy(sparse->parts[index], part));
    const uint8_t *data = prune_tensor_const_data(sparse->parts[index]);
    if (bits == 4 && sparse->stored % 2 && data[bytes - 1] >> 4)
        return pr_fail(PRUNE_E_FORMAT, "%s: %s: bits are set after the last of %lld; they must be 0", sparse->spec,
                       name, (long long)sparse->stored);
    return PRUNE_OK;
}

static int32_t check_gaps(const struct prune_sparse *sparse)
{
    const char *kind = sparse->parameters.whole[BY] == BY_COLUMNS ? "column" : "row";
    for (int64_t line = 0; line < line_count(sparse); line++) {
        int64_t place = -1;
        for (int64_t i = sparse->indptr[line]; i < sparse->indptr[line + 1]; i++) {
            place += pr_nm_position(sparse->positions, i, sparse->gap_bits) + 1;
            if (place >= line_width(sparse))
                return pr_fail(PRUNE_E_FORMAT, "%s: gaps[%lld] leads to place %lld of %s %lld, which has %lld",
                               sparse->spec, (long long)i, (long long)place, kind, (long long)line,
                               (long long)line_width(sparse));
        }
    }
    return PRUNE_OK;
}

static int32_t import(struct prune_sparse *sparse, const prune_tensor *const *parts)
{
    const int64_t levels = sparse->levels;
    PR_TRY(import_pointers(sparse, parts[INDPTR]));
    float *none = sparse->values;
    PR_TRY(pr_sparse_import_values(sparse, CODEBOOK, parts[CODEBOOK], 1, &levels));
    sparse->values = none;
    const float *codebook = prune_tensor_const_data(sparse->parts[CODEBOOK]);
    if (codebook[0] != 0)
        return pr_fail(PRUNE_E_FORMAT, "%s: codebook[0] is %g; it must be 0, which fills gaps", sparse->spec,
                       (double)codebook[0]);
    PR_TRY(add_parts(sparse, sparse->indptr[line_count(sparse)]));
    PR_TRY(import_bytes(sparse, GAPS, parts[GAPS], sparse->gap_bits));
    PR_TRY(import_bytes(sparse, CODES, parts[CODES], code_bits(sparse)));
    return check_gaps(sparse);
}

static void each(const struct prune_sparse *sparse, pr_element_fn *visit, void *user)
{
    int by_columns = sparse->parameters.whole[BY] == BY_COLUMNS;
    for (int64_t line = 0; line < line_count(sparse); line++) {
        int64_t place = -1;
        for (int64_t i = sparse->indptr[line]; i < sparse->indptr[line + 1]; i++) {
            int32_t code = pr_nm_position(sparse->codes, i, code_bits(sparse));
            place += pr_nm_position(sparse->positions, i, sparse->gap_bits) + 1;
            if (code)
                visit(user, by_columns ? place : line, by_columns ? line : place, sparse->codebook[code], code);
        }
    }
}

const struct pr_format pr_format_codebook = {
    .kind = {.name = "codebook",
             .help = "16 or 256 shared numbers and short gaps: from 1 byte for each stored element",
             .parameters = parameters},
    .part_count = 4,
    .part_names = {"indptr", "gaps", "codes", "codebook"},
    .prepare = prepare,
    .create = create,
    .import = import,
    .to_dense = pr_elements_to_dense,
    .to_mask = pr_elements_to_mask,
    .each = each,
};
