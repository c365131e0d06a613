/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The layer error, damping, and what else every second-order kind asks for.
 */
#include "core/recover/recover.h"

#define ROWS_AT_A_TIME 64

int32_t pr_layer_error(const struct pr_linalg *la, int64_t rows, int64_t columns, const double *gram, const double *a,
                       const double *b, double *error)
{
    double *change, total = 0;
    int64_t most = rows < ROWS_AT_A_TIME ? rows : ROWS_AT_A_TIME, elements = 0;
    PR_TRY(pr_mul(2 * most, columns, &elements));
    PR_TRY(pr_alloc(la->context, elements, sizeof *change, &change));
    double *product = change + most * columns;
    int32_t status = PRUNE_OK;
    for (int64_t first = 0; first < rows && !status; first += most) {
        int64_t count = rows - first < most ? rows - first : most;
        for (int64_t i = 0; i < count * columns; i++)
            change[i] = a[first * columns + i] - b[first * columns + i];
        status =
            pr_linalg_gemm(la, 0, 0, count, columns, columns, 1, change, columns, gram, columns, 0, product, columns);
        for (int64_t i = 0; i < count * columns && !status; i++)
            total += change[i] * product[i];
    }
    pr_release(la->context, change);
    if (!status)
        *error = total > 0 ? total : 0;
    return status;
}

void pr_recover_damping(struct pr_recovering *r, double fraction)
{
    double sum = 0;
    int64_t n = r->columns;
    r->dead = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += r->gram[i * n + i];
        r->dead += r->gram[i * n + i] == 0;
    }
    r->damping = r->dead < n ? fraction * (sum / (double)(n - r->dead)) : 0;
}

int32_t pr_recover_copy(struct pr_recovering *r, double **values)
{
    PR_TRY(prune_tensor_convert(&r->result, r->weights, PRUNE_F64));
    *values = (double *)(void *)r->result->data;
    return PRUNE_OK;
}
