/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Rounds over windows: the gain of each window's best deal is kept; a round evaluates the windows of groups that have
 * changed and applies the best deals that do not touch each other.
 */
#include <string.h>

#include "base/context.h"
#include "base/sort.h"
#include "core/select/order.h"

#define MAX_WINDOWS ((int64_t)1 << 26)
#define LEAST_GAIN 1e-9 /* of what the window retains: well above rounding */
#define REGRESSION_SWAPS 4

/* The blocks of `groups` groups are as equal as can be. */
static int64_t blocks_of(const prune_order *order)
{
    int64_t most = order->block / order->matrix.group_m;
    return order->block == 0 || order->groups == 0 ? 1 : pr_ceil_div(order->groups, most > 0 ? most : 1);
}

static int64_t block_start(const prune_order *order, int64_t block, int64_t blocks)
{
    return order->groups / blocks * block + (block < order->groups % blocks ? block : order->groups % blocks);
}

/* n choose k, or MAX_WINDOWS + 1 when it is more. */
static int64_t choose(int64_t n, int64_t k)
{
    double count = 1;
    for (int64_t i = 0; i < k; i++)
        count = count * (double)(n - i) / (double)(i + 1);
    return count > (double)MAX_WINDOWS ? MAX_WINDOWS + 1 : (int64_t)(count + 0.5);
}

static int32_t count_windows(prune_order *order)
{
    int64_t blocks = blocks_of(order), count = 0;
    for (int64_t block = 0; block < blocks && count <= MAX_WINDOWS; block++) {
        int64_t size = block_start(order, block + 1, blocks) - block_start(order, block, blocks);
        int64_t groups = size < order->window_groups ? size : order->window_groups;
        count += groups < 2 ? 0 : choose(size, groups);
    }
    if (count > MAX_WINDOWS)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "%s: %lld channels have more than %lld windows; take a smaller window or a smaller block",
                       order->spec, (long long)order->matrix.columns, (long long)MAX_WINDOWS);
    order->windows = count;
    return PRUNE_OK;
}

static void list_windows(prune_order *order)
{
    int64_t blocks = blocks_of(order), w = 0, wide = order->window_groups;
    for (int64_t block = 0; block < blocks; block++) {
        int64_t first = block_start(order, block, blocks), end = block_start(order, block + 1, blocks);
        int64_t groups = end - first < wide ? end - first : wide, at[PR_ORDER_MAX_GROUPS];
        if (groups < 2)
            continue;
        for (int64_t i = 0; i < groups; i++)
            at[i] = first + i;
        for (int64_t moved = 0; moved >= 0;) {
            for (int64_t i = 0; i < wide; i++)
                order->members[w * wide + i] = i < groups ? (int32_t)at[i] : -1;
            w++;
            for (moved = groups - 1; moved >= 0 && at[moved] == end - groups + moved;)
                moved--;
            if (moved < 0)
                break;
            at[moved]++;
            for (int64_t i = moved + 1; i < groups; i++)
                at[i] = at[i - 1] + 1;
        }
    }
}

/* Groups of a window, and whether its last one is short. */
static int32_t composition(const prune_order *order, int64_t window, int *has_short)
{
    const int32_t *members = order->members + window * order->window_groups;
    int32_t groups = 0;
    while (groups < order->window_groups && members[groups] >= 0)
        groups++;
    *has_short = pr_order_group_size(order, members[groups - 1]) < order->matrix.group_m;
    return groups;
}

/* A window that both halves of the search for `deals` can see: sizes of its groups. */
static int32_t make_deals(prune_order *order, pr_order_deals_fn make)
{
    for (int64_t window = 0; window < order->windows; window++) {
        int has_short;
        int32_t sizes[PR_ORDER_MAX_GROUPS], groups = composition(order, window, &has_short);
        struct pr_order_deals *deals = &order->deals[groups][has_short];
        if (deals->parts)
            continue;
        for (int32_t i = 0; i < groups; i++)
            sizes[i] = (int32_t)pr_order_group_size(order, order->members[window * order->window_groups + i]);
        PR_TRY(make(order->context, deals, groups, sizes));
        if (deals->subset_count > order->scratch_size)
            order->scratch_size = deals->subset_count;
    }
    return PRUNE_OK;
}

