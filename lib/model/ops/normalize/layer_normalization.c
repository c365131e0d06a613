/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stddef.h>

#include "model/ops/elementwise/numbers.h"
#include "model/ops/ops.h"

/* Scale (input 1) or bias (input 2): broadcast to the normalised axes, which it covers or is one number for. */
static int32_t expect_cover(const struct pm_call *call, int32_t input, int32_t axis)
{
    const struct pm_type *x = &call->inputs[0].type, *own = &call->inputs[input].type;
    char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
    int32_t behind = x->rank - axis;
    int fits = own->rank <= behind && own->count == pm_type_span(x, axis, x->rank);
    for (int32_t i = 1; fits && i <= own->rank; i++)
        fits = own->extents[own->rank - i] == x->extents[x->rank - i];
    if (fits || own->count == 1)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_SHAPE, "input %d is %s; it must be one number or have the axes from %d on of x, which is %s",
                   (int)input, pm_type_text(own, text), (int)axis, pm_type_text(x, more));
}

/* Outputs Mean and InvStdDev are F32 by default, with one element for each normalised axis. */
static int32_t infer(struct pm_call *call)
{
    const struct pm_type *x = &call->inputs[0].type;
    int64_t extents[PRUNE_MAX_RANK], stash = pm_attribute_int(call->node, "stash_type", 1);
    int32_t axis = 0;
    PR_TRY(pm_expect_inputs(call, 2, 3));
    PR_TRY(pm_expect_outputs(call, 1, 3));
    PR_TRY(pm_expect_dtype(call, 0, PM_FLOATING));
    PR_TRY(pm_expect_same_dtype(call, 0, 1));
    if (stash != 1)
        return pr_fail(PRUNE_E_UNSUPPORTED, "stash_type is %lld; only 1 (float) is computed", (long long)stash);
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", -1), x->rank, 0, &axis));
    PR_TRY(expect_cover(call, 1, axis));
    if (pm_has_input(call, 2)) {
        PR_TRY(pm_expect_same_dtype(call, 0, 2));
        PR_TRY(expect_cover(call, 2, axis));
    }
    call->outputs[0].type = *x;
    for (int32_t i = 0; i < x->rank; i++)
        extents[i] = i < axis ? x->extents[i] : 1;
    for (int32_t output = 1; output < call->output_count; output++)
        if (pm_has_output(call, output))
            PR_TRY(pm_type_set(&call->outputs[output].type, PRUNE_F32, x->rank, extents));
    return PRUNE_OK;
}

/* Sums of one row in double, a chunk at a time: of the elements, or of the squares of their distances from `mean`. */
static double total(const struct pm_operand *x, int64_t base, int64_t n, const double *mean)
{
    double lanes[8] = {0}, sum = 0;
    union pm_chunk chunk;
    for (int64_t i = 0; i < n; i += PM_CHUNK) {
        int64_t some = n - i < PM_CHUNK ? n - i : PM_CHUNK, j = 0;
        const double *v = pm_load(PM_F64, x->type.dtype, x->data, base + i, some, &chunk);
        const double from = mean ? *mean : 0;
        for (; j + 8 <= some; j += 8)
            for (int k = 0; k < 8; k++)
                lanes[k] += mean ? (v[j + k] - from) * (v[j + k] - from) : v[j + k];
        for (; j < some; j++)
            lanes[0] += mean ? (v[j] - from) * (v[j] - from) : v[j];
    }
    for (int k = 0; k < 8; k++)
        sum += lanes[k];
    return sum;
}

/* `n` numbers of scale or bias from element `at` on; of one number, that one as often. */
static const double *cover(const struct pm_operand *operand, int64_t at, int64_t n, union pm_chunk *chunk)
{
    if (operand->type.count != 1)
        return pm_load(PM_F64, operand->type.dtype, operand->data, at, n, chunk);
    double one = pm_number(operand->type.dtype, operand->data, 0);
    for (int64_t i = 0; i < n; i++)
        chunk->f64[i] = one;
    return chunk->f64;
}

static void scale_row(const struct pm_call *call, int64_t base, int64_t n, double mean, double inverse)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    union pm_chunk chunk, scales, biases, out;
    for (int64_t i = 0; i < n; i += PM_CHUNK) {
        int64_t some = n - i < PM_CHUNK ? n - i : PM_CHUNK;
        const double *v = pm_load(PM_F64, x->type.dtype, x->data, base + i, some, &chunk);
        const double *scale = cover(&call->inputs[1], i, some, &scales);
        const double *bias = pm_has_input(call, 2) ? cover(&call->inputs[2], i, some, &biases) : NULL;
        for (int64_t j = 0; j < some; j++)
            out.f64[j] = (v[j] - mean) * inverse * scale[j] + (bias ? bias[j] : 0);
        pm_store(PM_F64, &out, some, y->type.dtype, y->data, base + i);
    }
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *x = &call->inputs[0];
    double epsilon = (double)pm_attribute_float(call->node, "epsilon", 1e-5f);
    int32_t axis = 0;
    PR_TRY(pm_axis(pm_attribute_int(call->node, "axis", -1), x->type.rank, 0, &axis));
    int64_t rows = pm_type_span(&x->type, 0, axis), n = pm_type_span(&x->type, axis, x->type.rank);
    for (int64_t row = 0; row < rows; row++) {
        double mean = total(x, row * n, n, NULL) / (double)n;
        double inverse = 1 / sqrt(total(x, row * n, n, &mean) / (double)n + epsilon);
        scale_row(call, row * n, n, mean, inverse);
        if (pm_has_output(call, 1))
            ((float *)call->outputs[1].data)[row] = (float)mean;
        if (pm_has_output(call, 2))
            ((float *)call->outputs[2].data)[row] = (float)inverse;
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_layer_normalization = {
    .op = "LayerNormalization", .flags = PM_IN_PLACE, .infer = infer, .run = run};
