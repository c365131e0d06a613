/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Dense linear algebra from the inside: libprune only. The one room of libprune that knows a BLAS.
 *
 * Matrices are row-major: element (i, j) of `a` is a[i * lda + j], lda at least the number of columns. Sizes that no
 * BLAS takes (above 2^31 - 1) are PRUNE_E_UNSUPPORTED with the numbers; nothing has been written then. Nothing here
 * allocates but where it says so. Results of different back ends differ by rounding; the built-in one gives the same
 * bits for any number of threads.
 *
 *     struct pr_linalg la = pr_linalg_of(context);
 *     PR_TRY(pr_linalg_gram(&la, PRUNE_F32, samples, in, x, in, gram, in));
 *     pr_linalg_mirror(in, gram, in);
 *     PR_TRY(pr_linalg_inverse_factor(&la, in, gram, in));
 */
#ifndef PR_CORE_LINALG_H
#define PR_CORE_LINALG_H

#include "core/tensor/tensor.h"

struct pr_blas; /* the products that are done by a back end: blas.h */

struct pr_linalg {
    prune_context *context; /* its threads help the built-in back end; a BLAS has threads of its own, never changed */
    const struct pr_blas *blas;
};

/* The back end that this build takes: OpenBLAS, loaded at the first call (or linked), else the built-in one. */
struct pr_linalg pr_linalg_of(prune_context *context);

/* The same with a back end by name: "openblas" or "builtin". PRUNE_E_UNSUPPORTED when it is not there. */
int32_t pr_linalg_choose(struct pr_linalg *out, prune_context *context, const char *back_end);

/* "openblas" or "builtin". */
const char *pr_linalg_name(const struct pr_linalg *la);

/* C <- alpha op(A) op(B) + beta C with op(A) m x k, op(B) k x n, C m x n; op transposes where the flag is 1. With beta
 * 0 C is not read. C overlaps neither A nor B. */
int32_t pr_linalg_gemm(const struct pr_linalg *la, int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       double alpha, const double *a, int64_t lda, const double *b, int64_t ldb, double beta, double *c,
                       int64_t ldc);
int32_t pr_linalg_gemm_float(const struct pr_linalg *la, int transpose_a, int transpose_b, int64_t m, int64_t n,
                             int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                             float beta, float *c, int64_t ldc);

/* C += X'X in double, on and below the diagonal only; X is samples x n of F32 or F64 with rows `ldx` apart. Any number
 * of samples. */
int32_t pr_linalg_gram(const struct pr_linalg *la, int32_t dtype, int64_t samples, int64_t n, const void *x,
                       int64_t ldx, double *c, int64_t ldc);

/* Above the diagonal from what stands below it. */
void pr_linalg_mirror(int64_t n, double *a, int64_t lda);

/* Cholesky: A = L L', L lower, in place; only the diagonal and what is below it are read and written. A pivot that is
 * not above n * 2^-52 times its diagonal element (0, negative, NaN, or nothing but rounding) is PRUNE_E_VALUE; the
 * sentence names its column, counted from 0, and its value, and `a` is spoilt. */
int32_t pr_linalg_cholesky(const struct pr_linalg *la, int64_t n, double *a, int64_t lda);

/* The same without a sentence: 0, or 1 + the column at fault with its pivot and its diagonal element. Sizes must be
 * known to be good (pr_linalg_fits). For callers who try again with damping or have names of their own. */
struct pr_pivot {
    int64_t column;
    double value, diagonal;
};
int pr_linalg_try_cholesky(const struct pr_linalg *la, int64_t n, double *a, int64_t lda, struct pr_pivot *bad);
int32_t pr_linalg_not_definite(int64_t n, const struct pr_pivot *bad); /* PRUNE_E_VALUE with the sentence */
int32_t pr_linalg_fits(const char *what, int64_t size);                /* PRUNE_OK or PRUNE_E_UNSUPPORTED */

/* X <- L^-1 X, or L'^-1 X where `transposed`; L n x n lower with a diagonal that is not 0, X n x m. */
int32_t pr_linalg_solve_lower(const struct pr_linalg *la, int transposed, int64_t n, int64_t m, const double *l,
                              int64_t ldl, double *x, int64_t ldx);

/* The same for one vector: n^2 operations on the calling thread. */
void pr_linalg_solve_lower_vector(int transposed, int64_t n, const double *l, int64_t ldl, double *x);

/* L <- L^-1, in place, on and below the diagonal. */
int32_t pr_linalg_invert_lower(const struct pr_linalg *la, int64_t n, double *l, int64_t ldl);

/* A <- A^-1 by Cholesky, in place; reads what is on and below the diagonal, writes both sides. Fails as
 * pr_linalg_cholesky does. */
int32_t pr_linalg_invert(const struct pr_linalg *la, int64_t n, double *a, int64_t lda);

/* From the factor of pr_linalg_cholesky: A^-1 on both sides, in place of L. */
int32_t pr_linalg_invert_from_factor(const struct pr_linalg *la, int64_t n, double *l, int64_t ldl);

/* A <- U, upper with zeros below, where A^-1 = U'U: SparseGPT's factor. Reads A on and ABOVE the diagonal. Fails as
 * pr_linalg_cholesky does; the pivots are those of the elimination from the last column to the first. */
int32_t pr_linalg_inverse_factor(const struct pr_linalg *la, int64_t n, double *a, int64_t lda);

/* The 1-norm of a symmetric matrix of which what is on and below the diagonal is read: `sums` is scratch of n. */
double pr_linalg_norm(int64_t n, const double *a, int64_t lda, double *sums);

/* An estimate, from below and seldom by more than a factor of 3, of the condition number of A in the 1-norm, from its
 * norm and its Cholesky factor (Hager 1984, begun as LINPACK does); 9 solves at most. `work` is scratch of 3 n. */
double pr_linalg_condition(int64_t n, const double *l, int64_t ldl, double norm, double *work);

#endif
