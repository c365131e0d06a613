/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "tensors.h"

/* The name after "FILE.safetensors:"; NULL for none. */
static const char *tensor_name(const char *path, size_t *file_length)
{
    static const char end[] = ".safetensors:";
    const char *found = NULL;
    for (const char *at = strstr(path, end); at; at = strstr(at + 1, end))
        found = at;
    *file_length = found ? (size_t)(found - path) + sizeof end - 2 : strlen(path);
    return found ? found + sizeof end - 1 : NULL;
}

/* Copies, so that the tensor outlives the archive. */
static int take(prune_tensor **out, const prune_archive *archive, const char *file, const char *name)
{
    const prune_tensor *found = name ? prune_archive_find(archive, name) : prune_archive_tensor(archive, 0);
    if (!name && prune_archive_count(archive) != 1)
        return complain(USAGE, "%s holds %d tensors; say which: %s:NAME", file, (int)prune_archive_count(archive),
                        file);
    if (!found)
        return complain(USAGE, "%s holds no tensor \"%s\"", file, name);
    int32_t status = prune_tensor_convert(out, found, prune_tensor_dtype(found));
    return status ? complain_status(status, file) : DONE;
}

int tensor_read(prune_tensor **out, prune_context *context, const char *path)
{
    size_t length;
    const char *name = tensor_name(path, &length);
    if (!name && !name_ends(path, ".safetensors")) {
        int32_t status = prune_npy_read(out, context, path);
        return status ? complain_status(status, NULL) : DONE;
    }
    prune_archive *archive = NULL;
    char *file = malloc(length + 1);
    if (!file)
        return complain(NO_MEMORY, "out of memory for the name of a file");
    memcpy(file, path, length);
    file[length] = 0;
    int32_t status = prune_archive_read(&archive, context, file);
    int code = status ? complain_status(status, NULL) : take(out, archive, file, name);
    prune_archive_free(archive);
    free(file);
    return code;
}

int tensor_write(const prune_tensor *tensor, const char *path, const char *name)
{
    prune_archive *archive = NULL;
    int32_t status = PRUNE_OK;
    if (!name_ends(path, ".safetensors")) {
        write_begin();
        status = prune_npy_write(tensor, path);
        write_end();
        return status ? complain_status(status, NULL) : DONE;
    }
    status = prune_archive_create(&archive, prune_tensor_context(tensor));
    if (!status)
        status = prune_archive_add(archive, name, tensor);
    if (!status) {
        write_begin();
        status = prune_archive_write(archive, path);
        write_end();
    }
    prune_archive_free(archive);
    return status ? complain_status(status, NULL) : DONE;
}

int mask_read(prune_mask **out, prune_context *context, const char *path)
{
    prune_tensor *bytes = NULL;
    int code = tensor_read(&bytes, context, path);
    if (code)
        return code;
    int32_t status = prune_mask_from_bool(out, bytes);
    prune_tensor_free(bytes);
    return status ? complain_status(status, path) : DONE;
}

int mask_write(const prune_mask *mask, prune_context *context, const char *path)
{
    prune_tensor *bytes = NULL;
    int32_t status = prune_tensor_create(&bytes, context, PRUNE_BOOL, prune_mask_rank(mask), prune_mask_shape(mask));
    if (!status)
        status = prune_mask_to_bytes(mask, prune_tensor_data(bytes), prune_mask_count(mask));
    int code = status ? complain_status(status, NULL) : tensor_write(bytes, path, "mask");
    prune_tensor_free(bytes);
    return code;
}

const char *place_text(char out[PLACE_SIZE], int32_t rank, const int64_t *shape, int64_t position)
{
    int64_t index[PRUNE_MAX_RANK];
    size_t length = 1;
    for (int32_t i = rank - 1; i >= 0; i--) {
        index[i] = position % shape[i];
        position /= shape[i];
    }
    strcpy(out, "(");
    for (int32_t i = 0; i < rank; i++)
        length += (size_t)snprintf(out + length, PLACE_SIZE - length, "%s%lld", i ? ", " : "", (long long)index[i]);
    snprintf(out + length, PLACE_SIZE - length, ")");
    return out;
}
