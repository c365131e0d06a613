/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Numbers that go to a file beside the model.
 */
#include <stdio.h>
#include <string.h>

#include "model/io/onnx/write.h"

#define LEAST 1024 /* bytes; smaller tensors stay in the model */
#define ALIGN 64

/* What follows one another in the file. */
struct pm_external {
    struct pm_external *next;
    const uint8_t *data;
    int64_t offset, length;
};

int32_t pm_onnx_put_entries(struct pm_arena *arena, const char *const *keys, const char *const *values, size_t count,
                            pm_tensor_message *to)
{
    PR_TRY(pm_arena_alloc(arena, (int64_t)(count * sizeof *to->external_data), &to->external_data));
    for (size_t i = 0; i < count; i++) {
        struct Pm__Onnx__Entry *entry;
        PR_TRY(pm_arena_alloc(arena, sizeof *entry, &entry));
        pm__onnx__entry__init(entry);
        PR_TRY(pm_arena_copy(arena, keys[i], (int64_t)strlen(keys[i]) + 1, &entry->key));
        PR_TRY(pm_arena_copy(arena, values[i], (int64_t)strlen(values[i]) + 1, &entry->value));
        to->external_data[i] = entry;
    }
    to->n_external_data = count;
    to->has_data_location = 1;
    to->data_location = PM_ONNX_EXTERNAL;
    to->has_raw_data = 0;
    to->raw_data = (ProtobufCBinaryData){0};
    return PRUNE_OK;
}

int pm_onnx_goes_out(const struct pm_writer *writer, const struct pm_parameter *parameter)
{
    const prune_tensor *tensor = parameter ? parameter->tensor : NULL;
    return writer->location && tensor && !parameter->constant_node && !pm_onnx_is_left_out(writer, parameter) &&
           prune_tensor_count(tensor) * prune_dtype_size(prune_tensor_dtype(tensor)) >= LEAST;
}

int32_t pm_onnx_move_out(struct pm_writer *writer, const struct pm_parameter *parameter, pm_tensor_message *tensor)
{
    static const char *const keys[] = {"location", "offset", "length"};
    char offset[24], length[24];
    struct pm_external *piece;
    if (!pm_onnx_goes_out(writer, parameter) || !tensor->has_raw_data)
        return PRUNE_OK;
    PR_TRY(pm_arena_alloc(&writer->arena, sizeof *piece, &piece));
    *piece = (struct pm_external){.data = tensor->raw_data.data,
                                  .offset = (writer->external_bytes + ALIGN - 1) / ALIGN * ALIGN,
                                  .length = (int64_t)tensor->raw_data.len};
    if (writer->last)
        writer->last->next = piece;
    else
        writer->first = piece;
    writer->last = piece;
    writer->external_bytes = piece->offset + piece->length;
    snprintf(offset, sizeof offset, "%lld", (long long)piece->offset);
    snprintf(length, sizeof length, "%lld", (long long)piece->length);
    return pm_onnx_put_entries(&writer->arena, keys, (const char *const[]){writer->location, offset, length}, 3,
                               tensor);
}

int32_t pm_onnx_write_external(const struct pm_writer *writer, struct pm_output *output)
{
    static const uint8_t zeros[ALIGN];
    int64_t at = 0;
    for (const struct pm_external *piece = writer->first; piece; piece = piece->next) {
        PR_TRY(pm_output_write(output, zeros, piece->offset - at));
        PR_TRY(pm_output_write(output, piece->data, piece->length));
        at = piece->offset + piece->length;
    }
    return PRUNE_OK;
}
