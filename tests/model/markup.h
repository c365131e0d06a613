/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What tests of the report need: whether markup is well-formed, and the samples of a PNG in a data URI.
 */
#ifndef PM_TESTS_MARKUP_H
#define PM_TESTS_MARKUP_H

#include <ctype.h>
#include <zlib.h>

#include "testing.h"

static inline int count_of(const char *text, const char *piece)
{
    int count = 0;
    for (const char *p = strstr(text, piece); p; p = strstr(p + strlen(piece), piece))
        count++;
    return count;
}

/* One of the five references that a page may have; its length, or 0. */
static inline size_t reference_at(const char *p)
{
    static const char *const references[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (int i = 0; i < 5; i++)
        if (strncmp(p, references[i], strlen(references[i])) == 0)
            return strlen(references[i]);
    return 0;
}

/* The end of a tag that begins at `p`, with its attributes in double quotes, each once; NULL when it is none. */
static inline const char *tag_end(const char *p)
{
    const char *names[20];
    size_t lengths[20];
    int count = 0;
    while (*p && !isspace((unsigned char)*p) && *p != '>' && *p != '/')
        p++;
    for (;;) {
        while (isspace((unsigned char)*p))
            p++;
        if (*p == '>' || (*p == '/' && p[1] == '>'))
            return p;
        const char *name = p;
        while (islower((unsigned char)*p) || *p == '-' || *p == 'B') /* viewBox */
            p++;
        size_t length = (size_t)(p - name);
        if (length == 0 || p[0] != '=' || p[1] != '"' || count == 20)
            return NULL;
        for (int i = 0; i < count; i++)
            if (lengths[i] == length && memcmp(names[i], name, length) == 0)
                return NULL;
        names[count] = name;
        lengths[count++] = length;
        for (p += 2; *p && *p != '"'; p++)
            if (*p == '<' || (*p == '&' && !reference_at(p)))
                return NULL;
        if (*p++ != '"')
            return NULL;
    }
}

/* NULL when every element is closed in its turn and everything else is text; otherwise where it goes wrong. */
static inline const char *first_flaw(const char *page)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    const char *open[40];
    int depth = 0, roots = 0;
    if (strncmp(page, doctype, sizeof doctype - 1) != 0)
        return page;
    for (const char *p = page + sizeof doctype - 1; *p;) {
        if (*p != '<') {
            size_t length = *p == '&' ? reference_at(p) : *p == '>' && depth == 0 ? 0 : 1;
            if (length == 0 || (depth == 0 && !isspace((unsigned char)*p)))
                return p;
            p += length;
            continue;
        }
        int closing = p[1] == '/';
        const char *name = p + 1 + closing, *end = tag_end(name);
        size_t length = strcspn(name, " \n/>");
        if (!end || length == 0)
            return p;
        if (closing) {
            if (depth == 0 || strncmp(open[depth - 1], name, length) != 0 ||
                strcspn(open[depth - 1], " \n/>") != length)
                return p;
            depth--;
        } else if (*end == '>') {
            if (depth == 40 || (depth == 0 && roots++))
                return p;
            open[depth++] = name;
        }
        p = end + (*end == '/' ? 2 : 1);
    }
    return depth || roots != 1 ? "the end" : NULL;
}

static inline uint32_t number_of(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Decodes base64 up to the quote; the caller frees. */
static inline uint8_t *decode_base64(const char *text, size_t *length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t count = strcspn(text, "\"");
    uint8_t *bytes = malloc(count + 3);
    ck_assert(bytes && count % 4 == 0);
    *length = 0;
    for (size_t i = 0; i < count; i += 4) {
        uint32_t value = 0;
        int padding = 0;
        for (int j = 0; j < 4; j++) {
            const char *digit = text[i + (size_t)j] == '=' ? digits : strchr(digits, text[i + (size_t)j]);
            ck_assert_ptr_nonnull(digit);
            padding += text[i + (size_t)j] == '=';
            value = value << 6 | (uint32_t)(digit - digits);
        }
        for (int j = 0; j < 3 - padding; j++)
            bytes[(*length)++] = (uint8_t)(value >> (16 - 8 * j));
    }
    return bytes;
}

/* The samples of the first PNG in `page`, a byte each, checksums checked; the caller frees. */
static inline uint8_t *picture_of(const char *page, uint32_t *width, uint32_t *height, int *bits)
{
    static const char start[] = "src=\"data:image/png;base64,";
    const char *text = strstr(page, start);
    ck_assert_ptr_nonnull(text);
    size_t length, at = 8;
    uint8_t *png = decode_base64(text + sizeof start - 1, &length), *rows = NULL, *samples;
    uLongf unpacked = 0;
    ck_assert(length > 8 && memcmp(png, "\x89PNG\r\n\x1a\n", 8) == 0);
    while (at < length) {
        uint32_t size = number_of(png + at);
        const uint8_t *type = png + at + 4, *content = type + 4;
        ck_assert(at + 12 + size <= length);
        ck_assert(crc32(0, type, size + 4) == number_of(content + size));
        if (memcmp(type, "IHDR", 4) == 0) {
            *width = number_of(content);
            *height = number_of(content + 4);
            *bits = content[8];
            ck_assert(content[9] == 3 && content[10] == 0 && content[11] == 0 && content[12] == 0);
        } else if (memcmp(type, "IDAT", 4) == 0) {
            unpacked = (1 + ((uLong)*width * (uLong)*bits + 7) / 8) * *height;
            rows = malloc(unpacked);
            ck_assert_ptr_nonnull(rows);
            uLong expected = unpacked;
            ck_assert(uncompress(rows, &unpacked, content, size) == Z_OK && unpacked == expected);
        }
        at += 12 + size;
    }
    ck_assert(at == length && memcmp(png + length - 8, "IEND", 4) == 0 && rows);
    samples = malloc((size_t)*width * *height);
    ck_assert_ptr_nonnull(samples);
    size_t stride = unpacked / *height;
    for (size_t y = 0; y < *height; y++) {
        ck_assert_int_eq(rows[y * stride], 0);
        for (size_t x = 0; x < *width; x++)
            samples[y * *width + x] =
                (uint8_t)(*bits == 8 ? rows[y * stride + 1 + x] : rows[y * stride + 1 + x / 8] >> (7 - x % 8) & 1);
    }
    free(rows);
    free(png);
    return samples;
}

#endif
