/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What operators share when they read their attributes and inputs.
 */
#include "model/graph/operator.h"

#include <string.h>

const struct pm_operator *pm_operator_find(const char *domain, const char *op)
{
    if (domain[0] && strcmp(domain, "ai.onnx") != 0)
        return NULL;
    for (int32_t i = 0; i < pm_operator_count; i++)
        if (strcmp(pm_operators[i]->op, op) == 0)
            return pm_operators[i];
    return NULL;
}

int pm_has_input(const struct pm_call *call, int32_t index)
{
    return index < call->input_count && call->inputs[index].type.dtype != 0;
}

int pm_has_output(const struct pm_call *call, int32_t index)
{
    return index < call->output_count && call->node->outputs[index] >= 0;
}

int32_t pm_expect_inputs(const struct pm_call *call, int32_t least, int32_t most)
{
    if (call->input_count < least || call->input_count > most)
        return pr_fail(PRUNE_E_FORMAT, "%d inputs; it takes %d to %d", (int)call->input_count, (int)least, (int)most);
    for (int32_t i = 0; i < least; i++)
        if (!pm_has_input(call, i))
            return pr_fail(PRUNE_E_FORMAT, "input %d is left out; the first %d must be there", (int)i, (int)least);
    return PRUNE_OK;
}

int32_t pm_expect_outputs(const struct pm_call *call, int32_t least, int32_t most)
{
    if (call->output_count < least || call->output_count > most)
        return pr_fail(PRUNE_E_FORMAT, "%d outputs; it makes %d to %d", (int)call->output_count, (int)least, (int)most);
    return PRUNE_OK;
}

/* Input `index` as a constant, for what an operator must know before it runs. */
static int32_t constant(const struct pm_call *call, const char *what, int32_t index, const struct pm_operand **operand)
{
    *operand = &call->inputs[index];
    if (!(*operand)->data)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "input %d (%s) is computed when the model runs; it must be known before: fix the model's input "
                       "that it comes from",
                       (int)index, what);
    return PRUNE_OK;
}

static int64_t whole_at(const struct pm_operand *operand, int64_t index)
{
    switch (operand->type.dtype) {
    case PRUNE_I32:
        return ((const int32_t *)operand->data)[index];
    case PRUNE_I64:
        return ((const int64_t *)operand->data)[index];
    case PRUNE_I8:
        return ((const int8_t *)operand->data)[index];
    default: /* U8 and BOOL */
        return ((const uint8_t *)operand->data)[index];
    }
}

static int is_whole(int32_t dtype)
{
    return dtype == PRUNE_I32 || dtype == PRUNE_I64 || dtype == PRUNE_I8 || dtype == PRUNE_U8 || dtype == PRUNE_BOOL;
}

int32_t pm_ints_of(const struct pm_call *call, const char *attribute, int32_t index, int64_t room, int64_t *out,
                   int64_t *count)
{
    const int64_t *listed = NULL;
    const struct pm_operand *operand = NULL;
    int64_t found = -1;
    if (attribute && pm_attribute(call->node, attribute)) {
        found = pm_attribute_ints(call->node, attribute, &listed);
    } else if (index >= 0 && pm_has_input(call, index)) {
        PR_TRY(constant(call, attribute ? attribute : "shape", index, &operand));
        if (!is_whole(operand->type.dtype) || operand->type.rank > 1)
            return pr_fail(PRUNE_E_DTYPE, "input %d is %s of rank %d; whole numbers of rank 1 are expected", (int)index,
                           prune_dtype_name(operand->type.dtype), (int)operand->type.rank);
        found = operand->type.count;
    }
    if (found > room)
        return pr_fail(PRUNE_E_SHAPE, "%s has %lld numbers; at most %lld are possible",
                       attribute ? attribute : "an input", (long long)found, (long long)room);
    for (int64_t i = 0; i < found; i++)
        out[i] = operand ? whole_at(operand, i) : listed[i];
    *count = found;
    return PRUNE_OK;
}

int32_t pm_float_of(const struct pm_call *call, const char *attribute, int32_t index, double *out, int *is_there)
{
    const struct pm_attribute *found = attribute ? pm_attribute(call->node, attribute) : NULL;
    const struct pm_operand *operand;
    *is_there = 0;
    if (found && found->kind == PM_FLOAT) {
        *out = (double)found->real;
        *is_there = 1;
        return PRUNE_OK;
    }
    if (index < 0 || !pm_has_input(call, index))
        return PRUNE_OK;
    PR_TRY(constant(call, attribute ? attribute : "a number", index, &operand));
    if (operand->type.count != 1)
        return pr_fail(PRUNE_E_SHAPE, "input %d has %lld numbers; it must have one", (int)index,
                       (long long)operand->type.count);
    prune_tensor *held, *wide;
    PR_TRY(prune_tensor_borrow(&held, call->context, operand->data, operand->type.dtype, operand->type.rank,
                               operand->type.extents, NULL));
    int32_t status = prune_tensor_convert(&wide, held, PRUNE_F64);
    prune_tensor_free(held);
    PR_TRY(status);
    *out = *(const double *)prune_tensor_const_data(wide);
    *is_there = 1;
    prune_tensor_free(wide);
    return PRUNE_OK;
}

int32_t pm_axis(int64_t axis, int32_t rank, int32_t rank_more, int32_t *out)
{
    int64_t most = (int64_t)rank + rank_more;
    int64_t counted = axis < 0 ? axis + most : axis;
    if (counted < 0 || counted >= most)
        return pr_fail(PRUNE_E_SHAPE, "axis %lld is outside %lld to %lld", (long long)axis, (long long)-most,
                       (long long)(most - 1));
    *out = (int32_t)counted;
    return PRUNE_OK;
}

int32_t pm_broadcast(const struct pm_type *a, const struct pm_type *b, struct pm_type *out)
{
    int32_t rank = a->rank > b->rank ? a->rank : b->rank;
    int64_t extents[PRUNE_MAX_RANK];
    for (int32_t i = 0; i < rank; i++) {
        int32_t at_a = i - rank + a->rank, at_b = i - rank + b->rank;
        int64_t one = at_a < 0 ? 1 : a->extents[at_a], other = at_b < 0 ? 1 : b->extents[at_b];
        if (one != other && one != 1 && other != 1) {
            char text[PM_TYPE_TEXT], more[PM_TYPE_TEXT];
            return pr_fail(PRUNE_E_SHAPE, "%s and %s cannot be broadcast to one shape", pm_type_text(a, text),
                           pm_type_text(b, more));
        }
        extents[i] = one == 1 ? other : one;
    }
    return pm_type_set(out, a->dtype, rank, extents);
}
