/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/elementwise/quantization.h"
#include "model/ops/ops.h"

#define QUANTIZED (PM_SET(PRUNE_U8) | PM_SET(PRUNE_I8) | PM_SET(PRUNE_U16) | PM_SET(PRUNE_I16) | PM_SET(PRUNE_I32))

/* The scale's type is the output's. */
static int32_t infer(struct pm_call *call)
{
    struct pm_quantization quantization;
    PR_TRY(pm_expect_inputs(call, 2, 3));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, QUANTIZED));
    PR_TRY(pm_expect_dtype(call, 1, PM_FLOATING));
    if (pm_has_input(call, 2))
        PR_TRY(pm_expect_same_dtype(call, 0, 2));
    PR_TRY(pm_quantization_of(call, &quantization));
    const struct pm_type *x = &call->inputs[0].type;
    return pm_type_set(&call->outputs[0].type, call->inputs[1].type.dtype, x->rank, x->extents);
}

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
            const int64_t *whole = pm_load(PM_I64, x->type.dtype, x->data, at, n, &chunk);
            pm_scales_of(call, &quantization, row, i, n, &scales);
            for (int64_t j = 0; j < n; j++)
                numbers.f32[j] = (float)(whole[j] - scales.zero[j * scales.stride]) * scales.scale[j * scales.stride];
            pm_store(PM_F32, &numbers, n, y->type.dtype, y->data, at);
        }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_dequantize_linear = {.op = "DequantizeLinear", .infer = infer, .run = run};
