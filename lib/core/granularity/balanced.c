/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Load balance (Han et al. 2017, ESE): row i of a matrix is worked on by processing element i mod N, and all of them
 * should have equally many elements to multiply.
 */
#include <math.h>

#include "core/granularity/granularity.h"
#include "core/granularity/key.h"
#include "core/mask/mask.h"

enum { ELEMENTS };

static const struct pr_parameter parameters[] = {
    {.name = "processing_elements",
     .type = PR_WHOLE,
     .least = 1,
     .most = INT32_MAX,
     .help = "N: row i belongs to processing element i mod N, 1 or more"},
    {0},
};

static int32_t cut(const struct pr_values *values, int32_t rank, const int64_t *shape, struct pr_cut *cut)
{
    (void)values;
    (void)shape;
    (void)cut;
    if (rank < 1)
        return pr_fail(PRUNE_E_SHAPE, "granularity balanced needs a tensor of rank 1 or more; this has rank 0");
    return PRUNE_OK;
}

/* Processing elements that have a row, and elements of a row. */
static int64_t count_used(const struct pr_grid *grid, int64_t *length)
{
    int64_t n = grid->values.whole[ELEMENTS], rows = grid->shape[0];
    *length = rows > 0 ? grid->elements / rows : 0;
    return n < rows ? n : rows;
}

/* Deals `total` out, one at a time in turn, to those that have room: what each gets. */
static void deal(const int64_t *room, int64_t count, int64_t total, int64_t *share)
{
    int64_t open = 0;
    for (int64_t i = 0; i < count; i++) {
        share[i] = 0;
        open += room[i] > 0;
    }
    while (total > 0 && open > 0) {
        int64_t each = total / open, extra = each == 0 ? total : 0;
        open = 0;
        for (int64_t i = 0; i < count; i++) {
            int64_t left = room[i] - share[i], take = each > 0 ? each : extra > 0;
            take = take < left ? take : left;
            share[i] += take;
            total -= take;
            extra -= each == 0 && take > 0;
            open += room[i] > share[i];
        }
    }
}

/* Of the `count` competing elements of the rows of one processing element, all but the `stay` best go. */
static void select_part(const struct pr_grid *grid, const double *scores, int64_t part, int64_t parts, int64_t length,
                        int64_t stay, uint64_t *keys, uint8_t *keep)
{
    int64_t count = 0, equal = 0, goes;
    uint64_t limit = 0;
    for (int64_t row = part; row < grid->shape[0]; row += parts)
        for (int64_t i = row * length; i < (row + 1) * length; i++)
            if (!isnan(scores[i]))
                keys[count++] = pr_score_key(scores[i]);
    goes = count - stay;
    if (goes <= 0)
        return;
    limit = pr_kth_key(keys, count, goes, &equal);
    for (int64_t row = part; row < grid->shape[0]; row += parts)
        for (int64_t i = row * length; i < (row + 1) * length; i++) {
            if (isnan(scores[i]))
                continue;
            uint64_t key = pr_score_key(scores[i]);
            int go = key < limit || (key == limit && equal > 0);
            equal -= go && key == limit;
            keep[i] = !go;
        }
}

struct job {
    const struct pr_grid *grid;
    const double *scores;
    const int64_t *share;
    const int64_t *first; /* of each part's keys */
    uint64_t *keys;
    int64_t parts, length;
    uint8_t *keep;
    int32_t tasks;
};

static void take_parts(void *argument, int32_t task)
{
    const struct job *job = argument;
    for (int64_t part = task; part < job->parts; part += job->tasks)
        select_part(job->grid, job->scores, part, job->parts, job->length, job->share[part],
                    job->keys + job->first[part], job->keep);
}

static int32_t solve(prune_context *context, const struct pr_grid *grid, const double *scores,
                     const struct pr_target *target, uint8_t *keep)
{
    struct job job = {.grid = grid, .scores = scores, .keep = keep};
    int64_t *numbers, total = 0;
    job.parts = count_used(grid, &job.length);
    PR_TRY(pr_alloc(context, 3 * job.parts, sizeof *numbers, &numbers)); /* fits: no more parts than elements */
    int64_t *room = numbers, *share = numbers + job.parts, *first = share + job.parts;
    int32_t status = pr_alloc(context, grid->elements, sizeof *job.keys, &job.keys);
    if (status) {
        pr_release(context, numbers);
        return status;
    }
    for (int64_t part = 0; part < job.parts; part++) {
        first[part] = total;
        for (int64_t row = part; row < grid->shape[0]; row += job.parts)
            for (int64_t i = row * job.length; i < (row + 1) * job.length; i++) {
                keep[i] = (uint8_t)(scores[i] == scores[i]);
                total += keep[i];
            }
        room[part] = total - first[part];
    }
    deal(room, job.parts, total - target->remove, share);
    job.share = share;
    job.first = first;
    job.tasks = prune_context_threads(context);
    job.tasks = job.tasks < job.parts ? job.tasks : (int32_t)job.parts;
    prune_context_parallel(context, job.tasks, take_parts, &job);
    pr_release(context, job.keys);
    pr_release(context, numbers);
    return PRUNE_OK;
}

/* No processing element keeps more than one above another that has room for more. */
static int32_t find(const struct pr_grid *grid, const prune_mask *mask, int64_t *violation)
{
    int64_t length, parts = count_used(grid, &length), least = INT64_MAX, *kept;
    if (grid->elements == 0)
        return PRUNE_OK;
    PR_TRY(pr_alloc_zero(mask->context, parts, sizeof *kept, &kept));
    for (int64_t row = 0; row < grid->shape[0]; row++)
        kept[row % parts] += pr_mask_kept_in(mask, row * length, (row + 1) * length);
    for (int64_t part = 0; part < parts; part++) {
        int64_t room = ((grid->shape[0] - part - 1) / parts + 1) * length;
        if (kept[part] < room && kept[part] < least)
            least = kept[part];
        kept[part] = 0;
    }
    for (int64_t i = 0; least < INT64_MAX && i < grid->elements && *violation < 0; i++) {
        int64_t *here = &kept[i / length % parts];
        *here += pr_mask_get(mask, i);
        if (*here > least + 1)
            *violation = i;
    }
    pr_release(mask->context, kept);
    return PRUNE_OK;
}

const struct pr_granularity_kind pr_granularity_balanced = {
    .kind = {.name = "balanced",
             .help = "single elements, equally many from the rows of each processing element (ESE)",
             .parameters = parameters},
    .cut = cut,
    .solve = solve,
    .find = find,
};
