/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "model/report/report.h"
#include "model/report/scale.h"

#define WIDTH 3600
#define HEIGHT 2400
#define TOP 240     /* the y axis' label stands above it */
#define BOTTOM 2040 /* below: ticks, and the x axis' label */
#define RIGHT 3480
#define CHARACTER 72 /* as wide as a digit at the largest font size */

/* Colours follow one another by 6, dashes by 4 and markers by 5, so 60 lines differ, neighbours in all three. */
#define COLOURS 6
static const char *const dashes[] = {"", "7 4", "2 3", "9 3 2 3"};
static const char *const markers[] = {
    "m-34-34h68v68h-68z",                       /* square */
    "m-37 0a37 37 0 1 0 74 0a37 37 0 1 0-74 0", /* circle */
    "m0-47l44 76h-88z",                         /* triangle */
    "m0-47l47 47l-47 47l-47-47z",               /* diamond */
    "m-38-38l76 76m0-76l-76 76",                /* cross */
};
#define COUNT_OF(array) ((int32_t)(sizeof(array) / sizeof *(array)))
#define MOST_MARKERS 60 /* beyond, a line has one marker in every so many points */

struct line {
    struct line *next;
    char *name;
    int32_t look; /* the number that stands for its colour, dash and marker */
    int32_t points;
    double *xy;
};

struct pm_chart {
    char *caption, *x_label, *y_label;
    struct line *first, *last;
};

static void free_line(prune_context *context, struct line *line)
{
    if (line->name)
        pr_release(context, line->name);
    if (line->xy)
        pr_release(context, line->xy);
    pr_release(context, line);
}

void pm_chart_free(prune_context *context, struct pm_chart *chart)
{
    while (chart->first) {
        struct line *line = chart->first;
        chart->first = line->next;
        free_line(context, line);
    }
    char *const texts[] = {chart->caption, chart->x_label, chart->y_label};
    for (int i = 0; i < 3; i++)
        if (texts[i])
            pr_release(context, texts[i]);
    pr_release(context, chart);
}

int32_t prune_report_chart(prune_report *report, const char *caption, const char *x_label, const char *y_label)
{
    PR_REQUIRE(report);
    PR_REQUIRE(caption);
    PR_REQUIRE(x_label);
    PR_REQUIRE(y_label);
    struct pm_block *block;
    PR_TRY(pm_block_create(report, &block));
    int32_t status = pr_alloc_zero(report->context, 1, sizeof *block->chart, &block->chart);
    if (!status)
        status = pr_copy_text(report->context, caption, &block->chart->caption);
    if (!status)
        status = pr_copy_text(report->context, x_label, &block->chart->x_label);
    if (!status)
        status = pr_copy_text(report->context, y_label, &block->chart->y_label);
    if (!status)
        return pm_block_finish(report, block);
    pm_block_free(report->context, block);
    return status;
}

/* Lines of one name look alike in every chart of a report; another name gets a look that no line has yet. */
static int32_t find_look(const prune_report *report, const char *name)
{
    int32_t unused = 0;
    for (const struct pm_block *block = report->first; block; block = block->next)
        for (const struct line *line = block->chart ? block->chart->first : NULL; line; line = line->next) {
            if (strcmp(line->name, name) == 0)
                return line->look;
            unused = line->look >= unused ? line->look + 1 : unused;
        }
    return unused;
}

