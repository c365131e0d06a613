/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Running a depthwise convolution: band after band, channel after channel. Where scratch has two buffers the next band
 * is brought in before this one is computed, so that what was just written is not read back at once.
 */
#include <string.h>

#include "core/sparse/products/depthwise.h"

#define MOST_TASKS 256
#define WORK_PER_TASK 100000

struct job {
    const prune_depthwise *depthwise;
    const struct pr_depthwise_plan *plan;
    const prune_epilogue *epilogue;
    float *y;
    const float *x;
    int64_t units; /* bands of all channels of all images */
    int32_t tasks;
    int64_t floats; /* of scratch for a task */
    int buffers;
    float *scratch; /* NULL: on the stack */
};

/* One band of one out channel of one image. Kept step by step: divisions take as long as rows. */
struct place {
    int64_t plane, channel, input; /* plane of y, out channel, plane of x */
    int64_t turn;                  /* which of the out channels of one channel of x */
    int64_t row;
};

static struct place place_of(const struct job *job, int64_t unit)
{
    const prune_depthwise *d = job->depthwise;
    int64_t plane = unit / job->plan->bands;
    return (struct place){.plane = plane,
                          .channel = plane % d->out_channels,
                          .input = plane / d->multiplier, /* it divides the channels of an image */
                          .turn = plane % d->multiplier,
                          .row = unit % job->plan->bands * job->plan->rows};
}

static void advance(const struct job *job, struct place *place)
{
    const prune_depthwise *d = job->depthwise;
    place->row += job->plan->rows;
    if (place->row < job->plan->output[PR_DOWN])
        return;
    place->row = 0;
    place->plane++;
    if (++place->channel == d->out_channels)
        place->channel = 0;
    if (++place->turn == d->multiplier) {
        place->turn = 0;
        place->input++;
    }
}

int64_t pr_depthwise_scratch(const struct pr_depthwise_plan *plan, int reads_y, int *buffers)
{
    int64_t sums = reads_y ? plan->rows * plan->output[PR_ACROSS] : 0;
    *buffers = 2 * plan->floats + sums <= PR_DEPTHWISE_STACK ? 2 : 1;
    return *buffers * plan->floats + sums;
}

/* A band of rows without gaps, of an image whose rows are taken one after another. */
static void fill_flat(const struct job *job, const float *image, int64_t row, float *to)
{
    const struct pr_depthwise_plan *plan = job->plan;
    int64_t width = plan->pitch, first = row + plan->phases[PR_DOWN].origin[0], begin = first < 0 ? -first : 0;
    int64_t end = plan->extent[PR_DOWN] - first < plan->height ? plan->extent[PR_DOWN] - first : plan->height;
    begin = begin > plan->height ? plan->height : begin;
    end = end < begin ? begin : end;
    to += plan->lead;
    if (end > begin)
        memcpy(to + begin * width, image + (first + begin) * width, (size_t)((end - begin) * width) * sizeof *to);
    if (plan->bands == 1) /* what is zero stays so */
        return;
    memset(to, 0, (size_t)(begin * width) * sizeof *to);
    memset(to + end * width, 0, (size_t)((plan->height - end) * width) * sizeof *to);
}

/* What lies inside of the image of each row of one phase; the rest is zero and stays so. */
struct inside {
    int64_t begin, end, origin;
};

static struct inside inside_of(const struct job *job, int64_t phase)
{
    const struct pr_depthwise_plan *plan = job->plan;
    int64_t stride = job->depthwise->stride[PR_ACROSS];
    int64_t origin = plan->is_flat ? 0 : plan->phases[PR_ACROSS].origin[phase], width = plan->extent[PR_ACROSS];
    struct inside in = {.origin = origin};
    in.begin = origin < 0 ? pr_ceil_div(-origin, stride) : 0;
    in.end = width > origin ? pr_ceil_div(width - origin, stride) : 0;
    in.end = in.end < plan->pitch ? in.end : plan->pitch;
    in.begin = in.begin < in.end ? in.begin : in.end;
    return in;
}

/* Every `stride`-th number. Nothing beyond the last one is read. */
static void copy_strided(float *to, const float *from, int64_t count, int64_t stride)
{
    typedef float vector __attribute__((vector_size(16)));
    int64_t j = 0;
    for (; stride == 2 && j + 4 < count; j += 4) {
        vector a, b;
        memcpy(&a, from + 2 * j, sizeof a);
        memcpy(&b, from + 2 * j + 4, sizeof b);
        a = __builtin_shufflevector(a, b, 0, 2, 4, 6);
        memcpy(to + j, &a, sizeof a);
    }
    for (; j < count; j++)
        to[j] = from[j * stride];
}

