/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selection: from scores and a target to a mask; and schedules, which say what the target is at each step of a
 * training.
 *
 * How many go is exact: of `units` units in a pool, k = round(sparsity * units), half away from zero, the product in
 * double (0.7 * 45 is 31.499999999999996 and gives 31). The k least important go; of equal scores the lower unit number
 * goes first, inside N:M groups too. Infinity ranks above every finite score, minus infinity below. NaN is refused.
 */
#ifndef PRUNE_SELECT_H
#define PRUNE_SELECT_H

#include <stdint.h>

#include "prune/criterion.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Targets. Each is kept in every pool of its own: with element:pool=row, SPARSITY 0.5 removes half of each row. */
#define PRUNE_QUOTA 0     /* the granularity's quota; `amount` is 0. The only target of a granularity that has one */
#define PRUNE_SPARSITY 1  /* the fraction of units to remove, 0 to 1 */
#define PRUNE_KEEP 2      /* the number of units to keep in each pool, a whole number, at most the size of each pool */
#define PRUNE_THRESHOLD 3 /* units that score below `amount` go */
#define PRUNE_QUALITY 4   /* prune_mask_magnitude only */
#define PRUNE_COUNT 5 /* the number of units to remove in each pool, a whole number, at most the size of each pool */

/* PRUNE_E_ARGUMENT for an amount that is NaN or outside its range, or a target that the granularity does not take. */
PRUNE_API int32_t prune_mask_select(prune_mask **out, const prune_scores *scores, int32_t target, double amount);

/* Straight from weights (F32, F16, BF16 or F64, any strides) to the mask of their magnitudes, for granularities whose
 * unit is one element: what prune_criterion_score with "l1" and prune_mask_select give, for row-major F32 weights in
 * two readings of them, groups of 4 in one, without scores in between. PRUNE_QUALITY is a target here: weights with |w|
 * below `amount` times the standard deviation of all weights go. PRUNE_E_VALUE with the position of a NaN. */
PRUNE_API int32_t prune_mask_magnitude(prune_mask **out, const prune_tensor *weights,
                                       const prune_granularity *granularity, int32_t target, double amount);

/* The threshold of a quality factor, 0 or more: `quality` times the population standard deviation of the weights about
 * their mean, in double (Han et al. 2015). Of no weights it is 0. */
PRUNE_API int32_t prune_quality_threshold(const prune_tensor *weights, double quality, double *threshold);

/* prune_mask_select among what a mask of the tensor's shape keeps: a unit of which `within` keeps nothing is gone
 * already, and the target is for the others. SPARSITY 0.2 removes a fifth of the survivors of each pool (Frankle and
 * Carbin 2019: 100 weights 80, 64, 51, 41, 33, 26); a quota, KEEP or COUNT beyond the survivors of a pool means all of
 * them. What `within` does not keep is never kept. */
PRUNE_API int32_t prune_mask_select_within(prune_mask **out, const prune_scores *scores, const prune_mask *within,
                                           int32_t target, double amount);

/* As other programs count, to reproduce what they published; everywhere else the rule at the top of this page holds. Of
 * n units of a pool (of the survivors where `within` is not NULL) and a sparsity s:
 *
 *   rule                goes                                       of equal scores
 *   "lab"               round(n s), half to even                   all that equal the last to go, go too
 *   "torch"             round(n s), half to even; or PRUNE_COUNT   exactly as many, the lower unit first
 *   "tfmot"             all but max(round(n (1 - s)), 1), single   all that equal the last to stay, stay
 *                       precision, half to even
 *   "sparsegpt"         trunc(n s) + 1; Wanda's magnitude too      all that equal the last to go, go too
 *   "wanda"             trunc(n s); its pool is element:pool=row   exactly as many, the lower unit first
 *   "coremltools"       trunc(n s)                                 exactly as many, the lower unit first
 *   "network-slimming"  trunc(n s) + 1; its units are gammas       all that equal the last to go, go too
 *   "lottery-ticket"    round(n s) + 1, half to even               all that equal the last to go, go too
 *
 * Where such a count is beyond n, everything goes. `target` is PRUNE_SPARSITY, for "torch" also PRUNE_COUNT;
 * granularities with a quota or a way of selecting of their own are PRUNE_E_ARGUMENT, an unknown rule PRUNE_E_SPEC. */
