/* SPDX-License-Identifier: BSD-2-Clause
 *
 * IDX: 0, 0, a type (8 = unsigned byte), the rank, the extents as big-endian 32-bit numbers, the bytes; or a gzip file
 * of that.
 */
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "model/io/zip.h"

#define MOST_HEADER (4 + 4 * PRUNE_MAX_RANK)
#define CHUNK 65536
#define DEFLATE_MOST 1032 /* bytes that one byte of deflate can stand for */

/* Where bytes come from: the file itself, or what unzipping it gives. */
struct source {
    prune_context *context;
    struct pm_input file;
    int64_t at;
    int is_gzip, ended;
    z_stream stream;
    unsigned char *chunk;
};

static int32_t start_gzip(struct source *source)
{
    source->stream.zalloc = pm_zlib_alloc;
    source->stream.zfree = pm_zlib_release;
    source->stream.opaque = source->context;
    PR_TRY(pr_alloc(source->context, CHUNK, 1, &source->chunk));
    int result = inflateInit2(&source->stream, 16 + MAX_WBITS);
    if (result == Z_MEM_ERROR)
        return PRUNE_E_NOMEM;
    if (result != Z_OK)
        return pr_fail(PRUNE_E_IO, "zlib %s does not start: error %d", zlibVersion(), result);
    source->is_gzip = 1;
    return PRUNE_OK;
}

static int32_t open_source(struct source *source, const char *path)
{
    unsigned char magic[2] = {0};
    PR_TRY(pm_input_open(&source->file, path));
    int32_t status = PRUNE_OK;
    if (source->file.size >= 2)
        status = pm_input_read(&source->file, 0, magic, 2);
    if (!status && magic[0] == 0x1f && magic[1] == 0x8b)
        status = start_gzip(source);
    if (status) {
        pr_release(source->context, source->chunk);
        pm_input_close(&source->file);
    }
    return status;
}

static void close_source(struct source *source)
{
    if (source->is_gzip)
        inflateEnd(&source->stream);
    pr_release(source->context, source->chunk);
    pm_input_close(&source->file);
}

static int32_t inflate_some(struct source *source)
{
    if (source->stream.avail_in == 0) {
        int64_t left = source->file.size - source->at, bytes = left < CHUNK ? left : CHUNK;
        if (bytes == 0)
            return pr_fail(PRUNE_E_FORMAT, "the gzip file is cut short: it ends before its end mark");
        PR_TRY(pm_input_read(&source->file, source->at, source->chunk, bytes));
        source->at += bytes;
        source->stream.next_in = source->chunk;
        source->stream.avail_in = (uInt)bytes;
    }
    int result = inflate(&source->stream, Z_NO_FLUSH);
    if (result == Z_MEM_ERROR)
        return pr_fail(PRUNE_E_NOMEM, "no memory to unzip");
    if (result != Z_OK && result != Z_STREAM_END)
        return pr_fail(PRUNE_E_FORMAT, "the gzip file is broken near byte %lld: %s",
                       (long long)(source->at - source->stream.avail_in),
                       source->stream.msg ? source->stream.msg : "it makes no progress");
    source->ended = result == Z_STREAM_END;
    return PRUNE_OK;
}

/* Up to `bytes` bytes; fewer only where the content ends. */
static int32_t read_some(struct source *source, void *to, int64_t bytes, int64_t *got)
{
    if (!source->is_gzip) {
        int64_t left = source->file.size - source->at;
        *got = left < bytes ? left : bytes;
        PR_TRY(pm_input_read(&source->file, source->at, to, *got));
        source->at += *got;
        return PRUNE_OK;
    }
    unsigned char *next = to;
    *got = 0;
    while (*got < bytes && !source->ended) {
        int64_t left = bytes - *got;
        uInt piece = left > (1 << 30) ? 1u << 30 : (uInt)left;
        source->stream.next_out = next + *got;
        source->stream.avail_out = piece;
        PR_TRY(inflate_some(source));
        *got += piece - source->stream.avail_out;
    }
    return PRUNE_OK;
}

