/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Distance from the geometric median (He et al. 2019): a unit near all others can be replaced by them.
 */
#include <math.h>
#include <string.h>

#include "base/sort.h"
#include "core/criterion/criterion.h"
#include "core/tensor/tensor.h"

#define LANES 8
/* Products below which another thread is not worth its wake-up. */
#define WORK_PER_TASK 1e6

static const struct pr_parameter parameters[] = {PR_NORMALIZE, {0}};

struct job {
    int64_t units, length; /* of a row of `elements`: a unit with zeros to a multiple of LANES */
    const double *elements;
    double *scores; /* infinite where a unit is not to be compared */
    int exponent;
    int32_t tasks;
};

static double distance(const double *a, const double *b, int64_t length)
{
    double sums[LANES] = {0};
    for (int64_t i = 0; i < length; i += LANES)
        for (int j = 0; j < LANES; j++) {
            double d = a[i + j] - b[i + j];
            sums[j] += d * d;
        }
    return sqrt(((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7])));
}

static void score_units(void *argument, int32_t task)
{
    struct job *job = argument;
    for (int64_t i = task; i < job->units; i += job->tasks) {
        double sum = 0;
        if (isinf(job->scores[i]))
            continue;
        for (int64_t j = 0; j < job->units; j++)
            if (j != i && !isinf(job->elements[j * job->length]))
                sum += distance(job->elements + i * job->length, job->elements + j * job->length, job->length);
        job->scores[i] = ldexp(sum, job->exponent);
    }
}

/* The elements of every unit in its row, in row-major order, what lies beyond the edge 0. The largest finite one. */
static double gather(const struct pr_scoring *scoring, struct job *job, double *elements)
{
    const struct pr_grid *grid = scoring->grid;
    int64_t index[PRUNE_MAX_RANK] = {0}, last = grid->rank - 1;
    struct pr_walk walk;
    double largest = 0;
    for (pr_walk_start(&walk, scoring->weights); walk.count; pr_walk_skip(&walk, walk.count < 256 ? walk.count : 256)) {
        double part[256];
        int64_t count = walk.count < 256 ? walk.count : 256;
        pr_read_double(scoring->weights->dtype, walk.data, walk.stride, count, part);
        for (int64_t i = 0; i < count; i++) {
            int64_t unit = 0, place = 0;
            for (int64_t axis = 0; axis <= last; axis++) {
                unit += index[axis] / grid->unit[axis] * grid->stride[axis];
                place = place * grid->unit[axis] + index[axis] % grid->unit[axis];
            }
            elements[unit * job->length + place] = part[i];
            if (isinf(part[i]))
                job->scores[unit] = INFINITY;
            else
                largest = fabs(part[i]) > largest ? fabs(part[i]) : largest;
            for (int64_t axis = last; axis >= 0 && ++index[axis] == grid->shape[axis]; axis--)
                index[axis] = 0;
        }
    }
    return largest;
}

static void scale(const struct job *job, double *elements)
{
    for (int64_t unit = 0; unit < job->units; unit++) {
        double *row = elements + unit * job->length;
        for (int64_t i = 0; i < job->length; i++)
            row[i] = ldexp(row[i], -job->exponent);
        if (isinf(job->scores[unit]))
            row[0] = INFINITY;
    }
}

static int32_t score_vectors(const struct pr_scoring *scoring, double *scores)
{
    const struct pr_grid *grid = scoring->grid;
    prune_context *context = scoring->weights->context;
    struct job job = {.units = grid->units, .scores = scores};
    double *elements;
    int64_t count = 0;
    job.length = pr_ceil_div(pr_grid_unit_elements(grid), LANES) * LANES;
    PR_TRY(pr_mul(job.units, job.length, &count));
    PR_TRY(pr_alloc_zero(context, count, sizeof *elements, &elements));
    frexp(gather(scoring, &job, elements), &job.exponent);
    scale(&job, elements);
    job.elements = elements;
    double work = (double)job.units * (double)count / WORK_PER_TASK;
    int64_t threads = prune_context_threads(context);
    job.tasks = (int32_t)(work < 1 ? 1 : work < (double)threads ? work : (double)threads);
    prune_context_parallel(context, job.tasks, score_units, &job);
    pr_release(context, elements);
    return PRUNE_OK;
}

/* Of single numbers in ascending order, the distances to what is below and to what is above follow from those of the
 * neighbour: nothing is subtracted but neighbours. */
static int32_t score_numbers(const struct pr_scoring *scoring, double *scores)
{
    int64_t count = scoring->grid->units, finite = 0, n = 0;
    prune_context *context = scoring->weights->context;
    struct pr_keyed *items;
    struct pr_walk walk;
    double largest = 0, sum = 0;
    int exponent;
    PR_TRY(pr_alloc(context, count, 2 * sizeof *items, &items));
    for (pr_walk_start(&walk, scoring->weights); walk.count; pr_walk_next(&walk)) {
        pr_read_double(scoring->weights->dtype, walk.data, walk.stride, walk.count, scores + n);
        n += walk.count;
    }
    for (int64_t i = 0; i < count; i++)
        if (isinf(scores[i])) {
            scores[i] = INFINITY;
        } else {
            uint64_t bits;
            scores[i] += 0.0;
            largest = fabs(scores[i]) > largest ? fabs(scores[i]) : largest;
            memcpy(&bits, &scores[i], sizeof bits);
            items[finite].key = bits >> 63 ? ~bits : bits | 1ULL << 63;
            items[finite++].index = i;
        }
    frexp(largest, &exponent);
    pr_sort_keyed(items, items + finite, finite, 8);
    /* The keys have done their work: they become the numbers themselves, divided by a power of two. */
    for (int64_t i = 0; i < finite; i++) {
        double value = ldexp(scores[items[i].index], -exponent);
        memcpy(&items[i].key, &value, sizeof value);
        scores[items[i].index] = 0;
    }
    for (int64_t i = 1; i < finite; i++) {
        double below, here;
        memcpy(&below, &items[i - 1].key, sizeof below);
        memcpy(&here, &items[i].key, sizeof here);
        sum += (here - below) * (double)i;
        scores[items[i].index] = sum;
    }
    sum = 0;
    for (int64_t i = finite - 2; i >= 0; i--) {
        double above, here;
        memcpy(&above, &items[i + 1].key, sizeof above);
        memcpy(&here, &items[i].key, sizeof here);
        sum += (above - here) * (double)(finite - 1 - i);
        scores[items[i].index] += sum;
    }
    for (int64_t i = 0; i < count; i++)
        scores[i] = ldexp(scores[i], exponent);
    pr_release(context, items);
    return PRUNE_OK;
}

static int32_t units(const struct pr_scoring *scoring, double *scores)
{
    int single = scoring->grid->units == scoring->grid->elements;
    return single ? score_numbers(scoring, scores) : score_vectors(scoring, scores);
}

const struct pr_criterion_kind pr_criterion_fpgm = {
    .kind = {.name = "fpgm",
             .help = "the sum of Euclidean distances to all other units: near the geometric median goes first",
             .parameters = parameters},
    .units = units,
};
