/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/selection.h"

#define PR_ALLOCATION(name) extern const struct pr_allocation_kind pr_allocation_##name;
#include "core/select/allocations.def"
#undef PR_ALLOCATION

/* The kind is the first member of its struct, so that one list serves both. */
const struct pr_kind *const pr_allocation_kinds[] = {
#define PR_ALLOCATION(name) &pr_allocation_##name.kind,
#include "core/select/allocations.def"
#undef PR_ALLOCATION
};
const int32_t pr_allocation_kind_count = (int32_t)(sizeof pr_allocation_kinds / sizeof *pr_allocation_kinds);

static int64_t units_left(const struct pr_entry *entry)
{
    return entry->grid.units - entry->gone;
}

int64_t pr_entry_allowed(const struct pr_entry *entry, int64_t wanted)
{
    int64_t all = units_left(entry);
    if (wanted >= entry->most && entry->most == all)
        return all; /* to leave a tensor as it is, is always a choice */
    int64_t top = wanted < entry->most ? wanted : entry->most, below = top - top % entry->round_to;
    if (below >= entry->least)
        return below;
    int64_t above = pr_ceil_div(entry->least, entry->round_to) * entry->round_to;
    return above <= entry->most || entry->most < all ? above : all;
}

int64_t pr_entry_next(const struct pr_entry *entry, int64_t kept)
{
    int64_t all = units_left(entry), next = kept - kept % entry->round_to + entry->round_to;
    if (next <= entry->most)
        return next;
    return entry->most == all && kept < all ? all : -1;
}

/* What one unit counts for: what it costs, or 1 where the target is a number of units. */
static double weight_of(const struct pr_entry *entry, int by_units)
{
    return by_units ? 1 : entry->cost;
}

static double kept_weight(const struct pr_search *search, const int64_t *removed)
{
    double total = 0;
    for (int32_t t = 0; t < search->count; t++) {
        const struct pr_entry *entry = search->entries[t];
        int64_t left = entry->grid.units - (removed[t] > entry->gone ? removed[t] : entry->gone);
        total += weight_of(entry, search->by_units) * (double)pr_entry_allowed(entry, left);
    }
    return total;
}

static int within_limit(const struct pr_search *search, const int64_t *removed)
{
    return kept_weight(search, removed) <= search->limit;
}

static int as_many(const struct pr_search *search, const int64_t *removed)
{
    return removed[0] >= (int64_t)search->limit;
}

/* Cut and ties of one tensor, of which entry->kept units stay. */
static int32_t cut_one(prune_context *context, struct pr_entry *entry)
{
    const struct pr_entry *const one[] = {entry};
    int64_t removed, ties;
    struct pr_search search = {.context = context, .entries = one, .count = 1, .enough = as_many};
    search.limit = (double)(entry->grid.units - entry->kept);
    search.removed = &removed;
    search.ties = &ties;
    PR_TRY(pr_search_run(&search));
    entry->cut = search.cut;
    entry->ties = ties;
    return PRUNE_OK;
}

/* What is solved for. */
struct goal {
    int by_units, exact;
    double limit; /* the most that may be kept */
    double *nearest;
};

static int32_t infeasible(const struct goal *goal, double nearest)
{
    char asked[PR_MAX_NUMBER], near[PR_MAX_NUMBER];
    pr_number_print(asked, goal->limit);
    pr_number_print(near, nearest);
    if (goal->nearest)
        *goal->nearest = nearest;
    return pr_fail(PRUNE_E_INFEASIBLE, "%s %s cannot be kept: the nearest that floors, caps and ranking allow is %s",
                   goal->exact ? "exactly" : "at most", asked, near);
}

/* Before anything is read: whether the floors leave room. */
static int32_t check_floors(const struct pr_entry *entries, int32_t count, const struct goal *goal)
{
    double least = 0;
    for (int32_t t = 0; t < count; t++)
        least += weight_of(&entries[t], goal->by_units) * (double)pr_entry_allowed(&entries[t], 0);
    return least <= goal->limit ? PRUNE_OK : infeasible(goal, least);
}

