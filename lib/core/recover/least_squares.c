/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Least squares of the weights that stay. Towards the outputs of the weights themselves that is Optimal Brain Surgeon
 * for a given mask. Towards other targets Y it is so too, once the weights V are known that come nearest to Y with
 * nothing pruned: |Y - X W'|^2 = |Y - X V'|^2 + the sum over rows of (w - v) G (w - v)', and only the second part
 * depends on W. Damping pulls towards the weights that there are, not towards 0, so that no damping makes the error
 * grow.
 */
#include "core/recover/least_squares.h"

#include <math.h>
#include <string.h>

#include "core/recover/obs.h"

enum { DAMPING, MEMORY };

static const struct pr_parameter parameters[] = {
    PR_DAMPING_PARAMETER("0.0001"),
    PR_MEMORY_PARAMETER,
    {0},
};

/* Steps of conjugate gradients, as a multiple of the columns, and the part of the slope at which they end. */
#define STEPS_PER_COLUMN 10
#define STEADY 1e-13

int32_t pr_wanted_outputs(const struct pr_recovering *r, const struct pr_linalg *la, const double *weights,
                          double *wanted)
{
    int64_t n = r->columns;
    if (!r->targets)
        return pr_linalg_gemm(la, 0, 0, r->rows, n, n, 1, weights, n, r->gram, n, 0, wanted, n);
    for (int64_t o = 0; o < r->rows; o++)
        memcpy(wanted + o * n, r->targets + o * (n + r->rows), (size_t)n * sizeof *wanted);
    return PRUNE_OK;
}

int32_t pr_target_error(const struct pr_recovering *r, const struct pr_linalg *la, const double *weights, double *error)
{
    int64_t n = r->columns;
    double *slope, total = 0;
    PR_TRY(pr_alloc(r->context, n, sizeof *slope, &slope));
    int32_t status = PRUNE_OK;
    for (int64_t o = 0; o < r->rows && !status; o++) {
        const double *w = weights + o * n, *target = r->targets + o * (n + r->rows);
        double sum = target[n + o];
        status = pr_linalg_gemm(la, 0, 0, 1, n, n, 1, w, n, r->gram, n, 0, slope, n);
        for (int64_t j = 0; j < n && !status; j++)
            sum += w[j] * (slope[j] - 2 * target[j]);
        total += sum > 0 ? sum : 0;
    }
    pr_release(r->context, slope);
    if (!status)
        *error = total;
    return status;
}

/* w += (G + damping)^-1 slope by conjugate gradients, which needs no more memory than a few rows; `work` 3 n. */
static void descend(const struct pr_recovering *r, double *w, double *slope, double *work)
{
    int64_t n = r->columns;
    double *direction = work, *image = work + n, *scaled = work + 2 * n, power = 0, first = 0;
    for (int64_t j = 0; j < n; j++) {
        direction[j] = slope[j] / pr_damped_diagonal(r, j);
        power += slope[j] * direction[j];
    }
    first = power;
    for (int64_t step = 0; step < STEPS_PER_COLUMN * n && power > STEADY * STEADY * first; step++) {
        double curvature = 0, next = 0;
        for (int64_t i = 0; i < n; i++) {
            const double *row = r->gram + i * n;
            double sum = (pr_damped_diagonal(r, i) - row[i]) * direction[i];
            for (int64_t j = 0; j < n; j++)
                sum += row[j] * direction[j];
            image[i] = sum;
            curvature += sum * direction[i];
        }
        if (!(curvature > 0))
            break;
        for (int64_t j = 0; j < n; j++) {
            w[j] += power / curvature * direction[j];
            slope[j] -= power / curvature * image[j];
            scaled[j] = slope[j] / pr_damped_diagonal(r, j);
            next += slope[j] * scaled[j];
        }
        for (int64_t j = 0; j < n; j++)
            direction[j] = scaled[j] + next / power * direction[j];
        power = next;
    }
}

