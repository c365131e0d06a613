/* SPDX-License-Identifier: BSD-2-Clause
 *
 * From weights to scores. The tensor is walked once, in row-major order, each element added to the sum of its unit: so
 * every unit's elements come in row-major order too, whatever its shape. Threads get boxes of whole units.
 */
#include <math.h>
#include <string.h>

#include "core/criterion/criterion.h"
#include "core/tensor/tensor.h"

#define CHUNK 512
/* Elements below which another thread is not worth its wake-up. */
#define ELEMENTS_PER_TASK 131072
#define MAX_TASKS 256

/* The axes of tensor and grid together, merged where both go on without a seam. */
struct plan {
    int32_t rank;
    int64_t shape[PRUNE_MAX_RANK], step[PRUNE_MAX_RANK]; /* elements; elements of memory between neighbours */
    int64_t unit[PRUNE_MAX_RANK], extent[PRUNE_MAX_RANK], stride[PRUNE_MAX_RANK]; /* as in struct pr_grid */
};

enum phase { SINGLE, LARGEST, SUM, LOOK };

struct job {
    const struct pr_scoring *scoring;
    const struct pr_criterion_kind *kind;
    const prune_tensor *weights; /* or what `elements` has made of them */
    const struct pr_grid *grid;
    enum pr_aggregate how;
    int single_at_edge;
    struct plan plan;
    enum phase phase;
    int32_t split; /* the axis that is cut into tasks */
    int64_t tasks, units;
    double *scores;
    int32_t *exponents;     /* of the largest magnitude of each unit, for kinds that scale */
    int64_t *powers;        /* of two, of the product of each unit, where products are taken */
    int64_t nan[MAX_TASKS]; /* per task: row-major number of the first NaN, or INT64_MAX */
};

static void make_plan(struct plan *plan, const prune_tensor *weights, const struct pr_grid *grid)
{
    int32_t n = 0; /* axes done, innermost first; turned round at the end */
    struct plan p;
    memset(&p, 0, sizeof p);
    for (int32_t i = grid->rank - 1; i >= 0; i--) {
        int seamless = n > 0 && weights->strides[i] == p.step[n - 1] * p.shape[n - 1];
        int whole = n > 0 && p.extent[n - 1] == 1;
        int single = n > 0 && p.unit[n - 1] == 1 && grid->unit[i] == 1;
        if (seamless && (whole || single)) {
            p.unit[n - 1] = whole ? grid->unit[i] * p.shape[n - 1] : 1;
            p.extent[n - 1] *= grid->extent[i];
            p.shape[n - 1] *= grid->shape[i];
            continue;
        }
        p.shape[n] = grid->shape[i];
        p.step[n] = weights->strides[i];
        p.unit[n] = grid->unit[i];
        p.extent[n] = grid->extent[i];
        p.stride[n] = grid->stride[i];
        n++;
    }
    if (n == 0) {
        p.shape[0] = p.step[0] = p.unit[0] = p.extent[0] = p.stride[0] = 1;
        n = 1;
    }
    plan->rank = n;
    for (int32_t i = 0; i < n; i++) {
        plan->shape[i] = p.shape[n - 1 - i];
        plan->step[i] = p.step[n - 1 - i];
        plan->unit[i] = p.unit[n - 1 - i];
        plan->extent[i] = p.extent[n - 1 - i];
        plan->stride[i] = p.stride[n - 1 - i];
    }
}

