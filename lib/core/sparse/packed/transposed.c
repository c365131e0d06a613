/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products by W': by a companion that was packed from the transpose, or else straight from what the form of W stores,
 * element after element, so that every form can do it.
 */
#include "core/sparse/packed/transposed.h"

#include <string.h>

#include "core/sparse/products/product.h"

#define MOST_TASKS 256
#define TILE 64

/* Zeros that only fill up a pattern are left behind: W' does not have that pattern. */
static int is_kept(const struct pr_source *source, int64_t entry)
{
    return (source->format != PR_SOURCE_NM && !source->block_rows) || source->values[entry] != 0;
}

/* Elements of each column of W, as the row pointers of W'. */
static void count_columns(const struct pr_source *source, int64_t *indptr)
{
    int64_t begin, end;
    memset(indptr, 0, (size_t)(source->columns + 1) * sizeof *indptr);
    for (int64_t row = 0; row < source->rows; row++) {
        pr_source_row(source, row, &begin, &end);
        for (int64_t e = begin; e < end; e++)
            indptr[pr_source_column(source, row, e) + 1] += is_kept(source, e);
    }
    for (int64_t k = 0; k < source->columns; k++)
        indptr[k + 1] += indptr[k];
}

/* Dense stays dense, all else becomes CSR: what is N:M along rows need not be so along columns. */
static int32_t transpose(struct pr_owned_source *to, const struct pr_source *from)
{
    struct pr_source *source = &to->source;
    source->format = from->format == PR_SOURCE_DENSE ? PR_SOURCE_DENSE : PR_SOURCE_CSR;
    source->rows = from->columns; /* both fit in 31 bits: W has been packed */
    source->columns = from->rows;
    if (from->encoding != PR_VALUES_INT8) /* whose scales are of rows of W */
        source->encoding = from->encoding;
    PR_TRY(pr_alloc(to->context, source->rows + 1, sizeof *to->indptr, &to->indptr));
    count_columns(from, to->indptr);
    int64_t stored = to->indptr[from->columns], begin, end;
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->indices, &to->indices));
    PR_TRY(pr_alloc(to->context, stored, sizeof *to->values, &to->values));
    for (int64_t row = 0; row < from->rows; row++) {
        pr_source_row(from, row, &begin, &end);
        for (int64_t e = begin; e < end; e++) {
            if (!is_kept(from, e))
                continue;
            int64_t at = to->indptr[pr_source_column(from, row, e)]++;
            to->indices[at] = (int32_t)row;
            to->values[at] = from->values[e];
        }
    }
    memmove(to->indptr + 1, to->indptr, (size_t)from->columns * sizeof *to->indptr);
    to->indptr[0] = 0;
    source->indptr = to->indptr;
    source->indices = to->indices;
    source->values = to->values;
    return PRUNE_OK;
}

/* One block of bytes out of two. */
static int32_t append(prune_packed *packed, const struct pr_header *companion)
{
    struct pr_header *old = packed->header, *joined;
    int64_t at = (int64_t)old->bytes, bytes = 0;
    PR_TRY(pr_add(at, (int64_t)companion->bytes, &bytes));
    PR_TRY(pr_alloc(packed->context, bytes, 1, &joined));
    memcpy(joined, old, (size_t)at);
    memcpy((char *)joined + at, companion, (size_t)companion->bytes);
    joined->bytes = (uint64_t)bytes;
    joined->backward = at;
    pr_blob_stamp(joined);
    pr_release(packed->context, old);
    packed->header = joined;
    return PRUNE_OK;
}

int32_t pr_packed_add_backward(prune_packed *packed, const struct pr_source *source)
{
    struct pr_owned_source owned = {.context = packed->context};
    prune_packed *companion = NULL;
    int32_t status = transpose(&owned, source);
    if (!status)
        status = pr_pack(&companion, packed->context, &owned.source,
                         owned.source.format == PR_SOURCE_DENSE ? "dense" : "csr", NULL, packed->header->column_hint);
    pr_source_release(&owned);
    if (!status)
        status = append(packed, companion->header);
    prune_packed_free(companion);
    return status ? status : pr_packed_open_backward(packed);
}

int32_t pr_packed_open_backward(prune_packed *packed)
{
    if (!packed->header->backward)
        return PRUNE_OK;
    struct pr_blob blob = {
        .context = packed->context,
        .header = (struct pr_header *)(void *)((char *)packed->header + packed->header->backward),
        .borrowed = 1,
    };
    const struct pr_form *form = pr_form_named(blob.header->form);
    return pr_packed_wrap(&packed->backward, &blob, form);
}

/* Without a companion. Each task has tiles of columns of X to itself and goes through all of W for each, so that every
 * sum is one chain in the order in which the form stores its elements. */
struct job {
    const prune_packed *packed;
    struct pr_product product;
    const prune_epilogue *epilogue;
    int64_t tile, tiles;
    int32_t tasks;
    void *scratch[MOST_TASKS];
};

/* X as [rows][tile] and sums as [columns][tile]. */
struct tile {
    const struct pr_kernels *kernels;
    int64_t width;
    float *x, *sums;
};

