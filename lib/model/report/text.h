/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Text that grows. It remembers its first failure and takes nothing after it, so that a page is put together without a
 * check at every piece; whoever uses the result looks at `status`. Numbers come out the same in every locale.
 */
#ifndef PM_REPORT_TEXT_H
#define PM_REPORT_TEXT_H

#include <stdint.h>

#include "prune/context.h"

struct pm_text {
    prune_context *context;
    char *data;
    int64_t length, room;
    int32_t status;
};

void pm_text_free(struct pm_text *text);

void pm_text_raw(struct pm_text *text, const char *markup, int64_t length);
void pm_text_put(struct pm_text *text, const char *markup);

/* Markup with whole numbers and short pieces of markup (%d, %lld, %s), at most 1023 bytes. No %g: it follows the
 * locale. */
void pm_text_format(struct pm_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a caller wrote, for content and for attributes in double quotes. What is no UTF-8, or no character that a page
 * may have, becomes U+FFFD; a number and its "%" are not torn apart. */
void pm_text_escaped(struct pm_text *text, const char *content);

/* Up to `digits` significant digits, without trailing zeros: "93.25", "1.2e-07". */
void pm_text_number(struct pm_text *text, double number, int digits);

/* Digits in threes, a narrow space between, from 10 000 on. */
void pm_text_count(struct pm_text *text, int64_t count);

/* digits x 10^exponent, a multiple of a tick: "0.25", "40", "12 000", "1.5e-9". */
#define PM_MAX_DECIMAL 64
void pm_text_decimal(struct pm_text *text, int64_t digits, int32_t exponent);
/* The characters that it takes. */
int32_t pm_decimal_width(int64_t digits, int32_t exponent);

#endif
