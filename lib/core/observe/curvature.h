/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What the steps of the second backward pass share: libprune only.
 */
#ifndef PR_CORE_CURVATURE_H
#define PR_CORE_CURVATURE_H

#include "core/tensor/tensor.h"
#include "prune/curvature.h"

/* The numbers of a tensor as F64 without gaps; refuses other dtypes and what is not finite. `what` names it. */
int32_t pr_curvature_read(prune_tensor **out, const prune_tensor *tensor, const char *what);

/* That `tensor` (NULL: nothing to check) can be written and has this shape. */
int32_t pr_curvature_expect(const prune_tensor *tensor, const char *what, int32_t rank, const int64_t *shape);

#endif
