/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of one matrix, as collections of sparse matrices and patterns have them:
 *
 *   "mtx"     Matrix Market: coordinate or array; real, integer or pattern; general, symmetric or skew-symmetric, of
 *             which the half that is not written is filled in
 *   "hb"      Harwell-Boeing: RUA, RSA, RZA, RRA and the same with P, read by the width of its fields; right-hand sides
 *             stay apart
 *   "smtx"    DLMC's patterns: rows, columns, nonzeros, row offsets, column indices
 *   "scipy"   SciPy's save_npz: csr, csc, coo and bsr
 *
 * A reader refuses indices outside the matrix, an element that stands twice, numbers that are none or not finite, and
 * files that are too short or too long: PRUNE_E_FORMAT. Complex matrices and unassembled ones are PRUNE_E_UNSUPPORTED,
 * and so are more than 2^31 - 1 rows or columns.
 */
#ifndef PRUNE_MATRIX_H
#define PRUNE_MATRIX_H

#include <stdint.h>

#include "prune/prune.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The elements that a file stores, by row and column. Immutable. */
typedef struct prune_matrix prune_matrix;

/* `format` is one of the names above, or NULL for what the name's end says: .mtx; .rua, .rsa, .rza, .rra, .pua, .psa,
 * .pza, .pra or .hb; .smtx; .npz. PRUNE_E_ARGUMENT where it says nothing. Memory is bounded by the file's length. */
PRUNE_API int32_t prune_matrix_read(prune_matrix **out, prune_context *context, const char *path, const char *format);

/* "mtx", "smtx" or "scipy" (csr, deflated), or NULL as above; "hb" is PRUNE_E_UNSUPPORTED. Of the values smtx keeps
 * nothing. Numbers are written so that they read back as the same doubles. */
PRUNE_API int32_t prune_matrix_write(const prune_matrix *matrix, const char *path, const char *format);

/* The elements of a tensor of rank 2 that are not zero; of a BOOL tensor a pattern. PRUNE_E_VALUE for a number that is
 * not finite. */
PRUNE_API int32_t prune_matrix_from_tensor(prune_matrix **out, const prune_tensor *tensor);

/* 0 for NULL. */
PRUNE_API int64_t prune_matrix_rows(const prune_matrix *matrix);
PRUNE_API int64_t prune_matrix_columns(const prune_matrix *matrix);
PRUNE_API int64_t prune_matrix_stored(const prune_matrix *matrix);

/* 1 when the matrix is a pattern: places without values, which count as 1. */
PRUNE_API int32_t prune_matrix_is_pattern(const prune_matrix *matrix);

/* Right-hand sides of a Harwell-Boeing file: F64 [count, rows], borrowed; NULL where there are none. */
PRUNE_API const prune_tensor *prune_matrix_right_sides(const prune_matrix *matrix);

/* As "csr" of prune/sparse.h. What is stored is stored, zeros too. PRUNE_E_VALUE where a value does not fit in F32. */
PRUNE_API int32_t prune_matrix_to_sparse(prune_sparse **out, const prune_matrix *matrix);

/* F64 [rows, columns], or BOOL for a pattern; 0 where nothing is stored. */
PRUNE_API int32_t prune_matrix_to_tensor(prune_tensor **out, const prune_matrix *matrix);

PRUNE_API void prune_matrix_free(prune_matrix *matrix);

#ifdef __cplusplus
}
#endif
#endif
