/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "model/ops/elementwise/quantization.h"
#include "model/ops/ops.h"

#define QUANTIZED (PM_SET(PRUNE_U8) | PM_SET(PRUNE_I8) | PM_SET(PRUNE_U16) | PM_SET(PRUNE_I16))

/* The zero point's type is the output's; without one it is what output_dtype says, by the specification's numbers, or
 * U8. */
static int32_t dtype_of(const struct pm_call *call, int32_t *dtype)
{
    static const int32_t dtypes[] = {0, 0, PRUNE_U8, PRUNE_I8, PRUNE_U16, PRUNE_I16};
    int64_t asked = pm_attribute_int(call->node, "output_dtype", 0);
    int32_t known = asked >= 0 && asked <= 5 ? dtypes[asked] : 0, zero = PRUNE_U8;
    if (pm_has_input(call, 2))
        zero = call->inputs[2].type.dtype;
    if (asked != 0 && !known)
        return pr_fail(PRUNE_E_UNSUPPORTED, "output_dtype is %lld; it must be 2, 3, 4 or 5 (u8, i8, u16, i16)",
                       (long long)asked);
    if (known && pm_has_input(call, 2) && known != zero)
        return pr_fail(PRUNE_E_DTYPE, "output_dtype is %s and the zero point %s; they must be the same",
                       prune_dtype_name(known), prune_dtype_name(zero));
    *dtype = known ? known : zero;
    return PRUNE_OK;
}

static int32_t infer(struct pm_call *call)
{
    int32_t dtype = 0;
    struct pm_quantization quantization;
    PR_TRY(pm_expect_inputs(call, 2, 3));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, PM_FLOATING | PM_SET(PRUNE_I32)));
    PR_TRY(pm_expect_dtype(call, 1, PM_FLOATING | PM_SET(PRUNE_I32)));
    if (pm_has_input(call, 2))
        PR_TRY(pm_expect_dtype(call, 2, QUANTIZED));
    PR_TRY(pm_quantization_of(call, &quantization));
    PR_TRY(dtype_of(call, &dtype));
    const struct pm_type *x = &call->inputs[0].type;
    return pm_type_set(&call->outputs[0].type, dtype, x->rank, x->extents);
}

/* Halves of x / scale go to the even neighbour; the sum is held within the type. */
static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    struct pm_quantization quantization;
    union pm_chunk chunk, numbers;
    struct pm_scales scales;
    PR_TRY(pm_quantization_of(call, &quantization));
    int64_t rows = quantization.outer * quantization.steps;
    for (int64_t row = 0; row < rows && x->type.count > 0; row++)
        for (int64_t i = 0; i < quantization.inner; i += PM_CHUNK) {
            int64_t n = quantization.inner - i < PM_CHUNK ? quantization.inner - i : PM_CHUNK;
            int64_t at = row * quantization.inner + i;
            const float *numbers_in = pm_load(PM_F32, x->type.dtype, x->data, at, n, &chunk);
            pm_scales_of(call, &quantization, row, i, n, &scales);
            for (int64_t j = 0; j < n; j++)
                numbers.f64[j] = (double)rintf(numbers_in[j] / scales.scale[j * scales.stride]) +
                                 (double)scales.zero[j * scales.stride];
            pm_store(PM_F64, &numbers, n, y->type.dtype, y->data, at);
        }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_quantize_linear = {.op = "QuantizeLinear", .infer = infer, .run = run};
