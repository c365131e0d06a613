/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running a convolution: tile after tile of output rows, panel after panel of input channels; the planes of a panel are
 * made, then all blocks of output channels go through them.
 */
#include <string.h>

#include "core/sparse/products/convolution.h"
#include "core/sparse/products/product.h"

#define MOST_TASKS 256
#define WORK_PER_TASK 100000

struct job {
    const prune_convolution *convolution;
    const struct pr_conv_plan *plan;
    const prune_epilogue *epilogue;
    float *y;
    const float *x;
    int64_t tiles; /* of an image and a group */
    int64_t units; /* of all images and groups */
    int64_t plane_floats;
    int32_t tasks;
    float *scratch[MOST_TASKS];
};

/* One row of a plane: `from` is the image's row, NULL outside of it. */
static void make_row(const struct pr_conv_plan *plan, int64_t stride, const float *from, int64_t origin, float *to)
{
    int64_t begin = origin < 0 ? pr_ceil_div(-origin, stride) : 0;
    int64_t end = plan->width > origin ? pr_ceil_div(plan->width - origin, stride) : 0;
    end = !from ? 0 : end < plan->pitch ? end : plan->pitch;
    begin = begin < end ? begin : end;
    memset(to, 0, (size_t)begin * sizeof *to);
    if (stride == 1 && begin < end)
        memcpy(to + begin, from + begin + origin, (size_t)(end - begin) * sizeof *to);
    else
        for (int64_t i = begin; i < end; i++)
            to[i] = from[i * stride + origin];
    memset(to + end, 0, (size_t)(plan->pitch - end) * sizeof *to);
}

/* The planes of `count` channels, of which the image's first one is at `image`, for output rows from `row` on. */
static void make_planes(const struct job *job, const float *image, int64_t count, int64_t row, float *to)
{
    const struct pr_conv_plan *plan = job->plan;
    int64_t stride = job->convolution->stride;
    for (int64_t c = 0; c < count; c++, image += plan->height * plan->width)
        for (int64_t across = 0; across < plan->across.planes; across++)
            for (int64_t down = 0; down < plan->down.planes; down++)
                for (int64_t r = 0; r < plan->rows + plan->down.reach; r++, to += plan->pitch) {
                    int64_t at = (row + r) * stride + plan->down.origin[down];
                    const float *from = at >= 0 && at < plan->height ? image + at * plan->width : NULL;
                    make_row(plan, stride, from, plan->across.origin[across], to);
                }
}

static void store(const struct job *job, int64_t image, int64_t channel, int64_t channels, int64_t row,
                  const float *sums)
{
    const struct pr_conv_plan *plan = job->plan;
    const prune_convolution *c = job->convolution;
    int64_t size = plan->output_height * plan->output_width, rest = plan->output_height - row;
    int64_t rows = rest < plan->rows ? rest : plan->rows;
    struct pr_epilogue_args args = PR_PLAIN_EPILOGUE;
    if (job->epilogue) {
        args = job->epilogue->args;
        args.scale_m = job->epilogue->scale ? job->epilogue->scale + channel : NULL;
        args.bias_m = job->epilogue->bias ? job->epilogue->bias + channel : NULL;
    }
    float *y = job->y + (image * c->out_channels + channel) * size + row * plan->output_width;
    if (plan->pitch == plan->output_width) {
        c->kernels.store_y_copy(y, size, sums, plan->tile, channels, rows * plan->output_width, &args);
        return;
    }
    for (int64_t r = 0; r < rows; r++)
        c->kernels.store_y_copy(y + r * plan->output_width, size, sums + r * plan->pitch, plan->tile, channels,
                                plan->output_width, &args);
}

