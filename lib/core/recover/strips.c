/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/strips.h"

#include "base/sort.h"

struct job {
    struct pr_strips *strips;
    struct pr_strip_map map;
    int64_t from, count; /* strips from to count - 1 */
    int64_t tasks;       /* that share them out */
    struct pr_strip *work;
    double *copy;   /* of tracing: one strip's weights for each task */
    double *trace;  /* strips x steps: the largest cost so far, so that a strip's steps stay in order when sorted */
    int64_t steps;  /* room of a trace */
    int64_t least;  /* steps of a trace, whatever they cost, */
    double bound;   /* and what the last one is above */
    int64_t *left;  /* strips (global) or pools (local): units that may go */
    int global;     /* `left` is one number for each strip */
    double ceiling; /* units that cost as much or more stay */
};

static int64_t rows_of(const struct job *job, int64_t strip)
{
    int64_t begin = strip * job->map.height, rows = job->strips->grid->shape[0];
    return rows - begin < job->map.height ? rows - begin : job->map.height;
}

/* ---- Tasks ---- */

/* The steps of each strip, on a copy: the first `least`, and then as long as none costs more than the bound. A strip
 * that an earlier call has followed beyond the bound is left out. */
static void trace(void *argument, int32_t task)
{
    const struct job *job = argument;
    struct pr_strip *strip = &job->work[task];
    int64_t columns = job->map.columns;
    double *copy = job->copy + task * job->map.height * columns;
    for (int64_t s = job->from + task; s < job->count; s += job->tasks) {
        const double *w = job->strips->w + s * job->map.height * job->strips->stride;
        double cost = 0, largest = 0, *steps = job->trace + s * job->steps;
        int64_t rows = rows_of(job, s), done = job->left[s];
        if (done > 0 && (done == job->steps || steps[done - 1] > job->bound))
            continue;
        for (int64_t i = 0; i < rows; i++)
            memcpy(copy + i * columns, w + i * job->strips->stride, (size_t)columns * sizeof *copy);
        pr_strip_start(strip, copy, rows, columns, NULL);
        for (done = 0; done < job->steps && (done < job->least || largest <= job->bound); done++) {
            pr_strip_remove(strip, pr_strip_best(strip, &cost));
            largest = cost > largest ? cost : largest;
            steps[done] = largest;
        }
        job->left[s] = done;
    }
}

static void write_keep(const struct job *job, const struct pr_strip *strip, int64_t number)
{
    const struct pr_strip_map *map = &job->map;
    uint8_t *keep = job->strips->keep + number * map->height * job->strips->stride;
    for (int64_t i = 0; i < strip->rows; i++)
        for (int64_t u = 0; u < map->units; u++)
            for (int64_t c = map->first[u]; c < map->first[u + 1]; c++)
                keep[i * job->strips->stride + map->column[c]] = !strip->gone[u];
}

static void take(void *argument, int32_t task)
{
    const struct job *job = argument;
    struct pr_strip *strip = &job->work[task];
    int64_t stride = job->strips->stride, unit;
    for (int64_t s = job->from + task; s < job->count; s += job->tasks) {
        double cost = 0, sum = 0;
        const int64_t *left = !job->left ? NULL : job->global ? job->left + s : job->left;
        pr_strip_start(strip, job->strips->w + s * job->map.height * stride, rows_of(job, s), stride, left);
        while ((unit = pr_strip_best(strip, &cost)) >= 0 && cost < job->ceiling)
            sum += pr_strip_remove(strip, unit);
        write_keep(job, strip, s);
        if (job->strips->cost)
            job->strips->cost[s] = sum;
    }
}

static void follow_mask(void *argument, int32_t task)
{
    const struct job *job = argument;
    struct pr_strip *strip = &job->work[task];
    int64_t stride = job->strips->stride;
    for (int64_t s = job->from + task; s < job->count; s += job->tasks) {
        const uint8_t *keep = job->strips->keep + s * job->map.height * stride;
        double sum = 0;
        pr_strip_start(strip, job->strips->w + s * job->map.height * stride, rows_of(job, s), stride, NULL);
        for (int64_t u = 0; u < job->map.units; u++)
            if (!keep[job->map.column[job->map.first[u]]])
                sum += pr_strip_remove(strip, u);
        if (job->strips->cost)
            job->strips->cost[s] = sum;
    }
}

/* ---- What they need ---- */

