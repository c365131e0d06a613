/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/io/json.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "model/io/io.h"

static int is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_space(struct pm_json *json)
{
    while (json->at < json->length && strchr(" \t\n\r", json->text[json->at]) && json->text[json->at])
        json->at++;
}

static int32_t refuse(const struct pm_json *json, const char *expected, const char *where)
{
    char found[16] = "the end";
    if (json->at < json->length) {
        unsigned char c = (unsigned char)json->text[json->at];
        snprintf(found, sizeof found, c > 0x20 && c < 0x7f ? "'%c'" : "byte 0x%02x", c);
    }
    return pr_fail(PRUNE_E_FORMAT, "byte %lld of the JSON header: %s is expected %s, not %s", (long long)json->at,
                   expected, where, found);
}

int pm_json_take(struct pm_json *json, char c)
{
    skip_space(json);
    if (json->at >= json->length || json->text[json->at] != c)
        return 0;
    json->at++;
    return 1;
}

int32_t pm_json_expect(struct pm_json *json, char c, const char *where)
{
    const char name[] = {'"', c, '"', '\0'};
    return pm_json_take(json, c) ? PRUNE_OK : refuse(json, name, where);
}

int32_t pm_json_end(struct pm_json *json)
{
    skip_space(json);
    return json->at == json->length ? PRUNE_OK : refuse(json, "nothing", "after the last \"}\"");
}

int32_t pm_json_whole(struct pm_json *json, int64_t *value, const char *where)
{
    skip_space(json);
    const char *digits = json->text + json->at;
    int64_t left = json->length - json->at, length = 0, number = 0;
    while (length < left && is_digit(digits[length])) {
        int64_t digit = digits[length++] - '0';
        if (__builtin_mul_overflow(number, 10, &number) || __builtin_add_overflow(number, digit, &number))
            return pr_fail(PRUNE_E_FORMAT, "byte %lld of the JSON header: the number %s does not fit in 63 bits",
                           (long long)json->at, where);
    }
    json->at += length;
    if (length == 0 || (length > 1 && digits[0] == '0') ||
        (length < left && digits[length] && strchr(".eE+-", digits[length])))
        return refuse(json, "a whole number in plain digits", where);
    *value = number;
    return PRUNE_OK;
}

/* Four hexadecimal digits, or -1. */
static int32_t hexadecimal(const char *text, int64_t left)
{
    int32_t value = 0;
    if (left < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = text[i];
        int32_t digit = is_digit(c)            ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_utf8(char *to, int32_t code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xc0 | code >> 6);
        *to++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *to++ = (char)(0xe0 | code >> 12);
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    } else {
        *to++ = (char)(0xf0 | code >> 18);
        *to++ = (char)(0x80 | (code >> 12 & 63));
        *to++ = (char)(0x80 | (code >> 6 & 63));
        *to++ = (char)(0x80 | (code & 63));
    }
    return to;
}

/* What follows a backslash. It never becomes longer than it was written. */
static int32_t escape(struct pm_json *json, char **to)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    char c = json->at < json->length ? json->text[json->at] : '\0';
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        *(*to)++ = meanings[letter - letters];
        json->at++;
        return PRUNE_OK;
    }
    if (c != 'u')
        return refuse(json, "an escape of JSON", "after a backslash");
    int32_t code = hexadecimal(json->text + json->at + 1, json->length - json->at - 1);
    int64_t used = 5;
    if (code >= 0xd800 && code < 0xdc00) {
        const char *pair = json->text + json->at + 5;
        int64_t left = json->length - json->at - 5;
        int32_t low = left >= 6 && pair[0] == '\\' && pair[1] == 'u' ? hexadecimal(pair + 2, left - 2) : -1;
        code = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00) : -1;
        used = 11;
    } else if (code >= 0xdc00 && code < 0xe000) {
        code = -1;
    }
    if (code == 0)
        return pr_fail(PRUNE_E_FORMAT,
                       "byte %lld of the JSON header: a string holds a NUL character; names and texts cannot",
                       (long long)json->at);
    if (code < 0)
        return refuse(json, "\\u with four digits, surrogates in pairs,", "in a string");
    *to = put_utf8(*to, code);
    json->at += used;
    return PRUNE_OK;
}

int32_t pm_json_string(struct pm_json *json, char **string, const char *where)
{
    PR_TRY(pm_json_expect(json, '"', where));
    char *start = json->text + json->at, *to = start;
    for (;;) {
        char c = json->at < json->length ? json->text[json->at] : '\0';
        if (json->at >= json->length || (unsigned char)c < 0x20)
            return refuse(json, "a closing quote", where);
        json->at++;
        if (c == '"')
            break;
        if (c == '\\')
            PR_TRY(escape(json, &to));
        else
            *to++ = c;
    }
    if (!pm_is_utf8(start, to - start))
        return pr_fail(PRUNE_E_FORMAT, "byte %lld of the JSON header: the string there is not UTF-8",
                       (long long)(start - json->text));
    *to = '\0';
    *string = start;
    return PRUNE_OK;
}

/* A number, true, false or null: what may stand in one is taken as it is. */
static int32_t skip_word(struct pm_json *json)
{
    int64_t begin = json->at;
    while (json->at < json->length && json->text[json->at] &&
           strchr("+-.0123456789abcdefghijklmnopqrstuvwxyzE", json->text[json->at]))
        json->at++;
    return json->at > begin ? PRUNE_OK : refuse(json, "a value", "after a key");
}

int32_t pm_json_skip(struct pm_json *json)
{
    char closing[64], *text;
    int depth = 0;
    for (;;) {
        int opens = pm_json_take(json, '{') ? '}' : pm_json_take(json, '[') ? ']' : 0, is_empty = 0;
        if (opens && depth == (int)sizeof closing)
            return pr_fail(PRUNE_E_FORMAT, "byte %lld of the JSON header: values are nested more than %d deep",
                           (long long)json->at, (int)sizeof closing);
        if (opens) {
            closing[depth++] = (char)opens;
            is_empty = pm_json_take(json, closing[depth - 1]);
            depth -= is_empty;
        } else if (json->at < json->length && json->text[json->at] == '"') {
            PR_TRY(pm_json_string(json, &text, "as a value"));
        } else {
            PR_TRY(skip_word(json));
        }
        if (!opens || is_empty) { /* a value is whole: what it ends goes too, or another follows */
            while (depth > 0 && pm_json_take(json, closing[depth - 1]))
                depth--;
            if (depth == 0)
                return PRUNE_OK;
            PR_TRY(pm_json_expect(json, ',', "between values"));
        }
        if (closing[depth - 1] == '}') {
            PR_TRY(pm_json_string(json, &text, "as a key"));
            PR_TRY(pm_json_expect(json, ':', "after a key"));
        }
    }
}
