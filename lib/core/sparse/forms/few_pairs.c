/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pairs for few columns of X: the cells of "pairs" with the widest panels, columns in a byte, and several columns of W
 * side by side.
 */
#include "core/sparse/forms/cells.h"
#include "prune/context.h"

static int can(const struct pr_source *source)
{
    return source->format != PR_SOURCE_DENSE;
}

/* As measured (tests/bench/NOTES.md): rows are better where less is kept, strips while they take X in one go. */
static int prefers(const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    int64_t least = source->format != PR_SOURCE_NM ? 2 : cpu & PRUNE_CPU_AVX512 ? 11 : 6;
    return column_hint >= least && column_hint < 32 && pr_cells_density(source) >= 0.15;
}

/* The widest panel, so that runs are long: what is shared hardly depends on it here. */
static int32_t pack(struct pr_blob *blob, const struct pr_source *source, int64_t column_hint, uint32_t cpu)
{
    (void)column_hint;
    return pr_cells_pack(blob, source, &pr_cells_few_pairs, pr_cells_panel(source, PR_CELL_COLUMNS), cpu);
}

PR_CELLS_FUNCTIONS(few_pairs, few_pairs, pairs_shifts)

const struct pr_form pr_form_few_pairs = {
    .name = "few-pairs",
    .x_group = 1,
    .tile_least = 4,
    .tile_step = 8,
    .tile = 32,
    .can = can,
    .prefers = prefers,
    .packing = {pack, unpack},
    .validate = validate,
    .block_work = pr_cells_work,
    .run = run,
    .slot = slot,
};
