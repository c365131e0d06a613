/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A depthwise convolution's plan: how rows of the image lie in scratch, how many outputs are computed at once, and
 * where each tap then begins.
 */
#include "core/sparse/products/depthwise.h"

#define BAND_FLOATS 3840 /* scratch that stays in the first-level cache beside y */
#define FLAT_WIDTH 40    /* rows below this are computed as one */
#define FLAT_FLOATS 1024 /* of a band of them: the masks are several times as large */

static int32_t make_phases(struct pr_phases *to, const prune_depthwise *d, int way)
{
    int64_t extent = d->kernel[way], stride = d->stride[way];
    PR_TRY(pr_alloc_zero(d->context, extent, sizeof *to->phase, &to->phase));
    PR_TRY(pr_alloc_zero(d->context, extent, sizeof *to->shift, &to->shift));
    PR_TRY(pr_alloc_zero(d->context, extent, sizeof *to->origin, &to->origin));
    for (int64_t u = 0; u < extent; u++) {
        int64_t origin = u * d->dilation[way] % stride - d->before[way], at = 0;
        while (at < to->count && to->origin[at] != origin)
            at++;
        if (at == to->count)
            to->origin[to->count++] = origin;
        to->phase[u] = at;
        to->shift[u] = u * d->dilation[way] / stride;
        to->reach = to->shift[u] > to->reach ? to->shift[u] : to->reach;
    }
    return PRUNE_OK;
}

static int is_flat(const struct pr_depthwise_plan *plan, const prune_depthwise *d)
{
    int64_t width = plan->extent[PR_ACROSS], left = d->before[PR_ACROSS], reach = plan->phases[PR_ACROSS].reach;
    return d->stride[PR_ACROSS] == 1 && plan->output[PR_ACROSS] == width && width < FLAT_WIDTH && left < width &&
           reach - left < width;
}

static int64_t even(int64_t count, int64_t most)
{
    return count ? pr_ceil_div(count, pr_ceil_div(count, most < 1 ? 1 : most)) : 1;
}

/* Sizes from the image's; all are bounded by the memory of x but for what padding and dilation add. */
static int32_t size_up(struct pr_depthwise_plan *plan)
{
    const struct pr_phases *down = &plan->phases[PR_DOWN], *across = &plan->phases[PR_ACROSS];
    int64_t width = plan->output[PR_ACROSS], floats = 0;
    plan->pitch = plan->is_flat ? width : width + across->reach;
    PR_TRY(pr_mul(plan->pitch, down->count * across->count, &floats));
    plan->rows = even(plan->output[PR_DOWN], (plan->is_flat ? FLAT_FLOATS : BAND_FLOATS) / floats - down->reach);
    plan->bands = pr_ceil_div(plan->output[PR_DOWN], plan->rows);
    plan->height = plan->rows + down->reach;
    plan->lead = plan->is_flat ? pr_ceil_div(width, PR_LANES) * PR_LANES : 0;
    PR_TRY(pr_mul(plan->height, plan->pitch, &floats));
    PR_TRY(pr_mul(floats, down->count * across->count, &floats));
    PR_TRY(pr_add(floats, 2 * plan->lead + PR_TAP_SLACK, &floats));
    if (floats > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "a depthwise convolution of images of %lld x %lld; a few rows must be below %d numbers",
                       (long long)plan->extent[PR_DOWN], (long long)plan->extent[PR_ACROSS], INT32_MAX);
    plan->floats = pr_ceil_div(floats, PR_LANES) * PR_LANES;
    return PRUNE_OK;
}

/* How far to the right of its output a tap reads, in a flat plan. */
static int64_t shift_of(const prune_depthwise *d, int64_t v)
{
    return v * d->dilation[PR_ACROSS] - d->before[PR_ACROSS];
}

