/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The back end that needs nothing: one blocked product of matrices, and the others cut in halves until they are that.
 */
#include "core/linalg/blas.h"

#define REAL double
#define NAME(name) name##_double
#include "core/linalg/gemm.h"

#define REAL float
#define NAME(name) name##_float
#include "core/linalg/gemm.h"

/* Sizes from which cutting in halves pays. */
#define SMALL 32

static void syrk(prune_context *context, int transpose, int64_t n, int64_t k, double alpha, const double *a,
                 int64_t lda, double *c, int64_t ldc)
{
    double block[SMALL * SMALL];
    if (n <= SMALL) {
        gemm_double(context, transpose, !transpose, n, n, k, alpha, a, lda, a, lda, 0, block, SMALL);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j <= i; j++)
                c[i * ldc + j] += block[i * SMALL + j];
        return;
    }
    int64_t half = n / 2;
    const double *below = transpose ? a + half : a + half * lda;
    syrk(context, transpose, half, k, alpha, a, lda, c, ldc);
    gemm_double(context, transpose, !transpose, n - half, half, k, alpha, below, lda, a, lda, 1, c + half * ldc, ldc);
    syrk(context, transpose, n - half, k, alpha, below, lda, c + half * ldc + half, ldc);
}

/* X <- L^-1 X */
static void solve_small(int64_t m, int64_t n, const double *l, int64_t ldl, double *x, int64_t ldx)
{
    for (int64_t i = 0; i < m; i++) {
        for (int64_t k = 0; k < i; k++)
            for (int64_t j = 0; j < n; j++)
                x[i * ldx + j] -= l[i * ldl + k] * x[k * ldx + j];
        for (int64_t j = 0; j < n; j++)
            x[i * ldx + j] /= l[i * ldl + i];
    }
}

/* X <- L'^-1 X */
static void solve_small_transposed(int64_t m, int64_t n, const double *l, int64_t ldl, double *x, int64_t ldx)
{
    for (int64_t i = m - 1; i >= 0; i--) {
        for (int64_t k = i + 1; k < m; k++)
            for (int64_t j = 0; j < n; j++)
                x[i * ldx + j] -= l[k * ldl + i] * x[k * ldx + j];
        for (int64_t j = 0; j < n; j++)
            x[i * ldx + j] /= l[i * ldl + i];
    }
}

/* X <- X L^-1 or X L'^-1, a row at a time. */
static void solve_small_right(int transpose, int64_t m, int64_t n, const double *l, int64_t ldl, double *x, int64_t ldx)
{
    for (int64_t r = 0; r < m; r++) {
        double *row = x + r * ldx;
        for (int64_t step = 0; step < n; step++) {
            int64_t i = transpose ? step : n - 1 - step;
            double sum = row[i];
            for (int64_t k = transpose ? 0 : i + 1; k < (transpose ? i : n); k++)
                sum -= row[k] * (transpose ? l[i * ldl + k] : l[k * ldl + i]);
            row[i] = sum / l[i * ldl + i];
        }
    }
}

static void trsm(prune_context *context, int right, int transpose, int64_t m, int64_t n, const double *l, int64_t ldl,
                 double *x, int64_t ldx)
{
    int64_t size = right ? n : m;
    if (size <= SMALL) {
        if (right)
            solve_small_right(transpose, m, n, l, ldl, x, ldx);
        else
            (transpose ? solve_small_transposed : solve_small)(m, n, l, ldl, x, ldx);
        return;
    }
    /* L = [A 0; B C]. What is solved first depends on neither B nor the rest. */
    int64_t half = size / 2, rest = size - half;
    const double *b = l + half * ldl, *c = b + half;
    double *second = right ? x + half : x + half * ldx;
    int first_half_first = right ? transpose : !transpose;
    int64_t m0 = right ? m : half, n0 = right ? half : n, m1 = right ? m : rest, n1 = right ? rest : n;
    if (first_half_first)
        trsm(context, right, transpose, m0, n0, l, ldl, x, ldx);
    else
        trsm(context, right, transpose, m1, n1, c, ldl, second, ldx);
    if (!right && !transpose)
        gemm_double(context, 0, 0, rest, n, half, -1, b, ldl, x, ldx, 1, second, ldx);
    else if (!right)
        gemm_double(context, 1, 0, half, n, rest, -1, b, ldl, second, ldx, 1, x, ldx);
    else if (!transpose)
        gemm_double(context, 0, 0, m, half, rest, -1, second, ldx, b, ldl, 1, x, ldx);
    else
        gemm_double(context, 0, 1, m, rest, half, -1, x, ldx, b, ldl, 1, second, ldx);
    if (first_half_first)
        trsm(context, right, transpose, m1, n1, c, ldl, second, ldx);
    else
        trsm(context, right, transpose, m0, n0, l, ldl, x, ldx);
}

static void multiply_small(int transpose, int64_t m, int64_t n, const double *l, int64_t ldl, double *x, int64_t ldx)
{
    for (int64_t step = 0; step < m; step++) {
        int64_t i = transpose ? step : m - 1 - step;
        for (int64_t j = 0; j < n; j++)
            x[i * ldx + j] *= l[i * ldl + i];
        for (int64_t k = transpose ? i + 1 : 0; k < (transpose ? m : i); k++)
            for (int64_t j = 0; j < n; j++)
                x[i * ldx + j] += (transpose ? l[k * ldl + i] : l[i * ldl + k]) * x[k * ldx + j];
    }
}

static void trmm(prune_context *context, int transpose, int64_t m, int64_t n, const double *l, int64_t ldl, double *x,
                 int64_t ldx)
{
    if (m <= SMALL) {
        multiply_small(transpose, m, n, l, ldl, x, ldx);
        return;
    }
    int64_t half = m / 2, rest = m - half;
    const double *b = l + half * ldl, *c = b + half;
    double *below = x + half * ldx;
    if (transpose) {
        trmm(context, 1, half, n, l, ldl, x, ldx);
        gemm_double(context, 1, 0, half, n, rest, 1, b, ldl, below, ldx, 1, x, ldx);
        trmm(context, 1, rest, n, c, ldl, below, ldx);
    } else {
        trmm(context, 0, rest, n, c, ldl, below, ldx);
        gemm_double(context, 0, 0, rest, n, half, 1, b, ldl, x, ldx, 1, below, ldx);
        trmm(context, 0, half, n, l, ldl, x, ldx);
    }
}

const struct pr_blas pr_blas_builtin = {"builtin", gemm_double, gemm_float, syrk, trsm, trmm};
