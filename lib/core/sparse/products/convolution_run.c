/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running a convolution: tile after tile of output rows, panel after panel of input channels; the planes of a panel are
 * made, then all blocks of output channels go through them.
 */
#include <string.h>

#include "core/sparse/products/convolution.h"
#include "core/sparse/products/product.h"

/* What a plane has of the image from output row `row` on, and where that begins; rows and columns that the image does
 * not have are zeros. */
static struct pr_shift shift_of(const struct pr_conv_job *job, int64_t row, int64_t down, int64_t across,
                                int64_t *begins)
{
    const struct pr_conv_plan *plan = job->plan;
    int64_t stride = job->convolution->across.stride, step = job->convolution->down.stride;
    int64_t origin = plan->across.origin[across], first = row * step + plan->down.origin[down];
    int64_t begin = origin < 0 ? pr_ceil_div(-origin, stride) : 0, rows = plan->rows + plan->down.reach;
    int64_t end = plan->width > origin ? pr_ceil_div(plan->width - origin, stride) : 0;
    int64_t top = first < 0 ? pr_ceil_div(-first, step) : 0;
    int64_t bottom = plan->height > first ? pr_ceil_div(plan->height - first, step) : 0;
    end = end < plan->pitch ? end : plan->pitch;
    begin = begin < end ? begin : end;
    bottom = begin == end ? 0 : bottom < rows ? bottom : rows;
    top = top < bottom ? top : bottom;
    *begins = top < bottom ? (first + top * step) * plan->width + begin * stride + origin : 0;
    return (struct pr_shift){.width = plan->pitch,
                             .top = top,
                             .rows = bottom - top,
                             .bottom = rows - bottom,
                             .begin = begin,
                             .end = end,
                             .ld = step * plan->width,
                             .stride = stride};
}

void pr_conv_make_planes(const struct pr_conv_job *job, const float *image, int64_t count, int64_t row, float *to)
{
    const struct pr_conv_plan *plan = job->plan;
    for (int64_t across = 0; across < plan->across.planes; across++)
        for (int64_t down = 0; down < plan->down.planes; down++, to += plan->plane) {
            int64_t begins;
            struct pr_shift shift = shift_of(job, row, down, across, &begins);
            job->convolution->kernels.shift_planes(to, plan->channel, image + begins, plan->height * plan->width, count,
                                                   &shift);
        }
}

struct pr_epilogue_args pr_conv_epilogue(const struct pr_conv_job *job, int64_t channel, int64_t at)
{
    struct pr_epilogue_args args = PR_PLAIN_EPILOGUE;
    if (job->epilogue) {
        args = job->epilogue->args;
        args.scale_m = job->epilogue->scale ? job->epilogue->scale + channel : NULL;
        args.bias_m = job->epilogue->bias ? job->epilogue->bias + channel : NULL;
    }
    if (job->residual) {
        args.beta = args.beta == 0 ? 1 : args.beta;
        args.earlier = job->residual + at;
    }
    return args;
}

static void store(const struct pr_conv_job *job, int64_t image, int64_t channel, int64_t channels, int64_t row,
                  const float *sums)
{
    const struct pr_conv_plan *plan = job->plan;
    const prune_convolution *c = job->convolution;
    int64_t size = plan->output_height * plan->output_width, rest = plan->output_height - row;
    int64_t rows = rest < plan->rows ? rest : plan->rows;
    int64_t at = (image * c->out_channels + channel) * size + row * plan->output_width;
    struct pr_epilogue_args args = pr_conv_epilogue(job, channel, at);
    float *y = job->y + at;
    if (plan->pitch == plan->output_width) {
        c->kernels.store_y_copy(y, size, sums, plan->tile, channels, rows * plan->output_width, &args);
        return;
    }
    for (int64_t r = 0; r < rows; r++) {
        c->kernels.store_y_copy(y + r * plan->output_width, size, sums + r * plan->pitch, plan->tile, channels,
                                plan->output_width, &args);
        args.earlier = args.earlier ? args.earlier + plan->output_width : NULL;
    }
}

/* One tile of one group of one image, blocks first to end - 1. */
static void run_blocks(const struct pr_conv_job *job, int64_t unit, int64_t first, int64_t end, float *scratch)
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
        pr_conv_make_planes(job, x + in * plan->height * plan->width, count, row, scratch);
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
    const struct pr_conv_job *job = argument;
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

