/* SPDX-License-Identifier: BSD-2-Clause
 *
 * One file, or the files of an index ({"metadata": ..., "weight_map": {"TENSOR": "FILE", ...}}). Of several files one
 * is open at a time: there may be more of them than a process may have open.
 */
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"
#include "model/io/safetensors.h"

#define MOST_FILES 10000

struct prune_archive_reader {
    prune_context *context;
    char *index;           /* the index's text, in which its names lie; NULL without */
    struct pm_entries map; /* of the index: tensor and file */
    int32_t files, open;   /* how many; which is open, -1 for none */
    struct pm_safetensors *file;
    char **path;
    struct pm_entries tensors, texts; /* of all files */
};

static int32_t add_file(prune_archive_reader *reader, const char *path)
{
    int32_t at = reader->files;
    int32_t status = pr_copy_text(reader->context, path, &reader->path[at]);
    if (!status) {
        status = pm_safetensors_open(&reader->file[at], reader->context, path);
        if (status)
            pr_release(reader->context, reader->path[at]);
    }
    if (status)
        return pr_fail_in(status, "%s", PM_SHOW(path));
    reader->files++;
    return PRUNE_OK;
}

static int32_t reserve(prune_archive_reader *reader, int64_t files)
{
    PR_TRY(pr_alloc_zero(reader->context, files, (int64_t)sizeof *reader->file, &reader->file));
    return pr_alloc_zero(reader->context, files, (int64_t)sizeof *reader->path, &reader->path);
}

/* The lists of all files in one. */
static int32_t merge(prune_archive_reader *reader)
{
    struct pm_entry *entry;
    for (int32_t f = 0; f < reader->files; f++) {
        const struct pm_safetensors *file = &reader->file[f];
        for (int64_t i = 0; i < file->tensors.count; i++) {
            PR_TRY(pm_entries_add(reader->context, &reader->tensors, &entry));
            *entry = file->tensors.all[i];
            entry->file = f;
        }
        int64_t before = reader->texts.count;
        for (int64_t i = 0; i < file->texts.count; i++) {
            int taken = 0;
            for (int64_t k = 0; !taken && k < before; k++)
                taken = strcmp(reader->texts.all[k].name, file->texts.all[i].name) == 0;
            if (taken)
                continue;
            PR_TRY(pm_entries_add(reader->context, &reader->texts, &entry));
            *entry = file->texts.all[i];
        }
    }
    PR_TRY(pm_entries_sort(&reader->texts, "metadata"));
    return pm_entries_sort(&reader->tensors, "tensor");
}

static int32_t parse_map(prune_archive_reader *reader, struct pm_json *json)
{
    PR_TRY(pm_json_expect(json, '{', "at the start of weight_map"));
    if (pm_json_take(json, '}'))
        return PRUNE_OK;
    do {
        char *name, *file;
        struct pm_entry *entry;
        PR_TRY(pm_json_string(json, &name, "as the name of a tensor"));
        PR_TRY(pm_json_expect(json, ':', "after the name of a tensor"));
        PR_TRY(pm_json_string(json, &file, "as the name of a file"));
        if (!file[0] || strchr(file, '/') || strcmp(file, ".") == 0 || strcmp(file, "..") == 0)
            return pr_fail(PRUNE_E_FORMAT,
                           "tensor \"%s\" is said to be in \"%s\"; the name of a file beside the index "
                           "is needed",
                           PM_SHOW(name), PM_SHOW(file));
        PR_TRY(pm_entries_add(reader->context, &reader->map, &entry));
        entry->name = name;
        entry->text = file;
    } while (pm_json_take(json, ','));
    return pm_json_expect(json, '}', "at the end of weight_map");
}

static int32_t parse_index(prune_archive_reader *reader, struct pm_json *json)
{
    int seen = 0;
    PR_TRY(pm_json_expect(json, '{', "at the start of the index"));
    if (!pm_json_take(json, '}')) {
        do {
            char *key;
            PR_TRY(pm_json_string(json, &key, "as a key"));
            PR_TRY(pm_json_expect(json, ':', "after a key"));
            if (strcmp(key, "weight_map") != 0) {
                PR_TRY(pm_json_skip(json));
                continue;
            }
            if (seen++)
                return pr_fail(PRUNE_E_FORMAT, "a duplicate key: weight_map stands twice");
            PR_TRY(parse_map(reader, json));
        } while (pm_json_take(json, ','));
        PR_TRY(pm_json_expect(json, '}', "at the end of the index"));
    }
    PR_TRY(pm_json_end(json));
    if (!seen)
        return pr_fail(PRUNE_E_FORMAT, "weight_map is missing; it says which tensor is in which file");
    return pm_entries_sort(&reader->map, "tensor");
}

