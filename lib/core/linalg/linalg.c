/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Choosing a back end, products, the Gram matrix.
 */
#include <string.h>

#include "core/linalg/blas.h"

struct pr_linalg pr_linalg_of(prune_context *context)
{
    const struct pr_blas *openblas = pr_blas_openblas();
    struct pr_linalg la = {context, openblas ? openblas : &pr_blas_builtin};
    return la;
}

int32_t pr_linalg_choose(struct pr_linalg *out, prune_context *context, const char *back_end)
{
    const struct pr_blas *blas = NULL;
    if (strcmp(back_end, pr_blas_builtin.name) == 0)
        blas = &pr_blas_builtin;
    else if (strcmp(back_end, "openblas") == 0)
        blas = pr_blas_openblas();
    if (!blas)
        return pr_fail(PRUNE_E_UNSUPPORTED, "dense algebra by \"%s\" is not there; \"builtin\" always is", back_end);
    out->context = context;
    out->blas = blas;
    return PRUNE_OK;
}

const char *pr_linalg_name(const struct pr_linalg *la)
{
    return la->blas->name;
}

int32_t pr_linalg_fits(const char *what, int64_t size)
{
    if (size < 0 || size > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "%s is %lld; dense algebra takes 0 to %lld", what, (long long)size,
                       (long long)INT32_MAX);
    return PRUNE_OK;
}

static int32_t check_product(int64_t m, int64_t n, int64_t k, int64_t lda, int64_t ldb, int64_t ldc)
{
    PR_TRY(pr_linalg_fits("the number of rows of a product", m));
    PR_TRY(pr_linalg_fits("the number of columns of a product", n));
    PR_TRY(pr_linalg_fits("the number of terms of a product", k));
    PR_TRY(pr_linalg_fits("the distance of rows of a factor", lda));
    PR_TRY(pr_linalg_fits("the distance of rows of a factor", ldb));
    return pr_linalg_fits("the distance of rows of a product", ldc);
}

int32_t pr_linalg_gemm(const struct pr_linalg *la, int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k,
                       double alpha, const double *a, int64_t lda, const double *b, int64_t ldb, double beta, double *c,
                       int64_t ldc)
{
    PR_TRY(check_product(m, n, k, lda, ldb, ldc));
    if (m > 0 && n > 0)
        la->blas->gemm(la->context, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return PRUNE_OK;
}

int32_t pr_linalg_gemm_float(const struct pr_linalg *la, int transpose_a, int transpose_b, int64_t m, int64_t n,
                             int64_t k, float alpha, const float *a, int64_t lda, const float *b, int64_t ldb,
                             float beta, float *c, int64_t ldc)
{
    PR_TRY(check_product(m, n, k, lda, ldb, ldc));
    if (m > 0 && n > 0)
        la->blas->gemm_float(la->context, transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    return PRUNE_OK;
}

/* Samples that are taken at a time where they must be converted. */
#define ROWS_AT_A_TIME 256

int32_t pr_linalg_gram(const struct pr_linalg *la, int32_t dtype, int64_t samples, int64_t n, const void *x,
                       int64_t ldx, double *c, int64_t ldc)
{
    double *rows = NULL;
    int64_t step = dtype == PRUNE_F64 ? INT32_MAX / 2 : ROWS_AT_A_TIME, size = prune_dtype_size(dtype), elements = 0;
    PR_TRY(pr_linalg_fits("the number of columns of a Gram matrix", n));
    PR_TRY(pr_linalg_fits("the distance of rows of samples", ldx));
    PR_TRY(pr_linalg_fits("the distance of rows of a Gram matrix", ldc));
    if (n == 0 || samples == 0)
        return PRUNE_OK;
    step = step < samples ? step : samples;
    if (dtype != PRUNE_F64) {
        PR_TRY(pr_mul(step, n, &elements));
        PR_TRY(pr_alloc(la->context, elements, sizeof *rows, &rows));
    }
    for (int64_t first = 0; first < samples; first += step) {
        int64_t count = samples - first < step ? samples - first : step;
        const char *data = (const char *)x + first * ldx * size;
        for (int64_t i = 0; i < count && rows; i++)
            pr_read_double(dtype, data + i * ldx * size, 1, n, rows + i * n);
        if (rows)
            la->blas->syrk(la->context, 1, n, count, 1, rows, n, c, ldc);
        else
            la->blas->syrk(la->context, 1, n, count, 1, (const double *)(const void *)data, ldx, c, ldc);
    }
    pr_release(la->context, rows);
    return PRUNE_OK;
}

void pr_linalg_mirror(int64_t n, double *a, int64_t lda)
{
    enum { BLOCK = 32 };
    for (int64_t i0 = 0; i0 < n; i0 += BLOCK)
        for (int64_t j0 = 0; j0 <= i0; j0 += BLOCK)
            for (int64_t i = i0; i < n && i < i0 + BLOCK; i++)
                for (int64_t j = j0; j < i && j < j0 + BLOCK; j++)
                    a[j * lda + i] = a[i * lda + j];
}
