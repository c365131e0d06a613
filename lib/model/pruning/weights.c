/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A layer's weights on their way from the graph to a method and back, and what the layer multiplies them with.
 */
#include <string.h>

#include "model/pruning/pruner.h"

int32_t pm_pruned_fail(const struct pm_pruned *layer, int32_t status)
{
    return status ? pr_fail_in(status, "layer \"%.150s\" of node \"%.150s\"", layer->name, layer->node) : PRUNE_OK;
}

/* Granularities that know out channels, in channels and the kernel as axes. */
static int knows_kernels(const prune_granularity *granularity)
{
    static const char *const names[] = {"filter", "kernel", "in-channel", "pattern"};
    const char *spec = prune_granularity_spec(granularity);
    size_t length = strcspn(spec, ":");
    for (int i = 0; i < 4; i++)
        if (strlen(names[i]) == length && strncmp(spec, names[i], length) == 0)
            return 1;
    return 0;
}

/* Do the columns stand in another order than in the parameter? */
static int is_turned(const prune_pruner *pruner, const struct pm_pruned *layer)
{
    const prune_tensor *held = layer->parameter->tensor;
    return pruner->is_channels_last && !layer->layer.is_transposed && prune_tensor_rank(held) > 2 &&
           !knows_kernels(pruner->granularity);
}

/* Rows of in_channels x kernel as rows of kernel x in_channels, or back; a row-major tensor of its own. */
static int32_t turn_columns(prune_tensor **out, const prune_tensor *rows, const struct pm_pruned *layer, int back)
{
    const int64_t *shape = prune_tensor_shape(rows);
    int64_t channels = prune_tensor_shape(layer->parameter->tensor)[1];
    int64_t kernel = channels ? layer->layer.in / channels : 0;
    prune_tensor *split = NULL, *turned = NULL, *copy = NULL;
    int32_t status = prune_tensor_reshape(
        &split, rows, 3, (const int64_t[]){shape[0], back ? kernel : channels, back ? channels : kernel});
    if (!status)
        status = prune_tensor_permute(&turned, split, (const int32_t[]){0, 2, 1});
    if (!status)
        status = prune_tensor_convert(&copy, turned, prune_tensor_dtype(rows));
    if (!status)
        status = prune_tensor_reshape(out, copy, 2, (const int64_t[]){shape[0], layer->layer.in});
    prune_tensor_free(split);
    prune_tensor_free(turned);
    prune_tensor_free(copy);
    return status;
}

/* Row-major F32 or F64, [out, in], as the parameter lies. */
static int32_t to_matrix(prune_tensor **out, const struct pm_pruned *layer)
{
    const prune_tensor *held = layer->parameter->tensor;
    int64_t shape[2] = {layer->layer.out, layer->layer.in};
    prune_tensor *copy = NULL, *flat = NULL, *turned = NULL;
    int32_t status = prune_tensor_convert(&copy, held, prune_tensor_dtype(held) == PRUNE_F64 ? PRUNE_F64 : PRUNE_F32);
    if (!status && layer->layer.is_transposed)
        shape[0] = layer->layer.in, shape[1] = layer->layer.out;
    if (!status)
        status = prune_tensor_reshape(&flat, copy, 2, shape);
    if (!status && layer->layer.is_transposed)
        status = prune_tensor_permute(&turned, flat, (const int32_t[]){1, 0});
    if (!status)
        status = prune_tensor_convert(out, turned ? turned : flat, prune_tensor_dtype(copy));
    prune_tensor_free(copy);
    prune_tensor_free(flat);
    prune_tensor_free(turned);
    return status;
}

int32_t pm_pruned_weights(prune_tensor **out, const prune_pruner *pruner, const struct pm_pruned *layer)
{
    const prune_tensor *held = layer->parameter->tensor;
    prune_tensor *matrix;
    PR_TRY(to_matrix(&matrix, layer));
    if (is_turned(pruner, layer)) {
        int32_t status = turn_columns(out, matrix, layer, 0);
        prune_tensor_free(matrix);
        return status;
    }
    if (layer->layer.is_transposed || prune_tensor_rank(held) < 3 || !knows_kernels(pruner->granularity)) {
        *out = matrix;
        return PRUNE_OK;
    }
    int32_t status = prune_tensor_reshape(out, matrix, prune_tensor_rank(held), prune_tensor_shape(held));
    prune_tensor_free(matrix);
    return status;
}

/* Back to the parameter's dtype and shape, row-major. */
static int32_t from_matrix(prune_tensor **out, const prune_pruner *pruner, const prune_tensor *matrix,
                           const struct pm_pruned *layer, int32_t dtype)
{
    const prune_tensor *held = layer->parameter->tensor;
    prune_tensor *turned = NULL, *copy = NULL;
    int32_t status = PRUNE_OK;
    if (is_turned(pruner, layer))
        status = turn_columns(&turned, matrix, layer, 1);
    else if (layer->layer.is_transposed)
        status = prune_tensor_permute(&turned, matrix, (const int32_t[]){1, 0});
    if (!status)
        status = prune_tensor_convert(&copy, turned ? turned : matrix, dtype);
    if (!status)
        status = prune_tensor_reshape(out, copy, prune_tensor_rank(held), prune_tensor_shape(held));
    prune_tensor_free(turned);
    prune_tensor_free(copy);
    return status;
}