static void fill_rows(const struct job *job, const float *image, int64_t row, float *to)
{
    const struct pr_depthwise_plan *plan = job->plan;
    const prune_depthwise *d = job->depthwise;
    int64_t across_count = plan->is_flat ? 1 : plan->phases[PR_ACROSS].count, stride = d->stride[PR_ACROSS];
    to += plan->lead;
    for (int64_t across = 0; across < across_count; across++) {
        struct inside in = inside_of(job, across);
        for (int64_t down = 0; down < plan->phases[PR_DOWN].count; down++)
            for (int64_t r = 0; r < plan->height; r++, to += plan->pitch) {
                int64_t at = (row + r) * d->stride[PR_DOWN] + plan->phases[PR_DOWN].origin[down];
                if (in.begin == in.end)
                    continue;
                if (at < 0 || at >= plan->extent[PR_DOWN]) {
                    memset(to + in.begin, 0, (size_t)(in.end - in.begin) * sizeof *to);
                    continue;
                }
                const float *from = image + at * plan->extent[PR_ACROSS];
                if (stride == 1)
                    memcpy(to + in.begin, from + in.begin + in.origin, (size_t)(in.end - in.begin) * sizeof *to);
                else
                    copy_strided(to + in.begin, from + in.begin * stride + in.origin, in.end - in.begin, stride);
            }
    }
}

static void fill(const struct job *job, const struct place *place, float *to)
{
    const struct pr_depthwise_plan *plan = job->plan;
    const float *from = job->x + place->input * plan->extent[PR_DOWN] * plan->extent[PR_ACROSS];
    if (plan->is_flat && job->depthwise->stride[PR_DOWN] == 1)
        fill_flat(job, from, place->row, to);
    else
        fill_rows(job, from, place->row, to);
}

static void compute(const struct job *job, const struct place *place, const float *x, float *sums)
{
    const struct pr_depthwise_plan *plan = job->plan;
    const prune_depthwise *d = job->depthwise;
    const prune_epilogue *epilogue = job->epilogue;
    int64_t row = place->row, channel = place->channel;
    int64_t rest = plan->output[PR_DOWN] - row, rows = rest < plan->rows ? rest : plan->rows;
    int64_t width = plan->output[PR_ACROSS], kernel = d->kernel[PR_ACROSS], tap = d->starts[channel];
    float *y = job->y + (place->plane * plan->output[PR_DOWN] + row) * width;
    int reads_y = epilogue && epilogue->args.beta != 0.0f;
    struct pr_taps taps = {
        .groups = plan->groups + channel * kernel,
        .group_count = kernel,
        .offsets = plan->offsets + tap,
        .weights = d->weights + tap,
        .masks = plan->masks,
        .scale = 1.0f,
        .bias = -0.0f, /* leaves every number what it is */
    };
    if (epilogue && !reads_y) {
        taps.scale = epilogue->scale ? epilogue->scale[channel] : epilogue->args.alpha;
        taps.bias = epilogue->bias ? epilogue->bias[channel] : -0.0f;
        taps.clamp = epilogue->args.clamp;
        taps.least = epilogue->args.least;
        taps.most = epilogue->args.most;
    }
    float *to = reads_y ? sums : y;
    if (plan->is_flat)
        d->kernels.taps_rows(to, 0, x, 0, 1, rows * width, &taps);
    else
        d->kernels.taps_rows(to, width, x, plan->pitch, rows, width, &taps);
    if (!reads_y)
        return;
    struct pr_epilogue_args args = epilogue->args;
    args.scale_m = epilogue->scale ? epilogue->scale + channel : NULL;
    args.bias_m = epilogue->bias ? epilogue->bias + channel : NULL;
    d->kernels.store_y_copy(y, rows * width, sums, rows * width, 1, rows * width, &args);
}

static void run_share(const struct job *job, int32_t index, float *scratch)
{
    int64_t first = job->units / job->tasks * index + job->units % job->tasks * index / job->tasks;
    int64_t end = job->units / job->tasks * (index + 1) + job->units % job->tasks * (index + 1) / job->tasks;
    int64_t floats = job->plan->floats;
    float *buffer[2] = {scratch, scratch + (job->buffers - 1) * floats}, *sums = scratch + job->buffers * floats;
    memset(scratch, 0, (size_t)(job->buffers * floats) * sizeof *scratch);
    struct place now = place_of(job, first), next = now;
    for (int64_t unit = first; unit < end; unit++, now = next) {
        int64_t at = (unit - first) % 2;
        advance(job, &next);
        if (job->buffers == 1 || unit == first)
            fill(job, &now, buffer[at]);
        if (job->buffers == 2 && unit + 1 < end)
            fill(job, &next, buffer[1 - at]);
        compute(job, &now, buffer[at], sums);
    }
}

static void run_task(void *argument, int32_t index)
{
    const struct job *job = argument;
    if (job->scratch) {
        run_share(job, index, job->scratch + index * job->floats);
        return;
    }
    _Alignas(64) float scratch[PR_DEPTHWISE_STACK];
    run_share(job, index, scratch);
}

