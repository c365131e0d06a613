/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/io/llama/llama.h"

static int32_t make(struct pm_llama *llama, prune_graph **out)
{
    prune_graph *graph;
    PR_TRY(pm_graph_create(&graph, llama->context, 17));
    int32_t status = pr_copy_text(graph->context, "llama", &graph->name);
    if (!status)
        status = pm_llama_graph(llama, graph);
    if (status)
        prune_graph_free(graph);
    else
        *out = graph;
    return status;
}

int32_t prune_graph_read_llama(prune_graph **out, prune_context *context, const char *path, const char *spec)
{
    struct pm_llama llama = {.context = context};
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    int32_t status = pm_llama_open(&llama, path, spec);
    if (!status)
        status = make(&llama, out);
    prune_archive_reader_free(llama.reader);
    return status;
}
