/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Source: what a form packs, as raw arrays.
 */
#ifndef PR_CORE_SPARSE_SOURCE_H
#define PR_CORE_SPARSE_SOURCE_H

#include "base/alloc.h"
#include "core/quantize/encode.h"
#include "prune/sparse.h"

enum pr_source_format { PR_SOURCE_CSR, PR_SOURCE_NM, PR_SOURCE_DENSE, PR_SOURCE_COUNT };
extern const char *const pr_source_names[PR_SOURCE_COUNT]; /* "csr", ... */

/* What is packed, as raw arrays that the caller owns. NM: `indices` has the column of each of values[rows][per_row],
 * ascending within a row; a filler's may lie beyond the last column. */
struct pr_source {
    enum pr_source_format format;
    int64_t rows, columns;
    int64_t per_row;       /* NM: values of a row, keep_n * groups */
    const int64_t *indptr; /* CSR: rows + 1 */
    const int32_t *indices;
    const float *values;
    int32_t keep_n, group_m, unit_rows; /* NM */
    int64_t block_rows, block_columns;  /* CSR that comes from blocks: all of each block is among its entries; else 0 */
    int64_t encoding;                   /* enum pr_encoding; the values have been rounded to it */
    const float *scales;                /* INT8: one for each row, else NULL */
    int by_columns;                     /* CSR whose products are to skip the zeros of X */
    /* CSR whose values are entries of a codebook: the code of each, 0 for what is not stored; else NULL. */
    const uint8_t *codes;
    const float *codebook;
    int32_t levels, gap_bits;
};

static inline float pr_source_scale(const struct pr_source *source, int64_t row)
{
    return source->scales ? source->scales[row] : 1;
}

/* Entry range of a row in `values` and, but for DENSE, `indices`. */
static inline int64_t pr_source_begin(const struct pr_source *source, int64_t row)
{
    return source->format == PR_SOURCE_CSR     ? source->indptr[row]
           : source->format == PR_SOURCE_DENSE ? row * source->columns
                                               : row * source->per_row;
}

static inline int64_t pr_source_column(const struct pr_source *source, int64_t row, int64_t entry)
{
    return source->format == PR_SOURCE_DENSE ? entry - row * source->columns : source->indices[entry];
}

/* The entries of a row that lie within the matrix: *end leaves out fillers beyond the last column, which come last. */
static inline void pr_source_row(const struct pr_source *source, int64_t row, int64_t *begin, int64_t *end)
{
    *begin = pr_source_begin(source, row);
    *end = pr_source_begin(source, row + 1);
    while (source->format == PR_SOURCE_NM && *end > *begin && source->indices[*end - 1] >= source->columns)
        --*end;
}

/* Entries of all rows that lie within the matrix. */
int64_t pr_source_entries(const struct pr_source *source);

/* Whether what is stored, with an index for each, is more than the caches that a core can count on hold. */
int pr_from_memory(const struct pr_source *source);

/* A source with the memory that it needs beyond the sparse object, which it must not outlive. */
struct pr_owned_source {
    struct pr_source source;
    prune_context *context;
    int64_t *indptr;
    int32_t *indices;
    float *values;
    float *scales;
    uint8_t *codes;
    float *codebook;
};

int32_t pr_source_of(struct pr_owned_source *owned, const prune_sparse *sparse);

/* Turns a source into another format, sizes as in `wanted`: an element of value 0 counts as not stored when it comes
 * from N:M, blocks or dense. PRUNE_E_VALUE when a group keeps more than the N:M that is wanted. Releases it on
 * failure. */
int32_t pr_source_convert(struct pr_owned_source *owned, const struct pr_source *wanted);

/* Gives a CSR source a codebook of its own: its values become entries of it. */
int32_t pr_source_share_values(struct pr_owned_source *owned, int32_t levels, int32_t gap_bits);

/* Rounds the values to an encoding. PRUNE_E_VALUE for a value beyond its range. */
int32_t pr_source_encode(struct pr_owned_source *owned, int64_t encoding);

void pr_source_release(struct pr_owned_source *owned);

#endif
