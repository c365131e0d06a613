/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cells: what the forms for wide X share. W is cut into blocks of up to 256 rows and panels of up to 255 columns; each
 * cell lists groups of one, two or four of its rows (core/kernels/groups.h), 8-bit columns within the panel, and values
 * in the order of use. Groups are chosen anew in each cell, such that their rows have many columns in common: one load
 * of X then serves several rows.
 */
#ifndef PR_CORE_SPARSE_CELLS_H
#define PR_CORE_SPARSE_CELLS_H

#include "core/kernels/groups.h"
#include "core/sparse/forms/form.h"

#define PR_CELL_ROWS 256
#define PR_CELL_COLUMNS 255

/* Rows in a group, bytes of an item, and the slot that runs it. */
struct pr_cells_kind {
    int height, item_bytes;
    enum pr_slot slot;
    int neighbours; /* groups are rows that follow each other, rather than rows that agree much */
};

extern const struct pr_cells_kind pr_cells_singles, pr_cells_pairs, pr_cells_quads, pr_cells_few_pairs;

/* Columns of a panel, best at `wanted`, such that all panels are alike. */
int64_t pr_cells_panel(const struct pr_source *source, int64_t wanted);

/* Stored elements over all. */
double pr_cells_density(const struct pr_source *source);

/* Rows of a block for a matrix of so many. */
int64_t pr_cells_block_rows(int64_t rows);

int32_t pr_cells_pack(struct pr_blob *blob, const struct pr_source *source, const struct pr_cells_kind *kind,
                      int64_t panel, uint32_t cpu);
int32_t pr_cells_validate(const struct pr_header *header, const struct pr_cells_kind *kind);
void pr_cells_unpack(const struct pr_header *header, const struct pr_cells_kind *kind, const struct pr_unpack *to);
int64_t pr_cells_work(const struct pr_header *header, int64_t block);
/* A tile such that a panel of X, or half of a wide one, fills a cache; at most `most`. */
int64_t pr_cells_widest(const struct pr_header *header, int64_t cache, int64_t most);
void pr_cells_run(const struct pr_block_run *run, const struct pr_cells_kind *kind, pr_group_fn *kernel,
                  pr_group_shifts_fn *shifts);

/* Any pattern. */
int pr_cells_can(const struct pr_source *source);

/* What every form of cells has: validate, unpack, run and slot, for one kind and the slots that run it. */
#define PR_CELLS_FUNCTIONS(kind, kernel, shifts)                                                                       \
    static int32_t validate(const struct pr_header *header)                                                            \
    {                                                                                                                  \
        return pr_cells_validate(header, &pr_cells_##kind);                                                            \
    }                                                                                                                  \
                                                                                                                       \
    static void unpack(const struct pr_header *header, const struct pr_unpack *to)                                     \
    {                                                                                                                  \
        pr_cells_unpack(header, &pr_cells_##kind, to);                                                                 \
    }                                                                                                                  \
                                                                                                                       \
    static void run(const struct pr_block_run *run)                                                                    \
    {                                                                                                                  \
        pr_cells_run(run, &pr_cells_##kind, run->kernels->kernel, run->kernels->shifts);                               \
    }                                                                                                                  \
                                                                                                                       \
    static enum pr_slot slot(const struct pr_header *header, int64_t n)                                                \
    {                                                                                                                  \
        (void)header;                                                                                                  \
        (void)n;                                                                                                       \
        return PR_SLOT_##kernel;                                                                                       \
    }

/* Between the two files: sections, and where a cell's parts begin; a last one says where they end. Cells go block by
 * block. */
enum { PR_CELLS, PR_CELL_VALUES, PR_CELL_INDICES, PR_CELL_ITEMS, PR_CELL_SECTIONS };

struct pr_cell {
    int64_t item, column, value;
};

extern const uint8_t pr_quad_classes[PR_QUAD_CLASSES];

int32_t pr_cells_bytes(const struct pr_cells_kind *kind, int64_t cells, const struct pr_cell *end, int64_t *bytes);

/* What an item takes of the columns and of the values. */
void pr_cells_measure(const struct pr_cells_kind *kind, const uint8_t *item, int64_t *columns, int64_t *values);

int64_t pr_cells_panels(const struct pr_header *header);

/* Rows of a block, filled up to whole groups. */
static inline int64_t pr_cells_height(const struct pr_header *header, const struct pr_cells_kind *kind, int64_t block)
{
    return pr_ceil_div(pr_block_size(header, block), kind->height) * kind->height;
}

#endif
