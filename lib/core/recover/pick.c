/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/recover/pick.h"

#include <math.h>
#include <string.h>

#define MOST_SWEEPS 2000
#define STEADY 1e-10 /* the largest step of a sweep that ends the descent, as a part of the largest contribution */
#define MOST_HALVINGS 60
#define FIRST_LAMBDA 0x1p-20 /* as a part of the least lambda that makes every beta 0 */

static double soft(double x, double threshold)
{
    return x > threshold ? x - threshold : x < -threshold ? x + threshold : 0;
}

void pr_lasso(const struct pr_contributions *c, double lambda, double *beta, double *slope)
{
    int64_t count = c->count;
    double scale = 0;
    for (int64_t i = 0; i < count; i++) {
        const double *row = c->q + i * count;
        double sum = c->p[i];
        for (int64_t j = 0; j < count; j++)
            sum -= row[j] * beta[j];
        slope[i] = sum;
        double alone = row[i] > 0 ? fabs(c->p[i]) / sqrt(row[i]) : 0;
        scale = alone > scale ? alone : scale;
    }
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
        double largest = 0;
        for (int64_t i = 0; i < count; i++) {
            const double *row = c->q + i * count;
            double to = row[i] > 0 ? soft(slope[i] + row[i] * beta[i], c->n * lambda) / row[i] : 0;
            double step = to - beta[i];
            if (step == 0)
                continue;
            for (int64_t j = 0; j < count; j++)
                slope[j] -= step * row[j];
            beta[i] = to;
            double size = fabs(step) * sqrt(row[i]);
            largest = size > largest ? size : largest;
        }
        if (largest <= STEADY * scale)
            break;
    }
}

static int64_t nonzeros(const double *beta, int64_t count)
{
    int64_t found = 0;
    for (int64_t i = 0; i < count; i++)
        found += beta[i] != 0;
    return found;
}

/* The `keep` largest stay; of equals the higher number. */
static void keep_largest(const double *size, int64_t count, int64_t keep, uint8_t *stay)
{
    for (int64_t i = 0; i < count; i++) {
        int64_t before = 0;
        for (int64_t j = 0; j < count; j++)
            before += size[j] > size[i] || (size[j] == size[i] && j > i);
        stay[i] = before < keep;
    }
}

/* Leaves the betas of the search in `beta`; `other` and `slope` are scratch. */
static void search(const struct pr_contributions *c, int64_t keep, double slack, double *beta, double *other,
                   double *slope)
{
    int64_t count = c->count;
    size_t bytes = (size_t)count * sizeof *beta;
    double most = 0, least_lambda = 0;
    int64_t ceiling = (int64_t)floor((1 + slack) * (double)keep + 1e-9);
    for (int64_t i = 0; i < count; i++)
        most = fabs(c->p[i]) > most ? fabs(c->p[i]) : most;
    memset(beta, 0, bytes);
    if (most == 0)
        return;
    double lambda = most / c->n * FIRST_LAMBDA;
    for (;;) { /* ends at the latest where all betas are 0 */
        memcpy(other, beta, bytes);
        pr_lasso(c, lambda, beta, slope);
        int64_t found = nonzeros(beta, count);
        if (found >= keep && found <= ceiling)
            return;
        if (found < keep)
            break;
        least_lambda = lambda;
        lambda *= 2;
    }
    /* `other` has too many, for least_lambda; where that is 0 there never were enough, and beta is the answer. */
    if (least_lambda == 0)
        return;
    for (int i = 0; i < MOST_HALVINGS; i++) {
        double middle = least_lambda + (lambda - least_lambda) / 2;
        memcpy(beta, other, bytes);
        pr_lasso(c, middle, beta, slope);
        int64_t found = nonzeros(beta, count);
        if (found >= keep && found <= ceiling)
            return;
        if (found < keep) {
            lambda = middle;
        } else {
            least_lambda = middle;
            memcpy(other, beta, bytes);
        }
    }
    memcpy(beta, other, bytes);
}

