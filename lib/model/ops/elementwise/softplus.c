/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* log(1 + exp(p)) without overflow. */
PM_FLOAT_LOOP(f32, p > 0 ? p + log1pf(expf(-p)) : log1pf(expf(p)))
PM_DOUBLE_LOOP(f64, p > 0 ? p + log1p(exp(-p)) : log1p(exp(p)))
PM_UNARY_OPERATOR(softplus, "Softplus", PM_FLOATING, f32, f64, NULL, PM_NO_SETTINGS)
