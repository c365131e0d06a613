/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What criteria that need data share. Before a kind's functions run, its observations have been looked at: everything
 * that it needs is there, and gradients and curvatures have the shape of the weights.
 */
#ifndef PR_CORE_OBSERVED_H
#define PR_CORE_OBSERVED_H

#include <math.h>

#include "core/criterion/criterion.h"

/* That everything the kind needs was observed, and that gradients and curvatures are as large as the weights. */
int32_t pr_check_observed(const struct pr_scoring *scoring);

/* A weight times a finite number; an infinite weight stays so, also times 0. */
static inline double pr_times(double w, double number)
{
    return isinf(w) ? w : w * number;
}

/* An array of the observations, and by how many samples or steps its sums are to be divided. */
static inline const double *pr_observed_of(const struct pr_scoring *scoring, int32_t array)
{
    return pr_observed(scoring->observations, array);
}

static inline double pr_steps_of(const struct pr_scoring *scoring, int32_t group)
{
    return (double)pr_observed_group(scoring->observations, group)->samples;
}

/* A row for the table of parameters of kinds that score channels, the first of the table. */
#define PR_CHANNEL_AXIS                                                                                                \
    {                                                                                                                  \
        .name = "channel_axis", .type = PR_WHOLE, .standard = "0", .least = 0, .most = PRUNE_MAX_RANK - 1,             \
        .help = "axis of the weights along which the channels lie: 0 for their own layer, 1 for the next"              \
    }

/* A row for the table of parameters of kinds whose gradients may come from several blocks, and the `layer` that divides
 * all scores by the number of them, parameter number `blocks`. */
#define PR_BLOCKS                                                                                                      \
    {                                                                                                                  \
        .name = "blocks", .type = PR_WHOLE, .standard = "1", .least = 1, .most = INT32_MAX,                            \
        .help = "blocks that add to one skip connection, whose gradients add up: the scores are divided by them"       \
    }
int32_t pr_share_among_blocks(const struct pr_scoring *scoring, int32_t blocks, double *scores);

/* For `units`: the mean of a PRUNE_OBSERVED_ statistic of channels over those that a unit lies in, each changed by
 * `change` (NULL for none). `axis` is the number of the axis. */
int32_t pr_score_channels(const struct pr_scoring *scoring, int32_t statistic, int64_t axis, double (*change)(double),
                          double *scores);

#endif