/* All rows at once by a Cholesky factor: right, columns x rows, becomes the solution. */
static int32_t solve_whole(const struct pr_recovering *r, const struct pr_linalg *la, double *right)
{
    double *matrix;
    int64_t n = r->columns;
    PR_TRY(pr_linalg_fits("the number of inputs", n));
    PR_TRY(pr_damped_matrix(r, &matrix));
    int32_t status = pr_linalg_cholesky(la, n, matrix, n);
    if (!status)
        status = pr_linalg_solve_lower(la, 0, n, r->rows, matrix, n, right, r->rows);
    if (!status)
        status = pr_linalg_solve_lower(la, 1, n, r->rows, matrix, n, right, r->rows);
    pr_release(r->context, matrix);
    return status;
}

/* `values`, rows x columns, become the V of the head of this file. */
static int32_t reach_targets(struct pr_recovering *r, const struct pr_linalg *la, double *values, int64_t memory)
{
    int64_t n = r->columns, rows = r->rows, cells = 0, bytes = 0;
    double *slope, *work = NULL;
    PR_TRY(pr_mul(rows, n, &cells));
    PR_TRY(pr_mul(n, n * (int64_t)sizeof *slope, &bytes));
    PR_TRY(pr_alloc(r->context, cells, sizeof *slope, &slope));
    int whole = bytes <= memory;
    int32_t status = pr_alloc(r->context, whole ? cells : 3 * n, sizeof *work, &work);
    if (!status)
        status = pr_linalg_gemm(la, 0, 0, rows, n, n, -1, values, n, r->gram, n, 0, slope, n);
    for (int64_t o = 0; o < rows && !status; o++)
        for (int64_t j = 0; j < n; j++)
            slope[o * n + j] += r->targets[o * (n + rows) + j];
    if (!status && whole) {
        for (int64_t o = 0; o < rows; o++)
            for (int64_t j = 0; j < n; j++)
                work[j * rows + o] = slope[o * n + j];
        status = solve_whole(r, la, work);
        for (int64_t o = 0; o < rows && !status; o++)
            for (int64_t j = 0; j < n; j++)
                values[o * n + j] += work[j * rows + o];
    }
    for (int64_t o = 0; o < rows && !status && !whole; o++)
        descend(r, values + o * n, slope + o * n, work);
    pr_release(r->context, work);
    pr_release(r->context, slope);
    r->memory = whole ? bytes : 3 * n * (int64_t)sizeof *work;
    return status;
}

int32_t pr_least_squares(struct pr_recovering *r, const prune_tensor *weights, const prune_mask *mask, double fraction,
                         int64_t memory)
{
    struct pr_linalg la = pr_linalg_of(r->context);
    struct pr_recovering inner = *r;
    prune_tensor *nearest = NULL;
    double least = 0;
    inner.weights = weights;
    inner.result = NULL;
    int32_t status = PRUNE_OK;
    if (r->targets) {
        pr_recover_damping(&inner, fraction);
        status = prune_tensor_convert(&nearest, weights, PRUNE_F64);
        if (!status)
            status = reach_targets(&inner, &la, (double *)(void *)nearest->data, memory);
        if (!status && r->reports)
            status = pr_target_error(r, &la, (const double *)(const void *)nearest->data, &least);
        inner.weights = nearest;
    }
    int64_t taken = inner.memory;
    if (!status)
        status = pr_obs_repair(&inner, mask, fraction, memory, 0);
    prune_tensor_free(nearest);
    if (status) {
        prune_tensor_free(inner.result);
        return status;
    }
    prune_tensor_free(r->result);
    r->result = inner.result;
    r->damping = inner.damping;
    r->condition = inner.condition;
    r->dead = inner.dead;
    r->predicted = least + inner.predicted;
    taken = taken > inner.memory ? taken : inner.memory;
    r->memory = r->memory > taken ? r->memory : taken;
    return PRUNE_OK;
}

static int32_t repair(struct pr_recovering *r)
{
    const struct pr_values *v = &r->recovery->values;
    return pr_least_squares(r, r->weights, r->mask, v->real[DAMPING], v->whole[MEMORY]);
}

const struct pr_recovery_kind pr_recovery_least_squares = {
    .kind = {.name = "least-squares",
             .help = "the weights that stay at their best for observed outputs: the layer's own, or other targets",
             .parameters = parameters},
    .needs = PRUNE_OBSERVE_GRAM,
    .takes_targets = 1,
    .repair = repair,
};
