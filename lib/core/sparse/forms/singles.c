/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Singles: any pattern, row after row, for wide X: one broadcast for each value, one load for each product.
 */
#include "core/sparse/forms/cells.h"
#include "prune/context.h"

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)source;
    (void)cpu;
    return column_hint >= 32;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    double density = pr_cells_density(source);
    int64_t wanted = density <= 0.04 ? 240 : density <= 0.15 ? 128 : density <= 0.6 ? 96 : 64;
    return pr_cells_pack(blob, source, &pr_cells_singles, pr_cells_panel(source, wanted), cpu);
}

static int64_t widest(const struct pr_header *header, uint32_t cpu, int64_t cache)
{
    return pr_cells_widest(header, cache, cpu & PRUNE_CPU_AVX512 ? 128 : 96);
}

PR_CELLS_FUNCTIONS(singles, singles_panel, singles_shifts)

const struct pr_form pr_form_singles = {
    .name = "singles",
    .column_order = 1,
    .x_group = 1,
    .tile_step = PR_LANES,
    .widest = widest,
    .can = pr_cells_can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = pr_cells_work,
    .run = run,
    .passes = pr_cells_panels,
    .slot = slot,
};
