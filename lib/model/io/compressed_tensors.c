/* SPDX-License-Identifier: BSD-2-Clause
 *
 * compressed-tensors' sparse checkpoints: for the weight of a module P the tensors P.shape, P.compressed and P.bitmask,
 * and P.row_offsets in "sparse-bitmask". Without these it is "sparse-24-bitmask", where each 4 columns keep 2.
 */
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"

struct group {
    const prune_tensor *shape, *compressed, *bitmask, *row_offsets;
    int64_t extents[2];
};

/* P of "P.compressed": its length, or 0. */
static size_t prefix_of(const char *name)
{
    static const char end[] = ".compressed";
    size_t length = strlen(name);
    return length > sizeof end - 1 && strcmp(name + length - (sizeof end - 1), end) == 0 ? length - (sizeof end - 1)
                                                                                         : 0;
}

static int32_t find(const prune_archive *archive, const char *prefix, size_t length, const char *part,
                    const prune_tensor **out)
{
    char *name;
    size_t tail = strlen(part);
    PR_TRY(pr_alloc(archive->context, (int64_t)(length + tail + 1), 1, &name));
    memcpy(name, prefix, length);
    memcpy(name + length, part, tail + 1);
    *out = prune_archive_find(archive, name);
    pr_release(archive->context, name);
    return PRUNE_OK;
}

/* Finds the parts; *found is 0 when there is no such group. */
static int32_t find_group(const prune_archive *archive, const char *prefix, size_t length, struct group *group,
                          int *found)
{
    PR_TRY(find(archive, prefix, length, ".shape", &group->shape));
    PR_TRY(find(archive, prefix, length, ".compressed", &group->compressed));
    PR_TRY(find(archive, prefix, length, ".bitmask", &group->bitmask));
    PR_TRY(find(archive, prefix, length, ".row_offsets", &group->row_offsets));
    *found = group->shape && group->compressed && group->bitmask;
    return PRUNE_OK;
}

static int32_t read_shape(struct group *group)
{
    if (prune_tensor_dtype(group->shape) != PRUNE_I64 || prune_tensor_count(group->shape) != 2)
        return pr_fail(PRUNE_E_FORMAT, "shape is %s and has %lld elements; 2 of i64 are needed",
                       prune_dtype_name(prune_tensor_dtype(group->shape)), (long long)prune_tensor_count(group->shape));
    memcpy(group->extents, prune_tensor_const_data(group->shape), sizeof group->extents);
    if (group->extents[0] < 0 || group->extents[1] < 0)
        return pr_fail(PRUNE_E_FORMAT, "shape is %lld x %lld; extents are 0 or more", (long long)group->extents[0],
                       (long long)group->extents[1]);
    return PRUNE_OK;
}

static int has_shape(const prune_tensor *tensor, int32_t rank, const int64_t *shape)
{
    int same = prune_tensor_rank(tensor) == rank;
    for (int32_t i = 0; same && i < rank; i++)
        same = prune_tensor_shape(tensor)[i] == shape[i];
    return same;
}

static int32_t check_parts(const struct group *group, int is_24)
{
    int64_t rows = group->extents[0], columns = group->extents[1], stored = prune_tensor_count(group->compressed);
    int32_t dtype = prune_tensor_dtype(group->compressed);
    if (dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_BF16)
        return pr_fail(PRUNE_E_UNSUPPORTED, "compressed is %s; f32, f16 and bf16 are read", prune_dtype_name(dtype));
    if (prune_tensor_dtype(group->bitmask) != PRUNE_U8 ||
        !has_shape(group->bitmask, 2, (int64_t[]){rows, pr_ceil_div(columns, 8)}))
        return pr_fail(PRUNE_E_FORMAT, "bitmask must be u8 [%lld, %lld]", (long long)rows,
                       (long long)pr_ceil_div(columns, 8));
    if (is_24 && (columns % 4 != 0 || !has_shape(group->compressed, 2, (int64_t[]){rows, columns / 2})))
        return pr_fail(PRUNE_E_FORMAT, "for %lld x %lld, compressed must be [%lld, %lld], and the columns whole 4s",
                       (long long)rows, (long long)columns, (long long)rows, (long long)columns / 2);
    if (!is_24 && !has_shape(group->compressed, 1, &stored))
        return pr_fail(PRUNE_E_FORMAT, "compressed has rank %d; 1 is needed",
                       (int)prune_tensor_rank(group->compressed));
    if (!is_24 &&
        ((prune_tensor_dtype(group->row_offsets) != PRUNE_I64 && prune_tensor_dtype(group->row_offsets) != PRUNE_I32) ||
         !has_shape(group->row_offsets, 1, &rows)))
        return pr_fail(PRUNE_E_FORMAT, "row_offsets must be i64 [%lld]", (long long)rows);
    return PRUNE_OK;
}

/* How many bits the row has; a bit beyond the last column, or a group of 4 without exactly 2, is refused. */
static int32_t count_row(const unsigned char *bits, int64_t row, int64_t columns, int is_24, int64_t *count)
{
    int64_t bytes = pr_ceil_div(columns, 8);
    *count = 0;
    for (int64_t b = 0; b < bytes; b++) {
        for (int half = 0; half < 8; half += 4) {
            int kept = __builtin_popcount(bits[b] >> half & 15u);
            if (is_24 && 8 * b + half < columns && kept != 2)
                return pr_fail(PRUNE_E_FORMAT, "row %lld keeps %d of the 4 columns from %lld; 2 are needed",
                               (long long)row, kept, (long long)(8 * b + half));
            *count += kept;
        }
        if (8 * b + 8 > columns && bits[b] >> (columns - 8 * b))
            return pr_fail(PRUNE_E_FORMAT, "row %lld has a bit beyond the last of %lld columns", (long long)row,
                           (long long)columns);
    }
    return PRUNE_OK;
}