static void release_job(struct job *job)
{
    prune_context *context = job->strips->context;
    for (int64_t i = 0; job->work && i < job->tasks; i++)
        pr_strip_free(&job->work[i], context);
    pr_release(context, job->work);
    pr_release(context, job->copy);
    pr_release(context, job->trace);
    pr_release(context, job->left);
    pr_strip_map_free(&job->map, context);
}

/* Columns that go from a strip at most, when `units` of its units do. */
static int64_t columns_of(const struct job *job, int64_t units)
{
    int64_t most = units * job->map.width;
    return most < job->map.columns ? most : job->map.columns;
}

/* Memory for as many strips at a time as there are threads, or as the budget allows; at least one. */
static int32_t prepare(struct job *job, int64_t units)
{
    struct pr_strips *strips = job->strips;
    int64_t most = columns_of(job, units), bytes = 0;
    PR_TRY(pr_strip_bytes(&job->map, most, &bytes));
    job->tasks = prune_context_threads(strips->context);
    job->tasks = job->tasks < job->count ? job->tasks : job->count;
    if (strips->memory > 0 && job->tasks > strips->memory / (bytes > 0 ? bytes : 1))
        job->tasks = strips->memory / bytes;
    job->tasks = job->tasks > 1 ? job->tasks : 1;
    bytes *= job->tasks;
    strips->taken = bytes > strips->taken ? bytes : strips->taken;
    PR_TRY(pr_alloc_zero(strips->context, job->tasks, sizeof *job->work, &job->work));
    for (int64_t i = 0; i < job->tasks; i++) {
        PR_TRY(pr_strip_make(&job->work[i], strips->context, &job->map, most));
        job->work[i].inverse = strips->inverse;
        job->work[i].least = strips->least;
    }
    return PRUNE_OK;
}

static void release_work(struct job *job)
{
    for (int64_t i = 0; job->work && i < job->tasks; i++)
        pr_strip_free(&job->work[i], job->strips->context);
    pr_release(job->strips->context, job->work);
    job->work = NULL;
}

static void run(struct job *job, prune_task_fn task)
{
    prune_context_parallel(job->strips->context, (int32_t)job->tasks, task, job);
}

static int32_t begin(struct job *job, struct pr_strips *strips)
{
    memset(job, 0, sizeof *job);
    job->strips = strips;
    job->ceiling = INFINITY;
    PR_TRY(pr_strip_map_make(&job->map, strips->context, strips->grid));
    job->count = strips->grid->extent[0];
    return PRUNE_OK;
}

/* ---- How many go from each strip ---- */

static int64_t sum_of(const int64_t *numbers, int64_t count)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += numbers[i];
    return sum;
}

static int32_t allot_local(struct job *job, const struct pr_target *target)
{
    PR_TRY(pr_alloc(job->strips->context, job->map.pools, sizeof *job->left, &job->left));
    for (int64_t p = 0; p < job->map.pools; p++)
        job->left[p] = pr_target_count(target, job->map.size[p]);
    return PRUNE_OK;
}

/* The steps of strips first to last - 1 that are known, cheapest first. A trace does not fall and equal costs keep
 * their order, so any number of the cheapest are the first steps of each strip. `chosen` counts how
 * many of the k cheapest are each strip's, unless NULL; *kth is what the k-th costs. */
static int32_t sort_band(const struct job *job, int64_t first, int64_t last, int64_t k, int64_t *chosen, double *kth)
{
    prune_context *context = job->strips->context;
    int64_t count = 0;
    struct pr_keyed *items, *scratch;
    PR_TRY(pr_alloc(context, (last - first) * job->steps, sizeof *items, &items));
    int32_t status = pr_alloc(context, (last - first) * job->steps, sizeof *scratch, &scratch);
    if (!status) {
        for (int64_t s = first; s < last; s++)
            for (int64_t i = 0; i < job->left[s]; i++)
                items[count++] = (struct pr_keyed){pr_score_key(job->trace[s * job->steps + i]), s * job->steps + i};
        pr_sort_keyed(items, scratch, count, 8);
        *kth = k > 0 ? job->trace[items[k - 1].index] : -1;
        for (int64_t i = 0; i < k && chosen; i++)
            chosen[items[i].index / job->steps]++;
        pr_release(context, scratch);
    }
    pr_release(context, items);
    return status;
}

/* Each strip is followed a little further than if all lost as much. The k-th cheapest step so far bounds the k-th of
 * all; strips whose last known step is not above the bound are followed until it is. */
