/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Y [rows][out] = X [rows][in] W', what Gemm and MatMul with constant weights are.
 */
#ifndef PM_OPS_LINEAR_H
#define PM_OPS_LINEAR_H

#include "model/ops/product/product.h"

struct pm_linear {
    int64_t rows, in, out;
    prune_packed *packed;     /* NULL: weights are not constant */
    prune_epilogue *epilogue; /* of `tail`; NULL where `tail` does nothing, or something comes before it */
    struct pm_tail tail;      /* alpha, bias, fusion; the fusion alone where `is_late` */
    int is_late;              /* something must be added that is not one constant for each output */
};

void pm_linear_release(const struct pm_call *call, struct pm_linear *linear);

/* Packs `matrix` and makes the epilogue. */
int32_t pm_linear_pack(struct pm_linear *linear, struct pm_call *call, const struct pm_matrix *matrix);

/* Rows of a layer: all rows of X at once, or turned where X is [in][rows]. */
int32_t pm_linear_rows(const struct pm_call *call, const float *x, int64_t rows, int64_t in, int is_transposed,
                       pm_take_rows *take, void *user);

#endif
