/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Units: every 4 neighbouring rows have one pattern, as in N:M that is shared by rows or in blocks of 4 or more rows.
 * W is cut into blocks of rows and panels of up to 256 columns; each cell lists its units that have entries, with a
 * byte for the column of each entry within the panel and its values in the four rows.
 */
#include "core/sparse/forms/runs.h"
#include "prune/context.h"

#define UNIT 4
#define MOST_PANEL_COLUMNS 256

static const struct pr_runs_kind kind = {UNIT, (int)sizeof(struct pr_run), 1, MOST_PANEL_COLUMNS};

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
    uint8_t *columns = (uint8_t *)pr_section(header, PR_RUN_COLUMNS) + entry;
    float *values = (float *)pr_section(header, PR_RUN_VALUES) + entry * UNIT;
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

static struct pr_run_cell pack_cell(const struct pr_header *header, const struct pr_source *source,
                                    struct pr_run_cell at, int64_t block, int64_t panel, int64_t *cursor)
{
    struct pr_run *runs = pr_section(header, PR_RUN_RUNS);
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
    int64_t panel = choose_panel(column_hint), panels = pr_ceil_div(source->columns, panel);
    int64_t block_rows = pr_choose_block_rows(source->rows, 64, 256);
    struct pr_run_cell end = {0, 0};
    count(source, panel, &end.run, &end.entry);
    int64_t *cursor;
    PR_TRY(pr_alloc(blob->context, block_rows / UNIT, sizeof *cursor, &cursor));
    int32_t status = pr_runs_begin(blob, &kind, source, block_rows, panel, end);
    if (status) {
        pr_release(blob->context, cursor);
        return status;
    }
    struct pr_header *header = blob->header;
    struct pr_run_cell *cell = pr_section(header, PR_RUN_CELLS), at = {0, 0};
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

PR_RUNS_FUNCTIONS(kind)

static void run(const struct pr_block_run *run)
{
    const struct pr_header *header = run->header;
    const struct pr_run_cell *cell =
        (const struct pr_run_cell *)pr_section(header, PR_RUN_CELLS) + run->block * pr_runs_panels(header);
    int64_t rows = pr_ceil_div(pr_block_size(header, run->block), UNIT) * UNIT;
    pr_units_fn *kernel = run->tile <= PR_LANES ? run->kernels->units_few : run->kernels->units_panel;
    memset(run->sums, 0, (size_t)(rows * run->tile) * sizeof *run->sums);
    for (int64_t p = 0; p < pr_runs_panels(header); p++, cell++)
        kernel(run->sums, run->tile, run->x + p * header->parameter * run->tile,
               (const struct pr_run *)pr_section(header, PR_RUN_RUNS) + cell->run, cell[1].run - cell->run,
               (const uint8_t *)pr_section(header, PR_RUN_COLUMNS) + cell->entry,
               (const float *)pr_section(header, PR_RUN_VALUES) + cell->entry * UNIT);
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
