/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/report/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

#define NARROW_SPACE "\xe2\x80\xaf" /* U+202F, does not break */
#define NO_BREAK_SPACE "\xc2\xa0"
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

void pm_text_free(struct pm_text *text)
{
    if (text->data)
        pr_release(text->context, text->data);
    text->data = NULL;
    text->length = text->room = 0;
}

static int32_t make_room(struct pm_text *text, int64_t length)
{
    int64_t needed = 0, room = text->room ? text->room : 1024;
    char *data;
    PR_TRY(pr_add(text->length, length, &needed));
    if (needed <= text->room)
        return PRUNE_OK;
    while (room < needed)
        PR_TRY(pr_mul(room, 2, &room));
    PR_TRY(pr_alloc(text->context, room, 1, &data));
    if (text->data) {
        memcpy(data, text->data, (size_t)text->length);
        pr_release(text->context, text->data);
    }
    text->data = data;
    text->room = room;
    return PRUNE_OK;
}

void pm_text_raw(struct pm_text *text, const char *markup, int64_t length)
{
    if (text->status || length == 0 || (text->status = make_room(text, length)))
        return;
    memcpy(text->data + text->length, markup, (size_t)length);
    text->length += length;
}

void pm_text_put(struct pm_text *text, const char *markup)
{
    pm_text_raw(text, markup, (int64_t)strlen(markup));
}

void pm_text_format(struct pm_text *text, const char *format, ...)
{
    char piece[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    pm_text_put(text, piece);
}

/* The length of the well-formed UTF-8 sequence at `p`, 0 when there is none; *code is the character. */
static int32_t sequence(const unsigned char *p, uint32_t *code)
{
    static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
    int32_t length = p[0] < 0x80                   ? 1
                     : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
                     : (p[0] & 0xf0) == 0xe0       ? 3
                     : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                                   : 0;
    if (length < 2) {
        *code = p[0];
        return length;
    }
    *code = p[0] & (0x7fu >> length);
    for (int32_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80) /* the NUL at the end is none either */
            return 0;
        *code = *code << 6 | (p[i] & 0x3fu);
    }
    return *code < least[length] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000) ? 0 : length;
}

static int is_allowed(uint32_t code)
{
    if (code < 0x20)
        return code == '\t' || code == '\n' || code == '\r';
    return !(code >= 0x7f && code < 0xa0) && (code & 0xfffe) != 0xfffe && !(code >= 0xfdd0 && code < 0xfdf0);
}

void pm_text_escaped(struct pm_text *text, const char *content)
{
    static const char *const escapes[128] = {
        ['&'] = "&amp;", ['<'] = "&lt;", ['>'] = "&gt;", ['"'] = "&quot;", ['\''] = "&#39;"};
    const unsigned char *p = (const unsigned char *)content;
    while (*p) {
        uint32_t code;
        int32_t length = sequence(p, &code);
        if (length == 0 || !is_allowed(code))
            pm_text_put(text, REPLACEMENT);
        else if (code < 128 && escapes[code])
            pm_text_put(text, escapes[code]);
        else if (code == ' ' && p[1] == '%' && p > (const unsigned char *)content && p[-1] >= '0' && p[-1] <= '9')
            pm_text_put(text, NO_BREAK_SPACE); /* "8 %" stays on one line */
        else
            pm_text_raw(text, (const char *)p, length);
        p += length ? length : 1;
    }
}

void pm_text_number(struct pm_text *text, double number, int digits)
{
    char printed[40];
    snprintf(printed, sizeof printed, "%.*g", digits, number);
    /* The host's locale may have put another decimal point there, of one byte or more. */
    for (const char *p = printed; *p; p++)
        if (strchr("0123456789+-e", *p))
            pm_text_raw(text, p, 1);
        else if (p == printed || strchr("0123456789", p[-1]))
            pm_text_put(text, ".");
}

/* Groups of three from the right when there are five digits or more. */
static void put_grouped(struct pm_text *text, const char *digits, int32_t count)
{
    for (int32_t i = 0; i < count; i++) {
        if (i > 0 && count > 4 && (count - i) % 3 == 0)
            pm_text_put(text, NARROW_SPACE);
        pm_text_raw(text, digits + i, 1);
    }
}

void pm_text_count(struct pm_text *text, int64_t count)
{
    char digits[24];
    put_grouped(text, digits, snprintf(digits, sizeof digits, "%lld", (long long)count));
}

/* With all its zeros where that stays short, else as d.ddde10. */
void pm_text_decimal(struct pm_text *text, int64_t digits, int32_t exponent)
{
    char s[PM_MAX_DECIMAL];
    int32_t length = snprintf(s, sizeof s, "%lld", (long long)(digits < 0 ? -digits : digits));
    if (digits < 0)
        pm_text_put(text, "\xe2\x88\x92"); /* U+2212, as wide as a plus */
    if (digits == 0) {
        pm_text_put(text, "0");
    } else if (exponent >= 0 && length + exponent <= 7) {
        memset(s + length, '0', (size_t)exponent);
        put_grouped(text, s, length + exponent);
    } else if (exponent < 0 && exponent >= -6) {
        int32_t whole = length + exponent;
        if (whole > 0)
            pm_text_raw(text, s, whole);
        else
            pm_text_put(text, "0");
        pm_text_put(text, ".");
        for (int32_t i = whole; i < 0; i++)
            pm_text_put(text, "0");
        pm_text_put(text, s + (whole > 0 ? whole : 0));
    } else {
        exponent += length - 1;
        while (length > 1 && s[length - 1] == '0')
            length--;
        pm_text_raw(text, s, 1);
        if (length > 1)
            pm_text_put(text, ".");
        pm_text_raw(text, s + 1, length - 1);
        pm_text_format(text, "e%d", (int)exponent);
    }
}

int32_t pm_decimal_width(int64_t digits, int32_t exponent)
{
    int32_t length = digits < 0, extra = 0;
    for (int64_t d = digits; d != 0; d /= 10)
        length++;
    if (digits == 0)
        return 1;
    if (exponent >= 0 && length + exponent <= 7)
        return length + exponent + (length + exponent > 4);
    if (exponent < 0 && exponent >= -6) {
        extra = 1 - exponent - length + (digits < 0);
        return length + 1 + (extra > 0 ? extra : 0);
    }
    return length + 5;
}
