/* SPDX-License-Identifier: BSD-2-Clause */
#define REAL double
#define GEMM pr_linalg_gemm
#define SWEEP pr_sweep_double
#include "core/recover/sweep_tmpl.h"
