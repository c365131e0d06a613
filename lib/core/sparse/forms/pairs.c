/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pairs: two rows at a time, for wide X. A column that both have is loaded once; the columns of one row alone go in
 * turns, so that there are twice as many chains of sums.
 */
#include "core/sparse/forms/cells.h"
#include "prune/context.h"

static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    double density = pr_cells_density(source);
    return column_hint >= 32 &&
           (cpu & PRUNE_CPU_AVX512 ? density <= 0.15 : density <= 0.15 || source->format == PR_SOURCE_NM);
}

static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    double density = pr_cells_density(source);
    int64_t wanted = density <= 0.15 ? 240 : 96;
    return pr_cells_pack(blob, source, &pr_cells_pairs, pr_cells_panel(source, wanted), cpu);
}

static int64_t widest(const struct pr_header *header, uint32_t cpu, int64_t cache)
{
    return pr_cells_widest(header, cache, cpu & PRUNE_CPU_AVX512 ? 128 : 48);
}

PR_CELLS_FUNCTIONS(pairs, pairs_panel, pairs_shifts)

const struct pr_form pr_form_pairs = {
    .name = "pairs",
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
