/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Mask: which elements of a tensor are kept. One bit an element, in row-major order of the tensor's shape; 1 = kept.
 */
#ifndef PRUNE_MASK_H
#define PRUNE_MASK_H

#include <stdint.h>

#include "prune/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_mask prune_mask;

/* A mask that keeps everything (`kept` 1) or nothing (0). Rank and shape as in prune_tensor_create. */
PRUNE_API int32_t prune_mask_create(prune_mask **out, prune_context *context, int32_t rank, const int64_t *shape,
                                    int32_t kept);

/* From a tensor of BOOL or U8 whose elements are 0 or 1 (PRUNE_E_VALUE with the position otherwise), any strides. */
PRUNE_API int32_t prune_mask_from_bool(prune_mask **out, const prune_tensor *tensor);

/* Keeps the elements that are not zero (-0.0 is zero, NaN is not). */
PRUNE_API int32_t prune_mask_from_nonzero(prune_mask **out, const prune_tensor *tensor);

/* From and to one byte an element, 0 or 1, in row-major order; `count` is the number of bytes and must equal the number
 * of elements. */
PRUNE_API int32_t prune_mask_from_bytes(prune_mask **out, prune_context *context, int32_t rank, const int64_t *shape,
                                        const uint8_t *bytes, int64_t count);
PRUNE_API int32_t prune_mask_to_bytes(const prune_mask *mask, uint8_t *bytes, int64_t count);

/* New masks out of masks of one shape (PRUNE_E_SHAPE otherwise). andnot keeps what `a` keeps and `b` does not. */
PRUNE_API int32_t prune_mask_copy(prune_mask **out, const prune_mask *a);
PRUNE_API int32_t prune_mask_and(prune_mask **out, const prune_mask *a, const prune_mask *b);
PRUNE_API int32_t prune_mask_or(prune_mask **out, const prune_mask *a, const prune_mask *b);
PRUNE_API int32_t prune_mask_xor(prune_mask **out, const prune_mask *a, const prune_mask *b);
PRUNE_API int32_t prune_mask_andnot(prune_mask **out, const prune_mask *a, const prune_mask *b);
PRUNE_API int32_t prune_mask_not(prune_mask **out, const prune_mask *a);

/* One element, by its row-major number: 1 kept, 0 pruned. prune_mask_set changes the mask: one thread at a time. */
PRUNE_API int32_t prune_mask_get(const prune_mask *mask, int64_t index, int32_t *kept);
PRUNE_API int32_t prune_mask_set(prune_mask *mask, int64_t index, int32_t kept);

/* `rank` extents: the mask's own memory. */
PRUNE_API int32_t prune_mask_rank(const prune_mask *mask);
PRUNE_API const int64_t *prune_mask_shape(const prune_mask *mask);
PRUNE_API int64_t prune_mask_count(const prune_mask *mask); /* elements */
PRUNE_API int64_t prune_mask_kept(const prune_mask *mask);  /* elements that are kept */

/* The fraction kept at each index of `axis`: `count` doubles, which must equal the extent. 1.0 where a slice has no
 * elements. */
PRUNE_API int32_t prune_mask_density(const prune_mask *mask, int32_t axis, double *density, int64_t count);

/* How many elements differ, and the row-major number of the first that does (-1 when none); either pointer may be NULL.
 */
PRUNE_API int32_t prune_mask_compare(const prune_mask *a, const prune_mask *b, int64_t *differing, int64_t *first);

/* Sets every pruned element of `tensor` (same shape, any dtype, any strides) to zero: +0.0, whatever stood there. */
PRUNE_API int32_t prune_mask_apply(const prune_mask *mask, prune_tensor *tensor);

/* The context it inherited; NULL for none. The mask keeps it. */
PRUNE_API prune_context *prune_mask_context(const prune_mask *mask);
PRUNE_API void prune_mask_free(prune_mask *mask);

#ifdef __cplusplus
}
#endif
#endif