PRUNE_API int32_t prune_mask_select_like(prune_mask **out, const prune_scores *scores, const prune_mask *within,
                                         const char *rule, int32_t target, double amount);

/* Many tensors that share one target.
 *
 * Their units are ranked together, by score, then tensor, then unit: the first in this order go. Or the target is
 * shared out by an allocation, and each tensor's units are ranked by themselves. Scores are read in a few passes, each
 * in linear time, and counted: memory does not grow with the tensors, which may be read from wherever they are. What is
 * decided of a tensor is a cut, a score and a number of ties, or a mask. */
typedef struct prune_selection prune_selection;

/* Writes the scores of units first, ..., first + count - 1 (row-major order of the grid) to `scores`, and returns
 * PRUNE_OK, or a status that stops the work (prune_fail). Called on the calling thread, in ascending order, from the
 * start again for each pass: the scores must be the same each time, and none NaN (PRUNE_E_VALUE). */
typedef int32_t (*prune_scores_fn)(void *user, int64_t first, int64_t count, double *scores);

/* Targets of a selection, besides PRUNE_SPARSITY, PRUNE_KEEP, PRUNE_COUNT and PRUNE_THRESHOLD, which here count the
 * units of all tensors together. */
#define PRUNE_BUDGET 6       /* what is kept costs at most `amount` */
#define PRUNE_BUDGET_EXACT 7 /* what is kept costs `amount`, to the last bit */

/* A selection without tensors; PRUNE_E_NOMEM. */
PRUNE_API int32_t prune_selection_create(prune_selection **out, prune_context *context);
PRUNE_API void prune_selection_free(prune_selection *selection);

/* Adds a tensor; *index (NULL allowed) is its number, counted from 0. `scores` and `within` are borrowed until the
 * selection is freed. Their granularity has one pool and no quota (PRUNE_E_ARGUMENT). Units of which `within` (NULL:
 * everything) keeps nothing are gone already and count nowhere. `cost` is what keeping one unit costs, 0 or more:
 * parameters, MACs, bytes, seconds. To rank by importance per cost, divide the scores. */
PRUNE_API int32_t prune_selection_add(prune_selection *selection, const prune_scores *scores, const prune_mask *within,
                                      double cost, int32_t *index);

/* The same for a tensor whose scores are read. */
PRUNE_API int32_t prune_selection_add_streamed(prune_selection *selection, const prune_granularity *granularity,
                                               int32_t rank, const int64_t *shape, prune_scores_fn read, void *user,
                                               double cost, int32_t *index);

/* Floor, cap and step: of tensor `index` `least` to `most` units are kept, a multiple of `round_to`, or all of them
 * where `most` is all. What ranking leaves is rounded down, then raised to the floor or lowered to the cap; others make
 * up for it. Without this call at least 1 unit is kept: only least 0 lets a layer be emptied. PRUNE_E_ARGUMENT for
 * numbers that no count meets. */
PRUNE_API int32_t prune_selection_limit(prune_selection *selection, int32_t index, int64_t least, int64_t most,
                                        int64_t round_to);

/* Keeps all of tensor `index`; its units and their cost still count. */
PRUNE_API int32_t prune_selection_freeze(prune_selection *selection, int32_t index);

PRUNE_API int32_t prune_selection_count(const prune_selection *selection); /* tensors */
PRUNE_API double prune_selection_total(const prune_selection *selection);  /* what all units cost */

