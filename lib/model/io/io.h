/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the file formats share: reading a regular file exactly, replacing a file whole, text for sentences, byte order.
 */
#ifndef PM_IO_H
#define PM_IO_H

#include <stdint.h>

#include "prune/file.h"

/* A name or path as a sentence can carry it: one line, cut in the middle, NUL-terminated. */
#define PM_SHOWN 128
const char *pm_show(char out[PM_SHOWN], const char *text);
#define PM_SHOW(text) pm_show((char[PM_SHOWN]){0}, (text))

/* "`what`: " and the reason that errno gives. */
int32_t pm_fail_errno(int32_t status, const char *what, int error);
/* PRUNE_E_IO for a directory, FIFO, socket or device; `mode` is st_mode. */
int32_t pm_require_regular(unsigned mode);

/* 1 when all of text[0..length) is well-formed UTF-8 without a NUL. */
int pm_is_utf8(const char *text, int64_t length);

/* An open file, its size known, or bytes in memory. Only regular files are opened: a FIFO would wait, a device may
 * never end. */
struct pm_input {
    int file;
    int64_t size;
    const unsigned char *memory; /* NULL: the file */
};
int32_t pm_input_open(struct pm_input *input, const char *path);
/* The whole of a file in memory that the caller releases. */
int32_t pm_input_load(const struct pm_input *input, prune_context *context, char **text);
/* All of the `bytes` at `offset`; PRUNE_E_IO when the file ends before, as it does when somebody shortens it. */
int32_t pm_input_read(const struct pm_input *input, int64_t offset, void *to, int64_t bytes);
void pm_input_close(struct pm_input *input);

/* A file being replaced. What is written goes to a temporary file beside the target; commit makes it durable and puts
 * it in the target's place; close without commit leaves the target as it was. A symbolic link stays: what it points to
 * is replaced. A new file gets the permissions that the umask leaves; an old one's mode, owner and group are kept as
 * far as the process may. */
struct pm_output {
    prune_context *context;
    char *target, *temporary; /* `temporary` is NULL when there is nothing to remove */
    char *buffer;
    int64_t used;
    int file, folder;
};
int32_t pm_output_open(struct pm_output *output, prune_context *context, const char *path);
int32_t pm_output_write(struct pm_output *output, const void *data, int64_t bytes);
/* Elements of `size` bytes, little-endian in the file. */
int32_t pm_output_elements(struct pm_output *output, const void *data, int64_t size, int64_t count);
/* What is written next stands at `offset`; what is skipped is a hole of zeros. */
int32_t pm_output_seek(struct pm_output *output, int64_t offset);
/* Makes the file that long. */
int32_t pm_output_extend(struct pm_output *output, int64_t bytes);
int32_t pm_output_commit(struct pm_output *output);
void pm_output_close(struct pm_output *output);

/* Turns `count` elements of `size` bytes from the file's byte order into the machine's, in place. */
void pm_to_native(void *data, int64_t size, int64_t count, int file_is_big_endian);

/* PRUNE_E_FORMAT unless every byte is 0 or 1. */
int32_t pm_check_bool(const void *data, int64_t count);

/* The bytes of a tensor of this shape. Whatever does not fit is PRUNE_E_FORMAT: a file cannot hold it. */
int32_t pm_file_bytes(int32_t dtype, int32_t rank, const int64_t *shape, int64_t *bytes);

#endif
