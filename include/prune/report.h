/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Report: one self-contained HTML page with inline SVG, readable in print, on a phone, in light and dark.
 */
#ifndef PRUNE_REPORT_H
#define PRUNE_REPORT_H

#include <stdint.h>

#include "prune/network.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A page that is being put together, block by block, from top to bottom. Belongs to one thread. Texts are UTF-8 and are
 * escaped; bytes that are no UTF-8, and control characters, become U+FFFD. A call that fails leaves the page as it was.
 */
typedef struct prune_report prune_report;

/* A page that has a title and nothing else. */
PRUNE_API int32_t prune_report_create(prune_report **out, prune_context *context, const char *title);
PRUNE_API void prune_report_free(prune_report *report);

/* A paragraph; a heading under which what follows stands. */
PRUNE_API int32_t prune_report_text(prune_report *report, const char *paragraph);
PRUNE_API int32_t prune_report_heading(prune_report *report, const char *heading);

/* A table: `cells` has rows x columns texts, row by row, the first row the head. The first column is set left, the
 * others right. */
PRUNE_API int32_t prune_report_table(prune_report *report, const char *caption, int32_t rows, int32_t columns,
                                     const char *const *cells);

/* A line chart. First the frame, then its lines: `points` x, y pairs of numbers (x0, y0, x1, y1, ...), all finite and
 * at most 1e300 (PRUNE_E_VALUE otherwise), 1 or more of them. PRUNE_E_ARGUMENT for a line when the last thing added was
 * no chart or line. Lines of one name look alike in every chart of the page. */
PRUNE_API int32_t prune_report_chart(prune_report *report, const char *caption, const char *x_label,
                                     const char *y_label);
PRUNE_API int32_t prune_report_line(prune_report *report, const char *name, const double *xy, int32_t points);

/* Horizontal bars, one below the other: `count` (1 to 10000) names with a value of 0 or more each, which stands behind
 * its bar; a bar of `most` (0: the largest value) or more is as long as there is room. PRUNE_E_VALUE for a value that
 * is negative, not finite or above 1e300. */
PRUNE_API int32_t prune_report_bars(prune_report *report, const char *caption, int32_t count, const char *const *names,
                                    const double *values, double most);

/* A histogram of the elements of `tensor` (F32) that `mask` keeps (NULL: all) in `bins` equal bins from -limit to limit
 * (limit 0: the largest magnitude), 1 to 1000 bins. Kept elements beyond the limit are not drawn, but their number is
 * given; one that is not finite is PRUNE_E_VALUE. Histograms that follow one another stand side by side where there is
 * room. */
PRUNE_API int32_t prune_report_histogram(prune_report *report, const char *caption, const prune_tensor *tensor,
                                         const prune_mask *mask, int32_t bins, double limit);

/* A picture of a mask as a matrix, row 0 at the top, kept elements dark; a tensor of shape [r, ...] counts as
 * a matrix of r rows, a vector as one row. Above 1024 rows or columns a pixel shows the density of a tile. */
PRUNE_API int32_t prune_report_mask(prune_report *report, const char *caption, const prune_mask *mask);

/* Writes the page, atomically. */
PRUNE_API int32_t prune_report_write(const prune_report *report, const char *path);

/* Writes chart number `index` of the page, counted from 0, as an SVG file that needs nothing else: its caption, its
 * legend and its colours, for light and dark, are inside. Atomically; PRUNE_E_ARGUMENT when there is no such chart. */
PRUNE_API int32_t prune_report_write_chart(const prune_report *report, int32_t index, const char *path);

#ifdef __cplusplus
}
#endif
#endif
