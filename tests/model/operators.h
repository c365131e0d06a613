/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Operators that are easy to follow, for tests of the session: the same names as the real ones, F32 only, no
 * broadcasting but where a comment says so. They count what the session does with them.
 */
#ifndef OPERATORS_H
#define OPERATORS_H

#include <math.h>

#include "graphs.h"

static struct {
    int prepared, released, run;
    int fail_run; /* the run that fails, counted from 1; 0 for none */
} counted;

static inline int32_t same_as_first(struct pm_call *call)
{
    PR_TRY(pm_expect_inputs(call, 1, 5));
    call->outputs[0].type = call->inputs[0].type;
    return PRUNE_OK;
}

static inline int32_t counts_run(void)
{
    return ++counted.run == counted.fail_run ? pr_fail(PRUNE_E_VALUE, "told to fail") : PRUNE_OK;
}

static inline int32_t run_relu(const struct pm_call *call)
{
    const float *x = call->inputs[0].data;
    float *y = call->outputs[0].data;
    for (int64_t i = 0; i < call->outputs[0].type.count; i++)
        y[i] = x[i] > 0 ? x[i] : 0.0f;
    return counts_run();
}

static inline int32_t run_clip(const struct pm_call *call)
{
    double least = 0, most = 0;
    int has_least, has_most;
    PR_TRY(pm_float_of(call, "min", 1, &least, &has_least));
    PR_TRY(pm_float_of(call, "max", 2, &most, &has_most));
    const float *x = call->inputs[0].data;
    float *y = call->outputs[0].data;
    for (int64_t i = 0; i < call->outputs[0].type.count; i++) {
        y[i] = has_least && x[i] < (float)least ? (float)least : x[i];
        y[i] = has_most && y[i] > (float)most ? (float)most : y[i];
    }
    return counts_run();
}

/* The second input is of the same shape, or repeated along the first axes. */
static inline int32_t run_add(const struct pm_call *call)
{
    const float *a = call->inputs[0].data, *b = call->inputs[1].data;
    float *y = call->outputs[0].data;
    for (int64_t i = 0; i < call->outputs[0].type.count; i++)
        y[i] = a[i] + b[i % call->inputs[1].type.count];
    return counts_run();
}

/* Of [N, C]. */
static inline int32_t run_normalise(const struct pm_call *call)
{
    const float *x = call->inputs[0].data, *gamma = call->inputs[1].data, *beta = call->inputs[2].data,
                *mean = call->inputs[3].data, *variance = call->inputs[4].data;
    float *y = call->outputs[0].data, epsilon = pm_attribute_float(call->node, "epsilon", 1e-5f);
    int64_t channels = call->inputs[1].type.count;
    for (int64_t i = 0; i < call->outputs[0].type.count; i++) {
        int64_t c = i % channels;
        y[i] = (x[i] - mean[c]) / sqrtf(variance[c] + epsilon) * gamma[c] + beta[c];
    }
    return counts_run();
}

/* [M, K] x [K, N], its fusion applied; prepare keeps a copy of the weights where they are constant. */
static inline int32_t infer_product(struct pm_call *call)
{
    PR_TRY(pm_expect_inputs(call, 2, 2));
    const struct pm_type *a = &call->inputs[0].type, *b = &call->inputs[1].type;
    if (a->rank != 2 || b->rank != 2 || a->extents[1] != b->extents[0])
        return pr_fail(PRUNE_E_SHAPE, "%lld columns and %lld rows; they must be as many",
                       (long long)a->extents[a->rank - 1], (long long)b->extents[0]);
    call->scratch_bytes = 64 * a->extents[0];
    return pm_type_set(&call->outputs[0].type, a->dtype, 2, (const int64_t[]){a->extents[0], b->extents[1]});
}

static inline int32_t prepare_product(struct pm_call *call)
{
    float *copy;
    const struct pm_operand *weights = &call->inputs[1];
    counted.prepared++;
    if (!weights->data)
        return PRUNE_OK;
    PR_TRY(pr_alloc(call->context, weights->type.count, 4, &copy));
    memcpy(copy, weights->data, (size_t)weights->type.count * 4);
    call->state = copy;
    snprintf(call->kernels, sizeof call->kernels, "%s%s", weights->mask ? "pruned " : "", call->weights);
    return PRUNE_OK;
}

static inline void release_product(struct pm_call *call)
{
    counted.released += call->state != NULL;
    pr_release(call->context, call->state);
    call->state = NULL;
}

