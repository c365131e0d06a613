/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/cost/cost.h"

#include <string.h>

#include "base/alloc.h"

#define PM_LAYER(name) &pm_layer_##name,
static const struct pm_layer_kind *const layer_kinds[] = {
#include "model/cost/layers.def"
};
#undef PM_LAYER
#define PM_LAYER(name) &pm_layer_##name.kind,
static const struct pr_kind *const kinds[] = {
#include "model/cost/layers.def"
};
#undef PM_LAYER

int32_t pm_product(int64_t a, int64_t b, int64_t c, int64_t *product)
{
    int64_t ab = 0;
    PR_TRY(pr_mul(a, b, &ab));
    return pr_mul(ab, c, product);
}

int32_t prune_cost_create(prune_cost **out, prune_context *context)
{
    PR_REQUIRE(out);
    prune_cost *cost;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *cost, &cost));
    cost->context = prune_context_retain(context);
    *out = cost;
    return PRUNE_OK;
}

void pm_cost_truncate(prune_cost *cost, int32_t count)
{
    while (cost->count > count)
        pr_release(cost->context, cost->layers[--cost->count].name);
}

void prune_cost_free(prune_cost *cost)
{
    if (!cost)
        return;
    prune_context *context = cost->context;
    pm_cost_truncate(cost, 0);
    if (cost->layers)
        pr_release(context, cost->layers);
    pr_release(context, cost);
    prune_context_free(context);
}

static int32_t make_room(prune_cost *cost)
{
    if (cost->count < cost->room)
        return PRUNE_OK;
    if (cost->room > INT32_MAX / 2)
        return pr_fail(PRUNE_E_OVERFLOW, "%d layers are too many", (int)cost->count);
    int32_t room = cost->room ? cost->room * 2 : 16;
    struct pm_cost_layer *layers;
    PR_TRY(pr_alloc(cost->context, room, sizeof *layers, &layers));
    if (cost->layers) {
        memcpy(layers, cost->layers, (size_t)cost->count * sizeof *layers);
        pr_release(cost->context, cost->layers);
    }
    cost->layers = layers;
    cost->room = room;
    return PRUNE_OK;
}

static int32_t append(prune_cost *cost, const char *name, const struct pm_cost_layer *layer)
{
    char *copy;
    PR_TRY(make_room(cost));
    PR_TRY(pr_copy_text(cost->context, name, &copy));
    cost->layers[cost->count] = *layer;
    cost->layers[cost->count++].name = copy;
    return PRUNE_OK;
}

static int32_t set(struct pm_cost_layer *layer, int64_t nonzeros, double input_density)
{
    if (nonzeros < -1 || nonzeros > layer->weights)
        return pr_fail(PRUNE_E_ARGUMENT, "nonzeros is %lld; the layer has %lld weights, and -1 stands for all of them",
                       (long long)nonzeros, (long long)layer->weights);
    if (!(input_density >= 0 && input_density <= 1)) {
        char number[PR_MAX_NUMBER];
        pr_number_print(number, input_density);
        return pr_fail(PRUNE_E_ARGUMENT, "input_density is %s; it must be from 0 to 1",
                       input_density != input_density ? "NaN" : number);
    }
    layer->nonzeros = nonzeros < 0 ? layer->weights : nonzeros;
    layer->input_density = input_density;
    return PRUNE_OK;
}

/* Weights and MACs of what was measured. */
static int32_t derive(struct pm_cost_layer *layer)
{
    const struct pm_measure *m = &layer->measure;
    int64_t unused;
    PR_TRY(pr_mul(m->rows, m->columns, &layer->weights));
    PR_TRY(pr_mul(layer->weights, m->uses, &layer->macs));
    PR_TRY(pr_add(layer->macs, layer->free_macs, &layer->macs));
    PR_TRY(pr_add(layer->weights, m->others, &unused));
    return pr_add(m->inputs, m->outputs, &unused);
}

static int32_t fill(struct pm_cost_layer *layer, const char *spec, int64_t nonzeros, double input_density)
{
    struct pr_values values;
    int32_t kind = 0, status;
    PR_TRY(pr_spec_parse(spec, "layer", kinds, (int32_t)(sizeof kinds / sizeof *kinds), &kind, &values));
    if ((status = layer_kinds[kind]->measure(&values, &layer->measure)))
        return pr_fail_in(status, "layer %s", kinds[kind]->name);
    PR_TRY(derive(layer));
    return set(layer, nonzeros, input_density);
}

int32_t prune_cost_add(prune_cost *cost, const char *name, const char *spec, int64_t nonzeros, double input_density)
{
    PR_REQUIRE(cost);
    PR_REQUIRE(name);
    struct pm_cost_layer layer = {0};
    int32_t status = fill(&layer, spec, nonzeros, input_density);
    if (status)
        return pr_fail_in(status, "\"%.100s\"", name);
    return append(cost, name, &layer);
}

