/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/report/picture.h"

#include <string.h>
#include <zlib.h>

#include "base/alloc.h"

static void put_base64(struct pm_text *text, const uint8_t *bytes, int64_t count)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int64_t i = 0; i < count; i += 3) {
        uint32_t three = (uint32_t)bytes[i] << 16 | (i + 1 < count ? (uint32_t)bytes[i + 1] << 8 : 0) |
                         (i + 2 < count ? bytes[i + 2] : 0);
        char four[4] = {digits[three >> 18], digits[three >> 12 & 63], i + 1 < count ? digits[three >> 6 & 63] : '=',
                        i + 2 < count ? digits[three & 63] : '='};
        pm_text_raw(text, four, 4);
    }
}

static void big_endian(uint8_t out[4], uint32_t number)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(number >> (24 - 8 * i));
}

/* Length, type, content, checksum of the last two. */
static void put_chunk(struct pm_text *png, const char *type, const uint8_t *content, int64_t length)
{
    uint8_t four[4];
    big_endian(four, (uint32_t)length);
    pm_text_raw(png, (const char *)four, 4);
    pm_text_raw(png, type, 4);
    pm_text_raw(png, (const char *)content, length);
    big_endian(four, (uint32_t)crc32(crc32(0, (const Bytef *)type, 4), content, (uInt)length));
    pm_text_raw(png, (const char *)four, 4);
}

static voidpf zlib_alloc(voidpf context, uInt items, uInt size)
{
    return prune_context_alloc(context, (uint64_t)items * size);
}

static void zlib_free(voidpf context, voidpf memory)
{
    prune_context_release(context, memory);
}

static int32_t compress_rows(prune_context *context, uint8_t *rows, int64_t bytes, uint8_t **out, int64_t *length)
{
    z_stream stream = {.zalloc = zlib_alloc, .zfree = zlib_free, .opaque = context};
    uint8_t *packed;
    if (deflateInit(&stream, Z_BEST_COMPRESSION) != Z_OK)
        return pr_fail(PRUNE_E_NOMEM, "no memory to compress a picture of %lld bytes", (long long)bytes);
    int64_t room = (int64_t)deflateBound(&stream, (uLong)bytes);
    int32_t status = pr_alloc(context, room, 1, &packed);
    if (!status) {
        stream.next_in = rows;
        stream.avail_in = (uInt)bytes;
        stream.next_out = packed;
        stream.avail_out = (uInt)room;
        deflate(&stream, Z_FINISH); /* into room for the worst case: cannot fail */
        *length = (int64_t)stream.total_out;
        *out = packed;
    }
    deflateEnd(&stream);
    return status;
}

/* PNG's rows: a filter byte, 0 for none, then the samples, packed from the highest bit. */
static int32_t pack_rows(prune_context *context, const uint8_t *ink, int32_t width, int32_t height, int32_t bits,
                         uint8_t **out, int64_t *length)
{
    int64_t stride = 1 + pr_ceil_div((int64_t)width * bits, 8), bytes = 0;
    uint8_t *rows;
    PR_TRY(pr_mul(stride, height, &bytes));
    PR_TRY(pr_alloc_zero(context, bytes, 1, &rows));
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            uint8_t sample = ink[y * width + x];
            if (bits == 8)
                rows[y * stride + 1 + x] = sample;
            else if (sample)
                rows[y * stride + 1 + x / 8] |= (uint8_t)(0x80 >> x % 8);
        }
    int32_t status = compress_rows(context, rows, bytes, out, length);
    pr_release(context, rows);
    return status;
}

void pm_picture(struct pm_text *text, const uint8_t *ink, int32_t width, int32_t height, int32_t bits)
{
    struct pm_text png = {.context = text->context};
    uint8_t header[13] = {0}, palette[256 * 3] = {0}, opacity[256];
    uint8_t *packed = NULL;
    int64_t length = 0;
    int32_t colours = 1 << bits;
    if (text->status || (text->status = pack_rows(text->context, ink, width, height, bits, &packed, &length)))
        return;
    for (int32_t i = 0; i < colours; i++) {
        palette[3 * i + 2] = 40; /* a blue black */
        opacity[i] = (uint8_t)(255 * i / (colours - 1));
    }
    big_endian(header, (uint32_t)width);
    big_endian(header + 4, (uint32_t)height);
    header[8] = (uint8_t)bits;
    header[9] = 3; /* samples are numbers of the palette */
    pm_text_raw(&png, "\x89PNG\r\n\x1a\n", 8);
    put_chunk(&png, "IHDR", header, 13);
    put_chunk(&png, "PLTE", palette, 3 * colours);
    put_chunk(&png, "tRNS", opacity, colours);
    put_chunk(&png, "IDAT", packed, length);
    put_chunk(&png, "IEND", header, 0); /* not NULL, for which crc32 begins anew */
    pr_release(text->context, packed);
    pm_text_put(text, "data:image/png;base64,");
    if (png.status)
        text->status = png.status;
    else
        put_base64(text, (const uint8_t *)png.data, png.length);
    pm_text_free(&png);
}
