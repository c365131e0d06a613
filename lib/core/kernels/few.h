/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Kernels for few columns of X; the tables of their instruction sets name them.
 */
#ifndef PR_KERNELS_FEW_H
#define PR_KERNELS_FEW_H

#include "core/kernels/kernels.h"

extern pr_few_rows_fn pr_few_rows_scalar, pr_few_rows_avx2, pr_few_rows_avx512;
extern pr_group_fn pr_few_pairs_avx2, pr_few_pairs_avx512;
extern pr_nm24_fn pr_few_nm24_scalar, pr_few_nm24_avx2, pr_few_nm24_avx512;

#endif
