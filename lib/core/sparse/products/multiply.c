/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse times sparse, row by row (Gustavson 1978): row i of C is the sum of the rows of B that row i of A names. Once
 * for the counts, once for the numbers. A row is gathered in a dense accumulator with marks of two levels, which give
 * the columns in order; marks are bytes, since bits of one word would wait for each other. Where B has too many
 * columns for that, in a hash table whose keys are sorted at the end.
 */
#include <math.h>
#include <string.h>

#include "core/sparse/packed/source.h"
#include "core/sparse/sparse.h"
#include "prune/products.h"

#define DENSE_COLUMNS (1 << 18)
#define MOST_TASKS 256
#define WORK_PER_TASK 20000
#define EMPTY (-1)

struct accumulator {
    float *sums;           /* dense: by column, 0 between rows; hash: by place */
    uint8_t *seen, *group; /* dense: 1 for the columns that are there, and for each 64 that have one */
    int32_t *keys;         /* hash: the column at each place, EMPTY for none */
    int32_t *list, *spare; /* hash: the columns of a row, and room to merge them */
    int64_t places;        /* a power of two */
    int64_t count;
};

struct job {
    const struct pr_source *a, *b;
    prune_context *context;
    int64_t *work;   /* before each row: products and rows */
    int64_t *indptr; /* of C; while counting, of each row its elements at the next place */
    int32_t *indices;
    float *values;
    int64_t most; /* elements that a row of C can have */
    int hashed;
    int32_t tasks;
    struct accumulator *accumulators;
    int64_t *nan_at; /* of each task: the first element that is NaN, or -1 */
};

static int64_t find_place(const struct accumulator *acc, int32_t column)
{
    uint64_t mask = (uint64_t)acc->places - 1, at = ((uint64_t)(uint32_t)column * 0x9e3779b97f4a7c15u) >> 32 & mask;
    while (acc->keys[at] != EMPTY && acc->keys[at] != column)
        at = (at + 1) & mask;
    return (int64_t)at;
}

/* Adds value times a row of B, or with `values` NULL its pattern alone. */
static void add_row(struct accumulator *acc, int hashed, const int32_t *columns, const float *values, int64_t count,
                    float value)
{
    for (int64_t e = 0; !hashed && e < count; e++) {
        acc->seen[columns[e]] = acc->group[columns[e] >> 6] = 1;
        if (values)
            acc->sums[columns[e]] += value * values[e];
    }
    for (int64_t e = 0; hashed && e < count; e++) {
        int64_t at = find_place(acc, columns[e]);
        if (acc->keys[at] == EMPTY) {
            acc->keys[at] = columns[e];
            acc->list[acc->count++] = columns[e];
            acc->sums[at] = 0;
        }
        if (values)
            acc->sums[at] += value * values[e];
    }
}

/* Ascending, by merging. */
static void sort(int32_t *list, int32_t *spare, int64_t count)
{
    for (int64_t width = 1; width < count; width *= 2) {
        for (int64_t begin = 0; begin < count; begin += 2 * width) {
            int64_t middle = begin + width < count ? begin + width : count, i = begin, j = middle;
            int64_t end = begin + 2 * width < count ? begin + 2 * width : count;
            for (int64_t at = begin; at < end; at++)
                spare[at] = i < middle && (j == end || list[i] < list[j]) ? list[i++] : list[j++];
        }
        memcpy(list, spare, (size_t)count * sizeof *list);
    }
}

/* Eight bytes that are 0 or 1 as eight bits, the first one lowest. */
static inline uint64_t bits_of(const uint8_t *bytes)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word |= (uint64_t)bytes[i] << 8 * i;
    return word * 0x0102040810204080u >> 56;
}

/* The columns of the row, ascending, and its sums, if wanted; leaves the accumulator empty. Gives how many. */
static int64_t take_dense(struct accumulator *acc, int64_t columns, int32_t *indices, float *values)
{
    int64_t count = 0;
    for (int64_t g = 0; g < columns; g += 64) {
        if (!acc->group[g >> 6])
            continue;
        acc->group[g >> 6] = 0;
        uint64_t bits = 0;
        for (int i = 0; i < 8; i++)
            bits |= bits_of(acc->seen + g + 8 * i) << 8 * i;
        memset(acc->seen + g, 0, 64);
        if (!indices)
            count += __builtin_popcountll(bits);
        for (; indices && bits; bits &= bits - 1) {
            int64_t column = g + __builtin_ctzll(bits);
            indices[count] = (int32_t)column;
            values[count++] = acc->sums[column];
            acc->sums[column] = 0;
        }
    }
    return count;
}

