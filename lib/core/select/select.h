/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Selection and schedules from the inside: libprune only.
 */
#ifndef PR_CORE_SELECT_H
#define PR_CORE_SELECT_H

#include <math.h>
#include <string.h>

#include "core/granularity/granularity.h"
#include "core/granularity/key.h"
#include "prune/select.h"

/* k = round(sparsity * units), half away from zero, the product in double. */
static inline int64_t pr_prune_count(double sparsity, int64_t units)
{
    double k = round(sparsity * (double)units);
    return k < (double)units ? (int64_t)k : units;
}

/* Of the `units` units of a pool that are not gone already. */
static inline int64_t pr_target_count(const struct pr_target *target, int64_t units)
{
    int64_t keep = target->quota;
    if (target->kind == PRUNE_SPARSITY)
        return pr_prune_count(target->amount, units);
    if (target->kind == PRUNE_COUNT)
        return target->amount < (double)units ? (int64_t)target->amount : units;
    if (target->kind == PRUNE_KEEP)
        keep = (int64_t)target->amount;
    return units > keep ? units - keep : 0;
}

/* keep[unit] becomes 1 for the units that stay and 0 for those that go. */
int32_t pr_select_small(prune_context *context, const struct pr_grid *grid, const double *scores,
                        const struct pr_target *target, uint8_t *keep);
int32_t pr_select_large(prune_context *context, const struct pr_grid *grid, const double *scores,
                        const struct pr_target *target, uint8_t *keep);

/* Pools with more units than this are cut over threads one by one; smaller ones are dealt out whole. */
#define PR_LARGE_POOL 262144

/* PRUNE_OK, or PRUNE_E_ARGUMENT for a target that this grid does not take. */
int32_t pr_check_target(const struct pr_grid *grid, int32_t target, double amount);

/* Selection among what a mask keeps: PRUNE_E_SHAPE unless it has the shape of what was scored; a copy of the scores, to
 * be released, in which units without an element in the mask are pr_gone(), `alive` (a byte a unit) saying which; and
 * the mask of the units that stay, less what was gone. */
int32_t pr_check_within(const char *function, const prune_scores *scores, const prune_mask *within);
int32_t pr_scores_within(prune_context *context, const prune_scores *scores, const prune_mask *within, double **out,
                         uint8_t *alive);
int32_t pr_expand_within(prune_mask **out, const prune_scores *scores, const prune_mask *within, const uint8_t *keep);

/* One file and one line of schedules.def each. */
struct pr_schedule_kind {
    struct pr_kind kind;
    int32_t (*check)(const struct pr_values *values); /* what the table cannot say of the values; NULL for nothing */
    double (*at)(const struct pr_values *values, int64_t step);
};

/* conformance.c: how other programs count. */
extern const struct pr_kind *const pr_conformance_kinds[];
extern const int32_t pr_conformance_kind_count;

extern const struct pr_kind *const pr_schedule_kinds[];
extern const int32_t pr_schedule_kind_count;

/* What linear, cubic and others that go from one sparsity to another share: their parameters and check; how much of the
 * way from begin to end lies behind a step, 0 to 1; and the sparsity of a formula, exact at both ends and never beyond
 * them by a rounding. */
extern const struct pr_parameter pr_schedule_span[];
#define PR_SPAN_PARAMETERS                                                                                             \
    {.name = "initial",                                                                                                \
     .type = PR_REAL,                                                                                                  \
     .standard = "0",                                                                                                  \
     .least = 0,                                                                                                       \
     .most = 1,                                                                                                        \
     .help = "sparsity up to the first step, 0 to 1"},                                                                 \
        {.name = "final", .type = PR_REAL, .least = 0, .most = 1, .help = "sparsity from the last step on, 0 to 1"},   \
        {.name = "begin",                                                                                              \
         .type = PR_WHOLE,                                                                                             \
         .standard = "0",                                                                                              \
         .least = 0,                                                                                                   \
         .most = 9007199254740992.0,                                                                                   \
         .help = "first step of the way, from 0"},                                                                     \
    {                                                                                                                  \
        .name = "end", .type = PR_WHOLE, .least = 0, .most = 9007199254740992.0,                                       \
        .help = "last step of the way, above begin"                                                                    \
    }
enum { PR_SPAN_INITIAL, PR_SPAN_FINAL, PR_SPAN_BEGIN, PR_SPAN_END };
int32_t pr_schedule_span_check(const struct pr_values *values);
double pr_schedule_span_part(const struct pr_values *values, int64_t step);
double pr_schedule_span_hold(const struct pr_values *values, double part, double sparsity);

#endif
