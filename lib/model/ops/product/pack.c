/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Weights into packed objects.
 */
#include <stdio.h>
#include <string.h>

#include "model/graph/packs.h"
#include "model/ops/product/product.h"

static int32_t gather_mask(prune_mask **out, prune_context *context, const prune_mask *mask,
                           const struct pm_matrix *matrix)
{
    const int64_t shape[2] = {matrix->rows, matrix->columns};
    uint8_t *bytes;
    PR_TRY(pr_alloc(context, matrix->rows * matrix->columns, 1, &bytes));
    for (int64_t r = 0; r < matrix->rows; r++)
        for (int64_t c = 0; c < matrix->columns; c++) {
            int32_t kept = 1;
            prune_mask_get(mask, matrix->first + r * matrix->row_stride + c * matrix->column_stride, &kept);
            bytes[r * matrix->columns + c] = (uint8_t)kept;
        }
    int32_t status = prune_mask_from_bytes(out, context, 2, shape, bytes, matrix->rows * matrix->columns);
    pr_release(context, bytes);
    return status;
}

/* What is asked for as a blob says it; of no parameter where the numbers are no parameter's as it is. */
static struct pm_blob describe(const struct pm_operand *operand, const struct pm_matrix *matrix, const char *spec)
{
    struct pm_blob blob = {.parameter = operand->parameter ? operand->parameter->number : -1,
                           .rows = matrix->rows,
                           .columns = matrix->columns,
                           .first = matrix->first,
                           .row_stride = matrix->row_stride,
                           .column_stride = matrix->column_stride};
    snprintf(blob.weights, sizeof blob.weights, "%s", spec);
    return blob;
}

/* Weights that came packed just so; *out stays NULL where there are none, or not for this context. */
static int32_t take_packed(prune_packed **out, const struct pm_call *call, prune_context *context,
                           const struct pm_operand *operand, const struct pm_blob *wanted)
{
    *out = NULL;
    if (!call->packs || call->packs->is_recording || !operand->parameter || !operand->parameter->is_packed)
        return PRUNE_OK;
    const struct pm_blob *blob = pm_packs_find(call->packs, wanted);
    int32_t status = blob ? prune_packed_load(out, context, blob->data, blob->bytes) : PRUNE_OK;
    return status == PRUNE_E_UNSUPPORTED ? PRUNE_OK : status;
}

static int32_t record(const struct pm_call *call, const prune_packed *packed, struct pm_blob *blob)
{
    const void *data = NULL;
    if (!call->packs || !call->packs->is_recording || blob->parameter < 0 || pm_packs_find(call->packs, blob))
        return PRUNE_OK;
    PR_TRY(prune_packed_blob(packed, &data, &blob->bytes));
    blob->data = (void *)(uintptr_t)data;
    return pm_packs_add(call->packs, blob);
}

int32_t pm_pack(prune_packed **out, const struct pm_call *call, prune_context *context, const struct pm_matrix *matrix,
                int64_t count, const char *more)
{
    const struct pm_operand *operand = &call->inputs[matrix->input];
    const int64_t shape[2] = {matrix->rows, matrix->columns};
    const float *from = (const float *)operand->data + matrix->first;
    int pruned = operand->mask && prune_mask_kept(operand->mask) < prune_mask_count(operand->mask);
    prune_tensor *dense = NULL;
    prune_mask *mask = NULL;
    char spec[256];
    const char *weights = !pruned ? "format=dense" : call->weights ? call->weights : "";
    int length = snprintf(spec, sizeof spec, "%s%scolumns=%lld%s%s", weights, weights[0] ? "," : "",
                          (long long)(count < 1 ? 1 : count), more ? "," : "", more ? more : "");
    if (length < 0 || length >= (int)sizeof spec)
        return pr_fail(PRUNE_E_SPEC, "a spec of weights of %d characters; at most %d are taken", length,
                       (int)sizeof spec - 1);
    struct pm_blob blob = describe(operand, matrix, spec);
    prune_packed *packed = NULL;
    if (pruned)
        PR_TRY(take_packed(&packed, call, context, operand, &blob));
    if (packed) {
        *out = packed;
        return PRUNE_OK;
    }
    PR_TRY(prune_tensor_create(&dense, context, PRUNE_F32, 2, shape));
    float *to = prune_tensor_data(dense);
    for (int64_t r = 0; r < matrix->rows; r++)
        for (int64_t c = 0; c < matrix->columns; c++)
            *to++ = from[r * matrix->row_stride + c * matrix->column_stride];
    int32_t status = pruned ? gather_mask(&mask, context, operand->mask, matrix) : PRUNE_OK;
    if (!status)
        status = prune_packed_create(&packed, dense, mask, spec);
    if (!status && pruned)
        status = record(call, packed, &blob);
    if (status)
        prune_packed_free(packed);
    else
        *out = packed;
    prune_mask_free(mask);
    prune_tensor_free(dense);
    return status;
}

static void *take(void *user, uint64_t size, uint64_t align)
{
    return align > 64 ? NULL : prune_context_alloc(user, size);
}

static void give(void *user, void *pointer, uint64_t size)
{
    (void)size;
    prune_context_release(user, pointer);
}

int32_t pm_context_alone(prune_context **out, const struct pm_call *call)
{
    prune_context *made = NULL;
    if (call->context && prune_context_threads(call->context) == 1) {
        *out = prune_context_retain(call->context);
        return PRUNE_OK;
    }
    PR_TRY(prune_context_create(&made));
    int32_t status = prune_context_set_cpu(made, prune_context_cpu(call->context));
    if (!status && call->context)
        status = prune_context_set_allocator(made, take, give, call->context);
    if (status)
        prune_context_free(made);
    else
        *out = made;
    return status;
}

void pm_say_kernels(struct pm_call *call, const prune_packed *packed, int64_t n)
{
    snprintf(call->kernels, sizeof call->kernels, "%s/%s", prune_packed_form(packed), prune_packed_kernels(packed, n));
}
