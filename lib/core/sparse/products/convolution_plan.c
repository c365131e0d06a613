/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A convolution's plan: how output rows are tiled, how the planes lie, and which runs of which shifts each panel of
 * input channels has.
 */
#include <stdlib.h>
#include <string.h>

#include "core/sparse/products/convolution.h"
#include "core/sparse/sparse.h"

#define TILE_FLOATS 112   /* sums that fit the registers */
#define PANEL_FLOATS 6144 /* planes that stay in the first-level cache beside them */
#define BLOCK_CHANNELS 128
#define PITCH 8
#define BAND_FLOATS 65536 /* planes of a product */
#define BAND_LEAST 192    /* outputs: tiles should not be narrow */
#define THREAD_LEAST 64   /* the same where bands are shared between threads */

static int32_t make_axis(struct pr_axis *axis, const prune_convolution *c, const struct pr_conv_steps *steps,
                         int copies)
{
    int64_t extent = steps->kernel;
    PR_TRY(pr_alloc_zero(c->context, extent, sizeof(int64_t), &axis->plane));
    PR_TRY(pr_alloc_zero(c->context, extent, sizeof(int64_t), &axis->shift));
    PR_TRY(pr_alloc_zero(c->context, extent, sizeof(int64_t), &axis->origin));
    axis->planes = 0;
    axis->reach = 0;
    for (int64_t u = 0; u < extent; u++) {
        int64_t phase = copies ? u * steps->dilation : u * steps->dilation % steps->stride, at = 0;
        while (at < axis->planes && axis->origin[at] != phase - steps->before)
            at++;
        if (at == axis->planes)
            axis->origin[axis->planes++] = phase - steps->before;
        axis->plane[u] = at;
        axis->shift[u] = copies ? 0 : u * steps->dilation / steps->stride;
        axis->reach = axis->shift[u] > axis->reach ? axis->shift[u] : axis->reach;
    }
    return PRUNE_OK;
}

static int64_t even(int64_t count, int64_t most)
{
    return count ? pr_ceil_div(count, pr_ceil_div(count, most)) : 1;
}

/* Output rows whose planes stay in the second-level cache, but at least a few vectors. */
static int64_t band_rows(const struct pr_conv_plan *plan, const prune_convolution *c)
{
    int64_t planes = plan->across.planes * plan->down.planes * (c->in_channels / c->groups);
    int64_t width = plan->output_width, fit = BAND_FLOATS;
    if (plan->output_height == 0 || width == 0 || planes == 0)
        return 1;
    fit = fit / planes / width - plan->down.reach;
    int64_t least = pr_ceil_div(BAND_LEAST, width), threads = prune_context_threads(c->context);
    if (threads > 1) { /* some for each */
        int64_t share = pr_ceil_div(plan->output_height, threads);
        fit = fit < share ? fit : share;
        least = pr_ceil_div(THREAD_LEAST, width);
    }
    return even(plan->output_height, fit < least ? least : fit);
}

/* Sizes from the image's; all are bounded by the memory of x but for what padding adds. */
static int32_t size_up(struct pr_conv_plan *plan, const prune_convolution *c)
{
    int64_t group_in = c->in_channels / c->groups, group_out = c->out_channels / c->groups, floats = 0;
    plan->pitch = plan->output_width + plan->across.reach;
    if (c->algorithm == PR_COPIES)
        plan->pitch = pr_ceil_div(plan->pitch, PITCH) * PITCH;
    if (c->algorithm == PR_PRODUCT)
        plan->rows = band_rows(plan, c);
    else
        plan->rows = even(plan->output_height, plan->pitch < TILE_FLOATS ? TILE_FLOATS / plan->pitch : 1);
    PR_TRY(pr_mul(plan->rows, plan->pitch, &plan->tile));
    plan->tile = pr_ceil_div(plan->tile, 8) * 8;
    PR_TRY(pr_mul(plan->rows + plan->down.reach, plan->pitch, &plan->plane));
    PR_TRY(pr_mul(plan->plane, plan->down.planes * plan->across.planes, &plan->channel));
    plan->panel = c->algorithm == PR_PRODUCT
                      ? group_in
                      : even(group_in, plan->channel < PANEL_FLOATS ? PANEL_FLOATS / plan->channel : 1);
    plan->panels = pr_ceil_div(group_in, plan->panel);
    plan->block = even(group_out, BLOCK_CHANNELS);
    plan->blocks = pr_ceil_div(group_out, plan->block);
    PR_TRY(pr_mul(plan->panel, plan->channel, &floats));
    if (floats > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "a convolution of images of %lld x %lld; a few rows of them must be below %d numbers",
                       (long long)plan->height, (long long)plan->width, INT32_MAX);
    return PRUNE_OK;
}

