/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Fusion: what follows a product and can be done to each of its numbers before it is written: batch normalisation, a
 * constant for each channel, the addition of another value (the skip of a residual block), an activation. The product
 * must have no other reader.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "model/graph/session.h"

enum part { NO_PART, NORMALISATION, BIAS, ADDEND, ACTIVATION };

#define ADDEND_INPUT 3 /* the first that no Conv has */

static int is_op(const struct pm_step *step, const char *op)
{
    return strcmp(step->call.node->op, op) == 0;
}

/* The axis of a product's channels. */
static int32_t channel_axis(const struct pm_step *product)
{
    int is_last = is_op(product, "Gemm") || is_op(product, "MatMul");
    return is_last ? product->call.outputs[0].type.rank - 1 : 1;
}

static int same_type(const struct pm_type *a, const struct pm_type *b)
{
    if (a->dtype != b->dtype || a->rank != b->rank)
        return 0;
    for (int32_t i = 0; i < a->rank; i++)
        if (a->extents[i] != b->extents[i])
            return 0;
    return 1;
}

static int is_numbers(const struct pm_operand *operand, int64_t count)
{
    return operand->is_constant && operand->data && operand->type.dtype == PRUNE_F32 && operand->type.count == count;
}

static int is_normalisation(const struct pm_step *product, const struct pm_step *step)
{
    const struct pm_type *type = &product->call.outputs[0].type;
    if (!is_op(step, "BatchNormalization") || step->call.input_count != 5 || type->rank < 2 ||
        channel_axis(product) != 1 || pm_attribute_int(step->call.node, "training_mode", 0) != 0)
        return 0;
    for (int32_t i = 1; i < step->call.output_count; i++)
        if (step->outputs[i] >= 0)
            return 0;
    for (int32_t i = 1; i < 5; i++)
        if (!is_numbers(&step->call.inputs[i], type->extents[1]))
            return 0;
    return 1;
}

/* The input of an addition that is constant: one number, or one for each channel. */
static int32_t bias_of(const struct pm_step *product, const struct pm_step *step)
{
    const struct pm_type *type = &product->call.outputs[0].type;
    int32_t which = step->call.input_count == 2 && step->call.inputs[0].is_constant ? 0 : 1;
    if (!is_op(step, "Add") || step->call.input_count != 2)
        return -1;
    const struct pm_operand *bias = &step->call.inputs[which];
    int32_t axis = channel_axis(product) - (type->rank - bias->type.rank); /* in the constant */
    if (is_numbers(bias, 1))
        return which;
    if (axis < 0 || bias->type.rank > type->rank || !is_numbers(bias, type->extents[channel_axis(product)]))
        return -1;
    return bias->type.extents[axis] == bias->type.count ? which : -1;
}

static enum pm_activation activation_of(const struct pm_step *step)
{
    double least = 0, most = 0;
    int has_least = 0, has_most = 0;
    if (is_op(step, "Relu"))
        return PM_RELU;
    if (!is_op(step, "Clip"))
        return PM_NO_ACTIVATION;
    for (int32_t i = 1; i < step->call.input_count; i++)
        if (step->inputs[i] >= 0 && !step->call.inputs[i].is_constant)
            return PM_NO_ACTIVATION;
    if (pm_float_of(&step->call, "min", 1, &least, &has_least) || pm_float_of(&step->call, "max", 2, &most, &has_most))
        return PM_NO_ACTIVATION;
    if (!has_least || least != 0.0)
        return PM_NO_ACTIVATION;
    if (!has_most || most >= (double)FLT_MAX)
        return PM_RELU;
    return most == 6.0 ? PM_RELU6 : PM_NO_ACTIVATION;
}

/* Whether it adds two values of one shape, neither constant. */
static int is_addition(const struct pm_step *product, const struct pm_step *step)
{
    if (!(product->kind->flags & PM_ADDS) || !is_op(step, "Add") || step->call.input_count != 2)
        return 0;
    for (int32_t i = 0; i < 2; i++)
        if (step->inputs[i] < 0 || step->call.inputs[i].is_constant ||
            !same_type(&step->call.inputs[i].type, &step->call.outputs[0].type))
            return 0;
    return 1;
}

static enum part part_of(const struct pm_step *product, const struct pm_step *step)
{
    if (is_normalisation(product, step))
        return NORMALISATION;
    if (bias_of(product, step) >= 0)
        return BIAS;
    if (is_addition(product, step))
        return ADDEND;
    return activation_of(step) != PM_NO_ACTIVATION ? ACTIVATION : NO_PART;
}