static void fill_masks(struct pr_depthwise_plan *plan, const prune_depthwise *d)
{
    int64_t width = plan->output[PR_ACROSS];
    uint32_t *to = plan->masks;
    for (int64_t v = 0; v < d->kernel[PR_ACROSS]; v++)
        for (int64_t i = 0; i < plan->rows; i++)
            for (int64_t j = 0; j < width; j++) {
                int64_t from = j + shift_of(d, v);
                *to++ = from >= 0 && from < width ? UINT32_MAX : 0;
            }
    for (int i = 0; i < PR_TAP_SLACK; i++)
        *to++ = 0;
}

static void fill_taps(struct pr_depthwise_plan *plan, const prune_depthwise *d)
{
    const struct pr_phases *down = &plan->phases[PR_DOWN], *across = &plan->phases[PR_ACROSS];
    int64_t width = d->kernel[PR_ACROSS], size = plan->height * plan->pitch;
    for (int64_t t = 0; t < d->stored; t++) {
        int64_t u = d->places[t] % d->kernel[PR_DOWN], v = d->places[t] / d->kernel[PR_DOWN];
        int64_t plane = across->phase[v] * down->count + down->phase[u];
        int64_t shift = plan->is_flat ? shift_of(d, v) : across->shift[v];
        plan->offsets[t] = (int32_t)(plan->lead + plane * size + down->shift[u] * plan->pitch + shift);
    }
    for (int64_t g = 0; g < d->out_channels * width; g++) {
        int masked = plan->is_flat && shift_of(d, g % width) != 0;
        plan->groups[g].count = d->counts[g];
        plan->groups[g].mask = masked ? (int32_t)(g % width * plan->rows * plan->output[PR_ACROSS]) : -1;
    }
}

static int32_t lay_out(struct pr_depthwise_plan *plan, const prune_depthwise *d)
{
    int64_t groups = d->out_channels * d->kernel[PR_ACROSS], numbers = 0;
    if (plan->output[PR_DOWN] == 0 || plan->output[PR_ACROSS] == 0)
        return PRUNE_OK;
    PR_TRY(size_up(plan));
    PR_TRY(pr_alloc(d->context, d->stored, sizeof *plan->offsets, &plan->offsets));
    PR_TRY(pr_alloc(d->context, groups, sizeof *plan->groups, &plan->groups));
    if (plan->is_flat) {
        PR_TRY(pr_mul(d->kernel[PR_ACROSS], plan->rows * plan->output[PR_ACROSS], &numbers));
        PR_TRY(pr_alloc(d->context, numbers + PR_TAP_SLACK, sizeof *plan->masks, &plan->masks));
        fill_masks(plan, d);
    }
    fill_taps(plan, d);
    return PRUNE_OK;
}

int32_t pr_depthwise_plan_make(struct pr_depthwise_plan *plan, const prune_depthwise *d, int64_t height, int64_t width)
{
    *plan = (struct pr_depthwise_plan){.extent = {height, width}};
    PR_TRY(prune_depthwise_output(d, height, width, &plan->output[PR_DOWN], &plan->output[PR_ACROSS]));
    int32_t status = make_phases(&plan->phases[PR_DOWN], d, PR_DOWN);
    if (!status)
        status = make_phases(&plan->phases[PR_ACROSS], d, PR_ACROSS);
    if (!status) {
        plan->is_flat = is_flat(plan, d);
        status = lay_out(plan, d);
    }
    if (status)
        pr_depthwise_plan_release(plan, d);
    return status;
}

void pr_depthwise_plan_release(struct pr_depthwise_plan *plan, const prune_depthwise *d)
{
    for (int i = 0; i < PR_WAYS; i++) {
        pr_release(d->context, plan->phases[i].phase);
        pr_release(d->context, plan->phases[i].shift);
        pr_release(d->context, plan->phases[i].origin);
    }
    pr_release(d->context, plan->offsets);
    pr_release(d->context, plan->groups);
    pr_release(d->context, plan->masks);
    *plan = (struct pr_depthwise_plan){0};
}
