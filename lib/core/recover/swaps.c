/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/swaps.h"

#define ROWS 64 /* whose gradients are multiplied at once */

struct job {
    const struct pr_swaps *swaps;
    int64_t first, count, tasks; /* rows */
    double *change;              /* ROWS x columns: what the mask takes from the weights, negative */
    double *gradient;            /* ROWS x columns: change G */
    double *diagonal;            /* of the Gram matrix */
    int64_t *order, *start;      /* columns pool by pool, and where a pool begins: pools + 1 */
};

/* One row while it is worked on. */
struct row {
    const struct job *job;
    const double *w;
    double *gradient;
    uint8_t *keep;
};

struct swap {
    int64_t back, gone; /* the column that comes back, the one that goes; -1 for none */
    double gain;        /* how much the error changes: negative */
};

/* What it changes to bring a column back, or to take it out, alone. */
static double alone(const struct row *row, int64_t j)
{
    double square = row->w[j] * row->w[j] * row->job->diagonal[j];
    double slope = 2 * row->w[j] * row->gradient[j];
    return row->keep[j] ? square - slope : square + slope;
}

static double together(const struct row *row, int64_t back, int64_t gone)
{
    double cross = row->job->swaps->gram[back * row->job->swaps->columns + gone];
    return alone(row, back) + alone(row, gone) - 2 * row->w[back] * row->w[gone] * cross;
}

/* The column of a pool, kept or not, that is best alone; -1 when there is none. */
static int64_t best_alone(const struct row *row, int64_t pool, int kept)
{
    const struct job *job = row->job;
    int64_t best = -1;
    double least = 0;
    for (int64_t i = job->start[pool]; i < job->start[pool + 1]; i++) {
        int64_t j = job->order[i];
        if (row->keep[j] != kept)
            continue;
        double change = alone(row, j);
        if (best < 0 || change < least) {
            best = j;
            least = change;
        }
    }
    return best;
}

/* Tries every partner of a column. */
static void try_partners(const struct row *row, int64_t pool, int64_t column, struct swap *best)
{
    const struct job *job = row->job;
    for (int64_t i = job->start[pool]; i < job->start[pool + 1]; i++) {
        int64_t j = job->order[i];
        if (row->keep[j] == row->keep[column])
            continue;
        struct swap swap = {row->keep[j] ? column : j, row->keep[j] ? j : column, 0};
        swap.gain = together(row, swap.back, swap.gone);
        if (swap.gain < best->gain)
            *best = swap;
    }
}

/* In small pools every pair is tried, in large ones the partners of the column that is best to bring back, and of the
 * one that is best to take out. */
#define SMALL 16
static void search_pool(const struct row *row, int64_t pool, struct swap *best)
{
    const struct job *job = row->job;
    int64_t size = job->start[pool + 1] - job->start[pool];
    if (size <= SMALL) {
        for (int64_t i = job->start[pool]; i < job->start[pool + 1]; i++)
            if (!row->keep[job->order[i]])
                try_partners(row, pool, job->order[i], best);
        return;
    }
    int64_t back = best_alone(row, pool, 0), gone = best_alone(row, pool, 1);
    if (back < 0 || gone < 0)
        return;
    try_partners(row, pool, back, best);
    try_partners(row, pool, gone, best);
}

static void apply(struct row *row, const struct swap *swap)
{
    int64_t n = row->job->swaps->columns;
    const double *back = row->job->swaps->gram + swap->back * n, *gone = row->job->swaps->gram + swap->gone * n;
    for (int64_t j = 0; j < n; j++)
        row->gradient[j] += row->w[swap->back] * back[j] - row->w[swap->gone] * gone[j];
    row->keep[swap->back] = 1;
    row->keep[swap->gone] = 0;
}

/* What is gained beside rounding; so that no pair of columns is swapped to and fro. */
static double worth(const struct row *row, const struct swap *swap)
{
    const double *diagonal = row->job->diagonal;
    double back = row->w[swap->back], gone = row->w[swap->gone];
    return -0x1p-40 * (back * back * diagonal[swap->back] + gone * gone * diagonal[swap->gone]);
}

