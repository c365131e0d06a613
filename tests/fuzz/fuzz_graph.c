/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The graph of a network: the input is the text under prune.graph, beside the weights of one layer.
 */
#include "fuzz.h"

static int32_t add(prune_archive *archive, const char *name, int32_t rank, const int64_t *shape)
{
    prune_tensor *tensor = NULL;
    int32_t status = prune_tensor_create(&tensor, NULL, PRUNE_F32, rank, shape);
    if (!status)
        status = prune_archive_add(archive, name, tensor);
    prune_tensor_free(tensor);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_archive *archive = NULL;
    prune_network *network = FUZZ_UNTOUCHED;
    const char *path = fuzz_file("network", NULL, 0);
    char *text = malloc(size + 1);
    fuzz_require(text != NULL, "no memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    fuzz_require(prune_archive_create(&archive, NULL) == PRUNE_OK, "no archive");
    fuzz_require(add(archive, "fc1.weight", 2, (int64_t[]){3, 4}) == PRUNE_OK, "no weight");
    fuzz_require(add(archive, "fc1.bias", 1, (int64_t[]){3}) == PRUNE_OK, "no bias");
    if (prune_archive_add_text(archive, "prune.graph", text) == PRUNE_OK) {
        fuzz_require(prune_archive_write(archive, path) == PRUNE_OK, "it cannot be written");
        if (fuzz_read(prune_network_read(&network, NULL, path), network))
            prune_network_free(network);
    }
    prune_archive_free(archive);
    free(text);
    return fuzz_done(path);
}
