/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Units: every 4 neighbouring rows have one pattern, as in N:M that is shared by rows or in blocks of 4 or more rows.
 * W is cut into blocks of rows and panels of up to 256 columns; each cell lists its units that have entries, with a
 * byte for the column of each entry within the panel and its values in the four rows.
 */
#include "core/sparse/forms/form.h"
#include "prune/context.h"

enum { CELLS, RUNS, COLUMNS, VALUES };

#define UNIT 4
#define MOST_PANEL_COLUMNS 256

/* Where a cell's runs and entries begin; a last one says where they end. Cells go block by block. */
struct cell {
    int64_t run, entry;
};

static int same_columns(const struct pr_source *source, int64_t a, int64_t b)
{
    int64_t begin, end, other, other_end;
    pr_source_row(source, a, &begin, &end);
    pr_source_row(source, b, &other, &other_end);
    return end - begin == other_end - other &&
           memcmp(source->indices + begin, source->indices + other, (size_t)(end - begin) * sizeof(int32_t)) == 0;
}

/* Every 4 rows agree, whether or not the format says so. */
static int can(const struct pr_source *source)
{
    if (source->format == PR_SOURCE_DENSE)
        return 0;
    if (!source->indices || (source->format == PR_SOURCE_NM && source->unit_rows % UNIT == 0))
        return source->unit_rows % UNIT == 0;
    for (int64_t row = 0; row < source->rows; row++)
        if (row % UNIT && !same_columns(source, row - row % UNIT, row))
            return 0;
    return 1;
}

/* A few rows may agree by chance or be most of them fillers; plain 2:4 has forms that are better at small N. */
static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    int is_2_of_4 = source->format == PR_SOURCE_NM && source->keep_n == 2 && source->group_m == 4;
    return source->rows >= 2 * UNIT && (column_hint >= (cpu & PRUNE_CPU_AVX512 ? 6 : 3) || !is_2_of_4);
}

static int64_t choose_panel(int64_t column_hint)
{
    return column_hint > 32 ? 128 : MOST_PANEL_COLUMNS;
}

static int64_t panel_count(const struct pr_header *header)
{
    return pr_ceil_div(header->columns, header->parameter);
}

static int32_t section_bytes(int64_t cells, int64_t runs, int64_t entries, int64_t *bytes)
{
    PR_TRY(pr_add(cells, 1, &cells));
    PR_TRY(pr_mul(cells, (int64_t)sizeof(struct cell), &bytes[CELLS]));
    PR_TRY(pr_mul(runs, (int64_t)sizeof(struct pr_run), &bytes[RUNS]));
    bytes[COLUMNS] = entries;
    return pr_mul(entries, UNIT * (int64_t)sizeof(float), &bytes[VALUES]);
}

static void count(const struct pr_source *source, int64_t panel, int64_t *runs, int64_t *entries)
{
    *runs = *entries = 0;
    for (int64_t row = 0; row < source->rows; row += UNIT) {
        int64_t begin, end, last = -1;
        pr_source_row(source, row, &begin, &end);
        *entries += end - begin;
        for (int64_t e = begin; e < end; e++) {
            *runs += source->indices[e] / panel != last;
            last = source->indices[e] / panel;
        }
    }
}

/* One unit's entries from cursor on, while they lie within the panel; gives how many. */
static int64_t pack_run(const struct pr_header *header, const struct pr_source *source, int64_t row, int64_t panel,
                        int64_t cursor, int64_t entry)
{
    uint8_t *columns = (uint8_t *)pr_section(header, COLUMNS) + entry;
    float *values = (float *)pr_section(header, VALUES) + entry * UNIT;
    int64_t height = source->rows - row < UNIT ? source->rows - row : UNIT, begin[UNIT], end[UNIT], taken = 0;
    for (int64_t i = 0; i < height; i++)
        pr_source_row(source, row + i, &begin[i], &end[i]);
    for (; begin[0] + cursor + taken < end[0]; taken++) {
        int64_t column = source->indices[begin[0] + cursor + taken] - panel * header->parameter;
        if (column >= header->parameter)
            break;
        columns[taken] = (uint8_t)column;
        for (int64_t i = 0; i < height; i++)
            values[taken * UNIT + i] = source->values[begin[i] + cursor + taken];
    }
    return taken;
}

static struct cell pack_cell(const struct pr_header *header, const struct pr_source *source, struct cell at,
                             int64_t block, int64_t panel, int64_t *cursor)
{
    struct pr_run *runs = pr_section(header, RUNS);
    for (int64_t i = 0; i < pr_block_size(header, block); i += UNIT) {
        int64_t taken = pack_run(header, source, block * header->block_rows + i, panel, cursor[i / UNIT], at.entry);
        if (taken > 0)
            runs[at.run++] = (struct pr_run){(uint32_t)i, (uint32_t)taken};
        cursor[i / UNIT] += taken;
        at.entry += taken;
    }
    return at;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)cpu;
    int64_t panel = choose_panel(column_hint), panels = pr_ceil_div(source->columns, panel), cells = 0, bytes[4];
    int64_t block_rows = pr_choose_block_rows(source->rows, 64, 256), runs = 0, entries = 0;
    count(source, panel, &runs, &entries);
    PR_TRY(pr_mul(pr_ceil_div(source->rows, block_rows), panels, &cells));
    PR_TRY(section_bytes(cells, runs, entries, bytes));
    int64_t *cursor;
    PR_TRY(pr_alloc(blob->context, block_rows / UNIT, sizeof *cursor, &cursor));
    int32_t status = pr_blob_begin(blob, bytes, 4);
    if (status) {
        pr_release(blob->context, cursor);
        return status;
    }
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = entries * UNIT;
    header->block_rows = block_rows;
    header->parameter = panel;
    struct cell *cell = pr_section(header, CELLS), at = {0, 0};
    for (int64_t block = 0; block < pr_block_count(header); block++) {
        memset(cursor, 0, (size_t)(block_rows / UNIT) * sizeof *cursor);
        for (int64_t p = 0; p < panels; p++) {
            *cell++ = at;
            at = pack_cell(header, source, at, block, p, cursor);
        }
    }
    *cell = at;
    pr_release(blob->context, cursor);
    return PRUNE_OK;
}

