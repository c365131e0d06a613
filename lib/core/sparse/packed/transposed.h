/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A packed object's W': a block of bytes of its own at the end of W's, which its header tells where.
 */
#ifndef PR_CORE_SPARSE_TRANSPOSED_H
#define PR_CORE_SPARSE_TRANSPOSED_H

#include "core/sparse/packed/packed.h"

/* Packs the transpose of `source`, for as many columns as W was packed for, and appends it to W's block of bytes. */
int32_t pr_packed_add_backward(prune_packed *packed, const struct pr_source *source);

/* Wraps the block of W' that has been checked, if there is one. */
int32_t pr_packed_open_backward(prune_packed *packed);

#endif
