/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the fuzz targets share. A target is one file with LLVMFuzzerTestOneInput; `make fuzz` links it with libFuzzer,
 * `make check` with replay.c, which gives it the files of tests/fuzz/corpus/NAME.
 */
#ifndef PM_FUZZ_H
#define PM_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "prune/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char fuzz_folder[64];

static inline void fuzz_remove_folder(void)
{
    rmdir(fuzz_folder);
}

/* The input as a file of that name, in a folder of this process. */
static inline const char *fuzz_file(const char *name, const uint8_t *data, size_t size)
{
    static char path[128];
    char *folder = fuzz_folder;
    if (!folder[0]) {
        atexit(fuzz_remove_folder);
        snprintf(folder, sizeof fuzz_folder, "%s/prune-fuzz-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        if (!mkdtemp(folder))
            abort();
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (!file || (size > 0 && fwrite(data, 1, size, file) != size) || fclose(file) != 0)
        abort();
    return path;
}

/* No file stays behind. */
static inline int fuzz_done(const char *path)
{
    unlink(path);
    return 0;
}

/* Stops the run: something holds that must not. */
static inline void fuzz_require(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz: %s (%s)\n", what, prune_error());
    abort();
}

/* A reader succeeds, or it fails with a sentence and leaves its out-parameter alone. */
#define FUZZ_UNTOUCHED ((void *)(uintptr_t)0x5a5a)
static inline int fuzz_read(int32_t status, const void *out)
{
    if (status == PRUNE_OK)
        return 1;
    fuzz_require(out == FUZZ_UNTOUCHED, "the out-parameter of a failed call has changed");
    fuzz_require(prune_error()[0] != '\0', "a failure has no sentence");
    return 0;
}

/* A context whose objects take so many bytes at most; more fails as memory that runs out. One at a time. */
static int64_t fuzz_lent, fuzz_most;

static inline void *fuzz_lend(void *user, uint64_t size, uint64_t align)
{
    (void)user;
    if (size > (uint64_t)(fuzz_most - fuzz_lent))
        return NULL;
    fuzz_lent += (int64_t)size;
    return aligned_alloc((size_t)align, (size_t)((size + align - 1) / align * align));
}

static inline void fuzz_take_back(void *user, void *pointer, uint64_t size)
{
    (void)user;
    fuzz_lent -= (int64_t)size;
    free(pointer);
}

static inline prune_context *fuzz_context(int64_t most)
{
    prune_context *context = NULL;
    fuzz_most = most;
    fuzz_require(prune_context_create(&context) == PRUNE_OK, "no context");
    fuzz_require(prune_context_set_allocator(context, fuzz_lend, fuzz_take_back, NULL) == PRUNE_OK, "no allocator");
    return context;
}

/* A file of one matrix: what is read can be turned into everything else, and read back when written. */
static inline int fuzz_matrix(const char *format, const uint8_t *data, size_t size)
{
    prune_matrix *matrix = FUZZ_UNTOUCHED, *back = NULL;
    const char *path = fuzz_file("matrix", data, size);
    if (!fuzz_read(prune_matrix_read(&matrix, NULL, path, format), matrix))
        return fuzz_done(path);
    int64_t rows = prune_matrix_rows(matrix), columns = prune_matrix_columns(matrix);
    prune_sparse *sparse = NULL;
    prune_tensor *tensor = NULL;
    if (rows <= 100000) { /* what takes memory by the matrix's extents, which the file only names */
        if (prune_matrix_to_sparse(&sparse, matrix) == PRUNE_OK)
            fuzz_require(prune_sparse_stored(sparse) == prune_matrix_stored(matrix), "elements were lost");
        if (columns <= 1000000 / (rows + 1))
            fuzz_require(prune_matrix_to_tensor(&tensor, matrix) == PRUNE_OK, "no dense matrix comes out");
        fuzz_require(prune_matrix_write(matrix, path, "mtx") == PRUNE_OK, "it cannot be written");
        fuzz_require(prune_matrix_read(&back, NULL, path, "mtx") == PRUNE_OK, "what was written cannot be read");
        fuzz_require(prune_matrix_stored(back) == prune_matrix_stored(matrix), "elements were lost by writing");
    }
    prune_tensor_free(tensor);
    prune_sparse_free(sparse);
    prune_matrix_free(back);
    prune_matrix_free(matrix);
    return fuzz_done(path);
}

#endif
