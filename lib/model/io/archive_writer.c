/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The head is written when the first tensor comes; each tensor then has its place, whatever the order they come in.
 */
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"
#include "model/io/safetensors.h"

#define STRETCH 65536 /* as many zero bytes become a hole */

struct prune_archive_writer {
    prune_context *context;
    struct pm_output output;
    char *path;
    struct pm_entries tensors, texts; /* names and texts are the writer's */
    int64_t head_bytes, bytes;        /* of the head, 0 before it is written; of the whole file */
    int is_done;                      /* committed, or failed and useless */
};

int32_t prune_archive_writer_open(prune_archive_writer **out, prune_context *context, const char *path)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    prune_archive_writer *writer;
    PR_TRY(pr_alloc_zero(context, 1, (int64_t)sizeof *writer, &writer));
    writer->context = prune_context_retain(context);
    int32_t status = pr_copy_text(context, path, &writer->path);
    if (!status) {
        status = pm_output_open(&writer->output, context, path);
        if (status) {
            status = pr_fail_in(status, "%s", PM_SHOW(path));
            pr_release(context, writer->path);
        }
    }
    if (status) {
        pr_release(context, writer);
        prune_context_free(context);
        return status;
    }
    *out = writer;
    return PRUNE_OK;
}

static void free_entries(prune_context *context, struct pm_entries *entries)
{
    for (int64_t i = 0; i < entries->count; i++) {
        pr_release(context, (char *)(uintptr_t)entries->all[i].name);
        pr_release(context, (char *)(uintptr_t)entries->all[i].text);
    }
    pr_release(context, entries->all);
}

void prune_archive_writer_free(prune_archive_writer *writer)
{
    if (!writer)
        return;
    prune_context *context = writer->context;
    pm_output_close(&writer->output);
    free_entries(context, &writer->tensors);
    free_entries(context, &writer->texts);
    pr_release(context, writer->path);
    pr_release(context, writer);
    prune_context_free(context);
}

static int32_t add(prune_archive_writer *writer, struct pm_entries *entries, const char *name, struct pm_entry **entry)
{
    char *copy;
    if (writer->head_bytes > 0 || writer->is_done)
        return pr_fail(PRUNE_E_ARGUMENT, "\"%s\" comes too late: a tensor was put already", PM_SHOW(name));
    PR_TRY(pm_check_name(name));
    PR_TRY(pr_copy_text(writer->context, name, &copy));
    int32_t status = pm_entries_add(writer->context, entries, entry);
    if (status)
        pr_release(writer->context, copy);
    else
        (*entry)->name = copy;
    return status;
}

/* Names that come in order need no search. */
static int is_taken(const struct pm_entries *entries, const char *name)
{
    if (entries->count == 0 || strcmp(entries->all[entries->count - 1].name, name) < 0)
        return 0;
    for (int64_t i = 0; i < entries->count; i++)
        if (strcmp(entries->all[i].name, name) == 0)
            return 1;
    return 0;
}

static int32_t require_free(const struct pm_entries *entries, const char *name)
{
    return is_taken(entries, name)
               ? pr_fail(PRUNE_E_ARGUMENT, "\"%s\" is declared already; names must differ", PM_SHOW(name))
               : PRUNE_OK;
}

int32_t prune_archive_writer_text(prune_archive_writer *writer, const char *key, const char *text)
{
    PR_REQUIRE(writer);
    PR_REQUIRE(key);
    PR_REQUIRE(text);
    struct pm_entry *entry = NULL;
    char *copy;
    if (!pm_is_utf8(text, (int64_t)strlen(text)))
        return pr_fail(PRUNE_E_ARGUMENT, "the text of \"%s\" is not UTF-8", PM_SHOW(key));
    PR_TRY(require_free(&writer->texts, key));
    PR_TRY(pr_copy_text(writer->context, text, &copy));
    int32_t status = add(writer, &writer->texts, key, &entry);
    if (status)
        pr_release(writer->context, copy);
    else
        entry->text = copy;
    return status;
}

