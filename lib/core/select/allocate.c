/* SPDX-License-Identifier: BSD-2-Clause
 *
 * How a target is shared out where tensors are not ranked together: each has a density in proportion to its weight,
 * held between its least and its most; what the scale has to be follows from the target.
 */
#include "core/select/selection.h"

struct part {
    double weight, least, most; /* of the density */
    double full;                /* what all of its units weigh */
};

static double held(const struct part *part, double scale)
{
    double density = scale * part->weight;
    return density < part->least ? part->least : density > part->most ? part->most : density;
}

static double sum(const struct part *parts, int32_t count, double scale)
{
    double total = 0;
    for (int32_t t = 0; t < count; t++)
        total += parts[t].full * held(&parts[t], scale);
    return total;
}

/* The largest scale that keeps to the limit. Halving finds which tensors are held at a bound; between two bounds the
 * sum is a straight line. */
static double find_scale(const struct part *parts, int32_t count, double limit)
{
    double low = 0, high = 0, fixed = 0, slope = 0;
    for (int32_t t = 0; t < count; t++)
        if (parts[t].weight > 0 && parts[t].most / parts[t].weight > high)
            high = parts[t].most / parts[t].weight;
    if (sum(parts, count, high) <= limit)
        return high;
    for (int i = 0; i < 200; i++) {
        double middle = low + (high - low) / 2;
        if (sum(parts, count, middle) <= limit)
            low = middle;
        else
            high = middle;
    }
    for (int32_t t = 0; t < count; t++) {
        double density = low * parts[t].weight;
        int is_free = density > parts[t].least && density < parts[t].most;
        slope += is_free ? parts[t].full * parts[t].weight : 0;
        fixed += is_free ? 0 : parts[t].full * held(&parts[t], low);
    }
    return slope > 0 ? (limit - fixed) / slope : low;
}

/* Whole units: what is below each share first; what is left goes to those that lost most, the lower tensor first. */
static void round_shares(struct pr_entry *entries, int32_t count, double limit, int by_units, double *lost)
{
    double kept = 0;
    for (int32_t t = 0; t < count; t++) {
        int64_t left = entries[t].grid.units - entries[t].gone;
        double share = entries[t].density * (double)left;
        entries[t].kept = pr_entry_allowed(&entries[t], (int64_t)(share + 1e-9 * (1 + share)));
        lost[t] = share - (double)entries[t].kept;
        kept += (by_units ? 1 : entries[t].cost) * (double)entries[t].kept;
    }
    for (int32_t turn = 0; turn < count; turn++) {
        int32_t most = 0;
        for (int32_t t = 1; t < count; t++)
            if (lost[t] > lost[most])
                most = t;
        if (lost[most] <= 0)
            break;
        lost[most] = 0;
        int64_t next = pr_entry_next(&entries[most], entries[most].kept);
        double more = (by_units ? 1 : entries[most].cost) * (double)(next - entries[most].kept);
        if (next < 0 || kept + more > limit)
            continue;
        entries[most].kept = next;
        kept += more;
    }
}

int32_t pr_allocate(prune_context *context, struct pr_entry *entries, int32_t count, const struct pr_share *shares,
                    double limit, int by_units)
{
    struct part *parts;
    double *lost;
    PR_TRY(pr_alloc(context, count, sizeof *parts, &parts));
    int32_t status = pr_alloc(context, count, sizeof *lost, &lost);
    if (status) {
        pr_release(context, parts);
        return status;
    }
    for (int32_t t = 0; t < count; t++) {
        const struct pr_entry *entry = &entries[t];
        double left = (double)(entry->grid.units - entry->gone);
        double floor_of = left > 0 ? (double)pr_entry_allowed(entry, 0) / left : 0;
        double cap_of = left > 0 ? (double)pr_entry_allowed(entry, entry->most) / left : 0;
        parts[t] =
            (struct part){shares[t].weight, shares[t].least, shares[t].most, (by_units ? 1 : entry->cost) * left};
        parts[t].most = parts[t].most < cap_of ? parts[t].most : cap_of;
        parts[t].most = parts[t].most > floor_of ? parts[t].most : floor_of;
        parts[t].least = parts[t].least > floor_of ? parts[t].least : floor_of;
        parts[t].least = parts[t].least < parts[t].most ? parts[t].least : parts[t].most;
    }
    double scale = find_scale(parts, count, limit);
    for (int32_t t = 0; t < count; t++)
        entries[t].density = held(&parts[t], scale);
    round_shares(entries, count, limit, by_units, lost);
    pr_release(context, lost);
    pr_release(context, parts);
    return PRUNE_OK;
}
