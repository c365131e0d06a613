/* SPDX-License-Identifier: BSD-2-Clause */
#define REAL float
#define GEMM pr_linalg_gemm_float
#define SWEEP pr_sweep_float
#include "core/recover/sweep_tmpl.h"