int32_t pr_order_windows_prepare(prune_order *order, pr_order_deals_fn make)
{
    prune_context *context = order->context;
    int64_t numbers = 0;
    PR_TRY(count_windows(order));
    PR_TRY(pr_mul(order->windows, order->window_groups, &numbers));
    PR_TRY(pr_alloc(context, numbers, sizeof *order->members, &order->members));
    PR_TRY(pr_alloc(context, order->windows, sizeof *order->gain, &order->gain));
    PR_TRY(pr_alloc(context, order->windows, sizeof *order->choice, &order->choice));
    PR_TRY(pr_alloc_zero(context, order->windows, 1, &order->fresh));
    list_windows(order);
    PR_TRY(make_deals(order, make));
    order->tasks = prune_context_threads(context);
    PR_TRY(pr_mul(order->scratch_size, order->tasks, &numbers));
    return pr_alloc(context, numbers, sizeof *order->scratch, &order->scratch);
}

/* The channels of a window, group after group. */
static void gather(const prune_order *order, int64_t window, int32_t groups, int64_t *channels)
{
    for (int32_t i = 0; i < groups; i++) {
        int64_t group = order->members[window * order->window_groups + i], size = pr_order_group_size(order, group);
        memcpy(channels, order->channels + group * order->matrix.group_m, (size_t)size * sizeof *channels);
        channels += size;
    }
}

static int64_t pick(const int64_t *channels, uint64_t subset, int64_t *picked)
{
    int64_t count = 0;
    for (; subset; subset &= subset - 1)
        picked[count++] = channels[__builtin_ctzll(subset)];
    return count;
}

static double deal_value(const struct pr_order_deals *deals, int64_t deal, const double *values)
{
    double sum = 0;
    for (int32_t i = 0; i < deals->groups; i++)
        sum += values[deals->parts[deal * deals->groups + i]];
    return sum;
}

static void evaluate(prune_order *order, int64_t window, double *values)
{
    int has_short;
    int32_t groups = composition(order, window, &has_short);
    const struct pr_order_deals *deals = &order->deals[groups][has_short];
    int64_t channels[PR_ORDER_MAX_WINDOW], picked[PR_ORDER_MAX_WINDOW], best = 0;
    gather(order, window, groups, channels);
    for (int32_t i = 0; i < deals->subset_count; i++) {
        int64_t count = pick(channels, deals->subsets[i], picked);
        values[i] = pr_order_retained(&order->matrix, picked, count);
    }
    double as_is = deal_value(deals, 0, values), most = as_is;
    for (int64_t i = 1; i < deals->count; i++) {
        double value = deal_value(deals, i, values);
        if (value > most)
            most = value, best = i;
    }
    order->gain[window] = most - as_is > LEAST_GAIN * as_is ? most - as_is : 0;
    order->choice[window] = (int32_t)best;
    order->fresh[window] = 1;
}

struct refresh {
    prune_order *order;
    int64_t begin, end, tasks;
};

static void refresh_some(void *argument, int32_t task)
{
    const struct refresh *job = argument;
    int64_t share = pr_ceil_div(job->end - job->begin, job->tasks), begin = job->begin + share * task;
    for (int64_t w = begin; w < begin + share && w < job->end; w++)
        if (!job->order->fresh[w])
            evaluate(job->order, w, job->order->scratch + task * job->order->scratch_size);
}

/* Evaluates what is not fresh. When it is cancelled, what was evaluated stays. */
static int32_t refresh(prune_order *order)
{
    /* A step is some ten milliseconds of work, so that a wish to stop is heard soon. */
    int64_t cost = (order->scratch_size + 1) * (order->matrix.stride * order->matrix.group_m + 64);
    int64_t step = 1 + 20000000 * order->tasks / cost;
    for (int64_t begin = 0; begin < order->windows; begin += step) {
        struct refresh job = {order, begin, begin + step < order->windows ? begin + step : order->windows,
                              order->tasks};
        int stale = 0;
        for (int64_t w = job.begin; w < job.end && !stale; w++)
            stale = !order->fresh[w];
        if (!stale)
            continue;
        PR_TRY(prune_context_progress(order->context, "channel order", begin, order->windows));
        prune_context_parallel(order->context, (int32_t)order->tasks, refresh_some, &job);
    }
    return PRUNE_OK;
}