static void add_element(void *user, int64_t row, int64_t column, float value)
{
    const struct tile *tile = user;
    if (tile->width == 1) {
        tile->sums[column] += value * tile->x[row];
        return;
    }
    static const uint16_t first = 0;
    const struct pr_run one = {(uint32_t)column, 1};
    tile->kernels->rows_panel(tile->sums, tile->width, tile->x + row * tile->width, &one, 1, &first, &value);
}

static void run_tile(const struct job *job, const struct tile *tile, int64_t first, int64_t count)
{
    const struct pr_header *header = job->packed->header;
    const struct pr_product *p = &job->product;
    int64_t width = tile->width;
    if (p->batch)
        tile->kernels->pack_x_transpose(tile->x, width, p->x + first * p->ldx, p->ldx, count, header->rows);
    else
        tile->kernels->pack_x_copy(tile->x, width, p->x + first, p->ldx, header->rows, count);
    memset(tile->sums, 0, (size_t)(header->columns * width) * sizeof *tile->sums);
    const struct pr_unpack each = {
        .rows = header->rows,
        .columns = header->columns,
        .visit = add_element,
        .user = (void *)(uintptr_t)tile,
    };
    job->packed->form->packing.unpack(header, &each);
    struct pr_epilogue_args args = PR_PLAIN_EPILOGUE;
    if (job->epilogue) {
        args = job->epilogue->args;
        args.scale_m = job->epilogue->scale;
        args.bias_m = job->epilogue->bias;
    }
    float *y = p->batch ? p->y + first * p->ldy : p->y + first;
    (p->batch ? tile->kernels->store_y_transpose : tile->kernels->store_y_copy)(y, p->ldy, tile->sums, width,
                                                                                header->columns, count, &args);
}

static void run_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    const struct pr_header *header = job->packed->header;
    float *scratch = job->scratch[index];
    const struct tile tile = {
        .kernels = &job->packed->kernels,
        .width = job->tile,
        .x = scratch,
        .sums = scratch + pr_ceil_div(header->rows * job->tile, PR_LANES) * PR_LANES,
    };
    for (int64_t t = index; t < job->tiles; t += job->tasks) {
        int64_t first = t * job->tile, rest = job->product.n - first;
        run_tile(job, &tile, first, rest < job->tile ? rest : job->tile);
    }
}

static int32_t run_without_companion(struct job *job)
{
    const struct pr_header *header = job->packed->header;
    prune_context *context = job->packed->context;
    int64_t n = job->product.n, x_floats = 0, sum_floats = 0, floats = 0;
    if (n == 0 || header->columns == 0)
        return PRUNE_OK;
    int64_t even = pr_ceil_div(n, pr_ceil_div(n, TILE));
    /* One column alone is multiplied and added in two roundings, unless its bits must be those of many columns. */
    int alone = n == 1 && !(job->packed->cpu & PRUNE_CPU_REPRODUCIBLE);
    job->tile = alone ? 1 : pr_ceil_div(even, PR_LANES) * PR_LANES;
    job->tiles = pr_ceil_div(n, job->tile);
    int32_t threads = prune_context_threads(context), most = threads < MOST_TASKS ? threads : MOST_TASKS;
    job->tasks = job->tiles < most ? (int32_t)job->tiles : most;
    PR_TRY(pr_mul(header->rows, job->tile, &x_floats));
    PR_TRY(pr_mul(header->columns, job->tile, &sum_floats));
    PR_TRY(pr_add(x_floats, sum_floats + 2 * PR_LANES, &floats));
    int32_t status = PRUNE_OK;
    for (int32_t i = 0; !status && i < job->tasks; i++)
        status = pr_alloc(context, floats, sizeof(float), &job->scratch[i]);
    if (!status)
        prune_context_parallel(context, job->tasks, run_task, job);
    for (int32_t i = 0; i < job->tasks; i++)
        pr_release(context, job->scratch[i]);
    return status;
}

static int32_t run(const prune_packed *packed, const struct pr_product *product, const prune_epilogue *epilogue,
                   const char *function)
{
    if (!packed)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: packed is NULL; it must be given", function);
    PR_TRY(pr_product_check(product, packed->header->columns, packed->header->rows, epilogue, function));
    if (packed->backward && product->batch)
        return prune_packed_run_batch(packed->backward, product->y, product->ldy, product->x, product->ldx, product->n,
                                      epilogue);
    if (packed->backward)
        return prune_packed_run(packed->backward, product->y, product->ldy, product->x, product->ldx, product->n,
                                epilogue);
    struct job job = {.packed = packed, .product = *product, .epilogue = epilogue};
    return run_without_companion(&job);
}

int32_t prune_packed_run_transposed(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx,
                                    int64_t n, const prune_epilogue *epilogue)
{
    const struct pr_product product = {y, x, ldy, ldx, n, 0};
    return run(packed, &product, epilogue, __func__);
}

int32_t prune_packed_run_transposed_batch(const prune_packed *packed, float *y, int64_t ldy, const float *x,
                                          int64_t ldx, int64_t n, const prune_epilogue *epilogue)
{
    const struct pr_product product = {y, x, ldy, ldx, n, 1};
    return run(packed, &product, epilogue, __func__);
}
