/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The index of several files. Files that it names are not there.
 */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_archive_reader *reader = FUZZ_UNTOUCHED;
    const char *path = fuzz_file("index.json", data, size);
    if (fuzz_read(prune_archive_reader_open(&reader, NULL, path), reader))
        prune_archive_reader_free(reader);
    return fuzz_done(path);
}
