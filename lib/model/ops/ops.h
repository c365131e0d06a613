/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PM_OPS_OPS_H
#define PM_OPS_OPS_H

#include "model/graph/operator.h"

#define PM_OPERATOR(name) extern const struct pm_operator pm_op_##name;
#include "model/ops/ops.def"
#undef PM_OPERATOR

/* A loss: the mean over the samples, and the gradient of `logits` (added to d where `accumulate` is not 0; d may be
 * NULL). */
double pm_softmax_cross_entropy(const float *logits, const int64_t *labels, int64_t samples, int64_t classes, float *d,
                                int accumulate);

#endif
