/* SPDX-License-Identifier: BSD-2-Clause */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* The upper bound wins where it is below the lower one. NaN stays NaN: comparisons with it are false. */
#define HELD (p < k0 ? k0 : p)
#define CLIPPED (HELD > k1 ? k1 : HELD)
PM_FLOAT_LOOP(f32, CLIPPED)
PM_DOUBLE_LOOP(f64, CLIPPED)
PM_WHOLE_LOOP(i64, CLIPPED)

static const struct pm_unary unary = {.dtypes = PM_NUMBERS, .loops = {f32, f64, i64}};

/* A bound that is NaN makes everything NaN. */
PM_FLOAT_LOOP(nan_f32, k0 + 0 * p)
PM_DOUBLE_LOOP(nan_f64, k0 + 0 * p)
static const struct pm_unary all_nan = {.dtypes = PM_FLOATING, .loops = {nan_f32, nan_f64, NULL}};

/* Bounds are attributes before opset 11, scalars that may be left out from there on. */
static int32_t infer(struct pm_call *call)
{
    PR_TRY(pm_expect_inputs(call, 1, call->opset < 11 ? 1 : 3));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, call->opset < 11 ? PM_FLOATING : PM_NUMBERS));
    for (int32_t i = 1; i < call->input_count; i++) {
        if (!pm_has_input(call, i))
            continue;
        PR_TRY(pm_expect_same_dtype(call, 0, i));
        if (call->inputs[i].type.count != 1)
            return pr_fail(PRUNE_E_SHAPE, "input %d (%s) has %lld elements; a bound is one number", (int)i,
                           i == 1 ? "min" : "max", (long long)call->inputs[i].type.count);
    }
    call->outputs[0].type = call->inputs[0].type;
    return PRUNE_OK;
}

static int32_t run(const struct pm_call *call)
{
    struct pm_settings settings = {{-INFINITY, INFINITY}, {INT64_MIN, INT64_MAX}};
    if (call->opset < 11) {
        settings.real[0] = (double)pm_attribute_float(call->node, "min", -FLT_MAX);
        settings.real[1] = (double)pm_attribute_float(call->node, "max", FLT_MAX);
    }
    for (int32_t i = 1; call->opset >= 11 && i < call->input_count; i++) {
        const struct pm_operand *bound = &call->inputs[i];
        if (!pm_has_input(call, i))
            continue;
        if (pm_domain_of(bound->type.dtype) == PM_I64)
            settings.whole[i - 1] = pm_whole(bound->type.dtype, bound->data, 0);
        else
            settings.real[i - 1] = pm_number(bound->type.dtype, bound->data, 0);
    }
    if (isnan(settings.real[0]) || isnan(settings.real[1])) {
        settings.real[0] = NAN;
        return pm_unary_run(call, &all_nan, &settings);
    }
    return pm_unary_run(call, &unary, &settings);
}

const struct pm_operator pm_operator_clip = {.op = "Clip", .flags = PM_IN_PLACE, .infer = infer, .run = run};
