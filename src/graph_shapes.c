/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Whether arrays fit the inputs of a model, and how many samples it takes at a time.
 */
#include "graphs.h"

const char *shape_text(char out[SHAPE_SIZE], int32_t rank, const int64_t *shape, const char *const *symbols)
{
    size_t used = (size_t)snprintf(out, SHAPE_SIZE, "[");
    for (int32_t i = 0; i < rank && used < SHAPE_SIZE; i++) {
        const char *comma = i ? "," : "", *symbol = symbols && symbols[i] ? symbols[i] : "?";
        used += shape[i] < 0 ? (size_t)snprintf(out + used, SHAPE_SIZE - used, "%s%.60s", comma, symbol)
                             : (size_t)snprintf(out + used, SHAPE_SIZE - used, "%s%lld", comma, (long long)shape[i]);
    }
    if (used < SHAPE_SIZE)
        snprintf(out + used, SHAPE_SIZE - used, "]");
    return out;
}

const char *input_shape_text(char out[SHAPE_SIZE], const prune_graph *graph, int32_t index)
{
    int64_t shape[PRUNE_MAX_RANK] = {0};
    const char *symbols[PRUNE_MAX_RANK];
    int32_t rank = 0;
    prune_graph_input_type(graph, index, NULL, &rank, shape);
    for (int32_t i = 0; i < PRUNE_MAX_RANK; i++)
        symbols[i] = prune_graph_input_symbol(graph, index, i);
    return shape_text(out, rank, shape, symbols);
}

int samples_fit(const struct samples *samples, const prune_graph *graph)
{
    char wanted[SHAPE_SIZE], given[SHAPE_SIZE];
    for (int32_t i = 0; i < samples->count; i++) {
        const prune_tensor *array = samples->arrays[i];
        int64_t shape[PRUNE_MAX_RANK] = {0};
        int32_t rank = -1, theirs = prune_tensor_rank(array);
        prune_graph_input_type(graph, i, NULL, &rank, shape);
        int fits = rank < 0 || rank == theirs;
        for (int32_t k = samples->fixed[i] ? 0 : 1; fits && k < rank; k++)
            fits = shape[k] < 0 || shape[k] == prune_tensor_shape(array)[k];
        if (!fits)
            return complain(BAD_INPUT, "%s is %s%s; input \"%s\" of the model is %s",
                            samples->paths[i] ? samples->paths[i] : "what is set",
                            shape_text(given, theirs, prune_tensor_shape(array), NULL),
                            !samples->fixed[i] && samples->layout ? " as n,c,h,w" : "", samples->names[i],
                            input_shape_text(wanted, graph, i));
    }
    return DONE;
}

int samples_batch(const struct samples *samples, const prune_graph *graph, int64_t *batch)
{
    char wanted[SHAPE_SIZE];
    for (int32_t i = 0; i < samples->count; i++) {
        int64_t shape[PRUNE_MAX_RANK] = {0};
        int32_t rank = -1;
        prune_graph_input_type(graph, i, NULL, &rank, shape);
        if (samples->fixed[i] || rank < 1 || shape[0] < 1)
            continue;
        if (samples->samples % shape[0])
            return complain(BAD_INPUT, "input \"%s\" is %s: %lld samples are no multiple of %lld (--count takes fewer)",
                            samples->names[i], input_shape_text(wanted, graph, i), (long long)samples->samples,
                            (long long)shape[0]);
        *batch = shape[0];
        return DONE;
    }
    return DONE;
}