static int32_t check_bits(const struct group *group, int is_24)
{
    int64_t rows = group->extents[0], columns = group->extents[1], sum = 0, count = 0;
    const unsigned char *bits = prune_tensor_const_data(group->bitmask);
    prune_tensor *offsets = NULL;
    if (!is_24)
        PR_TRY(prune_tensor_convert(&offsets, group->row_offsets, PRUNE_I64));
    int32_t status = PRUNE_OK;
    for (int64_t row = 0; row < rows && !status; row++) {
        int64_t offset = is_24 ? 0 : ((const int64_t *)prune_tensor_const_data(offsets))[row];
        if (!is_24 && offset != sum)
            status = pr_fail(PRUNE_E_FORMAT, "row_offsets[%lld] is %lld, but the bits before count %lld",
                             (long long)row, (long long)offset, (long long)sum);
        else
            status = count_row(bits + row * pr_ceil_div(columns, 8), row, columns, is_24, &count);
        sum += count;
    }
    prune_tensor_free(offsets);
    if (!status && sum != prune_tensor_count(group->compressed))
        status = pr_fail(PRUNE_E_FORMAT, "the bitmask keeps %lld elements, but compressed has %lld", (long long)sum,
                         (long long)prune_tensor_count(group->compressed));
    return status;
}

static int32_t unpack(prune_tensor **out, prune_context *context, const struct group *group)
{
    int64_t columns = group->extents[1], size = prune_dtype_size(prune_tensor_dtype(group->compressed));
    const unsigned char *bits = prune_tensor_const_data(group->bitmask);
    const char *from = prune_tensor_const_data(group->compressed);
    prune_tensor *tensor;
    PR_TRY(prune_tensor_create(&tensor, context, prune_tensor_dtype(group->compressed), 2, group->extents));
    char *to = prune_tensor_data(tensor);
    for (int64_t row = 0; row < group->extents[0]; row++, bits += pr_ceil_div(columns, 8))
        for (int64_t column = 0; column < columns; column++, to += size)
            if (bits[column / 8] >> (column % 8) & 1) {
                memcpy(to, from, (size_t)size);
                from += size;
            }
    *out = tensor;
    return PRUNE_OK;
}

static int32_t expand_group(prune_tensor **out, const prune_archive *archive, struct group *group)
{
    int is_24 = group->row_offsets == NULL;
    PR_TRY(read_shape(group));
    PR_TRY(check_parts(group, is_24));
    PR_TRY(check_bits(group, is_24));
    return unpack(out, archive->context, group);
}

/* Puts P.weight in. */
static int32_t put_weight(prune_archive *to, const char *prefix, size_t length, prune_tensor *tensor)
{
    char *name;
    PR_TRY(pr_alloc(to->context, (int64_t)length + 8, 1, &name));
    memcpy(name, prefix, length);
    memcpy(name + length, ".weight", 8);
    int32_t status = pm_archive_put(to, name, tensor);
    if (status == PRUNE_E_ARGUMENT)
        status = PRUNE_E_FORMAT;
    pr_release(to->context, name);
    return status;
}

/* Whether `name` is P.shape, P.bitmask or P.row_offsets of a group. */
static int32_t is_part(const prune_archive *archive, const char *name, int *answer)
{
    static const char *const ends[] = {".shape", ".bitmask", ".row_offsets"};
    struct group group = {0};
    size_t length = strlen(name);
    *answer = 0;
    for (int i = 0; i < 3 && !*answer; i++) {
        size_t end = strlen(ends[i]);
        if (length > end && strcmp(name + length - end, ends[i]) == 0)
            PR_TRY(find_group(archive, name, length - end, &group, answer));
    }
    return PRUNE_OK;
}

static int32_t expand_item(prune_archive *to, const prune_archive *archive, const char *name,
                           const prune_tensor *tensor)
{
    struct group group = {0};
    prune_tensor *dense = NULL;
    size_t length = prefix_of(name);
    int found = 0;
    if (length > 0)
        PR_TRY(find_group(archive, name, length, &group, &found));
    if (!found) {
        PR_TRY(is_part(archive, name, &found));
        int32_t added = found ? PRUNE_OK : prune_archive_add(to, name, tensor);
        return added == PRUNE_E_ARGUMENT ? PRUNE_E_FORMAT : added; /* P.weight beside its own group */
    }
    int32_t status = expand_group(&dense, archive, &group);
    if (!status)
        status = put_weight(to, name, length, dense);
    if (status)
        prune_tensor_free(dense);
    return status ? pr_fail_in(status, "compressed tensor \"%.*s\"", (int)(length < 100 ? length : 100), name)
                  : PRUNE_OK;
}

int32_t prune_archive_expand(prune_archive **out, const prune_archive *archive)
{
    PR_REQUIRE(out);
    PR_REQUIRE(archive);
    prune_archive *to;
    PR_TRY(prune_archive_create(&to, archive->context));
    int32_t status = PRUNE_OK;
    for (int32_t i = 0; i < archive->tensors.count && !status; i++)
        status = expand_item(to, archive, archive->tensors.items[i].name, archive->tensors.items[i].tensor);
    for (int32_t i = 0; i < archive->texts.count && !status; i++)
        status = prune_archive_add_text(to, archive->texts.items[i].name, archive->texts.items[i].text);
    if (status)
        prune_archive_free(to);
    else
        *out = to;
    return status;
}