/* Gives the groups of a window what its best deal says. */
static void apply(prune_order *order, int64_t window)
{
    int has_short;
    int32_t groups = composition(order, window, &has_short);
    const struct pr_order_deals *deals = &order->deals[groups][has_short];
    int64_t channels[PR_ORDER_MAX_WINDOW];
    gather(order, window, groups, channels);
    for (int32_t i = 0; i < groups; i++) {
        int64_t group = order->members[window * order->window_groups + i];
        int64_t *to = order->channels + group * order->matrix.group_m;
        int64_t count = pick(channels, deals->subsets[deals->parts[order->choice[window] * groups + i]], to);
        pr_order_sort(to, count);
        order->group_value[group] = pr_order_retained(&order->matrix, to, count);
        order->touched[group] = 1;
    }
}

static int free_to_change(const prune_order *order, int64_t window)
{
    const int32_t *members = order->members + window * order->window_groups;
    for (int64_t i = 0; i < order->window_groups && members[i] >= 0; i++)
        if (order->touched[members[i]])
            return 0;
    return 1;
}

/* What touched groups belong to must be evaluated again. */
static void forget_touched(prune_order *order)
{
    for (int64_t w = 0; w < order->windows; w++)
        if (!free_to_change(order, w))
            order->fresh[w] = 0;
    memset(order->touched, 0, (size_t)order->groups);
}

/* Applies the best deals, the largest gain first. `applied` is how many. */
static int32_t apply_best(prune_order *order, int64_t *applied)
{
    struct pr_keyed *candidates, *scratch;
    int64_t count = 0, some = 0;
    for (int64_t w = 0; w < order->windows; w++)
        some += order->gain[w] > 0;
    PR_TRY(pr_alloc(order->context, 2 * some, sizeof *candidates, &candidates));
    scratch = candidates + some;
    for (int64_t w = 0; w < order->windows; w++)
        if (order->gain[w] > 0) {
            uint64_t bits; /* positive numbers order as their bits do */
            memcpy(&bits, &order->gain[w], sizeof bits);
            candidates[count++] = (struct pr_keyed){~bits, w};
        }
    pr_sort_keyed(candidates, scratch, count, 8);
    *applied = 0;
    for (int64_t i = 0; i < count; i++)
        if (free_to_change(order, candidates[i].index)) {
            apply(order, candidates[i].index);
            ++*applied;
        }
    pr_release(order->context, candidates);
    forget_touched(order);
    return PRUNE_OK;
}

static int64_t group_of_block(const prune_order *order, int64_t group, int64_t *first)
{
    int64_t blocks = blocks_of(order), block = 0;
    while (block_start(order, block + 1, blocks) <= group)
        block++;
    *first = block_start(order, block, blocks);
    return block_start(order, block + 1, blocks) - *first;
}

/* Random channels of different groups of one block change places, starting from the best order. */
static void regress(prune_order *order)
{
    pr_order_stand_at(order, order->best);
    for (int i = 0; i < REGRESSION_SWAPS; i++) {
        int64_t first, a = (int64_t)pr_rng_below(&order->rng, (uint64_t)order->groups);
        int64_t groups = group_of_block(order, a, &first);
        if (groups < 2)
            continue;
        int64_t b = first + (int64_t)pr_rng_below(&order->rng, (uint64_t)(groups - 1));
        b += b >= a;
        int64_t *x = order->channels + a * order->matrix.group_m +
                     (int64_t)pr_rng_below(&order->rng, (uint64_t)pr_order_group_size(order, a));
        int64_t *y = order->channels + b * order->matrix.group_m +
                     (int64_t)pr_rng_below(&order->rng, (uint64_t)pr_order_group_size(order, b));
        int64_t held = *x;
        *x = *y;
        *y = held;
        order->touched[a] = order->touched[b] = 1;
    }
    for (int64_t group = 0; group < order->groups; group++)
        if (order->touched[group]) {
            int64_t *channels = order->channels + group * order->matrix.group_m;
            int64_t size = pr_order_group_size(order, group);
            pr_order_sort(channels, size);
            order->group_value[group] = pr_order_retained(&order->matrix, channels, size);
        }
    forget_touched(order);
    order->regressions_done++;
}

int32_t pr_order_windows_round(prune_order *order)
{
    int64_t applied = 0;
    PR_TRY(refresh(order));
    PR_TRY(apply_best(order, &applied));
    pr_order_note_best(order);
    if (applied > 0)
        return PRUNE_OK;
    if (order->windows == 0 || order->regressions_done >= order->regressions)
        order->finished = 1;
    else
        regress(order);
    return PRUNE_OK;
}