static int32_t allot_band(struct job *job, int64_t first, int64_t last, int64_t k, int64_t *chosen)
{
    const int64_t count = job->count;
    int64_t share = pr_ceil_div(k, last - first);
    share += share / 4;
    job->least = share < job->steps ? share : job->steps;
    job->bound = -1;
    job->from = first;
    job->count = last;
    run(job, trace);
    int32_t status = sort_band(job, first, last, k, NULL, &job->bound);
    if (!status) {
        job->least = 0;
        run(job, trace);
        status = sort_band(job, first, last, k, chosen, &job->bound);
    }
    job->count = count;
    return status;
}

static int32_t trace_memory(struct job *job)
{
    prune_context *context = job->strips->context;
    int64_t size = 0;
    PR_TRY(prepare(job, job->steps));
    PR_TRY(pr_mul(job->count, job->steps, &size));
    PR_TRY(pr_alloc(context, size, sizeof *job->trace, &job->trace));
    PR_TRY(pr_mul(job->map.height, job->map.columns, &size));
    PR_TRY(pr_mul(size, job->tasks, &size));
    PR_TRY(pr_alloc(context, size, sizeof *job->copy, &job->copy));
    job->strips->taken += (size + 5 * job->count * job->steps) * (int64_t)sizeof(double); /* and to sort the steps */
    return PRUNE_OK;
}

static int32_t allot_global(struct job *job, const struct pr_target *target)
{
    const struct pr_grid *grid = job->strips->grid;
    prune_context *context = job->strips->context;
    int64_t high = grid->pool[0], most = pr_target_count(target, high * job->map.units), *chosen;
    job->steps = most < job->map.units ? most : job->map.units;
    job->global = 1;
    PR_TRY(pr_alloc_zero(context, job->count, sizeof *job->left, &job->left));
    if (job->steps == 0)
        return PRUNE_OK;
    PR_TRY(trace_memory(job));
    PR_TRY(pr_alloc_zero(context, job->count, sizeof *chosen, &chosen));
    int32_t status = PRUNE_OK;
    for (int64_t s = 0; s < job->count && !status; s += high) {
        int64_t end = s + high < job->count ? s + high : job->count;
        status = allot_band(job, s, end, pr_target_count(target, (end - s) * job->map.units), chosen);
    }
    job->from = 0;
    release_work(job);
    pr_release(context, job->left);
    job->left = chosen;
    return status;
}

static int32_t prune_job(struct job *job, const struct pr_target *target)
{
    const struct pr_grid *grid = job->strips->grid;
    int64_t most = job->map.units;
    if (target->kind == PRUNE_THRESHOLD) {
        job->ceiling = target->amount;
    } else if (grid->pool[0] == 1 || grid->extent[0] == 1) {
        PR_TRY(allot_local(job, target));
        most = sum_of(job->left, job->map.pools);
    } else if (job->map.pools == 1) {
        PR_TRY(allot_global(job, target));
        most = 0;
        for (int64_t s = 0; s < job->count; s++)
            most = job->left[s] > most ? job->left[s] : most;
    } else {
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "recovery obc: pools of %lld x %lld units; it takes pools that are one unit high, or as wide as "
                       "the weights",
                       (long long)grid->pool[0], (long long)(job->map.units / job->map.pools));
    }
    PR_TRY(prepare(job, most));
    run(job, take);
    return PRUNE_OK;
}

int32_t pr_strips_prune(struct pr_strips *strips, const struct pr_target *target)
{
    struct job job;
    int32_t status = begin(&job, strips);
    if (!status && job.count > 0 && job.map.units > 0)
        status = prune_job(&job, target);
    release_job(&job);
    return status;
}

/* Most columns that one strip loses. */
static int64_t most_removed(const struct job *job)
{
    const struct pr_strips *strips = job->strips;
    int64_t most = 0, columns = job->map.columns;
    for (int64_t s = 0; s < job->count; s++) {
        int64_t gone = 0;
        for (int64_t j = 0; j < columns; j++)
            gone += !strips->keep[s * job->map.height * strips->stride + j];
        most = gone > most ? gone : most;
    }
    return most;
}

int32_t pr_strips_repair(struct pr_strips *strips)
{
    struct job job;
    int32_t status = begin(&job, strips);
    if (!status && job.count > 0 && job.map.units > 0)
        status = prepare(&job, pr_ceil_div(most_removed(&job), job.map.width));
    if (!status && job.work)
        run(&job, follow_mask);
    release_job(&job);
    return status;
}