/* y = factor * x + addend of one part for one channel. */
static void part_at(const struct pm_step *product, const struct pm_step *step, int64_t channel, double *factor,
                    double *addend)
{
    *factor = 1, *addend = 0;
    if (is_op(step, "BatchNormalization")) {
        const float *numbers[5] = {NULL};
        for (int32_t i = 1; i < 5; i++)
            numbers[i] = step->call.inputs[i].data;
        double epsilon = (double)pm_attribute_float(step->call.node, "epsilon", 1e-5f);
        *factor = (double)numbers[1][channel] / sqrt((double)numbers[4][channel] + epsilon);
        *addend = (double)numbers[2][channel] - (double)numbers[3][channel] * *factor;
    } else if (is_op(step, "Add")) {
        const struct pm_operand *bias = &step->call.inputs[bias_of(product, step)];
        *addend = (double)((const float *)bias->data)[bias->type.count == 1 ? 0 : channel];
    }
}

int32_t pm_step_set_fusion(prune_session *session, struct pm_step *step)
{
    int64_t channels = step->call.outputs[0].type.extents[channel_axis(step)];
    int scales = 0, shifts = 0;
    step->call.fusion = (struct pm_fusion){.addend = step->call.fusion.addend};
    for (int32_t i = 0; i < step->absorbed_count; i++) {
        enum part part = part_of(step, &step->absorbed[i]);
        if (part == NO_PART)
            return pm_step_fail(&step->absorbed[i],
                                pr_fail(PRUNE_E_UNSUPPORTED, "its new numbers cannot be computed with the product "
                                                             "before it; make another session for them"));
        scales |= part == NORMALISATION;
        shifts |= part == NORMALISATION || part == BIAS;
        if (part == ACTIVATION)
            step->call.fusion.activation = activation_of(&step->absorbed[i]);
    }
    if (shifts && !step->shift)
        PR_TRY(pr_alloc(session->context, channels, sizeof(float), &step->shift));
    if (scales && !step->scale)
        PR_TRY(pr_alloc(session->context, channels, sizeof(float), &step->scale));
    for (int64_t c = 0; shifts && c < channels; c++) {
        double scale = 1, shift = 0, factor, addend;
        for (int32_t i = 0; i < step->absorbed_count; i++) {
            if (part_of(step, &step->absorbed[i]) == ADDEND)
                break; /* nothing but an activation follows */
            part_at(step, &step->absorbed[i], c, &factor, &addend);
            scale *= factor;
            shift = shift * factor + addend;
        }
        step->shift[c] = (float)shift;
        if (scales)
            step->scale[c] = (float)scale;
    }
    step->call.fusion.scale = scales ? step->scale : NULL;
    step->call.fusion.shift = shifts ? step->shift : NULL;
    return PRUNE_OK;
}

/* Who reads and who makes the memory of each cell. */
struct uses {
    int32_t *readers; /* how many steps, counting each input */
    int32_t *reader;  /* the last of them */
    int32_t *maker;   /* the step, -1 for none */
};

/* The one step that reads what `product` makes; NULL where there is none, or more is done with it. */
static struct pm_step *only_reader(const prune_session *session, const struct pm_step *product, const struct uses *uses)
{
    int32_t output = product->outputs[0], reads = 0;
    if (output < 0 || uses->readers[output] != 1 || session->cells[output].is_output)
        return NULL;
    struct pm_step *step = &session->steps[uses->reader[output]];
    if (step->call.output_count < 1 || step->outputs[0] < 0)
        return NULL;
    for (int32_t i = 0; i < step->call.input_count; i++)
        if (step->inputs[i] >= 0 && pm_cell_storage(session, step->inputs[i]) == output &&
            same_type(&step->call.inputs[i].type, &product->call.outputs[0].type))
            reads++;
    return reads == 1 && same_type(&step->call.outputs[0].type, &product->call.outputs[0].type) ? step : NULL;
}

/* The input of an addition that `product` does not make. */
static int32_t other_input(const prune_session *session, const struct pm_step *product, const struct pm_step *step)
{
    return pm_cell_storage(session, step->inputs[0]) == pm_cell_storage(session, product->outputs[0]) ? 1 : 0;
}

