/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Factor, inverse, condition: matrices are cut in halves, so that nearly all of the work is done by the back end's
 * products, and a bad pivot is met, with its value, in a small block.
 */
#include <math.h>
#include <string.h>

#include "base/spec.h"
#include "core/linalg/blas.h"

#define SMALL 48

struct factoring {
    const struct pr_linalg *la;
    double tolerance;
    struct pr_pivot *bad;
    int64_t n, lda;
    double *a;
};

static int factor_small(const struct factoring *f, int64_t first, int64_t count)
{
    double *a = f->a + first * f->lda + first;
    for (int64_t i = 0; i < count; i++) {
        double *row = a + i * f->lda;
        for (int64_t j = 0; j < i; j++) {
            const double *other = a + j * f->lda;
            double sum = row[j];
            for (int64_t k = 0; k < j; k++)
                sum -= row[k] * other[k];
            row[j] = sum / other[j];
        }
        double pivot = row[i];
        for (int64_t k = 0; k < i; k++)
            pivot -= row[k] * row[k];
        /* What was on the diagonal is the pivot and the squares of this row. */
        double diagonal = row[i];
        for (int64_t k = 0; k < first; k++)
            diagonal += (row - first)[k] * (row - first)[k];
        if (!(pivot > f->tolerance * diagonal)) {
            *f->bad = (struct pr_pivot){first + i, pivot, diagonal};
            return 1;
        }
        row[i] = sqrt(pivot);
    }
    return 0;
}

static int factor(const struct factoring *f, int64_t first, int64_t count)
{
    if (count <= SMALL)
        return factor_small(f, first, count);
    const struct pr_blas *blas = f->la->blas;
    int64_t half = count / 2, rest = count - half;
    double *a = f->a + first * f->lda + first, *b = a + half * f->lda, *c = b + half;
    if (factor(f, first, half))
        return 1;
    blas->trsm(f->la->context, 1, 1, rest, half, a, f->lda, b, f->lda);
    blas->syrk(f->la->context, 0, rest, half, -1, b, f->lda, c, f->lda);
    return factor(f, first + half, rest);
}

int pr_linalg_try_cholesky(const struct pr_linalg *la, int64_t n, double *a, int64_t lda, struct pr_pivot *bad)
{
    struct pr_pivot unused;
    struct factoring f = {la, (double)n * 0x1p-52, bad ? bad : &unused, n, lda, a};
    return n > 0 && factor(&f, 0, n);
}

static const char *number_text(char out[PR_MAX_NUMBER], double value)
{
    if (!isfinite(value))
        return isnan(value) ? "NaN" : value < 0 ? "-inf" : "inf";
    pr_number_print(out, value);
    return out;
}

int32_t pr_linalg_not_definite(int64_t n, const struct pr_pivot *bad)
{
    char pivot[PR_MAX_NUMBER], diagonal[PR_MAX_NUMBER];
    return pr_fail(PRUNE_E_VALUE,
                   "a matrix of %lld x %lld is not positive definite: the pivot of column %lld is %s, its diagonal "
                   "element %s; damping or more samples would make it so",
                   (long long)n, (long long)n, (long long)bad->column, number_text(pivot, bad->value),
                   number_text(diagonal, bad->diagonal));
}

static int32_t check_square(int64_t n, int64_t lda)
{
    PR_TRY(pr_linalg_fits("the order of a matrix", n));
    return pr_linalg_fits("the distance of rows of a matrix", lda);
}

int32_t pr_linalg_cholesky(const struct pr_linalg *la, int64_t n, double *a, int64_t lda)
{
    struct pr_pivot bad;
    PR_TRY(check_square(n, lda));
    return pr_linalg_try_cholesky(la, n, a, lda, &bad) ? pr_linalg_not_definite(n, &bad) : PRUNE_OK;
}

