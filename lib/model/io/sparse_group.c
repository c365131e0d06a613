/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A sparse tensor in an archive: NAME.<part> for each part of its format, NAME.shape, and the canonical spec under the
 * key prune.format.NAME.
 */
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"

#define VERSION_KEY "prune.version"
#define VERSION "1"
#define FORMAT_KEY "prune.format."
#define MOST_PARTS 4

static const struct format {
    const char *kind;
    const char *parts[MOST_PARTS]; /* in the order of prune/sparse.h */
} formats[] = {
    {"csr", {"indptr", "indices", "values"}}, {"nm", {"values", "positions"}},
    {"bsr", {"indptr", "indices", "values"}}, {"dense", {"values"}},
    {"csc", {"indptr", "indices", "values"}}, {"bitmap", {"compressed", "bitmask", "row_offsets"}},
    {"coo", {"rows", "columns", "values"}},   {"codebook", {"indptr", "gaps", "codes", "codebook"}},
};

static int32_t join(prune_context *context, const char *head, const char *tail, char **out)
{
    size_t first = strlen(head), second = strlen(tail);
    char *joined;
    PR_TRY(pr_alloc(context, (int64_t)(first + second + 1), 1, &joined));
    memcpy(joined, head, first);
    memcpy(joined + first, tail, second + 1);
    *out = joined;
    return PRUNE_OK;
}

/* "NAME.part". */
static int32_t part_name(prune_context *context, const char *name, const char *part, char **out)
{
    char *dotted;
    PR_TRY(join(context, name, ".", &dotted));
    int32_t status = join(context, dotted, part, out);
    pr_release(context, dotted);
    return status;
}

/* All that one sparse tensor puts into an archive. */
struct group {
    int32_t count; /* of tensors */
    char *names[MOST_PARTS + 1];
    const prune_tensor *tensors[MOST_PARTS + 1];
    char *key;
    int64_t extents[PRUNE_MAX_RANK];
    prune_tensor *shape;
};

static void free_group(prune_context *context, struct group *group)
{
    for (int32_t i = 0; i < group->count; i++)
        pr_release(context, group->names[i]);
    pr_release(context, group->key);
    prune_tensor_free(group->shape);
}

static int32_t make_group(struct group *group, prune_context *context, const char *name, const prune_sparse *sparse)
{
    int64_t rank = prune_sparse_rank(sparse);
    int32_t parts = prune_sparse_part_count(sparse);
    memcpy(group->extents, prune_sparse_shape(sparse), (size_t)rank * sizeof *group->extents);
    PR_TRY(prune_tensor_borrow(&group->shape, context, group->extents, PRUNE_I64, 1, &rank, NULL));
    PR_TRY(join(context, FORMAT_KEY, name, &group->key));
    for (int32_t i = 0; i <= parts; i++) {
        group->tensors[i] = i < parts ? prune_sparse_part(sparse, i) : group->shape;
        PR_TRY(part_name(context, name, i < parts ? prune_sparse_part_name(sparse, i) : "shape", &group->names[i]));
        group->count++;
    }
    return PRUNE_OK;
}

/* No name of the group may be taken, so that what was put in can be taken out again. */
static int32_t check_free(const prune_archive *archive, const struct group *group)
{
    const char *version = prune_archive_text(archive, VERSION_KEY), *taken = NULL;
    if (version && strcmp(version, VERSION) != 0)
        return pr_fail(PRUNE_E_ARGUMENT, "the archive has " VERSION_KEY " \"%s\"; only to " VERSION " can be added",
                       PM_SHOW(version));
    if (prune_archive_text(archive, group->key))
        taken = group->key;
    for (int32_t i = 0; i < group->count; i++)
        if (prune_archive_find(archive, group->names[i]))
            taken = group->names[i];
    if (taken)
        return pr_fail(PRUNE_E_ARGUMENT, "\"%s\" is in the archive already; names must differ", PM_SHOW(taken));
    return PRUNE_OK;
}

static int32_t add_group(prune_archive *archive, const struct group *group, const char *spec)
{
    int had_version = prune_archive_text(archive, VERSION_KEY) != NULL;
    PR_TRY(check_free(archive, group));
    int32_t status = had_version ? PRUNE_OK : prune_archive_add_text(archive, VERSION_KEY, VERSION);
    if (status)
        return status;
    for (int32_t i = 0; !status && i < group->count; i++)
        status = prune_archive_add(archive, group->names[i], group->tensors[i]);
    if (!status)
        status = prune_archive_add_text(archive, group->key, spec);
    if (status) {
        for (int32_t i = 0; i < group->count; i++)
            pm_archive_remove(archive, group->names[i]);
        if (!had_version)
            pm_archive_remove_text(archive, VERSION_KEY);
    }
    return status;
}