/* Solves for a target. `allocation` is a spec string, NULL for "global":
 *   "global"                 all units in one ranking
 *   "uniform"                the same density for every tensor
 *   "uniform-plus:last=D"    uniform, but the first tensor dense and the last of density D (0.2) or more: Gale et al.
 *   "er", "erk"              density in proportion to the sum over the product of the first two extents, or of all
 *
 * A target is the most that may be kept, and no more goes than it takes: SPARSITY, KEEP and COUNT give exactly that
 * number of units, k = round(sparsity * units), wherever floors, caps and round_to leave it open; a BUDGET ends at the
 * first place in the ranking where the cost fits. Allocations give each tensor its share, rounded down, then one unit
 * more (one step of round_to) to those that lost most, the lower tensor first, while it fits.
 *
 * PRUNE_E_INFEASIBLE when floors and frozen tensors alone are more than the target, or BUDGET_EXACT cannot be met: the
 * selection is what it was before, the sentence says what is nearest, and so does *nearest (NULL allowed; written in
 * this case alone). */
PRUNE_API int32_t prune_selection_solve(prune_selection *selection, const char *allocation, int32_t target,
                                        double amount, double *nearest);

/* Of a solved selection (PRUNE_E_ARGUMENT before): what is kept costs; how many units tensor `index` keeps, and the
 * density that it was allotted before rounding to whole units (either may be NULL); its cut: units that score below
 * *score go, and of those that equal it the first *ties, in the order of the grid; and its mask. */
PRUNE_API int32_t prune_selection_cost(const prune_selection *selection, double *cost);
PRUNE_API int32_t prune_selection_kept(const prune_selection *selection, int32_t index, int64_t *kept, double *density);
PRUNE_API int32_t prune_selection_cut(const prune_selection *selection, int32_t index, double *score, int64_t *ties);
PRUNE_API int32_t prune_selection_mask(prune_mask **out, const prune_selection *selection, int32_t index);

/* Schedules:
 *   "one-shot:sparsity=S,step=T"                           nothing before step T, S from it on
 *   "linear:initial=A,final=B,begin=T0,end=T1"             from A to B in a straight line
 *   "cubic:initial=A,final=B,begin=T0,end=T1"              B + (A - B) (1 - t)^3, t = (step - T0) / (T1 - T0):
 *                                                          AGP, Zhu and Gupta 2017 eq. 1
 *   "exponential:initial=A,final=B,begin=T0,end=T1"        density (1 - A) ((1 - B) / (1 - A))^t: each step keeps the
 *                                                          same part of what is left; A and B below 1
 *   "cosine:initial=A,final=B,begin=T0,end=T1,curve=C"     A + (B - A) (1 - cos(pi t / 2)), slow at first, for C
 *                                                          quarter (the default); of C half A + (B - A) (1 -
 *                                                          cos(pi t)) / 2, slow at both ends
 *   "multi-step:initial=A,steps=T1:S1/T2:S2"               A before step T1, S1 from it on, S2 from T2 on; steps
 *                                                          ascend, as many as 399 characters hold
 *
 * Before `begin` the sparsity is `initial`, from `end` on `final`. Numbers of steps are whole, begin < end. */
typedef struct prune_schedule prune_schedule;

/* From a spec string, see prune/kinds.h; and its canonical form, the schedule's own memory. */
PRUNE_API int32_t prune_schedule_create(prune_schedule **out, prune_context *context, const char *spec);
PRUNE_API const char *prune_schedule_spec(const prune_schedule *schedule);

/* A caller's own: `function` writes the sparsity at a step to *sparsity and returns PRUNE_OK, or a status that
 * prune_schedule_at hands on. Its spec is "callback", which makes no schedule. A sparsity outside 0 to 1 is
 * PRUNE_E_VALUE. */
typedef int32_t (*prune_schedule_fn)(void *user, int64_t step, double *sparsity);
PRUNE_API int32_t prune_schedule_create_callback(prune_schedule **out, prune_context *context,
                                                 prune_schedule_fn function, void *user);

/* The sparsity, 0 to 1, that holds at `step` (0 or more). */
PRUNE_API int32_t prune_schedule_at(const prune_schedule *schedule, int64_t step, double *sparsity);
PRUNE_API void prune_schedule_free(prune_schedule *schedule);

#ifdef __cplusplus
}
#endif
#endif
