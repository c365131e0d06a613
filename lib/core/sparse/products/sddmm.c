/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The sampled product of two dense matrices. The sums run along n, so both matrices are wanted with n contiguous: the
 * batch-major layout is turned, a tile of n at a time. Each task has rows to itself and goes through them once for each
 * panel of columns, whose piece of X then stays in the second-level cache.
 */
#include <string.h>

#include "core/sparse/packed/packed.h"
#include "core/sparse/products/product.h"
#include "core/sparse/sparse.h"
#include "prune/products.h"

#define TILE 256
#define PANEL_FLOATS 65536
#define MOST_TASKS 256
#define WORK_PER_TASK 100000

struct job {
    const prune_sparse *pattern;
    const prune_epilogue *epilogue;
    struct pr_kernels kernels;
    float *values, *sums; /* the same place, unless an epilogue reads what was there */
    const float *dy, *x;
    int64_t ldy, ldx, n;
    int batch;
    int64_t first, count; /* the tile of n */
    int64_t width;        /* of its rows in scratch */
    float *scratch;       /* batch: dY's rows, then X's */
    int32_t tasks;
};

/* The row with which a task begins: about as many elements for each. */
static int64_t first_row(const struct job *job, int32_t index)
{
    const prune_sparse *pattern = job->pattern;
    if (index == job->tasks)
        return pattern->rows;
    int64_t wanted = (int64_t)((double)pattern->stored / job->tasks * index), low = 0, high = pattern->rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (pattern->indptr[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void turn_share(const struct job *job, float *to, const float *from, int64_t ld, int64_t rows, int32_t index)
{
    int64_t step = pr_ceil_div(pr_ceil_div(rows, job->tasks), PR_LANES) * PR_LANES, begin = step * index;
    int64_t count = rows - begin < step ? rows - begin : step;
    if (count > 0)
        job->kernels.pack_x_transpose(to + begin * job->width, job->width, from + job->first * ld + begin, ld,
                                      job->count, count);
}

static void turn_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    turn_share(job, job->scratch, job->dy, job->ldy, job->pattern->rows, index);
    turn_share(job, job->scratch + job->pattern->rows * job->width, job->x, job->ldx, job->pattern->columns, index);
}

/* The first of a row's elements, from `begin` on, whose column is not below `column`. */
static int64_t find(const int32_t *indices, int64_t begin, int64_t end, int64_t column)
{
    while (begin < end) {
        int64_t middle = begin + (end - begin) / 2;
        if (indices[middle] < column)
            begin = middle + 1;
        else
            end = middle;
    }
    return begin;
}

static void multiply_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    const prune_sparse *pattern = job->pattern;
    const float *dy = job->batch ? job->scratch : job->dy + job->first;
    const float *x = job->batch ? job->scratch + pattern->rows * job->width : job->x + job->first;
    int64_t ldy = job->batch ? job->width : job->ldy, ldx = job->batch ? job->width : job->ldx;
    int64_t panel = PANEL_FLOATS / job->count, begin = first_row(job, index), end = first_row(job, index + 1);
    int whole = pattern->columns <= 2 * panel;
    for (int64_t column = 0; column < pattern->columns; column += whole ? pattern->columns : panel)
        for (int64_t row = begin; row < end; row++) {
            int64_t from = pattern->indptr[row], to = pattern->indptr[row + 1];
            if (!whole) {
                from = find(pattern->indices, from, to, column);
                to = find(pattern->indices, from, to, column + panel);
            }
            job->kernels.sampled_row(job->sums + from, dy + row * ldy, x, ldx, pattern->indices + from, to - from,
                                     job->count);
        }
}

static void finish_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    const prune_sparse *pattern = job->pattern;
    struct pr_epilogue_args args = job->epilogue->args;
    for (int64_t row = first_row(job, index); row < first_row(job, index + 1); row++) {
        int64_t begin = pattern->indptr[row], count = pattern->indptr[row + 1] - begin;
        args.scale_m = job->epilogue->scale ? job->epilogue->scale + row : NULL;
        args.bias_m = job->epilogue->bias ? job->epilogue->bias + row : NULL;
        job->kernels.store_y_copy(job->values + begin, count, job->sums + begin, count, 1, count, &args);
    }
}

