/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What operators with weights share: weights packed from any strides, and what is done to each sum (bias, batch
 * normalisation, activation), by the kernels' epilogue or by a loop of its own.
 */
#ifndef PM_OPS_PRODUCT_H
#define PM_OPS_PRODUCT_H

#include <stddef.h>

#include "model/graph/operator.h"

/* A matrix, out x in, among the numbers of input `input`: element (r, c) stands at first + r * row_stride + c *
 * column_stride. */
struct pm_matrix {
    int32_t input;
    int64_t rows, columns, first, row_stride, column_stride;
};

/* Packs a constant matrix as call->weights says where its operand has a mask that prunes, dense otherwise, for X of
 * `count` columns. The object's context is `context`. `more`: of the spec ("convolution=yes"); NULL for none. */
int32_t pm_pack(prune_packed **out, const struct pm_call *call, prune_context *context, const struct pm_matrix *matrix,
                int64_t count, const char *more);

/* A context with the memory and the instructions of the call's that works on the calling thread alone, for products
 * inside of tasks; to be freed. Unlike none at all it keeps scratch from one run to the next. */
int32_t pm_context_alone(prune_context **out, const struct pm_call *call);

/* y = activation(scale[channel] * sum + shift[channel]). */
struct pm_tail {
    float *scale, *shift; /* NULL: 1 and 0 */
    int64_t channels;
    enum pm_activation activation;
};

/* alpha * sum + beta * bias[channel] and then the call's fusion, as one; `bias` NULL for none. */
int32_t pm_tail_create(struct pm_tail *tail, const struct pm_call *call, int64_t channels, double alpha, double beta,
                       const float *bias);
void pm_tail_release(const struct pm_call *call, struct pm_tail *tail);

/* The tail of channels first to first + count - 1 as an epilogue; NULL where there is nothing to do. */
int32_t pm_tail_epilogue(prune_epilogue **out, prune_context *context, const struct pm_tail *tail, int64_t first,
                         int64_t count);

/* In place. Rows are channels from `first` on; or the last axis is. */
void pm_tail_rows(const struct pm_tail *tail, float *y, int64_t ldy, int64_t first, int64_t rows, int64_t n);
void pm_tail_columns(const struct pm_tail *tail, float *y, int64_t ldy, int64_t rows);

/* The dtype of all inputs that are there: F32, or PRUNE_E_UNSUPPORTED by name. */
int32_t pm_expect_f32(const struct pm_call *call);

/* Whether the numbers of an input are known before the run. */
static inline int pm_is_known(const struct pm_call *call, int32_t index)
{
    return pm_has_input(call, index) && call->inputs[index].is_constant && call->inputs[index].data;
}

/* "dense-tiles/avx512": what runs. */
void pm_say_kernels(struct pm_call *call, const prune_packed *packed, int64_t n);

/* y = op(a) op(b) with BLAS, row-major; PRUNE_E_OVERFLOW at prepare for extents that BLAS cannot hold. */
int32_t pm_gemm_fits(int64_t m, int64_t n, int64_t k);
void pm_gemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
             const float *b, int64_t ldb, float *y, int64_t ldy);

/* [rows][columns] to [columns][rows]. */
void pm_transpose(float *to, int64_t ld_to, const float *from, int64_t ld_from, int64_t rows, int64_t columns);

#endif
