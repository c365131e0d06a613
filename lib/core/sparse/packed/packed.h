/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The packed object and the epilogue, from the inside.
 */
#ifndef PR_CORE_SPARSE_PACKED_H
#define PR_CORE_SPARSE_PACKED_H

#include "core/sparse/forms/form.h"
#include "prune/packed.h"

/* Scratch that waits to be lent: as many as a few threads take at once. */
#define PR_SCRATCH_SLOTS 16

struct prune_packed {
    prune_context *context;
    struct pr_header *header; /* the block of bytes */
    int borrowed;             /* the block is the caller's, or within another's */
    prune_packed *backward;   /* of W'; NULL for none */
    const struct pr_form *form;
    uint32_t cpu;
    struct pr_kernels kernels;
    int64_t widest;        /* tile */
    int64_t *work;         /* blocks + 1: work before each block, never the same twice */
    int64_t scratch_bytes; /* of each of these; taken and given back atomically, NULL while lent */
    void *scratch[PR_SCRATCH_SLOTS];
};

struct prune_epilogue {
    prune_context *context;
    float *scale, *bias; /* each NULL for none; the scale has alpha in it */
    int64_t rows;
    struct pr_epilogue_args args; /* but for scale and bias */
};

/* PRUNE_E_UNSUPPORTED for a form whose order of summation the reproducible mode leaves out. */
int32_t pr_form_allowed(const struct pr_form *form, uint32_t cpu);

/* Takes over a sealed block, or one that has been checked, whatever happens. */
int32_t pr_packed_wrap(prune_packed **out, struct pr_blob *blob, const struct pr_form *form);

/* Fills in what is common to all forms, and the checksum. */
void pr_blob_seal(struct pr_header *header, const struct pr_form *form, const char *format);

void pr_blob_stamp(struct pr_header *header); /* the checksum alone */

/* Packs raw arrays. `form` NULL chooses. */
int32_t pr_pack(prune_packed **out, prune_context *context, const struct pr_source *source, const char *format,
                const char *form, int64_t column_hint);

/* Floats of scratch that one task of a run with n columns needs, and the tile it is for. */
int32_t pr_scratch_floats(const prune_packed *packed, int64_t n, int64_t *tile, int64_t *floats);

void *pr_scratch_take(const prune_packed *packed);
void pr_scratch_give(const prune_packed *packed, void *scratch);

#endif