int32_t prune_report_line(prune_report *report, const char *name, const double *xy, int32_t points)
{
    PR_REQUIRE(report);
    PR_REQUIRE(name);
    PR_REQUIRE(xy);
    struct line *line;
    if (!report->last || !report->last->chart)
        return pr_fail(PRUNE_E_ARGUMENT, "line \"%.100s\" has no chart; a chart must be the last thing in the report",
                       name);
    if (points < 1 || points > INT32_MAX / 2)
        return pr_fail(PRUNE_E_ARGUMENT, "line \"%.100s\" has %d points; it must have 1 to %d", name, (int)points,
                       INT32_MAX / 2);
    for (int32_t i = 0; i < 2 * points; i++)
        if (!(fabs(xy[i]) <= PM_MAX_DRAWN))
            return pr_fail(PRUNE_E_VALUE, "line \"%.100s\": %s of point %d is %s; it must be finite and at most 1e300",
                           name, i % 2 ? "y" : "x", (int)(i / 2),
                           isnan(xy[i])   ? "NaN"
                           : isinf(xy[i]) ? "infinite"
                                          : "larger");
    PR_TRY(pr_alloc_zero(report->context, 1, sizeof *line, &line));
    int32_t status = pr_copy_text(report->context, name, &line->name);
    if (!status)
        status = pr_alloc(report->context, 2 * (int64_t)points, sizeof *xy, &line->xy);
    if (status) {
        free_line(report->context, line);
        return status;
    }
    memcpy(line->xy, xy, 2 * (size_t)points * sizeof *xy);
    line->points = points;
    line->look = find_look(report, name);
    struct pm_chart *chart = report->last->chart;
    if (chart->last)
        chart->last->next = line;
    else
        chart->first = line;
    chart->last = line;
    return PRUNE_OK;
}

/* The paper: where x and y run, and where x begins, which depends on the width of y's ticks. */
struct frame {
    struct pm_scale x, y;
    int32_t left;
};

static int32_t place_x(const struct frame *frame, double x)
{
    return frame->left + pm_scale_place(&frame->x, x, RIGHT - frame->left);
}

static int32_t place_y(const struct frame *frame, double y)
{
    return BOTTOM - pm_scale_place(&frame->y, y, BOTTOM - TOP);
}

static struct frame make_frame(const struct pm_chart *chart)
{
    double low[2] = {0, 0}, high[2] = {1, 1};
    struct frame frame;
    for (const struct line *line = chart->first; line; line = line->next)
        for (int32_t i = 0; i < 2 * line->points; i++) {
            int first = line == chart->first && i < 2;
            low[i % 2] = first ? line->xy[i] : fmin(low[i % 2], line->xy[i]);
            high[i % 2] = first ? line->xy[i] : fmax(high[i % 2], line->xy[i]);
        }
    frame.y = pm_scale_make(low[1], high[1], 6, 1);
    frame.left = 100 + CHARACTER * pm_scale_width(&frame.y);
    frame.left = frame.left > WIDTH / 2 ? WIDTH / 2 : frame.left;
    /* As many steps as their labels leave room for. */
    for (int32_t most = 10; most > 0; most--) {
        frame.x = pm_scale_make(low[0], high[0], most, 1);
        if ((frame.x.last - frame.x.first) * (pm_scale_width(&frame.x) + 2) * CHARACTER < RIGHT - frame.left)
            break;
    }
    return frame;
}

static void put_axes(struct pm_text *text, const struct frame *frame, const struct pm_chart *chart)
{
    pm_text_put(text, "<path class=\"grid\" d=\"");
    for (int64_t i = frame->y.first; i <= frame->y.last; i++)
        pm_text_format(text, "M%d %dH%d", (int)frame->left, (int)place_y(frame, pm_scale_tick(&frame->y, i)), RIGHT);
    pm_text_put(text, "\" />\n<path class=\"axis\" d=\"");
    pm_text_format(text, "M%d %dH%d", (int)frame->left, BOTTOM, RIGHT);
    for (int64_t i = frame->x.first; i <= frame->x.last; i++)
        pm_text_format(text, "M%d %dv40", (int)place_x(frame, pm_scale_tick(&frame->x, i)), BOTTOM);
    pm_text_put(text, "\" />\n<g class=\"ticks\">\n");
    for (int64_t i = frame->y.first; i <= frame->y.last; i++) {
        pm_text_format(text, "<text class=\"end\" x=\"%d\" y=\"%d\" dy=\".35em\">", (int)frame->left - 70,
                       (int)place_y(frame, pm_scale_tick(&frame->y, i)));
        pm_text_decimal(text, i * frame->y.unit, frame->y.exponent);
        pm_text_put(text, "</text>\n");
    }
    for (int64_t i = frame->x.first; i <= frame->x.last; i++) {
        pm_text_format(text, "<text class=\"middle\" x=\"%d\" y=\"%d\" dy=\"1em\">",
                       (int)place_x(frame, pm_scale_tick(&frame->x, i)), BOTTOM + 60);
        pm_text_decimal(text, i * frame->x.unit, frame->x.exponent);
        pm_text_put(text, "</text>\n");
    }
    pm_text_put(text, "</g>\n<text class=\"label\" x=\"20\" y=\"100\">");
    pm_text_escaped(text, chart->y_label);
    pm_text_format(text, "</text>\n<text class=\"label end\" x=\"%d\" y=\"%d\" dy=\"2.3em\">", RIGHT, BOTTOM + 60);
    pm_text_escaped(text, chart->x_label);
    pm_text_put(text, "</text>\n");
}

