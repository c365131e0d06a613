/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/select/order.h"

static double choose(int32_t n, int32_t k)
{
    double result = 1;
    for (int32_t i = 0; i < k; i++)
        result = result * (n - i) / (i + 1);
    return result;
}

/* C! / (M!^G G!) where all groups have M channels; a short last group is told apart from the others. */
double pr_order_deals_count(int32_t groups, const int32_t *sizes)
{
    int32_t left = 0;
    double result = 1;
    for (int32_t i = 0; i < groups; i++)
        left += sizes[i];
    if (groups > 1 && sizes[groups - 1] < sizes[0]) {
        result = choose(left, sizes[groups - 1]);
        left -= sizes[groups - 1];
        groups--;
    }
    for (int32_t i = 0; i < groups; i++, left -= sizes[0])
        result *= choose(left - 1, sizes[0] - 1);
    return result;
}

/* The next larger number with as many bits; 0 after the last below 2^places. */
static uint64_t next_subset(uint64_t subset, int32_t places)
{
    uint64_t low = subset & (0 - subset), ripple = subset + low;
    uint64_t next = ripple | ((subset ^ ripple) / low >> 2);
    return next >> places ? 0 : next;
}

/* Ascending in each size; the whole groups' first. */
static int32_t list_subsets(prune_context *context, struct pr_order_deals *deals)
{
    int32_t whole = deals->sizes[0], rest = deals->sizes[deals->groups - 1], at = 0;
    double count = choose(deals->places, whole) + (rest < whole ? choose(deals->places, rest) : 0);
    PR_TRY(pr_alloc(context, (int64_t)count, sizeof *deals->subsets, &deals->subsets));
    for (uint64_t s = (1ULL << whole) - 1; s; s = next_subset(s, deals->places))
        deals->subsets[at++] = s;
    if (rest < whole)
        for (uint64_t s = (1ULL << rest) - 1; s; s = next_subset(s, deals->places))
            deals->subsets[at++] = s;
    deals->subset_count = at;
    return PRUNE_OK;
}

static int32_t number_of(const struct pr_order_deals *deals, uint64_t subset, int32_t size)
{
    int32_t whole = (int32_t)choose(deals->places, deals->sizes[0]);
    int32_t low = size == deals->sizes[0] ? 0 : whole, high = size == deals->sizes[0] ? whole : deals->subset_count;
    while (high - low > 1) {
        int32_t middle = low + (high - low) / 2;
        if (deals->subsets[middle] <= subset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* The lowest place that is left goes to the next whole group or to the short one; which others go with it is tried in
 * ascending order, so that the first deal is the one that changes nothing. */
struct dealing {
    struct pr_order_deals *deals;
    uint64_t parts[PR_ORDER_MAX_GROUPS];
    int32_t whole, wholes; /* groups of the first size: dealt, and in all */
    int short_left;
};

static void deal(struct dealing *dealing, uint64_t left);

/* Part `group` gets the lowest place that is left and `size` - 1 others of the rest. */
static void deal_group(struct dealing *dealing, uint64_t left, int32_t group)
{
    int32_t size = dealing->deals->sizes[group];
    uint64_t lowest = left & (0 - left), rest = left ^ lowest;
    int32_t places[PR_ORDER_MAX_WINDOW], count = 0;
    for (uint64_t bits = rest; bits; bits &= bits - 1)
        places[count++] = __builtin_ctzll(bits);
    for (uint64_t pick = (1ULL << (size - 1)) - 1;; pick = next_subset(pick, count)) {
        uint64_t part = lowest;
        for (uint64_t bits = pick; bits; bits &= bits - 1)
            part |= 1ULL << places[__builtin_ctzll(bits)];
        dealing->parts[group] = part;
        deal(dealing, left ^ part);
        if (size == 1 || next_subset(pick, count) == 0)
            break;
    }
}

static void deal(struct dealing *dealing, uint64_t left)
{
    struct pr_order_deals *deals = dealing->deals;
    if (!left) {
        int32_t *parts = deals->parts + deals->count++ * deals->groups;
        for (int32_t i = 0; i < deals->groups; i++)
            parts[i] = number_of(deals, dealing->parts[i], deals->sizes[i]);
        return;
    }
    if (dealing->whole < dealing->wholes) {
        int32_t group = dealing->whole++;
        deal_group(dealing, left, group);
        dealing->whole--;
    }
    if (dealing->short_left) {
        dealing->short_left = 0;
        deal_group(dealing, left, deals->groups - 1);
        dealing->short_left = 1;
    }
}

static void begin(struct pr_order_deals *deals, int32_t groups, const int32_t *sizes)
{
    deals->groups = groups;
    deals->places = 0;
    deals->count = 0;
    for (int32_t i = 0; i < groups; i++)
        deals->places += deals->sizes[i] = sizes[i];
}

int32_t pr_order_deals_all(prune_context *context, struct pr_order_deals *deals, int32_t groups, const int32_t *sizes)
{
    struct dealing dealing = {.deals = deals, .wholes = groups};
    int64_t numbers = 0;
    begin(deals, groups, sizes);
    if (groups > 1 && sizes[groups - 1] < sizes[0])
        dealing.short_left = 1, dealing.wholes--;
    PR_TRY(list_subsets(context, deals));
    PR_TRY(pr_mul((int64_t)pr_order_deals_count(groups, sizes), groups, &numbers));
    PR_TRY(pr_alloc(context, numbers, sizeof *deals->parts, &deals->parts));
    deal(&dealing, deals->places == 64 ? ~0ULL : (1ULL << deals->places) - 1);
    return PRUNE_OK;
}

int32_t pr_order_deals_swaps(prune_context *context, struct pr_order_deals *deals, int32_t groups, const int32_t *sizes)
{
    begin(deals, groups, sizes);
    int64_t count = (int64_t)sizes[0] * sizes[1] + 1;
    PR_TRY(pr_alloc(context, 2 * count, sizeof *deals->subsets, &deals->subsets));
    PR_TRY(pr_alloc(context, 2 * count, sizeof *deals->parts, &deals->parts));
    uint64_t first = (1ULL << sizes[0]) - 1, second = ((1ULL << sizes[1]) - 1) << sizes[0];
    deals->subsets[0] = first;
    deals->subsets[1] = second;
    deals->count = 1;
    for (int32_t i = 0; i < sizes[0]; i++)
        for (int32_t j = 0; j < sizes[1]; j++) {
            uint64_t both = 1ULL << i | 1ULL << (sizes[0] + j);
            deals->subsets[2 * deals->count] = first ^ both;
            deals->subsets[2 * deals->count++ + 1] = second ^ both;
        }
    deals->subset_count = (int32_t)(2 * deals->count);
    for (int32_t i = 0; i < deals->subset_count; i++)
        deals->parts[i] = i;
    return PRUNE_OK;
}