static int32_t read_index(prune_archive_reader *reader, const char *path)
{
    struct pm_input file;
    PR_TRY(pm_input_open(&file, path));
    int32_t status = file.size <= PM_SAFETENSORS_MOST_HEADER
                         ? pm_input_load(&file, reader->context, &reader->index)
                         : pr_fail(PRUNE_E_FORMAT, "it has %lld bytes; an index has at most %d", (long long)file.size,
                                   PM_SAFETENSORS_MOST_HEADER);
    pm_input_close(&file);
    if (!status)
        status = parse_index(reader, &(struct pm_json){.text = reader->index, .length = file.size});
    return status;
}

/* FOLDER of `path`, then `name`. */
static int32_t beside(prune_context *context, const char *path, const char *name, char **out)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0, length = strlen(name);
    char *joined;
    PR_TRY(pr_alloc(context, (int64_t)(folder + length + 1), 1, &joined));
    memcpy(joined, path, folder);
    memcpy(joined + folder, name, length + 1);
    *out = joined;
    return PRUNE_OK;
}

/* Numbers the map's files in the order in which its tensors name them. */
static int32_t number_files(prune_archive_reader *reader, int64_t *count)
{
    const char **names;
    int64_t files = 0;
    PR_TRY(pr_alloc(reader->context, MOST_FILES, (int64_t)sizeof *names, &names));
    for (int64_t i = 0; i < reader->map.count && files <= MOST_FILES; i++) {
        struct pm_entry *entry = &reader->map.all[i];
        int64_t file = 0;
        while (file < files && strcmp(names[file], entry->text) != 0)
            file++;
        if (file == files && files++ < MOST_FILES)
            names[file] = entry->text;
        entry->file = (int32_t)file;
    }
    pr_release(reader->context, names);
    if (files > MOST_FILES)
        return pr_fail(PRUNE_E_UNSUPPORTED, "the index names more than %d files", MOST_FILES);
    *count = files;
    return PRUNE_OK;
}

static int32_t open_files(prune_archive_reader *reader, const char *path)
{
    for (int64_t i = 0; i < reader->map.count; i++) {
        char *full;
        if (reader->map.all[i].file != reader->files)
            continue;
        PR_TRY(beside(reader->context, path, reader->map.all[i].text, &full));
        int32_t status = add_file(reader, full);
        pr_release(reader->context, full);
        PR_TRY(status);
        pm_safetensors_rest(&reader->file[reader->files - 1]);
    }
    return PRUNE_OK;
}

/* The index names each tensor of its files, and no other. */
static int32_t check_map(const prune_archive_reader *reader)
{
    for (int64_t i = 0; i < reader->map.count; i++) {
        const struct pm_entry *entry = &reader->map.all[i];
        int64_t found = pm_entries_find(&reader->tensors, entry->name);
        if (found < 0 || reader->tensors.all[found].file != entry->file)
            return pr_fail(PRUNE_E_FORMAT, "tensor \"%s\" is not in \"%s\", where the index has it",
                           PM_SHOW(entry->name), PM_SHOW(entry->text));
    }
    for (int64_t i = 0; i < reader->tensors.count; i++)
        if (pm_entries_find(&reader->map, reader->tensors.all[i].name) < 0)
            return pr_fail(PRUNE_E_FORMAT, "tensor \"%s\" is in one of the files, but not in the index",
                           PM_SHOW(reader->tensors.all[i].name));
    return PRUNE_OK;
}

static int32_t open_index(prune_archive_reader *reader, const char *path)
{
    int64_t files = 0;
    int32_t status = read_index(reader, path);
    if (!status)
        status = number_files(reader, &files);
    if (status)
        return pr_fail_in(status, "%s", PM_SHOW(path));
    PR_TRY(reserve(reader, files));
    PR_TRY(open_files(reader, path));
    status = merge(reader);
    if (!status)
        status = check_map(reader);
    return status ? pr_fail_in(status, "%s", PM_SHOW(path)) : PRUNE_OK;
}

static int32_t open_one(prune_archive_reader *reader, const char *path)
{
    PR_TRY(reserve(reader, 1));
    PR_TRY(add_file(reader, path));
    reader->open = 0;
    return merge(reader);
}

int32_t prune_archive_reader_open(prune_archive_reader **out, prune_context *context, const char *path)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    prune_archive_reader *reader;
    size_t length = strlen(path);
    PR_TRY(pr_alloc_zero(context, 1, (int64_t)sizeof *reader, &reader));
    reader->context = prune_context_retain(context);
    reader->open = -1;
    int32_t status =
        length > 5 && strcmp(path + length - 5, ".json") == 0 ? open_index(reader, path) : open_one(reader, path);
    if (status)
        prune_archive_reader_free(reader);
    else
        *out = reader;
    return status;
}

void prune_archive_reader_free(prune_archive_reader *reader)
{
    if (!reader)
        return;
    prune_context *context = reader->context;
    for (int32_t i = 0; i < reader->files; i++) {
        pm_safetensors_close(&reader->file[i]);
        pr_release(context, reader->path[i]);
    }
    pr_release(context, reader->file);
    pr_release(context, reader->path);
    pr_release(context, reader->tensors.all);
    pr_release(context, reader->texts.all);
    pr_release(context, reader->map.all);
    pr_release(context, reader->index);
    pr_release(context, reader);
    prune_context_free(context);
}

