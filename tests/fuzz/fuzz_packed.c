/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed models: what is read has masks that fit, and can be written as ONNX and read again with the same weights.
 */
#include "fuzz.h"

static void compare(const prune_graph *a, const prune_graph *b)
{
    fuzz_require(prune_graph_parameter_count(a) == prune_graph_parameter_count(b), "parameters were lost");
    for (int32_t i = 0; i < prune_graph_parameter_count(a); i++) {
        const char *name = prune_graph_parameter_name(a, i);
        const prune_tensor *x = prune_graph_parameter(a, name), *y = prune_graph_parameter(b, name);
        const prune_mask *mask = prune_graph_mask(a, name);
        fuzz_require(y && prune_tensor_count(x) == prune_tensor_count(y), "a parameter has changed");
        fuzz_require(!mask || prune_mask_count(mask) == prune_tensor_count(x), "a mask does not fit");
        size_t bytes = (size_t)(prune_tensor_count(x) * prune_dtype_size(prune_tensor_dtype(x)));
        fuzz_require(bytes == 0 || memcmp(prune_tensor_const_data(x), prune_tensor_const_data(y), bytes) == 0,
                     "numbers have changed");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_graph *graph = FUZZ_UNTOUCHED, *back = NULL;
    const char *path = fuzz_file("model.packed", data, size);
    if (!fuzz_read(prune_graph_read(&graph, NULL, path, NULL), graph))
        return fuzz_done(path);
    fuzz_require(prune_graph_write(graph, path, NULL) == PRUNE_OK, "it cannot be written");
    fuzz_require(prune_graph_read(&back, NULL, path, NULL) == PRUNE_OK, "what was written cannot be read");
    compare(graph, back);
    prune_graph_free(back);
    prune_graph_free(graph);
    return fuzz_done(path);
}
