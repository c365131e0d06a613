/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pattern pruning (PatDNN, Niu et al. 2020): the mask of every kernel is one of a few. The few are given, or mined: of
 * the patterns that are best for one kernel each, those that are best for most.
 */
#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "core/granularity/granularity.h"
#include "core/granularity/key.h"
#include "core/mask/mask.h"

#define MOST_ELEMENTS 64
#define MOST_PATTERNS 4096
#define KERNELS_PER_TASK 4096

enum { KEEP_N, PATTERNS, MASKS };

static const struct pr_parameter parameters[] = {
    {.name = "keep_n",
     .type = PR_WHOLE,
     .standard = "4",
     .least = 1,
     .most = MOST_ELEMENTS,
     .help = "elements that a mined pattern keeps of a kernel, 1 to 64"},
    {.name = "patterns",
     .type = PR_WHOLE,
     .standard = "8",
     .least = 1,
     .most = MOST_PATTERNS,
     .help = "how many patterns are mined, 1 to 4096"},
    {.name = "masks",
     .type = PR_TEXT,
     .standard = "-",
     .words = "01/-",
     .help = "the patterns, as 111010000/010111000; - to mine them"},
    {0},
};

static int is_mined(const struct pr_values *values)
{
    return strcmp(values->text, "-") == 0;
}

static int32_t check(const struct pr_values *values)
{
    const char *text = values->text;
    size_t length = strcspn(text, "/");
    if (is_mined(values))
        return PRUNE_OK;
    if (strchr(text, '-'))
        return pr_fail(PRUNE_E_SPEC, "granularity pattern: masks=%.60s; it is - alone, or patterns of 0 and 1", text);
    if (length > MOST_ELEMENTS)
        return pr_fail(PRUNE_E_SPEC, "granularity pattern: a pattern of %zu elements; there are at most %d", length,
                       MOST_ELEMENTS);
    for (const char *p = text;; p += length + 1) {
        if (strcspn(p, "/") != length || length == 0)
            return pr_fail(PRUNE_E_SPEC,
                           "granularity pattern: a pattern of %zu elements after one of %zu; all must be of one size, "
                           "1 to %d",
                           strcspn(p, "/"), length, MOST_ELEMENTS);
        if (p[length] == '\0')
            break;
    }
    if (values->whole[KEEP_N] != 4 || values->whole[PATTERNS] != 8)
        return pr_fail(PRUNE_E_SPEC,
                       "granularity pattern: keep_n and patterns are for mining; leave them out with masks");
    return PRUNE_OK;
}

/* The given patterns as words, bit i the element i of a kernel; how many. */
static int64_t read_masks(const char *text, uint64_t masks[PR_MAX_TEXT])
{
    int64_t count = 0;
    size_t length = strcspn(text, "/");
    for (const char *p = text;; p += length + 1) {
        uint64_t bits = 0;
        for (size_t i = 0; i < length; i++)
            bits |= (uint64_t)(p[i] == '1') << i;
        masks[count++] = bits;
        if (p[length] == '\0')
            return count;
    }
}

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    int64_t elements = 1;
    if (rank < 3)
        return pr_fail(PRUNE_E_SHAPE,
                       "granularity pattern needs a tensor of rank 3 or more, as convolutions have; this has rank %d",
                       (int)rank);
    for (int32_t i = 2; i < rank; i++)
        elements *= shape[i]; /* fits: the caller has counted */
    if (elements > MOST_ELEMENTS)
        return pr_fail(PRUNE_E_SHAPE, "granularity pattern: kernels of %lld elements; there may be at most %d",
                       (long long)elements, MOST_ELEMENTS);
    cut->pool[0] = cut->pool[1] = 1;
    cut->quota = values->whole[KEEP_N];
    if (is_mined(values))
        return PRUNE_OK;
    uint64_t masks[PR_MAX_TEXT];
    int64_t length = (int64_t)strcspn(values->text, "/");
    if (elements > 0 && length != elements)
        return pr_fail(PRUNE_E_SHAPE,
                       "granularity pattern: patterns of %lld elements for kernels of %lld; they must be as large",
                       (long long)length, (long long)elements);
    cut->quota = 0;
    for (int64_t i = read_masks(values->text, masks) - 1; i >= 0; i--) {
        int64_t kept = __builtin_popcountll(masks[i]);
        cut->quota = kept > cut->quota ? kept : cut->quota;
    }
    return PRUNE_OK;
}

