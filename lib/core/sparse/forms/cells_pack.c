/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cells: packing. Twice through the matrix: once to choose groups and count their columns, once to write.
 */
#include <string.h>

#include "core/sparse/forms/cells.h"

#define WORDS 4 /* of 64 columns, in the widest panel */

/* One cell at a time. */
struct packer {
    const struct pr_source *source;
    const struct pr_cells_kind *kind;
    pr_overlap_fn *add_overlaps;
    int64_t panel, words, block_rows;
    int64_t first, size;                             /* rows of this block */
    int64_t cursor[PR_CELL_ROWS];                    /* each row's next entry */
    int64_t counts[PR_CELL_ROWS];                    /* its entries in this panel */
    uint64_t masks[PR_CELL_ROWS][WORDS];             /* and their columns */
    uint64_t pool[WORDS * PR_CELL_ROWS];             /* masks of rows that no group has yet, word by word */
    uint64_t scores[PR_CELL_ROWS];                   /* columns that they share with the group that is being made */
    uint8_t rows[PR_CELL_ROWS];                      /* which rows these are */
    uint8_t items[PR_CELL_ROWS * PR_QUAD_BYTES];     /* this cell's, */
    uint8_t sorted[PR_CELL_ROWS * PR_QUAD_BYTES];    /* and while they are sorted */
    float values[PR_CELL_ROWS][PR_CELL_COLUMNS + 1]; /* by column */
};

double pr_cells_density(const struct pr_source *source)
{
    double all = (double)source->rows * (double)source->columns;
    return all > 0 ? (double)(pr_source_begin(source, source->rows) - pr_source_begin(source, 0)) / all : 0;
}

int64_t pr_cells_panel(const struct pr_source *source, int64_t wanted)
{
    int64_t panels = pr_ceil_div(source->columns, wanted);
    return panels ? pr_ceil_div(source->columns, panels) : wanted;
}

int64_t pr_cells_block_rows(int64_t rows)
{
    return pr_choose_block_rows(rows, 64, PR_CELL_ROWS);
}

static void begin_block(struct packer *p, int64_t block)
{
    p->first = block * p->block_rows;
    p->size = p->source->rows - p->first < p->block_rows ? p->source->rows - p->first : p->block_rows;
    for (int64_t i = 0; i < p->size; i++)
        p->cursor[i] = pr_source_begin(p->source, p->first + i);
}

/* The columns of each row within the panel that begins at `begin`, and their values if wanted. */
static void scan(struct packer *p, int64_t begin, int with_values)
{
    const struct pr_source *source = p->source;
    int64_t end = begin + p->panel < source->columns ? begin + p->panel : source->columns;
    memset(p->counts, 0, sizeof p->counts);
    memset(p->masks, 0, sizeof p->masks);
    for (int64_t i = 0; i < p->size; i++) {
        int64_t row = p->first + i, e = p->cursor[i], stop = pr_source_begin(source, row + 1);
        uint64_t mask[WORDS] = {0};
        for (; e < stop; e++) {
            int64_t column = pr_source_column(source, row, e);
            if (column >= end)
                break;
            mask[(column - begin) / 64] |= (uint64_t)1 << ((column - begin) % 64);
            if (with_values)
                p->values[i][column - begin] = source->values[e];
        }
        memcpy(p->masks[i], mask, sizeof mask);
        p->counts[i] = e - p->cursor[i];
        p->cursor[i] = e;
    }
}

/* Rows that have entries, or all in the first panel, in whole groups: others fill up. */
static int64_t fill_pool(struct packer *p, int first)
{
    int64_t count = 0, height = p->kind->height, all = pr_ceil_div(p->size, height) * height;
    for (int64_t i = 0; i < all; i++)
        if (first || p->counts[i] > 0)
            p->rows[count++] = (uint8_t)i;
    for (int64_t i = 0; count % height; i++)
        if (p->counts[i] == 0)
            p->rows[count++] = (uint8_t)i;
    for (int64_t i = 0; height > 1 && i < count; i++)
        for (int64_t w = 0; w < p->words; w++)
            p->pool[w * PR_CELL_ROWS + i] = p->masks[p->rows[i]][w];
    return count;
}

static uint8_t take_from_pool(struct packer *p, int64_t at, int64_t last, uint64_t mask[WORDS])
{
    uint8_t row = p->rows[at];
    memcpy(mask, p->masks[row], sizeof p->masks[row]);
    p->rows[at] = p->rows[last];
    p->scores[at] = p->scores[last];
    for (int64_t w = 0; w < p->words; w++)
        p->pool[w * PR_CELL_ROWS + at] = p->pool[w * PR_CELL_ROWS + last];
    return row;
}

