/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A Constant whose number is an attribute of its own; those that hold a tensor are parameters of the graph.
 */
#include <stddef.h>
#include <string.h>

#include "model/ops/ops.h"

static int32_t infer(struct pm_call *call)
{
    struct pm_type *out = &call->outputs[0].type;
    static const char *const forms[] = {"value_float", "value_int", "value_floats", "value_ints"};
    const int64_t *wholes;
    const float *reals;
    int found = 0;
    PR_TRY(pm_expect_inputs(call, 0, 0));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    for (int i = 0; i < 4; i++)
        found += pm_attribute(call->node, forms[i]) != NULL;
    if (found > 1)
        return pr_fail(PRUNE_E_FORMAT, "%d attributes give its value; it must be one", found);
    if (pm_attribute(call->node, "value_float"))
        return pm_type_set(out, PRUNE_F32, 0, NULL);
    if (pm_attribute(call->node, "value_int"))
        return pm_type_set(out, PRUNE_I64, 0, NULL);
    if (pm_attribute(call->node, "value_floats"))
        return pm_type_set(out, PRUNE_F32, 1, (int64_t[]){pm_attribute_floats(call->node, "value_floats", &reals)});
    if (pm_attribute(call->node, "value_ints"))
        return pm_type_set(out, PRUNE_I64, 1, (int64_t[]){pm_attribute_ints(call->node, "value_ints", &wholes)});
    return pr_fail(PRUNE_E_UNSUPPORTED,
                   "it has neither a tensor of numbers nor value_float, value_floats, value_int or "
                   "value_ints");
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *out = &call->outputs[0];
    const int64_t *wholes = NULL;
    const float *reals = NULL;
    int64_t whole = pm_attribute_int(call->node, "value_int", 0);
    float real = pm_attribute_float(call->node, "value_float", 0);
    pm_attribute_ints(call->node, "value_ints", &wholes);
    pm_attribute_floats(call->node, "value_floats", &reals);
    const void *from =
        out->type.dtype == PRUNE_F32 ? (const void *)(reals ? reals : &real) : (const void *)(wholes ? wholes : &whole);
    if (out->type.count)
        memcpy(out->data, from, (size_t)pm_type_bytes(&out->type));
    return PRUNE_OK;
}

const struct pm_operator pm_operator_constant = {.op = "Constant", .infer = infer, .run = run};
