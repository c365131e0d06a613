/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/granularity/granularity.h"
#include "core/mask/mask.h"

enum { BANK };

static const struct pr_parameter parameters[] = {
    {.name = "bank",
     .type = PR_WHOLE,
     .least = 1,
     .most = INT32_MAX,
     .help = "consecutive elements of a row that make a bank, 1 or more"},
    {0},
};

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    (void)shape;
    if (rank < 2)
        return pr_fail(PRUNE_E_SHAPE, "granularity bank-balanced needs a tensor of rank 2 or more; this has rank %d",
                       (int)rank);
    cut->matrix = 1;
    cut->pool[0] = 1;
    cut->pool[1] = values->whole[BANK];
    return PRUNE_OK;
}

/* Every whole bank keeps as many as the first whole bank does, one that is cut off at most as many. */
static int32_t find(const struct pr_grid *grid, const prune_mask *mask, int64_t *violation)
{
    int64_t columns = grid->shape[1], bank = grid->pool[1], due = -1;
    if (columns == 0)
        return PRUNE_OK;
    if (columns < bank)
        bank = columns;
    for (int64_t row = 0; row < grid->shape[0]; row++)
        for (int64_t column = 0; column < columns; column += bank) {
            int64_t begin = row * columns + column;
            int64_t end = begin + (bank < columns - column ? bank : columns - column);
            int64_t kept = pr_mask_kept_in(mask, begin, end);
            int whole = end - begin == bank;
            if (due < 0)
                due = kept;
            if (whole ? kept == due : kept <= due)
                continue;
            *violation = begin;
            return PRUNE_OK;
        }
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_bank_balanced = {
    .kind = {.name = "bank-balanced",
             .help = "single elements, equally many from each bank of each row",
             .parameters = parameters},
    .cut = cut,
    .find = find,
};
