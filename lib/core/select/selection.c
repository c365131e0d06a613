/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/selection.h"

#include "core/mask/mask.h"
#include "core/tensor/tensor.h"

int32_t prune_selection_create(prune_selection **out, prune_context *context)
{
    prune_selection *selection;
    PR_REQUIRE(out);
    PR_TRY(pr_alloc_zero(context, 1, sizeof *selection, &selection));
    selection->context = prune_context_retain(context);
    *out = selection;
    return PRUNE_OK;
}

void prune_selection_free(prune_selection *selection)
{
    if (!selection)
        return;
    prune_context *context = selection->context;
    for (int32_t i = 0; i < selection->count; i++)
        pr_release(context, selection->entries[i].own);
    pr_release(context, selection->entries);
    pr_release(context, selection);
    prune_context_free(context);
}

static int32_t check_cost(const char *function, double cost)
{
    if (cost >= 0 && isfinite(cost))
        return PRUNE_OK;
    return pr_fail(PRUNE_E_ARGUMENT, "%s: a unit costs %g; it must be a finite number, 0 or more", function, cost);
}

static int32_t check_grid(const char *function, const struct pr_grid *grid)
{
    if (grid->quota != PR_NO_QUOTA || grid->kind->solve)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "%s: granularity %s has a quota of its own; tensors that share a target "
                       "need a granularity without one",
                       function, grid->kind->kind.name);
    if (grid->pools > 1)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "%s: the scores have %lld pools; the units of all tensors are one pool, so give pool=tensor",
                       function, (long long)grid->pools);
    return PRUNE_OK;
}

static int32_t grow(prune_selection *selection)
{
    struct pr_entry *more;
    if (selection->count < selection->room)
        return PRUNE_OK;
    if (selection->room > INT32_MAX / 4)
        return pr_fail(PRUNE_E_OVERFLOW, "a selection of more than %d tensors", (int)selection->room);
    int32_t room = selection->room > 0 ? 2 * selection->room : 16;
    PR_TRY(pr_alloc(selection->context, room, sizeof *more, &more));
    if (selection->count > 0)
        memcpy(more, selection->entries, (size_t)selection->count * sizeof *more);
    pr_release(selection->context, selection->entries);
    selection->entries = more;
    selection->room = room;
    return PRUNE_OK;
}

/* Takes over entry->own, also when it fails. */
static int32_t append(prune_selection *selection, struct pr_entry *entry, int32_t *index)
{
    int64_t left = entry->grid.units - entry->gone;
    int32_t status = grow(selection);
    if (status) {
        pr_release(selection->context, entry->own);
        return status;
    }
    entry->least = left > 0;
    entry->most = left;
    entry->round_to = 1;
    selection->entries[selection->count] = *entry;
    selection->solved = 0;
    if (index)
        *index = selection->count;
    selection->count++;
    return PRUNE_OK;
}

int32_t prune_selection_add(prune_selection *selection, const prune_scores *scores, const prune_mask *within,
                            double cost, int32_t *index)
{
    struct pr_entry entry = {.cost = cost, .within = within};
    uint8_t *alive;
    PR_REQUIRE(selection);
    PR_REQUIRE(scores);
    PR_TRY(check_cost(__func__, cost));
    PR_TRY(check_grid(__func__, &scores->grid));
    entry.grid = scores->grid;
    entry.scores = prune_tensor_const_data(scores->values);
    if (within) {
        PR_TRY(pr_check_within(__func__, scores, within));
        PR_TRY(pr_alloc(selection->context, scores->grid.units, 1, &alive));
        int32_t status = pr_scores_within(selection->context, scores, within, &entry.own, alive);
        for (int64_t i = 0; !status && i < scores->grid.units; i++)
            entry.gone += !alive[i];
        pr_release(selection->context, alive);
        if (status)
            return status;
        entry.scores = entry.own;
    }
    return append(selection, &entry, index);
}

int32_t prune_selection_add_streamed(prune_selection *selection, const prune_granularity *granularity, int32_t rank,
                                     const int64_t *shape, prune_scores_fn read, void *user, double cost,
                                     int32_t *index)
{
    struct pr_entry entry = {.cost = cost, .read = read, .user = user};
    int64_t count;
    PR_REQUIRE(selection);
    PR_REQUIRE(granularity);
    PR_REQUIRE(read);
    PR_TRY(pr_check_shape(__func__, rank, shape, &count));
    PR_TRY(check_cost(__func__, cost));
    PR_TRY(pr_grid_make(&entry.grid, granularity, rank, shape));
    PR_TRY(check_grid(__func__, &entry.grid));
    return append(selection, &entry, index);
}

static int32_t check_index(const char *function, const prune_selection *selection, int32_t index)
{
    if (index >= 0 && index < selection->count)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_ARGUMENT, "%s: tensor %d of a selection of %d; they are counted from 0", function,
                   (int)index, (int)selection->count);
}

