/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Patterns that a mask may have, seen as a matrix (prune/sparse.h).
 */
#ifndef PR_CORE_SPARSE_PATTERN_H
#define PR_CORE_SPARSE_PATTERN_H

#include "core/mask/mask.h"

/* Whether at most keep_n of each group_m neighbouring columns of a row are kept; group_m is 2, 4, 8 or 16. */
int pr_pattern_is_nm(const prune_mask *mask, int64_t rows, int64_t columns, int keep_n, int group_m);

/* Whether each `unit` neighbouring rows keep the same columns. */
int pr_pattern_rows_alike(const prune_mask *mask, int64_t rows, int64_t columns, int64_t unit);

#endif
