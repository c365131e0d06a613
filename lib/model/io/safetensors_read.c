/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Eight bytes N (little-endian), N bytes of JSON, then the data. The header is parsed into entries, the entries are
 * checked against each other and against the length of the file, and only then is memory for a tensor asked for.
 */
#include <string.h>

#include "base/alloc.h"
#include "model/io/archive.h"
#include "model/io/safetensors.h"

int32_t pm_entries_add(prune_context *context, struct pm_entries *entries, struct pm_entry **entry)
{
    if (entries->count == entries->capacity) {
        struct pm_entry *larger;
        int64_t capacity = entries->capacity ? 2 * entries->capacity : 16;
        PR_TRY(pr_alloc(context, capacity, (int64_t)sizeof *larger, &larger));
        if (entries->count > 0)
            memcpy(larger, entries->all, (size_t)entries->count * sizeof *larger);
        pr_release(context, entries->all);
        entries->all = larger;
        entries->capacity = capacity;
    }
    *entry = &entries->all[entries->count++];
    memset(*entry, 0, sizeof **entry);
    return PRUNE_OK;
}

static int32_t parse_dtype(struct pm_json *json, int32_t *dtype)
{
    char *name;
    PR_TRY(pm_json_string(json, &name, "for dtype"));
    *dtype = pm_safetensors_dtype(name);
    if (*dtype > 0)
        return PRUNE_OK;
    if (*dtype < 0)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "dtype %s is not read by this version; F32, F16, BF16, F64, BOOL, I8 to I64 and U8 to U32 are",
                       name);
    return pr_fail(PRUNE_E_FORMAT, "\"%s\" is no dtype of safetensors", PM_SHOW(name));
}

static int32_t parse_shape(struct pm_json *json, struct pm_entry *entry)
{
    PR_TRY(pm_json_expect(json, '[', "at the start of shape"));
    if (pm_json_take(json, ']'))
        return PRUNE_OK;
    do {
        int64_t extent;
        PR_TRY(pm_json_whole(json, &extent, "in shape"));
        if (entry->rank == PRUNE_MAX_RANK)
            return pr_fail(PRUNE_E_UNSUPPORTED, "the shape has more than %d extents", PRUNE_MAX_RANK);
        entry->shape[entry->rank++] = extent;
    } while (pm_json_take(json, ','));
    return pm_json_expect(json, ']', "at the end of shape");
}

static int32_t parse_offsets(struct pm_json *json, struct pm_entry *entry)
{
    PR_TRY(pm_json_expect(json, '[', "at the start of data_offsets"));
    PR_TRY(pm_json_whole(json, &entry->begin, "in data_offsets"));
    PR_TRY(pm_json_expect(json, ',', "between the two data_offsets"));
    PR_TRY(pm_json_whole(json, &entry->end, "in data_offsets"));
    return pm_json_expect(json, ']', "after the two data_offsets");
}

static int32_t parse_tensor(struct pm_json *json, struct pm_entry *entry)
{
    static const char *const fields[] = {"dtype", "shape", "data_offsets"};
    int seen[3] = {0};
    PR_TRY(pm_json_expect(json, '{', "at the start of a tensor's entry"));
    do {
        char *key;
        int field = 0;
        PR_TRY(pm_json_string(json, &key, "as a key"));
        while (field < 3 && strcmp(key, fields[field]) != 0)
            field++;
        if (field == 3)
            return pr_fail(PRUNE_E_FORMAT, "\"%s\" is no key of a tensor; dtype, shape and data_offsets are",
                           PM_SHOW(key));
        if (seen[field]++)
            return pr_fail(PRUNE_E_FORMAT, "a duplicate key: %s stands twice", key);
        PR_TRY(pm_json_expect(json, ':', "after a key"));
        PR_TRY(field == 0   ? parse_dtype(json, &entry->dtype)
               : field == 1 ? parse_shape(json, entry)
                            : parse_offsets(json, entry));
    } while (pm_json_take(json, ','));
    PR_TRY(pm_json_expect(json, '}', "at the end of a tensor's entry"));
    for (int field = 0; field < 3; field++)
        if (!seen[field])
            return pr_fail(PRUNE_E_FORMAT, "%s is missing", fields[field]);
    return PRUNE_OK;
}

static int32_t parse_metadata(struct pm_safetensors *reader)
{
    struct pm_json *json = &reader->json;
    if (reader->has_metadata++)
        return pr_fail(PRUNE_E_FORMAT, "a duplicate key: __metadata__ stands twice");
    PR_TRY(pm_json_expect(json, '{', "at the start of __metadata__"));
    if (pm_json_take(json, '}'))
        return PRUNE_OK;
    do {
        char *key, *text;
        struct pm_entry *entry;
        PR_TRY(pm_json_string(json, &key, "as a key of __metadata__"));
        PR_TRY(pm_json_expect(json, ':', "after a key of __metadata__"));
        PR_TRY(pm_json_string(json, &text, "as a value of __metadata__"));
        PR_TRY(pm_entries_add(reader->context, &reader->texts, &entry));
        entry->name = key;
        entry->text = text;
    } while (pm_json_take(json, ','));
    return pm_json_expect(json, '}', "at the end of __metadata__");
}

