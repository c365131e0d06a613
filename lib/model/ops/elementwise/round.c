/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* Halves go to the even neighbour. */
PM_FLOAT_LOOP(f32, rintf(p))
PM_DOUBLE_LOOP(f64, rint(p))
PM_UNARY_OPERATOR(round, "Round", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