/* One tile of one group of one image, blocks first to end - 1. */
static void run_blocks(const struct job *job, int64_t unit, int64_t first, int64_t end, float *scratch)
{
    const struct pr_conv_plan *plan = job->plan;
    const prune_convolution *c = job->convolution;
    int64_t group_in = c->in_channels / c->groups, group_out = c->out_channels / c->groups;
    int64_t row = unit % job->tiles * plan->rows, group = unit / job->tiles % c->groups;
    int64_t image = unit / job->tiles / c->groups, channel = first * plan->block;
    int64_t channels = (end * plan->block < group_out ? end * plan->block : group_out) - channel;
    const float *x = job->x + (image * c->in_channels + group * group_in) * plan->height * plan->width;
    float *sums = scratch + job->plane_floats;
    memset(sums, 0, (size_t)(channels * plan->tile) * sizeof *sums);
    for (int64_t p = 0; p < plan->panels; p++) {
        int64_t in = p * plan->panel, count = group_in - in < plan->panel ? group_in - in : plan->panel;
        make_planes(job, x + in * plan->height * plan->width, count, row, scratch);
        for (int64_t b = first; b < end; b++) {
            const struct pr_conv_cell *cell = plan->cells + (group * plan->blocks + b) * plan->panels + p;
            c->kernels.shifted_panel(sums + (b - first) * plan->block * plan->tile, plan->tile, scratch,
                                     plan->runs + cell->run, cell[1].run - cell->run, plan->starts + cell->entry,
                                     plan->values + cell->entry);
        }
    }
    store(job, image, group * group_out + channel, channels, row, sums);
}

/* The blocks whose work begins within this task's share of the whole. */
static void run_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    const struct pr_conv_plan *plan = job->plan;
    int64_t groups = job->convolution->groups, all = plan->work[groups * plan->blocks];
    double share = (double)(job->units / groups) * (double)all / job->tasks, from = share * index, to = from + share;
    if (index == job->tasks - 1)
        to = (double)(job->units / groups) * (double)all + 1;
    for (int64_t unit = 0; unit < job->units; unit++) {
        int64_t group = unit / job->tiles % groups, image = unit / job->tiles / groups, tile = unit % job->tiles;
        const int64_t *work = plan->work + group * plan->blocks;
        double before = (double)(image * job->tiles) * (double)all + (double)job->tiles * (double)work[0] +
                        (double)tile * (double)(work[plan->blocks] - work[0]);
        int64_t first = -1, end = -1;
        for (int64_t b = 0; b < plan->blocks; b++) {
            double at = before + (double)(work[b] - work[0]);
            if (at < from || at >= to)
                continue;
            first = first < 0 ? b : first;
            end = b + 1;
        }
        if (first >= 0)
            run_blocks(job, unit, first, end, job->scratch[index]);
    }
}

static int32_t run_planned(struct job *job, int64_t batch)
{
    const prune_convolution *c = job->convolution;
    const struct pr_conv_plan *plan = job->plan;
    int64_t floats = 0, sum_floats = 0;
    if (plan->output_height == 0 || plan->output_width == 0)
        return PRUNE_OK;
    job->tiles = pr_ceil_div(plan->output_height, plan->rows);
    PR_TRY(pr_mul(batch, c->groups, &job->units));
    PR_TRY(pr_mul(job->units, job->tiles, &job->units));
    PR_TRY(pr_mul(plan->panel, plan->channel, &floats));
    PR_TRY(pr_add(floats, plan->across.reach + 2 * PR_LANES, &floats));
    job->plane_floats = pr_ceil_div(floats, PR_LANES) * PR_LANES;
    PR_TRY(pr_mul(c->out_channels / c->groups, plan->tile, &sum_floats));
    PR_TRY(pr_add(job->plane_floats, sum_floats, &floats));
    double work = (double)batch * (double)job->tiles * (double)plan->tile *
                  (double)plan->work[c->groups * plan->blocks] / WORK_PER_TASK;
    int64_t most = prune_context_threads(c->context), steps = job->units * plan->blocks;
    most = most < MOST_TASKS ? most : MOST_TASKS;
    most = most < steps ? most : steps;
    job->tasks = work < 1 ? 1 : work < (double)most ? (int32_t)work : (int32_t)most;
    int32_t status = PRUNE_OK;
    for (int32_t i = 0; !status && i < job->tasks; i++)
        status = pr_alloc(c->context, floats, sizeof(float), &job->scratch[i]);
    if (!status)
        prune_context_parallel(c->context, job->tasks, run_task, job);
    for (int32_t i = 0; i < job->tasks; i++)
        pr_release(c->context, job->scratch[i]);
    return status;
}

