/* SPDX-License-Identifier: BSD-2-Clause */
#include <stddef.h>

#include "model/ops/ops.h"

#define PM_OPERATOR(name) &pm_operator_##name,
const struct pm_operator *const pm_operators[] = {
#include "model/ops/ops.def"
    NULL};
#undef PM_OPERATOR

const int32_t pm_operator_count = (int32_t)(sizeof pm_operators / sizeof *pm_operators) - 1;
