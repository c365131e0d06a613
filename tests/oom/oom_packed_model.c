/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Memory that runs out while a model is packed, written with its large tensors beside it, and read back.
 */
#include "../model/files.h"
#include "oom.h"

#include "../model/graphs.h"
#include "model/graph/session.h"

static const int64_t x_shape[] = {2, 24}, w_shape[] = {24, 16};
static float weights[24 * 16];
static char packed[1024], external[1024];

static int32_t build(prune_graph **out, prune_context *context)
{
    prune_graph *graph = NULL;
    prune_tensor *w = NULL;
    const char *const y = "y";
    int32_t status = prune_tensor_borrow(&w, context, weights, PRUNE_F32, 2, w_shape, NULL);
    if (!status)
        status = prune_graph_create(&graph, context, 13);
    if (!status)
        status = prune_graph_add_input(graph, "x", PRUNE_F32, 2, x_shape);
    if (!status)
        status = prune_graph_add_parameter(graph, "w", w);
    if (!status)
        status = prune_graph_add_node(graph, "product", "MatMul", 2, (const char *const[]){"x", "w"}, 1, &y);
    if (!status)
        status = prune_graph_add_output(graph, "y", PRUNE_F32, 2, (const int64_t[]){2, 16});
    if (!status)
        status = prune_graph_mask_zeros(graph, 0, NULL);
    prune_tensor_free(w);
    if (status)
        prune_graph_free(graph);
    else
        *out = graph;
    return status;
}

static int32_t write_and_read(prune_context *context)
{
    static const float zeros[48];
    prune_graph *graph = NULL, *read = NULL;
    prune_tensor *x = NULL;
    int32_t done = -1, status = build(&graph, context);
    if (!status)
        status = prune_tensor_borrow(&x, context, (void *)(uintptr_t)zeros, PRUNE_F32, 2, x_shape, NULL);
    if (!status)
        status = prune_graph_write_packed(graph, packed, 1, (const char *const[]){"x"},
                                          (const prune_tensor *const[]){x}, NULL, "weights=csr", &done);
    OOM_REQUIRE(status || done == 1);
    if (!status)
        status = prune_graph_read(&read, context, packed, NULL);
    if (status)
        OOM_REQUIRE(!read);
    if (!status)
        OOM_REQUIRE(prune_mask_kept(prune_graph_mask(read, "w")) == 24 * 16 / 4);
    if (!status)
        status = prune_graph_write(read, external, "external=file");
    prune_graph_free(read);
    read = NULL;
    if (!status)
        status = prune_graph_read(&read, context, external, "external=folder");
    prune_graph_free(read);
    prune_tensor_free(x);
    prune_graph_free(graph);
    return status;
}

START_TEST(a_packed_model_is_written_and_read)
{
    for (int i = 0; i < 24 * 16; i++)
        weights[i] = i % 4 ? 0 : (float)(i + 1);
    fresh_folder();
    snprintf(packed, sizeof packed, "%s", scratch("packed"));
    snprintf(external, sizeof external, "%s", scratch("external.onnx"));
    ck_assert_int_gt(oom_sweep_context("write and read a packed model", write_and_read, NULL), 100);
    oom_sweep_malloc("write and read a packed model", write_and_read, NULL); /* jansson's, protobuf-c's */
}
END_TEST

TEST_MAIN("oom_packed_model", a_packed_model_is_written_and_read)
