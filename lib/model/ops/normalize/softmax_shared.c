/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/normalize/softmax.h"

static int32_t classes_of(const struct pm_call *call, struct pm_classes *c)
{
    const struct pm_type *x = &call->inputs[0].type;
    int flat = call->opset < 13;
    int64_t given = pm_attribute_int(call->node, "axis", flat ? 1 : -1);
    int32_t axis = 0;
    if (x->rank == 0 && (given == 0 || given == -1)) {
        *c = (struct pm_classes){1, 1, 1};
        return PRUNE_OK;
    }
    /* A vector before opset 13 with the axis behind it is one row of one class each. */
    PR_TRY(pm_axis(given, x->rank, flat && given >= 0, &axis));
    c->outer = pm_type_span(x, 0, axis);
    c->classes = flat ? pm_type_span(x, axis, x->rank) : x->extents[axis];
    c->inner = flat ? 1 : pm_type_span(x, axis + 1, x->rank);
    return PRUNE_OK;
}

int32_t pm_softmax_infer(struct pm_call *call)
{
    struct pm_classes classes;
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, PM_FLOATING));
    PR_TRY(classes_of(call, &classes));
    call->outputs[0].type = call->inputs[0].type;
    return PRUNE_OK;
}

#define BLOCK 16

/* NaN on either side gives NaN. */
static float largest(const float *x, int64_t n)
{
    float lanes[BLOCK], most = x[0];
    int64_t i = 0;
    for (int j = 0; j < BLOCK; j++)
        lanes[j] = x[0];
    for (; i + BLOCK <= n; i += BLOCK)
        for (int j = 0; j < BLOCK; j++)
            lanes[j] = (lanes[j] > x[i + j] || lanes[j] != lanes[j]) ? lanes[j] : x[i + j];
    for (; i < n; i++)
        lanes[i % BLOCK] = (lanes[i % BLOCK] > x[i] || lanes[i % BLOCK] != lanes[i % BLOCK]) ? lanes[i % BLOCK] : x[i];
    for (int j = 0; j < BLOCK; j++)
        most = (most > lanes[j] || most != most) ? most : lanes[j];
    return most;
}

/* One row of floats; y may be x. */
static void row_f32(const float *x, float *y, int64_t n, int logarithm)
{
    float most = largest(x, n);
    double sum = 0;
    if (logarithm) {
        for (int64_t i = 0; i < n; i++)
            sum += (double)expf(x[i] - most);
        float shift = (float)log(sum);
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] - most - shift;
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        y[i] = expf(x[i] - most);
        sum += (double)y[i];
    }
    float total = (float)sum;
    int64_t i = 0;
    for (; i + BLOCK <= n; i += BLOCK)
        for (int j = 0; j < BLOCK; j++)
            y[i + j] /= total;
    for (; i < n; i++)
        y[i] /= total;
}

/* Any type and axis, in double, `n` of the inner elements side by side. */
static void columns(const struct pm_operand *x, const struct pm_operand *y, const struct pm_classes *c, int64_t base,
                    int64_t n, int logarithm)
{
    union pm_chunk most, sum, chunk, out;
    int32_t dtype = x->type.dtype;
    for (int64_t k = 0; k < c->classes; k++) {
        const double *v = pm_load(PM_F64, dtype, x->data, base + k * c->inner, n, &chunk);
        for (int64_t i = 0; i < n; i++)
            most.f64[i] = k > 0 && (most.f64[i] > v[i] || isnan(most.f64[i])) ? most.f64[i] : v[i];
    }
    for (int64_t i = 0; i < n; i++)
        sum.f64[i] = 0;
    for (int64_t k = 0; k < c->classes; k++) {
        const double *v = pm_load(PM_F64, dtype, x->data, base + k * c->inner, n, &chunk);
        for (int64_t i = 0; i < n; i++)
            sum.f64[i] += exp(v[i] - most.f64[i]);
    }
    for (int64_t k = 0; k < c->classes; k++) {
        const double *v = pm_load(PM_F64, dtype, x->data, base + k * c->inner, n, &chunk);
        for (int64_t i = 0; i < n; i++)
            out.f64[i] = logarithm ? v[i] - most.f64[i] - log(sum.f64[i]) : exp(v[i] - most.f64[i]) / sum.f64[i];
        pm_store(PM_F64, &out, n, y->type.dtype, y->data, base + k * c->inner);
    }
}

int32_t pm_softmax_run(const struct pm_call *call, int logarithm)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    struct pm_classes c;
    PR_TRY(classes_of(call, &c));
    if (x->type.count == 0)
        return PRUNE_OK;
    for (int64_t outer = 0; outer < c.outer; outer++) {
        int64_t base = outer * c.classes * c.inner;
        if (c.inner == 1 && x->type.dtype == PRUNE_F32) {
            row_f32((const float *)x->data + base, (float *)y->data + base, c.classes, logarithm);
            continue;
        }
        for (int64_t i = 0; i < c.inner; i += PM_CHUNK)
            columns(x, y, &c, base + i, c.inner - i < PM_CHUNK ? c.inner - i : PM_CHUNK, logarithm);
    }
    return PRUNE_OK;
}