static int32_t take_scratch(struct job *job, int64_t bytes)
{
    prune_depthwise *owner = (prune_depthwise *)(uintptr_t)job->depthwise;
    if (bytes <= owner->lent_bytes)
        job->scratch = __atomic_exchange_n(&owner->lent, NULL, __ATOMIC_ACQUIRE);
    if (job->scratch)
        return PRUNE_OK;
    return pr_alloc(owner->context, bytes < owner->lent_bytes ? owner->lent_bytes : bytes, 1, &job->scratch);
}

static void give_scratch(const struct job *job, int64_t bytes)
{
    prune_depthwise *owner = (prune_depthwise *)(uintptr_t)job->depthwise;
    void *empty = NULL;
    if (!job->scratch)
        return;
    if (bytes > owner->lent_bytes ||
        !__atomic_compare_exchange_n(&owner->lent, &empty, job->scratch, 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        pr_release(owner->context, job->scratch);
}

static int32_t run_planned(struct job *job, int64_t batch)
{
    const prune_depthwise *d = job->depthwise;
    const struct pr_depthwise_plan *plan = job->plan;
    int64_t threads = prune_context_threads(d->context), bytes = 0;
    PR_TRY(pr_mul(batch * d->out_channels, plan->bands, &job->units)); /* the outputs are at least as many */
    double work = (double)batch * (double)(plan->output[PR_DOWN] * plan->output[PR_ACROSS]) * (double)d->stored;
    threads = threads < MOST_TASKS ? threads : MOST_TASKS;
    threads = threads < job->units ? threads : job->units;
    threads = work / WORK_PER_TASK < (double)threads ? (int64_t)(work / WORK_PER_TASK) : threads;
    job->tasks = (int32_t)(threads < 1 ? 1 : threads);
    job->floats = pr_depthwise_scratch(plan, job->epilogue && job->epilogue->args.beta != 0.0f, &job->buffers);
    if (job->floats > PR_DEPTHWISE_STACK) {
        PR_TRY(pr_mul(job->floats, (int64_t)sizeof(float) * job->tasks, &bytes));
        PR_TRY(take_scratch(job, bytes));
    }
    prune_context_parallel(d->context, job->tasks, run_task, job);
    give_scratch(job, bytes);
    return PRUNE_OK;
}

static int32_t count_floats(int64_t batch, int64_t channels, int64_t height, int64_t width, int64_t *floats)
{
    int64_t bytes = 0;
    const int64_t shape[4] = {batch, channels, height, width};
    PR_TRY(pr_count(4, shape, floats));
    return pr_mul(*floats, (int64_t)sizeof(float), &bytes);
}

static int32_t check(const struct job *job, int64_t batch, int64_t height, int64_t width, int64_t *y_floats)
{
    const prune_depthwise *d = job->depthwise;
    int64_t x_floats = 0, rows = 0, columns = 0;
    if (batch < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "depthwise: a batch of %lld; it must be 0 or more", (long long)batch);
    PR_TRY(prune_depthwise_output(d, height, width, &rows, &columns));
    PR_TRY(count_floats(batch, d->out_channels / d->multiplier, height, width, &x_floats));
    PR_TRY(count_floats(batch, d->out_channels, rows, columns, y_floats));
    if ((x_floats && !job->x) || (*y_floats && !job->y))
        return pr_fail(PRUNE_E_ARGUMENT, "depthwise: %s is NULL; it must be given", job->y ? "x" : "y");
    uintptr_t x = (uintptr_t)job->x, y = (uintptr_t)job->y;
    if (x_floats && *y_floats && x < y + (uintptr_t)*y_floats * sizeof(float) &&
        y < x + (uintptr_t)x_floats * sizeof(float))
        return pr_fail(PRUNE_E_ARGUMENT, "depthwise: x and y overlap; y must have memory of its own");
    const prune_epilogue *epilogue = job->epilogue;
    if (epilogue && (epilogue->scale || epilogue->bias) && epilogue->rows != d->out_channels)
        return pr_fail(PRUNE_E_SHAPE, "depthwise: the %s has %lld rows; there are %lld out channels",
                       epilogue->bias ? "bias" : "scale", (long long)epilogue->rows, (long long)d->out_channels);
    return PRUNE_OK;
}

int32_t prune_depthwise_run(const prune_depthwise *depthwise, float *y, const float *x, int64_t batch, int64_t height,
                            int64_t width, const prune_epilogue *epilogue)
{
    PR_REQUIRE(depthwise);
    int64_t y_floats = 0;
    struct job job = {.depthwise = depthwise, .y = y, .x = x, .epilogue = epilogue, .plan = &depthwise->plan};
    PR_TRY(check(&job, batch, height, width, &y_floats));
    if (y_floats == 0)
        return PRUNE_OK;
    if (height == job.plan->extent[PR_DOWN] && width == job.plan->extent[PR_ACROSS])
        return run_planned(&job, batch);
    struct pr_depthwise_plan plan;
    PR_TRY(pr_depthwise_plan_make(&plan, depthwise, height, width));
    job.plan = &plan;
    int32_t status = run_planned(&job, batch);
    pr_depthwise_plan_release(&plan, depthwise);
    return status;
}
