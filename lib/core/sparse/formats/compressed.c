/* SPDX-License-Identifier: BSD-2-Clause */
#include "core/sparse/formats/compressed.h"

#define CHUNK 512

int32_t pr_compressed_add(struct prune_sparse *sparse, struct pr_compressed *to, int32_t pointers_part,
                          int32_t indices_part, int64_t stored)
{
    const int64_t pointers = to->lines + 1;
    PR_TRY(pr_sparse_add_part(sparse, pointers_part, PRUNE_I64, 1, &pointers));
    PR_TRY(pr_sparse_add_part(sparse, indices_part, PRUNE_I32, 1, &stored));
    to->pointers = prune_tensor_data(sparse->parts[pointers_part]);
    to->indices = prune_tensor_data(sparse->parts[indices_part]);
    return PRUNE_OK;
}

static int32_t check_index_type(const struct pr_compressed *to, const prune_tensor *part, const char *name)
{
    if (part->dtype == PRUNE_I32 || part->dtype == PRUNE_I64)
        return PRUNE_OK;
    return pr_fail(PRUNE_E_DTYPE, "%s: part \"%s\" is of type %s; it must be i32 or i64", to->format, name,
                   prune_dtype_name(part->dtype));
}

static int32_t import_pointers(const struct pr_compressed *to, const char *name, const prune_tensor *part,
                               int64_t stored)
{
    int64_t previous = 0;
    struct pr_walk walk;
    pr_walk_start(&walk, part);
    while (walk.count) {
        int64_t pointers[CHUNK], count = walk.count < CHUNK ? walk.count : CHUNK;
        pr_read_i64(part->dtype, walk.data, walk.stride, count, pointers);
        for (int64_t i = 0; i < count; i++) {
            int64_t at = walk.position + i, pointer = pointers[i];
            if (at == 0 && pointer != 0)
                return pr_fail(PRUNE_E_FORMAT, "%s: %s[0] is %lld; it must be 0", to->format, name, (long long)pointer);
            if (pointer < previous)
                return pr_fail(PRUNE_E_FORMAT, "%s: %s[%lld] is %lld, after %lld; it must not decrease", to->format,
                               name, (long long)at, (long long)pointer, (long long)previous);
            if (pointer > stored || (at == to->lines && pointer != stored))
                return pr_fail(PRUNE_E_FORMAT, "%s: %s[%lld] is %lld; there are %lld indices, where it must end",
                               to->format, name, (long long)at, (long long)pointer, (long long)stored);
            to->pointers[at] = previous = pointer;
        }
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

static int32_t import_indices(const struct pr_compressed *to, const char *name, const prune_tensor *part)
{
    int64_t line = 0, previous = -1;
    struct pr_walk walk;
    pr_walk_start(&walk, part);
    while (walk.count) {
        int64_t indices[CHUNK], count = walk.count < CHUNK ? walk.count : CHUNK;
        pr_read_i64(part->dtype, walk.data, walk.stride, count, indices);
        for (int64_t i = 0; i < count; i++) {
            int64_t at = walk.position + i, index = indices[i];
            for (; at == to->pointers[line + 1]; previous = -1)
                line++;
            if (index < 0 || index >= to->width)
                return pr_fail(PRUNE_E_FORMAT, "%s: %s[%lld] in %s %lld is %s %lld; there are %lld %ss", to->format,
                               name, (long long)at, to->line, (long long)line, to->index, (long long)index,
                               (long long)to->width, to->index);
            if (index <= previous)
                return pr_fail(PRUNE_E_FORMAT,
                               "%s: %s[%lld] in %s %lld is %s %lld, after %lld; %ss must ascend within a %s, each once",
                               to->format, name, (long long)at, to->line, (long long)line, to->index, (long long)index,
                               (long long)previous, to->index, to->line);
            to->indices[at] = (int32_t)index;
            previous = index;
        }
        pr_walk_skip(&walk, count);
    }
    return PRUNE_OK;
}

int32_t pr_compressed_import(struct prune_sparse *sparse, struct pr_compressed *to, int32_t pointers_part,
                             int32_t indices_part, const prune_tensor *const *parts)
{
    const char *pointers_name = sparse->format->part_names[pointers_part];
    const char *indices_name = sparse->format->part_names[indices_part];
    const int64_t pointers = to->lines + 1, stored = parts[indices_part]->count;
    PR_TRY(check_index_type(to, parts[pointers_part], pointers_name));
    PR_TRY(check_index_type(to, parts[indices_part], indices_name));
    PR_TRY(pr_sparse_check_part(sparse, pointers_part, parts[pointers_part], 1, &pointers));
    PR_TRY(pr_sparse_check_part(sparse, indices_part, parts[indices_part], 1, &stored));
    if (stored > to->lines * to->width)
        return pr_fail(PRUNE_E_FORMAT, "%s: %lld indices for a matrix of %lld x %lld%s; it cannot have more than that",
                       to->format, (long long)stored, (long long)to->lines, (long long)to->width, to->cells);
    PR_TRY(pr_compressed_add(sparse, to, pointers_part, indices_part, stored));
    PR_TRY(import_pointers(to, pointers_name, parts[pointers_part], stored));
    return import_indices(to, indices_name, parts[indices_part]);
}
