/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The report from the inside: a list of blocks. A block is finished markup, except for a chart, which is drawn when all
 * its lines are known. Drawings measure their paper in tenths of what would be a pixel at their natural size, in whole
 * numbers, so that no number in them depends on a locale.
 */
#ifndef PM_REPORT_H
#define PM_REPORT_H

#include "model/report/text.h"
#include "prune/report.h"

struct pm_chart;

struct pm_block {
    struct pm_block *next;
    struct pm_text html;
    struct pm_chart *chart; /* NULL for everything else */
    int side_by_side;       /* stands beside its neighbours of the same sort */
};

struct prune_report {
    prune_context *context;
    char *title;
    struct pm_block *first, *last;
    int32_t count;
};

/* A new block that is not in the list yet, and one that is finished: put at the end of the list, or dropped with the
 * status of its text. */
int32_t pm_block_create(prune_report *report, struct pm_block **out);
int32_t pm_block_finish(prune_report *report, struct pm_block *block);
void pm_block_free(prune_context *context, struct pm_block *block);

void pm_chart_free(prune_context *context, struct pm_chart *chart);
void pm_chart_draw(struct pm_text *text, const struct pm_chart *chart, int32_t number);
void pm_chart_draw_alone(struct pm_text *text, const struct pm_chart *chart); /* as a whole SVG file */

/* `<svg ...><title>caption</title><desc>`: to be followed by the description, "</desc>", the drawing and "</svg>".
 * `number` tells the drawings of a page apart. */
void pm_svg_begin(struct pm_text *text, const char *caption, int32_t number, int32_t width, int32_t height);

/* The whole style sheet of a page, and of a chart that stands alone, in pieces that end with NULL. */
extern const char *const pm_report_style[], *const pm_chart_style[];

#endif
