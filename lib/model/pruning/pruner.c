/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The pruner as an object: its layers, and how they are to be pruned.
 */
#include "model/pruning/pruner.h"

#include <string.h>

/* Fills the layers of all steps, or counts them while there is no room. A parameter that several nodes use is one
 * layer, of the first. */
static void find_layers(prune_pruner *pruner)
{
    int32_t count = 0;
    for (int32_t i = 0; i < pruner->session->step_count; i++) {
        const struct pm_step *step = &pruner->session->steps[i];
        struct pm_layer layer;
        for (int32_t j = 0; step->kind->layer && step->kind->layer(&step->call, j, &layer); j++) {
            const struct pm_parameter *parameter = layer.input < 4 ? step->weights[layer.input] : NULL;
            int is_known = 0;
            for (int32_t k = 0; k < count && pruner->layers; k++)
                is_known |= pruner->layers[k].parameter == parameter;
            if (!parameter || is_known)
                continue;
            if (pruner->layers) {
                struct pm_pruned *made = &pruner->layers[count];
                *made =
                    (struct pm_pruned){.step = i, .index = j, .layer = layer, .parameter = parameter, .sparsity = -1};
                made->node = step->call.node->name;
                made->included = strcmp(layer.kind, "depthwise") != 0;
                for (int32_t k = 0; k < pruner->graph->parameter_count; k++)
                    if (pruner->graph->parameters[k] == parameter)
                        made->name = prune_graph_parameter_name(pruner->graph, k);
            }
            count++;
        }
    }
    pruner->layer_count = count;
}

static int32_t set_inputs(prune_pruner *pruner, int32_t count, const char *const *names,
                          const prune_tensor *const *inputs, const int32_t *fixed)
{
    pruner->samples = 1;
    PR_TRY(pr_alloc_zero(pruner->context, count, sizeof *pruner->names, &pruner->names));
    PR_TRY(pr_alloc_zero(pruner->context, count, sizeof *pruner->inputs, &pruner->inputs));
    PR_TRY(pr_alloc_zero(pruner->context, count, sizeof *pruner->fixed, &pruner->fixed));
    pruner->input_count = count;
    for (int32_t i = count - 1; i >= 0; i--) {
        PR_TRY(pr_copy_text(pruner->context, names[i], &pruner->names[i]));
        pruner->inputs[i] = inputs[i];
        pruner->fixed[i] = fixed ? fixed[i] : 0;
        if (!pruner->fixed[i] && prune_tensor_rank(inputs[i]) > 0)
            pruner->samples = prune_tensor_shape(inputs[i])[0];
    }
    return PRUNE_OK;
}

static int32_t set_up(prune_pruner *pruner, int32_t count, const char *const *names, const prune_tensor *const *inputs,
                      const int32_t *fixed)
{
    PR_TRY(set_inputs(pruner, count, names, inputs, fixed));
    PR_TRY(prune_session_create(&pruner->session, pruner->graph, count, names, inputs, fixed, "weights=dense"));
    find_layers(pruner);
    if (!pruner->layer_count)
        return pr_fail(PRUNE_E_UNSUPPORTED, "the model has no layer with weights that it multiplies with");
    PR_TRY(pr_alloc_zero(pruner->context, pruner->layer_count, sizeof *pruner->layers, &pruner->layers));
    find_layers(pruner);
    return PRUNE_OK;
}

int32_t prune_pruner_create(prune_pruner **out, prune_graph *graph, int32_t count, const char *const *names,
                            const prune_tensor *const *inputs, const int32_t *fixed)
{
    prune_pruner *pruner;
    PR_REQUIRE(out);
    PR_REQUIRE(graph);
    PR_REQUIRE(names);
    PR_REQUIRE(inputs);
    for (int32_t i = 0; i < count; i++) {
        PR_REQUIRE(names[i]);
        PR_REQUIRE(inputs[i]);
    }
    PR_TRY(pr_alloc_zero(graph->context, 1, sizeof *pruner, &pruner));
    pruner->context = prune_context_retain(graph->context);
    pruner->graph = graph;
    int32_t status = set_up(pruner, count, names, inputs, fixed);
    if (status) {
        prune_pruner_free(pruner);
        return status;
    }
    *out = pruner;
    return PRUNE_OK;
}

