/* SPDX-License-Identifier: BSD-2-Clause
 *
 * NumPy's npz: a ZIP file of members NAME.npy.
 */
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"
#include "model/io/npy.h"
#include "model/io/zip.h"

static int32_t read_member(prune_archive *archive, const struct pm_zip *zip, const struct pm_zip_entry *entry)
{
    size_t length = strlen(entry->name);
    unsigned char *bytes = NULL;
    prune_tensor *tensor = NULL;
    if (length < 4 || strcmp(entry->name + length - 4, ".npy") != 0)
        return pr_fail(PRUNE_E_FORMAT, "member \"%s\" is no array; names end in .npy", PM_SHOW(entry->name));
    PR_TRY(pm_zip_load(zip, entry, &bytes));
    int32_t status = pm_npy_parse(&tensor, archive->context,
                                  &(struct pm_input){.file = -1, .size = entry->unpacked, .memory = bytes});
    pr_release(zip->context, bytes);
    if (!status) {
        char *name;
        status = pr_copy_text(archive->context, entry->name, &name);
        if (!status) {
            name[length - 4] = '\0';
            status = pm_check_name(name);
            if (!status)
                status = pm_archive_put(archive, name, tensor);
            if (status == PRUNE_E_ARGUMENT)
                status = PRUNE_E_FORMAT; /* the name is the file's, not the caller's */
            pr_release(archive->context, name);
        }
    }
    if (status)
        prune_tensor_free(tensor);
    return status ? pr_fail_in(status, "member \"%s\"", PM_SHOW(entry->name)) : PRUNE_OK;
}

static int32_t read_npz(prune_archive **out, prune_context *context, const struct pm_zip *zip)
{
    prune_archive *archive;
    PR_TRY(prune_archive_create(&archive, context));
    int32_t status = PRUNE_OK;
    for (int64_t i = 0; !status && i < zip->count; i++)
        status = read_member(archive, zip, &zip->entries[i]);
    if (status)
        prune_archive_free(archive);
    else
        *out = archive;
    return status;
}

int32_t prune_npz_read(prune_archive **out, prune_context *context, const char *path)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    struct pm_zip zip;
    int32_t status = pm_zip_open(&zip, context, path);
    if (!status) {
        status = read_npz(out, context, &zip);
        pm_zip_close(&zip);
    }
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

/* Header and data in one piece. */
static int32_t make_member(unsigned char **out, int64_t *bytes, prune_context *context, const prune_tensor *tensor)
{
    char header[PM_NPY_MOST_HEADER];
    const prune_tensor *plain = NULL;
    prune_tensor *copy = NULL;
    unsigned char *made = NULL;
    int64_t length = 0, total = 0, size = prune_dtype_size(prune_tensor_dtype(tensor));
    PR_TRY(pm_npy_header(header, tensor, &length));
    int64_t data = size * prune_tensor_count(tensor);
    PR_TRY(pr_add(length, data, &total));
    PR_TRY(pm_npy_writable(&plain, &copy, tensor));
    int32_t status = pr_alloc(context, total, 1, &made);
    if (!status) {
        memcpy(made, header, (size_t)length);
        if (data > 0)
            memcpy(made + length, prune_tensor_const_data(plain), (size_t)data);
        pm_to_native(made + length, size, prune_tensor_count(tensor), 0);
        *out = made;
        *bytes = total;
    }
    prune_tensor_free(copy);
    return status;
}

int32_t pm_npz_add(struct pm_zip_writer *writer, const char *name, const prune_tensor *tensor)
{
    prune_context *context = writer->output.context;
    size_t length = strlen(name);
    unsigned char *bytes = NULL;
    int64_t count = 0;
    char *member;
    PR_TRY(make_member(&bytes, &count, context, tensor));
    int32_t status = pr_alloc(context, (int64_t)length + 5, 1, &member);
    if (!status) {
        memcpy(member, name, length);
        memcpy(member + length, ".npy", 5);
        status = pm_zip_add(writer, member, bytes, count);
        pr_release(context, member);
    }
    pr_release(context, bytes);
    return status;
}

int32_t prune_npz_write(const prune_archive *archive, const char *path, int32_t level)
{
    PR_REQUIRE(archive);
    PR_REQUIRE(path);
    if (level < 0 || level > 9)
        return pr_fail(PRUNE_E_ARGUMENT, "the level is %d; 0 (stored) to 9 are possible", (int)level);
    struct pm_zip_writer writer;
    int32_t status = pm_zip_create(&writer, archive->context, path, level);
    if (!status) {
        for (int32_t i = 0; !status && i < archive->tensors.count; i++) {
            status = pm_npz_add(&writer, archive->tensors.items[i].name, archive->tensors.items[i].tensor);
            if (status)
                status = pr_fail_in(status, "tensor \"%s\"", PM_SHOW(archive->tensors.items[i].name));
        }
        if (!status)
            status = pm_zip_commit(&writer);
        pm_zip_abandon(&writer);
    }
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}
