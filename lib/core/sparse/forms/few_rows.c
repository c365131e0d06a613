/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows for few columns of X, lanes along these: any pattern. As "rows", but the rows of a cell are sorted by their
 * number of entries, so that trip counts repeat, and the headers of runs are short.
 */
#include <string.h>

#include "core/sparse/forms/runs.h"

#define MOST_PANEL 4096
#define MOST_BLOCK_ROWS 256

static const struct pr_runs_kind kind = {1, (int)sizeof(struct pr_short_run), 2, MOST_PANEL};

static int can(const struct pr_source *source)
{
    return source->format != PR_SOURCE_DENSE;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    (void)cpu;
    return source->format == PR_SOURCE_CSR && column_hint >= 2 && column_hint < 32;
}

static int64_t choose_panel(int64_t column_hint)
{
    return column_hint <= 4 ? 2048 : column_hint <= 8 ? 1024 : 512;
}

/* The entries of a block's rows that have not been packed yet. */
struct cursor {
    int64_t begin, end;
};

/* How many entries of this row lie before column `limit`. */
static int64_t count_before(const struct pr_source *source, int64_t row, const struct cursor *cursor, int64_t limit)
{
    int64_t e = cursor->begin;
    while (e < cursor->end && pr_source_column(source, row, e) < limit)
        e++;
    return e - cursor->begin;
}

/* Fills `order` with the rows of a cell that have entries, longest first, then by row. */
static int64_t sort_rows(const int64_t *counts, int64_t rows, int64_t panel, int64_t *order, int64_t *place)
{
    int64_t used = 0;
    memset(place, 0, (size_t)(panel + 1) * sizeof *place);
    for (int64_t i = 0; i < rows; i++)
        place[counts[i]]++;
    for (int64_t count = panel; count > 0; count--) {
        int64_t number = place[count];
        place[count] = used;
        used += number;
    }
    for (int64_t i = 0; i < rows; i++)
        if (counts[i] > 0)
            order[place[counts[i]]++] = i;
    return used;
}

struct packer {
    const struct pr_source *source;
    struct pr_header *header; /* NULL while runs are only counted */
    int64_t panel, block_rows;
    struct cursor cursor[MOST_BLOCK_ROWS];
    int64_t counts[MOST_BLOCK_ROWS], order[MOST_BLOCK_ROWS], place[MOST_PANEL + 1];
};

static void copy_run(struct packer *packer, int64_t first, int64_t panel_begin, int64_t i, struct pr_run_cell *at)
{
    const struct pr_source *source = packer->source;
    uint16_t *columns = (uint16_t *)pr_section(packer->header, PR_RUN_COLUMNS) + at->entry;
    float *values = (float *)pr_section(packer->header, PR_RUN_VALUES) + at->entry;
    struct pr_short_run *run = (struct pr_short_run *)pr_section(packer->header, PR_RUN_RUNS) + at->run;
    *run = (struct pr_short_run){(uint16_t)i, (uint16_t)packer->counts[i]};
    for (int64_t e = 0; e < packer->counts[i]; e++) {
        int64_t entry = packer->cursor[i].begin + e;
        columns[e] = (uint16_t)(pr_source_column(source, first + i, entry) - panel_begin);
        values[e] = source->values[entry];
    }
}

static struct pr_run_cell walk(struct packer *packer)
{
    const struct pr_source *source = packer->source;
    struct pr_run_cell at = {0, 0}, *cell = packer->header ? pr_section(packer->header, PR_RUN_CELLS) : NULL;
    for (int64_t first = 0; first < source->rows; first += packer->block_rows) {
        int64_t rows = source->rows - first < packer->block_rows ? source->rows - first : packer->block_rows;
        for (int64_t i = 0; i < rows; i++)
            pr_source_row(source, first + i, &packer->cursor[i].begin, &packer->cursor[i].end);
        for (int64_t k = 0; k < source->columns; k += packer->panel) {
            if (cell)
                *cell++ = at;
            for (int64_t i = 0; i < rows; i++)
                packer->counts[i] = count_before(source, first + i, &packer->cursor[i], k + packer->panel);
            int64_t used = sort_rows(packer->counts, rows, packer->panel, packer->order, packer->place);
            for (int64_t r = 0; r < used; r++, at.run++) {
                int64_t i = packer->order[r];
                if (cell)
                    copy_run(packer, first, k, i, &at);
                packer->cursor[i].begin += packer->counts[i];
                at.entry += packer->counts[i];
            }
        }
    }
    if (cell)
        *cell = at;
    return at;
}

static int32_t pack_with(struct packer *packer, struct pr_blob *blob)
{
    const struct pr_source *source = packer->source;
    struct pr_run_cell end = walk(packer);
    PR_TRY(pr_runs_begin(blob, &kind, source, packer->block_rows, packer->panel, end));
    packer->header = blob->header;
    walk(packer);
    return PRUNE_OK;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    struct packer *packer = NULL;
    PR_TRY(pr_alloc_zero(blob->context, 1, sizeof *packer, &packer));
    packer->source = source;
    packer->panel = choose_panel(column_hint);
    packer->block_rows = pr_choose_block_rows(source->rows, 64, MOST_BLOCK_ROWS);
    int32_t status = pack_with(packer, blob);
    pr_release(blob->context, packer);
    return status;
}

PR_RUNS_FUNCTIONS(kind)

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    const struct pr_run_cell *cell =
        (const struct pr_run_cell *)pr_section(header, PR_RUN_CELLS) + run->block * pr_runs_panels(header);
    memset(run->sums, 0, (size_t)(pr_block_size(header, run->block) * run->tile) * sizeof *run->sums);
    for (int64_t p = 0; p < pr_runs_panels(header); p++, cell++)
        run->kernels->few_rows(run->sums, run->tile, run->x + p * header->parameter * run->tile,
                               (const struct pr_short_run *)pr_section(header, PR_RUN_RUNS) + cell->run,
                               cell[1].run - cell->run,
                               (const uint16_t *)pr_section(header, PR_RUN_COLUMNS) + cell->entry,
                               (const float *)pr_section(header, PR_RUN_VALUES) + cell->entry);
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    (void)n;
    return PR_SLOT_few_rows;
}

const struct pr_form pr_form_few_rows = {
    .name = "few-rows",
    .x_group = 1,
    .tile_least = 4,
    .tile_step = 8,
    .tile = 32,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
