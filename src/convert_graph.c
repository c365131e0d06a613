/* SPDX-License-Identifier: BSD-2-Clause
 *
 * prune convert with ONNX on one side or on both.
 */
#include "convert_graph.h"

#include <stdlib.h>
#include <string.h>

static int is_floating(int32_t dtype)
{
    return dtype == PRUNE_F32 || dtype == PRUNE_F16 || dtype == PRUNE_BF16 || dtype == PRUNE_F64;
}

int convert_read_graph(struct graph_conversion *job, prune_context *context, const char *path)
{
    int code = graph_read(&job->graph, context, path, job->samples.external);
    return code ? code : samples_freeze(&job->samples, job->graph);
}

int convert_to_archive(const struct graph_conversion *job, prune_archive *archive, const char *path)
{
    for (int32_t i = 0; i < prune_graph_parameter_count(job->graph); i++) {
        const char *name = prune_graph_parameter_name(job->graph, i);
        const prune_tensor *tensor = prune_graph_parameter(job->graph, name);
        if (!is_floating(prune_tensor_dtype(tensor)))
            continue; /* shapes and indices are no weights */
        int32_t status = prune_archive_add(archive, name, tensor);
        if (status)
            return complain_status(status, path);
    }
    return DONE;
}

/* Every tensor must be a parameter of the model; those that the archive does not name stay. */
int convert_from_archive(struct graph_conversion *job, const prune_archive *archive, const char *path)
{
    for (int32_t i = 0; i < prune_archive_count(archive); i++) {
        const char *name = prune_archive_name(archive, i);
        if (!prune_graph_parameter(job->graph, name))
            return complain(BAD_INPUT, "%s: tensor \"%s\" is no parameter of %s; its first of %d is \"%s\"", path, name,
                            job->model, (int)prune_graph_parameter_count(job->graph),
                            prune_graph_parameter_count(job->graph) ? prune_graph_parameter_name(job->graph, 0) : "");
        /* The mask that the old numbers had is none of the new ones'. */
        int32_t status = prune_graph_set_mask(job->graph, name, NULL);
        if (!status)
            status = prune_graph_set_parameter(job->graph, name, prune_archive_tensor(archive, i));
        if (status)
            return complain_status(status, path);
    }
    int32_t status = prune_graph_mask_zeros(job->graph, LEAST_ZEROS, NULL);
    return status ? complain_status(status, path) : DONE;
}

/* What came as a sparse initializer stays one unless it is set anew. */
static int32_t make_dense(prune_graph *graph)
{
    for (int32_t i = 0; i < prune_graph_parameter_count(graph); i++) {
        const char *name = prune_graph_parameter_name(graph, i);
        int32_t status = prune_graph_mask(graph, name)
                             ? prune_graph_set_parameter(graph, name, prune_graph_parameter(graph, name))
                             : PRUNE_OK;
        if (status)
            return status;
    }
    return PRUNE_OK;
}

int convert_write_graph(const struct graph_conversion *job, const char *path)
{
    char spec[SPEC_SIZE];
    const char *parameters = job->parameters ? job->parameters : "dense";
    int32_t status = job->parameters && strcmp(job->parameters, "dense") == 0 ? make_dense(job->graph) : PRUNE_OK;
    if (status)
        return complain_status(status, path);
    if (strpbrk(parameters, ",=:"))
        return complain(USAGE, "--parameters takes dense or sparse, not \"%s\"", parameters);
    int length = snprintf(spec, sizeof spec, "parameters=%s,external=%s", parameters, job->out_data ? "file" : "no");
    if (length < 0 || length >= (int)sizeof spec)
        return complain(USAGE, "--parameters takes dense or sparse, not \"%.100s\"", parameters);
    return graph_write(job->graph, path, spec);
}