int32_t pm_pruned_store(prune_pruner *pruner, const struct pm_pruned *layer, const prune_tensor *weights, uint8_t *kept)
{
    prune_tensor *numbers = NULL, *bytes = NULL, *bools = NULL;
    prune_mask *mask = NULL;
    int32_t status = from_matrix(&numbers, pruner, weights, layer, prune_tensor_dtype(layer->parameter->tensor));
    if (!status)
        status = prune_tensor_borrow(&bytes, pruner->context, kept, PRUNE_BOOL, 2,
                                     (const int64_t[]){layer->layer.out, layer->layer.in}, NULL);
    if (!status)
        status = from_matrix(&bools, pruner, bytes, layer, PRUNE_BOOL);
    if (!status)
        status = prune_mask_from_bool(&mask, bools);
    /* The mask is taken away first: one that was there would set to zero what now stays. */
    if (!status)
        status = prune_graph_set_mask(pruner->graph, layer->name, NULL);
    if (!status)
        status = prune_graph_set_parameter(pruner->graph, layer->name, numbers);
    if (!status)
        status = prune_graph_set_mask(pruner->graph, layer->name, mask);
    prune_tensor_free(numbers);
    prune_tensor_free(bytes);
    prune_tensor_free(bools);
    prune_mask_free(mask);
    return status;
}

int32_t pm_pruned_group(prune_tensor **out, const prune_tensor *weights, const struct pm_pruned *layer, int64_t group)
{
    int64_t rows = layer->layer.out / layer->layer.groups;
    return prune_tensor_slice(out, weights, 0, group * rows, rows, 1);
}

int32_t pm_pruned_needs(const prune_pruner *pruner, int32_t *needs)
{
    const int32_t possible = PRUNE_OBSERVE_INPUT_NORMS | PRUNE_OBSERVE_GRAM | PRUNE_OBSERVE_INPUT_MEANS;
    *needs = prune_criterion_needs(pruner->criterion) | prune_recovery_needs(pruner->recovery);
    if (*needs & ~possible)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "%s needs gradients or activations, which running a model forward does not give for its "
                       "weights; take a method of weights and inputs (l1, wanda, sparsegpt, ...)",
                       prune_criterion_needs(pruner->criterion) & ~possible ? prune_criterion_spec(pruner->criterion)
                                                                            : prune_recovery_spec(pruner->recovery));
    return PRUNE_OK;
}

struct feeding {
    const prune_pruner *pruner;
    const struct pm_pruned *layer;
    int64_t first, count;
    prune_observations **observations;
};

static int32_t feed(void *user, int64_t group, int64_t rows, const float *x)
{
    const struct feeding *feeding = user;
    const prune_pruner *pruner = feeding->pruner;
    prune_tensor *batch, *turned = NULL;
    if (group < feeding->first || group >= feeding->first + feeding->count)
        return PRUNE_OK;
    PR_TRY(prune_context_progress(pruner->context, feeding->layer->name, feeding->layer - pruner->layers,
                                  pruner->layer_count));
    PR_TRY(prune_tensor_borrow(&batch, pruner->context, (void *)(uintptr_t)x, PRUNE_F32, 2,
                               (const int64_t[]){rows, feeding->layer->layer.in}, NULL));
    int32_t status = is_turned(pruner, feeding->layer) ? turn_columns(&turned, batch, feeding->layer, 0) : PRUNE_OK;
    if (!status)
        status = prune_observations_feed(feeding->observations[group - feeding->first], PRUNE_INPUTS,
                                         turned ? turned : batch);
    prune_tensor_free(turned);
    prune_tensor_free(batch);
    return status;
}

int32_t pm_pruned_room(const prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs, int64_t *groups)
{
    int64_t each;
    *groups = layer->layer.groups;
    if (!needs || !pruner->memory)
        return PRUNE_OK;
    PR_TRY(prune_observations_memory(
        needs, 2, (const int64_t[]){layer->layer.out / layer->layer.groups, layer->layer.in}, 0, &each));
    if (each > pruner->memory)
        return pr_fail(
            PRUNE_E_INFEASIBLE,
            "observing its %lld inputs takes %lld bytes; prune_pruner_set_memory allows %lld, and must allow "
            "that many",
            (long long)layer->layer.in, (long long)each, (long long)pruner->memory);
    if (pruner->memory / each < *groups)
        *groups = pruner->memory / each;
    return PRUNE_OK;
}

int32_t pm_pruned_observe(const prune_pruner *pruner, const struct pm_pruned *layer, int32_t needs, int64_t first,
                          int64_t count, prune_observations **observations)
{
    struct feeding feeding = {pruner, layer, first, count, observations};
    const struct pm_call *call = pm_session_call(pruner->session, layer->step);
    for (int64_t i = 0; i < count; i++)
        PR_TRY(prune_observations_create(&observations[i], pruner->context, needs));
    return pruner->session->steps[layer->step].kind->rows(call, layer->index, feed, &feeding);
}