void prune_pruner_free(prune_pruner *pruner)
{
    if (!pruner)
        return;
    prune_context *context = pruner->context;
    for (int32_t i = 0; i < pruner->input_count; i++)
        pr_release(context, pruner->names[i]);
    prune_session_free(pruner->session);
    pr_release(context, pruner->names);
    pr_release(context, (void *)pruner->inputs);
    pr_release(context, pruner->fixed);
    pr_release(context, pruner->layers);
    pr_release(context, pruner);
    prune_context_free(context);
}

int32_t prune_pruner_set_method(prune_pruner *pruner, const prune_criterion *criterion,
                                const prune_granularity *granularity, const prune_recovery *recovery)
{
    PR_REQUIRE(pruner);
    PR_REQUIRE(granularity);
    if (!criterion && !recovery)
        return pr_fail(PRUNE_E_ARGUMENT, "neither a criterion nor a recovery says which weights go");
    if (!criterion && !prune_recovery_chooses(recovery))
        return pr_fail(PRUNE_E_ARGUMENT, "recovery %s chooses no mask; give a criterion as well",
                       prune_recovery_spec(recovery));
    if (criterion && recovery && !prune_recovery_repairs(recovery))
        return pr_fail(PRUNE_E_ARGUMENT, "recovery %s only chooses masks itself; give no criterion",
                       prune_recovery_spec(recovery));
    pruner->criterion = criterion;
    pruner->granularity = granularity;
    pruner->recovery = recovery;
    pruner->is_planned = 0;
    return PRUNE_OK;
}

int32_t prune_pruner_set_columns(prune_pruner *pruner, const char *order)
{
    PR_REQUIRE(pruner);
    PR_REQUIRE(order);
    int is_channels_last = strcmp(order, "channels-last") == 0;
    if (!is_channels_last && strcmp(order, "kernel-last") != 0)
        return pr_fail(PRUNE_E_SPEC, "an order of columns \"%.40s\"; there are kernel-last and channels-last", order);
    pruner->is_channels_last = is_channels_last;
    pruner->is_planned = 0;
    return PRUNE_OK;
}

int32_t prune_pruner_set_memory(prune_pruner *pruner, int64_t bytes)
{
    PR_REQUIRE(pruner);
    if (bytes < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "%lld bytes for observations; it must be 0 (no limit) or more",
                       (long long)bytes);
    pruner->memory = bytes;
    return PRUNE_OK;
}

int32_t prune_pruner_set_target(prune_pruner *pruner, int32_t target, double amount, const char *cost)
{
    static const char *const names[] = {"uniform", "parameters", "macs", "bytes"};
    int32_t found = 0;
    PR_REQUIRE(pruner);
    PR_REQUIRE(cost);
    while (found < 4 && strcmp(cost, names[found]) != 0)
        found++;
    if (found == 4)
        return pr_fail(PRUNE_E_SPEC, "cost \"%.40s\" is none of uniform, parameters, macs and bytes", cost);
    if (target != PRUNE_QUOTA && target != PRUNE_SPARSITY && !(target == PRUNE_BUDGET && found > 0))
        return pr_fail(
            PRUNE_E_ARGUMENT,
            "target %d with cost %s; a model takes a quota, a sparsity, or a budget of parameters, macs or bytes",
            (int)target, cost);
    if (found == PM_BY_BYTES && target == PRUNE_SPARSITY)
        return pr_fail(PRUNE_E_ARGUMENT, "a sparsity with cost bytes; bytes are for a budget");
    if (target == PRUNE_SPARSITY && !(amount >= 0 && amount <= 1))
        return pr_fail(PRUNE_E_ARGUMENT, "a sparsity of %g is outside 0 to 1", amount);
    if (target == PRUNE_BUDGET && !(amount >= 0))
        return pr_fail(PRUNE_E_ARGUMENT, "a budget of %g; it must be 0 or more", amount);
    pruner->target = target;
    pruner->amount = target == PRUNE_QUOTA ? 0 : amount;
    pruner->cost = target == PRUNE_QUOTA ? PM_UNIFORM : found;
    pruner->is_planned = 0;
    return PRUNE_OK;
}