static inline int32_t run_product(const struct pm_call *call)
{
    const float *a = call->inputs[0].data, *b = call->state ? call->state : call->inputs[1].data;
    int64_t m = call->inputs[0].type.extents[0], k = call->inputs[0].type.extents[1];
    int64_t n = call->inputs[1].type.extents[1];
    float *y = call->outputs[0].data;
    memset(call->scratch, 0xff, (size_t)call->scratch_bytes);
    for (int64_t i = 0; i < m * n; i++) {
        const struct pm_fusion *fusion = &call->fusion;
        float sum = 0;
        for (int64_t j = 0; j < k; j++)
            sum += a[i / n * k + j] * b[j * n + i % n];
        sum = sum * (fusion->scale ? fusion->scale[i % n] : 1) + (fusion->shift ? fusion->shift[i % n] : 0);
        sum = fusion->activation != PM_NO_ACTIVATION && sum < 0 ? 0 : sum;
        y[i] = fusion->activation == PM_RELU6 && sum > 6 ? 6 : sum;
    }
    return counts_run();
}

static inline int64_t macs_product(const struct pm_call *call)
{
    return call->inputs[0].type.count * call->inputs[1].type.extents[1];
}

static inline int32_t infer_reshape(struct pm_call *call)
{
    int64_t extents[PRUNE_MAX_RANK], count = 0;
    PR_TRY(pm_expect_inputs(call, 2, 2));
    PR_TRY(pm_ints_of(call, NULL, 1, PRUNE_MAX_RANK, extents, &count));
    return pm_type_set(&call->outputs[0].type, call->inputs[0].type.dtype, (int32_t)count, extents);
}

static inline int32_t run_copy(const struct pm_call *call)
{
    memcpy(call->outputs[0].data, call->inputs[0].data, (size_t)pm_type_bytes(&call->outputs[0].type));
    return counts_run();
}

static inline int32_t infer_shape(struct pm_call *call)
{
    return pm_type_set(&call->outputs[0].type, PRUNE_I64, 1, (const int64_t[]){call->inputs[0].type.rank});
}

static inline int32_t run_shape(const struct pm_call *call)
{
    for (int32_t i = 0; i < call->inputs[0].type.rank; i++)
        ((int64_t *)call->outputs[0].data)[i] = call->inputs[0].type.extents[i];
    return counts_run();
}

/* One number more than `count` elements of F32: what is too large to be folded. */
static inline int32_t infer_fill(struct pm_call *call)
{
    return pm_type_set(&call->outputs[0].type, PRUNE_F32, 1,
                       (const int64_t[]){pm_attribute_int(call->node, "count", 1)});
}

static inline int32_t run_fill(const struct pm_call *call)
{
    for (int64_t i = 0; i < call->outputs[0].type.count; i++)
        ((float *)call->outputs[0].data)[i] = 3.0f;
    return counts_run();
}

static const struct pm_operator test_operators[] = {
    {.op = "Relu", .flags = PM_IN_PLACE, .infer = same_as_first, .run = run_relu},
    {.op = "Clip", .flags = PM_IN_PLACE, .infer = same_as_first, .run = run_clip},
    {.op = "Add", .flags = PM_IN_PLACE, .infer = same_as_first, .run = run_add},
    {.op = "BatchNormalization", .infer = same_as_first, .run = run_normalise},
    {.op = "MatMul",
     .flags = PM_FUSES,
     .infer = infer_product,
     .prepare = prepare_product,
     .release = release_product,
     .run = run_product,
     .macs = macs_product},
    {.op = "Reshape", .flags = PM_VIEW, .infer = infer_reshape, .run = run_copy},
    {.op = "Identity", .flags = PM_VIEW, .infer = same_as_first, .run = run_copy},
    {.op = "Copy", .infer = same_as_first, .run = run_copy},
    {.op = "Shape", .flags = PM_TYPE_ONLY, .infer = infer_shape, .run = run_shape},
    {.op = "Fill", .infer = infer_fill, .run = run_fill},
};

static inline void use_test_operators(struct pm_body *body)
{
    for (int32_t i = 0; i < body->node_count; i++) {
        struct pm_node *node = &body->nodes[i];
        node->kind = NULL;
        for (size_t j = 0; j < sizeof test_operators / sizeof *test_operators; j++)
            if (strcmp(node->op, test_operators[j].op) == 0)
                node->kind = &test_operators[j];
        for (int32_t j = 0; j < node->attribute_count; j++)
            if (node->attributes[j].body)
                use_test_operators(node->attributes[j].body);
    }
}

#endif
