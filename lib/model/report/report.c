/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/report/report.h"

#include "base/alloc.h"
#include "model/io/io.h"

int32_t prune_report_create(prune_report **out, prune_context *context, const char *title)
{
    PR_REQUIRE(out);
    PR_REQUIRE(title);
    prune_report *report;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *report, &report));
    int32_t status = pr_copy_text(context, title, &report->title);
    if (status) {
        pr_release(context, report);
        return status;
    }
    report->context = prune_context_retain(context);
    *out = report;
    return PRUNE_OK;
}

void prune_report_free(prune_report *report)
{
    if (!report)
        return;
    prune_context *context = report->context;
    while (report->first) {
        struct pm_block *block = report->first;
        report->first = block->next;
        pm_block_free(context, block);
    }
    pr_release(context, report->title);
    pr_release(context, report);
    prune_context_free(context);
}

int32_t pm_block_create(prune_report *report, struct pm_block **out)
{
    struct pm_block *block;
    PR_TRY(pr_alloc_zero(report->context, 1, sizeof *block, &block));
    block->html.context = report->context;
    *out = block;
    return PRUNE_OK;
}

void pm_block_free(prune_context *context, struct pm_block *block)
{
    pm_text_free(&block->html);
    if (block->chart)
        pm_chart_free(context, block->chart);
    pr_release(context, block);
}

int32_t pm_block_finish(prune_report *report, struct pm_block *block)
{
    int32_t status = block->html.status;
    if (!status && report->count == INT32_MAX)
        status = pr_fail(PRUNE_E_OVERFLOW, "the report has %d blocks and takes no more", (int)report->count);
    if (status) {
        pm_block_free(report->context, block);
        return status;
    }
    if (report->last)
        report->last->next = block;
    else
        report->first = block;
    report->last = block;
    report->count++;
    return PRUNE_OK;
}

static int32_t add_element(prune_report *report, const char *element, const char *content)
{
    struct pm_block *block;
    PR_TRY(pm_block_create(report, &block));
    pm_text_format(&block->html, "<%s>", element);
    pm_text_escaped(&block->html, content);
    pm_text_format(&block->html, "</%s>\n", element);
    return pm_block_finish(report, block);
}

int32_t prune_report_text(prune_report *report, const char *paragraph)
{
    PR_REQUIRE(report);
    PR_REQUIRE(paragraph);
    return add_element(report, "p", paragraph);
}

int32_t prune_report_heading(prune_report *report, const char *heading)
{
    PR_REQUIRE(report);
    PR_REQUIRE(heading);
    return add_element(report, "h2", heading);
}

void pm_svg_begin(struct pm_text *text, const char *caption, int32_t number, int32_t width, int32_t height)
{
    pm_text_format(text, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"t%d d%d\">\n<title id=\"t%d\">",
                   (int)width, (int)height, (int)number, (int)number, (int)number);
    pm_text_escaped(text, caption);
    pm_text_format(text, "</title>\n<desc id=\"d%d\">", (int)number);
}

/* Well-formed as XML too, so that any parser can read it. */
static void put_page(struct pm_text *page, const prune_report *report)
{
    pm_text_put(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\" />\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
                      "<meta name=\"color-scheme\" content=\"light dark\" />\n"
                      "<meta name=\"generator\" content=\"libprune " PRUNE_VERSION_STRING "\" />\n<title>");
    pm_text_escaped(page, report->title);
    pm_text_put(page, "</title>\n<style>\n");
    for (int i = 0; pm_report_style[i]; i++)
        pm_text_put(page, pm_report_style[i]);
    pm_text_put(page, "</style>\n</head>\n<body>\n<main>\n<h1>");
    pm_text_escaped(page, report->title);
    pm_text_put(page, "</h1>\n");
    int in_row = 0;
    int32_t number = 0;
    for (const struct pm_block *block = report->first; block; block = block->next) {
        if (block->side_by_side != in_row)
            pm_text_put(page, in_row ? "</div>\n" : "<div class=\"row\">\n");
        in_row = block->side_by_side;
        if (block->chart)
            pm_chart_draw(page, block->chart, number);
        else
            pm_text_raw(page, block->html.data, block->html.length);
        number++;
    }
    pm_text_put(page, in_row ? "</div>\n</main>\n</body>\n</html>\n" : "</main>\n</body>\n</html>\n");
}

/* Writes and frees the text. */
static int32_t write_text(const prune_report *report, struct pm_text *text, const char *path)
{
    struct pm_output output;
    int32_t status = text->status;
    if (!status && !(status = pm_output_open(&output, report->context, path))) {
        status = pm_output_write(&output, text->data, text->length);
        if (!status)
            status = pm_output_commit(&output);
        pm_output_close(&output);
    }
    pm_text_free(text);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

int32_t prune_report_write(const prune_report *report, const char *path)
{
    PR_REQUIRE(report);
    PR_REQUIRE(path);
    struct pm_text page = {.context = report->context};
    put_page(&page, report);
    return write_text(report, &page, path);
}

int32_t prune_report_write_chart(const prune_report *report, int32_t index, const char *path)
{
    PR_REQUIRE(report);
    PR_REQUIRE(path);
    struct pm_text drawing = {.context = report->context};
    int32_t charts = 0;
    for (const struct pm_block *block = report->first; block; block = block->next) {
        if (!block->chart || charts++ != index)
            continue;
        pm_chart_draw_alone(&drawing, block->chart);
        return write_text(report, &drawing, path);
    }
    return pr_fail(PRUNE_E_ARGUMENT, "there is no chart %d; the report has %d, counted from 0", (int)index,
                   (int)charts);
}
