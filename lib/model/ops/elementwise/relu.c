/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* Written so that NaN stays NaN and -0.0 becomes +0.0, as prune_epilogue does it. */
PM_FLOAT_LOOP(f32, p <= 0 ? 0 : p)
PM_DOUBLE_LOOP(f64, p <= 0 ? 0 : p)
PM_WHOLE_LOOP(i64, p <= 0 ? 0 : p)
PM_UNARY_OPERATOR(relu, "Relu", PM_FLOATING | PM_SIGNED, f32, f64, i64, PM_NO_SETTINGS)
