/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PR_KERNELS_SHIFTED_PANEL_H
#define PR_KERNELS_SHIFTED_PANEL_H

#include "core/kernels/kernels.h"

extern pr_shifted_fn pr_shifted_panel_scalar, pr_shifted_panel_avx2;
extern pr_shift_planes_fn pr_shift_planes_scalar, pr_shift_planes_avx2, pr_shift_planes_avx512, pr_shift_planes_neon;

#endif
