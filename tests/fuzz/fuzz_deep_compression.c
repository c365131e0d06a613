/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_archive *archive = FUZZ_UNTOUCHED;
    const char *path = fuzz_file("deep_compression", data, size);
    if (fuzz_read(prune_deep_compression_read(&archive, NULL, path, "squeezenet"), archive))
        prune_archive_free(archive);
    return fuzz_done(path);
}
