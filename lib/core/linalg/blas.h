/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What a back end of this room does: the products of level 3, on row-major matrices whose sizes are known to be good.
 */
#ifndef PR_CORE_LINALG_BLAS_H
#define PR_CORE_LINALG_BLAS_H

#include "core/linalg/linalg.h"

struct pr_blas {
    const char *name;
    void (*gemm)(prune_context *context, int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                 double alpha, const double *a, int64_t lda, const double *b, int64_t ldb, double beta, double *c,
                 int64_t ldc);
    void (*gemm_float)(prune_context *context, int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       float alpha, const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                       int64_t ldc);
    /* C <- alpha op(A) op(A)' + C on and below the diagonal; op(A) n x k. */
    void (*syrk)(prune_context *context, int transpose, int64_t n, int64_t k, double alpha, const double *a,
                 int64_t lda, double *c, int64_t ldc);
    /* X <- op(L)^-1 X (right 0) or X op(L)^-1 (right 1), L lower, X m x n. */
    void (*trsm)(prune_context *context, int right, int transpose, int64_t m, int64_t n, const double *l, int64_t ldl,
                 double *x, int64_t ldx);
    /* X <- op(L) X, L m x m lower, X m x n. */
    void (*trmm)(prune_context *context, int transpose, int64_t m, int64_t n, const double *l, int64_t ldl, double *x,
                 int64_t ldx);
};

extern const struct pr_blas pr_blas_builtin;

/* OpenBLAS: NULL where it is not there (openblas.c). The first call loads it; any thread may be first. */
const struct pr_blas *pr_blas_openblas(void);

/* How this build comes by it: "load", "link" or "none". */
const char *pr_blas_way(void);

#endif
