/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What Softmax and LogSoftmax share.
 */
#ifndef PM_OPS_SOFTMAX_H
#define PM_OPS_SOFTMAX_H

#include "model/ops/elementwise/numbers.h"

/* x as [outer, classes, inner]. Before opset 13 everything from the axis on (default 1) are the classes; from there on
 * the axis alone is (default the last). */
struct pm_classes {
    int64_t outer, classes, inner;
};

int32_t pm_softmax_infer(struct pm_call *call);

/* y = exp(x - max) / sum, or the logarithm of it. */
int32_t pm_softmax_run(const struct pm_call *call, int logarithm);

#endif
