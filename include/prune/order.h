/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Order: which order of the channels lets a pattern of N:M keep most. Groups of N:M are neighbours, so that another
 * order of the input channels puts other weights into one group; the layer that made these channels is then reordered
 * with them and nothing changes when the network runs (Pool and Yu 2021).
 *
 *   "stripe-groups:window=W"  all ways to deal the channels of a window, that is of any 2, 3, ... groups, into groups:
 *                             35 for two groups of 4 (window=8), 5775 for three (window=12). window=0, the default, is
 *                             two groups. Each round applies the best dealings, largest gain first, none touching a
 *                             group that this round already changed. At most 100000 dealings: group_m up to 10
 *   "channel-swap"            the same, but a window is two groups and only one channel of each changes places: faster,
 *                             keeps less, and takes group_m up to 32
 *   "exact"                   the best order there is; up to 20 channels
 *
 * The first two take block=B (512): a tensor with more channels is cut into blocks of about B neighbours, which keep
 * their channels (0: never cut); and regressions=R (0), seed=S (1): where no window gains any more, R times a few
 * random channels change places and the search goes on from there; the best order that was seen counts.
 *
 * What an order retains is the sum, over all pools, of the keep_n largest magnitudes of units: with unit_rows, a unit's
 * magnitude is the sum of those of its elements. Sums are in double and have the same bits for any number of threads.
 * Of equal gains the lower channel numbers go first; inside a group channels ascend. A last group of fewer than group_m
 * channels stays the last one and keeps its size.
 */
#ifndef PRUNE_ORDER_H
#define PRUNE_ORDER_H

#include <stdint.h>

#include "prune/granularity.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A search and the order it has found. Changed by prune_order_search and prune_order_resume. */
typedef struct prune_order prune_order;

/* A search that has not begun: the order is 0, 1, 2, ... `weights` (F32, F16, BF16 or F64, any strides; read now, not
 * kept) are ranked by magnitude; a criterion's scores may stand in their place (prune_scores_values). The granularity
 * has groups along one axis and a quota, as nm has: the channels are the indices of that axis. PRUNE_E_UNSUPPORTED for
 * another granularity, for groups of one, and for sizes that the kind does not take; PRUNE_E_VALUE for NaN or infinite
 * weights, and for magnitudes whose sum is infinite. Memory: 8 bytes for each unit, and 16 to 32 for each window. */
PRUNE_API int32_t prune_order_create(prune_order **out, const prune_tensor *weights,
                                     const prune_granularity *granularity, const char *spec);

/* The canonical spec string: the order's own memory. */
PRUNE_API const char *prune_order_spec(const prune_order *order);

/* Searches for up to `rounds` rounds (0: until nothing is left to try); *finished is 1 when nothing is. Many short
 * searches find what one long search finds. PRUNE_E_CANCELLED when the context's progress function said so: the order
 * is the best so far, and the search can go on from there. */
PRUNE_API int32_t prune_order_search(prune_order *order, int64_t rounds, int32_t *finished);

/* The best order so far: place j of the reordered tensor takes channel channels[j]. The order's own memory; how many
 * there are; and along which axis. */
PRUNE_API const int64_t *prune_order_channels(const prune_order *order);
PRUNE_API int64_t prune_order_count(const prune_order *order);
PRUNE_API int32_t prune_order_axis(const prune_order *order);

/* What the pattern retains of the magnitudes before and after reordering, and all of them. Any pointer may be NULL. */
PRUNE_API int32_t prune_order_retained(const prune_order *order, double *before, double *after, double *all);

/* Where the search stands, as an I64 tensor of rank 1 that can be kept in a file; and back: `order` was made of the
 * same weights, granularity and spec, and goes on as if it had not been interrupted. PRUNE_E_SHAPE for a state of
 * another size, PRUNE_E_VALUE for one that holds no order; `order` is then as before. */
PRUNE_API int32_t prune_order_state(prune_tensor **out, const prune_order *order);
PRUNE_API int32_t prune_order_resume(prune_order *order, const prune_tensor *state);

PRUNE_API void prune_order_free(prune_order *order);

/* A new row-major tensor of which index j along `axis` is `tensor`'s index channels[j]. The consumer's weights take the
 * order along their input axis, the producer's weights, bias and batch norm take the same list along their axis 0:
 * row j of the producer then makes the channel that column j of the consumer reads. Every consumer of the channels must
 * take it. PRUNE_E_SHAPE when `count` is not the extent of the axis, PRUNE_E_VALUE when `channels` is no permutation of
 * 0 to count - 1. Any dtype. */
PRUNE_API int32_t prune_order_apply(prune_tensor **out, const prune_tensor *tensor, int32_t axis,
                                    const int64_t *channels, int64_t count);

/* The list that undoes an order: inverse[channels[j]] = j. Applying both, in either order, changes nothing. */
PRUNE_API int32_t prune_order_inverse(int64_t *inverse, const int64_t *channels, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
