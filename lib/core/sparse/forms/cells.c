/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cells: checking those that come from outside, and running them.
 */
#include "core/sparse/forms/cells.h"

#include <string.h>

const struct pr_cells_kind pr_cells_singles = {1, PR_SINGLE_BYTES, PR_SLOT_singles_panel, 0};
const struct pr_cells_kind pr_cells_pairs = {2, PR_PAIR_BYTES, PR_SLOT_pairs_panel, 0};
const struct pr_cells_kind pr_cells_quads = {4, PR_QUAD_BYTES, PR_SLOT_quads_panel, 0};
const struct pr_cells_kind pr_cells_few_pairs = {2, PR_PAIR_BYTES, PR_SLOT_few_pairs, 1};

#define CLASS(rows) rows,
const uint8_t pr_quad_classes[PR_QUAD_CLASSES] = {PR_QUAD_ORDER(CLASS)};
#undef CLASS

void pr_cells_measure(const struct pr_cells_kind *kind, const uint8_t *item, int64_t *columns, int64_t *values)
{
#define CLASS(rows) (rows & 1) + (rows >> 1 & 1) + (rows >> 2 & 1) + (rows >> 3 & 1),
    static const int8_t heights[PR_QUAD_CLASSES] = {PR_QUAD_ORDER(CLASS)};
#undef CLASS
    if (kind->height == 1) {
        *columns = *values = item[1];
    } else if (kind->height == 2) {
        *columns = item[2] + 2 * item[3] + item[4];
        *values = 2 * item[2] + 2 * item[3] + item[4];
    } else {
        *columns = *values = 0;
        for (int c = 0; c < PR_QUAD_CLASSES; c++) {
            *columns += item[4 + c];
            *values += item[4 + c] * heights[c];
        }
    }
}

int pr_cells_can(const struct pr_source *source)
{
    (void)source;
    return 1;
}

int32_t pr_cells_bytes(const struct pr_cells_kind *kind, int64_t cells, const struct pr_cell *end, int64_t *bytes)
{
    PR_TRY(pr_add(cells, 1, &cells));
    PR_TRY(pr_mul(cells, (int64_t)sizeof(struct pr_cell), &bytes[PR_CELLS]));
    PR_TRY(pr_mul(end->value, (int64_t)sizeof(float), &bytes[PR_CELL_VALUES]));
    bytes[PR_CELL_INDICES] = end->column;
    return pr_mul(end->item, kind->item_bytes, &bytes[PR_CELL_ITEMS]);
}

/* Each row is in one item at most; those of the first panel, where sums begin, have all of them. */
static int32_t check_items(const struct pr_header *header, const struct pr_cells_kind *kind, const struct pr_cell *cell,
                           int64_t block, int first)
{
    const uint8_t *items = pr_section(header, PR_CELL_ITEMS);
    int64_t rows = pr_cells_height(header, kind, block), columns = 0, values = 0;
    uint8_t seen[PR_CELL_ROWS] = {0};
    for (int64_t i = cell[0].item; i < cell[1].item; i++) {
        const uint8_t *item = items + i * kind->item_bytes;
        int64_t item_columns, item_values;
        for (int r = 0; r < kind->height; r++) {
            if (item[r] >= rows || seen[item[r]])
                return pr_fail(PRUNE_E_FORMAT, "group %lld of the packed data has row %u %s", (long long)i,
                               (unsigned)item[r], item[r] < rows ? "twice" : "beyond its block");
            seen[item[r]] = 1;
        }
        pr_cells_measure(kind, item, &item_columns, &item_values);
        columns += item_columns;
        values += item_values;
    }
    if (columns != cell[1].column - cell[0].column || values != cell[1].value - cell[0].value)
        return pr_fail(PRUNE_E_FORMAT, "the groups of block %lld have %lld columns and %lld values; %lld and %lld fit",
                       (long long)block, (long long)columns, (long long)values,
                       (long long)(cell[1].column - cell[0].column), (long long)(cell[1].value - cell[0].value));
    if (first && (cell[1].item - cell[0].item) * kind->height != rows)
        return pr_fail(PRUNE_E_FORMAT, "the first panel of block %lld has %lld groups; all %lld rows must be in it",
                       (long long)block, (long long)(cell[1].item - cell[0].item), (long long)rows);
    return PRUNE_OK;
}

static int32_t check_columns(const struct pr_header *header, const struct pr_cell *cell, int64_t panel)
{
    const uint8_t *columns = pr_section(header, PR_CELL_INDICES);
    int64_t width = header->columns - panel * header->parameter;
    if (width > header->parameter)
        width = header->parameter;
    for (int64_t i = cell[0].column; i < cell[1].column; i++)
        if (columns[i] >= width)
            return pr_fail(PRUNE_E_FORMAT, "index %lld of the packed data is column %u of a panel of %lld",
                           (long long)i, (unsigned)columns[i], (long long)width);
    return PRUNE_OK;
}

