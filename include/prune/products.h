/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Products of other kinds than W X: of two dense matrices at chosen positions only, and of two sparse matrices. Numbers
 * and their bounds are as in prune/packed.h; the bits do not depend on alignment or on the number of threads.
 */
#ifndef PRUNE_PRODUCTS_H
#define PRUNE_PRODUCTS_H

#include <stdint.h>

#include "prune/packed.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The sampled product of two dense matrices: the gradient dW = dY X' of a weight matrix at the positions that are kept,
 * and nothing else. `pattern` is csr (prune_sparse_from_mask makes one of a mask); its own values are not looked at.
 * dY is rows x n and X columns x n, both row-major with ldy, ldx >= n. For each position p that is stored, in the order
 * of the pattern's values, with row r and column c,
 *
 *   values[p] = epilogue(sum over j < n of dY[r][j] * X[c][j])
 *
 * where the epilogue (NULL: none) is that of prune/packed.h for row r; its beta adds to earlier gradients. `values` has
 * prune_sparse_stored numbers and overlaps neither matrix. PRUNE_E_UNSUPPORTED for a pattern that is not csr;
 * PRUNE_E_SHAPE, PRUNE_E_ARGUMENT, PRUNE_E_OVERFLOW, PRUNE_E_NOMEM, each before anything is written. It allocates as
 * many floats as `values` has when beta is not 0, nothing otherwise. */
PRUNE_API int32_t prune_sddmm(const prune_sparse *pattern, float *values, const float *dy, int64_t ldy, const float *x,
                              int64_t ldx, int64_t n, const prune_epilogue *epilogue);

/* The same in the batch-major layout: dY is n x rows and X n x columns, ldy >= rows, ldx >= columns. It allocates
 * (rows + columns) * min(n, 256) floats more. */
PRUNE_API int32_t prune_sddmm_batch(const prune_sparse *pattern, float *values, const float *dy, int64_t ldy,
                                    const float *x, int64_t ldx, int64_t n, const prune_epilogue *epilogue);

/* C = A B of two sparse matrices, as csr of shape [A's rows, B's columns] under A's context. An element (i, j) is
 * stored when for some k both A's (i, k) and B's (k, j) are, also when its sum is 0; each sum is one chain of
 * products, rounded and added in ascending order of k. A and B may be of any format; what is not csr is turned into it
 * first, and its zeros count as not stored. PRUNE_E_SHAPE unless A has as many columns as B has rows, PRUNE_E_OVERFLOW
 * when C's shape does not fit, PRUNE_E_VALUE for an element that is NaN because terms are infinite. Each thread uses
 * 5.1 bytes for each column of B, or, where these are more than 2^18, up to 24 for each element of the longest row. */
PRUNE_API int32_t prune_sparse_multiply(prune_sparse **out, const prune_sparse *a, const prune_sparse *b);

#ifdef __cplusplus
}
#endif
#endif
