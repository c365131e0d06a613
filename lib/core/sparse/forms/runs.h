/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Runs: what the forms share that list the rows of a cell. W is cut into blocks of rows and panels of columns; each
 * cell, a block by a panel, has one run for each unit of rows with entries in it, and the columns of these within the
 * panel. Cells go block by block.
 */
#ifndef PR_CORE_SPARSE_RUNS_H
#define PR_CORE_SPARSE_RUNS_H

#include "core/sparse/forms/form.h"

enum { PR_RUN_CELLS, PR_RUN_RUNS, PR_RUN_COLUMNS, PR_RUN_VALUES, PR_RUN_SECTIONS };

/* Where a cell's runs and entries begin; a last one says where they end. */
struct pr_run_cell {
    int64_t run, entry;
};

struct pr_runs_kind {
    int unit;         /* rows of a run, which begin at a multiple of it; each entry has as many values */
    int run_bytes;    /* of struct pr_run or struct pr_short_run */
    int column_bytes; /* 1 or 2 */
    int most_panel;   /* columns */
};

static inline int64_t pr_runs_panels(const struct pr_header *header)
{
    return pr_ceil_div(header->columns, header->parameter);
}

/* Begins a block of bytes for that many runs and entries, and fills in its header. */
int32_t pr_runs_begin(struct pr_blob *blob, const struct pr_runs_kind *kind, const struct pr_source *source,
                      int64_t block_rows, int64_t panel, struct pr_run_cell end);
int32_t pr_runs_validate(const struct pr_header *header, const struct pr_runs_kind *kind);
int64_t pr_runs_work(const struct pr_header *header, const struct pr_runs_kind *kind, int64_t block);
void pr_runs_unpack(const struct pr_header *header, const struct pr_runs_kind *kind, const struct pr_unpack *to);

/* What every form of runs has for its kind: validate, block_work and unpack. */
#define PR_RUNS_FUNCTIONS(kind)                                                                                        \
    static int32_t validate(const struct pr_header *header)                                                            \
    {                                                                                                                  \
        return pr_runs_validate(header, &kind);                                                                        \
    }                                                                                                                  \
                                                                                                                       \
    static int64_t block_work(const struct pr_header *header, int64_t block)                                           \
    {                                                                                                                  \
        return pr_runs_work(header, &kind, block);                                                                     \
    }                                                                                                                  \
                                                                                                                       \
    static void unpack(const struct pr_header *header, const struct pr_unpack *to)                                     \
    {                                                                                                                  \
        pr_runs_unpack(header, &kind, to);                                                                             \
    }

#endif