int32_t pr_cells_validate(const struct pr_header *header, const struct pr_cells_kind *kind)
{
    int64_t bytes[PR_CELL_SECTIONS], cells = 0;
    if (header->parameter < 1 || header->parameter > PR_CELL_COLUMNS)
        return pr_fail(PRUNE_E_FORMAT, "a panel has %lld columns; 1 to %d are possible", (long long)header->parameter,
                       PR_CELL_COLUMNS);
    PR_TRY(pr_blob_expect_blocks(header, kind->height, PR_CELL_ROWS));
    PR_TRY(pr_mul(pr_block_count(header), pr_cells_panels(header), &cells));
    const struct pr_cell end = {header->section_bytes[PR_CELL_ITEMS] / kind->item_bytes,
                                header->section_bytes[PR_CELL_INDICES], header->stored};
    PR_TRY(pr_cells_bytes(kind, cells, &end, bytes));
    PR_TRY(pr_blob_expect(header, bytes, PR_CELL_SECTIONS));
    const struct pr_cell *cell = pr_section(header, PR_CELLS);
    const struct pr_cell *last = cell + cells;
    if (cell->item != 0 || cell->column != 0 || cell->value != 0 || last->item != end.item ||
        last->column != end.column || last->value != end.value)
        return pr_fail(PRUNE_E_FORMAT, "the cells of the packed data do not cover its %lld groups and %lld values",
                       (long long)end.item, (long long)end.value);
    for (int64_t i = 0; i < cells; i++)
        if (cell[i].item > cell[i + 1].item || cell[i].column > cell[i + 1].column || cell[i].value > cell[i + 1].value)
            return pr_fail(PRUNE_E_FORMAT, "cell %lld of the packed data ends before it begins", (long long)i);
    for (int64_t i = 0; i < cells; i++) {
        int64_t panel = i % pr_cells_panels(header);
        PR_TRY(check_items(header, kind, cell + i, i / pr_cells_panels(header), panel == 0));
        PR_TRY(check_columns(header, cell + i, panel));
    }
    return PRUNE_OK;
}

/* One column and a value for each row of the class; gives how many values. */
static int put_class(const struct pr_unpack *to, int64_t first, const uint8_t *item, int rows, int64_t column,
                     const float *values)
{
    int taken = 0;
    for (int r = 0; r < 4; r++)
        if (rows >> r & 1)
            pr_unpack_put(to, first + item[r], column, values[taken++]);
    return taken;
}

static void unpack_item(const struct pr_cells_kind *kind, const struct pr_unpack *to, int64_t first, int64_t begin,
                        const uint8_t *item, const uint8_t **columns, const float **values)
{
    if (kind->height == 1) {
        for (int left = item[1]; left > 0; left--)
            *values += put_class(to, first, item, 1, begin + *(*columns)++, *values);
    } else if (kind->height == 2) {
        for (int left = item[2]; left > 0; left--)
            *values += put_class(to, first, item, 3, begin + *(*columns)++, *values);
        for (int i = 0; i < 2 * item[3] + item[4]; i++)
            *values += put_class(to, first, item, i < 2 * item[3] && i % 2 ? 2 : 1, begin + *(*columns)++, *values);
    } else {
        for (int c = 0; c < PR_QUAD_CLASSES; c++)
            for (int left = item[4 + c]; left > 0; left--)
                *values += put_class(to, first, item, pr_quad_classes[c], begin + *(*columns)++, *values);
    }
}

void pr_cells_unpack(const struct pr_header *header, const struct pr_cells_kind *kind, const struct pr_unpack *to)
{
    const struct pr_cell *cell = pr_section(header, PR_CELLS);
    const uint8_t *items = pr_section(header, PR_CELL_ITEMS), *columns = pr_section(header, PR_CELL_INDICES);
    const float *values = pr_section(header, PR_CELL_VALUES);
    int64_t panels = pr_cells_panels(header);
    for (int64_t i = 0; i < pr_block_count(header) * panels; i++)
        for (int64_t item = cell[i].item; item < cell[i + 1].item; item++)
            unpack_item(kind, to, i / panels * header->block_rows, i % panels * header->parameter,
                        items + item * kind->item_bytes, &columns, &values);
}

int64_t pr_cells_panels(const struct pr_header *header)
{
    return pr_ceil_div(header->columns, header->parameter);
}

int64_t pr_cells_work(const struct pr_header *header, int64_t block)
{
    const struct pr_cell *cell = pr_section(header, PR_CELLS);
    int64_t panels = pr_cells_panels(header);
    return cell[(block + 1) * panels].value - cell[block * panels].value;
}

void pr_cells_run(const struct pr_block_run *run, const struct pr_cells_kind *kind, pr_group_fn *kernel,
                  pr_group_shifts_fn *shifts)
{
    const struct pr_header *header = run->header;
    int64_t panels = pr_cells_panels(header);
    const struct pr_cell *cell = (const struct pr_cell *)pr_section(header, PR_CELLS) + run->block * panels;
    const uint8_t *items = pr_section(header, PR_CELL_ITEMS), *columns = pr_section(header, PR_CELL_INDICES);
    const float *values = pr_section(header, PR_CELL_VALUES);
    for (int64_t i = 0; panels == 0 && i < pr_block_size(header, run->block); i++)
        memset(run->sums + i * run->ld_sums, 0, (size_t)run->tile * sizeof *run->sums);
    for (int64_t p = 0; run->starts && p < panels; p++, cell++)
        shifts(run->sums, run->ld_sums, run->x, run->starts + p * header->parameter, run->tile,
               items + cell->item * kind->item_bytes, cell[1].item - cell->item, columns + cell->column,
               values + cell->value, p == 0);
    for (int64_t p = 0; !run->starts && p < panels; p++, cell++)
        kernel(run->sums, run->ld_sums, run->x + p * header->parameter * run->ldx, run->ldx, run->tile,
               items + cell->item * kind->item_bytes, cell[1].item - cell->item, columns + cell->column,
               values + cell->value, p == 0);
}

int64_t pr_cells_widest(const struct pr_header *header, int64_t cache, int64_t most)
{
    int64_t panel = header->parameter < 128 ? header->parameter : 128;
    int64_t tile = cache / (panel * (int64_t)sizeof(float)) / PR_LANES * PR_LANES;
    return tile < 2 * PR_LANES ? 2 * PR_LANES : tile > most ? most : tile;
}
