/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Form: one packed layout of a weight matrix and the order of its loops. A form packs once into one block of bytes that
 * is position-independent, checks such a block when it comes from outside, and computes a block of rows.
 */
#ifndef PR_CORE_SPARSE_FORM_H
#define PR_CORE_SPARSE_FORM_H

#include <string.h>

#include "base/alloc.h"
#include "core/kernels/kernels.h"
#include "core/mask/mask.h"
#include "core/sparse/packed/source.h"

#define PR_BLOB_VERSION 2
#define PR_MAX_SECTIONS 9
#define PR_SCALES (PR_MAX_SECTIONS - 1) /* the section with the scale of each row, for values of 8 bits */
#define PR_MAX_BLOCK_ROWS 4096

/* What a block of bytes begins with. Offsets count bytes from its beginning and are multiples of 64. */
struct pr_header {
    char magic[8]; /* "PRPACKED" */
    uint32_t version;
    uint32_t byte_order; /* 0x01020304 */
    uint64_t bytes;
    uint64_t checksum; /* of everything after it */
    char format[64];
    char form[24];
    int64_t rows, columns, stored;
    int64_t column_hint; /* how many columns X was said to have */
    int64_t block_rows;  /* rows of a block; the last may have fewer */
    int64_t parameter;   /* the form's own */
    int64_t backward;    /* where the block of bytes of W' begins, within these; 0: none */
    int64_t encoding;    /* of the values, enum pr_encoding */
    int64_t offset[PR_MAX_SECTIONS], section_bytes[PR_MAX_SECTIONS];
};

/* A block of bytes, in memory. */
struct pr_blob {
    prune_context *context;
    struct pr_header *header;
    int borrowed; /* lies within memory of another */
    const struct pr_source *source;
};

/* Memory for a block with these sections and the scales of the source's rows, all zero but for these, the encoding, and
 * the sizes and offsets in its header. */
int32_t pr_blob_begin(struct pr_blob *blob, const int64_t *section_bytes, int count);

static inline void *pr_section(const struct pr_header *header, int index)
{
    return (char *)(uintptr_t)header + header->offset[index];
}

/* What the stored values of a row count in. */
static inline float pr_scale_of(const struct pr_header *header, int64_t row)
{
    return header->encoding == PR_VALUES_INT8 ? ((const float *)pr_section(header, PR_SCALES))[row] : 1;
}

/* Size of each section as the header says, against what it must be. */
int32_t pr_blob_expect(const struct pr_header *header, const int64_t *section_bytes, int count);

/* Rows of a block as the header says: a multiple of `multiple`, at most `most`. */
int32_t pr_blob_expect_blocks(const struct pr_header *header, int64_t multiple, int64_t most);

/* One block of rows times a tile of columns of X. X comes in groups of the form's x_group = B columns of W, as
 * [ceil(columns / B)][tile][B] with zeros beyond the last column of W and of X: [columns][tile] where B is 1,
 * [tile][pr_padded] where it is PR_X_WHOLE. Sums are [tile][sum_rows] for forms with lanes along the rows of W and
 * [block_rows][tile] for the others. A tile of one column is the same in all of these. */
struct pr_block_run {
    const struct pr_header *header;
    const struct pr_kernels *kernels;
    int64_t block;
    int64_t tile; /* columns of X in this tile, fillers included (but for lanes along the rows) */
    const float *x;
    int finite;  /* X has neither NaN nor infinity; told only where needs_finite asks */
    int64_t ldx; /* floats from one group to the next; from one column to the next where all is one group */
    /* Instead of ldx, for forms with `passes`: where X of each column of W begins. NULL: none. */
    const uint32_t *starts;
    float *sums;
    int64_t ld_sums;
};

#define PR_X_WHOLE 0

/* Where a packed matrix is unpacked to. */
struct pr_unpack {
    int64_t rows, columns;
    float *values;      /* row-major, all 0 to begin with */
    prune_mask *stored; /* nothing kept to begin with */
    /* When given, called for each element instead. */
    void (*visit)(void *user, int64_t row, int64_t column, float value);
    void *user;
};

