/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "model/ops/reduce/reduction.h"

/* Which axes the node reduces; *none when it is the identity. */
static int32_t axes_of(const struct pm_call *call, const struct pm_reduction *reduction, int *is_reduced, int *none)
{
    int32_t rank = call->inputs[0].type.rank;
    int64_t axes[PRUNE_MAX_RANK], count = -1;
    *none = 0;
    memset(is_reduced, 0, PRUNE_MAX_RANK * sizeof *is_reduced);
    if (call->opset >= reduction->opset && !pm_has_input(call, 1) && pm_attribute(call->node, "axes"))
        return pr_fail(PRUNE_E_FORMAT, "axes is an attribute; from opset %d on it is input 1", (int)reduction->opset);
    PR_TRY(pm_ints_of(call, "axes", 1, PRUNE_MAX_RANK, axes, &count));
    if (count <= 0) {
        *none = call->opset >= reduction->opset && pm_attribute_int(call->node, "noop_with_empty_axes", 0) != 0;
        for (int32_t axis = 0; axis < rank; axis++)
            is_reduced[axis] = !*none;
        return PRUNE_OK;
    }
    for (int64_t i = 0; i < count; i++) {
        int32_t axis = 0;
        PR_TRY(pm_axis(axes[i], rank, 0, &axis));
        if (is_reduced[axis])
            return pr_fail(PRUNE_E_SHAPE, "axes names axis %d twice", (int)axis);
        is_reduced[axis] = 1;
    }
    return PRUNE_OK;
}

int32_t pm_reduction_infer(struct pm_call *call, const struct pm_reduction *reduction)
{
    const struct pm_type *x = &call->inputs[0].type;
    int64_t extents[PRUNE_MAX_RANK];
    int is_reduced[PRUNE_MAX_RANK], none, keep = pm_attribute_int(call->node, "keepdims", 1) != 0;
    int32_t rank = 0;
    PR_TRY(pm_expect_inputs(call, 1, call->opset < reduction->opset ? 1 : 2));
    PR_TRY(pm_expect_outputs(call, 1, 1));
    int has_truth = reduction->of_truth && call->opset >= reduction->of_truth;
    PR_TRY(pm_expect_dtype(call, 0, reduction->dtypes | (has_truth ? PM_SET(PRUNE_BOOL) : 0)));
    PR_TRY(axes_of(call, reduction, is_reduced, &none));
    for (int32_t axis = 0; axis < x->rank; axis++)
        if (!is_reduced[axis])
            extents[rank++] = x->extents[axis];
        else if (keep)
            extents[rank++] = 1;
    return pm_type_set(&call->outputs[0].type, x->dtype, rank, extents);
}

int32_t pm_reduction_run(const struct pm_call *call, const struct pm_reduction *reduction)
{
    const struct pm_operand *x = &call->inputs[0], *y = &call->outputs[0];
    int is_reduced[PRUNE_MAX_RANK], none;
    PR_TRY(axes_of(call, reduction, is_reduced, &none));
    if (none) {
        if (x->type.count > 0 && y->data != x->data)
            memcpy(y->data, x->data, (size_t)pm_type_bytes(&x->type));
        return PRUNE_OK;
    }
    pm_reduce(reduction, x, is_reduced, y);
    return PRUNE_OK;
}

static void together(int32_t *rank, int64_t *extents, int64_t *strides, int64_t extent, int64_t stride)
{
    if (*rank > 0 && strides[*rank - 1] == extent * stride) {
        extents[*rank - 1] *= extent;
        strides[*rank - 1] = stride;
        return;
    }
    extents[*rank] = extent;
    strides[(*rank)++] = stride;
}

static void split(const struct pm_type *x, const int *is_reduced, struct pm_axes *axes)
{
    *axes = (struct pm_axes){.results = 1, .each = 1};
    for (int32_t axis = 0; axis < x->rank; axis++) {
        int64_t extent = x->extents[axis], stride = pm_type_span(x, axis + 1, x->rank);
        if (is_reduced[axis])
            axes->each *= extent;
        else
            axes->results *= extent;
        if (extent == 1)
            continue;
        if (is_reduced[axis])
            together(&axes->reduced, axes->reduced_extents, axes->reduced_strides, extent, stride);
        else
            together(&axes->kept, axes->kept_extents, axes->kept_strides, extent, stride);
    }
}

/* Offset of element `index` in row-major order of the first `rank` axes. */
static int64_t offset_of(int64_t index, int32_t rank, const int64_t *extents, const int64_t *strides)
{
    int64_t offset = 0;
    for (int32_t axis = rank - 1; axis >= 0; index /= extents[axis--])
        offset += index % extents[axis] * strides[axis];
    return offset;
}

