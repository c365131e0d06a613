/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PR_CORE_RECOVER_LEAST_SQUARES_H
#define PR_CORE_RECOVER_LEAST_SQUARES_H

#include "core/recover/recover.h"

/* Sets r->result to the weights that `mask` keeps, at their best for the observed outputs (r->targets) or those of
 * `weights` itself; and damping, condition, predicted error and memory with it. `weights` is r->weights, or another
 * tensor of its shape at which the damping holds. */
int32_t pr_least_squares(struct pr_recovering *r, const prune_tensor *weights, const prune_mask *mask, double fraction,
                         int64_t memory);

/* T = Y'X, rows x columns, row-major: from the targets, or from F64 weights as W G. */
int32_t pr_wanted_outputs(const struct pr_recovering *r, const struct pr_linalg *la, const double *weights,
                          double *wanted);

/* The error of weights against the targets: the sum of (y - x w')^2 over all samples and outputs. */
int32_t pr_target_error(const struct pr_recovering *r, const struct pr_linalg *la, const double *weights,
                        double *error);

#endif
