/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/damped.h"

#include <math.h>
#include <string.h>

/* ---- Making it ---- */

static void load(struct pr_damped *damped, const double *gram, int64_t stride, double damping)
{
    int64_t n = damped->columns;
    for (int64_t i = 0; i < n; i++) {
        double *row = damped->matrix + i * n;
        memcpy(row, gram + i * stride, (size_t)n * sizeof *row);
        row[i] = row[i] == 0 ? 1 : row[i] + damping;
        damped->diagonal[i] = row[i];
    }
}

static int32_t allocate(struct pr_damped *damped)
{
    int64_t size = 0;
    PR_TRY(pr_mul(damped->columns, damped->columns, &size));
    PR_TRY(pr_alloc(damped->context, damped->columns, sizeof *damped->diagonal, &damped->diagonal));
    return pr_alloc(damped->context, size, sizeof *damped->matrix, &damped->matrix);
}

void pr_damped_free(struct pr_damped *damped)
{
    pr_release(damped->context, damped->matrix);
    pr_release(damped->context, damped->diagonal);
    damped->matrix = damped->diagonal = NULL;
}

/* ---- The condition number ---- */

typedef double lane __attribute__((vector_size(16), aligned(8), may_alias));
#define LANES 8 /* that are summed apart, two in each of four */

/* x' y */
static double dot(int64_t n, const double *x, const double *y)
{
    lane sum[4] = {{0}};
    double total = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < 4; k++)
            sum[k] += *(const lane *)(x + i + 2 * k) * *(const lane *)(y + i + 2 * k);
    for (; i < n; i++)
        total += x[i] * y[i];
    for (int k = 0; k < 4; k++)
        total += sum[k][0] + sum[k][1];
    return total;
}

/* y += a x */
static void add(int64_t n, double a, const double *x, double *y)
{
    int64_t i = 0;
    for (; i + 2 <= n; i += 2)
        *(lane *)(y + i) += a * *(const lane *)(x + i);
    for (; i < n; i++)
        y[i] += a * x[i];
}

/* y = U' U x: the inverse times a vector, in one reading of U. */
static void apply_inverse(int64_t n, const double *u, const double *x, double *y)
{
    memset(y, 0, (size_t)n * sizeof *y);
    for (int64_t i = 0; i < n; i++) {
        const double *row = u + i * n + i;
        double sum = dot(n - i, row, x + i);
        if (sum != 0)
            add(n - i, sum, row, y + i);
    }
}

/* Hager's estimate (1984) of the 1-norm of the inverse: from below, seldom by more than a factor of 3. */
static double inverse_norm(int64_t n, const double *u, double *x)
{
    double *y = x + n, norm = 0;
    int64_t unit = -1;
    for (int64_t i = 0; i < n; i++)
        x[i] = 1.0 / (double)n;
    for (int turn = 0; turn < 4; turn++) {
        double now = 0;
        int64_t largest = 0;
        apply_inverse(n, u, x, y);
        for (int64_t i = 0; i < n; i++) {
            now += fabs(y[i]);
            x[i] = y[i] < 0 ? -1 : 1;
        }
        if (now <= norm)
            break;
        norm = now;
        apply_inverse(n, u, x, y);
        for (int64_t i = 1; i < n; i++)
            largest = fabs(y[i]) > fabs(y[largest]) ? i : largest;
        if (largest == unit)
            break;
        unit = largest;
        memset(x, 0, (size_t)n * sizeof *x);
        x[unit] = 1;
    }
    return norm;
}

static int32_t factor(struct pr_damped *damped, const struct pr_linalg *la)
{
    int64_t n = damped->columns;
    double *work;
    PR_TRY(pr_alloc(damped->context, 3 * n, sizeof *work, &work));
    double norm = pr_linalg_norm(n, damped->matrix, n, work);
    int32_t status = pr_linalg_inverse_factor(la, n, damped->matrix, n);
    if (!status)
        damped->condition = norm * inverse_norm(n, damped->matrix, work);
    pr_release(damped->context, work);
    return status;
}

static int32_t invert(struct pr_damped *damped, const struct pr_linalg *la)
{
    int64_t n = damped->columns;
    double *work;
    PR_TRY(pr_alloc(damped->context, 3 * n, sizeof *work, &work));
    double norm = pr_linalg_norm(n, damped->matrix, n, work);
    int32_t status = pr_linalg_cholesky(la, n, damped->matrix, n);
    if (!status) {
        damped->condition = pr_linalg_condition(n, damped->matrix, n, norm, work);
        status = pr_linalg_invert_from_factor(la, n, damped->matrix, n);
    }
    pr_release(damped->context, work);
    return status;
}

static int32_t make(struct pr_damped *out, const struct pr_linalg *la, int64_t columns, const double *gram,
                    int64_t stride, double damping,
                    int32_t (*finish)(struct pr_damped *damped, const struct pr_linalg *la))
{
    struct pr_damped damped = {.context = la->context, .columns = columns};
    int32_t status = allocate(&damped);
    if (!status) {
        load(&damped, gram, stride, damping);
        status = columns > 0 ? finish(&damped, la) : PRUNE_OK;
    }
    if (status)
        pr_damped_free(&damped);
    else
        *out = damped;
    return status;
}

int32_t pr_damped_factor(struct pr_damped *out, const struct pr_linalg *la, int64_t columns, const double *gram,
                         int64_t stride, double damping)
{
    return make(out, la, columns, gram, stride, damping, factor);
}

int32_t pr_damped_inverse(struct pr_damped *out, const struct pr_linalg *la, int64_t columns, const double *gram,
                          int64_t stride, double damping)
{
    return make(out, la, columns, gram, stride, damping, invert);
}
