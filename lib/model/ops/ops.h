/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PM_OPS_OPS_H
#define PM_OPS_OPS_H

#include "model/graph/operator.h"

#define PM_OPERATOR(name) extern const struct pm_operator pm_operator_##name;
#include "model/ops/ops.def"
#undef PM_OPERATOR

#endif