/* With * for any characters, also none. */
static int matches(const char *pattern, const char *name)
{
    const char *star = NULL, *from = name;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            from = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++from;
        } else {
            return 0;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

int32_t prune_pruner_include(prune_pruner *pruner, const char *pattern, int32_t include, int32_t *matched)
{
    int32_t count = 0;
    PR_REQUIRE(pruner);
    PR_REQUIRE(pattern);
    for (int32_t i = 0; i < pruner->layer_count; i++)
        if (matches(pattern, pruner->layers[i].name) || matches(pattern, pruner->layers[i].node)) {
            pruner->layers[i].included = include != 0;
            count++;
        }
    pruner->is_planned = 0;
    if (matched)
        *matched = count;
    return PRUNE_OK;
}

static const struct pm_pruned *layer_at(const prune_pruner *pruner, int32_t index)
{
    return pruner && index >= 0 && index < pruner->layer_count ? &pruner->layers[index] : NULL;
}

int32_t prune_pruner_layer_count(const prune_pruner *pruner)
{
    return pruner ? pruner->layer_count : 0;
}

const char *prune_pruner_layer_name(const prune_pruner *pruner, int32_t index)
{
    const struct pm_pruned *layer = layer_at(pruner, index);
    return layer ? layer->name : NULL;
}

const char *prune_pruner_layer_node(const prune_pruner *pruner, int32_t index)
{
    const struct pm_pruned *layer = layer_at(pruner, index);
    return layer ? layer->node : NULL;
}

const char *prune_pruner_layer_kind(const prune_pruner *pruner, int32_t index)
{
    const struct pm_pruned *layer = layer_at(pruner, index);
    return layer ? layer->layer.kind : NULL;
}

static int64_t kept_or_planned(const struct pm_pruned *layer)
{
    int64_t count = prune_tensor_count(layer->parameter->tensor);
    if (layer->parameter->mask)
        return prune_mask_kept(layer->parameter->mask);
    return layer->sparsity < 0 ? count : count - (int64_t)(layer->sparsity * (double)count + 0.5);
}

double prune_pruner_layer_number(const prune_pruner *pruner, int32_t index, int32_t what)
{
    const struct pm_pruned *layer = layer_at(pruner, index);
    if (!layer)
        return 0;
    switch (what) {
    case PRUNE_LAYER_OUT:
        return (double)layer->layer.out;
    case PRUNE_LAYER_IN:
        return (double)layer->layer.in;
    case PRUNE_LAYER_GROUPS:
        return (double)layer->layer.groups;
    case PRUNE_LAYER_PARAMETERS:
        return (double)prune_tensor_count(layer->parameter->tensor);
    case PRUNE_LAYER_MACS:
        return (double)layer->layer.macs;
    case PRUNE_LAYER_INCLUDED:
        return layer->included;
    case PRUNE_LAYER_PLANNED:
        return layer->sparsity;
    case PRUNE_LAYER_KEPT:
        return (double)(layer->parameter->mask ? prune_mask_kept(layer->parameter->mask)
                                               : prune_tensor_count(layer->parameter->tensor));
    case PRUNE_LAYER_BYTES:
        return pm_pruned_bytes(layer, kept_or_planned(layer));
    default:
        return 0;
    }
}
