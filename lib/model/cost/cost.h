/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Cost from the inside: a kind of layer says what one of its layers amounts to, everything else is sums.
 */
#ifndef PM_COST_H
#define PM_COST_H

#include "base/spec.h"
#include "prune/cost.h"

/* What a layer amounts to, for one sample. Kinds fill this in with checked arithmetic. */
struct pm_measure {
    int64_t rows, columns; /* the weights as a matrix, as formats see it; 0 x 0 for none */
    int64_t uses;          /* how often each weight is multiplied: MACs = rows x columns x uses */
    int64_t others;        /* trainable parameters that are no weights: biases, batch norm's two */
    int64_t element_ops;
    int64_t inputs, outputs; /* elements */
};

struct pm_layer_kind {
    struct pr_kind kind;
    int32_t (*measure)(const struct pr_values *values, struct pm_measure *measure);
};

#define PM_LAYER(name) extern const struct pm_layer_kind pm_layer_##name;
#include "model/cost/layers.def"
#undef PM_LAYER

/* a x b x c, checked. */
int32_t pm_product(int64_t a, int64_t b, int64_t c, int64_t *product);

struct pm_cost_layer {
    char *name;
    struct pm_measure measure;
    int64_t weights, macs, nonzeros;
    double input_density;
    int64_t free_macs; /* of `macs`, those with no weight in them: products of two computed values */
    int is_repeated;   /* its weights are those of a layer before, and counted there */
};

struct prune_cost {
    prune_context *context;
    struct pm_cost_layer *layers;
    int32_t count, room;
};

/* The layers that `layer` means: itself, or all for -1. */
int32_t pm_cost_range(const prune_cost *cost, int32_t layer, int32_t *first, int32_t *end);

/* Puts a layer whose measure, non-zeros and density are set at the end, with a copy of the name. */
int32_t pm_cost_put(prune_cost *cost, const char *name, struct pm_cost_layer *layer);

/* Drops the layers from number `count` on. */
void pm_cost_truncate(prune_cost *cost, int32_t count);

#endif
