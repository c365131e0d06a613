/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Safetensors files tensor by tensor: memory for the list of names and for the tensor at hand, however large the file.
 * A model may be cut into several files; model.safetensors.index.json says which tensor is where.
 */
#ifndef PRUNE_STREAM_H
#define PRUNE_STREAM_H

#include <stdint.h>

#include "prune/prune.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A file, or all the files of an index, of which the heads have been read and checked as prune_archive_read does.
 * Belongs to one thread. */
typedef struct prune_archive_reader prune_archive_reader;

/* `path` is an index where it ends in .json, else a safetensors file. The index's files lie in its own folder, or it is
 * PRUNE_E_FORMAT; so it is when index and files do not name the same tensors. */
PRUNE_API int32_t prune_archive_reader_open(prune_archive_reader **out, prune_context *context, const char *path);
PRUNE_API void prune_archive_reader_free(prune_archive_reader *reader);

/* Tensors in the order of their names (bytes compared): how many; name, dtype, rank and shape of the one at `index`
 * (NULL and 0 outside the list); the index of a name, -1 for none. Borrowed. */
PRUNE_API int32_t prune_archive_reader_count(const prune_archive_reader *reader);
PRUNE_API const char *prune_archive_reader_name(const prune_archive_reader *reader, int32_t index);
PRUNE_API int32_t prune_archive_reader_dtype(const prune_archive_reader *reader, int32_t index);
PRUNE_API int32_t prune_archive_reader_rank(const prune_archive_reader *reader, int32_t index);
PRUNE_API const int64_t *prune_archive_reader_shape(const prune_archive_reader *reader, int32_t index);
PRUNE_API int32_t prune_archive_reader_find(const prune_archive_reader *reader, const char *name);

/* The same for metadata strings; of a key that several files have the first file's. */
PRUNE_API int32_t prune_archive_reader_text_count(const prune_archive_reader *reader);
PRUNE_API const char *prune_archive_reader_text_key(const prune_archive_reader *reader, int32_t index);
PRUNE_API const char *prune_archive_reader_text(const prune_archive_reader *reader, const char *key);

/* Reads the tensor at `index`. PRUNE_E_IO where the file has another length than it had. */
PRUNE_API int32_t prune_archive_reader_read(prune_tensor **out, prune_archive_reader *reader, int32_t index);

/* A safetensors file that is being written. First all strings and tensors are declared, then each tensor is put, in any
 * order; until it is committed the target stays as it was, and freeing the writer before leaves it so. The bytes are
 * those of prune_archive_write; stretches of zero bytes may become holes of the file. Belongs to one thread. */
typedef struct prune_archive_writer prune_archive_writer;

/* Begins a file beside `path`, which need not exist. */
PRUNE_API int32_t prune_archive_writer_open(prune_archive_writer **out, prune_context *context, const char *path);
PRUNE_API void prune_archive_writer_free(prune_archive_writer *writer);

/* PRUNE_E_ARGUMENT for a name that is taken or is no name, and once a tensor was put. */
PRUNE_API int32_t prune_archive_writer_text(prune_archive_writer *writer, const char *key, const char *text);
PRUNE_API int32_t prune_archive_writer_declare(prune_archive_writer *writer, const char *name, int32_t dtype,
                                               int32_t rank, const int64_t *shape);

/* Writes a tensor that was declared with this dtype and shape (PRUNE_E_DTYPE, PRUNE_E_SHAPE), once. */
PRUNE_API int32_t prune_archive_writer_put(prune_archive_writer *writer, const char *name, const prune_tensor *tensor);

/* Makes the file durable and puts it in the target's place; PRUNE_E_ARGUMENT, naming it, when a tensor was not put. */
PRUNE_API int32_t prune_archive_writer_commit(prune_archive_writer *writer);

#ifdef __cplusplus
}
#endif
#endif
