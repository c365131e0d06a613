/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_archive *archive = FUZZ_UNTOUCHED;
    const char *path = fuzz_file("npz", data, size);
    if (fuzz_read(prune_npz_read(&archive, NULL, path), archive))
        prune_archive_free(archive);
    return fuzz_done(path);
}