int32_t pr_pick_lasso(const struct pr_contributions *c, int64_t keep, double slack, int all, uint8_t *stay)
{
    double *beta;
    int64_t count = c->count, ceiling = (int64_t)floor((1 + slack) * (double)keep + 1e-9);
    if (keep >= count || keep <= 0) {
        memset(stay, keep > 0, (size_t)count);
        return PRUNE_OK;
    }
    PR_TRY(pr_alloc(c->context, count, 3 * sizeof *beta, &beta));
    search(c, keep, slack, beta, beta + count, beta + 2 * count);
    int64_t found = nonzeros(beta, count);
    for (int64_t i = 0; i < count; i++)
        beta[i] = fabs(beta[i]) * sqrt(c->q[i * count + i] > 0 ? c->q[i * count + i] : 0);
    keep_largest(beta, count, all && found >= keep && found <= ceiling ? found : keep, stay);
    pr_release(c->context, beta);
    return PRUNE_OK;
}

int32_t pr_pick_thinet(const struct pr_contributions *c, int64_t keep, uint8_t *stay)
{
    double *gone; /* z_i' times the sum of all that have gone */
    int64_t count = c->count;
    PR_TRY(pr_alloc_zero(c->context, count, sizeof *gone, &gone));
    memset(stay, 1, (size_t)count);
    for (int64_t left = count; left > keep; left--) {
        int64_t best = -1;
        double least = 0;
        for (int64_t i = 0; i < count; i++) {
            double growth = 2 * gone[i] + c->q[i * count + i];
            if (stay[i] && (best < 0 || growth < least)) {
                best = i;
                least = growth;
            }
        }
        stay[best] = 0;
        for (int64_t i = 0; i < count; i++)
            gone[i] += c->q[best * count + i];
    }
    pr_release(c->context, gone);
    return PRUNE_OK;
}

int32_t pr_closing_scale(const struct pr_contributions *c, const uint8_t *stay, double damping, double *factor,
                         double *added, double *condition)
{
    struct pr_linalg la = pr_linalg_of(c->context);
    struct pr_pivot bad;
    int64_t count = c->count, kept = 0, cells = 0;
    double *matrix, sum = 0;
    for (int64_t i = 0; i < count; i++) {
        factor[i] = 1;
        if (stay[i] && c->q[i * count + i] > 0) {
            kept++;
            sum += c->q[i * count + i];
        }
    }
    *added = kept ? damping * (sum / (double)kept) : 0;
    if (kept == 0)
        return PRUNE_OK;
    PR_TRY(pr_linalg_fits("the number of channels", count));
    PR_TRY(pr_mul(kept + 4, kept, &cells));
    PR_TRY(pr_alloc(c->context, cells, sizeof *matrix, &matrix));
    double *right = matrix + kept * kept, *work = right + kept;
    for (int64_t i = 0, a = 0; i < count; i++) {
        const double *row = c->q + i * count;
        if (!stay[i] || !(row[i] > 0))
            continue;
        right[a] = c->p[i];
        for (int64_t j = 0, b = 0; j < count; j++) {
            if (!stay[j] || !(c->q[j * count + j] > 0))
                continue;
            right[a] -= row[j];
            matrix[a * kept + b++] = row[j];
        }
        matrix[a * kept + a] += *added;
        a++;
    }
    int32_t status = PRUNE_OK;
    double norm = pr_linalg_norm(kept, matrix, kept, work);
    if (pr_linalg_try_cholesky(&la, kept, matrix, kept, &bad)) {
        pr_linalg_not_definite(kept, &bad);
        status = pr_fail_in(PRUNE_E_VALUE, "what the channels that stay contribute");
    } else {
        *condition = pr_linalg_condition(kept, matrix, kept, norm, work);
        pr_linalg_solve_lower_vector(0, kept, matrix, kept, right);
        pr_linalg_solve_lower_vector(1, kept, matrix, kept, right);
        for (int64_t i = 0, a = 0; i < count; i++)
            if (stay[i] && c->q[i * count + i] > 0)
                factor[i] += right[a++];
    }
    pr_release(c->context, matrix);
    return status;
}