struct job {
    const double *scores;
    uint8_t *keep;
    struct pr_keyed *best; /* of each kernel, when mining */
    const uint64_t *masks;
    int64_t kernels, elements, keep_n, count, tasks;
};

static void part_of_kernels(const struct job *job, int32_t task, int64_t *begin, int64_t *end)
{
    int64_t share = job->kernels / job->tasks, more = job->kernels % job->tasks;
    *begin = share * task + (task < more ? task : more);
    *end = *begin + share + (task < more);
}

/* The keep_n best elements of each kernel; of equal scores the lower goes first. */
static void find_best(void *argument, int32_t task)
{
    const struct job *job = argument;
    int64_t begin, end;
    part_of_kernels(job, task, &begin, &end);
    for (int64_t kernel = begin; kernel < end; kernel++) {
        uint64_t keys[MOST_ELEMENTS], bits = 0;
        for (int64_t i = 0; i < job->elements; i++)
            keys[i] = pr_score_key(job->scores[kernel * job->elements + i]);
        for (int64_t n = 0; n < job->keep_n && n < job->elements; n++) {
            int64_t most = -1;
            for (int64_t i = 0; i < job->elements; i++)
                if (!(bits >> i & 1) && (most < 0 || keys[i] >= keys[most]))
                    most = i;
            bits |= 1ULL << most;
        }
        job->best[kernel] = (struct pr_keyed){bits, kernel};
    }
}

/* The sum of a kernel under a pattern; infinities are counted on their own. */
static double sum_of(const double *scores, uint64_t mask, int64_t *infinite)
{
    double sum = 0;
    *infinite = 0;
    for (; mask; mask &= mask - 1) {
        double score = scores[__builtin_ctzll(mask)];
        if (isinf(score))
            *infinite += score > 0 ? 1 : -1;
        else if (score == score)
            sum += score;
    }
    return sum;
}

static void assign(void *argument, int32_t task)
{
    const struct job *job = argument;
    int64_t begin, end;
    part_of_kernels(job, task, &begin, &end);
    for (int64_t kernel = begin; kernel < end; kernel++) {
        const double *scores = job->scores + kernel * job->elements;
        double most = 0;
        int64_t chosen = -1, most_infinite = 0;
        for (int64_t i = 0; i < job->count; i++) {
            int64_t infinite;
            double sum = sum_of(scores, job->masks[i], &infinite);
            if (chosen >= 0 && (infinite != most_infinite ? infinite < most_infinite : sum <= most))
                continue;
            chosen = i;
            most = sum;
            most_infinite = infinite;
        }
        for (int64_t i = 0; i < job->elements; i++)
            job->keep[kernel * job->elements + i] = (uint8_t)(job->masks[chosen] >> i & 1);
    }
}

/* The most frequent patterns of `best`, sorted; of equally frequent ones the smaller number first. */
static int64_t most_frequent(struct job *job, int64_t most, struct pr_keyed *scratch, uint64_t *masks)
{
    int64_t runs = 0;
    pr_sort_keyed(job->best, scratch, job->kernels, 8);
    for (int64_t i = 0; i < job->kernels;) {
        int64_t j = i;
        while (j < job->kernels && job->best[j].key == job->best[i].key)
            j++;
        /* In place: a run is written no later than it is read. The key of a run sorts the longest first. */
        struct pr_keyed run = {(uint64_t)(job->kernels - (j - i)), (int64_t)job->best[i].key};
        job->best[runs++] = run;
        i = j;
    }
    pr_sort_keyed(job->best, scratch, runs, 8);
    for (int64_t i = 0; i < runs && i < most; i++)
        masks[i] = (uint64_t)job->best[i].index;
    return runs < most ? runs : most;
}