int32_t pr_linalg_solve_lower(const struct pr_linalg *la, int transposed, int64_t n, int64_t m, const double *l,
                              int64_t ldl, double *x, int64_t ldx)
{
    PR_TRY(check_square(n, ldl));
    PR_TRY(pr_linalg_fits("the number of right-hand sides", m));
    PR_TRY(pr_linalg_fits("the distance of rows of right-hand sides", ldx));
    if (n > 0 && m > 0)
        la->blas->trsm(la->context, 0, transposed, n, m, l, ldl, x, ldx);
    return PRUNE_OK;
}

void pr_linalg_solve_lower_vector(int transposed, int64_t n, const double *l, int64_t ldl, double *x)
{
    for (int64_t i = 0; i < n && !transposed; i++) {
        double sum = x[i];
        for (int64_t k = 0; k < i; k++)
            sum -= l[i * ldl + k] * x[k];
        x[i] = sum / l[i * ldl + i];
    }
    for (int64_t i = n - 1; i >= 0 && transposed; i--) {
        double value = x[i] /= l[i * ldl + i];
        for (int64_t k = 0; k < i; k++)
            x[k] -= l[i * ldl + k] * value;
    }
}

static void invert_lower(const struct pr_linalg *la, int64_t n, double *l, int64_t ldl)
{
    if (n <= SMALL) {
        for (int64_t j = n - 1; j >= 0; j--) {
            /* Column j, from the inverse of what is to its right: -C^-1 b / l_jj, from the bottom up. */
            double inverse = 1 / l[j * ldl + j];
            for (int64_t i = n - 1; i > j; i--) {
                double sum = 0;
                for (int64_t k = j + 1; k <= i; k++)
                    sum += l[i * ldl + k] * l[k * ldl + j];
                l[i * ldl + j] = -sum * inverse;
            }
            l[j * ldl + j] = inverse;
        }
        return;
    }
    int64_t half = n / 2, rest = n - half;
    double *b = l + half * ldl, *c = b + half;
    /* The inverse of [A 0; B C] is [A^-1 0; -C^-1 B A^-1, C^-1]. */
    la->blas->trsm(la->context, 0, 0, rest, half, c, ldl, b, ldl);
    la->blas->trsm(la->context, 1, 0, rest, half, l, ldl, b, ldl);
    for (int64_t i = 0; i < rest; i++)
        for (int64_t j = 0; j < half; j++)
            b[i * ldl + j] = -b[i * ldl + j];
    invert_lower(la, half, l, ldl);
    invert_lower(la, rest, c, ldl);
}

int32_t pr_linalg_invert_lower(const struct pr_linalg *la, int64_t n, double *l, int64_t ldl)
{
    PR_TRY(check_square(n, ldl));
    invert_lower(la, n, l, ldl);
    return PRUNE_OK;
}

/* M'M of a lower M, in place, on and below the diagonal. */
static void square(const struct pr_linalg *la, int64_t n, double *m, int64_t ldm)
{
    if (n <= SMALL) {
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j <= i; j++) {
                double sum = 0;
                for (int64_t k = i; k < n; k++)
                    sum += m[k * ldm + i] * m[k * ldm + j];
                m[i * ldm + j] = sum;
            }
        return;
    }
    int64_t half = n / 2, rest = n - half;
    double *b = m + half * ldm, *c = b + half;
    square(la, half, m, ldm);
    la->blas->syrk(la->context, 1, half, rest, 1, b, ldm, m, ldm);
    la->blas->trmm(la->context, 1, rest, half, c, ldm, b, ldm);
    square(la, rest, c, ldm);
}

int32_t pr_linalg_invert_from_factor(const struct pr_linalg *la, int64_t n, double *l, int64_t ldl)
{
    PR_TRY(pr_linalg_invert_lower(la, n, l, ldl));
    square(la, n, l, ldl);
    pr_linalg_mirror(n, l, ldl);
    return PRUNE_OK;
}

int32_t pr_linalg_invert(const struct pr_linalg *la, int64_t n, double *a, int64_t lda)
{
    PR_TRY(pr_linalg_cholesky(la, n, a, lda));
    return pr_linalg_invert_from_factor(la, n, a, lda);
}

