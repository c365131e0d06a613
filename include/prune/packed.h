/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Packed: a weight matrix W (rows x columns, see prune/sparse.h) laid out for the kernels, and its products. Made once,
 * run many times, by any number of threads at once.
 *
 * Numbers are F32 and so is accumulation. Weights may be stored in 16 or 8 bits, rounded to the nearest, of two to the
 * even one; they then are what was stored, which prune_packed_to_tensor shows. Every sum is within gamma(n) *
 * sum |w||x| of the exact sum of its n products, gamma(n) = n u / (1 - n u), u = 2^-24 (Higham 2002, 3.1), or
 * gamma(n + 1) with values=int8. What is not stored contributes nothing, also against NaN and infinity; stored zeros,
 * N:M fillers inside the matrix among them, multiply as IEEE numbers. The bits do not depend on alignment or on the
 * number of threads; in the reproducible mode (PRUNE_CPU_REPRODUCIBLE of prune/context.h) on nothing but W, X and the
 * epilogue.
 */
#ifndef PRUNE_PACKED_H
#define PRUNE_PACKED_H

#include <stdint.h>

#include "prune/sparse.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct prune_packed prune_packed;

/* What is done to each sum before it is written. Immutable. */
typedef struct prune_epilogue prune_epilogue;

/* Packs the kept elements of `weights`. `spec` is a list of "key=value": columns=N, how many columns X will have
 * (default 1; any number may be run, this one is run best); format=csr, nm, bsr, csc, bitmap, codebook, dense or auto
 * (default: what prune_packed_advise puts first, of csr, dense, and those of 1:4, 2:8, 2:4 and 4:8 that the mask or the
 * zeros have); keep_n, group_m, unit_rows for nm (default 2, 4, 1);
 * block_rows, block_columns for bsr (default 4, 1); levels, gap_bits for codebook (default 16, 4); values=f32 (the
 * default), f16, bf16, or int8 (whole numbers times a scale for each row, its largest magnitude / 127 rounded up to 16
 * bits); form, the layout to use, by the name that prune_packed_form gives (default auto; in the reproducible mode
 * PRUNE_E_UNSUPPORTED for one that sums in another order); convolution=yes for one of the forms that
 * prune_convolution_from_packed takes (of formats csr, nm and dense); backward=yes to pack W' as well, in F32, which at
 * least doubles the memory. NULL means "". PRUNE_E_VALUE for a weight beyond the range of what it is to be stored in,
 * PRUNE_E_SPEC when no form of the format stores such values.
 *
 * Products of csc skip the zeros of X for few columns: a zero adds nothing, whatever it meets. Those of codebook decode
 * the weights where they are used. */
PRUNE_API int32_t prune_packed_create(prune_packed **out, const prune_tensor *weights, const prune_mask *mask,
                                      const char *spec);

/* The same from a sparse object, whose format stays unless `spec` names another. It never builds the dense matrix,
 * unless "dense" is asked for. */
PRUNE_API int32_t prune_packed_from_sparse(prune_packed **out, const prune_sparse *sparse, const char *spec);

/* Y = W X, through the epilogue (NULL: none). X is columns x n, Y rows x n, both row-major with ldx, ldy >= n elements
 * from one row to the next. Y is not read, unless the epilogue's beta says so. n may be 0; the sums of a W without
 * columns are 0. PRUNE_E_SHAPE, PRUNE_E_ARGUMENT, PRUNE_E_OVERFLOW before anything is written; PRUNE_E_NOMEM.
 *
 * In place: X and Y must not overlap, not even by beginning at the same element: X is still being read when the first
 * rows of Y are written, and which ones depends on the number of threads. They may be columns of one matrix, whose rows
 * then interleave (ldx = ldy). What an earlier Y is to be kept of, beta adds in place. Gaps between the rows of Y stay
 * as they are. */
PRUNE_API int32_t prune_packed_run(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx,
                                   int64_t n, const prune_epilogue *epilogue);

/* Y = X W', the batch-major layout: X is n x columns, Y n x rows, ldx >= columns, ldy >= rows. */
PRUNE_API int32_t prune_packed_run_batch(const prune_packed *packed, float *y, int64_t ldy, const float *x, int64_t ldx,
                                         int64_t n, const prune_epilogue *epilogue);