/* The number of the type that is next to `value`. */
static int64_t within(int32_t dtype, int64_t value)
{
    int64_t bits = dtype == PRUNE_BOOL ? 1 : 8 * prune_dtype_size(dtype), is_unsigned = 0;
    is_unsigned = dtype == PRUNE_BOOL || dtype == PRUNE_U8 || dtype == PRUNE_U16 || dtype == PRUNE_U32;
    if (bits == 64)
        return value;
    int64_t most = ((int64_t)1 << (is_unsigned ? bits : bits - 1)) - 1, least = is_unsigned ? 0 : -most - 1;
    return value < least ? least : value > most ? most : value;
}

static void set_totals(const struct pm_reduction *r, enum pm_domain domain, int32_t dtype, union pm_chunk *totals,
                       int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (domain == PM_F64)
            totals->f64[i] = r->start_f64;
        else
            totals->i64[i] = within(dtype, r->start_i64);
}

static void finish(const struct pm_reduction *r, enum pm_domain domain, union pm_chunk *totals, int64_t n,
                   int64_t count, const struct pm_operand *y, int64_t at)
{
    for (int64_t i = 0; i < n; i++)
        if (domain == PM_F64 && r->finish_f64)
            totals->f64[i] = r->finish_f64(totals->f64[i], count);
        else if (domain == PM_I64 && r->finish_i64)
            totals->i64[i] = r->finish_i64(totals->i64[i], count);
    pm_store(domain, totals, n, y->type.dtype, y->data, at);
}

/* Results that do not lie together in the input: each is a sum of runs. */
static void reduce_along(const struct pm_reduction *r, enum pm_domain domain, const struct pm_operand *x,
                         const struct pm_axes *axes, const struct pm_operand *y)
{
    int32_t last = axes->reduced - 1;
    int64_t length = last < 0 ? 1 : axes->reduced_extents[last], runs = axes->each / (length ? length : 1);
    for (int64_t result = 0; result < axes->results; result++) {
        int64_t base = offset_of(result, axes->kept, axes->kept_extents, axes->kept_strides);
        union pm_chunk total, chunk;
        set_totals(r, domain, x->type.dtype, &total, 1);
        for (int64_t run = 0; run < runs; run++) {
            int64_t from = base + offset_of(run, last, axes->reduced_extents, axes->reduced_strides);
            for (int64_t i = 0; i < length; i += PM_CHUNK) {
                int64_t n = length - i < PM_CHUNK ? length - i : PM_CHUNK;
                const void *numbers = pm_load(domain, x->type.dtype, x->data, from + i, n, &chunk);
                if (domain == PM_F64)
                    total.f64[0] = r->along_f64(total.f64[0], numbers, n);
                else
                    total.i64[0] = r->along_i64(total.i64[0], numbers, n);
            }
        }
        finish(r, domain, &total, 1, axes->each, y, result);
    }
}

/* Results that lie together in the input, a chunk of them at a time. */
static void reduce_across(const struct pm_reduction *r, enum pm_domain domain, const struct pm_operand *x,
                          const struct pm_axes *axes, const struct pm_operand *y)
{
    int32_t last = axes->kept - 1;
    int64_t length = axes->kept_extents[last];
    for (int64_t row = 0; row < axes->results / length; row++) {
        int64_t base = offset_of(row, last, axes->kept_extents, axes->kept_strides);
        for (int64_t i = 0; i < length; i += PM_CHUNK) {
            int64_t n = length - i < PM_CHUNK ? length - i : PM_CHUNK;
            union pm_chunk totals, chunk;
            set_totals(r, domain, x->type.dtype, &totals, n);
            for (int64_t each = 0; each < axes->each; each++) {
                int64_t from = base + i + offset_of(each, axes->reduced, axes->reduced_extents, axes->reduced_strides);
                const void *numbers = pm_load(domain, x->type.dtype, x->data, from, n, &chunk);
                if (domain == PM_F64)
                    r->across_f64(totals.f64, numbers, n);
                else
                    r->across_i64(totals.i64, numbers, n);
            }
            finish(r, domain, &totals, n, axes->each, y, row * length + i);
        }
    }
}

void pm_reduce(const struct pm_reduction *reduction, const struct pm_operand *x, const int *is_reduced,
               const struct pm_operand *y)
{
    enum pm_domain domain = pm_domain_of(x->type.dtype) == PM_I64 ? PM_I64 : PM_F64;
    struct pm_axes axes;
    split(&x->type, is_reduced, &axes);
    if (axes.results == 0)
        return;
    if (axes.kept > 0 && axes.kept_strides[axes.kept - 1] == 1)
        reduce_across(reduction, domain, x, &axes, y);
    else
        reduce_along(reduction, domain, x, &axes, y);
}