int32_t prune_selection_limit(prune_selection *selection, int32_t index, int64_t least, int64_t most, int64_t round_to)
{
    PR_REQUIRE(selection);
    PR_TRY(check_index(__func__, selection, index));
    struct pr_entry *entry = &selection->entries[index], limited = *entry;
    long long left = (long long)(entry->grid.units - entry->gone);
    if (least < 0 || most > left || least > most)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "%s: %lld to %lld units of tensor %d are to be kept; it has %lld, and the floor must not be "
                       "above the cap",
                       __func__, (long long)least, (long long)most, (int)index, left);
    if (round_to < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: round_to is %lld; it must be 1 or more", __func__, (long long)round_to);
    limited.least = least;
    limited.most = most;
    limited.round_to = round_to;
    int64_t allowed = pr_entry_allowed(&limited, most);
    if (allowed < least || allowed > most)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "%s: there is no multiple of %lld in %lld to %lld, the units of tensor %d to be kept", __func__,
                       (long long)round_to, (long long)least, (long long)most, (int)index);
    *entry = limited;
    selection->solved = 0;
    return PRUNE_OK;
}

int32_t prune_selection_freeze(prune_selection *selection, int32_t index)
{
    PR_REQUIRE(selection);
    PR_TRY(check_index(__func__, selection, index));
    struct pr_entry *entry = &selection->entries[index];
    entry->least = entry->most = entry->grid.units - entry->gone;
    entry->round_to = 1;
    selection->solved = 0;
    return PRUNE_OK;
}

int32_t prune_selection_count(const prune_selection *selection)
{
    return selection ? selection->count : 0;
}

double prune_selection_total(const prune_selection *selection)
{
    double total = 0;
    for (int32_t i = 0; selection && i < selection->count; i++)
        total += selection->entries[i].cost * (double)(selection->entries[i].grid.units - selection->entries[i].gone);
    return total;
}

static int32_t require_solved(const char *function, const prune_selection *selection)
{
    if (selection->solved)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_ARGUMENT, "%s: the selection is not solved; call prune_selection_solve first", function);
}

int32_t prune_selection_cost(const prune_selection *selection, double *cost)
{
    double total = 0;
    PR_REQUIRE(selection);
    PR_REQUIRE(cost);
    PR_TRY(require_solved(__func__, selection));
    for (int32_t i = 0; i < selection->count; i++)
        total += selection->entries[i].cost * (double)selection->entries[i].kept;
    *cost = total;
    return PRUNE_OK;
}

int32_t prune_selection_kept(const prune_selection *selection, int32_t index, int64_t *kept, double *density)
{
    PR_REQUIRE(selection);
    PR_TRY(require_solved(__func__, selection));
    PR_TRY(check_index(__func__, selection, index));
    if (kept)
        *kept = selection->entries[index].kept;
    if (density)
        *density = selection->entries[index].density;
    return PRUNE_OK;
}

int32_t prune_selection_cut(const prune_selection *selection, int32_t index, double *score, int64_t *ties)
{
    PR_REQUIRE(selection);
    PR_REQUIRE(score);
    PR_REQUIRE(ties);
    PR_TRY(require_solved(__func__, selection));
    PR_TRY(check_index(__func__, selection, index));
    *score = selection->entries[index].cut;
    *ties = selection->entries[index].ties;
    return PRUNE_OK;
}

struct keeper {
    double cut;
    int64_t ties;
    uint8_t *keep;   /* a byte a unit, or */
    uint64_t *words; /* a bit a unit */
};

static int32_t keep_piece(void *argument, const double *scores, int64_t first, int64_t count)
{
    struct keeper *keeper = argument;
    for (int64_t i = 0; i < count; i++) {
        int stays = scores[i] > keeper->cut || (scores[i] == keeper->cut && keeper->ties-- <= 0);
        if (keeper->keep)
            keeper->keep[first + i] = (uint8_t)stays;
        else
            keeper->words[(first + i) >> 6] |= (uint64_t)stays << ((first + i) & 63);
    }
    return PRUNE_OK;
}

int32_t prune_selection_mask(prune_mask **out, const prune_selection *selection, int32_t index)
{
    prune_mask *mask = NULL;
    PR_REQUIRE(out);
    PR_REQUIRE(selection);
    PR_TRY(require_solved(__func__, selection));
    PR_TRY(check_index(__func__, selection, index));
    const struct pr_entry *entry = &selection->entries[index];
    struct keeper keeper = {.cut = entry->cut, .ties = entry->ties};
    int32_t status;
    if (entry->grid.units == entry->grid.elements) {
        PR_TRY(pr_mask_new(&mask, selection->context, entry->grid.rank, entry->grid.tensor, 0));
        keeper.words = mask->words;
        status = pr_entry_read(selection->context, entry, keep_piece, &keeper);
    } else {
        PR_TRY(pr_alloc(selection->context, entry->grid.units, 1, &keeper.keep));
        status = pr_entry_read(selection->context, entry, keep_piece, &keeper);
        if (!status)
            status = pr_grid_expand(&mask, selection->context, &entry->grid, keeper.keep);
        pr_release(selection->context, keeper.keep);
    }
    if (status) {
        prune_mask_free(mask);
        return status;
    }
    for (int64_t i = 0; entry->within && i < mask->word_count; i++)
        mask->words[i] &= entry->within->words[i];
    *out = mask;
    return PRUNE_OK;
}
