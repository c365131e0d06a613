/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What is done to each sum, and the products without packed weights.
 */
#include <cblas.h>
#include <limits.h>

#include "model/ops/product/product.h"

int32_t pm_expect_f32(const struct pm_call *call)
{
    for (int32_t i = 0; i < call->input_count; i++)
        if (pm_has_input(call, i) && call->inputs[i].type.dtype != PRUNE_F32)
            return pr_fail(PRUNE_E_UNSUPPORTED, "input %d is %s; this operator runs on f32", (int)i,
                           prune_dtype_name(call->inputs[i].type.dtype));
    return PRUNE_OK;
}

int32_t pm_tail_create(struct pm_tail *tail, const struct pm_call *call, int64_t channels, double alpha, double beta,
                       const float *bias)
{
    const struct pm_fusion *fusion = &call->fusion;
    struct pm_tail made = {.channels = channels, .activation = fusion->activation};
    if (fusion->scale || alpha != 1)
        PR_TRY(pr_alloc(call->context, channels, sizeof(float), &made.scale));
    if (bias || fusion->shift) {
        int32_t status = pr_alloc(call->context, channels, sizeof(float), &made.shift);
        if (status) {
            pm_tail_release(call, &made);
            return status;
        }
    }
    for (int64_t i = 0; i < channels; i++) {
        double scale = fusion->scale ? (double)fusion->scale[i] : 1;
        if (made.scale)
            made.scale[i] = (float)(alpha * scale);
        if (made.shift)
            made.shift[i] =
                (float)((bias ? beta * scale * (double)bias[i] : 0) + (fusion->shift ? (double)fusion->shift[i] : 0));
    }
    *tail = made;
    return PRUNE_OK;
}

void pm_tail_release(const struct pm_call *call, struct pm_tail *tail)
{
    pr_release(call->context, tail->scale);
    pr_release(call->context, tail->shift);
    *tail = (struct pm_tail){0};
}

int32_t pm_tail_epilogue(prune_epilogue **out, prune_context *context, const struct pm_tail *tail, int64_t first,
                         int64_t count)
{
    static const char *const specs[] = {"activation=none", "activation=relu", "activation=relu6"};
    *out = NULL;
    if (!tail->scale && !tail->shift && tail->activation == PM_NO_ACTIVATION)
        return PRUNE_OK;
    return prune_epilogue_create(out, context, tail->scale ? tail->scale + first : NULL,
                                 tail->shift ? tail->shift + first : NULL, count, specs[tail->activation]);
}

/* As the epilogue of the kernels has it: NaN stays. */
static void activate(float *y, int64_t n, enum pm_activation activation)
{
    if (activation == PM_NO_ACTIVATION)
        return;
    for (int64_t i = 0; i < n; i++)
        y[i] = y[i] <= 0 ? 0 : y[i];
    if (activation == PM_RELU6)
        for (int64_t i = 0; i < n; i++)
            y[i] = y[i] > 6 ? 6 : y[i];
}

void pm_tail_rows(const struct pm_tail *tail, float *y, int64_t ldy, int64_t first, int64_t rows, int64_t n)
{
    for (int64_t r = 0; r < rows; r++, y += ldy) {
        float scale = tail->scale ? tail->scale[first + r] : 1, shift = tail->shift ? tail->shift[first + r] : 0;
        if (tail->scale || tail->shift)
            for (int64_t i = 0; i < n; i++)
                y[i] = scale * y[i] + shift;
        activate(y, n, tail->activation);
    }
}

void pm_tail_columns(const struct pm_tail *tail, float *y, int64_t ldy, int64_t rows)
{
    for (int64_t r = 0; r < rows; r++, y += ldy) {
        if (tail->scale)
            for (int64_t i = 0; i < tail->channels; i++)
                y[i] *= tail->scale[i];
        if (tail->shift)
            for (int64_t i = 0; i < tail->channels; i++)
                y[i] += tail->shift[i];
        activate(y, tail->channels, tail->activation);
    }
}

int32_t pm_gemm_fits(int64_t m, int64_t n, int64_t k)
{
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX)
        return pr_fail(PRUNE_E_OVERFLOW, "a product of %lld x %lld by %lld; BLAS takes extents up to %d", (long long)m,
                       (long long)k, (long long)n, INT_MAX);
    return PRUNE_OK;
}

void pm_gemm(int transpose_a, int transpose_b, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
             const float *b, int64_t ldb, float *y, int64_t ldy)
{
    if (m == 0 || n == 0)
        return;
    if (k == 0) {
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++)
                y[i * ldy + j] = 0;
        return;
    }
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (int)m,
                (int)n, (int)k, 1, a, (int)lda, b, (int)ldb, 0, y, (int)ldy);
}

void pm_transpose(float *to, int64_t ld_to, const float *from, int64_t ld_from, int64_t rows, int64_t columns)
{
    enum { TILE = 16 };
    for (int64_t r = 0; r < rows; r += TILE)
        for (int64_t c = 0; c < columns; c += TILE)
            for (int64_t i = r; i < rows && i < r + TILE; i++)
                for (int64_t j = c; j < columns && j < c + TILE; j++)
                    to[j * ld_to + i] = from[i * ld_from + j];
}
