/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Criterion: from the weights of a tensor to one importance for each unit of a granularity. Higher is kept longer.
 *
 *   "l1"             sum |w|; magnitude: Han et al. 2015 for single elements, Li et al. 2017 for filters
 *   "l2"             sqrt(sum w^2)
 *   "lp:p=P"         (sum |w|^P)^(1/P), P 0.1 to 1000; the norms rank single elements alike, groups differently
 *   "linf"           max |w|
 *   "lamp"           w^2 / sum of w^2 over the units that are no smaller (of equal ones the lower number counts as
 *                    smaller), for a unit sum w^2: the largest of every tensor gets 1, so that no tensor is emptied by
 *                    a ranking of all; Lee et al. 2021
 *   "fpgm"           sum over the other units of the tensor of the Euclidean distance, what a unit at the edge lacks
 *                    counted as zeros: far from the geometric median is kept longer; He et al. 2019. Work grows with
 *                    units^2, memory is 8 bytes an element; single elements take a sort
 *   "obs:damping=D"  Optimal Brain Surgeon (Hassibi and Stork 1993): what the layer error (see prune/recover.h) grows
 *                    by when the unit goes and all other weights make up for it, from the inputs' Gram matrix: with H =
 *                    2 G the papers' w^2 / (2 [H^-1]_qq), and w_S ([H^-1]_SS)^-1 w_S' / 2 of units. "memory=B" as
 *                    there
 *   "random:seed=S"  uniform in [0, 1), by unit number: a baseline
 *   "scores"         sum w: the tensor is itself the caller's importances
 *
 * What follows needs observations (prune/observe.h), with what prune_criterion_needs says. g is dE/dw at one step; a
 * mean is one over steps. Where the sum of a unit is written, aggregate can put something else in its place.
 *
 *   "taylor:form=F,average=A"   first order; Molchanov et al. 2019. form "sum": sum of mean(g^2) w^2, or with
 *                    average=gradients of (mean(g) w)^2; "absolute": sum of mean |g| |w|, or |mean(g) w|; "gate": the
 *                    square of the sum of mean(g) w. They rank units differently; single elements alike
 *   "taylor-gate"    mean over the gradients that are kept of (sum g w)^2: of a filter, what a factor in front of its
 *                    output would get; a batch normalisation's gate is a unit of gamma and beta
 *   "taylor-activation:form=F,channel_axis=X"   by channel z. "absolute": mean over samples of |mean of z dE/dz|,
 *                    Molchanov et al. 2017, who divide by the layer's L2 norm: normalize=l2; "gate": mean over batches
 *                    of (sum of z dE/dz)^2
 *   "obd"            sum of h w^2 / 2, h the Hessian's diagonal, 0 where it is negative; LeCun et al. 1989
 *   "fisher"         sum of mean(g^2) w^2 / 2: the diagonal of the empirical Fisher matrix in place of h
 *   "snip"           sum of |mean(g) w|, of a network that was not trained yet; Lee et al. 2019
 *   "movement"       sum over steps of -g w, each with the weight of its step: high for weights that training moves
 *                    away from zero; Sanh et al. 2020
 *   "wanda:groups=G" sum of |w| times the L2 norm of its input; Sun et al. 2024, who let the weights of a row compete:
 *                    granularity element:pool=row, or nm. A convolution's inputs are observed as rows of im2col, or by
 *                    channel; `groups` as those of the convolution, whose inputs follow one another
 *   "apoz:channel_axis=X"             1 - share of zeros among a channel's activations; Hu et al. 2016
 *   "mean-activation:channel_axis=X"  mean of a channel's activations
 *   "scale:channel_axis=X"            |factor| of a channel: a batch normalisation's gamma (Liu et al. 2017), or one of
 *                    one's own
 *
 * The three taylors take blocks=N, 1 unless it is given: the units of a tensor that N blocks add their outputs to, as
 * they do to a skip connection, gather the gradients of all of them, and their scores are divided by N, before
 * normalize (Molchanov et al. 2019: 3, 4, 6 and 3 for the four stages of a ResNet-50).
 *
 * The last three and taylor-activation score a unit by the mean over the channels that it lies in, along axis X of the
 * weights: 0, the default, for the outputs of this layer, 1 for its inputs.
 *
 * From the last gradients, one for each sample or batch (PRUNE_OBSERVE_GRADIENT_SAMPLES; samples=M takes the last M of
 * those that are kept): w^2 / (2 [F^-1]_qq), what the loss grows by when weight q goes and the others make up for it,
 * with the empirical Fisher matrix F = damping I + mean g g'. PRUNE_E_VALUE where the damping is lost to rounding
 * beside the gradients.
 *
 *   "woodfisher:block=B,damping=D,samples=M"
 *                    F by blocks along its diagonal, B neighbours in row-major order each (128), inverted gradient by
 *                    gradient: gradients x elements x B operations, 8 B^2 bytes a thread; Singh and Alistarh 2020
 *   "mfac:damping=D,samples=M"
 *                    F of the whole tensor, without the matrix: gradients^2 x elements operations, 8 gradients^2 bytes;
 *                    through the BLAS, where there is one; Frantar, Kurtic and Alistarh 2021
 *
 * Every criterion takes two settings more, e.g. "l1:aggregate=mean,normalize=l2", or one. Those that put a unit
 * together from elements have the first; fpgm, obs, random, taylor-gate, taylor-activation, apoz, mean-activation and
 * scale, which score it as a whole, have not:
 *
 *   aggregate   how a unit's elements are put together: "sum" or "mean" of what stands under the sum above (l2 with
 *               mean is the root mean square), "max", "product" or "first" (in row-major order) of the scores that the
 *               elements would have alone. An infinity times zero is refused, PRUNE_E_VALUE with the unit
 *
 * and all of them have
 *
 *   normalize   what is done to the scores s of the tensor, to compare them with those of others: "none"; "size", s /
 *               elements of the unit; "l2", s / sqrt(sum s^2); "sum", s / sum |s|; "max", s / max |s|; "min-max",
 *               (s - min) / (max - min); "standard", (s - mean) / deviation (population). Where the divisor is 0, the
 *               results are. All but "size" keep the order. Infinite scores stay, and do not count in the measures
 *
 * Single elements are scored exactly. Sums run over a unit's elements in row-major order, in double, so that they have
 * the same bits on every CPU; l2 and lp scale by the largest magnitude, so that they neither overflow nor lose small
 * units. Infinite weights give infinite scores, and do not count in the scores of other units. A NaN weight is refused,
 * PRUNE_E_VALUE with its position.
 */
