/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Tensors that lie in other files. A model may come from anywhere and says which file is read: so only when asked for,
 * and only regular files inside the model's folder that nothing else leads to. Each part of a path is opened by itself,
 * from the folder before it, so that nothing can be put in its place after it was looked at.
 */
#define _FILE_OFFSET_BITS 64
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/io/onnx/onnx.h"

/* How much of each file tensors have taken: all of a file at most, so that a model cannot name one again and again. */
struct taken {
    dev_t device;
    ino_t number;
    int64_t bytes;
};

struct gatherer {
    struct pm_onnx *onnx;
    const char *path;
    int allowed;
    struct taken *files;
    int32_t file_count, file_room;
};

static int32_t parse_number(const char *key, const char *text, int64_t *number)
{
    int64_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *at - '0', &value))
            return pr_fail(PRUNE_E_FORMAT, "%s %s does not fit in 63 bits", key, PM_SHOW(text));
    if (at == text || *at)
        return pr_fail(PRUNE_E_FORMAT, "%s \"%s\" is no whole number of 0 or more", key, PM_SHOW(text));
    *number = value;
    return PRUNE_OK;
}

struct place {
    const char *location;
    int64_t offset, length; /* length -1: not said */
};

static int32_t find_place(const pm_tensor_message *tensor, struct place *place)
{
    *place = (struct place){.length = -1};
    for (size_t i = 0; i < tensor->n_external_data; i++) {
        const struct Pm__Onnx__Entry *entry = tensor->external_data[i];
        const char *key = entry->key ? entry->key : "", *value = entry->value ? entry->value : "";
        if (strcmp(key, "location") == 0)
            place->location = value;
        else if (strcmp(key, "offset") == 0)
            PR_TRY(parse_number("offset", value, &place->offset));
        else if (strcmp(key, "length") == 0)
            PR_TRY(parse_number("length", value, &place->length));
    }
    if (!place->location || !place->location[0])
        return pr_fail(PRUNE_E_FORMAT, "the location of its numbers is empty; it must be a path in the model's folder");
    if (place->location[0] == '/')
        return pr_fail(PRUNE_E_FORMAT, "its numbers lie in %s, an absolute path; it must be in the model's folder",
                       PM_SHOW(place->location));
    return PRUNE_OK;
}

/* Opens one part of a path, `name` of `length` bytes, in `folder`. */
static int32_t open_part(int folder, const char *name, size_t length, int is_last, int *out)
{
    char part[256];
    if (length >= sizeof part)
        return pr_fail(PRUNE_E_FORMAT, "a part of the path has %lld bytes; at most 255 are names", (long long)length);
    memcpy(part, name, length);
    part[length] = '\0';
    if (strcmp(part, "..") == 0)
        return pr_fail(PRUNE_E_FORMAT, "the path has \"..\" in it; it must stay in the model's folder");
    /* Without O_NONBLOCK opening a FIFO waits for a writer. */
    int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | (is_last ? 0 : O_DIRECTORY);
    int file = openat(folder, part, flags);
    struct stat facts;
    if (file < 0 && !fstatat(folder, part, &facts, AT_SYMLINK_NOFOLLOW) && S_ISLNK(facts.st_mode))
        return pr_fail(PRUNE_E_IO, "\"%s\" is a symbolic link; none is followed", PM_SHOW(part));
    if (file < 0)
        return pm_fail_errno(errno == ENOENT || errno == ENOTDIR ? PRUNE_E_NOTFOUND : PRUNE_E_IO,
                             "cannot open it for reading", errno);
    *out = file;
    return PRUNE_OK;
}

static int32_t open_folder(const char *path, prune_context *context, int *out)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0;
    char *folder;
    PR_TRY(pr_alloc(context, (int64_t)length + 2, 1, &folder));
    memcpy(folder, path, length);
    memcpy(folder + length, ".", 2);
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = errno;
    pr_release(context, folder);
    if (file < 0)
        return pm_fail_errno(PRUNE_E_IO, "cannot open the model's folder", error);
    *out = file;
    return PRUNE_OK;
}

/* Opens `location` below the folder of the model, part by part. */
static int32_t open_inside(const struct gatherer *gatherer, const char *location, int *out)
{
    int folder = -1;
    PR_TRY(open_folder(gatherer->path, gatherer->onnx->context, &folder));
    const char *at = location;
    for (;;) {
        size_t length = strcspn(at, "/");
        int is_last = at[length] == '\0', next = -1;
        int is_here = length == 0 || (length == 1 && at[0] == '.');
        int32_t status = PRUNE_OK;
        if (is_here && is_last)
            status = pr_fail(PRUNE_E_FORMAT, "the path names a folder; it must name a file");
        else if (!is_here)
            status = open_part(folder, at, length, is_last, &next);
        if (status || !is_here) {
            close(folder);
            folder = next;
        }
        if (status)
            return status;
        if (is_last)
            break;
        at += length + 1;
    }
    *out = folder;
    return PRUNE_OK;
}