static double weight_kept(const struct pr_entry *entries, int32_t count, int by_units)
{
    double total = 0;
    for (int32_t t = 0; t < count; t++)
        total += weight_of(&entries[t], by_units) * (double)entries[t].kept;
    return total;
}

/* An exact budget that ranking steps over: the nearer of the costs before and after the step. */
static int32_t check_exact(struct pr_search *search, const struct goal *goal, double kept)
{
    double before = kept;
    if (!goal->exact || kept == goal->limit)
        return PRUNE_OK;
    if (search->last >= 0) {
        search->removed[search->last]--;
        before = kept_weight(search, search->removed);
    }
    int nearer = search->last >= 0 && before - goal->limit < goal->limit - kept;
    return infeasible(goal, nearer ? before : kept);
}

static int32_t rank_all(prune_context *context, struct pr_entry *entries, int32_t count, const struct goal *goal,
                        const struct pr_entry **list, int64_t *numbers)
{
    struct pr_search search = {.context = context, .entries = list, .count = count, .enough = within_limit};
    search.limit = goal->limit;
    search.by_units = goal->by_units;
    search.removed = numbers;
    search.ties = numbers + count;
    for (int32_t t = 0; t < count; t++)
        list[t] = &entries[t];
    PR_TRY(pr_search_run(&search));
    for (int32_t t = 0; t < count; t++) {
        int64_t left = entries[t].grid.units - search.removed[t];
        entries[t].kept = pr_entry_allowed(&entries[t], left);
        entries[t].cut = search.cut;
        entries[t].ties = search.ties[t];
        if (entries[t].kept != left)
            PR_TRY(cut_one(context, &entries[t]));
    }
    return check_exact(&search, goal, weight_kept(entries, count, goal->by_units));
}

static int32_t rank_by_threshold(prune_context *context, struct pr_entry *entries, int32_t count, double threshold)
{
    for (int32_t t = 0; t < count; t++) {
        int64_t below;
        PR_TRY(pr_count_below(context, &entries[t], threshold, &below));
        int64_t left = entries[t].grid.units - below;
        entries[t].kept = pr_entry_allowed(&entries[t], left);
        entries[t].cut = threshold;
        entries[t].ties = 0;
        if (entries[t].kept != left)
            PR_TRY(cut_one(context, &entries[t]));
    }
    return PRUNE_OK;
}

static int32_t share_out(prune_context *context, const struct pr_allocation_kind *kind, const struct pr_values *values,
                         struct pr_entry *entries, int32_t count, const struct goal *goal)
{
    struct pr_share *shares;
    PR_TRY(pr_alloc(context, count, sizeof *shares, &shares));
    for (int32_t t = 0; t < count; t++)
        shares[t] = (struct pr_share){.weight = 1, .least = 0, .most = 1};
    kind->share(values, entries, count, shares);
    int32_t status = pr_allocate(context, entries, count, shares, goal->limit, goal->by_units);
    pr_release(context, shares);
    double kept = weight_kept(entries, count, goal->by_units);
    if (!status && (kept > goal->limit || (goal->exact && kept != goal->limit)))
        status = infeasible(goal, kept);
    for (int32_t t = 0; t < count && !status; t++)
        status = cut_one(context, &entries[t]);
    return status;
}

static int32_t check_amount(const prune_selection *selection, int32_t target, double amount, double units)
{
    char text[PR_MAX_NUMBER];
    if (isnan(amount) || (target != PRUNE_THRESHOLD && isinf(amount)))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_selection_solve: the amount is %s; it must be a number",
                       isnan(amount) ? "NaN" : "infinite");
    pr_number_print(text, isinf(amount) ? 0 : amount);
    if (target == PRUNE_SPARSITY && !(amount >= 0 && amount <= 1))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_selection_solve: sparsity %s is outside its range; it must be 0 to 1",
                       text);
    if ((target == PRUNE_KEEP || target == PRUNE_COUNT) &&
        (!(amount >= 0 && amount <= units) || amount != floor(amount)))
        return pr_fail(PRUNE_E_ARGUMENT, "prune_selection_solve: %s units to %s; it must be a whole number, 0 to %lld",
                       text, target == PRUNE_KEEP ? "keep" : "remove", (long long)units);
    if ((target == PRUNE_BUDGET || target == PRUNE_BUDGET_EXACT) && amount < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "prune_selection_solve: a budget of %s; it must be 0 or more", text);
    (void)selection;
    return PRUNE_OK;
}

