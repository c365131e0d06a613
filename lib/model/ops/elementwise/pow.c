/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/broadcast.h"
#include "model/ops/ops.h"

/* Wraps around, as repeated multiplication does. */
static int64_t whole_power(int64_t base, int64_t exponent)
{
    uint64_t power = 1, factor = (uint64_t)base;
    for (; exponent > 0; exponent >>= 1, factor *= factor)
        if (exponent & 1)
            power *= factor;
    return (int64_t)power;
}

/* Squares are what networks take most. */
PM_PAIR_LOOP(f32, float, float, q == 2 ? p * p : powf(p, q))
PM_PAIR_LOOP(f64, double, double, q == 2 ? p * p : pow(p, q))
PM_PAIR_LOOP(i64, int64_t, int64_t, whole_power(p, q))
PM_PAIR_LOOP(square_f32, float, float, ((void)q, p *p))

static const struct pm_binary one_type = {.dtypes = PM_NUMBERS, .loops = {f32, f64, i64}};
static const struct pm_binary squares = {.dtypes = PM_NUMBERS, .loops = {square_f32, f64, i64}};

/* The base and the exponent may differ in type; the result has the base's. */
static int32_t infer(struct pm_call *call)
{
    struct pm_type out;
    PR_TRY(pm_expect_inputs(call, 2, 2));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, PM_NUMBERS));
    PR_TRY(pm_expect_dtype(call, 1, PM_NUMBERS));
    PR_TRY(pm_broadcast(&call->inputs[0].type, &call->inputs[1].type, &out));
    return pm_type_set(&call->outputs[0].type, call->inputs[0].type.dtype, out.rank, out.extents);
}

/* Integers to integers stay exact; anything else of two types is a power of doubles. */
static void mixed(const struct pm_call *call)
{
    const struct pm_operand *a = &call->inputs[0], *b = &call->inputs[1], *y = &call->outputs[0];
    const struct pm_type *types[2] = {&a->type, &b->type};
    int whole = pm_domain_of(a->type.dtype) == PM_I64 && pm_domain_of(b->type.dtype) == PM_I64;
    struct pm_walk walk;
    pm_walk_begin(&walk, &y->type, 2, types);
    for (int64_t row = 0, at = 0; row < walk.rows; row++, pm_walk_next(&walk))
        for (int64_t i = 0; i < walk.length; i++, at++) {
            int64_t p = walk.at[0] + i * walk.steps[0], q = walk.at[1] + i * walk.steps[1];
            if (whole) {
                int64_t power = whole_power(pm_whole(a->type.dtype, a->data, p), pm_whole(b->type.dtype, b->data, q));
                pm_store(PM_I64, &power, 1, y->type.dtype, y->data, at);
            } else {
                double power = pow(pm_number(a->type.dtype, a->data, p), pm_number(b->type.dtype, b->data, q));
                pm_store(PM_F64, &power, 1, y->type.dtype, y->data, at);
            }
        }
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *a = &call->inputs[0], *b = &call->inputs[1];
    int32_t base = a->type.dtype, exponent = b->type.dtype;
    if (pm_domain_of(base) == PM_I64 && pm_domain_of(exponent) == PM_I64 && call->outputs[0].type.count > 0)
        for (int64_t i = 0; i < b->type.count; i++)
            if (pm_whole(exponent, b->data, i) < 0)
                return pr_fail(PRUNE_E_VALUE,
                               "element %lld of the exponent is %lld; an integer has no integer power of that",
                               (long long)i, (long long)pm_whole(exponent, b->data, i));
    if (base == exponent && base == PRUNE_F32 && b->type.count == 1 && *(const float *)b->data == 2)
        return pm_binary_run(call, &squares);
    if (base == exponent)
        return pm_binary_run(call, &one_type);
    mixed(call);
    return PRUNE_OK;
}

const struct pm_operator pm_operator_pow = {.op = "Pow", .flags = PM_IN_PLACE, .infer = infer, .run = run};
