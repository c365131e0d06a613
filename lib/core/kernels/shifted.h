/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PR_KERNELS_SHIFTED_PANEL_H
#define PR_KERNELS_SHIFTED_PANEL_H

#include "core/kernels/kernels.h"

extern pr_shifted_fn pr_shifted_panel_scalar, pr_shifted_panel_avx2;

#endif
