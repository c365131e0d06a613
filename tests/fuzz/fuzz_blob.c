/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed matrices, as packed models carry them: bytes whose checksum fits, whatever else they say, are refused or run
 * within their bounds, by the plain kernels.
 */
#include "core/sparse/packed/packed.h"
#include "fuzz.h"

#define MOST 1024            /* rows and columns that are run */
#define MOST_BYTES (1 << 24) /* a matrix may say that it has 2^31 columns, which running it copies */

/* What a file's author can make fit: magic, version, sizes and checksums, those of W' too. */
static void make_fit(struct pr_header *header, int64_t bytes)
{
    memcpy(header->magic, "PRPACKED", 8);
    header->version = PR_BLOB_VERSION;
    header->byte_order = 0x01020304u;
    header->bytes = (uint64_t)bytes;
    int64_t at = header->backward, head = (int64_t)sizeof *header;
    if (at >= head && at % 64 == 0 && at <= bytes - head) {
        struct pr_header *backward = (void *)((char *)header + at);
        memcpy(backward->magic, "PRPACKED", 8);
        backward->version = PR_BLOB_VERSION;
        backward->byte_order = 0x01020304u;
        backward->bytes = (uint64_t)(bytes - at);
        pr_blob_stamp(backward);
    }
    pr_blob_stamp(header);
}

static void run(const prune_packed *packed, int64_t rows, int64_t columns)
{
    static const int64_t widths[] = {1, 3, 17};
    for (int i = 0; i < 3; i++) {
        int64_t n = widths[i];
        float *x = calloc((size_t)(rows > columns ? rows * n : columns * n) + 1, sizeof *x);
        float *y = calloc((size_t)(rows > columns ? rows * n : columns * n) + 1, sizeof *y);
        fuzz_require(x && y, "no memory");
        fuzz_require(prune_packed_run(packed, y, n, x, n, n, NULL) == PRUNE_OK, "it does not run");
        fuzz_require(prune_packed_run_batch(packed, y, rows, x, columns, n, NULL) == PRUNE_OK, "no batch runs");
        if (n == 3)
            fuzz_require(prune_packed_run_transposed(packed, y, n, x, n, n, NULL) == PRUNE_OK, "W' does not run");
        free(x);
        free(y);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_packed *packed = FUZZ_UNTOUCHED;
    prune_context *context = NULL;
    prune_tensor *dense = NULL;
    prune_sparse *sparse = FUZZ_UNTOUCHED;
    struct pr_header *blob = NULL;
    if (size < sizeof *blob)
        return 0;
    fuzz_require(posix_memalign((void **)&blob, 64, size) == 0, "no memory");
    memcpy(blob, data, size);
    make_fit(blob, (int64_t)size);
    context = fuzz_context(MOST_BYTES);
    fuzz_require(prune_context_set_cpu(context, 0) == PRUNE_OK, "no plain kernels");
    if (fuzz_read(prune_packed_load(&packed, context, blob, (int64_t)size), packed)) {
        int64_t rows = prune_packed_rows(packed), columns = prune_packed_columns(packed);
        if (rows <= MOST && columns <= MOST) {
            run(packed, rows, columns);
            fuzz_require(prune_packed_to_tensor(&dense, packed) == PRUNE_OK, "no dense matrix comes out");
            if (fuzz_read(prune_packed_to_sparse(&sparse, packed), sparse))
                prune_sparse_free(sparse);
        }
        prune_tensor_free(dense);
        prune_packed_free(packed);
    }
    prune_context_free(context);
    fuzz_require(fuzz_lent == 0, "memory is lost");
    free(blob);
    return 0;
}