static int32_t make_goal(const prune_selection *selection, int32_t target, double amount, struct goal *goal)
{
    double units = 0;
    for (int32_t t = 0; t < selection->count; t++)
        units += (double)units_left(&selection->entries[t]);
    if (target != PRUNE_SPARSITY && target != PRUNE_KEEP && target != PRUNE_COUNT && target != PRUNE_THRESHOLD &&
        target != PRUNE_BUDGET && target != PRUNE_BUDGET_EXACT)
        return pr_fail(PRUNE_E_ARGUMENT,
                       "prune_selection_solve: %d is no target of many tensors; those are PRUNE_SPARSITY, PRUNE_KEEP, "
                       "PRUNE_COUNT, PRUNE_THRESHOLD, PRUNE_BUDGET and PRUNE_BUDGET_EXACT",
                       (int)target);
    PR_TRY(check_amount(selection, target, amount, units));
    goal->by_units = target == PRUNE_SPARSITY || target == PRUNE_KEEP || target == PRUNE_COUNT;
    goal->exact = target == PRUNE_BUDGET_EXACT;
    goal->limit = amount;
    if (target == PRUNE_SPARSITY)
        goal->limit = units - (double)pr_prune_count(amount, (int64_t)units);
    else if (target == PRUNE_COUNT)
        goal->limit = units - amount;
    return PRUNE_OK;
}

static int32_t solve(prune_context *context, const struct pr_allocation_kind *kind, const struct pr_values *values,
                     struct pr_entry *entries, int32_t count, int32_t target, const struct goal *goal)
{
    const struct pr_entry **list = NULL;
    int64_t *numbers = NULL;
    if (target == PRUNE_THRESHOLD)
        return rank_by_threshold(context, entries, count, goal->limit);
    PR_TRY(check_floors(entries, count, goal));
    if (kind->share)
        return share_out(context, kind, values, entries, count, goal);
    int32_t status = pr_alloc(context, count, sizeof *list, &list);
    if (!status)
        status = pr_alloc(context, 2 * (int64_t)count, sizeof *numbers, &numbers);
    if (!status)
        status = rank_all(context, entries, count, goal, list, numbers);
    pr_release(context, numbers);
    pr_release(context, list);
    return status;
}

int32_t prune_selection_solve(prune_selection *selection, const char *allocation, int32_t target, double amount,
                              double *nearest)
{
    int32_t index;
    struct pr_values values;
    struct pr_entry *entries;
    struct goal goal = {.nearest = nearest};
    PR_REQUIRE(selection);
    PR_TRY(pr_spec_parse(allocation ? allocation : "global", "allocation", pr_allocation_kinds,
                         pr_allocation_kind_count, &index, &values));
    const struct pr_allocation_kind *kind = (const struct pr_allocation_kind *)pr_allocation_kinds[index];
    PR_TRY(make_goal(selection, target, amount, &goal));
    if (kind->share && target == PRUNE_THRESHOLD)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: a threshold is the same for all tensors; its allocation is global",
                       __func__);
    PR_TRY(pr_alloc(selection->context, selection->count, sizeof *entries, &entries));
    for (int32_t t = 0; t < selection->count; t++)
        entries[t] = selection->entries[t];
    int32_t status = solve(selection->context, kind, &values, entries, selection->count, target, &goal);
    if (!status) { /* on failure the selection is what it was */
        for (int32_t t = 0; t < selection->count; t++) {
            selection->entries[t] = entries[t];
            if (!kind->share)
                selection->entries[t].density =
                    units_left(&entries[t]) > 0 ? (double)entries[t].kept / (double)units_left(&entries[t]) : 1;
        }
        selection->solved = 1;
    }
    pr_release(selection->context, entries);
    return status;
}
