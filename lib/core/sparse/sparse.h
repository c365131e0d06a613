/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sparse object from the inside, and what a format is: libprune only.
 */
#ifndef PR_CORE_SPARSE_H
#define PR_CORE_SPARSE_H

#include "base/spec.h"
#include "core/mask/mask.h"
#include "prune/sparse.h"

#define PR_MAX_PARTS 4

struct prune_sparse {
    prune_context *context;
    const struct pr_format *format;
    struct pr_values parameters;
    char spec[PR_MAX_SPEC];
    int32_t rank;
    int64_t shape[PRUNE_MAX_RANK];
    int64_t rows, columns, stored;
    prune_tensor
        *parts[PR_MAX_PARTS]; /* row-major, of the types that prune/sparse.h names; the pointers below are theirs */

    float *values;                     /* every format but codebook: `stored` numbers, no NaN */
    int64_t *indptr;                   /* csr, csc, bsr, codebook; bitmap: its row offsets */
    int32_t *indices, *row_indices;    /* csr, csc, bsr, coo; coo */
    int64_t block_rows, block_columns; /* bsr */

    /* nm: row r has its values from values + r * keep_n * groups, its positions from positions + r * position_bytes. */
    uint8_t *positions; /* bitmap: the bits; codebook: the gaps */
    int32_t keep_n, group_m, unit_rows, position_bits;
    int64_t groups, position_bytes;

    uint8_t *codes; /* codebook */
    float *codebook;
    int32_t levels, gap_bits;
};

/* Told of one stored element; `code` is 0 but for codebooks. */
typedef void pr_element_fn(void *user, int64_t row, int64_t column, float value, int32_t code);

/* A format: one file, one line in formats.def. The functions work on an object whose fields down to `columns` are set;
 * what they have put into `parts` is freed by the caller, also when they fail. */
struct pr_format {
    struct pr_kind kind;
    int32_t part_count;
    const char *part_names[PR_MAX_PARTS];

    /* Sizes and limits, from parameters and shape alone. */
    int32_t (*prepare)(struct prune_sparse *sparse);
    /* From the row-major weights, in which no kept element is NaN. `strict`: the mask was given, so it must have the
     * pattern; else it says what is not zero. */
    int32_t (*create)(struct prune_sparse *sparse, const float *weights, const prune_mask *mask, int strict);
    /* Checks each part and copies it in one pass, so that a caller who changes it meanwhile cannot slip past. */
    int32_t (*import)(struct prune_sparse *sparse, const prune_tensor *const *parts);
    /* Writes what is stored into zeros; marks it in a mask that keeps nothing. */
    void (*to_dense)(const struct prune_sparse *sparse, float *dense);
    void (*to_mask)(const struct prune_sparse *sparse, prune_mask *mask);
    /* Goes over the stored elements, those of each row by ascending columns. NULL for the formats that packing reads as
     * they are. */
    void (*each)(const struct prune_sparse *sparse, pr_element_fn *visit, void *user);
};

/* The registry "formats". */
extern const struct pr_kind *const pr_format_kinds[];
extern const int32_t pr_format_count;

extern const struct pr_format pr_format_csr, pr_format_nm, pr_format_bsr, pr_format_dense, pr_format_csc,
    pr_format_bitmap, pr_format_coo, pr_format_codebook;

/* An object without parts: its format, parameters and sizes. */
int32_t pr_sparse_start(prune_sparse **out, prune_context *context, const char *spec, int32_t rank,
                        const int64_t *shape);

/* For the formats: an empty part of the object, and one copied from what the caller gave. */
int32_t pr_sparse_add_part(struct prune_sparse *sparse, int32_t index, int32_t dtype, int32_t rank,
                           const int64_t *shape);
int32_t pr_sparse_check_part(const struct prune_sparse *sparse, int32_t index, const prune_tensor *part, int32_t rank,
                             const int64_t *shape);
int32_t pr_sparse_import_values(struct prune_sparse *sparse, int32_t index, const prune_tensor *part, int32_t rank,
                                const int64_t *shape);

/* The `index`-th position of a row of an N:M object, `bits` wide. */
static inline int32_t pr_nm_position(const uint8_t *row, int64_t index, int32_t bits)
{
    int64_t bit = index * bits;
    return row[bit >> 3] >> (bit & 7) & ((1 << bits) - 1);
}

#endif
