/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The frame around the forms: cuts a product into tiles of columns and blocks of rows, brings X into the form's order,
 * runs the blocks and writes Y through the epilogue. Both layouts of X and Y differ only in which pack and which store
 * kernel they end in.
 */
#include <string.h>

#include "core/sparse/packed/packed.h"
#include "core/sparse/products/product.h"

/* Products below which a second thread costs more than it brings. */
#define WORK_PER_TASK 100000
#define STACK_FLOATS 4096
#define MOST_TASKS 256
/* Up to so many rows of W use X so little, and so many rows of X are so few pages, that it is not copied. */
#define FEW_ROWS 96
#define FEW_COLUMNS 256
/* Up to so many columns of W sums stay in registers from the first to the last. */
#define MOST_THROUGH 1024

struct job {
    const prune_packed *packed;
    float *y;
    const float *x;
    int64_t ldy, ldx, n, tile;
    int batch;                      /* X is [n][columns] and Y [n][rows] */
    const prune_epilogue *epilogue; /* NULL: none */
    int32_t tasks;
    void **scratch; /* one for each task, or NULL: on the stack */
};

static int64_t tile_width(const prune_packed *packed, int64_t n)
{
    const struct pr_form *form = packed->form;
    if (n < 1)
        n = 1;
    if (form->few_columns && n <= 8)
        return n <= 1 ? 1 : n <= 4 ? 4 : 8;
    if (n <= form->tile_least)
        return form->tile_least;
    int64_t tiles = pr_ceil_div(n, packed->widest), step = form->tile_step ? form->tile_step : 1;
    return pr_ceil_div(pr_ceil_div(n, step), tiles) * step;
}

static int64_t tile_count(const struct job *job)
{
    return pr_ceil_div(job->n, job->tile);
}

/* Where tile t begins: tiles differ by one step at most, so that none is left with a few columns only. */
static int64_t tile_begin(const struct job *job, int64_t t)
{
    int64_t step = job->packed->form->tile_step, tiles = tile_count(job), begin = t * job->tile;
    if (step > 0 && tiles > 1)
        begin = pr_ceil_div(job->n, step) * t / tiles * step;
    return begin < job->n ? begin : job->n;
}

/* Columns of a tile with `count` of X, fillers included. */
static int64_t tile_filled(const struct job *job, int64_t count)
{
    int64_t step = job->packed->form->tile_step;
    return step > 0 && tile_count(job) > 1 ? pr_ceil_div(count, step) * step : job->tile;
}

/* Floats that packed X and the sums of a block take, each a multiple of 16 so that both are aligned. */
static int32_t parts_of_scratch(const prune_packed *packed, int64_t tile, int64_t *x_floats, int64_t *floats)
{
    const struct pr_header *header = packed->header;
    int64_t sum_floats = 0, columns = pr_padded(header->columns);
    PR_TRY(pr_mul(columns, tile, x_floats));
    PR_TRY(pr_mul(pr_ceil_div(header->block_rows, PR_LANES) * PR_LANES, tile, &sum_floats));
    return pr_add(*x_floats, sum_floats, floats);
}

int32_t pr_scratch_floats(const prune_packed *packed, int64_t n, int64_t *tile, int64_t *floats)
{
    int64_t x_floats = 0;
    *tile = tile_width(packed, n);
    return parts_of_scratch(packed, *tile, &x_floats, floats);
}

void *pr_scratch_take(const prune_packed *packed)
{
    prune_packed *owner = (prune_packed *)(uintptr_t)packed;
    for (int i = 0; i < PR_SCRATCH_SLOTS; i++) {
        void *scratch = __atomic_exchange_n(&owner->scratch[i], NULL, __ATOMIC_ACQUIRE);
        if (scratch)
            return scratch;
    }
    void *scratch = NULL;
    return pr_alloc(owner->context, owner->scratch_bytes, 1, &scratch) ? NULL : scratch;
}

