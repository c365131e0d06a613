/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a file is, by its first bytes.
 */
#ifndef FILE_KIND_H
#define FILE_KIND_H

enum file_kind {
    FILE_UNKNOWN,
    FILE_ONNX,
    FILE_PACKED,
    FILE_SAFETENSORS,
    FILE_NPY,
    FILE_ZIP,
    FILE_MATRIX_MARKET,
    FILE_INDEX
};

/* FILE_PACKED: a safetensors file that is a packed model. FILE_UNKNOWN also for what cannot be read. */
enum file_kind file_kind(const char *path);

#endif