/* PRUNE_E_FORMAT when tensors would take more of a file than it has. */
static int32_t account(struct gatherer *gatherer, const struct stat *facts, int64_t bytes)
{
    prune_context *context = gatherer->onnx->context;
    int32_t i = 0;
    while (i < gatherer->file_count &&
           (gatherer->files[i].device != facts->st_dev || gatherer->files[i].number != facts->st_ino))
        i++;
    if (i == gatherer->file_room) {
        struct taken *more;
        int32_t room = 2 * gatherer->file_room + 4;
        PR_TRY(pr_alloc_zero(context, room, sizeof *more, &more));
        if (gatherer->file_count)
            memcpy(more, gatherer->files, (size_t)gatherer->file_count * sizeof *more);
        pr_release(context, gatherer->files);
        gatherer->files = more;
        gatherer->file_room = room;
    }
    if (i == gatherer->file_count)
        gatherer->files[gatherer->file_count++] = (struct taken){facts->st_dev, facts->st_ino, 0};
    if (bytes > (int64_t)facts->st_size - gatherer->files[i].bytes)
        return pr_fail(PRUNE_E_FORMAT,
                       "the tensors before it take %lld bytes of the file and it takes %lld more; the "
                       "file has %lld",
                       (long long)gatherer->files[i].bytes, (long long)bytes, (long long)facts->st_size);
    gatherer->files[i].bytes += bytes;
    return PRUNE_OK;
}

static int32_t read_file(struct gatherer *gatherer, int file, const struct place *place, int64_t bytes,
                         ProtobufCBinaryData *out)
{
    struct stat facts;
    if (fstat(file, &facts))
        return pm_fail_errno(PRUNE_E_IO, "cannot ask for its size", errno);
    PR_TRY(pm_require_regular(facts.st_mode));
    if (facts.st_nlink > 1)
        return pr_fail(PRUNE_E_IO, "it has %lld names (hard links); it must have one", (long long)facts.st_nlink);
    struct pm_input input = {.file = file, .size = (int64_t)facts.st_size};
    if (place->offset > input.size || bytes > input.size - place->offset)
        return pr_fail(PRUNE_E_FORMAT, "offset %lld and length %lld go beyond the file, which has %lld bytes",
                       (long long)place->offset, (long long)bytes, (long long)input.size);
    PR_TRY(account(gatherer, &facts, bytes));
    PR_TRY(pm_arena_alloc(&gatherer->onnx->arena, bytes, &out->data));
    out->len = (size_t)bytes;
    return pm_input_read(&input, place->offset, out->data, bytes);
}

static int32_t gather(struct gatherer *gatherer, pm_tensor_message *tensor)
{
    struct place place;
    int64_t count = 0, bytes = 0;
    int file = -1;
    const struct pm_element *element = pm_onnx_element(tensor->data_type);
    PR_TRY(find_place(tensor, &place));
    if (!gatherer->allowed)
        return pr_fail(PRUNE_E_UNSUPPORTED,
                       "its numbers lie in another file, \"%s\"; external=folder reads those in the model's folder",
                       PM_SHOW(place.location));
    if (!element || !element->bits)
        return pr_fail(PRUNE_E_FORMAT, "its data_type is %d, whose elements cannot lie in another file",
                       (int)tensor->data_type);
    PR_TRY(pm_onnx_bytes(tensor, element, &count, &bytes));
    if (place.length >= 0 && place.length != bytes)
        return pr_fail(PRUNE_E_FORMAT, "length is %lld; %lld elements of type %s are %lld bytes",
                       (long long)place.length, (long long)count, element->name, (long long)bytes);
    int32_t status = open_inside(gatherer, place.location, &file);
    if (!status) {
        status = read_file(gatherer, file, &place, bytes, &tensor->raw_data);
        close(file);
    }
    if (status)
        return pr_fail_in(status, "\"%s\"", PM_SHOW(place.location));
    tensor->has_raw_data = 1;
    tensor->n_external_data = 0;
    tensor->has_data_location = 0;
    tensor->data_location = 0;
    return PRUNE_OK;
}

static int32_t visit(struct gatherer *gatherer, pm_tensor_message *tensor)
{
    if (!tensor || tensor->data_location != PM_ONNX_EXTERNAL)
        return PRUNE_OK;
    int32_t status = gather(gatherer, tensor);
    return status ? pr_fail_in(status, "tensor \"%s\"", PM_SHOW(tensor->name ? tensor->name : "")) : PRUNE_OK;
}

static int32_t visit_graph(struct gatherer *gatherer, pm_graph_message *graph)
{
    for (size_t i = 0; i < graph->n_initializer; i++)
        PR_TRY(visit(gatherer, graph->initializer[i]));
    for (size_t i = 0; i < graph->n_sparse_initializer; i++) {
        PR_TRY(visit(gatherer, graph->sparse_initializer[i]->values));
        PR_TRY(visit(gatherer, graph->sparse_initializer[i]->indices));
    }
    for (size_t i = 0; i < graph->n_node; i++)
        for (size_t j = 0; j < graph->node[i]->n_attribute; j++) {
            pm_attribute_message *attribute = graph->node[i]->attribute[j];
            PR_TRY(visit(gatherer, attribute->t));
            if (attribute->g)
                PR_TRY(visit_graph(gatherer, attribute->g));
        }
    return PRUNE_OK;
}

int32_t pm_onnx_gather(struct pm_onnx *onnx, const char *path, int allowed)
{
    struct gatherer gatherer = {.onnx = onnx, .path = path, .allowed = allowed};
    onnx->arena.most = 0; /* other files account for what follows */
    int32_t status = visit_graph(&gatherer, onnx->model->graph);
    pr_release(onnx->context, gatherer.files);
    return status;
}
