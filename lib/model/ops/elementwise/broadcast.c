/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/elementwise/broadcast.h"

/* Stride of axis `axis` of an output of `rank` axes in an operand without gaps; 0 where it is broadcast. */
static int64_t stride_of(const struct pm_type *type, int32_t rank, int32_t axis)
{
    int32_t own = axis - (rank - type->rank);
    if (own < 0 || type->extents[own] == 1)
        return 0;
    return pm_type_span(type, own + 1, type->rank);
}

void pm_walk_begin(struct pm_walk *walk, const struct pm_type *out, int32_t inputs, const struct pm_type *const *types)
{
    int32_t rank = 0;
    memset(walk, 0, sizeof *walk);
    walk->inputs = inputs;
    for (int32_t axis = 0; axis < out->rank; axis++) {
        int64_t extent = out->extents[axis], strides[PM_WALK_INPUTS];
        int together = rank > 0;
        if (extent == 1)
            continue;
        for (int32_t i = 0; i < inputs; i++) {
            strides[i] = stride_of(types[i], out->rank, axis);
            together = together && walk->strides[i][rank - 1] == strides[i] * extent;
        }
        if (together) {
            walk->extents[rank - 1] *= extent;
        } else {
            walk->extents[rank++] = extent;
        }
        for (int32_t i = 0; i < inputs; i++)
            walk->strides[i][rank - 1] = strides[i];
    }
    walk->length = 1;
    if (rank > 0) {
        walk->length = walk->extents[--rank];
        for (int32_t i = 0; i < inputs; i++)
            walk->steps[i] = walk->strides[i][rank];
    }
    walk->rank = rank;
    walk->rows = out->count == 0 ? 0 : out->count / walk->length;
}

void pm_walk_next(struct pm_walk *walk)
{
    for (int32_t axis = walk->rank - 1; axis >= 0; axis--) {
        if (++walk->index[axis] < walk->extents[axis]) {
            for (int32_t i = 0; i < walk->inputs; i++)
                walk->at[i] += walk->strides[i][axis];
            return;
        }
        walk->index[axis] = 0;
        for (int32_t i = 0; i < walk->inputs; i++)
            walk->at[i] -= (walk->extents[axis] - 1) * walk->strides[i][axis];
    }
}

int32_t pm_binary_infer(struct pm_call *call, const struct pm_binary *binary)
{
    struct pm_type out;
    PR_TRY(pm_expect_inputs(call, 2, 2));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, binary->dtypes));
    PR_TRY(pm_expect_same_dtype(call, 0, 1));
    PR_TRY(pm_broadcast(&call->inputs[0].type, &call->inputs[1].type, &out));
    return pm_type_set(&call->outputs[0].type, binary->is_predicate ? PRUNE_BOOL : call->inputs[0].type.dtype, out.rank,
                       out.extents);
}

/* One number of an operand that stands still, as often as a loop reads it. */
static void repeat(enum pm_domain domain, const struct pm_operand *operand, int64_t at, int64_t n,
                   union pm_chunk *chunk)
{
    union pm_chunk one;
    const void *number = pm_load(domain, operand->type.dtype, operand->data, at, 1, &one);
    if (domain == PM_F32)
        for (int64_t i = 0; i < n; i++)
            chunk->f32[i] = *(const float *)number;
    else
        for (int64_t i = 0; i < n; i++)
            memcpy(&chunk->i64[i], number, sizeof *chunk->i64);
}

void pm_binary_apply(const struct pm_binary *binary, const struct pm_operand *a, const struct pm_operand *b,
                     const struct pm_operand *y)
{
    const struct pm_operand *sides[2] = {a, b};
    const struct pm_type *types[2] = {&a->type, &b->type};
    enum pm_domain domain = pm_domain_of(a->type.dtype);
    int direct_in = pm_is_direct(domain, a->type.dtype);
    int direct_out = binary->is_predicate || pm_is_direct(domain, y->type.dtype);
    int64_t size = prune_dtype_size(y->type.dtype), written = 0;
    union pm_chunk chunks[3];
    struct pm_walk walk;
    pm_walk_begin(&walk, &y->type, 2, types);
    int64_t most = direct_in && direct_out && walk.steps[0] && walk.steps[1] ? walk.length : PM_CHUNK;
    for (int64_t row = 0; row < walk.rows; row++, pm_walk_next(&walk)) {
        for (int s = 0; s < 2; s++)
            if (!walk.steps[s])
                repeat(domain, sides[s], walk.at[s], walk.length < PM_CHUNK ? walk.length : PM_CHUNK, &chunks[s]);
        for (int64_t i = 0; i < walk.length; i += most) {
            int64_t n = walk.length - i < most ? walk.length - i : most;
            const void *from[2];
            void *to = direct_out ? (void *)((char *)y->data + written * size) : (void *)&chunks[2];
            for (int s = 0; s < 2; s++)
                from[s] = !walk.steps[s]
                              ? &chunks[s]
                              : pm_load(domain, types[s]->dtype, sides[s]->data, walk.at[s] + i, n, &chunks[s]);
            binary->loops[domain](from[0], from[1], to, n);
            if (!direct_out)
                pm_store(domain, to, n, y->type.dtype, y->data, written);
            written += n;
        }
    }
}

int32_t pm_binary_run(const struct pm_call *call, const struct pm_binary *binary)
{
    pm_binary_apply(binary, &call->inputs[0], &call->inputs[1], &call->outputs[0]);
    return PRUNE_OK;
}

int32_t pm_variadic_infer(struct pm_call *call, const struct pm_binary *binary)
{
    struct pm_type out;
    PR_TRY(pm_expect_inputs(call, call->input_count > 1 ? call->input_count : 1, INT32_MAX));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    PR_TRY(pm_expect_dtype(call, 0, binary->dtypes));
    out = call->inputs[0].type;
    for (int32_t i = 1; i < call->input_count; i++) {
        struct pm_type wider;
        PR_TRY(pm_expect_same_dtype(call, 0, i));
        PR_TRY(pm_broadcast(&out, &call->inputs[i].type, &wider));
        PR_TRY(pm_type_set(&out, call->inputs[0].type.dtype, wider.rank, wider.extents));
    }
    call->outputs[0].type = out;
    return PRUNE_OK;
}

int32_t pm_variadic_run(const struct pm_call *call, const struct pm_binary *binary)
{
    struct pm_operand *y = &call->outputs[0];
    if (call->input_count == 1) {
        if (y->data != call->inputs[0].data && y->type.count > 0)
            memcpy(y->data, call->inputs[0].data, (size_t)pm_type_bytes(&y->type));
        return PRUNE_OK;
    }
    pm_binary_apply(binary, &call->inputs[0], &call->inputs[1], y);
    for (int32_t i = 2; i < call->input_count; i++)
        pm_binary_apply(binary, y, &call->inputs[i], y);
    return PRUNE_OK;
}