int32_t prune_archive_writer_declare(prune_archive_writer *writer, const char *name, int32_t dtype, int32_t rank,
                                     const int64_t *shape)
{
    PR_REQUIRE(writer);
    PR_REQUIRE(name);
    struct pm_entry *entry = NULL;
    int64_t bytes = 0;
    if (prune_dtype_size(dtype) == 0)
        return pr_fail(PRUNE_E_DTYPE, "tensor \"%s\": %d is no dtype", PM_SHOW(name), (int)dtype);
    if (rank < 0 || rank > PRUNE_MAX_RANK)
        return pr_fail(PRUNE_E_SHAPE, "tensor \"%s\": rank %d; 0 to %d are possible", PM_SHOW(name), (int)rank,
                       PRUNE_MAX_RANK);
    if (rank > 0)
        PR_REQUIRE(shape);
    PR_TRY(pr_count(rank, shape, &bytes));
    PR_TRY(require_free(&writer->tensors, name));
    PR_TRY(add(writer, &writer->tensors, name, &entry));
    entry->dtype = dtype;
    entry->rank = rank;
    for (int32_t i = 0; i < rank; i++)
        entry->shape[i] = shape[i];
    return PRUNE_OK;
}

/* Sorts what was declared and writes the head. */
static int32_t begin(prune_archive_writer *writer)
{
    char *head;
    int64_t length = 0;
    if (writer->head_bytes > 0)
        return PRUNE_OK;
    PR_TRY(pm_entries_sort(&writer->texts, "metadata"));
    PR_TRY(pm_entries_sort(&writer->tensors, "tensor"));
    PR_TRY(pm_safetensors_head(&head, &length, writer->context, &writer->tensors, &writer->texts));
    int32_t status = pm_output_write(&writer->output, head, length);
    pr_release(writer->context, head);
    PR_TRY(status);
    writer->head_bytes = writer->bytes = length;
    for (int64_t i = 0; i < writer->tensors.count; i++)
        if (length + writer->tensors.all[i].end > writer->bytes)
            writer->bytes = length + writer->tensors.all[i].end;
    return PRUNE_OK;
}

static int32_t check_put(const struct pm_entry *entry, const prune_tensor *tensor)
{
    if (entry->was_put)
        return pr_fail(PRUNE_E_ARGUMENT, "tensor \"%s\" was put already", PM_SHOW(entry->name));
    if (prune_tensor_dtype(tensor) != entry->dtype)
        return pr_fail(PRUNE_E_DTYPE, "tensor \"%s\" is %s; it was declared as %s", PM_SHOW(entry->name),
                       prune_dtype_name(prune_tensor_dtype(tensor)), prune_dtype_name(entry->dtype));
    int same = prune_tensor_rank(tensor) == entry->rank;
    for (int32_t i = 0; same && i < entry->rank; i++)
        same = prune_tensor_shape(tensor)[i] == entry->shape[i];
    if (!same)
        return pr_fail(PRUNE_E_SHAPE, "tensor \"%s\" has another shape than was declared", PM_SHOW(entry->name));
    return PRUNE_OK;
}

static int is_zero(const char *bytes, int64_t count)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)count - 1) == 0;
}

static int32_t write_tensor(prune_archive_writer *writer, int64_t at, const prune_tensor *tensor)
{
    int64_t size = prune_dtype_size(prune_tensor_dtype(tensor)), bytes = size * prune_tensor_count(tensor), done = 0;
    const char *data = prune_tensor_const_data(tensor);
    for (int skipped = 1; done < bytes;) {
        int64_t stretch = bytes - done < STRETCH ? bytes - done : STRETCH;
        if (stretch == STRETCH && is_zero(data + done, stretch)) {
            skipped = 1;
        } else {
            if (skipped)
                PR_TRY(pm_output_seek(&writer->output, at + done));
            skipped = 0;
            PR_TRY(pm_output_elements(&writer->output, data + done, size, stretch / size));
        }
        done += stretch;
    }
    return PRUNE_OK;
}

