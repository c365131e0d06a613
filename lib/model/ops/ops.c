/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/ops.h"

#define PM_OPERATOR(name) &pm_op_##name,
const struct pm_operator *const pm_operators[] = {
#include "model/ops/ops.def"
};
#undef PM_OPERATOR

const int32_t pm_operator_count = (int32_t)(sizeof pm_operators / sizeof *pm_operators);