static void put_point(struct pm_text *text, const double *xy)
{
    pm_text_number(text, xy[0], 6);
    pm_text_put(text, ", ");
    pm_text_number(text, xy[1], 6);
}

static void put_line(struct pm_text *text, const struct frame *frame, const struct line *line)
{
    int32_t look = line->look;
    pm_text_format(text, "<g class=\"line c%d\">\n<path class=\"stroke\"", (int)(look % COLOURS));
    if (*dashes[look % COUNT_OF(dashes)])
        pm_text_format(text, " stroke-dasharray=\"%s\"", dashes[look % COUNT_OF(dashes)]);
    pm_text_put(text, " d=\"");
    for (int32_t i = 0; i < line->points; i++)
        pm_text_format(text, "%s%d %d", i ? "L" : "M", (int)place_x(frame, line->xy[2 * i]),
                       (int)place_y(frame, line->xy[2 * i + 1]));
    pm_text_put(text, "\" />\n");
    for (int32_t i = 0; i < line->points; i += 1 + line->points / MOST_MARKERS) {
        pm_text_format(text, "<path class=\"marker\" d=\"M%d %d%s\"><title>", (int)place_x(frame, line->xy[2 * i]),
                       (int)place_y(frame, line->xy[2 * i + 1]), markers[look % COUNT_OF(markers)]);
        pm_text_escaped(text, line->name);
        pm_text_put(text, ": ");
        put_point(text, line->xy + 2 * i);
        pm_text_put(text, "</title></path>\n");
    }
    pm_text_put(text, "</g>\n");
}

/* What the drawing says, in words: where each line begins and ends. */
static void put_description(struct pm_text *text, const struct pm_chart *chart)
{
    pm_text_put(text, "Line chart of ");
    pm_text_escaped(text, chart->y_label);
    pm_text_put(text, " over ");
    pm_text_escaped(text, chart->x_label);
    pm_text_put(text, ".");
    for (const struct line *line = chart->first; line; line = line->next) {
        pm_text_put(text, " ");
        pm_text_escaped(text, line->name);
        pm_text_put(text, ": from (");
        put_point(text, line->xy);
        pm_text_put(text, ") to (");
        put_point(text, line->xy + 2 * (line->points - 1));
        pm_text_put(text, ").");
    }
    pm_text_put(text, "</desc>\n");
}

/* Beside the drawing and not in it: it can break over lines on a narrow page, and cannot cover a line. */
static void put_legend(struct pm_text *text, const struct pm_chart *chart)
{
    pm_text_put(text, "<ul class=\"legend\">\n");
    for (const struct line *line = chart->first; line; line = line->next) {
        pm_text_format(text,
                       "<li><svg class=\"key line c%d\" viewBox=\"0 0 480 160\" aria-hidden=\"true\"><path "
                       "class=\"stroke\" stroke-dasharray=\"%s\" d=\"M10 80H470\" /><path class=\"marker\" "
                       "d=\"M240 80%s\" /></svg> ",
                       (int)(line->look % COLOURS),
                       line->look % COUNT_OF(dashes) ? dashes[line->look % COUNT_OF(dashes)] : "none",
                       markers[line->look % COUNT_OF(markers)]);
        pm_text_escaped(text, line->name);
        pm_text_put(text, "</li>\n");
    }
    pm_text_put(text, "</ul>\n");
}

