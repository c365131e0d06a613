/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ZIP as NumPy uses it: members stored or deflated, zip64 where sizes need it.
 */
#ifndef PM_ZIP_H
#define PM_ZIP_H

#include "model/io/io.h"

struct pm_zip_entry {
    char *name; /* NUL-terminated */
    int64_t local, packed, unpacked;
    uint32_t crc;
    int method, flags;
};

struct pm_zip {
    prune_context *context;
    struct pm_input file;
    struct pm_zip_entry *entries;
    int64_t count;
};

/* Reads the list of members and checks it against the file: no member may be larger than its packed bytes can stand
 * for, and all of them together no larger than the file. */
int32_t pm_zip_open(struct pm_zip *zip, prune_context *context, const char *path);
/* The member of that name; NULL for none. */
const struct pm_zip_entry *pm_zip_find(const struct pm_zip *zip, const char *name);
/* The unpacked bytes of a member, its check sum verified; released by the caller. */
int32_t pm_zip_load(const struct pm_zip *zip, const struct pm_zip_entry *entry, unsigned char **bytes);
void pm_zip_close(struct pm_zip *zip);

/* A ZIP file being written: its members one after the other, then the list of them. `level` is zlib's, 0 stores. */
struct pm_zip_writer {
    struct pm_output output;
    int64_t at, count;
    int level;
    char *list; /* the central directory so far */
    int64_t list_bytes, list_room;
};
int32_t pm_zip_create(struct pm_zip_writer *writer, prune_context *context, const char *path, int level);
/* Adds a member of these bytes. */
int32_t pm_zip_add(struct pm_zip_writer *writer, const char *name, const void *bytes, int64_t length);
int32_t pm_zip_commit(struct pm_zip_writer *writer);
void pm_zip_abandon(struct pm_zip_writer *writer); /* also after commit */

/* Adds `tensor` as NAME.npy. */
int32_t pm_npz_add(struct pm_zip_writer *writer, const char *name, const prune_tensor *tensor);

/* zlib's allocator: opaque is the context. */
void *pm_zlib_alloc(void *context, unsigned items, unsigned size);
void pm_zlib_release(void *context, void *pointer);

#endif