/* 1 x 1: an image is a matrix of channels x pixels. */
static int32_t run_product(const struct job *job, int64_t batch, int64_t pixels)
{
    const prune_convolution *c = job->convolution;
    for (int64_t b = 0; b < batch; b++)
        PR_TRY(prune_packed_run(c->product, job->y + b * c->out_channels * pixels, pixels,
                                job->x + b * c->in_channels * pixels, pixels, pixels, job->epilogue));
    return PRUNE_OK;
}

static int32_t count_floats(int64_t batch, int64_t channels, int64_t height, int64_t width, int64_t *floats)
{
    int64_t bytes = 0;
    const int64_t shape[4] = {batch, channels, height, width};
    PR_TRY(pr_count(4, shape, floats));
    return pr_mul(*floats, (int64_t)sizeof(float), &bytes);
}

static int32_t check(const struct job *job, int64_t batch, int64_t height, int64_t width, int64_t *output_height,
                     int64_t *output_width)
{
    const prune_convolution *c = job->convolution;
    int64_t x_floats = 0, y_floats = 0;
    if (batch < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "convolution: a batch of %lld; it must be 0 or more", (long long)batch);
    PR_TRY(prune_convolution_output(c, height, width, output_height, output_width));
    PR_TRY(count_floats(batch, c->in_channels, height, width, &x_floats));
    PR_TRY(count_floats(batch, c->out_channels, *output_height, *output_width, &y_floats));
    if ((x_floats && !job->x) || (y_floats && !job->y))
        return pr_fail(PRUNE_E_ARGUMENT, "convolution: %s is NULL; it must be given", job->y ? "x" : "y");
    uintptr_t x = (uintptr_t)job->x, y = (uintptr_t)job->y;
    if (x_floats && y_floats && x < y + (uintptr_t)y_floats * sizeof(float) &&
        y < x + (uintptr_t)x_floats * sizeof(float))
        return pr_fail(PRUNE_E_ARGUMENT, "convolution: x and y overlap; y must have memory of its own");
    const prune_epilogue *epilogue = job->epilogue;
    if (epilogue && (epilogue->scale || epilogue->bias) && epilogue->rows != c->out_channels)
        return pr_fail(PRUNE_E_SHAPE, "convolution: the %s has %lld rows; there are %lld out channels",
                       epilogue->bias ? "bias" : "scale", (long long)epilogue->rows, (long long)c->out_channels);
    return PRUNE_OK;
}

int32_t prune_convolution_run(const prune_convolution *convolution, float *y, const float *x, int64_t batch,
                              int64_t height, int64_t width, const prune_epilogue *epilogue)
{
    PR_REQUIRE(convolution);
    int64_t output_height = 0, output_width = 0;
    struct job job = {.convolution = convolution, .y = y, .x = x, .epilogue = epilogue};
    PR_TRY(check(&job, batch, height, width, &output_height, &output_width));
    if (batch == 0 || convolution->out_channels == 0 || output_height == 0 || output_width == 0)
        return PRUNE_OK;
    if (convolution->product)
        return run_product(&job, batch, height * width);
    job.plan = &convolution->plan;
    if (height == job.plan->height && width == job.plan->width)
        return run_planned(&job, batch);
    struct pr_conv_plan plan;
    PR_TRY(pr_conv_plan_make(&plan, convolution, height, width));
    job.plan = &plan;
    int32_t status = run_planned(&job, batch);
    pr_conv_plan_release(&plan, convolution);
    return status;
}
