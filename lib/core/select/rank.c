/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Where to end in the ranking of many tensors, by digits of the scores' keys from the top: each pass counts one digit
 * of those keys that share the digits found so far. Which digits, and so how many passes, has no influence on the
 * result.
 */
#include "core/select/selection.h"

#include "core/tensor/tensor.h"

#define PIECE 16384      /* scores that are read at once */
#define COUNTERS_BITS 21 /* of all tensors together: 16 MiB */
#define FIRST_BITS 16    /* of the first digit: sign, exponent and four bits of the fraction */
#define UNITS_PER_TASK 131072
#define MANY (INT64_C(1) << 32) /* units: more need no more counters */
#define MAX_TASKS 64            /* with counters of their own: 32 MiB */

struct digit {
    uint64_t prefix; /* the digits above */
    int shift, bits;
};

struct count_job {
    const struct digit *digit;
    const double *scores;
    int64_t count, tasks;
    int64_t *histograms;                      /* one a task */
    uint64_t some[MAX_TASKS], all[MAX_TASKS]; /* bits that some keys have, and that all have */
};

static int is_in(const struct digit *digit, uint64_t key)
{
    int above = digit->shift + digit->bits;
    return above == 64 || key >> above == digit->prefix;
}

static void count_part(void *argument, int32_t task)
{
    struct count_job *job = argument;
    const struct digit digit = *job->digit;
    int64_t share = pr_ceil_div(job->count, job->tasks), begin = share * task;
    int64_t end = begin + share < job->count ? begin + share : job->count;
    int64_t *histogram = job->histograms + ((int64_t)task << digit.bits);
    uint64_t some = 0, all = ~0ULL, low = (1ULL << digit.bits) - 1;
    for (int64_t i = begin; i < end; i++) {
        uint64_t key = pr_score_key(job->scores[i]);
        if (!is_in(&digit, key))
            continue;
        histogram[key >> digit.shift & low]++;
        some |= key;
        all &= key;
    }
    job->some[task] |= some;
    job->all[task] &= all;
}

int32_t pr_entry_read(prune_context *context, const struct pr_entry *entry, pr_piece_fn piece, void *argument)
{
    double *buffer;
    int32_t status = PRUNE_OK;
    if (entry->scores)
        return piece(argument, entry->scores, 0, entry->grid.units);
    PR_TRY(pr_alloc(context, PIECE, sizeof *buffer, &buffer));
    for (int64_t first = 0; first < entry->grid.units && !status; first += PIECE) {
        int64_t count = entry->grid.units - first < PIECE ? entry->grid.units - first : PIECE;
        status = prune_context_progress(context, "selection", first, entry->grid.units);
        if (!status)
            status = entry->read(entry->user, first, count, buffer);
        for (int64_t i = 0; i < count && !status; i++)
            if (isnan(buffer[i]))
                status = pr_fail(PRUNE_E_VALUE, "score %lld of a tensor that is read is NaN; scores must be numbers",
                                 (long long)(first + i));
        if (!status)
            status = piece(argument, buffer, first, count);
    }
    pr_release(context, buffer);
    return status;
}

struct pass {
    prune_context *context;
    struct count_job job;
    int64_t room; /* tasks that have histograms */
};

static int32_t count_piece(void *argument, const double *scores, int64_t first, int64_t count)
{
    struct pass *pass = argument;
    (void)first;
    pass->job.scores = scores;
    pass->job.count = count;
    pass->job.tasks = pr_ceil_div(count, UNITS_PER_TASK);
    pass->job.tasks = pass->job.tasks < pass->room ? pass->job.tasks : pass->room;
    prune_context_parallel(pass->context, (int32_t)pass->job.tasks, count_part, &pass->job);
    return PRUNE_OK;
}

/* Adds up one digit of one tensor. `scratch` has room for `room` histograms, zero before and after. */
static int32_t count_entry(prune_context *context, const struct pr_entry *entry, const struct digit *digit,
                           int64_t *histogram, int64_t *scratch, int64_t room, uint64_t *some, uint64_t *all)
{
    int64_t size = (int64_t)1 << digit->bits;
    struct pass pass = {.context = context, .room = room};
    pass.job.digit = digit;
    pass.job.histograms = room > 1 ? scratch : histogram;
    for (int64_t task = 0; task < room; task++)
        pass.job.some[task] = 0, pass.job.all[task] = ~0ULL;
    memset(histogram, 0, (size_t)size * sizeof *histogram);
    PR_TRY(pr_entry_read(context, entry, count_piece, &pass));
    for (int64_t task = 0; task < room; task++) {
        *some |= pass.job.some[task];
        *all &= pass.job.all[task];
        for (int64_t i = 0; room > 1 && i < size; i++) {
            histogram[i] += scratch[task * size + i];
            scratch[task * size + i] = 0;
        }
    }
    return PRUNE_OK;
}

static int32_t changed(void)
{
    return pr_fail(PRUNE_E_VALUE, "the scores of a tensor that is read were not the same each time; they must be");
}

/* The first digit after which enough is removed; search->removed becomes what is removed before it. */
static int32_t find_digit(const struct pr_search *search, int bits, const int64_t *histograms, int64_t *after,
                          uint64_t *found)
{
    int64_t size = (int64_t)1 << bits;
    memcpy(after, search->removed, (size_t)search->count * sizeof *after);
    for (int64_t digit = 0; digit < size; digit++) {
        int64_t here = 0;
        for (int32_t t = 0; t < search->count; t++) {
            here += histograms[t * size + digit];
            after[t] += histograms[t * size + digit];
        }
        if (here > 0 && search->enough(search, after)) {
            *found = (uint64_t)digit;
            return PRUNE_OK;
        }
        if (here > 0)
            memcpy(search->removed, after, (size_t)search->count * sizeof *after);
    }
    return changed();
}