/* Greedily: a row, then the one that shares most with those taken. */
static int64_t choose_groups(struct packer *p, int64_t count)
{
    int height = p->kind->height;
    uint8_t *item = p->items;
    for (; count > 0; item += p->kind->item_bytes) {
        uint64_t mask[WORDS];
        memset(p->scores, 0, (size_t)count * sizeof *p->scores);
        item[0] = take_from_pool(p, count - 1, count - 1, mask);
        count--;
        for (int r = 1; r < height; r++) {
            int64_t at = count - 1;
            if (!p->kind->neighbours)
                at = p->add_overlaps(p->scores, p->pool, PR_CELL_ROWS, p->words, count, mask);
            item[r] = take_from_pool(p, at, count - 1, mask);
            count--;
        }
    }
    return (item - p->items) / p->kind->item_bytes;
}

/* The columns that all rows of the class have and no other row of the item has. */
static void class_mask(const struct packer *p, const uint8_t *item, int rows, uint64_t mask[WORDS])
{
    for (int64_t w = 0; w < p->words; w++) {
        mask[w] = ~(uint64_t)0;
        for (int r = 0; r < p->kind->height; r++)
            mask[w] &= rows >> r & 1 ? p->masks[item[r]][w] : ~p->masks[item[r]][w];
    }
}

static int64_t bits_of(const struct packer *p, const uint64_t mask[WORDS])
{
    int64_t bits = 0;
    for (int64_t w = 0; w < p->words; w++)
        bits += __builtin_popcountll(mask[w]);
    return bits;
}

static void count_classes(const struct packer *p, uint8_t *item)
{
    uint64_t mask[WORDS];
    if (p->kind->height == 1) {
        item[1] = (uint8_t)p->counts[item[0]];
    } else if (p->kind->height == 2) {
        class_mask(p, item, 3, mask);
        int64_t both = bits_of(p, mask), a = p->counts[item[0]] - both, b = p->counts[item[1]] - both;
        if (b > a) {
            uint8_t row = item[0];
            item[0] = item[1];
            item[1] = row;
        }
        item[2] = (uint8_t)both;
        item[3] = (uint8_t)(a < b ? a : b);
        item[4] = (uint8_t)(a < b ? b - a : a - b);
    } else {
        for (int c = 0; c < PR_QUAD_CLASSES; c++) {
            class_mask(p, item, pr_quad_classes[c], mask);
            item[4 + c] = (uint8_t)bits_of(p, mask);
        }
    }
}

/* Stable, most first, by one byte of each item: loops whose lengths repeat are predicted. */
static void sort_items(struct packer *p, int64_t count, int key)
{
    int64_t begin[257] = {0}, bytes = p->kind->item_bytes;
    for (int64_t i = 0; i < count; i++)
        begin[256 - p->items[i * bytes + key]]++;
    for (int64_t v = 1; v < 257; v++)
        begin[v] += begin[v - 1];
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *item = p->items + i * bytes;
        memcpy(p->sorted + begin[255 - item[key]]++ * bytes, item, (size_t)bytes);
    }
    memcpy(p->items, p->sorted, (size_t)(count * bytes));
}

/* Gives how many items the cell has. */
static int64_t make_items(struct packer *p, int first)
{
    int64_t count = choose_groups(p, fill_pool(p, first));
    for (int64_t i = 0; i < count; i++)
        count_classes(p, p->items + i * p->kind->item_bytes);
    if (p->kind->height == 2)
        sort_items(p, count, 3);
    sort_items(p, count, p->kind->height == 1 ? 1 : p->kind->height == 2 ? 2 : 4);
    return count;
}

/* The columns in `mask`, each with the values of the rows that are in the class. */
static void write_class(const struct packer *p, const uint8_t *item, int rows, const uint64_t mask[WORDS],
                        uint8_t **columns, float **values)
{
    for (int64_t w = 0; w < p->words; w++)
        for (uint64_t bits = mask[w]; bits; bits &= bits - 1) {
            int64_t column = 64 * w + __builtin_ctzll(bits);
            *(*columns)++ = (uint8_t)column;
            for (int r = 0; r < p->kind->height; r++)
                if (rows >> r & 1)
                    *(*values)++ = p->values[item[r]][column];
        }
}

/* Columns of one row each: one of the first, one of the second row in turns, then the rest of the first. */
static void write_turns(const struct packer *p, const uint8_t *item, uint8_t **columns, float **values)
{
    uint64_t mask[2][WORDS];
    int64_t word[2] = {0, 0};
    class_mask(p, item, 1, mask[0]);
    class_mask(p, item, 2, mask[1]);
    for (int i = 0, end = 2 * item[3] + item[4]; i < end; i++) {
        int r = i < 2 * item[3] ? i % 2 : 0;
        while (!mask[r][word[r]])
            word[r]++;
        int64_t column = 64 * word[r] + __builtin_ctzll(mask[r][word[r]]);
        mask[r][word[r]] &= mask[r][word[r]] - 1;
        *(*columns)++ = (uint8_t)column;
        *(*values)++ = p->values[item[r]][column];
    }
}

