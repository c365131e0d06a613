/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rows for few columns of X, lanes along these: any pattern. As "rows", but the rows of a cell are sorted by their
 * number of entries, so that trip counts repeat, and the headers of runs are short.
 */
#include <string.h>

#include "core/sparse/forms/form.h"

enum { CELLS, RUNS, COLUMNS, VALUES };

#define MOST_PANEL 4096
#define MOST_BLOCK_ROWS 256

/* Where a cell's runs and entries begin; a last one says where they end. Cells go block by block. */
struct cell {
    int64_t run, entry;
};

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

static int64_t panel_count(const struct pr_header *header)
{
    return pr_ceil_div(header->columns, header->parameter);
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

static void copy_run(struct packer *packer, int64_t first, int64_t panel_begin, int64_t i, struct cell *at)
{
    const struct pr_source *source = packer->source;
    uint16_t *columns = (uint16_t *)pr_section(packer->header, COLUMNS) + at->entry;
    float *values = (float *)pr_section(packer->header, VALUES) + at->entry;
    struct pr_short_run *run = (struct pr_short_run *)pr_section(packer->header, RUNS) + at->run;
    *run = (struct pr_short_run){(uint16_t)i, (uint16_t)packer->counts[i]};
    for (int64_t e = 0; e < packer->counts[i]; e++) {
        int64_t entry = packer->cursor[i].begin + e;
        columns[e] = (uint16_t)(pr_source_column(source, first + i, entry) - panel_begin);
        values[e] = source->values[entry];
    }
}

static struct cell walk(struct packer *packer)
{
    const struct pr_source *source = packer->source;
    struct cell at = {0, 0}, *cell = packer->header ? pr_section(packer->header, CELLS) : NULL;
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

static int32_t section_bytes(int64_t cells, int64_t runs, int64_t entries, int64_t *bytes)
{
    PR_TRY(pr_add(cells, 1, &cells));
    PR_TRY(pr_mul(cells, (int64_t)sizeof(struct cell), &bytes[CELLS]));
    PR_TRY(pr_mul(runs, (int64_t)sizeof(struct pr_short_run), &bytes[RUNS]));
    PR_TRY(pr_mul(entries, (int64_t)sizeof(uint16_t), &bytes[COLUMNS]));
    return pr_mul(entries, (int64_t)sizeof(float), &bytes[VALUES]);
}

static int32_t pack_with(struct packer *packer, struct pr_blob *blob)
{
    const struct pr_source *source = packer->source;
    struct cell end = walk(packer);
    int64_t cells = 0, bytes[4];
    PR_TRY(pr_mul(pr_ceil_div(source->rows, packer->block_rows), pr_ceil_div(source->columns, packer->panel), &cells));
    PR_TRY(section_bytes(cells, end.run, end.entry, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, 4));
    struct pr_header *header = packer->header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = end.entry;
    header->block_rows = packer->block_rows;
    header->parameter = packer->panel;
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

static int32_t validate_cell(const struct pr_header *header, const struct cell *cell, int64_t block, int64_t panel)
{
    const struct pr_short_run *runs = pr_section(header, RUNS);
    const uint16_t *columns = pr_section(header, COLUMNS);
    int64_t width = header->columns - panel * header->parameter, entry = cell[0].entry;
    if (width > header->parameter)
        width = header->parameter;
    for (int64_t r = cell[0].run; r < cell[1].run; r++) {
        if (runs[r].row >= pr_block_size(header, block) || runs[r].count > cell[1].entry - entry)
            return pr_fail(PRUNE_E_FORMAT, "run %lld of the packed data, row %u with %u entries, leaves its block",
                           (long long)r, (unsigned)runs[r].row, (unsigned)runs[r].count);
        entry += runs[r].count;
    }
    if (entry != cell[1].entry)
        return pr_fail(PRUNE_E_FORMAT, "the runs of block %lld have %lld entries too few", (long long)block,
                       (long long)(cell[1].entry - entry));
    for (int64_t e = cell[0].entry; e < cell[1].entry; e++)
        if (columns[e] >= width)
            return pr_fail(PRUNE_E_FORMAT, "entry %lld of the packed data has column %u of a panel of %lld",
                           (long long)e, (unsigned)columns[e], (long long)width);
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[4], cells = 0;
    if (header->parameter < 1 || header->parameter > MOST_PANEL)
        return pr_fail(PRUNE_E_FORMAT, "a panel has %lld columns; 1 to %d are possible", (long long)header->parameter,
                       MOST_PANEL);
    int64_t runs = header->section_bytes[RUNS] / (int64_t)sizeof(struct pr_short_run);
    PR_TRY(pr_mul(pr_block_count(header), panel_count(header), &cells));
    PR_TRY(section_bytes(cells, runs, header->stored, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 4));
    const struct cell *cell = pr_section(header, CELLS);
    if (cell[0].run != 0 || cell[0].entry != 0 || cell[cells].run != runs || cell[cells].entry != header->stored)
        return pr_fail(PRUNE_E_FORMAT, "the cells of the packed data do not cover its %lld runs and %lld entries",
                       (long long)runs, (long long)header->stored);
    for (int64_t i = 0; i < cells; i++)
        if (cell[i].run > cell[i + 1].run || cell[i].entry > cell[i + 1].entry)
            return pr_fail(PRUNE_E_FORMAT, "cell %lld of the packed data ends before it begins", (long long)i);
    for (int64_t i = 0; i < cells; i++)
        PR_TRY(validate_cell(header, cell + i, i / panel_count(header), i % panel_count(header)));
    return PRUNE_OK;
}

static int64_t block_work(const struct pr_header *header, int64_t block)
{
    const struct cell *cell = pr_section(header, CELLS);
    int64_t panels = panel_count(header);
    return cell[(block + 1) * panels].entry - cell[block * panels].entry;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    const struct cell *cell = (const struct cell *)pr_section(header, CELLS) + run->block * panel_count(header);
    memset(run->sums, 0, (size_t)(pr_block_size(header, run->block) * run->tile) * sizeof *run->sums);
    for (int64_t p = 0; p < panel_count(header); p++, cell++)
        run->kernels->few_rows(run->sums, run->tile, run->x + p * header->parameter * run->tile,
                               (const struct pr_short_run *)pr_section(header, RUNS) + cell->run,
                               cell[1].run - cell->run, (const uint16_t *)pr_section(header, COLUMNS) + cell->entry,
                               (const float *)pr_section(header, VALUES) + cell->entry);
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    const struct cell *cell = pr_section(header, CELLS);
    const struct pr_short_run *runs = pr_section(header, RUNS);
    const uint16_t *columns = pr_section(header, COLUMNS);
    const float *values = pr_section(header, VALUES);
    int64_t panels = panel_count(header);
    for (int64_t i = 0; i < pr_block_count(header) * panels; i++) {
        int64_t entry = cell[i].entry;
        for (int64_t r = cell[i].run; r < cell[i + 1].run; r++)
            for (int e = 0; e < runs[r].count; e++, entry++)
                pr_unpack_put(to, i / panels * header->block_rows + runs[r].row,
                              i % panels * header->parameter + columns[entry], values[entry]);
    }
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
