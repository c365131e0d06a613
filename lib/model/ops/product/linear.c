/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/product/linear.h"

void pm_linear_release(const struct pm_call *call, struct pm_linear *linear)
{
    prune_packed_free(linear->packed);
    prune_epilogue_free(linear->epilogue);
    pm_tail_release(call, &linear->tail);
}

int32_t pm_linear_pack(struct pm_linear *linear, struct pm_call *call, const struct pm_matrix *matrix)
{
    PR_TRY(pm_pack(&linear->packed, call, call->context, matrix, linear->rows, NULL));
    pm_say_kernels(call, linear->packed, linear->rows);
    if (linear->is_late)
        return PRUNE_OK;
    return pm_tail_epilogue(&linear->epilogue, call->context, &linear->tail, 0, linear->out);
}

int32_t pm_linear_rows(const struct pm_call *call, const float *x, int64_t rows, int64_t in, int is_transposed,
                       pm_take_rows *take, void *user)
{
    enum { PART = 256 };
    float *turned = NULL;
    int64_t floats = 0;
    int32_t status = PRUNE_OK;
    if (!is_transposed)
        return rows ? take(user, 0, rows, x) : PRUNE_OK;
    PR_TRY(pr_mul(in, PART, &floats));
    PR_TRY(pr_alloc(call->context, floats, sizeof(float), &turned));
    for (int64_t first = 0; !status && first < rows; first += PART) {
        int64_t count = rows - first < PART ? rows - first : PART;
        pm_transpose(turned, in, x + first, rows, in, count);
        status = take(user, 0, count, turned);
    }
    pr_release(call->context, turned);
    return status;
}