static int32_t run_planned(struct pr_conv_job *job, int64_t batch)
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
                  (double)plan->work[c->groups * plan->blocks] / PR_CONV_WORK;
    int64_t most = prune_context_threads(c->context), steps = job->units * plan->blocks;
    most = most < PR_CONV_TASKS ? most : PR_CONV_TASKS;
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
static int32_t run_plain(const struct pr_conv_job *job, int64_t batch, int64_t pixels)
{
    const prune_convolution *c = job->convolution;
    struct prune_epilogue epilogue = {.args = PR_PLAIN_EPILOGUE};
    int64_t out = c->out_channels * pixels;
    if (job->epilogue)
        epilogue = *job->epilogue;
    if (job->residual)
        epilogue.args.beta = epilogue.args.beta == 0 ? 1 : epilogue.args.beta;
    for (int64_t b = 0; b < batch; b++) {
        float *y = job->y + b * out;
        if (job->residual && job->residual != job->y)
            memcpy(y, job->residual + b * out, (size_t)out * sizeof *y);
        PR_TRY(
            prune_packed_run(c->product, y, pixels, job->x + b * c->in_channels * pixels, pixels, pixels, &epilogue));
    }
    return PRUNE_OK;
}

static int32_t count_floats(int64_t batch, int64_t channels, int64_t height, int64_t width, int64_t *floats)
{
    int64_t bytes = 0;
    const int64_t shape[4] = {batch, channels, height, width};
    PR_TRY(pr_count(4, shape, floats));
    return pr_mul(*floats, (int64_t)sizeof(float), &bytes);
}

static int32_t check(const struct pr_conv_job *job, int64_t batch, int64_t height, int64_t width,
                     int64_t *output_height, int64_t *output_width)
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
    uintptr_t residual = (uintptr_t)job->residual;
    if (residual && residual != y && residual < y + (uintptr_t)y_floats * sizeof(float) &&
        y < residual + (uintptr_t)y_floats * sizeof(float))
        return pr_fail(PRUNE_E_ARGUMENT, "convolution: residual and y overlap in part; they must be the same or apart");
    const prune_epilogue *epilogue = job->epilogue;
    if (epilogue && (epilogue->scale || epilogue->bias) && epilogue->rows != c->out_channels)
        return pr_fail(PRUNE_E_SHAPE, "convolution: the %s has %lld rows; there are %lld out channels",
                       epilogue->bias ? "bias" : "scale", (long long)epilogue->rows, (long long)c->out_channels);
    return PRUNE_OK;
}

static int32_t run_any(struct pr_conv_job *job, int64_t batch)
{
    return job->convolution->product ? pr_conv_run_product(job, batch) : run_planned(job, batch);
}

int32_t prune_convolution_run_residual(const prune_convolution *convolution, float *y, const float *x,
                                       const float *residual, int64_t batch, int64_t height, int64_t width,
                                       const prune_epilogue *epilogue)
{
    PR_REQUIRE(convolution);
    int64_t output_height = 0, output_width = 0;
    struct pr_conv_job job = {.convolution = convolution, .y = y, .x = x, .residual = residual, .epilogue = epilogue};
    PR_TRY(check(&job, batch, height, width, &output_height, &output_width));
    if (batch == 0 || convolution->out_channels == 0 || output_height == 0 || output_width == 0)
        return PRUNE_OK;
    if (convolution->is_plain)
        return run_plain(&job, batch, height * width);
    job.plan = &convolution->plan;
    if (height == job.plan->height && width == job.plan->width)
        return run_any(&job, batch);
    struct pr_conv_plan plan;
    PR_TRY(pr_conv_plan_make(&plan, convolution, height, width));
    job.plan = &plan;
    int32_t status = run_any(&job, batch);
    pr_conv_plan_release(&plan, convolution);
    return status;
}

int32_t prune_convolution_run(const prune_convolution *convolution, float *y, const float *x, int64_t batch,
                              int64_t height, int64_t width, const prune_epilogue *epilogue)
{
    return prune_convolution_run_residual(convolution, y, x, NULL, batch, height, width, epilogue);
}