static void swap_rows(void *argument, int32_t task)
{
    const struct job *job = argument;
    const struct pr_swaps *swaps = job->swaps;
    for (int64_t i = task; i < job->count; i += job->tasks) {
        struct row row = {job, swaps->w + (job->first + i) * swaps->columns, job->gradient + i * swaps->columns,
                          swaps->keep + (job->first + i) * swaps->columns};
        int64_t done = 0;
        while (done < swaps->most) {
            struct swap best = {-1, -1, 0};
            for (int64_t p = 0; p < swaps->pools; p++)
                search_pool(&row, p, &best);
            if (best.back < 0 || best.gain >= worth(&row, &best))
                break;
            apply(&row, &best);
            done++;
        }
        swaps->swaps[job->first + i] = done;
    }
}

static void sort_pools(struct job *job)
{
    const struct pr_swaps *swaps = job->swaps;
    for (int64_t j = 0; j < swaps->columns; j++)
        job->start[swaps->pool[j] + 1]++;
    for (int64_t p = 0; p < swaps->pools; p++)
        job->start[p + 1] += job->start[p];
    for (int64_t j = 0; j < swaps->columns; j++)
        job->order[job->start[swaps->pool[j]]++] = j;
    for (int64_t p = swaps->pools; p > 0; p--)
        job->start[p] = job->start[p - 1];
    job->start[0] = 0;
}

static int32_t run_rows(struct job *job)
{
    const struct pr_swaps *swaps = job->swaps;
    int64_t n = swaps->columns, threads = prune_context_threads(swaps->context);
    sort_pools(job);
    for (int64_t j = 0; j < n; j++)
        job->diagonal[j] = swaps->gram[j * n + j];
    for (job->first = 0; job->first < swaps->rows; job->first += ROWS) {
        job->count = swaps->rows - job->first < ROWS ? swaps->rows - job->first : ROWS;
        job->tasks = job->count < threads ? job->count : threads;
        for (int64_t i = 0; i < job->count * n; i++)
            job->change[i] = swaps->keep[job->first * n + i] ? 0 : -swaps->w[job->first * n + i];
        PR_TRY(
            pr_linalg_gemm(swaps->la, 0, 0, job->count, n, n, 1, job->change, n, swaps->gram, n, 0, job->gradient, n));
        prune_context_parallel(swaps->context, (int32_t)job->tasks, swap_rows, job);
        PR_TRY(prune_context_progress(swaps->context, "rows swapped", job->first + job->count, swaps->rows));
    }
    return PRUNE_OK;
}

static int32_t allocate(struct job *job)
{
    const struct pr_swaps *swaps = job->swaps;
    int64_t size = 0;
    PR_TRY(pr_mul(swaps->columns, ROWS, &size));
    PR_TRY(pr_alloc(swaps->context, size, sizeof *job->change, &job->change));
    PR_TRY(pr_alloc(swaps->context, size, sizeof *job->gradient, &job->gradient));
    PR_TRY(pr_alloc(swaps->context, swaps->columns, sizeof *job->diagonal, &job->diagonal));
    PR_TRY(pr_alloc(swaps->context, swaps->columns, sizeof *job->order, &job->order));
    return pr_alloc_zero(swaps->context, swaps->pools + 1, sizeof *job->start, &job->start);
}

int32_t pr_swaps_run(const struct pr_swaps *swaps)
{
    struct job job = {.swaps = swaps};
    int32_t status = allocate(&job);
    if (!status && swaps->columns > 0)
        status = run_rows(&job);
    pr_release(swaps->context, job.change);
    pr_release(swaps->context, job.gradient);
    pr_release(swaps->context, job.diagonal);
    pr_release(swaps->context, job.order);
    pr_release(swaps->context, job.start);
    return status;
}
