/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ops/elementwise/numbers.h"
#include "model/ops/ops.h"

/* TensorProto.DataType of the specification. */
static int32_t dtype_of(int64_t number)
{
    static const int32_t dtypes[] = {
        [1] = PRUNE_F32, [2] = PRUNE_U8,   [3] = PRUNE_I8,   [4] = PRUNE_U16,  [5] = PRUNE_I16,  [6] = PRUNE_I32,
        [7] = PRUNE_I64, [9] = PRUNE_BOOL, [10] = PRUNE_F16, [11] = PRUNE_F64, [12] = PRUNE_U32, [16] = PRUNE_BF16};
    return number > 0 && number <= 16 ? dtypes[number] : 0;
}

static int32_t infer(struct pm_call *call)
{
    const struct pm_type *in = &call->inputs[0].type;
    int64_t to = pm_attribute_int(call->node, "to", 0);
    PR_TRY(pm_expect_inputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, PM_ANYTHING));
    if (!dtype_of(to))
        return pr_fail(PRUNE_E_DTYPE, "element type %lld cannot be cast to: floating, integer and bool ones can",
                       (long long)to);
    return pm_type_set(&call->outputs[0].type, dtype_of(to), in->rank, in->extents);
}

/* Anything but 0, NaN too, is true. */
static void to_truth(enum pm_domain domain, const void *numbers, int64_t n, uint8_t *out)
{
    for (int64_t i = 0; i < n; i++)
        if (domain == PM_F32)
            out[i] = ((const float *)numbers)[i] != 0;
        else if (domain == PM_F64)
            out[i] = ((const double *)numbers)[i] != 0;
        else
            out[i] = ((const int64_t *)numbers)[i] != 0;
}

static int32_t run(const struct pm_call *call)
{
    const struct pm_operand *in = &call->inputs[0], *out = &call->outputs[0];
    enum pm_domain domain = pm_domain_of(in->type.dtype);
    union pm_chunk chunk;
    for (int64_t at = 0; at < in->type.count; at += PM_CHUNK) {
        int64_t n = in->type.count - at < PM_CHUNK ? in->type.count - at : PM_CHUNK;
        const void *numbers = pm_load(domain, in->type.dtype, in->data, at, n, &chunk);
        if (out->type.dtype == PRUNE_BOOL)
            to_truth(domain, numbers, n, (uint8_t *)out->data + at);
        else
            pm_store(domain, numbers, n, out->type.dtype, out->data, at);
    }
    return PRUNE_OK;
}

const struct pm_operator pm_operator_cast = {.op = "Cast", .infer = infer, .run = run};
