/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Optimal Brain Surgeon shares with the kinds that end with it.
 */
#ifndef PR_CORE_RECOVER_OBS_H
#define PR_CORE_RECOVER_OBS_H

#include "core/recover/recover.h"

/* Sets r->result to the weights repaired for `mask`, and damping, condition, predicted error and memory with it. */
int32_t pr_obs_repair(struct pr_recovering *r, const prune_mask *mask, double fraction, int64_t memory, int greedy);

/* The mask that selection takes by the criterion obs, for kinds that choose. */
int32_t pr_obs_select(struct pr_recovering *r, double fraction, int64_t memory, prune_mask **mask);

/* A copy of the damped matrix, columns x columns, both sides. */
int32_t pr_damped_matrix(const struct pr_recovering *r, double **out);

/* Removes weight q of a row: its neighbours make up for it, and `inverse` (of n x n, both sides) becomes that of the
 * others, with row and column q those of the unit matrix. Returns what the layer error grows by. */
double pr_obs_remove(int64_t n, double *inverse, int64_t stride, double *w, int64_t q);

#endif