#ifndef PRUNE_CRITERION_H
#define PRUNE_CRITERION_H

#include <stdint.h>

#include "prune/granularity.h"
#include "prune/observe.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_criterion prune_criterion;

/* Importances of the units of one tensor, with the granularity and the shape that they belong to. Immutable. */
typedef struct prune_scores prune_scores;

/* From a spec string, see prune/kinds.h. */
PRUNE_API int32_t prune_criterion_create(prune_criterion **out, prune_context *context, const char *spec);

/* The caller's own criterion: fills `importances`, F64 zeros in row-major order and in the shape of `weights`, with one
 * number for each element; the library puts them together for units as it does for "scores". `settings` are those that
 * every criterion has, "aggregate=mean,normalize=l2", or NULL. Called once for each prune_criterion_score, on the
 * calling thread, with the observations given there; `user` is handed through. It returns 0, or a negative status that
 * becomes the score's (prune_fail sets the sentence); it must not keep the tensors. NaN among its importances is
 * refused, PRUNE_E_VALUE with the position. The spec of such a criterion, "callback:...", makes none. */
typedef int32_t (*prune_importance_fn)(void *user, const prune_tensor *weights, const prune_observations *observations,
                                       prune_tensor *importances);
PRUNE_API int32_t prune_criterion_from_callback(prune_criterion **out, prune_context *context,
                                                prune_importance_fn importance, void *user, const char *settings);

/* The canonical spec string; the criterion's own memory. */
PRUNE_API const char *prune_criterion_spec(const prune_criterion *criterion);

/* The PRUNE_OBSERVE_* bits of what it wants to know from data; 0 for none, and for NULL. */
PRUNE_API int32_t prune_criterion_needs(const prune_criterion *criterion);

PRUNE_API void prune_criterion_free(prune_criterion *criterion);

/* Scores `weights` (F32, F16, BF16 or F64, any strides) by units of `granularity`. `observations` may be NULL when the
 * criterion needs none; otherwise they were made with all that prune_criterion_needs says, and fed (PRUNE_E_ARGUMENT
 * names what is missing) with data of sizes that fit the weights. PRUNE_E_DTYPE, PRUNE_E_SHAPE, PRUNE_E_VALUE,
 * PRUNE_E_NOMEM. */
PRUNE_API int32_t prune_criterion_score(prune_scores **out, const prune_criterion *criterion,
                                        const prune_tensor *weights, const prune_observations *observations,
                                        const prune_granularity *granularity);

/* The caller's own scores for a tensor of `rank` and `shape`: `values` (F32 or F64) has as many elements as there are
 * units, in row-major order of the grid (prune_granularity_count); copied. NaN is refused. */
PRUNE_API int32_t prune_scores_create(prune_scores **out, const prune_granularity *granularity, int32_t rank,
                                      const int64_t *shape, const prune_tensor *values);

/* The scores, F64 in the shape of the grid; borrowed, lives as long as `scores`. */
PRUNE_API const prune_tensor *prune_scores_values(const prune_scores *scores);

/* The moving average over pruning steps: momentum * older + (1 - momentum) * newer, momentum 0 to below 1, for scores
 * of the same granularity and shape. A sum that is NaN is refused, PRUNE_E_VALUE with the unit. */
PRUNE_API int32_t prune_scores_average(prune_scores **out, const prune_scores *newer, const prune_scores *older,
                                       double momentum);

/* score - weight * cost, for a ranking that takes into account what a unit costs: FLOPs, bytes, time. `costs` (F32 or
 * F64, finite) has one number for each unit, in row-major order of the grid; `weight` is finite. */
PRUNE_API int32_t prune_scores_charge(prune_scores **out, const prune_scores *scores, const prune_tensor *costs,
                                      double weight);

PRUNE_API void prune_scores_free(prune_scores *scores);

#ifdef __cplusplus
}
#endif
#endif