/* dX = W' dY, the products of a backward pass, from the same object: Y = W' X with X of rows x n and Y of columns x n,
 * and the batch-major Y = X W with X of n x rows and Y of n x columns. All else is as above, the epilogue's rows being
 * the columns of W; here a stored 0 may count as not stored. An object packed with backward=yes runs W' as fast as W;
 * any other goes through W element by element, one thread for each 64 columns of X, and allocates (rows + columns) *
 * min(n, 64) floats for each. */
PRUNE_API int32_t prune_packed_run_transposed(const prune_packed *packed, float *y, int64_t ldy, const float *x,
                                              int64_t ldx, int64_t n, const prune_epilogue *epilogue);
PRUNE_API int32_t prune_packed_run_transposed_batch(const prune_packed *packed, float *y, int64_t ldy, const float *x,
                                                    int64_t ldx, int64_t n, const prune_epilogue *epilogue);

/* Y[r] = activation(alpha * scale[r] * (W X)[r] + bias[r] + beta * Y[r]) for each row r of W, with these roundings to
 * F32 and no others:
 *
 *   s = alpha * scale[r], once, when the epilogue is made; s = alpha without scale
 *   t = fma(s, sum, bias[r]); t = s * sum without bias
 *   t = fma(beta, Y[r], t); left out when beta is 0: then Y is not read, and may hold NaN
 *   none: t. relu: +0.0 when t <= 0. relu6: also 6 when t > 6. NaN stays NaN.
 *
 * `scale` and `bias` have `rows` numbers, one for each row of W, copied; NULL for none (`rows` is ignored when both
 * are). `spec`: activation=none, relu or relu6 (default none), alpha (default 1), beta (default 0), as in
 * "activation=relu6,alpha=0.5,beta=1"; NULL means "". */
PRUNE_API int32_t prune_epilogue_create(prune_epilogue **out, prune_context *context, const float *scale,
                                        const float *bias, int64_t rows, const char *spec);
PRUNE_API void prune_epilogue_free(prune_epilogue *epilogue);

/* The shape of W. */
PRUNE_API int64_t prune_packed_rows(const prune_packed *packed);
PRUNE_API int64_t prune_packed_columns(const prune_packed *packed);

/* Products done for one column of X, fillers included. */
PRUNE_API int64_t prune_packed_stored(const prune_packed *packed);

/* The format ("csr", "nm:keep_n=2,group_m=4", "dense"), the form (layout and loop order) and, for runs with n columns,
 * the kernels ("avx2"): for logs and benchmarks. Constants or the packed object's own memory. */
PRUNE_API const char *prune_packed_format(const prune_packed *packed);
PRUNE_API const char *prune_packed_form(const prune_packed *packed);
PRUNE_API const char *prune_packed_values(const prune_packed *packed); /* "f32", "f16", "bf16", "int8" */
PRUNE_API const char *prune_packed_kernels(const prune_packed *packed, int64_t n);

/* Back to a row-major F32 tensor, rows x columns, with the very bits that were packed (+0.0 where nothing is stored);
 * and to a sparse object of the packed object's format. There a stored +0.0 may count as not stored. */
PRUNE_API int32_t prune_packed_to_tensor(prune_tensor **out, const prune_packed *packed);
PRUNE_API int32_t prune_packed_to_sparse(prune_sparse **out, const prune_packed *packed);

/* The packed object as one block of bytes, position-independent: a cache, which a version of the library that does not
 * know it refuses by name. The pointer lives as long as `packed`. */
PRUNE_API int32_t prune_packed_blob(const prune_packed *packed, const void **data, int64_t *bytes);

/* From a blob, copied and checked through and through: PRUNE_E_FORMAT for anything that was not written by
 * prune_packed_blob (checksum, bounds); PRUNE_E_UNSUPPORTED for a form that the reproducible mode leaves out. */
PRUNE_API int32_t prune_packed_load(prune_packed **out, prune_context *context, const void *data, int64_t bytes);

/* The same without a copy, for bytes that the caller vouches for, such as a file of its own mapped into memory: they
 * stay the caller's, aligned to 64 bytes (PRUNE_E_ARGUMENT), unchanged and in place as long as the object lives. With
 * `verify` 1 they are checked as above, once; with 0 only the header is looked at, for its version, byte order, size
 * and form, and bytes that prune_packed_blob did not write can make a run read and write anywhere. */
PRUNE_API int32_t prune_packed_attach(prune_packed **out, prune_context *context, const void *data, int64_t bytes,
                                      int32_t verify);

PRUNE_API void prune_packed_free(prune_packed *packed);

#ifdef __cplusplus
}
#endif
#endif
