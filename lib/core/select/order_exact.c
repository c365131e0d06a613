/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The best order, by dynamic programming over sets of channels: the best way to group a set is the best of all groups
 * that hold its lowest missing channel together with the best way to group the rest.
 */
#include "core/select/order.h"

#define MAX_CHANNELS 20

static int32_t prepare(prune_order *order)
{
    if (order->matrix.columns > MAX_CHANNELS)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "exact: %lld channels; the best order is found for at most %d, use stripe-groups",
                       (long long)order->matrix.columns, MAX_CHANNELS);
    return PRUNE_OK;
}

struct table {
    int32_t columns;
    double *value, *group; /* of the best way to group a set, below 0: none known; what a set retains as one group */
    uint32_t *last;        /* the group that was added last to that way */
};

static double group_value(prune_order *order, struct table *table, uint32_t set)
{
    int64_t channels[MAX_CHANNELS], count = 0;
    if (table->group[set] < 0) {
        for (uint32_t bits = set; bits; bits &= bits - 1)
            channels[count++] = __builtin_ctz(bits);
        table->group[set] = pr_order_retained(&order->matrix, channels, count);
    }
    return table->group[set];
}

/* Extends the best way to group `set` by every group of `size` that holds the lowest channel outside. */
static void extend(prune_order *order, struct table *table, uint32_t set, int32_t size)
{
    uint32_t full = (uint32_t)((1ULL << table->columns) - 1), outside = full ^ set;
    uint32_t lowest = outside & (0 - outside), rest = outside ^ lowest;
    int32_t places[MAX_CHANNELS], count = 0;
    for (uint32_t bits = rest; bits; bits &= bits - 1)
        places[count++] = __builtin_ctz(bits);
    for (uint32_t chosen = (uint32_t)((1ULL << (size - 1)) - 1); size - 1 <= count && chosen >> count == 0;) {
        uint32_t group = lowest;
        for (uint32_t bits = chosen; bits; bits &= bits - 1)
            group |= 1u << places[__builtin_ctz(bits)];
        double value = table->value[set] + group_value(order, table, group);
        if (value > table->value[set | group]) {
            table->value[set | group] = value;
            table->last[set | group] = group;
        }
        if (size == 1)
            break;
        uint32_t low = chosen & (0 - chosen), ripple = chosen + low;
        chosen = ripple | ((chosen ^ ripple) / low >> 2);
    }
}

static int32_t fill(prune_order *order, struct table *table)
{
    int32_t m = (int32_t)order->matrix.group_m, rest = table->columns % m;
    uint32_t full = (uint32_t)((1ULL << table->columns) - 1);
    table->value[0] = 0;
    for (uint32_t set = 0; set < full; set++) {
        int32_t dealt = __builtin_popcount(set);
        if (set % 4096 == 0)
            PR_TRY(prune_context_progress(order->context, "channel order", set, full));
        if (table->value[set] < 0)
            continue;
        if (table->columns - dealt >= m)
            extend(order, table, set, m);
        if (rest > 0 && dealt % m == 0)
            extend(order, table, set, rest);
    }
    return PRUNE_OK;
}

/* The groups of the best way, by ascending lowest channel, a short one last. */
static void read_back(const prune_order *order, const struct table *table, int64_t *channels)
{
    uint32_t set = (uint32_t)((1ULL << table->columns) - 1);
    int64_t end = order->matrix.columns / order->matrix.group_m * order->matrix.group_m;
    while (set) {
        uint32_t group = table->last[set];
        int short_one = __builtin_popcount(group) < order->matrix.group_m;
        int64_t at = short_one ? order->matrix.columns / order->matrix.group_m * order->matrix.group_m
                               : (end -= order->matrix.group_m);
        for (uint32_t bits = group; bits; bits &= bits - 1)
            channels[at++] = __builtin_ctz(bits);
        set ^= group;
    }
}

static int32_t search(prune_order *order, struct table *table)
{
    int64_t sets = (int64_t)1 << table->columns, channels[MAX_CHANNELS];
    PR_TRY(pr_alloc(order->context, sets, sizeof *table->value, &table->value));
    PR_TRY(pr_alloc(order->context, sets, sizeof *table->group, &table->group));
    PR_TRY(pr_alloc(order->context, sets, sizeof *table->last, &table->last));
    for (int64_t i = 0; i < sets; i++)
        table->value[i] = table->group[i] = -1;
    PR_TRY(fill(order, table));
    read_back(order, table, channels);
    pr_order_stand_at(order, channels);
    pr_order_note_best(order);
    order->finished = 1;
    return PRUNE_OK;
}

static int32_t round_of_exact(prune_order *order)
{
    struct table table = {.columns = (int32_t)order->matrix.columns};
    int32_t status = search(order, &table);
    pr_release(order->context, table.value);
    pr_release(order->context, table.group);
    pr_release(order->context, table.last);
    return status;
}

const struct pr_order_kind pr_order_exact = {
    .kind = {.name = "exact", .help = "the best order, up to 20 channels", .parameters = NULL},
    .prepare = prepare,
    .round = round_of_exact,
};