static int32_t run(struct job *job)
{
    const prune_sparse *pattern = job->pattern;
    prune_context *context = pattern->context;
    int64_t most = job->n < TILE ? job->n : TILE, floats = 0;
    float *sums = NULL;
    job->width = pr_ceil_div(most, PR_LANES) * PR_LANES;
    PR_TRY(pr_add(pattern->rows, pattern->columns, &floats));
    PR_TRY(pr_mul(floats, job->width, &floats));
    if (job->batch)
        PR_TRY(pr_alloc(context, floats, sizeof(float), &job->scratch));
    if (job->epilogue && job->epilogue->args.beta != 0) {
        int32_t status = pr_alloc(context, pattern->stored, sizeof *sums, &sums);
        if (status) {
            pr_release(context, job->scratch);
            return status;
        }
    }
    job->sums = sums ? sums : job->values;
    memset(job->sums, 0, (size_t)pattern->stored * sizeof *job->sums);
    double work = (double)pattern->stored * (double)job->n / WORK_PER_TASK;
    int32_t threads = prune_context_threads(context), least = threads < MOST_TASKS ? threads : MOST_TASKS;
    job->tasks = work < 1 ? 1 : work < least ? (int32_t)work : least;
    for (job->first = 0; job->first < job->n; job->first += TILE) {
        job->count = job->n - job->first < TILE ? job->n - job->first : TILE;
        if (job->batch)
            prune_context_parallel(context, job->tasks, turn_task, job);
        prune_context_parallel(context, job->tasks, multiply_task, job);
    }
    if (job->epilogue)
        prune_context_parallel(context, job->tasks, finish_task, job);
    pr_release(context, sums);
    pr_release(context, job->scratch);
    return PRUNE_OK;
}

static int overlap(const void *a, int64_t a_floats, const void *b, int64_t b_floats)
{
    uintptr_t first = (uintptr_t)a, second = (uintptr_t)b;
    return a_floats && b_floats && first < second + (uintptr_t)b_floats * sizeof(float) &&
           second < first + (uintptr_t)a_floats * sizeof(float);
}

/* One of the two matrices, with `rows` rows where n is contiguous. */
static int32_t check_matrix(const struct job *job, const char *function, const char *name, const float *matrix,
                            int64_t ld, int64_t rows)
{
    int64_t width = job->batch ? rows : job->n, span = 0;
    if (ld < width)
        return pr_fail(PRUNE_E_SHAPE, "%s: ld%s is %lld; a row of it has %lld elements", function, name, (long long)ld,
                       (long long)width);
    PR_TRY(pr_product_span(job->batch ? job->n : rows, width, ld, &span));
    if (span && !matrix)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: %s is NULL; it must be given", function, name[0] == 'x' ? "x" : "dy");
    if (overlap(matrix, span, job->values, job->pattern->stored))
        return pr_fail(PRUNE_E_ARGUMENT, "%s: values overlap %s; they must have memory of their own", function,
                       name[0] == 'x' ? "x" : "dy");
    return PRUNE_OK;
}

static int32_t check(const struct job *job, const char *function)
{
    const prune_sparse *pattern = job->pattern;
    if (!pattern)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: pattern is NULL; it must be given", function);
    if (pattern->format != &pr_format_csr)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s: the pattern is %s; it must be csr", function, pattern->spec);
    if (job->n < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: n is %lld; it must be 0 or more", function, (long long)job->n);
    if (pattern->stored && !job->values)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: values is NULL; it must be given", function);
    PR_TRY(check_matrix(job, function, "y", job->dy, job->ldy, pattern->rows));
    PR_TRY(check_matrix(job, function, "x", job->x, job->ldx, pattern->columns));
    const prune_epilogue *epilogue = job->epilogue;
    if (epilogue && (epilogue->scale || epilogue->bias) && epilogue->rows != pattern->rows)
        return pr_fail(PRUNE_E_SHAPE, "%s: the %s has %lld rows and the pattern has %lld", function,
                       epilogue->bias ? "bias" : "scale", (long long)epilogue->rows, (long long)pattern->rows);
    return PRUNE_OK;
}

static int32_t sampled(struct job *job, const char *function)
{
    PR_TRY(check(job, function));
    if (job->pattern->stored == 0)
        return PRUNE_OK;
    pr_kernels_select(prune_context_cpu(job->pattern->context), &job->kernels);
    return run(job);
}

int32_t prune_sddmm(const prune_sparse *pattern, float *values, const float *dy, int64_t ldy, const float *x,
                    int64_t ldx, int64_t n, const prune_epilogue *epilogue)
{
    struct job job = {.pattern = pattern, .values = values, .dy = dy, .ldy = ldy, .x = x, .ldx = ldx, .n = n};
    job.epilogue = epilogue;
    return sampled(&job, __func__);
}

int32_t prune_sddmm_batch(const prune_sparse *pattern, float *values, const float *dy, int64_t ldy, const float *x,
                          int64_t ldx, int64_t n, const prune_epilogue *epilogue)
{
    struct job job = {.pattern = pattern, .values = values, .dy = dy, .ldy = ldy, .x = x, .ldx = ldx, .n = n};
    job.batch = 1;
    job.epilogue = epilogue;
    return sampled(&job, __func__);
}
