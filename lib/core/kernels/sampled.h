/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef PR_KERNELS_SAMPLED_ROW_H
#define PR_KERNELS_SAMPLED_ROW_H

#include "core/kernels/kernels.h"

extern pr_sampled_fn pr_sampled_row_scalar, pr_sampled_row_avx2, pr_sampled_row_avx512;

#endif