/* All that is left scores the same, `equal` of each tensor: the lower tensor goes first, in it the lower unit. */
static void share_ties(struct pr_search *search, const int64_t *histograms, int64_t size, uint64_t digit)
{
    memset(search->ties, 0, (size_t)search->count * sizeof *search->ties);
    for (int32_t t = 0; t < search->count; t++) {
        int64_t equal = histograms[t * size + (int64_t)digit], before = search->removed[t], most = equal, least = 1;
        search->removed[t] = before + equal;
        search->ties[t] = equal;
        if (equal == 0 || !search->enough(search, search->removed))
            continue;
        while (least < most) { /* enough with `most` */
            int64_t middle = least + (most - least) / 2;
            search->removed[t] = before + middle;
            if (search->enough(search, search->removed))
                most = middle;
            else
                least = middle + 1;
        }
        search->removed[t] = before + most;
        search->ties[t] = most;
        search->last = t;
        return;
    }
}

/* Counters of one tensor: no more than 16 MiB for all, and not many more than there are keys to count. */
static int bits_at_most(const struct pr_search *search, int64_t tasks)
{
    int bits = 8;
    int64_t units = 0;
    for (int32_t t = 0; t < search->count; t++)
        units += search->entries[t]->grid.units < MANY ? search->entries[t]->grid.units : MANY;
    int most = tasks > 1 ? FIRST_BITS : COUNTERS_BITS;
    while (bits < most && units >> bits > 0)
        bits++;
    while (bits > 1 && (int64_t)search->count << bits > (int64_t)1 << COUNTERS_BITS)
        bits--;
    return bits;
}

static int32_t descend(struct pr_search *search, int64_t *histograms, int64_t *scratch, int64_t tasks, int64_t *after,
                       int most)
{
    struct digit digit = {.shift = 64};
    uint64_t same = 0; /* low bits that all keys share */
    int end = 0;       /* how many */
    for (int first = 1; digit.shift > end; first = 0) {
        uint64_t some = 0, all = ~0ULL, found = 0;
        digit.bits = first && most > FIRST_BITS ? FIRST_BITS : most;
        digit.bits = digit.bits < digit.shift - end ? digit.bits : digit.shift - end;
        digit.shift -= digit.bits;
        for (int32_t t = 0; t < search->count; t++)
            PR_TRY(count_entry(search->context, search->entries[t], &digit, histograms + ((int64_t)t << digit.bits),
                               scratch, tasks, &some, &all));
        PR_TRY(find_digit(search, digit.bits, histograms, after, &found));
        digit.prefix = first ? found : digit.prefix << digit.bits | found;
        while (end < digit.shift && !((some ^ all) >> end & 1))
            end++;
        same = all;
        if (digit.shift <= end)
            share_ties(search, histograms, (int64_t)1 << digit.bits, found);
    }
    uint64_t low = digit.shift > 0 ? (1ULL << digit.shift) - 1 : 0;
    search->cut = pr_key_score(digit.prefix << digit.shift | (same & low));
    return PRUNE_OK;
}

int32_t pr_search_run(struct pr_search *search)
{
    int64_t *histograms, *scratch, tasks = prune_context_threads(search->context), units = 0;
    search->cut = -INFINITY;
    search->last = -1;
    for (int32_t t = 0; t < search->count; t++) {
        search->removed[t] = search->entries[t]->gone;
        search->ties[t] = 0;
        if (search->entries[t]->scores && search->entries[t]->grid.units > units)
            units = search->entries[t]->grid.units; /* what is read comes in pieces too small to cut up */
    }
    if (search->enough(search, search->removed))
        return PRUNE_OK;
    for (int32_t t = 0; t < search->count; t++)
        search->removed[t] = 0; /* what is gone is found again, before all else */
    tasks = pr_ceil_div(units, UNITS_PER_TASK) < tasks ? pr_ceil_div(units, UNITS_PER_TASK) : tasks;
    tasks = tasks < 1 ? 1 : tasks < MAX_TASKS ? tasks : MAX_TASKS;
    int bits = bits_at_most(search, tasks);
    PR_TRY(pr_alloc(search->context, (int64_t)search->count << bits, sizeof *histograms, &histograms));
    int64_t *after = NULL;
    scratch = NULL;
    int32_t status = pr_alloc(search->context, search->count, sizeof *after, &after);
    if (!status && tasks > 1)
        status = pr_alloc_zero(search->context, tasks << bits, sizeof *scratch, &scratch);
    if (!status)
        status = descend(search, histograms, scratch, tasks, after, bits);
    pr_release(search->context, scratch);
    pr_release(search->context, after);
    pr_release(search->context, histograms);
    return status;
}

struct below {
    double threshold;
    int64_t count;
};

static int32_t count_below(void *argument, const double *scores, int64_t first, int64_t count)
{
    struct below *below = argument;
    (void)first;
    for (int64_t i = 0; i < count; i++)
        below->count += !(scores[i] >= below->threshold); /* what is gone too */
    return PRUNE_OK;
}

int32_t pr_count_below(prune_context *context, const struct pr_entry *entry, double threshold, int64_t *below)
{
    struct below counted = {.threshold = threshold};
    PR_TRY(pr_entry_read(context, entry, count_below, &counted));
    *below = counted.count;
    return PRUNE_OK;
}