/* One stored element. Fillers must be left out; those beyond the matrix are left out here. */
static inline void pr_unpack_put(const struct pr_unpack *to, int64_t row, int64_t column, float value)
{
    if (row < 0 || row >= to->rows || column < 0 || column >= to->columns)
        return;
    if (to->visit) {
        to->visit(to->user, row, column, value);
        return;
    }
    to->values[row * to->columns + column] = value;
    pr_mask_keep(to->stored, row * to->columns + column);
}

/* Fillers of packed values have the bits of +0. */
static inline int pr_is_filler(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == 0;
}

/* There and back again: no form without both. */
struct pr_packing {
    int32_t (*pack)(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu);
    /* Gives the bits that were packed. A form that cannot tell a stored 0 from a filler leaves it out. */
    void (*unpack)(const struct pr_header *header, const struct pr_unpack *to);
};

struct pr_form {
    const char *name; /* at most 23 bytes: files carry it */
    int lanes_along_rows;
    int needs_finite;
    int column_order;   /* each sum is one chain by ascending columns, whatever n, where its slots keep their order */
    int own_way;        /* taken wherever it prefers to, however fast others are */
    int any_encoding;   /* takes values of every encoding; the others F32 alone */
    int64_t x_group;    /* columns of W whose X stands together: 1, 4, 8, 16, 32 or PR_X_WHOLE */
    int64_t tile_least; /* the narrowest tile; 0: tile_step */
    int few_columns;    /* runs tiles of 1, 4 and 8 columns too */
    int64_t tile_step;  /* wider tiles are multiples of it; 0: any number */
    int64_t tile;       /* the widest tile it runs well, a multiple of tile_step */
    /* In place of `tile` where it depends on these and on the bytes of the first-level cache. */
    int64_t (*widest)(const struct pr_header *header, uint32_t cpu, int64_t cache);
    int (*can)(const struct pr_source *source); /* without arrays (indices NULL) by sizes alone */
    int (*prefers)(const struct pr_source *source, int64_t column_hint, uint32_t cpu); /* of what it can */
    struct pr_packing packing;
    /* Whether running this block can be relied on to stay within it and within X and the sums. */
    int32_t (*validate)(const struct pr_header *header);
    int64_t (*block_work)(const struct pr_header *header, int64_t block); /* products for one column of X */
    void (*run)(const struct pr_block_run *run);
    /* How often `run` goes over the sums; NULL: it takes only what is packed. Others take any ldx and ld_sums, so that
     * X and Y can be used where they stand; they write to a block's rows only, if these are a multiple of four. */
    int64_t (*passes)(const struct pr_header *header);
    /* A block times `n` >= PR_LANES columns of X (x and ldx of `run`) through an epilogue without beta straight into Y;
     * NULL: it makes sums. */
    void (*through)(const struct pr_block_run *run, float *y, int64_t ldy, int64_t n,
                    const struct pr_epilogue_args *epilogue);
    enum pr_slot (*slot)(const struct pr_header *header, int64_t n); /* the inner loop for runs with n columns */
};

/* In order of preference: the first that can and prefers to is taken. */
extern const struct pr_form *const pr_forms[];
extern const int pr_form_count;

const struct pr_form *pr_form_named(const char *name); /* NULL: none */

static inline int64_t pr_padded(int64_t columns)
{
    return pr_ceil_div(columns, PR_CHUNK) * PR_CHUNK;
}

static inline int64_t pr_block_count(const struct pr_header *header)
{
    return pr_ceil_div(header->rows, header->block_rows);
}

static inline int64_t pr_block_size(const struct pr_header *header, int64_t block)
{
    int64_t rest = header->rows - block * header->block_rows;
    return rest < header->block_rows ? rest : header->block_rows;
}

/* Rows of a block's sums, fillers included. */
static inline int64_t pr_block_lanes(const struct pr_header *header, int64_t block)
{
    return pr_ceil_div(pr_block_size(header, block), PR_LANES) * PR_LANES;
}

/* Rows of a block such that there are a few for each thread to take and a panel of X is used often enough. */
int64_t pr_choose_block_rows(int64_t rows, int64_t least, int64_t most);

#endif
