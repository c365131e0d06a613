/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Which input channels stay, on plain arrays. Channel i contributes z_i to the layer's outputs, a column of n numbers:
 * the outputs are sum z_i. All that is needed of it are q = Z'Z (count x count, both sides) and p = Z'y, y being the
 * outputs that are wanted.
 */
#ifndef PR_CORE_RECOVER_PICK_H
#define PR_CORE_RECOVER_PICK_H

#include "core/linalg/linalg.h"

struct pr_contributions {
    prune_context *context;
    int64_t count;
    double n; /* samples times outputs */
    const double *q, *p;
};

/* beta that makes 1/(2n) |y - Z beta|^2 + lambda |beta|_1 least, by coordinate descent from the beta that is given;
 * `slope` is scratch of `count`. A channel with q_ii = 0 gets 0. */
void pr_lasso(const struct pr_contributions *c, double lambda, double *beta, double *slope);

/* He 2017: lambda is doubled until fewer than `keep` betas are not 0, then bisected until as many as keep to
 * (1 + slack) keep are; stay[i] is 1 for these, or, unless `all`, for the `keep` of them that contribute most. Where
 * channels leave together, so that no lambda does it, those that contribute most of the next larger set. */
int32_t pr_pick_lasso(const struct pr_contributions *c, int64_t keep, double slack, int all, uint8_t *stay);

/* ThiNet (Luo 2017): channel after channel goes, always the one with which |sum of all that have gone|^2 is least. Of
 * equals the lower number goes first. */
int32_t pr_pick_thinet(const struct pr_contributions *c, int64_t keep, uint8_t *stay);

/* ThiNet's closing scale: a factor for each channel that stays, such that sum factor_i z_i comes nearest to y, by least
 * squares about 1 with *added = damping * the mean of q_ii (of those that stay and are not 0); 1 for the others.
 * *condition is that of the system, where there is one. PRUNE_E_VALUE when q of those that stay is not positive
 * definite. */
int32_t pr_closing_scale(const struct pr_contributions *c, const uint8_t *stay, double damping, double *factor,
                         double *added, double *condition);

#endif
