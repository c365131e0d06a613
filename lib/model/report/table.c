/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/checked.h"
#include "model/report/report.h"

/* The head names columns, the first column names rows; an empty corner names nothing. */
static void put_cell(struct pm_text *html, const char *cell, int in_head, int in_first_column)
{
    const char *element = *cell && (in_head || in_first_column) ? "th" : "td";
    pm_text_format(html, "<%s%s>", element,
                   *element != 't' || element[1] != 'h' ? ""
                   : in_head                            ? " scope=\"col\""
                                                        : " scope=\"row\"");
    pm_text_escaped(html, cell);
    pm_text_format(html, "</%s>", element);
}

int32_t prune_report_table(prune_report *report, const char *caption, int32_t rows, int32_t columns,
                           const char *const *cells)
{
    PR_REQUIRE(report);
    PR_REQUIRE(caption);
    PR_REQUIRE(cells);
    struct pm_block *block;
    if (rows < 1 || columns < 1)
        return pr_fail(PRUNE_E_ARGUMENT, "a table of %d rows and %d columns; it must have at least one of each",
                       (int)rows, (int)columns);
    for (int64_t i = 0; i < (int64_t)rows * columns; i++)
        if (!cells[i])
            return pr_fail(PRUNE_E_ARGUMENT, "the cell in row %lld, column %lld is NULL; write \"\" for an empty one",
                           (long long)(i / columns), (long long)(i % columns));
    PR_TRY(pm_block_create(report, &block));
    struct pm_text *html = &block->html;
    pm_text_put(html, "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"");
    pm_text_escaped(html, caption);
    pm_text_put(html, "\">\n<table>\n<caption><span>");
    pm_text_escaped(html, caption);
    pm_text_put(html, "</span></caption>\n<thead>\n");
    for (int32_t row = 0; row < rows; row++) {
        pm_text_put(html, "<tr>");
        for (int32_t column = 0; column < columns; column++)
            put_cell(html, cells[(int64_t)row * columns + column], row == 0, column == 0);
        pm_text_put(html, row > 0 ? "</tr>\n" : rows > 1 ? "</tr>\n</thead>\n<tbody>\n" : "</tr>\n</thead>\n");
    }
    pm_text_put(html, rows > 1 ? "</tbody>\n</table>\n</div>\n" : "</table>\n</div>\n");
    return pm_block_finish(report, block);
}
