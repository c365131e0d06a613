/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Members, then the list of them. A date is none of the content: it is 1980-01-01 everywhere, so that equal contents
 * give equal files. zip64 fields stand where a number does not fit in 32 bits, and only there.
 */
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "model/io/zip.h"

#define BIG 0xffffffff
#define NO_DATE 0x0021 /* the first of January 1980 */

/* A record that is put together. */
struct record {
    unsigned char bytes[128];
    int64_t length;
};

static void put(struct record *record, int64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        record->bytes[record->length++] = (unsigned char)((uint64_t)value >> 8 * i);
}

static int64_t short_of(int64_t value)
{
    return value >= BIG ? BIG : value;
}

struct member {
    const char *name;
    int64_t at, packed, unpacked, crc, method;
};

/* What local header and list have in common: from the version needed to the length of the name. */
static void put_common(struct record *record, const struct member *member, int needs64)
{
    put(record, needs64 ? 45 : 20, 2);
    put(record, 0x0800, 2); /* the name is UTF-8 */
    put(record, member->method, 2);
    put(record, 0, 2);
    put(record, NO_DATE, 2);
    put(record, member->crc, 4);
    put(record, short_of(member->packed), 4);
    put(record, short_of(member->unpacked), 4);
    put(record, (int64_t)strlen(member->name), 2);
}

static int32_t write_bytes(struct pm_zip_writer *writer, const void *bytes, int64_t length)
{
    PR_TRY(pm_output_write(&writer->output, bytes, length));
    writer->at += length;
    return PRUNE_OK;
}

static int32_t write_local(struct pm_zip_writer *writer, const struct member *member)
{
    struct record record = {.length = 0};
    int needs64 = member->packed >= BIG || member->unpacked >= BIG;
    struct member shown = *member;
    if (needs64)
        shown.packed = shown.unpacked = BIG; /* in a local header both sizes stand in the extra field, or none */
    put(&record, 0x04034b50, 4);
    put_common(&record, &shown, needs64);
    put(&record, needs64 ? 20 : 0, 2);
    PR_TRY(write_bytes(writer, record.bytes, record.length));
    PR_TRY(write_bytes(writer, member->name, (int64_t)strlen(member->name)));
    if (!needs64)
        return PRUNE_OK;
    record = (struct record){.length = 0};
    put(&record, 1, 2);
    put(&record, 16, 2);
    put(&record, member->unpacked, 8);
    put(&record, member->packed, 8);
    return write_bytes(writer, record.bytes, record.length);
}

static int32_t add_to_list(struct pm_zip_writer *writer, const void *bytes, int64_t length)
{
    int64_t needed = 0;
    PR_TRY(pr_add(writer->list_bytes, length, &needed));
    if (needed > writer->list_room) {
        char *larger;
        PR_TRY(pr_alloc(writer->output.context, needed, 2, &larger));
        if (writer->list_bytes > 0)
            memcpy(larger, writer->list, (size_t)writer->list_bytes);
        pr_release(writer->output.context, writer->list);
        writer->list = larger;
        writer->list_room = 2 * needed;
    }
    memcpy(writer->list + writer->list_bytes, bytes, (size_t)length);
    writer->list_bytes = needed;
    return PRUNE_OK;
}

static int32_t list_member(struct pm_zip_writer *writer, const struct member *member)
{
    struct record record = {.length = 0}, extra = {.length = 0};
    if (member->unpacked >= BIG)
        put(&extra, member->unpacked, 8);
    if (member->packed >= BIG)
        put(&extra, member->packed, 8);
    if (member->at >= BIG)
        put(&extra, member->at, 8);
    int needs64 = extra.length > 0;
    put(&record, 0x02014b50, 4);
    put(&record, needs64 ? 45 : 20, 2);
    put_common(&record, member, needs64);
    put(&record, needs64 ? extra.length + 4 : 0, 2);
    put(&record, 0, 2); /* no comment, the first part, no attributes */
    put(&record, 0, 2);
    put(&record, 0, 2);
    put(&record, 0, 4);
    put(&record, short_of(member->at), 4);
    PR_TRY(add_to_list(writer, record.bytes, record.length));
    PR_TRY(add_to_list(writer, member->name, (int64_t)strlen(member->name)));
    if (needs64) {
        record = (struct record){.length = 0};
        put(&record, 1, 2);
        put(&record, extra.length, 2);
        memcpy(record.bytes + record.length, extra.bytes, (size_t)extra.length);
        PR_TRY(add_to_list(writer, record.bytes, record.length + extra.length));
    }
    writer->count++;
    return PRUNE_OK;
}

