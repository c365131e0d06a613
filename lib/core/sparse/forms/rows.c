/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows: any pattern, row after row, lanes along the columns of X. W is cut into blocks of rows and panels of columns
 * such that a panel of X stays in the first-level cache; each cell lists its rows that have entries, 16-bit columns
 * within the panel, and values.
 */
#include <string.h>

#include "core/sparse/forms/runs.h"

#define MOST_PANEL_COLUMNS 65536

static const struct pr_runs_kind kind = {1, (int)sizeof(struct pr_run), 2, MOST_PANEL_COLUMNS};

static int can(const struct pr_source *source)
{
    (void)source;
    return 1;
}

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    (void)column_hint;
    (void)cpu;
    return 1;
}

/* At low density a row needs a wide panel to have enough entries in it; wider X needs a narrow one to stay in cache. */
static int64_t choose_panel(const struct pr_source *source, int64_t entries, int64_t column_hint)
{
    if (column_hint < 8)
        return MOST_PANEL_COLUMNS;
    double density = (double)entries / ((double)source->rows * (double)source->columns + 1);
    int64_t panel = density < 0.06 ? 512 : density < 0.15 ? 256 : 128;
    return column_hint <= 32 ? 2 * panel : panel;
}

static int64_t count_entries(const struct pr_source *source)
{
    int64_t entries = 0, begin, end;
    for (int64_t row = 0; row < source->rows; row++) {
        pr_source_row(source, row, &begin, &end);
        entries += end - begin;
    }
    return entries;
}

static int64_t count_runs(const struct pr_source *source, int64_t panel)
{
    int64_t runs = 0, begin, end;
    for (int64_t row = 0; row < source->rows; row++) {
        pr_source_row(source, row, &begin, &end);
        int64_t last = -1;
        for (int64_t e = begin; e < end; e++) {
            int64_t at = pr_source_column(source, row, e) / panel;
            runs += at != last;
            last = at;
        }
    }
    return runs;
}

/* Copies one cell: the entries of each row of the block from cursor[row] on, while they lie within the panel. */
static struct pr_run_cell pack_cell(const struct pr_header *header, const struct pr_source *source,
                                    struct pr_run_cell at, int64_t block, int64_t panel, int64_t *cursor)
{
    struct pr_run *runs = pr_section(header, PR_RUN_RUNS);
    uint16_t *columns = pr_section(header, PR_RUN_COLUMNS);
    void *values = pr_section(header, PR_RUN_VALUES);
    int64_t first = block * header->block_rows;
    for (int64_t i = 0; i < pr_block_size(header, block); i++) {
        int64_t row = first + i, begin, end, start = at.entry;
        pr_source_row(source, row, &begin, &end);
        for (int64_t e = begin + cursor[i]; e < end; e++, cursor[i]++) {
            int64_t column = pr_source_column(source, row, e) - panel * header->parameter;
            if (column >= header->parameter)
                break;
            columns[at.entry] = (uint16_t)column;
            pr_encode_put(values, at.entry++, source->encoding, source->values[e], pr_source_scale(source, row));
        }
        if (at.entry > start)
            runs[at.run++] = (struct pr_run){(uint32_t)i, (uint32_t)(at.entry - start)};
    }
    return at;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    int64_t entries = count_entries(source), panel = choose_panel(source, entries, column_hint);
    int64_t block_rows = pr_choose_block_rows(source->rows, 64, 256), panels = pr_ceil_div(source->columns, panel);
    int64_t *cursor;
    PR_TRY(pr_alloc(blob->context, block_rows, sizeof *cursor, &cursor));
    int32_t status =
        pr_runs_begin(blob, &kind, source, block_rows, panel, (struct pr_run_cell){count_runs(source, panel), entries});
    if (status) {
        pr_release(blob->context, cursor);
        return status;
    }
    struct pr_header *header = blob->header;
    struct pr_run_cell *cell = pr_section(header, PR_RUN_CELLS), at = {0, 0};
    for (int64_t block = 0; block < pr_block_count(header); block++) {
        for (int64_t i = 0; i < block_rows; i++)
            cursor[i] = 0;
        for (int64_t p = 0; p < panels; p++) {
            *cell++ = at;
            at = pack_cell(header, source, at, block, p, cursor);
        }
    }
    *cell = at;
    pr_release(blob->context, cursor);
    return PRUNE_OK;
}

PR_RUNS_FUNCTIONS(kind)

static void run_cell(const struct pr_block_run *run, const struct pr_run_cell *cell, const float *x)
{
    const struct pr_header *header = run->header;
    const struct pr_kernels *kernels = run->kernels;
    const struct pr_run *runs = (const struct pr_run *)pr_section(header, PR_RUN_RUNS) + cell->run;
    const uint16_t *columns = (const uint16_t *)pr_section(header, PR_RUN_COLUMNS) + cell->entry;
    const void *values =
        (const char *)pr_section(header, PR_RUN_VALUES) + cell->entry * pr_encoding_bytes(header->encoding);
    pr_rows_values_fn *const dots[PR_ENCODINGS] = {NULL, kernels->rows_dot_f16, kernels->rows_dot_bf16,
                                                   kernels->rows_dot_int8};
    pr_rows_values_fn *const panels[PR_ENCODINGS] = {NULL, kernels->rows_panel_f16, kernels->rows_panel_bf16,
                                                     kernels->rows_panel_int8};
    int64_t count = cell[1].run - cell->run;
    if (header->encoding == PR_VALUES_F32)
        (run->tile == 1 ? kernels->rows_dot : kernels->rows_panel)(run->sums, run->tile, x, runs, count, columns,
                                                                   values);
    else
        (run->tile == 1 ? dots : panels)[header->encoding](run->sums, run->tile, x, runs, count, columns, values);
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    const struct pr_run_cell *cell =
        (const struct pr_run_cell *)pr_section(header, PR_RUN_CELLS) + run->block * pr_runs_panels(header);
    memset(run->sums, 0, (size_t)(pr_block_size(header, run->block) * run->tile) * sizeof *run->sums);
    for (int64_t p = 0; p < pr_runs_panels(header); p++, cell++)
        run_cell(run, cell, run->x + p * header->parameter * run->tile);
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    static const enum pr_slot slots[PR_ENCODINGS][2] = {{PR_SLOT_rows_panel, PR_SLOT_rows_dot},
                                                        {PR_SLOT_rows_panel_f16, PR_SLOT_rows_dot_f16},
                                                        {PR_SLOT_rows_panel_bf16, PR_SLOT_rows_dot_bf16},
                                                        {PR_SLOT_rows_panel_int8, PR_SLOT_rows_dot_int8}};
    return slots[header->encoding][n == 1];
}

const struct pr_form pr_form_rows = {
    .name = "rows",
    .column_order = 1,
    .lanes_along_rows = 0,
    .any_encoding = 1,
    .x_group = 1,
    .tile_least = 1,
    .tile_step = PR_LANES,
    .tile = 64,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