static int32_t validate_cell(const struct pr_header *header, const struct cell *cell, int64_t block, int64_t panel)
{
    const struct pr_run *runs = pr_section(header, RUNS);
    const uint8_t *columns = pr_section(header, COLUMNS);
    int64_t width = header->columns - panel * header->parameter, entry = cell[0].entry;
    if (width > header->parameter)
        width = header->parameter;
    for (int64_t r = cell[0].run; r < cell[1].run; r++) {
        if (runs[r].row >= pr_block_size(header, block) || runs[r].row % UNIT || runs[r].count > cell[1].entry - entry)
            return pr_fail(PRUNE_E_FORMAT, "unit %lld of the packed data, row %u with %u entries, leaves its block",
                           (long long)r, (unsigned)runs[r].row, (unsigned)runs[r].count);
        entry += runs[r].count;
    }
    if (entry != cell[1].entry)
        return pr_fail(PRUNE_E_FORMAT, "the units of block %lld have %lld entries too few", (long long)block,
                       (long long)(cell[1].entry - entry));
    for (int64_t e = cell[0].entry; e < cell[1].entry; e++)
        if (columns[e] >= width)
            return pr_fail(PRUNE_E_FORMAT, "entry %lld of the packed data has column %u of a panel of %lld",
                           (long long)e, (unsigned)columns[e], (long long)width);
    return PRUNE_OK;
}

static int32_t validate(const struct pr_header *header)
{
    int64_t bytes[4], cells = 0, entries = header->stored / UNIT;
    if (header->parameter < 1 || header->parameter > MOST_PANEL_COLUMNS || header->stored % UNIT)
        return pr_fail(PRUNE_E_FORMAT, "a panel has %lld columns, %lld values; 1 to %d and multiples of 4 are possible",
                       (long long)header->parameter, (long long)header->stored, MOST_PANEL_COLUMNS);
    PR_TRY(pr_blob_expect_blocks(header, UNIT, PR_MAX_BLOCK_ROWS));
    int64_t runs = header->section_bytes[RUNS] / (int64_t)sizeof(struct pr_run);
    PR_TRY(pr_mul(pr_block_count(header), panel_count(header), &cells));
    PR_TRY(section_bytes(cells, runs, entries, bytes));
    PR_TRY(pr_blob_expect(header, bytes, 4));
    const struct cell *cell = pr_section(header, CELLS);
    if (cell[0].run != 0 || cell[0].entry != 0 || cell[cells].run != runs || cell[cells].entry != entries)
        return pr_fail(PRUNE_E_FORMAT, "the cells of the packed data do not cover its %lld units and %lld entries",
                       (long long)runs, (long long)entries);
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
    return (cell[(block + 1) * panels].entry - cell[block * panels].entry) * UNIT;
}

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    const struct cell *cell = (const struct cell *)pr_section(header, CELLS) + run->block * panel_count(header);
    int64_t rows = pr_ceil_div(pr_block_size(header, run->block), UNIT) * UNIT;
    pr_units_fn *kernel = run->tile <= PR_LANES ? run->kernels->units_few : run->kernels->units_panel;
    memset(run->sums, 0, (size_t)(rows * run->tile) * sizeof *run->sums);
    for (int64_t p = 0; p < panel_count(header); p++, cell++)
        kernel(run->sums, run->tile, run->x + p * header->parameter * run->tile,
               (const struct pr_run *)pr_section(header, RUNS) + cell->run, cell[1].run - cell->run,
               (const uint8_t *)pr_section(header, COLUMNS) + cell->entry,
               (const float *)pr_section(header, VALUES) + cell->entry * UNIT);
}

static void unpack(const struct pr_header *header, const struct pr_unpack *to)
{
    const struct cell *cell = pr_section(header, CELLS);
    const struct pr_run *runs = pr_section(header, RUNS);
    const uint8_t *columns = pr_section(header, COLUMNS);
    const float *values = pr_section(header, VALUES);
    int64_t panels = panel_count(header);
    for (int64_t i = 0; i < pr_block_count(header) * panels; i++) {
        int64_t entry = cell[i].entry;
        for (int64_t r = cell[i].run; r < cell[i + 1].run; r++)
            for (uint32_t e = 0; e < runs[r].count; e++, entry++)
                for (int64_t j = 0; j < UNIT; j++)
                    pr_unpack_put(to, i / panels * header->block_rows + runs[r].row + j,
                                  i % panels * header->parameter + columns[entry], values[entry * UNIT + j]);
    }
}

static int64_t widest(const struct pr_header *header, uint32_t cpu, int64_t cache)
{
    (void)header;
    (void)cache;
    return cpu & PRUNE_CPU_AVX512 ? 96 : 48;
}

static enum pr_slot slot(const struct pr_header *header, int64_t n)
{
    (void)header;
    return n <= PR_LANES ? PR_SLOT_units_few : PR_SLOT_units_panel;
}

const struct pr_form pr_form_units = {
    .name = "units-of-4",
    .column_order = 1,
    .lanes_along_rows = 0,
    .x_group = 1,
    .few_columns = 1,
    .tile_step = PR_LANES,
    .tile = 96,
    .widest = widest,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = block_work,
    .run = run,
    .slot = slot,
};