/* Gives a step one more input, ADDEND_INPUT: the operand of `step` that `product` does not make. */
static int32_t take_addend(prune_session *session, struct pm_step *product, const struct pm_step *step)
{
    const int32_t inputs = ADDEND_INPUT + 1, outputs = product->call.output_count;
    const int32_t from = other_input(session, product, step);
    int64_t bytes = (inputs + outputs) * (int64_t)sizeof(struct pm_operand);
    char *block;
    PR_TRY(pr_alloc_zero(session->context, bytes + (inputs + outputs) * (int64_t)sizeof(int32_t), 1, &block));
    struct pm_operand *operands = (struct pm_operand *)(void *)block;
    int32_t *cells = (int32_t *)(void *)(block + bytes);
    for (int32_t i = 0; i < ADDEND_INPUT; i++) {
        int has = i < product->call.input_count;
        cells[i] = has ? product->inputs[i] : -1;
        if (has)
            operands[i] = product->call.inputs[i];
    }
    cells[ADDEND_INPUT] = step->inputs[from];
    operands[ADDEND_INPUT] = step->call.inputs[from];
    for (int32_t i = 0; i < outputs; i++) {
        cells[inputs + i] = product->outputs[i];
        operands[inputs + i] = product->call.outputs[i];
    }
    pr_release(session->context, product->block);
    product->block = block;
    product->inputs = cells;
    product->outputs = cells + inputs;
    product->call.inputs = operands;
    product->call.outputs = operands + inputs;
    product->call.input_count = inputs;
    return PRUNE_OK;
}

/* Whether an addend is there when the product is run, and none was added before. */
static int can_add(const prune_session *session, int32_t index, const struct pm_step *step, const struct uses *uses)
{
    const struct pm_step *product = &session->steps[index];
    int32_t cell = pm_cell_storage(session, step->inputs[other_input(session, product, step)]);
    return product->call.fusion.addend == 0 && product->call.input_count <= ADDEND_INPUT && uses->maker[cell] < index;
}

static int32_t absorb(prune_session *session, int32_t index, const struct uses *uses)
{
    struct pm_step *product = &session->steps[index];
    int32_t room = 0;
    while (product->call.fusion.activation == PM_NO_ACTIVATION) {
        struct pm_step *step = only_reader(session, product, uses);
        enum part part = step ? part_of(product, step) : NO_PART;
        if (part == NO_PART || (product->call.fusion.addend && part != ACTIVATION) ||
            (part == ADDEND && !can_add(session, index, step, uses)))
            break;
        if (part == ACTIVATION)
            product->call.fusion.activation = activation_of(step);
        if (part == ADDEND) {
            PR_TRY(take_addend(session, product, step));
            product->call.fusion.addend = ADDEND_INPUT;
        }
        product->outputs[0] = step->outputs[0];
        product->call.outputs[0] = step->call.outputs[0];
        uses->maker[pm_cell_storage(session, product->outputs[0])] = index;
        PR_TRY(pm_step_add(session->context, &product->absorbed, &product->absorbed_count, &room, step));
    }
    return product->absorbed_count ? pm_step_set_fusion(session, product) : PRUNE_OK;
}

static int is_product(const struct pm_step *step)
{
    return step->kind && (step->kind->flags & PM_FUSES) && step->call.input_count > 1 &&
           step->call.inputs[1].is_constant && step->call.outputs[0].type.dtype == PRUNE_F32 &&
           step->call.outputs[0].type.rank >= 2;
}

/* What was absorbed leaves a gap in the list. */
static void close_gaps(prune_session *session)
{
    int32_t kept = 0;
    for (int32_t i = 0; i < session->step_count; i++)
        if (session->steps[i].kind) {
            if (kept != i)
                session->steps[kept] = session->steps[i];
            kept++;
        }
    session->step_count = kept;
}

int32_t pm_session_fuse(prune_session *session)
{
    int32_t *numbers, status = PRUNE_OK, cells = session->cell_count;
    if (!session->fuses)
        return PRUNE_OK;
    PR_TRY(pr_alloc_zero(session->context, 3 * (int64_t)cells, sizeof *numbers, &numbers));
    struct uses uses = {numbers, numbers + cells, numbers + 2 * (int64_t)cells};
    for (int32_t i = 0; i < cells; i++)
        uses.maker[i] = -1;
    for (int32_t i = 0; i < session->step_count; i++) {
        const struct pm_step *step = &session->steps[i];
        for (int32_t j = 0; j < step->call.input_count; j++)
            if (step->inputs[j] >= 0) {
                int32_t cell = pm_cell_storage(session, step->inputs[j]);
                uses.readers[cell]++;
                uses.reader[cell] = i;
            }
        for (int32_t j = 0; j < step->call.output_count; j++)
            if (step->outputs[j] >= 0)
                uses.maker[pm_cell_storage(session, step->outputs[j])] = i;
    }
    for (int32_t i = 0; !status && i < session->step_count; i++)
        if (is_product(&session->steps[i]))
            status = absorb(session, i, &uses);
    close_gaps(session);
    pr_release(session->context, numbers);
    return status;
}