static const struct pm_entry *entry_of(const prune_archive_reader *reader, int32_t index)
{
    return reader && index >= 0 && index < reader->tensors.count ? &reader->tensors.all[index] : NULL;
}

int32_t prune_archive_reader_count(const prune_archive_reader *reader)
{
    return reader ? (int32_t)reader->tensors.count : 0;
}

const char *prune_archive_reader_name(const prune_archive_reader *reader, int32_t index)
{
    const struct pm_entry *entry = entry_of(reader, index);
    return entry ? entry->name : NULL;
}

int32_t prune_archive_reader_dtype(const prune_archive_reader *reader, int32_t index)
{
    const struct pm_entry *entry = entry_of(reader, index);
    return entry ? entry->dtype : 0;
}

int32_t prune_archive_reader_rank(const prune_archive_reader *reader, int32_t index)
{
    const struct pm_entry *entry = entry_of(reader, index);
    return entry ? entry->rank : 0;
}

const int64_t *prune_archive_reader_shape(const prune_archive_reader *reader, int32_t index)
{
    const struct pm_entry *entry = entry_of(reader, index);
    return entry ? entry->shape : NULL;
}

int32_t prune_archive_reader_find(const prune_archive_reader *reader, const char *name)
{
    return reader && name ? (int32_t)pm_entries_find(&reader->tensors, name) : -1;
}

int32_t prune_archive_reader_text_count(const prune_archive_reader *reader)
{
    return reader ? (int32_t)reader->texts.count : 0;
}

const char *prune_archive_reader_text_key(const prune_archive_reader *reader, int32_t index)
{
    return reader && index >= 0 && index < reader->texts.count ? reader->texts.all[index].name : NULL;
}

const char *prune_archive_reader_text(const prune_archive_reader *reader, const char *key)
{
    int64_t found = reader && key ? pm_entries_find(&reader->texts, key) : -1;
    return found < 0 ? NULL : reader->texts.all[found].text;
}

static int32_t turn_to(prune_archive_reader *reader, int32_t which)
{
    struct pm_safetensors *file = &reader->file[which];
    int64_t size = file->file.size;
    if (reader->open == which)
        return PRUNE_OK;
    if (reader->open >= 0)
        pm_safetensors_rest(&reader->file[reader->open]);
    reader->open = -1;
    PR_TRY(pm_input_open(&file->file, reader->path[which]));
    if (file->file.size != size) {
        int64_t now = file->file.size;
        pm_safetensors_rest(file);
        file->file.size = size;
        return pr_fail(PRUNE_E_IO, "it has %lld bytes, and had %lld when it was opened first", (long long)now,
                       (long long)size);
    }
    reader->open = which;
    return PRUNE_OK;
}

int32_t prune_archive_reader_read(prune_tensor **out, prune_archive_reader *reader, int32_t index)
{
    PR_REQUIRE(out);
    PR_REQUIRE(reader);
    const struct pm_entry *entry = entry_of(reader, index);
    if (!entry)
        return pr_fail(PRUNE_E_ARGUMENT, "there is no tensor %d; there are %lld", (int)index,
                       (long long)reader->tensors.count);
    int32_t status = turn_to(reader, entry->file);
    if (!status)
        status = pm_safetensors_load(&reader->file[entry->file], entry, out);
    return status ? pr_fail_in(status, "%s", PM_SHOW(reader->path[entry->file])) : PRUNE_OK;
}

static int32_t fill(prune_archive *archive, prune_archive_reader *reader)
{
    for (int32_t i = 0; i < prune_archive_reader_count(reader); i++) {
        prune_tensor *tensor = NULL;
        PR_TRY(prune_archive_reader_read(&tensor, reader, i));
        int32_t status = pm_archive_put(archive, prune_archive_reader_name(reader, i), tensor);
        if (status) {
            prune_tensor_free(tensor);
            return status;
        }
    }
    for (int64_t i = 0; i < reader->texts.count; i++)
        PR_TRY(prune_archive_add_text(archive, reader->texts.all[i].name, reader->texts.all[i].text));
    return PRUNE_OK;
}

int32_t prune_archive_read(prune_archive **out, prune_context *context, const char *path)
{
    PR_REQUIRE(out);
    PR_REQUIRE(path);
    prune_archive_reader *reader = NULL;
    prune_archive *archive = NULL;
    PR_TRY(prune_archive_reader_open(&reader, context, path));
    int32_t status = prune_archive_create(&archive, context);
    if (!status)
        status = fill(archive, reader);
    prune_archive_reader_free(reader);
    if (status)
        prune_archive_free(archive);
    else
        *out = archive;
    return status;
}
