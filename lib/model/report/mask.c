/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "base/alloc.h"
#include "model/report/picture.h"
#include "model/report/report.h"

#define MOST_PIXELS 1024 /* along one side; of larger masks a pixel shows the density of a tile */
#define GOOD_PIXELS 320  /* smaller ones are enlarged to about this, by a whole number */

struct plan {
    int64_t rows, columns;           /* of the mask */
    int64_t tile_rows, tile_columns; /* elements of a pixel */
    int32_t height, width;           /* pixels */
};

static int32_t make_plan(const prune_mask *mask, struct plan *plan)
{
    int32_t rank = prune_mask_rank(mask);
    int64_t count = prune_mask_count(mask);
    if (count == 0)
        return pr_fail(PRUNE_E_SHAPE, "the mask has no elements; a picture needs at least one");
    plan->rows = rank < 2 ? 1 : prune_mask_shape(mask)[0];
    plan->columns = count / plan->rows;
    plan->tile_rows = pr_ceil_div(plan->rows, MOST_PIXELS);
    plan->tile_columns = pr_ceil_div(plan->columns, MOST_PIXELS);
    plan->height = (int32_t)pr_ceil_div(plan->rows, plan->tile_rows);
    plan->width = (int32_t)pr_ceil_div(plan->columns, plan->tile_columns);
    return PRUNE_OK;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The ink of each pixel: 255 x the fraction of its tile that is kept, rounded. */
static void shade(const struct plan *plan, const uint8_t *kept, uint8_t *ink)
{
    for (int32_t y = 0; y < plan->height; y++)
        for (int32_t x = 0; x < plan->width; x++) {
            int64_t row = y * plan->tile_rows, column = x * plan->tile_columns, sum = 0;
            int64_t row_end = least(row + plan->tile_rows, plan->rows);
            int64_t column_end = least(column + plan->tile_columns, plan->columns);
            for (int64_t i = row; i < row_end; i++)
                for (int64_t j = column; j < column_end; j++)
                    sum += kept[i * plan->columns + j];
            int64_t tile = (row_end - row) * (column_end - column);
            ink[(int64_t)y * plan->width + x] = (uint8_t)((255 * sum + tile / 2) / tile);
        }
}

static void put_figure(struct pm_text *html, const struct plan *plan, const char *caption, int64_t kept,
                       const uint8_t *ink)
{
    int64_t count = plan->rows * plan->columns, side = plan->height > plan->width ? plan->height : plan->width;
    int32_t enlarge = side < GOOD_PIXELS ? (int32_t)(GOOD_PIXELS / side) : 1;
    int exact = plan->tile_rows == 1 && plan->tile_columns == 1;
    pm_text_put(html, "<figure class=\"mask\">\n<figcaption>");
    pm_text_escaped(html, caption);
    pm_text_format(html, "</figcaption>\n<img%s width=\"%lld\" height=\"%lld\" alt=\"",
                   enlarge > 1 ? " class=\"pixels\"" : "", (long long)plan->width * enlarge,
                   (long long)plan->height * enlarge);
    pm_text_escaped(html, caption);
    pm_text_put(html, "\" src=\"");
    pm_picture(html, ink, plan->width, plan->height, exact ? 1 : 8);
    pm_text_put(html, "\" />\n<p class=\"note\">");
    pm_text_count(html, plan->rows);
    pm_text_put(html, plan->rows == 1 ? " row × " : " rows × ");
    pm_text_count(html, plan->columns);
    pm_text_put(html, plan->columns == 1 ? " column; " : " columns; ");
    pm_text_count(html, kept);
    pm_text_put(html, " of ");
    pm_text_count(html, count);
    pm_text_put(html, " elements kept (");
    pm_text_number(html, 100 * (double)kept / (double)count, 3);
    pm_text_put(html, exact ? " %), drawn dark" : " %), ");
    if (!exact)
        pm_text_format(html, "a pixel shows the density of %lld × %lld elements", (long long)plan->tile_rows,
                       (long long)plan->tile_columns);
    pm_text_put(html, "</p>\n</figure>\n");
}

int32_t prune_report_mask(prune_report *report, const char *caption, const prune_mask *mask)
{
    PR_REQUIRE(report);
    PR_REQUIRE(caption);
    PR_REQUIRE(mask);
    struct plan plan = {0};
    struct pm_block *block = NULL;
    uint8_t *kept = NULL, *ink = NULL;
    PR_TRY(make_plan(mask, &plan));
    int64_t count = prune_mask_count(mask);
    int32_t status = pr_alloc(report->context, count, 1, &kept);
    if (!status)
        status = prune_mask_to_bytes(mask, kept, count);
    if (!status)
        status = pr_alloc(report->context, (int64_t)plan.width * plan.height, 1, &ink);
    if (!status)
        status = pm_block_create(report, &block);
    if (!status) {
        shade(&plan, kept, ink);
        put_figure(&block->html, &plan, caption, prune_mask_kept(mask), ink);
        status = pm_block_finish(report, block);
    }
    if (ink)
        pr_release(report->context, ink);
    if (kept)
        pr_release(report->context, kept);
    return status;
}
