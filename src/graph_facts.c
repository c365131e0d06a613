/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is counted of whole models: parameters, bytes, samples ranked right.
 */
#define _FILE_OFFSET_BITS 64
#include <sys/stat.h>

#include "graphs.h"
#include "tensors.h"

int64_t file_bytes(const char *path)
{
    struct stat facts;
    return stat(path, &facts) == 0 ? (int64_t)facts.st_size : 0;
}

int graph_count(const prune_tensor *tensor, int64_t *count, int64_t *nonzero)
{
    int32_t dtype = prune_tensor_dtype(tensor);
    prune_mask *mask = NULL;
    if (dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_BF16 && dtype != PRUNE_F64)
        return 0;
    *count = *nonzero = prune_tensor_count(tensor);
    if (prune_tensor_rank(tensor) > 1 && prune_mask_from_nonzero(&mask, tensor) == PRUNE_OK)
        *nonzero = prune_mask_kept(mask);
    prune_mask_free(mask);
    return 1;
}

void graph_counts(const prune_graph *graph, int64_t *parameters, int64_t *nonzero)
{
    *parameters = *nonzero = 0;
    for (int32_t i = 0; i < prune_graph_parameter_count(graph); i++) {
        int64_t count = 0, kept = 0;
        if (graph_count(prune_graph_parameter(graph, prune_graph_parameter_name(graph, i)), &count, &kept)) {
            *parameters += count;
            *nonzero += kept;
        }
    }
}

int labels_load(struct labels *labels, const struct samples *samples, prune_context *context)
{
    if (!samples->samples)
        return complain(USAGE, "--labels takes samples: --inputs X.npy");
    int code = tensor_read(&labels->array, context, labels->path);
    if (code)
        return code;
    int64_t there = prune_tensor_rank(labels->array) == 1 ? prune_tensor_shape(labels->array)[0] : 0;
    if (there < samples->first + samples->samples)
        return complain(BAD_INPUT, "%s has %lld labels of rank 1; %lld are needed", labels->path, (long long)there,
                        (long long)(samples->first + samples->samples));
    return DONE;
}

int labels_count(const struct labels *labels, const struct samples *samples, const char *model,
                 const prune_session *session, int64_t first, int64_t count, int64_t *correct)
{
    int64_t right = 0;
    const prune_tensor *y = prune_session_output(session, 0);
    if (!y || prune_tensor_dtype(y) != PRUNE_F32 || prune_tensor_rank(y) < 1 || prune_tensor_shape(y)[0] != count)
        return complain(BAD_INPUT, "%s: its first output is no f32 of one row for each of %lld samples", model,
                        (long long)count);
    int32_t status = prune_outputs_correct(&right, y, labels->array, samples->first + first);
    *correct += right;
    return status ? complain_status(status, labels->path) : DONE;
}
