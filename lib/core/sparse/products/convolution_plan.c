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

static int32_t make_axis(struct pr_axis *axis, const prune_convolution *c, int64_t extent, int copies)
{
    PR_TRY(pr_alloc_zero(c->context, extent, sizeof(int64_t), &axis->plane));
    PR_TRY(pr_alloc_zero(c->context, extent, sizeof(int64_t), &axis->shift));
    PR_TRY(pr_alloc_zero(c->context, extent, sizeof(int64_t), &axis->origin));
    axis->planes = 0;
    axis->reach = 0;
    for (int64_t u = 0; u < extent; u++) {
        int64_t phase = copies ? u * c->dilation : u * c->dilation % c->stride, at = 0;
        while (at < axis->planes && axis->origin[at] != phase - c->padding)
            at++;
        if (at == axis->planes)
            axis->origin[axis->planes++] = phase - c->padding;
        axis->plane[u] = at;
        axis->shift[u] = copies ? 0 : u * c->dilation / c->stride;
        axis->reach = axis->shift[u] > axis->reach ? axis->shift[u] : axis->reach;
    }
    return PRUNE_OK;
}

static int64_t even(int64_t count, int64_t most)
{
    return count ? pr_ceil_div(count, pr_ceil_div(count, most)) : 1;
}

/* Sizes from the image's; all are bounded by the memory of x but for what padding adds. */
static int32_t size_up(struct pr_conv_plan *plan, const prune_convolution *c)
{
    int64_t group_in = c->in_channels / c->groups, group_out = c->out_channels / c->groups, floats = 0;
    plan->pitch = plan->output_width + plan->across.reach;
    if (c->algorithm == PR_COPIES)
        plan->pitch = pr_ceil_div(plan->pitch, PITCH) * PITCH;
    plan->rows = even(plan->output_height, plan->pitch < TILE_FLOATS ? TILE_FLOATS / plan->pitch : 1);
    PR_TRY(pr_mul(plan->rows, plan->pitch, &plan->tile));
    plan->tile = pr_ceil_div(plan->tile, 8) * 8;
    PR_TRY(pr_mul(plan->rows + plan->down.reach, plan->pitch, &plan->plane));
    PR_TRY(pr_mul(plan->plane, plan->down.planes * plan->across.planes, &plan->channel));
    plan->panel = even(group_in, plan->channel < PANEL_FLOATS ? PANEL_FLOATS / plan->channel : 1);
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
    int64_t places = c->kernel_height * c->kernel_width, begin = panel * plan->panel;
    for (int64_t i = 0; i < rows; i++) {
        int64_t start = at->entry, end = c->weights->indptr[first + i + 1];
        for (; cursor[i] < end; cursor[i]++) {
            int64_t column = c->weights->indices[cursor[i]], channel = column / places - begin;
            int64_t u = column % places / c->kernel_width, v = column % c->kernel_width;
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

int32_t pr_conv_plan_make(struct pr_conv_plan *plan, const prune_convolution *c, int64_t height, int64_t width)
{
    *plan = (struct pr_conv_plan){.height = height, .width = width};
    PR_TRY(prune_convolution_output(c, height, width, &plan->output_height, &plan->output_width));
    int32_t status = make_axis(&plan->down, c, c->kernel_height, 0);
    if (!status)
        status = make_axis(&plan->across, c, c->kernel_width, c->algorithm == PR_COPIES);
    if (!status)
        status = size_up(plan, c);
    if (!status)
        status = lay_out(plan, c);
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
