/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

PM_WHOLE_LOOP(i64, !p)
PM_UNARY_OPERATOR(not, "Not", PM_SET(PRUNE_BOOL), NULL, NULL, i64, PM_NO_SETTINGS)
