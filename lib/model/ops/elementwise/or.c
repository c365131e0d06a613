/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

PM_PAIR_LOOP(i64, int64_t, uint8_t, p || q)
PM_BINARY_OPERATOR(or, "Or", binary, 0, PM_SET(PRUNE_BOOL), NULL, NULL, i64, 1)
