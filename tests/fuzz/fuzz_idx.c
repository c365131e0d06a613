/* SPDX-License-Identifier: BSD-2-Clause */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_tensor *tensor = FUZZ_UNTOUCHED;
    const char *path = fuzz_file("idx", data, size);
    if (fuzz_read(prune_idx_read(&tensor, NULL, path), tensor))
        prune_tensor_free(tensor);
    return fuzz_done(path);
}