int32_t prune_archive_writer_put(prune_archive_writer *writer, const char *name, const prune_tensor *tensor)
{
    PR_REQUIRE(writer);
    PR_REQUIRE(name);
    PR_REQUIRE(tensor);
    prune_tensor *copy = NULL;
    if (writer->is_done)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: nothing more can be put: it is written, or writing failed",
                       PM_SHOW(writer->path));
    int32_t begun = begin(writer);
    if (begun) {
        writer->is_done = begun != PRUNE_E_ARGUMENT;
        return pr_fail_in(begun, "%s", PM_SHOW(writer->path));
    }
    int64_t found = pm_entries_find(&writer->tensors, name);
    if (found < 0)
        return pr_fail(PRUNE_E_ARGUMENT, "tensor \"%s\" was not declared", PM_SHOW(name));
    struct pm_entry *entry = &writer->tensors.all[found];
    PR_TRY(check_put(entry, tensor));
    if (entry->dtype == PRUNE_BOOL || !prune_tensor_is_contiguous(tensor))
        PR_TRY(prune_tensor_convert(&copy, tensor, entry->dtype));
    int32_t status = write_tensor(writer, writer->head_bytes + entry->begin, copy ? copy : tensor);
    prune_tensor_free(copy);
    if (status) {
        writer->is_done = 1;
        return pr_fail_in(status, "%s", PM_SHOW(writer->path));
    }
    entry->was_put = 1;
    return PRUNE_OK;
}

static int32_t finish(prune_archive_writer *writer)
{
    for (int64_t i = 0; i < writer->tensors.count; i++)
        if (!writer->tensors.all[i].was_put)
            return pr_fail(PRUNE_E_ARGUMENT, "tensor \"%s\" was declared, but not put",
                           PM_SHOW(writer->tensors.all[i].name));
    PR_TRY(pm_output_extend(&writer->output, writer->bytes));
    return pm_output_commit(&writer->output);
}

int32_t prune_archive_writer_commit(prune_archive_writer *writer)
{
    PR_REQUIRE(writer);
    if (writer->is_done)
        return pr_fail(PRUNE_E_ARGUMENT, "%s: it is written already, or writing failed", PM_SHOW(writer->path));
    int32_t status = begin(writer);
    if (!status)
        status = finish(writer);
    if (status != PRUNE_E_ARGUMENT)
        writer->is_done = 1;
    return status ? pr_fail_in(status, "%s", PM_SHOW(writer->path)) : PRUNE_OK;
}

static int32_t write_all(prune_archive_writer *writer, const prune_archive *archive)
{
    for (int32_t i = 0; i < archive->texts.count; i++)
        PR_TRY(prune_archive_writer_text(writer, archive->texts.items[i].name, archive->texts.items[i].text));
    for (int32_t i = 0; i < archive->tensors.count; i++) {
        const prune_tensor *tensor = archive->tensors.items[i].tensor;
        PR_TRY(prune_archive_writer_declare(writer, archive->tensors.items[i].name, prune_tensor_dtype(tensor),
                                            prune_tensor_rank(tensor), prune_tensor_shape(tensor)));
    }
    for (const int32_t *dtype = pm_safetensors_order; *dtype; dtype++)
        for (int32_t i = 0; i < archive->tensors.count; i++)
            if (prune_tensor_dtype(archive->tensors.items[i].tensor) == *dtype)
                PR_TRY(
                    prune_archive_writer_put(writer, archive->tensors.items[i].name, archive->tensors.items[i].tensor));
    return prune_archive_writer_commit(writer);
}

int32_t prune_archive_write(const prune_archive *archive, const char *path)
{
    PR_REQUIRE(archive);
    PR_REQUIRE(path);
    prune_archive_writer *writer = NULL;
    PR_TRY(prune_archive_writer_open(&writer, archive->context, path));
    int32_t status = write_all(writer, archive);
    prune_archive_writer_free(writer);
    return status;
}