int32_t prune_archive_add_sparse(prune_archive *archive, const char *name, const prune_sparse *sparse)
{
    PR_REQUIRE(archive);
    PR_REQUIRE(name);
    PR_REQUIRE(sparse);
    PR_TRY(pm_check_name(name));
    struct group group = {0};
    int32_t status = make_group(&group, archive->context, name, sparse);
    if (!status)
        status = add_group(archive, &group, prune_sparse_spec(sparse));
    free_group(archive->context, &group);
    return status;
}

static const struct format *format_of(const char *spec)
{
    size_t length = strcspn(spec, ":");
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strlen(formats[i].kind) == length && memcmp(formats[i].kind, spec, length) == 0)
            return &formats[i];
    return NULL;
}

static int32_t find_part(const prune_archive *archive, const char *name, const char *part, const prune_tensor **tensor)
{
    char *full;
    PR_TRY(part_name(archive->context, name, part, &full));
    *tensor = prune_archive_find(archive, full);
    pr_release(archive->context, full);
    return *tensor ? PRUNE_OK : pr_fail(PRUNE_E_FORMAT, "the part %s is missing", part);
}

static int32_t find_shape(const prune_archive *archive, const char *name, int32_t *rank, const int64_t **shape)
{
    const prune_tensor *tensor = NULL;
    PR_TRY(find_part(archive, name, "shape", &tensor));
    if (prune_tensor_dtype(tensor) != PRUNE_I64 || prune_tensor_rank(tensor) != 1)
        return pr_fail(PRUNE_E_FORMAT, "shape is %s of rank %d; i64 of rank 1 is needed",
                       prune_dtype_name(prune_tensor_dtype(tensor)), (int)prune_tensor_rank(tensor));
    if (prune_tensor_count(tensor) > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_UNSUPPORTED, "shape has %lld extents; at most %d are possible",
                       (long long)prune_tensor_count(tensor), PRUNE_MAX_RANK);
    *rank = (int32_t)prune_tensor_count(tensor);
    *shape = prune_tensor_const_data(tensor);
    return PRUNE_OK;
}

/* What is wrong with the arguments of an import is wrong with the file here. */
static int32_t as_file(int32_t status)
{
    switch (status) {
    case PRUNE_E_ARGUMENT:
    case PRUNE_E_SHAPE:
    case PRUNE_E_DTYPE:
    case PRUNE_E_SPEC:
    case PRUNE_E_VALUE:
    case PRUNE_E_OVERFLOW:
        return PRUNE_E_FORMAT;
    default:
        return status;
    }
}

static int32_t import(prune_sparse **out, const prune_archive *archive, const char *name, const char *spec)
{
    const char *version = prune_archive_text(archive, VERSION_KEY);
    const struct format *format = format_of(spec);
    const prune_tensor *parts[MOST_PARTS] = {NULL};
    const int64_t *shape = NULL;
    int32_t rank = 0, count = 0;
    if (!version)
        return pr_fail(PRUNE_E_FORMAT, "the key " VERSION_KEY " is missing; \"" VERSION "\" is needed");
    if (strcmp(version, VERSION) != 0)
        return pr_fail(PRUNE_E_UNSUPPORTED, VERSION_KEY " is \"%s\"; this version reads " VERSION, PM_SHOW(version));
    if (!format)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "the format \"%s\" is not known; csr, nm, bsr, dense, csc, bitmap, coo and codebook are",
                       PM_SHOW(spec));
    PR_TRY(find_shape(archive, name, &rank, &shape));
    for (; count < MOST_PARTS && format->parts[count]; count++)
        PR_TRY(find_part(archive, name, format->parts[count], &parts[count]));
    return as_file(prune_sparse_import(out, archive->context, spec, rank, shape, parts, count));
}

int32_t prune_archive_find_sparse(prune_sparse **out, const prune_archive *archive, const char *name)
{
    PR_REQUIRE(out);
    PR_REQUIRE(archive);
    PR_REQUIRE(name);
    char *key;
    PR_TRY(join(archive->context, FORMAT_KEY, name, &key));
    const char *spec = prune_archive_text(archive, key);
    pr_release(archive->context, key);
    if (!spec)
        return pr_fail(PRUNE_E_NOTFOUND, "the archive has no sparse tensor \"%s\"", PM_SHOW(name));
    int32_t status = import(out, archive, name, spec);
    return status ? pr_fail_in(status, "sparse tensor \"%s\"", PM_SHOW(name)) : PRUNE_OK;
}
