/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Granularity: how a tensor is cut. The unit is the tile of elements that lives or dies together; the pool is the tile
 * of units that compete with one another; the quota, where there is one, is how many units each pool keeps.
 *
 *   "element"                one element; pool=tensor (default) or pool=row: the elements of one index of axis 0
 *   "nm:keep_n=2,group_m=4"  of every group_m elements in a row along `axis` (default 1, for OIHW and linear weights
 *                            the inputs) keep_n live; with unit_rows=V the unit is V neighbours along axis 0 (along
 *                            axis 1 when axis is 0), which then share their pattern. A tensor of rank 1 has axis 0
 *                            only, and unit_rows 1
 *   "nm-transposable:keep_n=N,group_m=M"
 *                            N:M along axis 1 and along axis 0, so that a matrix and its transpose both have the
 *                            pattern: of each block of M x M (axis 0 by axis 1) N of every row and of every column. A
 *                            block that the edge cuts off keeps as many as N in each row and each column allow.
 *                            solver=exact (default) finds the highest sum of scores, by least-cost paths; exhaustive
 *                            the same for M up to 4 (90 masks for 2:4); greedy takes elements by descending score while
 *                            row and column have room, then exchanges one for two until the count is full (on normal
 *                            magnitudes it keeps 98.9 % of the best)
 *   "vector:vector=V"        V consecutive elements along `axis` (default 1); pool=tensor (default) or pool=row: the
 *                            vectors at one place of axis 0
 *   "block:block=AxB"        A rows by B columns of a matrix (A alone: A by A); a tensor of higher rank is taken as
 *                            the matrix of axis 0 by all others, out x (in kh kw). pool=tensor (default) or pool=row:
 *                            one row of blocks
 *   "kernel"                 everything at one index of axis 0 and one of axis 1: kh x kw of OIHW weights; rank 3 or
 *                            more
 *   "pattern"                every kernel (as above, of up to 64 elements) keeps one pattern of a dictionary, the one
 *                            with the highest sum of scores, of equals the first (PatDNN, Niu et al. 2020). The
 *                            dictionary is mined: of the patterns of the keep_n (default 4) best elements of each
 *                            kernel, the `patterns` (default 8) most frequent; of equally frequent ones those come
 *                            first that are smaller as a number whose bit i is element i. Or it is given,
 *                            masks=111010000/010111000: one character for each element of a kernel
 *   "filter"                 everything at one index of axis 0: an output channel of OIHW weights, any rank
 *   "in-channel"             everything at one index of axis 1: an input channel; rank 2 or more
 *   "row", "column"          one row or one column of a matrix; of a tensor of higher rank, everything at one index of
 *                            axis 0 or of axis 1
 *   "balanced:processing_elements=N"
 *                            ESE, Han et al. 2017: row i (index of axis 0) belongs to processing element i mod N, and
 *                            each keeps equally many elements. The target counts over the tensor, exactly; what is
 *                            kept is dealt out in turn, so that the first few may keep one more, and one that has no
 *                            more elements leaves its part to the others
 *   "bank-balanced:bank=B"   the pool is a bank of B consecutive elements of a row of the matrix of axis 0 by all
 *                            others (Cao et al. 2019): the target counts in each bank
 *
 * Remainder: where an extent is no multiple of group_m, the last group has r < group_m elements and keeps min(keep_n,
 * r); a last strip of fewer than unit_rows is a unit of its own, and so is a vector or block that the edge cuts off,
 * scored over the elements it has. A last bank that is cut off is a pool of its own.
 */
#ifndef PRUNE_GRANULARITY_H
#define PRUNE_GRANULARITY_H

#include <stdint.h>

#include "prune/mask.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_granularity prune_granularity;

/* From a spec string, see prune/kinds.h; PRUNE_E_SPEC also for group_m 0 or keep_n above group_m. */
PRUNE_API int32_t prune_granularity_create(prune_granularity **out, prune_context *context, const char *spec);

/* The canonical spec string: the same for equal settings, accepted by prune_granularity_create. The granularity's own
 * memory. */
PRUNE_API const char *prune_granularity_spec(const prune_granularity *granularity);

/* 1 when each pool has a quota of its own (N:M), 0 when a target must be given. */
PRUNE_API int32_t prune_granularity_has_quota(const prune_granularity *granularity);

/* How many units and pools a tensor of this shape has, and the shape of the grid of units (as many extents as the
 * tensor has axes, 1 where a unit spans the axis): the order in which scores stand, row-major. Kinds that take a tensor
 * as a matrix have the grid of the matrix, followed by ones. Any pointer may be NULL; `grid` has room for `rank`
 * extents. PRUNE_E_SHAPE when the granularity does not fit the shape, such as an axis that
 * it has not got. */
PRUNE_API int32_t prune_granularity_count(const prune_granularity *granularity, int32_t rank, const int64_t *shape,
                                          int64_t *units, int64_t *pools, int64_t *grid);

/* Whether a mask has this pattern: every unit wholly kept or wholly pruned, and no pool keeps more units than its quota
 * (fewer is allowed). *holds is 1 or 0; *violation is -1, or the row-major number of the first element, of the first
 * pool in row-major order that breaks the rule, at which the rule is seen to be broken: the first that differs from its
 * unit's first, or the kept one that exceeds the quota. Either pointer may be NULL. Of kinds with rules of their own:
 *
 *   nm-transposable  *violation is the first kept element of its block, row by row, that is one too many in its row or
 *                    its column
 *   pattern          a kernel keeps nothing outside one of the given patterns; where they are mined, it keeps at most
 *                    keep_n, and there are at most `patterns` different ones. *violation is the kept element that
 *                    exceeds keep_n, else the kernel's first element
 *   balanced         no processing element keeps more than one element above another that has pruned any; *violation is
 *                    the first kept element beyond that
 *   bank-balanced    whole banks keep as many as the first one, a bank that is cut off at most as many; *violation is
 *                    the first element of the first bank that does not */
PRUNE_API int32_t prune_granularity_check(const prune_granularity *granularity, const prune_mask *mask, int32_t *holds,
                                          int64_t *violation);

/* From single elements up: `units` (a byte a unit, `count` of them, in the order of the grid; may be NULL with count 0)
 * becomes 0 for a unit of which the mask keeps nothing, such as a channel that can be removed, 1 for one that it keeps
 * wholly, 2 for one that it keeps in part. *out (may be NULL) becomes the smallest mask of whole units that keeps what
 * `mask` keeps. And down again: the mask that keeps the units whose byte is not 0. PRUNE_E_SHAPE for a granularity that
 * does not fit, or another number of units. */
PRUNE_API int32_t prune_granularity_lift(prune_mask **out, const prune_granularity *granularity, const prune_mask *mask,
                                         uint8_t *units, int64_t count);
PRUNE_API int32_t prune_granularity_lower(prune_mask **out, const prune_granularity *granularity, int32_t rank,
                                          const int64_t *shape, const uint8_t *units, int64_t count);

PRUNE_API void prune_granularity_free(prune_granularity *granularity);

#ifdef __cplusplus
}
#endif
#endif
