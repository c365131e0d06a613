/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A file into messages.
 */
#include "model/io/onnx/onnx.h"

/* Memory for messages: what models need is a few times their size at most; a file made of empty messages would need
 * hundreds of times its own. */
#define MOST_PER_BYTE 64
#define MOST_AT_LEAST 1048576

static int32_t parse(struct pm_onnx *onnx, const uint8_t *bytes, int64_t length)
{
    PR_TRY(pm_onnx_check(&pm__onnx__model__descriptor, bytes, length));
    ProtobufCAllocator allocator = pm_arena_allocator(&onnx->arena);
    onnx->model = pm__onnx__model__unpack(&allocator, (size_t)length, bytes);
    if (!onnx->model)
        return onnx->arena.status ? onnx->arena.status : pr_fail(PRUNE_E_FORMAT, "it is no ONNX model");
    if (!onnx->model->graph)
        return pr_fail(PRUNE_E_FORMAT, "it holds no graph; an ONNX model has one");
    return PRUNE_OK;
}

static int32_t read_all(struct pm_onnx *onnx, const struct pm_input *file)
{
    uint8_t *bytes;
    if (file->size == 0)
        return pr_fail(PRUNE_E_FORMAT, "it is empty; an ONNX model is not");
    if (file->size > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "it has %lld bytes; a protobuf message has at most %d",
                       (long long)file->size, INT32_MAX);
    pm_arena_start(&onnx->arena, onnx->context, file->size * MOST_PER_BYTE + MOST_AT_LEAST);
    PR_TRY(pr_alloc(onnx->context, file->size, 1, &bytes));
    int32_t status = pm_input_read(file, 0, bytes, file->size);
    if (!status)
        status = parse(onnx, bytes, file->size);
    pr_release(onnx->context, bytes);
    return status;
}

int32_t pm_onnx_load(struct pm_onnx **out, prune_context *context, const struct pm_input *file)
{
    struct pm_onnx *onnx;
    PR_TRY(pr_alloc_zero(context, 1, sizeof *onnx, &onnx));
    onnx->context = prune_context_retain(context);
    onnx->references = 1;
    int32_t status = read_all(onnx, file);
    if (status)
        pm_onnx_release(onnx);
    else
        *out = onnx;
    return status;
}

void *pm_onnx_retain(void *onnx)
{
    __atomic_add_fetch(&((struct pm_onnx *)onnx)->references, 1, __ATOMIC_RELAXED);
    return onnx;
}

void pm_onnx_release(void *origin)
{
    struct pm_onnx *onnx = origin;
    if (!onnx || __atomic_sub_fetch(&onnx->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    prune_context *context = onnx->context;
    pm_arena_release(&onnx->arena);
    pr_release(context, onnx);
    prune_context_free(context);
}