static int32_t mine(prune_context *context, struct job *job, const struct pr_grid *grid, uint64_t *masks)
{
    struct pr_keyed *scratch;
    PR_TRY(pr_alloc(context, job->kernels, sizeof *job->best, &job->best));
    int32_t status = pr_alloc(context, job->kernels, sizeof *scratch, &scratch);
    if (!status) {
        prune_context_parallel(context, (int32_t)job->tasks, find_best, job);
        job->count = most_frequent(job, grid->values.whole[PATTERNS], scratch, masks);
        pr_release(context, scratch);
    }
    pr_release(context, job->best);
    return status;
}

static int32_t solve(prune_context *context, const struct pr_grid *grid, const double *scores,
                     const struct pr_target *target, uint8_t *keep)
{
    struct job job = {.scores = scores, .keep = keep, .kernels = grid->pools, .keep_n = grid->values.whole[KEEP_N]};
    uint64_t *masks;
    int64_t threads = prune_context_threads(context);
    int32_t status = PRUNE_OK;
    (void)target;
    job.elements = grid->elements / grid->pools;
    job.tasks = pr_ceil_div(job.kernels, KERNELS_PER_TASK);
    job.tasks = job.tasks < threads ? job.tasks : threads;
    PR_TRY(pr_alloc(context, MOST_PATTERNS, sizeof *masks, &masks));
    if (is_mined(&grid->values))
        status = mine(context, &job, grid, masks);
    else
        job.count = read_masks(grid->values.text, masks);
    if (!status) {
        job.masks = masks;
        prune_context_parallel(context, (int32_t)job.tasks, assign, &job);
    }
    pr_release(context, masks);
    return status;
}

/* Whether the pattern is among the sorted ones; where not, and there is room, it is put in. */
static int take_in(uint64_t *masks, int64_t *count, int64_t most, uint64_t bits)
{
    int64_t low = 0, high = *count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (masks[middle] < bits)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < *count && masks[low] == bits)
        return 1;
    if (*count == most)
        return 0;
    memmove(masks + low + 1, masks + low, (size_t)(*count - low) * sizeof *masks);
    masks[low] = bits;
    ++*count;
    return 1;
}

/* The element at which a kernel that keeps `bits` is seen to break the rule, or -1. */
static int64_t find_in_kernel(const struct pr_grid *grid, uint64_t bits, uint64_t *masks, int64_t *count)
{
    if (!is_mined(&grid->values)) {
        for (int64_t i = 0; i < *count; i++)
            if (!(bits & ~masks[i]))
                return -1;
        return 0;
    }
    if (__builtin_popcountll(bits) > grid->values.whole[KEEP_N]) {
        for (int64_t left = grid->values.whole[KEEP_N]; left > 0; left--)
            bits &= bits - 1;
        return __builtin_ctzll(bits);
    }
    return take_in(masks, count, grid->values.whole[PATTERNS], bits) ? -1 : 0;
}

static int32_t find(const struct pr_grid *grid, const prune_mask *mask, int64_t *violation)
{
    uint64_t *masks;
    int64_t count = 0;
    if (grid->elements == 0)
        return PRUNE_OK;
    PR_TRY(pr_alloc(mask->context, MOST_PATTERNS, sizeof *masks, &masks));
    if (!is_mined(&grid->values))
        count = read_masks(grid->values.text, masks);
    int64_t elements = grid->elements / grid->pools;
    for (int64_t kernel = 0; kernel < grid->pools && *violation < 0; kernel++) {
        int64_t found = find_in_kernel(grid, pr_mask_bits(mask, kernel * elements, elements), masks, &count);
        if (found >= 0)
            *violation = kernel * elements + found;
    }
    pr_release(mask->context, masks);
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_pattern = {
    .kind = {.name = "pattern",
             .help = "every kernel keeps one of a few patterns, given or mined",
             .parameters = parameters},
    .has_quota = 1,
    .check = check,
    .cut = cut,
    .solve = solve,
    .find = find,
};
