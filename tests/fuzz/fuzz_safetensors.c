/* SPDX-License-Identifier: BSD-2-Clause
 *
 * An archive, the sparse tensors in it, ours and compressed-tensors', and what comes back when it is written.
 */
#include "fuzz.h"

static void find_sparse(const prune_archive *archive)
{
    static const char prefix[] = "prune.format.";
    for (int32_t i = 0; i < prune_archive_text_count(archive); i++) {
        const char *key = prune_archive_text_key(archive, i);
        prune_sparse *sparse = FUZZ_UNTOUCHED;
        if (strncmp(key, prefix, sizeof prefix - 1) == 0 &&
            fuzz_read(prune_archive_find_sparse(&sparse, archive, key + sizeof prefix - 1), sparse))
            prune_sparse_free(sparse);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_archive *archive = FUZZ_UNTOUCHED, *dense = FUZZ_UNTOUCHED, *back = NULL;
    const char *path = fuzz_file("archive", data, size);
    if (!fuzz_read(prune_archive_read(&archive, NULL, path), archive))
        return fuzz_done(path);
    find_sparse(archive);
    if (fuzz_read(prune_archive_expand(&dense, archive), dense))
        prune_archive_free(dense);
    fuzz_require(prune_archive_write(archive, path) == PRUNE_OK, "it cannot be written");
    fuzz_require(prune_archive_read(&back, NULL, path) == PRUNE_OK, "what was written cannot be read");
    fuzz_require(prune_archive_count(back) == prune_archive_count(archive), "tensors were lost by writing");
    prune_archive_free(back);
    prune_archive_free(archive);
    return fuzz_done(path);
}
