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

/* The same among what a mask of the tensor's shape keeps: a unit of which `within` keeps nothing is gone already, and
 * the target is for the others. SPARSITY 0.2 removes a fifth of the survivors of each pool (Frankle and Carbin 2019: 100
 * weights 80, 64, 51, 41, 33, 26); a quota, KEEP or COUNT beyond the survivors of a pool means all of them. What
 * `within` does not keep is never kept. */
PRUNE_API int32_t prune_mask_select_within(prune_mask **out, const prune_scores *scores, const prune_mask *within,
                                           int32_t target, double amount);

/* Schedules:
 *   "one-shot:sparsity=S,step=T"                           nothing before step T, S from it on
 *   "linear:initial=A,final=B,begin=T0,end=T1"             from A to B in a straight line
 *   "cubic:initial=A,final=B,begin=T0,end=T1"              B + (A - B) (1 - t)^3, t = (step - T0) / (T1 - T0):
 *                                                          AGP, Zhu and Gupta 2017 eq. 1
 *
 * Before `begin` the sparsity is `initial`, from `end` on `final`. Numbers of steps are whole, begin < end. */
typedef struct prune_schedule prune_schedule;

/* From a spec string, see prune/kinds.h; and its canonical form, the schedule's own memory. */
PRUNE_API int32_t prune_schedule_create(prune_schedule **out, prune_context *context, const char *spec);
PRUNE_API const char *prune_schedule_spec(const prune_schedule *schedule);

/* The sparsity, 0 to 1, that holds at `step` (0 or more). */
PRUNE_API int32_t prune_schedule_at(const prune_schedule *schedule, int64_t step, double *sparsity);
PRUNE_API void prune_schedule_free(prune_schedule *schedule);

#ifdef __cplusplus
}
#endif
#endif
