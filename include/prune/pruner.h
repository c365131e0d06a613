/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Pruner: a whole model pruned and repaired layer by layer on calibration data, without training.
 *
 * A layer is a parameter that a node multiplies with (Conv, Gemm, MatMul, ...), seen as a matrix out x in: in is
 * in_channels / groups * kernel for a convolution. Layers are taken in the order in which the model runs, each observed
 * on what the already pruned layers before it make of the calibration samples (Frantar and Alistarh 2023, section 3.3).
 * A convolution in groups is pruned group by group. Its filters and kernels are seen as such by the granularities
 * filter, kernel, in-channel and pattern; all others see the matrix.
 *
 * Used by one thread at a time; the graph and the kinds that it is given must outlive it.
 */
#ifndef PRUNE_PRUNER_H
#define PRUNE_PRUNER_H

#include <stdint.h>

#include "prune/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_pruner prune_pruner;

/* For a model and its calibration inputs, `count` of them, as prune_session_create and _run take them (`fixed` may be
 * NULL); the inputs are borrowed until it is freed. Finds the layers; depthwise convolutions are left out until they
 * are included. PRUNE_E_UNSUPPORTED for a model without layers, and as prune_session_create. */
PRUNE_API int32_t prune_pruner_create(prune_pruner **out, prune_graph *graph, int32_t count, const char *const *names,
                                      const prune_tensor *const *inputs, const int32_t *fixed);
PRUNE_API void prune_pruner_free(prune_pruner *pruner);

/* How. `recovery` may be NULL: what is kept stays as it is. One that chooses masks itself (prune_recovery_chooses) and
 * has no criterion beside it (NULL) chooses them. PRUNE_E_ARGUMENT when neither says which weights go, or the recovery
 * cannot repair a given mask. */
PRUNE_API int32_t prune_pruner_set_method(prune_pruner *pruner, const prune_criterion *criterion,
                                          const prune_granularity *granularity, const prune_recovery *recovery);

/* The order in which a convolution's columns stand while it is pruned: "kernel-last", in_channels x kernel as the
 * weights lie (at first), or "channels-last", kernel x in_channels, where groups of N:M, vectors, blocks and banks are
 * of neighbouring input channels at one place of the kernel, as NVIDIA's ASP groups them, and sparsegpt takes the
 * columns in this order. The packed form of N:M needs its groups kernel-last: masks chosen channels-last run as csr
 * where the kernel is larger than 1. PRUNE_E_SPEC for another name. */
PRUNE_API int32_t prune_pruner_set_columns(prune_pruner *pruner, const char *order);

/* The most bytes that observations of a layer take at once (prune_observations_memory); 0, as at first: no limit. A
 * convolution's groups are then observed a few at a time, its inputs read again for each few; the results are the same
 * bits. A layer of which not even one group fits is PRUNE_E_INFEASIBLE, before anything of it is gathered, with both
 * numbers. The activations of all samples (prune_session_memory) come on top. PRUNE_E_ARGUMENT for less than 0. */
PRUNE_API int32_t prune_pruner_set_memory(prune_pruner *pruner, int64_t bytes);

/* How much: PRUNE_QUOTA (of the granularity; `amount` is not looked at), or a target over the included layers.
 * `cost`: "uniform", the same PRUNE_SPARSITY in every layer; or with a granularity that has no quota "parameters" or
 * "macs", where all layers' scores, on the model as it is, are ranked together: PRUNE_SPARSITY of the units, or
 * PRUNE_BUDGET, where what is kept of all layers costs at most `amount` parameters or multiply-adds for the calibration
 * inputs divided by their samples; or "bytes", a PRUNE_BUDGET for the weights of all included layers, each in the
 * smallest of dense, csr and bitmap as prune_cost_bytes counts them. PRUNE_E_ARGUMENT, PRUNE_E_SPEC. */
PRUNE_API int32_t prune_pruner_set_target(prune_pruner *pruner, int32_t target, double amount, const char *cost);

/* Includes (1) or leaves out (0) the layers whose parameter's or node's name matches `pattern`, where * stands for any
 * characters; *matched (NULL allowed) says how many. Later calls win. */
PRUNE_API int32_t prune_pruner_include(prune_pruner *pruner, const char *pattern, int32_t include, int32_t *matched);

/* The sparsity that each layer will get, without changing anything: for a target over all layers it scores them.
 * PRUNE_E_INFEASIBLE as prune_selection_solve. Called by prune_pruner_run where it was not. */
PRUNE_API int32_t prune_pruner_plan(prune_pruner *pruner);

/* Prunes and repairs the graph's parameters, sets their masks. On failure the layers before the one that failed are
 * pruned and the sentence names it. Progress (context) counts layers, and
 * is told again while one is observed; PRUNE_E_CANCELLED. */
PRUNE_API int32_t prune_pruner_run(prune_pruner *pruner);

/* Mean and variance of every BatchNormalization become those of its input over the calibration samples, in order, each
 * after those before it were renewed; the variance is divided by n - 1. *count (NULL allowed): how many. */
PRUNE_API int32_t prune_pruner_recalibrate(prune_pruner *pruner, int32_t *count);

/* Layers in order. NULL and 0 outside the list. Numbers: */
#define PRUNE_LAYER_OUT 1
#define PRUNE_LAYER_IN 2
#define PRUNE_LAYER_GROUPS 3
#define PRUNE_LAYER_PARAMETERS 4
#define PRUNE_LAYER_MACS 5     /* dense, for the calibration inputs */
#define PRUNE_LAYER_INCLUDED 6 /* 0 or 1 */
#define PRUNE_LAYER_PLANNED 7  /* sparsity, after plan; -1 before, and for a quota */
#define PRUNE_LAYER_KEPT 8     /* elements, by the mask that the graph has now */
#define PRUNE_LAYER_BYTES 9    /* of these (without a mask: of what the plan keeps), as a budget counts them */
PRUNE_API int32_t prune_pruner_layer_count(const prune_pruner *pruner);
PRUNE_API const char *prune_pruner_layer_name(const prune_pruner *pruner, int32_t index); /* the parameter */
PRUNE_API const char *prune_pruner_layer_node(const prune_pruner *pruner, int32_t index);
PRUNE_API const char *prune_pruner_layer_kind(const prune_pruner *pruner, int32_t index);
PRUNE_API double prune_pruner_layer_number(const prune_pruner *pruner, int32_t index, int32_t what);

#ifdef __cplusplus
}
#endif
#endif