/* The content must end here, gzip's end mark and check sum included, and the file with it. */
static int32_t expect_end(struct source *source)
{
    unsigned char extra;
    int64_t got;
    PR_TRY(read_some(source, &extra, 1, &got));
    if (got > 0)
        return pr_fail(PRUNE_E_FORMAT, "there are bytes after what the extents account for");
    int64_t left = source->file.size - source->at + (source->is_gzip ? source->stream.avail_in : 0);
    if (left > 0)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes follow the end of the gzip data; one gzip member is expected",
                       (long long)left);
    return PRUNE_OK;
}

static int32_t read_header(struct source *source, int32_t *rank, int64_t shape[PRUNE_MAX_RANK])
{
    static const unsigned char others[] = {0x09, 0x0b, 0x0c, 0x0d, 0x0e};
    unsigned char bytes[MOST_HEADER];
    int64_t got;
    PR_TRY(read_some(source, bytes, 4, &got));
    if (got < 4)
        return pr_fail(PRUNE_E_FORMAT, "it holds %lld bytes; an IDX file has 8 at least: it is truncated",
                       (long long)got);
    if (bytes[0] != 0 || bytes[1] != 0)
        return pr_fail(PRUNE_E_FORMAT, "it begins with bytes %02x %02x; IDX begins with 00 00", bytes[0], bytes[1]);
    if (memchr(others, bytes[2], sizeof others))
        return pr_fail(PRUNE_E_UNSUPPORTED, "IDX type 0x%02x is not read; 0x08, unsigned bytes, is", bytes[2]);
    if (bytes[2] != 8)
        return pr_fail(PRUNE_E_FORMAT, "0x%02x is no type of IDX; 0x08, unsigned bytes, is needed", bytes[2]);
    if (bytes[3] < 1 || bytes[3] > PRUNE_MAX_RANK)
        return pr_fail(bytes[3] ? PRUNE_E_UNSUPPORTED : PRUNE_E_FORMAT, "it has %d dimensions; 1 to %d are possible",
                       bytes[3], PRUNE_MAX_RANK);
    *rank = bytes[3];
    PR_TRY(read_some(source, bytes, 4 * (int64_t)*rank, &got));
    if (got < 4 * *rank)
        return pr_fail(PRUNE_E_FORMAT, "it ends within the extents: it is truncated");
    for (int32_t i = 0; i < *rank; i++)
        shape[i] = (int64_t)bytes[4 * i] << 24 | bytes[4 * i + 1] << 16 | bytes[4 * i + 2] << 8 | bytes[4 * i + 3];
    return PRUNE_OK;
}

static int32_t truncated(int64_t declared, int64_t there)
{
    return pr_fail(PRUNE_E_FORMAT,
                   "the extents take %lld bytes, but %lld are there: the counts are wrong or it is truncated",
                   (long long)declared, (long long)there);
}

static int32_t read_idx(struct source *source, prune_tensor **out)
{
    int32_t rank = 0;
    int64_t shape[PRUNE_MAX_RANK], bytes, got, most;
    prune_tensor *tensor;
    PR_TRY(read_header(source, &rank, shape));
    PR_TRY(pm_file_bytes(PRUNE_U8, rank, shape, &bytes));
    most = source->file.size - (source->is_gzip ? 0 : source->at);
    if (source->is_gzip && __builtin_mul_overflow(most, (int64_t)DEFLATE_MOST, &most))
        most = INT64_MAX;
    if (bytes > most)
        return source->is_gzip ? pr_fail(PRUNE_E_FORMAT,
                                         "the extents take %lld bytes, more than a gzip file of %lld bytes can hold",
                                         (long long)bytes, (long long)source->file.size)
                               : truncated(bytes, most);
    PR_TRY(prune_tensor_create(&tensor, source->context, PRUNE_U8, rank, shape));
    int32_t status = read_some(source, prune_tensor_data(tensor), bytes, &got);
    if (!status && got < bytes)
        status = truncated(bytes, got);
    if (!status)
        status = expect_end(source);
    if (status)
        prune_tensor_free(tensor);
    else
        *out = tensor;
    return status;
}

int32_t prune_idx_read(prune_tensor **out, prune_context *context, const char *path)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    struct source source = {.context = context};
    int32_t status = open_source(&source, path);
    if (!status) {
        status = read_idx(&source, out);
        close_source(&source);
    }
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}