static int64_t take_hashed(struct accumulator *acc, int32_t *indices, float *values)
{
    int64_t count = acc->count;
    if (indices)
        sort(acc->list, acc->spare, count);
    for (int64_t i = 0; indices && i < count; i++) {
        indices[i] = acc->list[i];
        values[i] = acc->sums[find_place(acc, acc->list[i])];
    }
    /* While a column is there, so are all that stand between it and where its search begins: all go at once. */
    if (count * 8 > acc->places)
        memset(acc->keys, 0xff, (size_t)acc->places * sizeof *acc->keys);
    for (int64_t i = 0; count * 8 <= acc->places && i < count; i++)
        acc->spare[i] = (int32_t)find_place(acc, acc->list[i]);
    for (int64_t i = 0; count * 8 <= acc->places && i < count; i++)
        acc->keys[acc->spare[i]] = EMPTY;
    acc->count = 0;
    return count;
}

static int64_t first_row(const struct job *job, int32_t index)
{
    int64_t rows = job->a->rows, low = 0, high = rows;
    double wanted = (double)job->work[rows] / job->tasks * index;
    if (index == job->tasks)
        return rows;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if ((double)job->work[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Counts when there is nowhere to write to, writes otherwise. */
static void multiply_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    const struct pr_source *a = job->a, *b = job->b;
    struct accumulator *acc = &job->accumulators[index];
    int numeric = job->indices != NULL;
    for (int64_t row = first_row(job, index); row < first_row(job, index + 1); row++) {
        for (int64_t e = a->indptr[row]; e < a->indptr[row + 1]; e++) {
            int64_t k = a->indices[e], begin = b->indptr[k];
            add_row(acc, job->hashed, b->indices + begin, numeric ? b->values + begin : NULL, b->indptr[k + 1] - begin,
                    a->values[e]);
        }
        int64_t at = job->indptr[row];
        int32_t *indices = numeric ? job->indices + at : NULL;
        float *values = numeric ? job->values + at : NULL;
        int64_t count = job->hashed ? take_hashed(acc, indices, values) : take_dense(acc, b->columns, indices, values);
        if (!numeric)
            job->indptr[row + 1] = count;
        for (int64_t i = 0; numeric && job->nan_at[index] < 0 && i < count; i++)
            if (isnan(values[i]))
                job->nan_at[index] = at + i;
    }
}

static int32_t make_accumulator(const struct job *job, struct accumulator *acc)
{
    int64_t columns = job->b->columns;
    if (!job->hashed) {
        PR_TRY(pr_alloc_zero(job->context, columns, sizeof *acc->sums, &acc->sums));
        PR_TRY(pr_alloc_zero(job->context, pr_ceil_div(columns, 64) * 64, 1, &acc->seen));
        return pr_alloc_zero(job->context, pr_ceil_div(columns, 64), 1, &acc->group);
    }
    for (acc->places = 16; acc->places < 2 * job->most;)
        acc->places *= 2;
    PR_TRY(pr_alloc(job->context, acc->places, sizeof *acc->sums, &acc->sums));
    PR_TRY(pr_alloc(job->context, acc->places, sizeof *acc->keys, &acc->keys));
    PR_TRY(pr_alloc(job->context, job->most, sizeof *acc->list, &acc->list));
    PR_TRY(pr_alloc(job->context, job->most, sizeof *acc->spare, &acc->spare));
    memset(acc->keys, 0xff, (size_t)acc->places * sizeof *acc->keys);
    return PRUNE_OK;
}

static void release(struct job *job)
{
    for (int32_t i = 0; job->accumulators && i < job->tasks; i++) {
        struct accumulator *acc = &job->accumulators[i];
        void *const parts[] = {acc->sums, acc->seen, acc->group, acc->keys, acc->list, acc->spare};
        for (int p = 0; p < 6; p++)
            pr_release(job->context, parts[p]);
    }
    pr_release(job->context, job->accumulators);
    pr_release(job->context, job->nan_at);
    pr_release(job->context, job->work);
}

/* Work before each row, the largest row, and from them how it is done and by how many. */
static int32_t prepare(struct job *job)
{
    const struct pr_source *a = job->a, *b = job->b;
    PR_TRY(pr_alloc(job->context, a->rows + 1, sizeof *job->work, &job->work));
    job->work[0] = 0;
    for (int64_t row = 0; row < a->rows; row++) {
        int64_t products = 0;
        for (int64_t e = a->indptr[row]; e < a->indptr[row + 1]; e++)
            PR_TRY(pr_add(products, b->indptr[a->indices[e] + 1] - b->indptr[a->indices[e]], &products));
        int64_t most = products < b->columns ? products : b->columns;
        job->most = most > job->most ? most : job->most;
        PR_TRY(pr_add(products, 1, &products));
        PR_TRY(pr_add(job->work[row], products, &job->work[row + 1]));
    }
    job->hashed = b->columns > DENSE_COLUMNS;
    double work = (double)job->work[a->rows] / WORK_PER_TASK;
    int32_t threads = prune_context_threads(job->context), most = threads < MOST_TASKS ? threads : MOST_TASKS;
    job->tasks = work < 1 ? 1 : work < most ? (int32_t)work : most;
    PR_TRY(pr_alloc(job->context, job->tasks, sizeof *job->nan_at, &job->nan_at));
    PR_TRY(pr_alloc_zero(job->context, job->tasks, sizeof *job->accumulators, &job->accumulators));
    for (int32_t i = 0; i < job->tasks; i++) {
        job->nan_at[i] = -1;
        PR_TRY(make_accumulator(job, &job->accumulators[i]));
    }
    return PRUNE_OK;
}

static int32_t refuse_nan(const struct job *job)
{
    for (int32_t i = 0; i < job->tasks; i++)
        if (job->nan_at[i] >= 0) {
            int64_t row = 0, at = job->nan_at[i];
            while (job->indptr[row + 1] <= at)
                row++;
            return pr_fail(PRUNE_E_VALUE,
                           "product: element (%lld, %d) is NaN, of infinite terms; only numbers can be "
                           "stored",
                           (long long)row, (int)job->indices[at]);
        }
    return PRUNE_OK;
}

/* Into an object that has no parts yet. */
static int32_t fill(struct job *job, prune_sparse *c)
{
    const int64_t pointers = c->rows + 1;
    PR_TRY(pr_sparse_add_part(c, 0, PRUNE_I64, 1, &pointers));
    job->indptr = c->indptr = prune_tensor_data(c->parts[0]);
    memset(c->indptr, 0, (size_t)pointers * sizeof *c->indptr);
    prune_context_parallel(job->context, job->tasks, multiply_task, job);
    for (int64_t row = 0; row < c->rows; row++)
        c->indptr[row + 1] += c->indptr[row]; /* fits: at most rows x columns, which do */
    c->stored = c->indptr[c->rows];
    PR_TRY(pr_sparse_add_part(c, 1, PRUNE_I32, 1, &c->stored));
    PR_TRY(pr_sparse_add_part(c, 2, PRUNE_F32, 1, &c->stored));
    job->indices = c->indices = prune_tensor_data(c->parts[1]);
    job->values = c->values = prune_tensor_data(c->parts[2]);
    prune_context_parallel(job->context, job->tasks, multiply_task, job);
    return refuse_nan(job);
}

static int32_t multiply(prune_sparse **out, prune_context *context, const struct pr_source *a,
                        const struct pr_source *b)
{
    const int64_t shape[2] = {a->rows, b->columns};
    int64_t count = 0;
    prune_sparse *c = NULL;
    PR_TRY(pr_check_shape("prune_sparse_multiply", 2, shape, &count));
    struct job job = {.a = a, .b = b, .context = context};
    int32_t status = pr_sparse_start(&c, context, "csr", 2, shape);
    if (!status)
        status = prepare(&job);
    if (!status)
        status = fill(&job, c);
    release(&job);
    if (status) {
        prune_sparse_free(c);
        return status;
    }
    *out = c;
    return PRUNE_OK;
}

/* As csr, whatever it is. */
static int32_t csr_of(struct pr_owned_source *owned, const prune_sparse *sparse)
{
    const struct pr_source csr = {.format = PR_SOURCE_CSR};
    PR_TRY(pr_source_of(owned, sparse));
    return pr_source_convert(owned, &csr);
}

int32_t prune_sparse_multiply(prune_sparse **out, const prune_sparse *a, const prune_sparse *b)
{
    PR_REQUIRE(out);
    PR_REQUIRE(a);
    PR_REQUIRE(b);
    if (a->columns != b->rows)
        return pr_fail(PRUNE_E_SHAPE, "product: %lld x %lld times %lld x %lld; the inner extents must be equal",
                       (long long)a->rows, (long long)a->columns, (long long)b->rows, (long long)b->columns);
    struct pr_owned_source left, right;
    PR_TRY(csr_of(&left, a));
    int32_t status = csr_of(&right, b);
    if (!status) {
        status = multiply(out, a->context, &left.source, &right.source);
        pr_source_release(&right);
    }
    pr_source_release(&left);
    return status;
}