static void fill_cell(struct pr_conv_plan *plan, const prune_convolution *c, int64_t first, int64_t rows, int64_t panel,
                      struct pr_conv_cell *at, int64_t *cursor)
{
    int64_t places = c->down.kernel * c->across.kernel, begin = panel * plan->panel;
    for (int64_t i = 0; i < rows; i++) {
        int64_t start = at->entry, end = c->weights->indptr[first + i + 1];
        for (; cursor[i] < end; cursor[i]++) {
            int64_t column = c->weights->indices[cursor[i]], channel = column / places - begin;
            int64_t u = column % places / c->across.kernel, v = column % c->across.kernel;
            if (channel >= plan->panel)
                break;
            int64_t which = plan->across.plane[v] * plan->down.planes + plan->down.plane[u];
            plan->starts[at->entry] = (uint32_t)(channel * plan->channel + which * plan->plane +
                                                 plan->down.shift[u] * plan->pitch + plan->across.shift[v]);
            plan->values[at->entry++] = c->weights->values[cursor[i]];
        }
        if (at->entry > start)
            plan->runs[at->run++] = (struct pr_run){(uint32_t)i, (uint32_t)(at->entry - start)};
    }
}

static void fill_cells(struct pr_conv_plan *plan, const prune_convolution *c, int64_t *cursor)
{
    int64_t group_out = c->out_channels / c->groups;
    struct pr_conv_cell at = {0, 0}, *cell = plan->cells;
    int64_t *work = plan->work;
    *work = 0;
    for (int64_t g = 0; g < c->groups; g++)
        for (int64_t b = 0; b < plan->blocks; b++, work++) {
            int64_t first = g * group_out + b * plan->block, rest = group_out - b * plan->block;
            int64_t rows = rest < plan->block ? rest : plan->block;
            memcpy(cursor, c->weights->indptr + first, (size_t)rows * sizeof *cursor);
            for (int64_t p = 0; p < plan->panels; p++) {
                *cell++ = at;
                fill_cell(plan, c, first, rows, p, &at, cursor);
            }
            work[1] = work[0] + c->weights->indptr[first + rows] - c->weights->indptr[first] + rows;
        }
    *cell = at;
}

/* At most a run for each element. */
static int32_t lay_out(struct pr_conv_plan *plan, const prune_convolution *c)
{
    int64_t stored = c->weights->stored, blocks = 0, cells = 0, *cursor;
    PR_TRY(pr_mul(c->groups, plan->blocks, &blocks));
    PR_TRY(pr_mul(blocks, plan->panels, &cells));
    PR_TRY(pr_alloc(c->context, cells + 1, sizeof *plan->cells, &plan->cells));
    PR_TRY(pr_alloc(c->context, blocks + 1, sizeof *plan->work, &plan->work));
    PR_TRY(pr_alloc(c->context, stored, sizeof *plan->runs, &plan->runs));
    PR_TRY(pr_alloc(c->context, stored, sizeof *plan->starts, &plan->starts));
    PR_TRY(pr_alloc(c->context, stored, sizeof *plan->values, &plan->values));
    PR_TRY(pr_alloc(c->context, plan->block, sizeof *cursor, &cursor));
    fill_cells(plan, c, cursor);
    pr_release(c->context, cursor);
    return PRUNE_OK;
}

/* Where the planes have each column of a product. */
static int32_t find_starts(struct pr_conv_plan *plan, const prune_convolution *c)
{
    int64_t count = 0, places = c->down.kernel * c->across.kernel;
    PR_TRY(pr_mul(plan->panel, places, &count));
    PR_TRY(pr_alloc(c->context, count, sizeof *plan->starts, &plan->starts));
    uint32_t *to = plan->starts;
    for (int64_t channel = 0; channel < plan->panel; channel++)
        for (int64_t u = 0; u < c->down.kernel; u++)
            for (int64_t v = 0; v < c->across.kernel; v++)
                *to++ = (uint32_t)(channel * plan->channel +
                                   (plan->across.plane[v] * plan->down.planes + plan->down.plane[u]) * plan->plane +
                                   plan->down.shift[u] * plan->pitch + plan->across.shift[v]);
    return PRUNE_OK;
}

int32_t pr_conv_plan_make(struct pr_conv_plan *plan, const prune_convolution *c, int64_t height, int64_t width)
{
    *plan = (struct pr_conv_plan){.height = height, .width = width};
    PR_TRY(prune_convolution_output(c, height, width, &plan->output_height, &plan->output_width));
    int32_t status = make_axis(&plan->down, c, &c->down, 0);
    if (!status)
        status = make_axis(&plan->across, c, &c->across, c->algorithm != PR_SHIFTS);
    if (!status)
        status = size_up(plan, c);
    if (!status)
        status = c->algorithm == PR_PRODUCT ? find_starts(plan, c) : lay_out(plan, c);
    if (status)
        pr_conv_plan_release(plan, c);
    return status;
}

void pr_conv_plan_release(struct pr_conv_plan *plan, const prune_convolution *c)
{
    struct pr_axis *axes[2] = {&plan->down, &plan->across};
    for (int i = 0; i < 2; i++) {
        pr_release(c->context, axes[i]->plane);
        pr_release(c->context, axes[i]->shift);
        pr_release(c->context, axes[i]->origin);
    }
    pr_release(c->context, plan->cells);
    pr_release(c->context, plan->work);
    pr_release(c->context, plan->runs);
    pr_release(c->context, plan->starts);
    pr_release(c->context, plan->values);
    *plan = (struct pr_conv_plan){0};
}
