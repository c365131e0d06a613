/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "model/ops/elementwise/quantization.h"
#include "model/ops/ops.h"

#define QUANTIZED (PM_SET(PRUNE_U8) | PM_SET(PRUNE_I8) | PM_SET(PRUNE_U16) | PM_SET(PRUNE_I16))

/* The zero point's type is the output's; without one it is U8 with zero point 0. */
static int32_t infer(struct pm_call *call)
{
    struct pm_quantization quantization;
    PR_TRY(pm_expect_inputs(call, 2, 3));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, PM_FLOATING | PM_SET(PRUNE_I32)));
    PR_TRY(pm_expect_dtype(call, 1, PM_FLOATING | PM_SET(PRUNE_I32)));
    if (pm_has_input(call, 2))
        PR_TRY(pm_expect_dtype(call, 2, QUANTIZED));
    PR_TRY(pm_quantization_of(call, &quantization));
    const struct pm_type *x = &call->inputs[0].type;
    int32_t dtype = pm_has_input(call, 2) ? call->inputs[2].type.dtype : PRUNE_U8;
    return pm_type_set(&call->outputs[0].type, dtype, x->rank, x->extents);
}

/* Halves of x / scale go to the even neighbour; the sum is held within the type. */
static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *x = &call->inputs[0], *scale = &call->inputs[1], *zero = &call->inputs[2];
    const struct pm_operand *y = &call->outputs[0];
    struct pm_quantization quantization;
    union pm_chunk chunk, numbers;
    PR_TRY(pm_quantization_of(call, &quantization));
    int64_t rows = quantization.outer * quantization.steps;
    for (int64_t row = 0; row < rows && x->type.count > 0; row++) {
        int64_t step = row % quantization.steps;
        float by = (float)pm_number(scale->type.dtype, scale->data, step);
        double from = pm_has_input(call, 2) ? pm_number(zero->type.dtype, zero->data, step) : 0;
        for (int64_t i = 0; i < quantization.inner; i += PM_CHUNK) {
            int64_t n = quantization.inner - i < PM_CHUNK ? quantization.inner - i : PM_CHUNK;
            int64_t at = row * quantization.inner + i;
            const float *numbers_in = pm_load(PM_F32, x->type.dtype, x->data, at, n, &chunk);
            for (int64_t j = 0; j < n; j++)
                numbers.f64[j] = (double)rintf(numbers_in[j] / by) + from;
            pm_store(PM_F64, &numbers, n, y->type.dtype, y->data, at);
        }
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_quantize_linear = {.op = "QuantizeLinear", .infer = infer, .run = run};
