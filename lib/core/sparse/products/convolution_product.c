/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A convolution as the product of packed weights with the image's columns, which are read where they stand: for a band
 * of output rows the image is copied once for each column of the kernel and each phase of its rows, such that what all
 * outputs of the band read for one weight is one run of floats.
 */
#include "core/sparse/products/convolution.h"

#include "base/scratch.h"
#include "core/sparse/forms/cells.h"

#define SPARSE_TILE 96 /* floats */

/* The widest tile: rows of X overlap, so that those of sparse forms need less of the cache than elsewhere. */
static int64_t widest(const prune_convolution *c)
{
    int64_t least = c->product->form->block_work == pr_cells_work ? SPARSE_TILE : 0;
    return c->product->widest < least ? least : c->product->widest;
}

int32_t pr_conv_product_floats(const prune_convolution *c, const struct pr_conv_plan *plan, int64_t *planes,
                               int64_t *floats)
{
    int64_t sums = 0;
    PR_TRY(pr_mul(plan->panel, plan->channel, planes));
    PR_TRY(pr_add(*planes, 2 * PR_LANES, planes)); /* the last tile's fillers */
    *planes = pr_ceil_div(*planes, PR_LANES) * PR_LANES;
    PR_TRY(pr_mul(pr_ceil_div(c->product->header->block_rows, 4) * 4, widest(c), &sums));
    return pr_add(*planes, sums, floats);
}

/* Asks for what a tile will write and add to. */
static void expect(const struct pr_conv_job *job, int64_t at, int64_t rows, int64_t count, int64_t size)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < count; j += PR_LANES) {
            __builtin_prefetch(job->y + at + i * size + j, 1, 2);
            if (job->residual)
                __builtin_prefetch(job->residual + at + i * size + j, 0, 2);
        }
}

/* Asks for a part of the next image while this one is computed. */
static void expect_next(const struct pr_conv_job *job, int64_t unit, int64_t part, int64_t parts)
{
    const struct pr_conv_plan *plan = job->plan;
    int64_t floats = job->convolution->in_channels * plan->height * plan->width, next = unit + 1;
    if (next >= job->units || next % job->tiles)
        return;
    const float *x = job->x + next / job->tiles * floats;
    for (int64_t j = floats * part / parts; j < floats * (part + 1) / parts; j += PR_LANES)
        __builtin_prefetch(x + j, 0, 2);
}

/* Blocks first to end - 1 of the tile of outputs begin to begin + count - 1 of a band. */
static void run_tile(const struct pr_conv_job *job, int64_t unit, int64_t begin, int64_t count, int64_t first,
                     int64_t end, float *scratch)
{
    const struct pr_conv_plan *plan = job->plan;
    const prune_convolution *c = job->convolution;
    const struct pr_header *header = c->product->header;
    int64_t size = plan->output_height * plan->output_width, image = unit / job->tiles;
    int64_t pixel = unit % job->tiles * plan->rows * plan->output_width + begin;
    int64_t tile = pr_ceil_div(count, PR_LANES) * PR_LANES;
    for (int64_t block = first; block < end; block++) {
        struct pr_block_run run = {
            .header = header,
            .kernels = &c->product->kernels,
            .block = block,
            .tile = tile,
            .x = scratch + begin,
            .finite = 1,
            .starts = plan->starts,
            .sums = scratch + job->plane_floats,
            .ld_sums = tile,
        };
        int64_t channel = block * header->block_rows, at = (image * c->out_channels + channel) * size + pixel;
        expect(job, at, pr_block_size(header, block), count, size);
        c->product->form->run(&run);
        struct pr_epilogue_args args = pr_conv_epilogue(job, channel, at);
        c->kernels.store_y_copy(job->y + at, size, run.sums, tile, pr_block_size(header, block), count, &args);
    }
}

/* Blocks first to end - 1 of a band. Its tiles differ by one vector at most. */
static void run_band(const struct pr_conv_job *job, int64_t unit, int64_t first, int64_t end, float *scratch)
{
    const struct pr_conv_plan *plan = job->plan;
    const prune_convolution *c = job->convolution;
    int64_t row = unit % job->tiles * plan->rows, rest = plan->output_height - row;
    int64_t outputs = (rest < plan->rows ? rest : plan->rows) * plan->output_width;
    int64_t vectors = pr_ceil_div(outputs, PR_LANES), tiles = pr_ceil_div(outputs, widest(c));
    pr_conv_make_planes(job, job->x + unit / job->tiles * c->in_channels * plan->height * plan->width, c->in_channels,
                        row, scratch);
    for (int64_t t = 0; t < tiles; t++) {
        int64_t begin = vectors * t / tiles * PR_LANES, next = vectors * (t + 1) / tiles * PR_LANES;
        expect_next(job, unit, t, tiles);
        run_tile(job, unit, begin, (next < outputs ? next : outputs) - begin, first, end, scratch);
    }
}

static void run_task(void *argument, int32_t index)
{
    const struct pr_conv_job *job = argument;
    int64_t blocks = pr_block_count(job->convolution->product->header), steps = job->units * blocks;
    int64_t from = steps / job->tasks * index + steps % job->tasks * index / job->tasks;
    int64_t to = steps / job->tasks * (index + 1) + steps % job->tasks * (index + 1) / job->tasks;
    while (from < to) {
        int64_t unit = from / blocks, end = (unit + 1) * blocks < to ? (unit + 1) * blocks : to;
        run_band(job, unit, from % blocks, end - unit * blocks, job->scratch[index]);
        from = end;
    }
}

int32_t pr_conv_run_product(struct pr_conv_job *job, int64_t batch)
{
    const prune_convolution *c = job->convolution;
    const struct pr_conv_plan *plan = job->plan;
    int64_t floats = 0, bytes = 0, blocks = pr_block_count(c->product->header);
    job->tiles = pr_ceil_div(plan->output_height, plan->rows);
    PR_TRY(pr_mul(batch, job->tiles, &job->units));
    PR_TRY(pr_conv_product_floats(c, plan, &job->plane_floats, &floats));
    PR_TRY(pr_mul(floats, (int64_t)sizeof(float), &bytes));
    double work = (double)batch * (double)plan->output_height * (double)plan->output_width *
                  (double)c->product->work[blocks] / PR_CONV_WORK;
    int64_t most = prune_context_threads(c->context), steps = job->units * blocks;
    most = most < PR_CONV_TASKS ? most : PR_CONV_TASKS;
    most = most < steps ? most : steps;
    job->tasks = work < 1 ? 1 : work < (double)most ? (int32_t)work : (int32_t)most;
    int32_t status = PRUNE_OK, taken = 0;
    for (; !status && taken < job->tasks; taken++) {
        job->scratch[taken] = pr_scratch_lend(c->context, bytes);
        status = job->scratch[taken] ? PRUNE_OK : PRUNE_E_NOMEM;
    }
    if (!status)
        prune_context_parallel(c->context, job->tasks, run_task, job);
    for (int32_t i = 0; i < taken; i++)
        pr_scratch_return(c->context, job->scratch[i]);
    return status;
}
