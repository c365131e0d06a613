/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/forms/runs.h"

#include "core/quantize/encode.h"

static int32_t section_bytes(const struct pr_runs_kind *kind, int64_t cells, struct pr_run_cell end, int64_t encoding,
                             int64_t *bytes)
{
    int64_t values = 0;
    PR_TRY(pr_add(cells, 1, &cells));
    PR_TRY(pr_mul(cells, (int64_t)sizeof(struct pr_run_cell), &bytes[PR_RUN_CELLS]));
    PR_TRY(pr_mul(end.run, kind->run_bytes, &bytes[PR_RUN_RUNS]));
    PR_TRY(pr_mul(end.entry, kind->column_bytes, &bytes[PR_RUN_COLUMNS]));
    PR_TRY(pr_mul(end.entry, kind->unit, &values));
    return pr_mul(values, pr_encoding_bytes(encoding), &bytes[PR_RUN_VALUES]);
}

int32_t pr_runs_begin(struct pr_blob *blob, const struct pr_runs_kind *kind, const struct pr_source *source,
                      int64_t block_rows, int64_t panel, struct pr_run_cell end)
{
    int64_t cells = 0, bytes[PR_RUN_SECTIONS];
    PR_TRY(pr_mul(pr_ceil_div(source->rows, block_rows), pr_ceil_div(source->columns, panel), &cells));
    PR_TRY(section_bytes(kind, cells, end, source->encoding, bytes));
    PR_TRY(pr_blob_begin(blob, bytes, PR_RUN_SECTIONS));
    struct pr_header *header = blob->header;
    header->rows = source->rows;
    header->columns = source->columns;
    header->stored = end.entry * kind->unit;
    header->block_rows = block_rows;
    header->parameter = panel;
    return PRUNE_OK;
}

static struct pr_run run_at(const struct pr_header *header, const struct pr_runs_kind *kind, int64_t index)
{
    const char *runs = pr_section(header, PR_RUN_RUNS);
    if (kind->run_bytes == (int)sizeof(struct pr_run))
        return ((const struct pr_run *)runs)[index];
    const struct pr_short_run *run = (const struct pr_short_run *)runs + index;
    return (struct pr_run){run->row, run->count};
}

static int64_t column_at(const struct pr_header *header, const struct pr_runs_kind *kind, int64_t entry)
{
    const void *columns = pr_section(header, PR_RUN_COLUMNS);
    return kind->column_bytes == 1 ? ((const uint8_t *)columns)[entry] : ((const uint16_t *)columns)[entry];
}

static int32_t validate_cell(const struct pr_header *header, const struct pr_runs_kind *kind,
                             const struct pr_run_cell *cell, int64_t block, int64_t panel)
{
    int64_t width = header->columns - panel * header->parameter, entry = cell[0].entry;
    if (width > header->parameter)
        width = header->parameter;
    for (int64_t r = cell[0].run; r < cell[1].run; r++) {
        struct pr_run run = run_at(header, kind, r);
        if (run.row >= pr_block_size(header, block) || run.row % (uint32_t)kind->unit ||
            run.count > cell[1].entry - entry)
            return pr_fail(PRUNE_E_FORMAT, "run %lld of the packed data, row %u with %u entries, leaves its block",
                           (long long)r, (unsigned)run.row, (unsigned)run.count);
        entry += run.count;
    }
    if (entry != cell[1].entry)
        return pr_fail(PRUNE_E_FORMAT, "the runs of block %lld have %lld entries too few", (long long)block,
                       (long long)(cell[1].entry - entry));
    for (int64_t e = cell[0].entry; e < cell[1].entry; e++)
        if (column_at(header, kind, e) >= width)
            return pr_fail(PRUNE_E_FORMAT, "entry %lld of the packed data has column %lld of a panel of %lld",
                           (long long)e, (long long)column_at(header, kind, e), (long long)width);
    return PRUNE_OK;
}

int32_t pr_runs_validate(const struct pr_header *header, const struct pr_runs_kind *kind)
{
    int64_t bytes[PR_RUN_SECTIONS], cells = 0;
    if (header->parameter < 1 || header->parameter > kind->most_panel || header->stored % kind->unit)
        return pr_fail(PRUNE_E_FORMAT,
                       "a panel has %lld columns, of %lld values in all; 1 to %d and multiples of %d are possible",
                       (long long)header->parameter, (long long)header->stored, kind->most_panel, kind->unit);
    if (kind->unit > 1)
        PR_TRY(pr_blob_expect_blocks(header, kind->unit, PR_MAX_BLOCK_ROWS));
    const struct pr_run_cell end = {header->section_bytes[PR_RUN_RUNS] / kind->run_bytes, header->stored / kind->unit};
    PR_TRY(pr_mul(pr_block_count(header), pr_runs_panels(header), &cells));
    PR_TRY(section_bytes(kind, cells, end, header->encoding, bytes));
    PR_TRY(pr_blob_expect(header, bytes, PR_RUN_SECTIONS));
    const struct pr_run_cell *cell = pr_section(header, PR_RUN_CELLS);
    if (cell[0].run != 0 || cell[0].entry != 0 || cell[cells].run != end.run || cell[cells].entry != end.entry)
        return pr_fail(PRUNE_E_FORMAT, "the cells of the packed data do not cover its %lld runs and %lld entries",
                       (long long)end.run, (long long)end.entry);
    for (int64_t i = 0; i < cells; i++)
        if (cell[i].run > cell[i + 1].run || cell[i].entry > cell[i + 1].entry)
            return pr_fail(PRUNE_E_FORMAT, "cell %lld of the packed data ends before it begins", (long long)i);
    for (int64_t i = 0; i < cells; i++)
        PR_TRY(validate_cell(header, kind, cell + i, i / pr_runs_panels(header), i % pr_runs_panels(header)));
    return PRUNE_OK;
}

int64_t pr_runs_work(const struct pr_header *header, const struct pr_runs_kind *kind, int64_t block)
{
    const struct pr_run_cell *cell = pr_section(header, PR_RUN_CELLS);
    int64_t panels = pr_runs_panels(header);
    return (cell[(block + 1) * panels].entry - cell[block * panels].entry) * kind->unit;
}

void pr_runs_unpack(const struct pr_header *header, const struct pr_runs_kind *kind, const struct pr_unpack *to)
{
    const struct pr_run_cell *cell = pr_section(header, PR_RUN_CELLS);
    const void *values = pr_section(header, PR_RUN_VALUES);
    int64_t panels = pr_runs_panels(header);
    for (int64_t i = 0; i < pr_block_count(header) * panels; i++) {
        int64_t entry = cell[i].entry, first = i / panels * header->block_rows;
        for (int64_t r = cell[i].run; r < cell[i + 1].run; r++) {
            struct pr_run run = run_at(header, kind, r);
            for (uint32_t e = 0; e < run.count; e++, entry++)
                for (int64_t j = 0; j < kind->unit; j++) {
                    int64_t row = first + run.row + j;
                    float scale = row < header->rows ? pr_scale_of(header, row) : 1;
                    pr_unpack_put(to, row, i % panels * header->parameter + column_at(header, kind, entry),
                                  pr_encode_get(values, entry * kind->unit + j, header->encoding, scale));
                }
        }
    }
}