/* 2^e as a double, for -1022 <= e <= 1023. */
static double power_of_two(int32_t e)
{
    uint64_t bits = (uint64_t)(e + 1023) << 52;
    double result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* x / 2^e, in two steps because 2^e itself need not be a normal number. */
static double scale_down(double x, int32_t e)
{
    int32_t half = e / 2;
    return x * power_of_two(-half) * power_of_two(half - e);
}

static void raise_largest(const double *row, int64_t count, double *largest, int64_t first, int64_t unit)
{
    for (int64_t i = 0, u = 0; i < count; u++) {
        int64_t end = (first / unit + u + 1) * unit - first;
        double most = largest[u];
        for (end = end < count ? end : count; i < end; i++)
            most = fabs(row[i]) > most ? fabs(row[i]) : most;
        largest[u] = most;
    }
}

static void scale_row(double *row, int64_t count, const int32_t *exponents, int64_t first, int64_t unit)
{
    for (int64_t i = 0, u = 0; i < count; u++) {
        int64_t end = (first / unit + u + 1) * unit - first;
        for (end = end < count ? end : count; i < end; i++)
            row[i] = scale_down(row[i], exponents[u]);
    }
}

/* `count` elements from column `first` of a row that begins in unit `unit_number`; `position` is the number of the
 * first. 0, or which one is NaN + 1. */
static int64_t take_chunk(const struct job *job, const char *data, int64_t first, int64_t count, int64_t unit_number,
                          int64_t position)
{
    const struct pr_criterion_kind *kind = job->kind;
    const struct plan *plan = &job->plan;
    int64_t unit = plan->unit[plan->rank - 1], number = unit_number + first / unit;
    double chunk[CHUNK], *row = job->phase == SINGLE ? job->scores + number : chunk;
    int nan = 0;
    pr_read_double(job->weights->dtype, data, plan->step[plan->rank - 1], count, row);
    for (int64_t i = 0; i < count; i++)
        nan |= row[i] != row[i];
    if (nan) {
        int64_t i = 0;
        while (row[i] == row[i])
            i++;
        return i + 1;
    }
    if (job->phase == LOOK)
        return 0;
    if (job->phase == LARGEST) {
        raise_largest(row, count, job->scores + number, first, unit);
        return 0;
    }
    if (job->phase == SINGLE || job->how >= PR_AGGREGATE_MAX) {
        if (kind->single)
            kind->single(job->scoring, position, row, count);
    } else {
        if (job->exponents)
            scale_row(row, count, job->exponents + number, first, unit);
        if (kind->terms)
            kind->terms(job->scoring, position, row, count);
    }
    if (job->phase == SUM)
        pr_aggregate_row(job->how, row, count, job->scores + number, job->powers ? job->powers + number : NULL, first,
                         unit);
    return 0;
}

/* One box of units: those that the task has along the axis that is split, all along the others. */
static void take_box(void *argument, int32_t task)
{
    struct job *job = argument;
    const struct plan *plan = &job->plan;
    int32_t last = plan->rank - 1, split = job->split;
    int64_t begin[PRUNE_MAX_RANK] = {0}, end[PRUNE_MAX_RANK], index[PRUNE_MAX_RANK], size;
    size = prune_dtype_size(job->weights->dtype);
    for (int32_t i = 0; i <= last; i++)
        end[i] = plan->shape[i];
    int64_t share = plan->extent[split] / job->tasks, more = plan->extent[split] % job->tasks;
    begin[split] = (share * task + (task < more ? task : more)) * plan->unit[split];
    int64_t stop = begin[split] + (share + (task < more)) * plan->unit[split];
    end[split] = stop < end[split] ? stop : end[split];
    for (int32_t i = 0; i <= last; i++) {
        index[i] = begin[i];
        if (begin[i] >= end[i])
            return;
    }
    for (;;) {
        int64_t offset = 0, number = 0, position = 0;
        for (int32_t i = 0; i < last; i++) {
            offset += index[i] * plan->step[i];
            number += index[i] / plan->unit[i] * plan->stride[i];
            position = (position + index[i]) * plan->shape[i + 1];
        }
        for (int64_t j = begin[last]; j < end[last]; j += CHUNK) {
            int64_t count = end[last] - j < CHUNK ? end[last] - j : CHUNK;
            const char *data = job->weights->data + (offset + j * plan->step[last]) * size;
            int64_t nan = take_chunk(job, data, j, count, number, position + j);
            if (nan) {
                job->nan[task] = position + j + nan - 1;
                return;
            }
        }
        int32_t i = last - 1;
        while (i >= 0 && ++index[i] == end[i]) {
            index[i] = begin[i];
            i--;
        }
        if (i < 0)
            return;
    }
}

static void part_of_units(const struct job *job, int32_t task, int64_t *begin, int64_t *end)
{
    int64_t share = job->units / job->tasks, more = job->units % job->tasks;
    *begin = share * task + (task < more ? task : more);
    *end = *begin + share + (task < more);
}

static void take_exponents(void *argument, int32_t task)
{
    struct job *job = argument;
    int64_t begin, end;
    part_of_units(job, task, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        int e = 0;
        if (!isinf(job->scores[i]))
            frexp(job->scores[i], &e);
        job->exponents[i] = e;
        job->scores[i] = 0;
    }
}

/* Where the last units along all axes are one element in each, units that are not cut off being larger. */
static int has_single_at_edge(const struct pr_grid *grid)
{
    for (int32_t i = 0; i < grid->rank; i++)
        if (grid->shape[i] - (grid->extent[i] - 1) * grid->unit[i] != 1)
            return 0;
    return 1;
}

/* Such a unit is scored as every single element is, exactly. */
static void score_singles(const struct job *job, int64_t begin, int64_t end)
{
    const struct pr_grid *grid = job->grid;
    for (int64_t unit = begin; unit < end; unit++) {
        int64_t rest = unit, offset = 0, position = 0, size = 1;
        int32_t i = grid->rank - 1;
        for (; i >= 0; i--) {
            int64_t index = rest % grid->extent[i];
            if (grid->unit[i] > 1 && index < grid->extent[i] - 1)
                break;
            offset += index * grid->unit[i] * job->weights->strides[i];
            position += index * grid->unit[i] * size;
            size *= grid->shape[i];
            rest /= grid->extent[i];
        }
        if (i >= 0)
            continue;
        const char *data = job->weights->data + offset * prune_dtype_size(job->weights->dtype);
        pr_read_double(job->weights->dtype, data, 1, 1, &job->scores[unit]);
        if (job->kind->single)
            job->kind->single(job->scoring, position, &job->scores[unit], 1);
    }
}

static void start_units(void *argument, int32_t task)
{
    struct job *job = argument;
    int64_t begin, end;
    part_of_units(job, task, &begin, &end);
    pr_aggregate_start(job->how, job->scores + begin, end - begin);
}

static void finish_units(void *argument, int32_t task)
{
    struct job *job = argument;
    const struct pr_criterion_kind *kind = job->kind;
    int64_t begin, end;
    part_of_units(job, task, &begin, &end);
    if (kind->number)
        kind->number(job->scoring->values, begin, end - begin, job->scores + begin);
    else
        pr_aggregate_end(job->how, job->grid, begin, end - begin, job->scores + begin,
                         job->powers ? job->powers + begin : NULL);
    if (kind->finish && job->how < PR_AGGREGATE_MAX)
        kind->finish(job->scoring, job->scores + begin, end - begin);
    for (int64_t i = begin; job->exponents && i < end; i++)
        job->scores[i] = ldexp(job->scores[i], job->exponents[i]);
    if (job->exponents && job->single_at_edge)
        score_singles(job, begin, end);
    for (int64_t i = begin; i < end; i++)
        if (isnan(job->scores[i])) {
            job->nan[task] = i;
            return;
        }
}

static int64_t run(struct job *job, enum phase phase, prune_task_fn part)
{
    int64_t first = INT64_MAX;
    job->phase = phase;
    for (int64_t i = 0; i < job->tasks; i++)
        job->nan[i] = INT64_MAX;
    prune_context_parallel(job->weights->context, (int32_t)job->tasks, part, job);
    for (int64_t i = 0; i < job->tasks; i++)
        first = job->nan[i] < first ? job->nan[i] : first;
    return first;
}

static int32_t refuse_nan(const struct pr_grid *grid, int64_t position)
{
    char place[PR_MAX_SHAPE_TEXT];
    return pr_fail(PRUNE_E_VALUE, "weight %lld, at %s, is NaN; weights must be numbers", (long long)position,
                   pr_index_text(place, grid->rank, grid->tensor, position));
}

static int32_t refuse_sum(const struct job *job, int64_t unit)
{
    const struct pr_grid *grid = job->grid;
    char place[PR_MAX_SHAPE_TEXT];
    int product = job->how == PR_AGGREGATE_PRODUCT;
    return pr_fail(PRUNE_E_VALUE, "unit %lld, at %s of the grid, has %s, whose %s is NaN; give it at most one",
                   (long long)unit, pr_index_text(place, grid->rank, grid->extent, unit),
                   product ? "an infinity and a zero" : "both infinities", product ? "product" : "sum");
}

static int32_t sum_units(struct job *job)
{
    if (job->exponents) {
        int64_t nan = run(job, LARGEST, take_box);
        if (nan != INT64_MAX)
            return refuse_nan(job->grid, nan);
        run(job, LARGEST, take_exponents);
    }
    if (job->how >= PR_AGGREGATE_MAX)
        run(job, SUM, start_units);
    int64_t nan = run(job, job->kind->number ? LOOK : SUM, take_box);
    if (nan != INT64_MAX)
        return refuse_nan(job->grid, nan);
    nan = run(job, SUM, finish_units);
    return nan == INT64_MAX ? PRUNE_OK : refuse_sum(job, nan);
}

static int32_t score_job(struct job *job)
{
    const struct pr_grid *grid = job->grid;
    prune_context *context = job->weights->context;
    make_plan(&job->plan, job->weights, grid);
    job->single_at_edge = has_single_at_edge(grid);
    for (int32_t i = 1; i < job->plan.rank; i++)
        if (job->plan.extent[i] > job->plan.extent[job->split])
            job->split = i;
    job->tasks = pr_ceil_div(grid->elements, ELEMENTS_PER_TASK);
    int64_t threads = prune_context_threads(context);
    job->tasks = job->tasks < threads ? job->tasks : threads;
    job->tasks = job->tasks < job->plan.extent[job->split] ? job->tasks : job->plan.extent[job->split];
    if (job->kind->units) {
        int64_t nan = run(job, LOOK, take_box);
        return nan == INT64_MAX ? job->kind->units(job->scoring, job->scores) : refuse_nan(grid, nan);
    }
    if (grid->units == grid->elements && !job->kind->number) {
        int64_t nan = run(job, SINGLE, take_box);
        return nan == INT64_MAX ? PRUNE_OK : refuse_nan(job->grid, nan);
    }
    if (job->kind->scales && job->how < PR_AGGREGATE_MAX)
        PR_TRY(pr_alloc(context, grid->units, sizeof *job->exponents, &job->exponents));
    int32_t status = PRUNE_OK;
    if (job->how == PR_AGGREGATE_PRODUCT)
        status = pr_alloc_zero(context, grid->units, sizeof *job->powers, &job->powers);
    if (!status)
        status = sum_units(job);
    pr_release(context, job->exponents);
    pr_release(context, job->powers);
    return status;
}

int32_t pr_score_units(struct pr_scoring *scoring, double *scores)
{
    const prune_tensor *weights = scoring->weights;
    const struct pr_criterion_kind *kind = scoring->criterion->kind;
    struct job job = {.scoring = scoring,
                      .kind = kind,
                      .weights = weights,
                      .grid = scoring->grid,
                      .how = scoring->criterion->aggregate,
                      .scores = scores,
                      .units = scoring->grid->units};
    prune_tensor *importances;
    if (scoring->grid->elements == 0)
        return PRUNE_OK;
    if (!kind->elements)
        return score_job(&job);
    PR_TRY(pr_refuse_nan(weights, "weight"));
    PR_TRY(prune_tensor_create(&importances, weights->context, PRUNE_F64, weights->rank, weights->shape));
    int32_t status = kind->elements(scoring, importances);
    job.weights = importances;
    if (!status)
        status = score_job(&job);
    prune_tensor_free(importances);
    return status;
}
