/* SPDX-License-Identifier: BSD-2-Clause
 *
 * safetensors files for tests.
 */
#ifndef PM_TESTS_SAFETENSORS_H
#define PM_TESTS_SAFETENSORS_H

#include "allocator.h"
#include "files.h"

/* A file of this header and these data. */
static inline void save_file(const char *path, const char *json, size_t json_length, const void *data, size_t length)
{
    unsigned char *bytes = calloc(1, 8 + json_length + length);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)json_length >> 8 * i);
    memcpy(bytes + 8, json, json_length);
    if (length > 0)
        memcpy(bytes + 8 + json_length, data, length);
    save(path, bytes, 8 + json_length + length);
    free(bytes);
}

/* Reading `path` fails so, leaves the out-parameter alone and no memory behind. */
static inline void refuses_path(const char *path, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_archive *archive = UNTOUCHED;
    FAILS(prune_archive_read(&archive, context, path), status, word);
    ck_assert_ptr_eq(archive, UNTOUCHED);
    ck_assert_int_eq(allocator.live, 0);
    prune_context_free(context);
}

static inline void refuses_bytes(const void *bytes, size_t length, int32_t status, const char *word)
{
    const char *path = scratch("bad.safetensors");
    save(path, bytes, length);
    refuses_path(path, status, word);
}

static inline void refuses_json(const char *json, size_t json_length, size_t length, int32_t status, const char *word)
{
    const char *path = scratch("bad.safetensors");
    unsigned char *data = calloc(1, length + 1);
    save_file(path, json, json_length, data, length);
    free(data);
    refuses_path(path, status, word);
}

/* The header as a literal (it may hold NUL), and how many zero bytes of data follow. */
#define REFUSES(json, length, word) refuses_json("" json, sizeof(json) - 1, length, PRUNE_E_FORMAT, word)
#define REFUSES_AS(json, length, status, word) refuses_json("" json, sizeof(json) - 1, length, status, word)

static inline prune_archive *read_json(const char *json, const void *data, size_t length)
{
    const char *path = scratch("good.safetensors");
    prune_archive *archive = NULL;
    save_file(path, json, strlen(json), data, length);
    OK(prune_archive_read(&archive, NULL, path));
    return archive;
}

#endif
