/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Quads: four rows at a time, for wide X. The columns of a panel are sorted by which of the four rows have them; each
 * is loaded once.
 */
#include "core/sparse/forms/cells.h"
#include "prune/context.h"

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    return column_hint >= 32 && cpu & PRUNE_CPU_AVX512 && pr_cells_density(source) > 0.15;
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    double density = pr_cells_density(source);
    int64_t wanted = density <= 0.15 ? 240 : 128;
    return pr_cells_pack(blob, source, &pr_cells_quads, pr_cells_panel(source, wanted), cpu);
}

static int64_t widest(const struct pr_header *header, uint32_t cpu, int64_t cache)
{
    return pr_cells_widest(header, cache, cpu & PRUNE_CPU_AVX512 ? 96 : 48);
}

PR_CELLS_FUNCTIONS(quads, quads_panel, quads_shifts)

const struct pr_form pr_form_quads = {
    .name = "quads",
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
