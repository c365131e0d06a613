/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensor: an n-dimensional array of numbers that the library owns, or a view of memory that the caller owns.
 */
#ifndef PRUNE_TENSOR_H
#define PRUNE_TENSOR_H

#include <stdint.h>

#include "prune/context.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_tensor prune_tensor;

/* Element types. Numbers are in the machine's byte order; F16 is IEEE binary16, BF16 the upper half of a binary32,
 * BOOL one byte that is 0 or 1. */
#define PRUNE_F32 1
#define PRUNE_F16 2
#define PRUNE_BF16 3
#define PRUNE_U8 4
#define PRUNE_BOOL 5
#define PRUNE_I32 6
#define PRUNE_I64 7
#define PRUNE_F64 8
#define PRUNE_I8 9
#define PRUNE_I16 10
#define PRUNE_U16 11
#define PRUNE_U32 12

#define PRUNE_MAX_RANK 8

/* Bytes of one element, 0 for a number that is no dtype; its name ("f32", "bf16"), "?" for none; and back: 0 for an
 * unknown name. */
PRUNE_API int64_t prune_dtype_size(int32_t dtype);
PRUNE_API const char *prune_dtype_name(int32_t dtype);
PRUNE_API int32_t prune_dtype_from_name(const char *name);

/* A tensor of zeros in row-major order that owns its memory (aligned to 64 bytes). `rank` 0 to PRUNE_MAX_RANK; `shape`
 * may be NULL when rank is 0; an extent may be 0. PRUNE_E_SHAPE for a negative extent or a rank outside the range,
 * PRUNE_E_OVERFLOW when the bytes do not fit, PRUNE_E_NOMEM. */
PRUNE_API int32_t prune_tensor_create(prune_tensor **out, prune_context *context, int32_t dtype, int32_t rank,
                                      const int64_t *shape);

/* A view of the caller's memory, which must outlive it and everything derived from it. `strides` count elements, may be
 * zero or negative, and may be NULL for row-major order. `data` addresses element (0, ..., 0), is aligned to the
 * element, and may be NULL only when the tensor has no elements. PRUNE_E_OVERFLOW when an element's offset does not
 * fit, PRUNE_E_ARGUMENT for misalignment. */
PRUNE_API int32_t prune_tensor_borrow(prune_tensor **out, prune_context *context, void *data, int32_t dtype,
                                      int32_t rank, const int64_t *shape, const int64_t *strides);

/* Elements start, start + step, ... (`count` of them) along `axis`; step may be negative but not 0. The view shares the
 * memory: if `tensor` owns it, the view keeps it alive. */
PRUNE_API int32_t prune_tensor_slice(prune_tensor **out, const prune_tensor *tensor, int32_t axis, int64_t start,
                                     int64_t count, int64_t step);

/* A view whose axis i is `tensor`'s axis `order[i]`; `order` is a permutation of 0..rank-1. */
PRUNE_API int32_t prune_tensor_permute(prune_tensor **out, const prune_tensor *tensor, const int32_t *order);

/* A view with another shape of as many elements; PRUNE_E_SHAPE unless `tensor` is in row-major order without gaps. */
PRUNE_API int32_t prune_tensor_reshape(prune_tensor **out, const prune_tensor *tensor, int32_t rank,
                                       const int64_t *shape);

/* A new row-major tensor of type `dtype` with the same values. To F16 and BF16 it rounds to nearest even (overflow to
 * infinity, NaN stays NaN); to an integer type PRUNE_E_VALUE for a value that the type cannot hold exactly; to BOOL for
 * one that is neither 0 nor 1. */
PRUNE_API int32_t prune_tensor_convert(prune_tensor **out, const prune_tensor *tensor, int32_t dtype);

/* Copies the values of `source` into `target`, converting as prune_tensor_convert does; shapes must be equal, memory
 * must not overlap. On PRUNE_E_VALUE nothing has been written. */
PRUNE_API int32_t prune_tensor_copy(prune_tensor *target, const prune_tensor *source);

/* PRUNE_F32 and so on; how many axes; how many elements. */
PRUNE_API int32_t prune_tensor_dtype(const prune_tensor *tensor);
PRUNE_API int32_t prune_tensor_rank(const prune_tensor *tensor);
PRUNE_API int64_t prune_tensor_count(const prune_tensor *tensor);

/* `rank` extents, and `rank` strides in elements: the tensor's own memory. */
PRUNE_API const int64_t *prune_tensor_shape(const prune_tensor *tensor);
PRUNE_API const int64_t *prune_tensor_strides(const prune_tensor *tensor);

/* The address of element (0, ..., 0). Writing through it changes the tensor, and everything that shares its memory. */
PRUNE_API void *prune_tensor_data(prune_tensor *tensor);
PRUNE_API const void *prune_tensor_const_data(const prune_tensor *tensor);

/* 1 when the elements lie in row-major order without gaps, else 0. */
PRUNE_API int32_t prune_tensor_is_contiguous(const prune_tensor *tensor);

/* The context it was made with; NULL for none. The tensor keeps it. */
PRUNE_API prune_context *prune_tensor_context(const prune_tensor *tensor);

PRUNE_API void prune_tensor_free(prune_tensor *tensor);

#ifdef __cplusplus
}
#endif
#endif
