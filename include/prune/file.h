/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of tensors. Reading checks everything before it believes anything and never asks for more memory than the file
 * accounts for; a broken file is PRUNE_E_FORMAT, and the sentence names the file, the tensor and the numbers. Writing
 * goes to a temporary file beside the target, then fsync, then rename: the target is the old file or the new one, never
 * anything else, and keeps its permissions.
 */
#ifndef PRUNE_FILE_H
#define PRUNE_FILE_H

#include <stdint.h>

#include "prune/prune.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Named tensors and named strings: the content of a safetensors file. Belongs to one thread while it is being filled.
 */
typedef struct prune_archive prune_archive;

/* An empty archive. */
PRUNE_API int32_t prune_archive_create(prune_archive **out, prune_context *context);
PRUNE_API void prune_archive_free(prune_archive *archive);

/* Adds a copy of `tensor`, or of a string of metadata (UTF-8). PRUNE_E_ARGUMENT when the name is taken or is no name:
 * empty, not UTF-8, or "__metadata__". */
PRUNE_API int32_t prune_archive_add(prune_archive *archive, const char *name, const prune_tensor *tensor);
PRUNE_API int32_t prune_archive_add_text(prune_archive *archive, const char *key, const char *text);

/* Tensors in the order of their names (bytes compared): how many, name and tensor of the one at `index` (NULL outside
 * the list), and by name (NULL when there is none). Borrowed. */
PRUNE_API int32_t prune_archive_count(const prune_archive *archive);
PRUNE_API const char *prune_archive_name(const prune_archive *archive, int32_t index);
PRUNE_API const prune_tensor *prune_archive_tensor(const prune_archive *archive, int32_t index);
PRUNE_API const prune_tensor *prune_archive_find(const prune_archive *archive, const char *name);

/* The same for metadata strings. */
PRUNE_API int32_t prune_archive_text_count(const prune_archive *archive);
PRUNE_API const char *prune_archive_text_key(const prune_archive *archive, int32_t index);
PRUNE_API const char *prune_archive_text(const prune_archive *archive, const char *key);

/* safetensors: dtypes F32, F16, BF16, F64, BOOL, I8 to I64, U8 to U32. Stricter than the reference reader: duplicate
 * keys, holes, overlaps and trailing bytes are refused, whole numbers must be written as such, the header begins with
 * "{". Equal archives give equal bytes. A path to read that ends in .json is the index of several files
 * (prune/stream.h). */
PRUNE_API int32_t prune_archive_read(prune_archive **out, prune_context *context, const char *path);
PRUNE_API int32_t prune_archive_write(const prune_archive *archive, const char *path);

/* A sparse tensor as the group of tensors NAME.<part> and NAME.shape, with the key prune.format.NAME; see
 * prune-formats(5). find: PRUNE_E_NOTFOUND when there is none of that name. */
PRUNE_API int32_t prune_archive_add_sparse(prune_archive *archive, const char *name, const prune_sparse *sparse);
PRUNE_API int32_t prune_archive_find_sparse(prune_sparse **out, const prune_archive *archive, const char *name);

/* The archive with dense tensors in place of compressed-tensors' sparse ones: for each module P with P.compressed,
 * P.bitmask and P.shape, P.weight of the same dtype; with P.row_offsets they are "sparse-bitmask", without
 * "sparse-24-bitmask". All else is copied. PRUNE_E_FORMAT where the parts contradict each other. */
PRUNE_API int32_t prune_archive_expand(prune_archive **out, const prune_archive *archive);

/* A network that Deep Compression released: pruned, with 256 shared weights a layer and gaps of 4 bits. `network` says
 * which layers the file holds; known is "squeezenet" (SqueezeNet 1.0, 26 convolutions). For each LAYER come
 * LAYER.weight F32 OIHW, LAYER.bias and LAYER.codebook F32 [256], and as strings LAYER.stored, how many entries the
 * file holds, and LAYER.padding, how many of them are zeros that bridge a wide gap. */
PRUNE_API int32_t prune_deep_compression_read(prune_archive **out, prune_context *context, const char *path,
                                              const char *network);

/* NumPy's npy, versions 1.0 to 3.0, little- and big-endian, C and Fortran order (a Fortran-order file is returned in C
 * order): f2, f4, f8, b1, i1, i2, i4, i8, u1, u2, u4. Writes 1.0, C order (BF16 has no npy type: PRUNE_E_DTYPE). */
PRUNE_API int32_t prune_npy_read(prune_tensor **out, prune_context *context, const char *path);
PRUNE_API int32_t prune_npy_write(const prune_tensor *tensor, const char *path);

/* NumPy's npz: a ZIP file whose members NAME.npy are the tensors NAME. Members are stored or deflated, zip64 where that
 * is needed; their check sums are verified. `level` is zlib's, 1 to 9, or 0 to store them. An archive's strings are not
 * written: npz has none. Equal tensors give equal files. */
PRUNE_API int32_t prune_npz_read(prune_archive **out, prune_context *context, const char *path);
PRUNE_API int32_t prune_npz_write(const prune_archive *archive, const char *path, int32_t level);

/* IDX (MNIST's format), plain or gzip, of unsigned bytes: a U8 tensor. */
PRUNE_API int32_t prune_idx_read(prune_tensor **out, prune_context *context, const char *path);

/* The four files of an IDX data set in a folder: {train,t10k}-{images-idx3,labels-idx1}-ubyte, each plain or with .gz.
 * `split` is "train" or "test". Images come as F32 [count, rows, columns] = byte / 255, labels as I64 [count]; the
 * counts must agree. */
PRUNE_API int32_t prune_dataset_read(prune_tensor **images, prune_tensor **labels, prune_context *context,
                                     const char *folder, const char *split);

#ifdef __cplusplus
}
#endif
#endif
