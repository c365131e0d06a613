/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The list of members stands at the end of the file (PKWARE's APPNOTE 6.3.9, 4.3): its end record is searched from
 * behind, the list is read whole, and each member's local header is only used to find its data.
 */
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "model/io/zip.h"

#define END_BYTES 22
#define END64_BYTES 56
#define LOCATOR_BYTES 20
#define ENTRY_BYTES 46
#define LOCAL_BYTES 30
#define MOST_COMMENT 65535
#define DEFLATE_MOST 1032 /* bytes that one byte of deflate can stand for */

void *pm_zlib_alloc(void *context, unsigned items, unsigned size)
{
    return prune_context_alloc(context, (uint64_t)items * size);
}

void pm_zlib_release(void *context, void *pointer)
{
    prune_context_release(context, pointer);
}

static uint64_t number(const unsigned char *bytes, int count)
{
    uint64_t value = 0;
    for (int i = count - 1; i >= 0; i--)
        value = value << 8 | bytes[i];
    return value;
}

struct end {
    uint64_t entries, list_bytes, list_at;
};

static int32_t read_end64(const struct pm_zip *zip, int64_t locator_at, struct end *end)
{
    unsigned char bytes[END64_BYTES];
    if (locator_at < 0)
        return PRUNE_OK;
    PR_TRY(pm_input_read(&zip->file, locator_at, bytes, LOCATOR_BYTES));
    if (memcmp(bytes, "PK\x06\x07", 4) != 0)
        return PRUNE_OK;
    uint64_t at = number(bytes + 8, 8);
    if (locator_at < END64_BYTES || at > (uint64_t)(locator_at - END64_BYTES))
        return pr_fail(PRUNE_E_FORMAT, "the zip64 end record is said to stand at byte %llu, beyond its place",
                       (unsigned long long)at);
    PR_TRY(pm_input_read(&zip->file, (int64_t)at, bytes, END64_BYTES));
    if (memcmp(bytes, "PK\x06\x06", 4) != 0)
        return pr_fail(PRUNE_E_FORMAT, "at byte %llu no zip64 end record begins", (unsigned long long)at);
    *end = (struct end){number(bytes + 32, 8), number(bytes + 40, 8), number(bytes + 48, 8)};
    return PRUNE_OK;
}

static int32_t find_end(const struct pm_zip *zip, struct end *end)
{
    int64_t room = zip->file.size < END_BYTES + MOST_COMMENT ? zip->file.size : END_BYTES + MOST_COMMENT;
    int64_t first = zip->file.size - room, at = room - END_BYTES;
    unsigned char *tail;
    if (at < 0)
        return pr_fail(PRUNE_E_FORMAT, "it has %lld bytes; a zip file has %d at least: it is truncated",
                       (long long)zip->file.size, END_BYTES);
    PR_TRY(pr_alloc(zip->context, room, 1, &tail));
    int32_t status = pm_input_read(&zip->file, first, tail, room);
    while (!status && at >= 0 &&
           (memcmp(tail + at, "PK\x05\x06", 4) != 0 || (int64_t)number(tail + at + 20, 2) != room - at - END_BYTES))
        at--;
    if (!status && at < 0)
        status = pr_fail(PRUNE_E_FORMAT, "no end record of a zip file is there: it is truncated or another format");
    if (!status) {
        *end = (struct end){number(tail + at + 10, 2), number(tail + at + 12, 4), number(tail + at + 16, 4)};
        if (number(tail + at + 4, 4) != 0)
            status = pr_fail(PRUNE_E_UNSUPPORTED, "it is one of several parts of a zip file; a whole one is needed");
        else
            status = read_end64(zip, first + at - LOCATOR_BYTES, end);
    }
    pr_release(zip->context, tail);
    return status;
}

/* Sizes of 2^32 - 1 stand in the zip64 extra field instead, in this order. */
static int32_t read_zip64(const unsigned char *extra, int64_t bytes, uint64_t *unpacked, uint64_t *packed,
                          uint64_t *local)
{
    uint64_t *const wanted[] = {unpacked, packed, local};
    for (int64_t at = 0; at + 4 <= bytes;) {
        int64_t length = (int64_t)number(extra + at + 2, 2), used = at + 4;
        if (length > bytes - at - 4)
            break;
        int64_t end = used + length;
        if (number(extra + at, 2) == 1) {
            for (int i = 0; i < 3; i++)
                if (*wanted[i] == 0xffffffffu && used + 8 <= end) {
                    *wanted[i] = number(extra + used, 8);
                    used += 8;
                }
            return PRUNE_OK;
        }
        at = end;
    }
    return PRUNE_OK;
}

static int32_t check_entry(const struct pm_zip *zip, const struct pm_zip_entry *entry)
{
    int64_t most;
    if (entry->flags & 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "it is encrypted; a plain one is needed");
    if (entry->method != 0 && entry->method != 8)
        return pr_fail(PRUNE_E_UNSUPPORTED, "it is packed by method %d; stored (0) and deflated (8) are read",
                       entry->method);
    if (entry->packed < 0 || entry->local < 0 || entry->local > zip->file.size - LOCAL_BYTES ||
        entry->packed > zip->file.size - LOCAL_BYTES - entry->local)
        return pr_fail(PRUNE_E_FORMAT, "%lld packed bytes from byte %lld do not lie in the file's %lld",
                       (long long)entry->packed, (long long)entry->local, (long long)zip->file.size);
    if (entry->method == 0)
        most = entry->packed;
    else if (__builtin_mul_overflow(entry->packed, (int64_t)DEFLATE_MOST, &most))
        most = INT64_MAX;
    if (entry->unpacked < 0 || entry->unpacked > most)
        return pr_fail(PRUNE_E_FORMAT, "%lld bytes are more than %lld packed ones can stand for",
                       (long long)entry->unpacked, (long long)entry->packed);
    if (entry->method == 0 && entry->unpacked != entry->packed)
        return pr_fail(PRUNE_E_FORMAT, "it is stored, but has %lld packed and %lld unpacked bytes",
                       (long long)entry->packed, (long long)entry->unpacked);
    return PRUNE_OK;
}

/* One entry of the list at `bytes`; *used is how long it is. */
static int32_t read_entry(struct pm_zip *zip, const unsigned char *bytes, int64_t left, int64_t *used)
{
    struct pm_zip_entry *entry = &zip->entries[zip->count];
    if (left < ENTRY_BYTES || memcmp(bytes, "PK\x01\x02", 4) != 0)
        return pr_fail(PRUNE_E_FORMAT, "entry %lld of the zip file's list is missing or broken", (long long)zip->count);
    int64_t name = (int64_t)number(bytes + 28, 2), extra = (int64_t)number(bytes + 30, 2);
    *used = ENTRY_BYTES + name + extra + (int64_t)number(bytes + 32, 2);
    if (*used > left)
        return pr_fail(PRUNE_E_FORMAT, "entry %lld of the zip file's list is cut short", (long long)zip->count);
    if (!pm_is_utf8((const char *)bytes + ENTRY_BYTES, name))
        return pr_fail(PRUNE_E_FORMAT, "the name of member %lld is not UTF-8", (long long)zip->count);
    uint64_t unpacked = number(bytes + 24, 4), packed = number(bytes + 20, 4), local = number(bytes + 42, 4);
    PR_TRY(read_zip64(bytes + ENTRY_BYTES + name, extra, &unpacked, &packed, &local));
    PR_TRY(pr_alloc(zip->context, name + 1, 1, &entry->name));
    memcpy(entry->name, bytes + ENTRY_BYTES, (size_t)name);
    entry->name[name] = '\0';
    zip->count++;
    entry->flags = (int)number(bytes + 8, 2);
    entry->method = (int)number(bytes + 10, 2);
    entry->crc = (uint32_t)number(bytes + 16, 4);
    entry->unpacked = unpacked > INT64_MAX ? -1 : (int64_t)unpacked;
    entry->packed = packed > INT64_MAX ? -1 : (int64_t)packed;
    entry->local = local > INT64_MAX ? -1 : (int64_t)local;
    int32_t status = check_entry(zip, entry);
    return status ? pr_fail_in(status, "member \"%s\"", PM_SHOW(entry->name)) : PRUNE_OK;
}

static int32_t read_list(struct pm_zip *zip, const struct end *end, const unsigned char *list)
{
    int64_t left = (int64_t)end->list_bytes, packed = 0;
    for (uint64_t i = 0; i < end->entries; i++) {
        int64_t used = 0;
        PR_TRY(read_entry(zip, list + ((int64_t)end->list_bytes - left), left, &used));
        left -= used;
        packed += zip->entries[i].packed;
        if (packed > zip->file.size)
            return pr_fail(PRUNE_E_FORMAT, "the members overlap: the first %llu take more bytes than the file's %lld",
                           (unsigned long long)i + 1, (long long)zip->file.size);
    }
    return PRUNE_OK;
}

static int32_t open_zip(struct pm_zip *zip)
{
    struct end end = {0};
    unsigned char *list;
    PR_TRY(find_end(zip, &end));
    if (end.list_bytes > (uint64_t)zip->file.size || end.list_at > (uint64_t)zip->file.size - end.list_bytes)
        return pr_fail(PRUNE_E_FORMAT,
                       "the list of members, %llu bytes from byte %llu, does not lie in the file's %lld",
                       (unsigned long long)end.list_bytes, (unsigned long long)end.list_at, (long long)zip->file.size);
    if (end.entries > end.list_bytes / ENTRY_BYTES)
        return pr_fail(PRUNE_E_FORMAT, "a list of %llu bytes cannot hold %llu members",
                       (unsigned long long)end.list_bytes, (unsigned long long)end.entries);
    PR_TRY(pr_alloc_zero(zip->context, (int64_t)end.entries, (int64_t)sizeof *zip->entries, &zip->entries));
    PR_TRY(pr_alloc(zip->context, (int64_t)end.list_bytes, 1, &list));
    int32_t status = pm_input_read(&zip->file, (int64_t)end.list_at, list, (int64_t)end.list_bytes);
    if (!status)
        status = read_list(zip, &end, list);
    pr_release(zip->context, list);
    return status;
}

int32_t pm_zip_open(struct pm_zip *zip, prune_context *context, const char *path)
{
    *zip = (struct pm_zip){.context = context};
    PR_TRY(pm_input_open(&zip->file, path));
    int32_t status = open_zip(zip);
    if (status)
        pm_zip_close(zip);
    return status;
}

const struct pm_zip_entry *pm_zip_find(const struct pm_zip *zip, const char *name)
{
    for (int64_t i = 0; i < zip->count; i++)
        if (strcmp(zip->entries[i].name, name) == 0)
            return &zip->entries[i];
    return NULL;
}

static int32_t unpack(const struct pm_zip *zip, const struct pm_zip_entry *entry, unsigned char *from,
                      unsigned char *to)
{
    z_stream stream = {.zalloc = pm_zlib_alloc, .zfree = pm_zlib_release, .opaque = zip->context};
    int64_t taken = 0, given = 0;
    int result = inflateInit2(&stream, -MAX_WBITS);
    if (result != Z_OK)
        return pr_fail(result == Z_MEM_ERROR ? PRUNE_E_NOMEM : PRUNE_E_IO, "zlib %s does not start: error %d",
                       zlibVersion(), result);
    while (result == Z_OK) {
        int64_t in = entry->packed - taken, out = entry->unpacked - given;
        stream.next_in = from + taken;
        stream.avail_in = in > (1 << 30) ? 1u << 30 : (uInt)in;
        stream.next_out = to + given;
        stream.avail_out = out > (1 << 30) ? 1u << 30 : (uInt)out;
        uInt most_in = stream.avail_in, most_out = stream.avail_out;
        result = inflate(&stream, Z_NO_FLUSH);
        taken += most_in - stream.avail_in;
        given += most_out - stream.avail_out;
    }
    inflateEnd(&stream);
    if (result == Z_MEM_ERROR)
        return pr_fail(PRUNE_E_NOMEM, "no memory to unzip");
    if (result != Z_STREAM_END || given != entry->unpacked || taken != entry->packed)
        return pr_fail(PRUNE_E_FORMAT, "its deflated data are broken: %lld of %lld bytes come out of %lld of %lld",
                       (long long)given, (long long)entry->unpacked, (long long)taken, (long long)entry->packed);
    return PRUNE_OK;
}

static int32_t load(const struct pm_zip *zip, const struct pm_zip_entry *entry, int64_t at, unsigned char *to)
{
    unsigned char *packed;
    if (entry->method == 0)
        return pm_input_read(&zip->file, at, to, entry->packed);
    PR_TRY(pr_alloc(zip->context, entry->packed, 1, &packed));
    int32_t status = pm_input_read(&zip->file, at, packed, entry->packed);
    if (!status)
        status = unpack(zip, entry, packed, to);
    pr_release(zip->context, packed);
    return status;
}

static int32_t check_sum(const struct pm_zip_entry *entry, const unsigned char *bytes)
{
    uLong crc = crc32_z(crc32_z(0, NULL, 0), bytes, (z_size_t)entry->unpacked);
    if ((uint32_t)crc == entry->crc)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_FORMAT, "its check sum is %08lx, but %08lx is written: it is damaged", (unsigned long)crc,
                   (unsigned long)entry->crc);
}