/* Rows and columns in the opposite order. */
static void turn(int64_t n, double *a, int64_t lda)
{
    for (int64_t i = 0; i < n - 1 - i; i++)
        for (int64_t j = 0; j < n; j++) {
            double *one = a + i * lda + j, *other = a + (n - 1 - i) * lda + (n - 1 - j), value = *one;
            *one = *other;
            *other = value;
        }
    double *middle = a + n / 2 * lda;
    for (int64_t j = 0; n % 2 && j < n - 1 - j; j++) {
        double value = middle[j];
        middle[j] = middle[n - 1 - j];
        middle[n - 1 - j] = value;
    }
}

int32_t pr_linalg_inverse_factor(const struct pr_linalg *la, int64_t n, double *a, int64_t lda)
{
    struct pr_pivot bad;
    PR_TRY(check_square(n, lda));
    if (n == 0)
        return PRUNE_OK;
    /* Turned round, A = V V' with V upper is a Cholesky factorisation, and U = V^-1. */
    turn(n, a, lda);
    if (pr_linalg_try_cholesky(la, n, a, lda, &bad)) {
        bad.column = n - 1 - bad.column;
        return pr_linalg_not_definite(n, &bad);
    }
    invert_lower(la, n, a, lda);
    turn(n, a, lda);
    for (int64_t i = 1; i < n; i++)
        memset(a + i * lda, 0, (size_t)i * sizeof *a);
    return PRUNE_OK;
}

double pr_linalg_norm(int64_t n, const double *a, int64_t lda, double *sums)
{
    double norm = 0;
    for (int64_t i = 0; i < n; i++) {
        sums[i] = fabs(a[i * lda + i]);
        for (int64_t j = 0; j < i; j++) {
            sums[i] += fabs(a[i * lda + j]);
            sums[j] += fabs(a[i * lda + j]);
        }
    }
    for (int64_t i = 0; i < n; i++)
        norm = sums[i] > norm ? sums[i] : norm;
    return norm;
}

static double solve_and_sum(int64_t n, const double *l, int64_t ldl, double *x)
{
    double sum = 0;
    pr_linalg_solve_lower_vector(0, n, l, ldl, x);
    pr_linalg_solve_lower_vector(1, n, l, ldl, x);
    for (int64_t i = 0; i < n; i++)
        sum += fabs(x[i]);
    return sum;
}

static int64_t largest(int64_t n, const double *x)
{
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
        best = fabs(x[i]) > fabs(x[best]) ? i : best;
    return best;
}

double pr_linalg_condition(int64_t n, const double *l, int64_t ldl, double norm, double *work)
{
    double *x = work, *z = work + n, *signs = work + 2 * n, estimate = 0;
    if (n == 0)
        return 1;
    /* Signs that make L^-1 signs grow: where A is nearly singular, A^-1 signs shows it. */
    for (int64_t i = 0; i < n; i++) {
        double sum = 0;
        for (int64_t k = 0; k < i; k++)
            sum += l[i * ldl + k] * x[k];
        signs[i] = sum > 0 ? -1 : 1;
        x[i] = (signs[i] - sum) / l[i * ldl + i];
    }
    pr_linalg_solve_lower_vector(1, n, l, ldl, x);
    /* Then column after column of A^-1 that promises more. */
    for (int round = 0; round < 4; round++) {
        int64_t best = largest(n, x);
        int same = round > 0;
        for (int64_t i = 0; i < n; i++)
            z[i] = i == best;
        double sum = solve_and_sum(n, l, ldl, z);
        if (!(sum > estimate))
            break;
        estimate = sum;
        for (int64_t i = 0; i < n; i++) {
            double sign = z[i] < 0 ? -1 : 1;
            same = same && sign == signs[i];
            x[i] = signs[i] = sign;
        }
        if (same)
            break;
        solve_and_sum(n, l, ldl, x);
    }
    return norm * estimate;
}