static int32_t run_deflate(z_stream *stream, const unsigned char *from, int64_t length, unsigned char *to, int64_t room,
                           int64_t *packed)
{
    int64_t taken = 0, given = 0;
    int result = Z_OK;
    while (result == Z_OK) {
        int64_t in = length - taken, out = room - given;
        stream->next_in = (z_const Bytef *)(uintptr_t)(from + taken);
        stream->avail_in = in > (1 << 30) ? 1u << 30 : (uInt)in;
        stream->next_out = to + given;
        stream->avail_out = out > (1 << 30) ? 1u << 30 : (uInt)out;
        uInt most_in = stream->avail_in, most_out = stream->avail_out;
        result = deflate(stream, in > (1 << 30) ? Z_NO_FLUSH : Z_FINISH);
        taken += most_in - stream->avail_in;
        given += most_out - stream->avail_out;
    }
    if (result != Z_STREAM_END)
        return pr_fail(PRUNE_E_IO, "zlib %s does not deflate: error %d", zlibVersion(), result);
    *packed = given;
    return PRUNE_OK;
}

/* Into memory of deflate's own bound; released by the caller. */
static int32_t pack(struct pm_zip_writer *writer, const void *bytes, int64_t length, unsigned char **out,
                    int64_t *packed)
{
    prune_context *context = writer->output.context;
    z_stream stream = {.zalloc = pm_zlib_alloc, .zfree = pm_zlib_release, .opaque = context};
    unsigned char *to;
    int64_t room = 0;
    PR_TRY(pr_add(length, length / 1000 + 4096, &room));
    PR_TRY(pr_alloc(context, room, 1, &to));
    int result = deflateInit2(&stream, writer->level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    int32_t status =
        result == Z_OK ? PRUNE_OK
                       : pr_fail(result == Z_MEM_ERROR ? PRUNE_E_NOMEM : PRUNE_E_ARGUMENT,
                                 "zlib %s does not start at level %d: error %d", zlibVersion(), writer->level, result);
    if (!status) {
        status = run_deflate(&stream, bytes, length, to, room, packed);
        deflateEnd(&stream);
    }
    if (status)
        pr_release(context, to);
    else
        *out = to;
    return status;
}

int32_t pm_zip_create(struct pm_zip_writer *writer, prune_context *context, const char *path, int level)
{
    *writer = (struct pm_zip_writer){.level = level};
    return pm_output_open(&writer->output, context, path);
}

int32_t pm_zip_add(struct pm_zip_writer *writer, const char *name, const void *bytes, int64_t length)
{
    struct member member = {.name = name, .at = writer->at, .packed = length, .unpacked = length};
    unsigned char *packed = NULL;
    if (strlen(name) > 65535)
        return pr_fail(PRUNE_E_ARGUMENT, "a name of %lld bytes does not fit in a zip file; 65535 do",
                       (long long)strlen(name));
    member.crc = (int64_t)crc32_z(crc32_z(0, NULL, 0), bytes, (z_size_t)length);
    if (writer->level > 0) {
        PR_TRY(pack(writer, bytes, length, &packed, &member.packed));
        member.method = 8;
    }
    int32_t status = write_local(writer, &member);
    if (!status)
        status = write_bytes(writer, packed ? (const void *)packed : bytes, member.packed);
    pr_release(writer->output.context, packed);
    return status ? status : list_member(writer, &member);
}

int32_t pm_zip_commit(struct pm_zip_writer *writer)
{
    struct record record = {.length = 0};
    int64_t list_at = writer->at;
    if (writer->list_bytes > 0)
        PR_TRY(write_bytes(writer, writer->list, writer->list_bytes));
    if (writer->count >= 0xffff || writer->list_bytes >= BIG || list_at >= BIG) {
        put(&record, 0x06064b50, 4);
        put(&record, 44, 8);
        put(&record, 45, 2);
        put(&record, 45, 2);
        put(&record, 0, 4);
        put(&record, 0, 4);
        put(&record, writer->count, 8);
        put(&record, writer->count, 8);
        put(&record, writer->list_bytes, 8);
        put(&record, list_at, 8);
        put(&record, 0x07064b50, 4);
        put(&record, 0, 4);
        put(&record, writer->at, 8);
        put(&record, 1, 4);
    }
    int64_t count = writer->count >= 0xffff ? 0xffff : writer->count;
    put(&record, 0x06054b50, 4);
    put(&record, 0, 4);
    put(&record, count, 2);
    put(&record, count, 2);
    put(&record, short_of(writer->list_bytes), 4);
    put(&record, short_of(list_at), 4);
    put(&record, 0, 2);
    PR_TRY(write_bytes(writer, record.bytes, record.length));
    return pm_output_commit(&writer->output);
}

void pm_zip_abandon(struct pm_zip_writer *writer)
{
    pr_release(writer->output.context, writer->list);
    pm_output_close(&writer->output);
}