/* Where the names in a chart that stands alone are: below the drawing, as many side by side as there is room for. */
#define ABOVE 160 /* for the caption */
#define LEGEND_LEFT 100
#define LEGEND_ROW 140
#define KEY 480
#define LETTER 46 /* as wide as most */

static int32_t letters(const char *name)
{
    int32_t count = 0;
    for (; *name && count < WIDTH; name++)
        count += (*name & 0xC0) != 0x80;
    return count;
}

/* Puts the legend, or with NULL only measures it: its rows. */
static int32_t legend_alone(struct pm_text *text, const struct pm_chart *chart)
{
    int32_t x = LEGEND_LEFT, row = 0;
    for (const struct line *line = chart->first; line; line = line->next) {
        int32_t width = KEY + 60 + LETTER * letters(line->name) + 120;
        if (x > LEGEND_LEFT && x + width > WIDTH) {
            x = LEGEND_LEFT;
            row++;
        }
        if (text) {
            const char *dash = dashes[line->look % COUNT_OF(dashes)];
            pm_text_format(text,
                           "<g transform=\"translate(%d %d)\"><g class=\"line c%d\"><path class=\"stroke\" "
                           "stroke-dasharray=\"%s\" d=\"M10 0H%d\" /><path class=\"marker\" d=\"M%d 0%s\" /></g>"
                           "<text class=\"name\" x=\"%d\" dy=\".35em\">",
                           (int)x, HEIGHT + 40 + LEGEND_ROW * (int)row, (int)(line->look % COLOURS),
                           *dash ? dash : "none", KEY - 10, KEY / 2, markers[line->look % COUNT_OF(markers)], KEY + 60);
            pm_text_escaped(text, line->name);
            pm_text_put(text, "</text></g>\n");
        }
        x += width;
    }
    return row + 1;
}

void pm_chart_draw_alone(struct pm_text *text, const struct pm_chart *chart)
{
    struct frame frame = make_frame(chart);
    int height = ABOVE + HEIGHT + (chart->first ? LEGEND_ROW * legend_alone(NULL, chart) : 0);
    pm_text_format(text,
                   "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" "
                   "role=\"img\" aria-labelledby=\"t d\">\n<title id=\"t\">",
                   WIDTH, height, WIDTH / 5, height / 5);
    pm_text_escaped(text, chart->caption);
    pm_text_put(text, "</title>\n<desc id=\"d\">");
    put_description(text, chart);
    pm_text_put(text, "<style>\n");
    for (int i = 0; pm_chart_style[i]; i++)
        pm_text_put(text, pm_chart_style[i]);
    pm_text_put(text, "</style>\n<text class=\"caption\" x=\"20\" y=\"120\">");
    pm_text_escaped(text, chart->caption);
    pm_text_format(text, "</text>\n<g transform=\"translate(0 %d)\">\n", ABOVE);
    put_axes(text, &frame, chart);
    for (const struct line *line = chart->first; line; line = line->next)
        put_line(text, &frame, line);
    if (chart->first)
        legend_alone(text, chart);
    pm_text_put(text, "</g>\n</svg>\n");
}

void pm_chart_draw(struct pm_text *text, const struct pm_chart *chart, int32_t number)
{
    struct frame frame = make_frame(chart);
    pm_text_put(text, "<figure class=\"chart\">\n<figcaption>");
    pm_text_escaped(text, chart->caption);
    pm_text_put(text, "</figcaption>\n");
    pm_svg_begin(text, chart->caption, number, WIDTH, HEIGHT);
    put_description(text, chart);
    put_axes(text, &frame, chart);
    for (const struct line *line = chart->first; line; line = line->next)
        put_line(text, &frame, line);
    pm_text_put(text, "</svg>\n");
    if (chart->first)
        put_legend(text, chart);
    pm_text_put(text, "</figure>\n");
}
