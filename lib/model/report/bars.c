/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "model/report/report.h"
#include "model/report/scale.h"

#define WIDTH 3600
#define ROW 180
#define BAR 120
#define CHARACTER 72
#define MOST_CHARACTERS 26 /* of a name; of a longer one the end is shown */
#define VALUE 560          /* for the number behind a bar */
#define MOST_BARS 10000

static int is_inside(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80; /* a character of several bytes goes on */
}

static int32_t characters(const char *text)
{
    int32_t count = 0;
    for (; *text && count < INT32_MAX; text++)
        count += !is_inside(*text);
    return count;
}

static void put_name(struct pm_text *text, const char *name)
{
    int32_t count = characters(name), skipped = 0;
    if (count > MOST_CHARACTERS) {
        pm_text_put(text, "\xE2\x80\xA6"); /* ... */
        for (; skipped < count - MOST_CHARACTERS + 1 || is_inside(*name); name++)
            skipped += !is_inside(*name);
    }
    pm_text_escaped(text, name);
}

static void put_bars(struct pm_text *text, int32_t count, const char *const *names, const double *values, double most)
{
    int32_t longest = 0;
    for (int32_t i = 0; i < count; i++) {
        int32_t length = characters(names[i]);
        longest = length > longest ? length : longest;
    }
    int32_t left = CHARACTER * (longest < MOST_CHARACTERS ? longest : MOST_CHARACTERS) + 100;
    for (int32_t i = 0; i < count; i++) {
        int32_t y = i * ROW, middle = y + ROW / 2;
        double part = most > 0 && values[i] < most ? values[i] / most : most > 0 && values[i] > 0;
        int32_t width = (int32_t)(part * (WIDTH - left - VALUE) + 0.5);
        pm_text_format(text, "<text x=\"0\" y=\"%d\" dy=\".35em\">", (int)middle);
        put_name(text, names[i]);
        pm_text_format(text, "</text>\n<g class=\"bars\"><rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>",
                       (int)left, (int)(y + (ROW - BAR) / 2), (int)width, BAR);
        pm_text_escaped(text, names[i]);
        pm_text_put(text, ": ");
        pm_text_number(text, values[i], 6);
        pm_text_format(text, "</title></rect></g>\n<text class=\"ticks\" x=\"%d\" y=\"%d\" dy=\".35em\">",
                       (int)(left + width + 40), (int)middle);
        pm_text_number(text, values[i], 4);
        pm_text_put(text, "</text>\n");
    }
}

static int32_t check(int32_t count, const char *const *names, const double *values, double *most)
{
    double largest = 0;
    if (count < 1 || count > MOST_BARS)
        return pr_fail(PRUNE_E_ARGUMENT, "%d bars; it must be from 1 to %d", (int)count, MOST_BARS);
    if (!(*most >= 0 && *most <= PM_MAX_DRAWN))
        return pr_fail(PRUNE_E_ARGUMENT, "most is %s; it must be 0, for the largest value, or up to 1e300",
                       isnan(*most) ? "NaN"
                       : *most < 0  ? "negative"
                                    : "too large");
    for (int32_t i = 0; i < count; i++) {
        if (!names[i])
            return pr_fail(PRUNE_E_ARGUMENT, "bar %d has no name; each must have one", (int)i);
        if (!(values[i] >= 0 && values[i] <= PM_MAX_DRAWN))
            return pr_fail(PRUNE_E_VALUE, "bar %d is %s; it must be from 0 to 1e300", (int)i,
                           isnan(values[i]) ? "NaN"
                           : values[i] < 0  ? "negative"
                                            : "too large");
        largest = values[i] > largest ? values[i] : largest;
    }
    *most = *most > 0 ? *most : largest;
    return PRUNE_OK;
}

int32_t prune_report_bars(prune_report *report, const char *caption, int32_t count, const char *const *names,
                          const double *values, double most)
{
    struct pm_block *block;
    PR_REQUIRE(report);
    PR_REQUIRE(caption);
    PR_REQUIRE(names);
    PR_REQUIRE(values);
    PR_TRY(check(count, names, values, &most));
    PR_TRY(pm_block_create(report, &block));
    struct pm_text *text = &block->html;
    pm_text_put(text, "<figure class=\"chart\">\n<figcaption>");
    pm_text_escaped(text, caption);
    pm_text_put(text, "</figcaption>\n");
    pm_svg_begin(text, caption, report->count, WIDTH, count * ROW);
    pm_text_format(text, "%d bars, the longest possible ", (int)count);
    pm_text_number(text, most, 6);
    pm_text_put(text, ".</desc>\n");
    put_bars(text, count, names, values, most);
    pm_text_put(text, "</svg>\n</figure>\n");
    return pm_block_finish(report, block);
}