static int32_t parse_header(struct pm_safetensors *reader)
{
    struct pm_json *json = &reader->json;
    if (json->length == 0 || json->text[0] != '{')
        return pr_fail(PRUNE_E_FORMAT, "the header must begin with \"{\"");
    json->at = 1;
    if (pm_json_take(json, '}'))
        return pm_json_end(json);
    do {
        char *name;
        struct pm_entry *entry;
        PR_TRY(pm_json_string(json, &name, "as the name of a tensor"));
        PR_TRY(pm_json_expect(json, ':', "after the name of a tensor"));
        if (strcmp(name, "__metadata__") == 0) {
            PR_TRY(parse_metadata(reader));
            continue;
        }
        if (!name[0])
            return pr_fail(PRUNE_E_FORMAT, "a tensor's name is empty");
        PR_TRY(pm_entries_add(reader->context, &reader->tensors, &entry));
        entry->name = name;
        int32_t status = parse_tensor(json, entry);
        if (status)
            return pr_fail_in(status, "tensor \"%s\"", PM_SHOW(name));
    } while (pm_json_take(json, ','));
    PR_TRY(pm_json_expect(json, '}', "after the last tensor"));
    return pm_json_end(json);
}

static int by_name(const struct pm_entry *a, const struct pm_entry *b)
{
    return strcmp(a->name, b->name);
}

/* Empty tensors come before the one whose data begin where they stand. */
static int by_place(const struct pm_entry *a, const struct pm_entry *b)
{
    return a->begin != b->begin ? (a->begin < b->begin ? -1 : 1) : a->end != b->end ? (a->end < b->end ? -1 : 1) : 0;
}

/* Heapsort: no memory, and no input makes it slow. */
static void sift(struct pm_entry *all, int64_t root, int64_t count,
                 int (*order)(const struct pm_entry *, const struct pm_entry *))
{
    for (int64_t child; (child = 2 * root + 1) < count; root = child) {
        if (child + 1 < count && order(&all[child], &all[child + 1]) < 0)
            child++;
        if (order(&all[root], &all[child]) >= 0)
            return;
        struct pm_entry other = all[root];
        all[root] = all[child];
        all[child] = other;
    }
}

static void sort(struct pm_entries *entries, int (*order)(const struct pm_entry *, const struct pm_entry *))
{
    for (int64_t root = entries->count / 2 - 1; root >= 0; root--)
        sift(entries->all, root, entries->count, order);
    for (int64_t last = entries->count - 1; last > 0; last--) {
        struct pm_entry largest = entries->all[0];
        entries->all[0] = entries->all[last];
        entries->all[last] = largest;
        sift(entries->all, 0, last, order);
    }
}

int32_t pm_entries_sort(struct pm_entries *entries, const char *what)
{
    sort(entries, by_name);
    for (int64_t i = 1; i < entries->count; i++)
        if (strcmp(entries->all[i - 1].name, entries->all[i].name) == 0)
            return pr_fail(PRUNE_E_FORMAT, "a duplicate key: %s \"%s\" stands twice", what,
                           PM_SHOW(entries->all[i].name));
    return PRUNE_OK;
}

static int32_t check_size(const struct pm_entry *entry)
{
    int64_t bytes;
    if (entry->end < entry->begin)
        return pr_fail(PRUNE_E_FORMAT, "data_offsets [%lld, %lld] go backwards", (long long)entry->begin,
                       (long long)entry->end);
    PR_TRY(pm_file_bytes(entry->dtype, entry->rank, entry->shape, &bytes));
    if (bytes != entry->end - entry->begin)
        return pr_fail(PRUNE_E_FORMAT, "dtype and shape take %lld bytes, but data_offsets [%lld, %lld] hold %lld",
                       (long long)bytes, (long long)entry->begin, (long long)entry->end,
                       (long long)(entry->end - entry->begin));
    return PRUNE_OK;
}