static void write_item(const struct packer *p, const uint8_t *item, uint8_t **columns, float **values)
{
    uint64_t mask[WORDS];
    if (p->kind->height == 1) {
        write_class(p, item, 1, p->masks[item[0]], columns, values);
    } else if (p->kind->height == 2) {
        class_mask(p, item, 3, mask);
        write_class(p, item, 3, mask, columns, values);
        write_turns(p, item, columns, values);
    } else {
        for (int c = 0; c < PR_QUAD_CLASSES; c++) {
            class_mask(p, item, pr_quad_classes[c], mask);
            write_class(p, item, pr_quad_classes[c], mask, columns, values);
        }
    }
}

/* First time: `items` and `cells` are filled. */
static void choose(struct packer *p, int64_t blocks, int64_t panels, uint8_t *items, struct pr_cell *cells)
{
    struct pr_cell at = {0, 0, 0};
    int64_t bytes = p->kind->item_bytes;
    for (int64_t block = 0; block < blocks; block++) {
        begin_block(p, block);
        for (int64_t panel = 0; panel < panels; panel++) {
            *cells++ = at;
            scan(p, panel * p->panel, 0);
            int64_t count = make_items(p, panel == 0);
            memcpy(items + at.item * bytes, p->items, (size_t)(count * bytes));
            at.item += count;
            for (int64_t i = 0; i < count; i++) {
                int64_t columns, values;
                pr_cells_measure(p->kind, p->items + i * bytes, &columns, &values);
                at.column += columns;
                at.value += values;
            }
        }
    }
    *cells = at;
}

static void write(struct packer *p, const struct pr_header *header)
{
    const struct pr_cell *cell = pr_section(header, PR_CELLS);
    const uint8_t *items = pr_section(header, PR_CELL_ITEMS);
    uint8_t *columns = pr_section(header, PR_CELL_INDICES);
    float *values = pr_section(header, PR_CELL_VALUES);
    for (int64_t block = 0; block < pr_block_count(header); block++) {
        begin_block(p, block);
        for (int64_t panel = 0; panel < pr_cells_panels(header); panel++, cell++) {
            scan(p, panel * p->panel, 1);
            for (int64_t i = cell[0].item; i < cell[1].item; i++)
                write_item(p, items + i * p->kind->item_bytes, &columns, &values);
        }
    }
}

/* The blob, once items and cells are there. */
static int32_t fill(struct pr_blob *blob, struct packer *p, int64_t blocks, int64_t panels, uint8_t *items,
                    struct pr_cell *cells)
{
    int64_t bytes[PR_CELL_SECTIONS];
    choose(p, blocks, panels, items, cells);
    const struct pr_cell *end = cells + blocks * panels;
    PR_TRY(pr_cells_bytes(p->kind, blocks * panels, end, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, PR_CELL_SECTIONS));
    struct pr_header *header = blob->header;
    header->rows = p->source->rows;
    header->columns = p->source->columns;
    header->stored = end->value;
    header->block_rows = p->block_rows;
    header->parameter = p->panel;
    memcpy(pr_section(header, PR_CELLS), cells, (size_t)bytes[PR_CELLS]);
    memcpy(pr_section(header, PR_CELL_ITEMS), items, (size_t)bytes[PR_CELL_ITEMS]);
    write(p, header);
    return PRUNE_OK;
}

int32_t pr_cells_pack(struct pr_blob *blob, const struct pr_source *source, const struct pr_cells_kind *kind,
                      int64_t panel, uint32_t cpu)
{
    int64_t block_rows = pr_cells_block_rows(source->rows), blocks = pr_ceil_div(source->rows, block_rows);
    int64_t panels = pr_ceil_div(source->columns, panel), cells = 0, items = 0;
    struct pr_kernels kernels;
    pr_kernels_select(cpu, &kernels);
    PR_TRY(pr_mul(blocks, panels, &cells));
    PR_TRY(pr_mul(cells, pr_ceil_div(block_rows, kind->height) * kind->item_bytes, &items));
    struct packer *packer = NULL;
    uint8_t *item = NULL;
    struct pr_cell *cell = NULL;
    int32_t status = pr_alloc_zero(blob->context, 1, sizeof *packer, &packer);
    if (!status)
        status = pr_alloc(blob->context, items, 1, &item);
    if (!status)
        status = pr_alloc(blob->context, cells + 1, sizeof *cell, &cell);
    if (!status) {
        packer->source = source;
        packer->kind = kind;
        packer->add_overlaps = kernels.add_overlaps;
        packer->panel = panel;
        packer->words = pr_ceil_div(panel, 64);
        packer->block_rows = block_rows;
        status = fill(blob, packer, blocks, panels, item, cell);
    }
    pr_release(blob->context, cell);
    pr_release(blob->context, item);
    pr_release(blob->context, packer);
    return status;
}