int32_t pm_cost_put(prune_cost *cost, const char *name, struct pm_cost_layer *layer)
{
    int32_t status = derive(layer);
    if (!status)
        status = set(layer, layer->nonzeros, layer->input_density);
    if (status)
        return pr_fail_in(status, "\"%.100s\"", name);
    return append(cost, name, layer);
}

int32_t prune_cost_set(prune_cost *cost, int32_t layer, int64_t nonzeros, double input_density)
{
    PR_REQUIRE(cost);
    if (layer < 0 || layer >= cost->count)
        return pr_fail(PRUNE_E_ARGUMENT, "layer %d is not in the list of %d", (int)layer, (int)cost->count);
    int32_t status = set(&cost->layers[layer], nonzeros, input_density);
    return status ? pr_fail_in(status, "\"%.100s\"", cost->layers[layer].name) : PRUNE_OK;
}

int32_t prune_cost_count(const prune_cost *cost)
{
    return cost ? cost->count : 0;
}

const char *prune_cost_name(const prune_cost *cost, int32_t layer)
{
    return cost && layer >= 0 && layer < cost->count ? cost->layers[layer].name : NULL;
}

/* A quantity of one layer is a whole number times a fraction (1 for what is counted). */
static int32_t quantity_of(const struct pm_cost_layer *layer, int32_t quantity, int64_t *whole, double *fraction)
{
    const struct pm_measure *m = &layer->measure;
    int has_macs = layer->macs > 0, is_first = !layer->is_repeated;
    *fraction = 1;
    switch (quantity) {
    case PRUNE_COST_WEIGHTS:
        *whole = is_first ? layer->weights : 0;
        return PRUNE_OK;
    case PRUNE_COST_PARAMETERS:
        *whole = (is_first ? layer->weights : 0) + m->others;
        return PRUNE_OK;
    case PRUNE_COST_NONZEROS:
        *whole = is_first ? layer->nonzeros : 0;
        return PRUNE_OK;
    case PRUNE_COST_MACS:
        *whole = layer->macs;
        return PRUNE_OK;
    case PRUNE_COST_MACS_ACTIVATIONS:
        *whole = layer->macs;
        *fraction = layer->input_density;
        return PRUNE_OK;
    case PRUNE_COST_MACS_WEIGHTS:
        *whole =
            layer->nonzeros * m->uses + layer->free_macs; /* every weight is used equally often, so this is exact */
        return PRUNE_OK;
    case PRUNE_COST_MACS_BOTH:
        *whole = layer->nonzeros * m->uses + layer->free_macs;
        *fraction = layer->input_density;
        return PRUNE_OK;
    case PRUNE_COST_ELEMENT_OPS:
        *whole = m->element_ops;
        return PRUNE_OK;
    case PRUNE_COST_ACTIVATIONS:
        *whole = has_macs ? m->inputs + m->outputs : 0;
        return PRUNE_OK;
    case PRUNE_COST_OUTPUTS:
        *whole = m->outputs;
        return PRUNE_OK;
    default:
        return pr_fail(PRUNE_E_ARGUMENT,
                       "quantity %d is none; they go from PRUNE_COST_WEIGHTS, %d, to PRUNE_COST_OUTPUTS, %d",
                       (int)quantity, PRUNE_COST_WEIGHTS, PRUNE_COST_OUTPUTS);
    }
}

int32_t pm_cost_range(const prune_cost *cost, int32_t layer, int32_t *first, int32_t *end)
{
    if (layer < -1 || layer >= cost->count)
        return pr_fail(PRUNE_E_ARGUMENT, "layer %d is not in the list of %d; -1 stands for all", (int)layer,
                       (int)cost->count);
    *first = layer < 0 ? 0 : layer;
    *end = layer < 0 ? cost->count : layer + 1;
    return PRUNE_OK;
}

int32_t prune_cost_get(const prune_cost *cost, int32_t quantity, int32_t layer, double *value)
{
    PR_REQUIRE(cost);
    PR_REQUIRE(value);
    int64_t counted = 0, whole = 0; /* what is counted stays an integer until the end, so that sums are exact */
    double estimated = 0, fraction = 1;
    struct pm_cost_layer none = {0};
    int32_t first = 0, end = 0;
    PR_TRY(quantity_of(&none, quantity, &whole, &fraction));
    PR_TRY(pm_cost_range(cost, layer, &first, &end));
    for (int32_t i = first; i < end; i++) {
        PR_TRY(quantity_of(&cost->layers[i], quantity, &whole, &fraction));
        if (fraction == 1)
            PR_TRY(pr_add(counted, whole, &counted));
        else
            estimated += fraction * (double)whole;
    }
    *value = (double)counted + estimated;
    return PRUNE_OK;
}