/* Every byte of the data belongs to exactly one tensor. */
static int32_t check_places(struct pm_safetensors *reader)
{
    int64_t end = 0;
    sort(&reader->tensors, by_place);
    for (int64_t i = 0; i < reader->tensors.count; i++) {
        const struct pm_entry *entry = &reader->tensors.all[i];
        int32_t status = check_size(entry);
        if (status)
            return pr_fail_in(status, "tensor \"%s\"", PM_SHOW(entry->name));
        if (entry->begin != end)
            return pr_fail(
                PRUNE_E_FORMAT,
                "tensor \"%s\" begins at byte %lld of the data, which leaves %s: the one before ends at %lld",
                PM_SHOW(entry->name), (long long)entry->begin, entry->begin > end ? "a hole" : "an overlap",
                (long long)end);
        end = entry->end;
    }
    if (end != reader->data_bytes)
        return pr_fail(PRUNE_E_FORMAT, "the tensors end at byte %lld of the data, but the file holds %lld: it is %s",
                       (long long)end, (long long)reader->data_bytes,
                       end < reader->data_bytes ? "overlong" : "truncated");
    return PRUNE_OK;
}

static int32_t read_header(struct pm_safetensors *reader)
{
    unsigned char length[8];
    uint64_t bytes = 0;
    if (reader->file.size < 8)
        return pr_fail(PRUNE_E_FORMAT,
                       "it has %lld bytes; a safetensors file has 10 at least: it is truncated or another format",
                       (long long)reader->file.size);
    PR_TRY(pm_input_read(&reader->file, 0, length, 8));
    for (int i = 7; i >= 0; i--)
        bytes = bytes << 8 | length[i];
    if (bytes > PM_SAFETENSORS_MOST_HEADER)
        return pr_fail(PRUNE_E_FORMAT, "it begins with a header length of %llu bytes; at most %d are possible",
                       (unsigned long long)bytes, PM_SAFETENSORS_MOST_HEADER);
    if ((int64_t)bytes > reader->file.size - 8)
        return pr_fail(PRUNE_E_FORMAT, "the header takes %lld bytes, but only %lld follow: it is truncated",
                       (long long)bytes, (long long)(reader->file.size - 8));
    reader->json.length = (int64_t)bytes;
    reader->data_begin = 8 + (int64_t)bytes;
    reader->data_bytes = reader->file.size - reader->data_begin;
    PR_TRY(pr_alloc(reader->context, (int64_t)bytes, 1, &reader->json.text));
    return pm_input_read(&reader->file, 8, reader->json.text, (int64_t)bytes);
}

static int32_t check_texts(struct pm_safetensors *reader)
{
    PR_TRY(pm_entries_sort(&reader->texts, "metadata"));
    for (int64_t i = 0; i < reader->texts.count; i++)
        if (pm_check_name(reader->texts.all[i].name))
            return pr_fail_in(PRUNE_E_FORMAT, "a key of __metadata__");
    return PRUNE_OK;
}

int64_t pm_entries_find(const struct pm_entries *entries, const char *name)
{
    int64_t low = 0, high = entries->count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        int order = strcmp(entries->all[middle].name, name);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

static int32_t read_all(struct pm_safetensors *reader)
{
    PR_TRY(read_header(reader));
    PR_TRY(parse_header(reader));
    PR_TRY(check_texts(reader));
    PR_TRY(pm_entries_sort(&reader->tensors, "tensor"));
    PR_TRY(check_places(reader));
    if (reader->tensors.count > INT32_MAX)
        return pr_fail(PRUNE_E_UNSUPPORTED, "more than 2^31 - 1 tensors");
    sort(&reader->tensors, by_name);
    return PRUNE_OK;
}

int32_t pm_safetensors_open(struct pm_safetensors *file, prune_context *context, const char *path)
{
    *file = (struct pm_safetensors){.context = context};
    PR_TRY(pm_input_open(&file->file, path));
    int32_t status = read_all(file);
    if (status)
        pm_safetensors_close(file);
    return status;
}

int32_t pm_safetensors_load(const struct pm_safetensors *file, const struct pm_entry *entry, prune_tensor **out)
{
    prune_tensor *tensor;
    PR_TRY(prune_tensor_create(&tensor, file->context, entry->dtype, entry->rank, entry->shape));
    void *data = prune_tensor_data(tensor);
    int64_t count = prune_tensor_count(tensor);
    int32_t status = pm_input_read(&file->file, file->data_begin + entry->begin, data, entry->end - entry->begin);
    if (!status) {
        pm_to_native(data, prune_dtype_size(entry->dtype), count, 0);
        if (entry->dtype == PRUNE_BOOL)
            status = pm_check_bool(data, count);
    }
    if (status) {
        prune_tensor_free(tensor);
        return pr_fail_in(status, "tensor \"%s\"", PM_SHOW(entry->name));
    }
    *out = tensor;
    return PRUNE_OK;
}

void pm_safetensors_rest(struct pm_safetensors *file)
{
    if (file->file.file >= 0)
        pm_input_close(&file->file);
}

void pm_safetensors_close(struct pm_safetensors *file)
{
    pm_safetensors_rest(file);
    pr_release(file->context, file->tensors.all);
    pr_release(file->context, file->texts.all);
    pr_release(file->context, file->json.text);
}
