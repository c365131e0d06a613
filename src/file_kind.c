/* SPDX-License-Identifier: BSD-2-Clause */
#define _FILE_OFFSET_BITS 64
#include "file_kind.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "prune/model.h"

/* An ONNX file begins with its IR version, as every writer puts fields in the order of their numbers: key 8, then 3 to
 * some. */
static enum file_kind kind_of(const unsigned char *head, size_t length)
{
    if (length >= 6 && memcmp(head, "\223NUMPY", 6) == 0)
        return FILE_NPY;
    if (length >= 14 && memcmp(head, "%%MatrixMarket", 14) == 0)
        return FILE_MATRIX_MARKET;
    if (length >= 4 && memcmp(head, "PK\3\4", 4) == 0)
        return FILE_ZIP;
    if (length >= 9 && head[8] == '{' && head[4] == 0 && head[5] == 0 && head[6] == 0 && head[7] == 0)
        return FILE_SAFETENSORS;
    if (length >= 1 && head[0] == '{')
        return FILE_INDEX;
    if (length >= 3 && head[0] == 8 && head[1] >= 1 && head[1] < 64 && head[2] % 8 <= 2)
        return FILE_ONNX;
    return FILE_UNKNOWN;
}

static int is_packed_model(const char *path)
{
    prune_archive_reader *reader = NULL;
    int is = prune_archive_reader_open(&reader, NULL, path) == PRUNE_OK &&
             prune_archive_reader_text(reader, "prune.packed_model") != NULL;
    prune_archive_reader_free(reader);
    return is;
}

enum file_kind file_kind(const char *path)
{
    unsigned char head[16];
    struct stat facts;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file < 0)
        return FILE_UNKNOWN;
    ssize_t length = fstat(file, &facts) == 0 && S_ISREG(facts.st_mode) ? read(file, head, sizeof head) : 0;
    close(file);
    enum file_kind kind = length > 0 ? kind_of(head, (size_t)length) : FILE_UNKNOWN;
    return kind == FILE_SAFETENSORS && is_packed_model(path) ? FILE_PACKED : kind;
}
