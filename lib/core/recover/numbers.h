/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensors of floats as plain arrays of doubles, and back.
 */
#ifndef PR_CORE_RECOVER_NUMBERS_H
#define PR_CORE_RECOVER_NUMBERS_H

#include "core/tensor/tensor.h"

/* The numbers of a tensor in row-major order; pr_release gives them back. PRUNE_E_DTYPE unless it is of floats,
 * PRUNE_E_VALUE for the first that is NaN or infinite; `function` and `what` begin the sentence. */
int32_t pr_numbers_read(double **out, const prune_tensor *tensor, const char *function, const char *what);

/* The same into memory that is there. */
int32_t pr_numbers_read_into(double *out, const prune_tensor *tensor, const char *function, const char *what);

/* Rank 1 and `count` numbers. */
int32_t pr_numbers_vector(double **out, const prune_tensor *tensor, int64_t count, const char *function,
                          const char *what);

/* Rounds them into a tensor of floats; cannot fail. */
void pr_numbers_write(prune_tensor *tensor, const double *values);

#endif