static int32_t load_entry(const struct pm_zip *zip, const struct pm_zip_entry *entry, unsigned char **bytes)
{
    unsigned char local[LOCAL_BYTES], *loaded;
    PR_TRY(pm_input_read(&zip->file, entry->local, local, LOCAL_BYTES));
    if (memcmp(local, "PK\x03\x04", 4) != 0)
        return pr_fail(PRUNE_E_FORMAT, "at byte %lld no member begins", (long long)entry->local);
    int64_t at = entry->local + LOCAL_BYTES + (int64_t)number(local + 26, 2) + (int64_t)number(local + 28, 2);
    if (at > zip->file.size || entry->packed > zip->file.size - at)
        return pr_fail(PRUNE_E_FORMAT, "its %lld packed bytes from byte %lld go beyond the file's %lld",
                       (long long)entry->packed, (long long)at, (long long)zip->file.size);
    PR_TRY(pr_alloc(zip->context, entry->unpacked, 1, &loaded));
    int32_t status = load(zip, entry, at, loaded);
    if (!status)
        status = check_sum(entry, loaded);
    if (status)
        pr_release(zip->context, loaded);
    else
        *bytes = loaded;
    return status;
}

int32_t pm_zip_load(const struct pm_zip *zip, const struct pm_zip_entry *entry, unsigned char **bytes)
{
    int32_t status = load_entry(zip, entry, bytes);
    return status ? pr_fail_in(status, "member \"%s\"", PM_SHOW(entry->name)) : PRUNE_OK;
}

void pm_zip_close(struct pm_zip *zip)
{
    for (int64_t i = 0; i < zip->count; i++)
        pr_release(zip->context, zip->entries[i].name);
    pr_release(zip->context, zip->entries);
    pm_input_close(&zip->file);
}
