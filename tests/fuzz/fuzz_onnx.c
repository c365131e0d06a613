/* SPDX-License-Identifier: BSD-2-Clause
 *
 * ONNX models: what is read can be copied and written, dense and sparse, and read again with as many parameters.
 */
#include "fuzz.h"

static void prune_first(prune_graph *graph)
{
    for (int32_t i = 0; i < prune_graph_parameter_count(graph); i++) {
        const char *name = prune_graph_parameter_name(graph, i);
        const prune_tensor *tensor = prune_graph_parameter(graph, name);
        prune_mask *mask = NULL;
        int32_t dtype = prune_tensor_dtype(tensor);
        if ((dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_F64) || prune_tensor_count(tensor) == 0)
            continue;
        fuzz_require(prune_mask_create(&mask, NULL, prune_tensor_rank(tensor), prune_tensor_shape(tensor), 1) ==
                         PRUNE_OK,
                     "no mask");
        fuzz_require(prune_mask_set(mask, 0, 0) == PRUNE_OK, "element 0 cannot be pruned");
        fuzz_require(prune_graph_set_mask(graph, name, mask) == PRUNE_OK, "the mask does not fit");
        prune_mask_free(mask);
    }
}

static void write_and_read(const prune_graph *graph, const char *path, const char *spec)
{
    prune_graph *back = NULL;
    fuzz_require(prune_graph_write(graph, path, spec) == PRUNE_OK, "it cannot be written");
    fuzz_require(prune_graph_read(&back, NULL, path, NULL) == PRUNE_OK, "what was written cannot be read");
    fuzz_require(prune_graph_parameter_count(back) == prune_graph_parameter_count(graph), "parameters were lost");
    prune_graph_free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    prune_graph *graph = FUZZ_UNTOUCHED, *copy = NULL;
    const char *path = fuzz_file("model.onnx", data, size);
    if (!fuzz_read(prune_graph_read(&graph, NULL, path, "external=folder"), graph))
        return fuzz_done(path);
    fuzz_require(prune_graph_copy(&copy, graph) == PRUNE_OK, "it cannot be copied");
    write_and_read(graph, path, NULL);
    prune_first(copy);
    prune_graph_free(graph);
    write_and_read(copy, path, "parameters=sparse");
    prune_graph_free(copy);
    return fuzz_done(path);
}