void pr_scratch_give(const prune_packed *packed, void *scratch)
{
    prune_packed *owner = (prune_packed *)(uintptr_t)packed;
    for (int i = 0; owner->context && scratch && i < PR_SCRATCH_SLOTS; i++) {
        void *empty = NULL;
        if (__atomic_compare_exchange_n(&owner->scratch[i], &empty, scratch, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            return;
    }
    pr_release(owner->context, scratch);
}

/* With a tile of one column there is no difference. */
static int lanes_along_rows(const struct job *job)
{
    return job->packed->form->lanes_along_rows || job->tile == 1;
}

static int whole_columns(const struct job *job)
{
    return job->packed->form->x_group == PR_X_WHOLE || job->tile == 1;
}

/* Groups of several columns of W: [group][tile]. */
static void pack_groups(const struct job *job, int64_t first, int64_t count, int64_t tile, float *to)
{
    const struct pr_kernels *kernels = &job->packed->kernels;
    int64_t columns = job->packed->header->columns, group = job->packed->form->x_group;
    for (int64_t k = 0; k < columns; k += group, to += group * tile) {
        int64_t width = columns - k < group ? columns - k : group;
        if (job->batch)
            kernels->pack_x_copy(to, group, job->x + first * job->ldx + k, job->ldx, count, width);
        else
            kernels->pack_x_transpose(to, group, job->x + k * job->ldx + first, job->ldx, width, count);
        memset(to + count * group, 0, (size_t)((tile - count) * group) * sizeof *to);
    }
}

/* Gives how many floats were written. */
static int64_t pack_x(const struct job *job, int64_t first, int64_t count, int64_t tile, float *to)
{
    const prune_packed *packed = job->packed;
    const struct pr_kernels *kernels = &packed->kernels;
    int64_t columns = packed->header->columns, padded = pr_padded(columns), group = packed->form->x_group;
    if (columns == 0) /* and X may be NULL */
        return 0;
    const float *x = job->x + (job->batch ? first * job->ldx : first);
    if (whole_columns(job)) {
        if (job->batch)
            kernels->pack_x_copy(to, padded, x, job->ldx, count, columns);
        else
            kernels->pack_x_transpose(to, padded, x, job->ldx, columns, count);
        memset(to + padded * count, 0, (size_t)(padded * (tile - count)) * sizeof *to);
        return padded * tile;
    }
    if (group > 1)
        pack_groups(job, first, count, tile, to);
    else if (job->batch)
        kernels->pack_x_transpose(to, tile, x, job->ldx, count, columns);
    else
        kernels->pack_x_copy(to, tile, x, job->ldx, columns, count);
    return pr_ceil_div(columns, group) * group * tile;
}

/* The epilogue but for scale and bias. */
static struct pr_epilogue_args plain_args(const struct job *job)
{
    struct pr_epilogue_args args = PR_PLAIN_EPILOGUE;
    return job->epilogue ? job->epilogue->args : args;
}

/* `sums` is [rows][ld], or [tile][ld] with lanes along the rows. */
static void store_y(const struct job *job, int64_t first, int64_t count, int64_t row, int64_t rows, const float *sums,
                    int64_t ld)
{
    const struct pr_kernels *kernels = &job->packed->kernels;
    const prune_epilogue *epilogue = job->epilogue;
    struct pr_epilogue_args args = plain_args(job);
    const float *scale = epilogue && epilogue->scale ? epilogue->scale + row : NULL;
    const float *bias = epilogue && epilogue->bias ? epilogue->bias + row : NULL;
    float *y = job->batch ? job->y + first * job->ldy + row : job->y + row * job->ldy + first;
    if (!lanes_along_rows(job)) {
        args.scale_m = scale;
        args.bias_m = bias;
        (job->batch ? kernels->store_y_transpose : kernels->store_y_copy)(y, job->ldy, sums, ld, rows, count, &args);
    } else {
        args.scale_n = scale;
        args.bias_n = bias;
        (job->batch ? kernels->store_y_copy : kernels->store_y_transpose)(y, job->ldy, sums, ld, count, rows, &args);
    }
}

/* What whole numbers of 8 bits count in. */
static void scale_sums(const struct pr_block_run *run, int lanes)
{
    int64_t size = pr_block_size(run->header, run->block);
    const float *scales = (const float *)pr_section(run->header, PR_SCALES) + run->block * run->header->block_rows;
    if (lanes)
        for (int64_t j = 0; j < run->tile; j++)
            for (int64_t i = 0; i < size; i++)
                run->sums[j * run->ld_sums + i] *= scales[i];
    else
        for (int64_t i = 0; i < size; i++)
            for (int64_t j = 0; j < run->tile; j++)
                run->sums[i * run->ld_sums + j] *= scales[i];
}

/* Whether sums go from registers through the epilogue into Y. */
static int goes_through(const struct job *job, int64_t count)
{
    const struct pr_header *header = job->packed->header;
    return job->packed->form->through && !job->batch && count >= PR_LANES && header->columns > 0 &&
           header->columns <= MOST_THROUGH && !(job->epilogue && job->epilogue->args.beta != 0);
}

static void run_through(const struct job *job, const struct pr_block_run *run, int64_t first, int64_t count)
{
    const prune_epilogue *epilogue = job->epilogue;
    int64_t row = run->block * run->header->block_rows;
    struct pr_epilogue_args args = plain_args(job);
    args.scale_m = epilogue && epilogue->scale ? epilogue->scale + row : NULL;
    args.bias_m = epilogue && epilogue->bias ? epilogue->bias + row : NULL;
    job->packed->form->through(run, job->y + row * job->ldy + first, job->ldy, count, &args);
}

/* Whether the form can read X where it stands. Sums that stay in registers take any columns of it, others a tile
 * that is whole vectors in whole lines; either all of X's rows, or so little used that a copy would not pay. */
static int x_stays(const struct job *job, int64_t first, int64_t count, int64_t tile)
{
    const prune_packed *packed = job->packed;
    if (!packed->form->passes || job->batch)
        return 0;
    if (goes_through(job, count))
        return job->ldx - count < PR_LANES ||
               (packed->header->rows <= FEW_ROWS && packed->header->columns <= FEW_COLUMNS);
    if (count != tile || job->ldx % PR_LANES || (uintptr_t)(job->x + first) % 64 != 0)
        return 0;
    return job->ldx == tile || (packed->header->rows <= FEW_ROWS && packed->header->columns <= FEW_COLUMNS);
}

/* Whether sums can be made in Y itself: each is written once, or Y's rows are as close as those of packed sums. */
static int y_stays(const struct job *job, int64_t count, int64_t tile, int64_t rows)
{
    const prune_packed *packed = job->packed;
    if (!packed->form->passes || job->batch || count != tile || rows % 4 ||
        (job->epilogue && job->epilogue->args.beta != 0))
        return 0;
    return job->ldy == tile || packed->form->passes(packed->header) == 1;
}

/* Asks for the lines of Y that a block will write, so that they come while it is computed. */
static void expect_y(const struct job *job, int64_t first, int64_t count, int64_t row, int64_t rows)
{
    const float *y = job->batch ? job->y + first * job->ldy + row : job->y + row * job->ldy + first;
    int64_t outer = job->batch ? count : rows, inner = job->batch ? rows : count;
    for (int64_t i = 0; i < outer; i++)
        for (int64_t j = 0; j < inner; j += 16)
            __builtin_prefetch(y + i * job->ldy + j, 0, 2);
}

static void run_block(const struct job *job, struct pr_block_run *run, int64_t first, int64_t count)
{
    const prune_packed *packed = job->packed;
    if (goes_through(job, count)) {
        run_through(job, run, first, count);
        return;
    }
    int64_t rows = pr_block_size(run->header, run->block), row = run->block * run->header->block_rows;
    int stays = y_stays(job, count, run->tile, rows);
    if (stays) {
        run->sums = job->y + row * job->ldy + first;
        run->ld_sums = job->ldy;
    }
    if (packed->form->passes)
        expect_y(job, first, count, row, rows);
    packed->form->run(run);
    if (run->header->encoding == PR_VALUES_INT8)
        scale_sums(run, lanes_along_rows(job));
    if (!stays || job->epilogue)
        store_y(job, first, count, row, rows, run->sums, run->ld_sums);
}

/* The tiles and blocks whose work begins within this task's share of the whole. */
static void run_share(const struct job *job, int32_t index, float *scratch)
{
    const prune_packed *packed = job->packed;
    const struct pr_header *header = packed->header;
    int64_t blocks = pr_block_count(header), all = packed->work[blocks], tiles = tile_count(job);
    double share = (double)tiles * (double)all / job->tasks, from = share * index, to = share * (index + 1);
    if (index == job->tasks - 1)
        to = (double)tiles * (double)all + 1;
    int lanes = lanes_along_rows(job);
    int64_t padded = pr_padded(header->columns);
    float *sums = scratch + padded * job->tile;
    for (int64_t t = 0; t < tiles; t++) {
        int64_t first = tile_begin(job, t), count = tile_begin(job, t + 1) - first, tile = tile_filled(job, count);
        int64_t xs = packed->form->x_group == PR_X_WHOLE ? padded : tile * packed->form->x_group;
        const float *x = NULL;
        int finite = 1;
        for (int64_t block = 0; block < blocks; block++) {
            double start = (double)t * (double)all + (double)packed->work[block];
            if (start < from || start >= to)
                continue;
            if (!x && x_stays(job, first, count, tile)) {
                x = job->x + first;
                xs = job->ldx;
            } else if (!x) {
                x = scratch;
                int64_t floats = pack_x(job, first, count, tile, scratch);
                finite = !packed->form->needs_finite || packed->kernels.all_finite(scratch, floats);
            }
            struct pr_block_run run = {
                .header = header,
                .kernels = &packed->kernels,
                .block = block,
                .tile = lanes ? count : tile,
                .x = x,
                .finite = finite,
                .ldx = xs,
                .sums = sums,
                .ld_sums = lanes ? pr_block_lanes(header, block) : tile,
            };
            run_block(job, &run, first, count);
        }
    }
}

static void run_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    if (job->scratch) {
        run_share(job, index, job->scratch[index]);
        return;
    }
    _Alignas(64) float scratch[STACK_FLOATS];
    run_share(job, index, scratch);
}

static int32_t count_tasks(const struct job *job)
{
    const prune_packed *packed = job->packed;
    int64_t blocks = pr_block_count(packed->header), units = blocks * tile_count(job);
    double work = (double)packed->work[blocks] * (double)job->n / WORK_PER_TASK;
    int32_t tasks = prune_context_threads(packed->context);
    if (tasks > MOST_TASKS)
        tasks = MOST_TASKS;
    if (tasks > units)
        tasks = (int32_t)units;
    if (tasks > work)
        tasks = (int32_t)work;
    return tasks < 1 ? 1 : tasks;
}

static int32_t take_all(struct job *job, int64_t bytes, void **scratch)
{
    const prune_packed *packed = job->packed;
    int lent = bytes <= packed->scratch_bytes;
    for (int32_t i = 0; i < job->tasks; i++) {
        scratch[i] = NULL;
        if (lent)
            scratch[i] = pr_scratch_take(packed);
        else
            pr_alloc(packed->context, bytes, 1, &scratch[i]);
        if (!scratch[i]) {
            while (i-- > 0)
                pr_release(packed->context, scratch[i]);
            return PRUNE_E_NOMEM;
        }
    }
    job->scratch = scratch;
    return PRUNE_OK;
}

static int32_t run(struct job *job)
{
    const prune_packed *packed = job->packed;
    if (job->n == 0 || packed->header->rows == 0)
        return PRUNE_OK;
    if (job->n == 1 && job->ldx == 1 && job->ldy == 1) { /* then both layouts are one, and this one moves vectors */
        job->batch = 1;
        job->ldx = packed->header->columns;
        job->ldy = packed->header->rows;
    }
    int64_t floats = 0, bytes = 0;
    void *scratch[MOST_TASKS];
    PR_TRY(pr_scratch_floats(packed, job->n, &job->tile, &floats));
    PR_TRY(pr_mul(floats, (int64_t)sizeof(float), &bytes));
    job->tasks = count_tasks(job);
    job->scratch = NULL;
    if (floats > STACK_FLOATS)
        PR_TRY(take_all(job, bytes, scratch));
    prune_context_parallel(packed->context, job->tasks, run_task, job);
    for (int32_t i = 0; job->scratch && i < job->tasks; i++) {
        if (bytes <= packed->scratch_bytes)
            pr_scratch_give(packed, scratch[i]);
        else
            pr_release(packed->context, scratch[i]);
    }
    return PRUNE_OK;
}

static int32_t check(struct job *job, const prune_epilogue *epilogue, const char *function)
{
    if (!job->packed)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: packed is NULL; it must be given", function);
    const struct pr_product product = {job->y, job->x, job->ldy, job->ldx, job->n, job->batch};
    job->epilogue = epilogue;
    return pr_product_check(&product, job->packed->header->rows, job->packed->header->columns, epilogue, function);
}

int32_t prune_packed_run(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx, int64_t n,
                         const prune_epilogue *epilogue)
{
    struct job job = {.packed = packed, .y = y, .ldy = ldy, .x = x, .ldx = ldx, .n = n};
    PR_TRY(check(&job, epilogue, __func__));
    return run(&job);
}

int32_t prune_packed_run_batch(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx,
                               int64_t n, const prune_epilogue *epilogue)
{
    struct job job = {.packed = packed, .y = y, .ldy = ldy, .x = x, .ldx = ldx, .n = n, .batch = 1};
    PR_TRY(check(&job, epilogue, __func__));
    return run(&job);
}
