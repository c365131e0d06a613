/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <string.h>

#include "model/ops/elementwise/unary.h"
#include "model/ops/ops.h"

/* x times the normal distribution's function, by the error function or by the approximation with tanh, which carries
 * sqrt(2 / pi) and the cubic term's 0.044715. */
PM_FLOAT_LOOP(exact_f32, 0.5f * p * (1 + erff(p * (float)0.70710678118654752)))
PM_DOUBLE_LOOP(exact_f64, 0.5 * p * (1 + erf(p * 0.70710678118654752)))
PM_FLOAT_LOOP(tanh_f32, 0.5f * p * (1 + tanhf((float)0.79788456080286536 * (p + 0.044715f * p * p * p))))
PM_DOUBLE_LOOP(tanh_f64, 0.5 * p * (1 + tanh(0.79788456080286536 * (p + 0.044715 * p * p * p))))

static const struct pm_unary exact = {.dtypes = PM_FLOATING, .loops = {exact_f32, exact_f64, NULL}};
static const struct pm_unary by_tanh = {.dtypes = PM_FLOATING, .loops = {tanh_f32, tanh_f64, NULL}};

static int32_t infer(struct pm_call *call)
{
    const char *approximate = pm_attribute_string(call->node, "approximate", "none");
    if (strcmp(approximate, "none") != 0 && strcmp(approximate, "tanh") != 0)
        return pr_fail(PRUNE_E_FORMAT, "approximate is \"%.32s\"; it must be \"none\" or \"tanh\"", approximate);
    return pm_unary_infer(call, &exact);
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_settings none = {{0}, {0}};
    int is_exact = strcmp(pm_attribute_string(call->node, "approximate", "none"), "none") == 0;
    return pm_unary_run(call, is_exact ? &exact : &by_tanh, &none);
}

const struct pm_operator pm_operator_gelu = {.op = "Gelu", .flags = PM_IN_PLACE, .infer = infer, .run = run};
