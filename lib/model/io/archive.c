/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/io/archive.h"

#include <string.h>

#include "base/alloc.h"

/* Where `name` stands, or should be put; *found says which. */
static int32_t place_of(const struct pm_list *list, const char *name, int *found)
{
    int32_t low = 0, high = list->count;
    *found = 0;
    while (low < high) {
        int32_t middle = low + (high - low) / 2;
        int order = strcmp(list->items[middle].name, name);
        if (order == 0)
            *found = 1;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Names that come in order are put at the end at once. */
static int32_t place_for(const struct pm_list *list, const char *name, int *found)
{
    *found = 0;
    if (list->count == 0 || strcmp(list->items[list->count - 1].name, name) < 0)
        return list->count;
    return place_of(list, name, found);
}

int32_t pm_check_name(const char *name)
{
    if (!name[0])
        return pr_fail(PRUNE_E_ARGUMENT, "the name is empty; it must have a character at least");
    if (!pm_is_utf8(name, (int64_t)strlen(name)))
        return pr_fail(PRUNE_E_ARGUMENT, "the name is not UTF-8");
    if (strcmp(name, "__metadata__") == 0)
        return pr_fail(PRUNE_E_ARGUMENT, "the name \"__metadata__\" is the format's own; choose another");
    return PRUNE_OK;
}

static int32_t reserve(prune_context *context, struct pm_list *list)
{
    struct pm_item *larger;
    if (list->count < list->capacity)
        return PRUNE_OK;
    int64_t capacity = list->capacity < 8 ? 8 : 2 * (int64_t)list->capacity;
    if (capacity > INT32_MAX)
        return pr_fail(PRUNE_E_OVERFLOW, "an archive holds at most 2^30 names");
    PR_TRY(pr_alloc(context, capacity, (int64_t)sizeof *larger, &larger));
    if (list->count > 0)
        memcpy(larger, list->items, (size_t)list->count * sizeof *larger);
    pr_release(context, list->items);
    list->items = larger;
    list->capacity = (int32_t)capacity;
    return PRUNE_OK;
}

static int32_t insert(prune_context *context, struct pm_list *list, const char *name, struct pm_item item)
{
    int found;
    int32_t at = place_for(list, name, &found);
    if (found)
        return pr_fail(PRUNE_E_ARGUMENT, "\"%s\" is in the archive already; names must differ", PM_SHOW(name));
    PR_TRY(reserve(context, list));
    PR_TRY(pr_copy_text(context, name, &item.name));
    memmove(list->items + at + 1, list->items + at, (size_t)(list->count - at) * sizeof *list->items);
    list->items[at] = item;
    list->count++;
    return PRUNE_OK;
}

static void free_item(prune_context *context, struct pm_item *item)
{
    pr_release(context, item->name);
    pr_release(context, item->text);
    prune_tensor_free(item->tensor);
}

static void take_out(prune_context *context, struct pm_list *list, const char *name)
{
    int found;
    int32_t at = place_of(list, name, &found);
    if (!found)
        return;
    free_item(context, &list->items[at]);
    list->count--;
    memmove(list->items + at, list->items + at + 1, (size_t)(list->count - at) * sizeof *list->items);
}

static void free_list(prune_context *context, struct pm_list *list)
{
    for (int32_t i = 0; i < list->count; i++)
        free_item(context, &list->items[i]);
    pr_release(context, list->items);
}

static const struct pm_item *item_of(const struct pm_list *list, const char *name)
{
    int found;
    int32_t at = place_of(list, name, &found);
    return found ? &list->items[at] : NULL;
}

int32_t pm_archive_put(prune_archive *archive, const char *name, prune_tensor *tensor)
{
    return insert(archive->context, &archive->tensors, name, (struct pm_item){.tensor = tensor});
}

void pm_archive_remove(prune_archive *archive, const char *name)
{
    take_out(archive->context, &archive->tensors, name);
}

void pm_archive_remove_text(prune_archive *archive, const char *key)
{
    take_out(archive->context, &archive->texts, key);
}

int32_t prune_archive_create(prune_archive **out, prune_context *context)
{
    prune_archive *archive;
    PR_REQUIRE(out);
    PR_TRY(pr_alloc_zero(context, 1, (int64_t)sizeof *archive, &archive));
    archive->context = prune_context_retain(context);
    *out = archive;
    return PRUNE_OK;
}

void prune_archive_free(prune_archive *archive)
{
    if (!archive)
        return;
    prune_context *context = archive->context;
    free_list(context, &archive->tensors);
    free_list(context, &archive->texts);
    pr_release(context, archive);
    prune_context_free(context);
}

int32_t prune_archive_add(prune_archive *archive, const char *name, const prune_tensor *tensor)
{
    PR_REQUIRE(archive);
    PR_REQUIRE(name);
    PR_REQUIRE(tensor);
    PR_TRY(pm_check_name(name));
    prune_tensor *copy;
    PR_TRY(prune_tensor_create(&copy, archive->context, prune_tensor_dtype(tensor), prune_tensor_rank(tensor),
                               prune_tensor_shape(tensor)));
    int32_t status = prune_tensor_copy(copy, tensor);
    if (!status)
        status = pm_archive_put(archive, name, copy);
    if (status)
        prune_tensor_free(copy);
    return status;
}

int32_t prune_archive_add_text(prune_archive *archive, const char *key, const char *text)
{
    PR_REQUIRE(archive);
    PR_REQUIRE(key);
    PR_REQUIRE(text);
    PR_TRY(pm_check_name(key));
    if (!pm_is_utf8(text, (int64_t)strlen(text)))
        return pr_fail(PRUNE_E_ARGUMENT, "the text of \"%s\" is not UTF-8", PM_SHOW(key));
    char *copy;
    PR_TRY(pr_copy_text(archive->context, text, &copy));
    int32_t status = insert(archive->context, &archive->texts, key, (struct pm_item){.text = copy});
    if (status)
        pr_release(archive->context, copy);
    return status;
}

int32_t prune_archive_count(const prune_archive *archive)
{
    return archive ? archive->tensors.count : 0;
}

const char *prune_archive_name(const prune_archive *archive, int32_t index)
{
    return archive && index >= 0 && index < archive->tensors.count ? archive->tensors.items[index].name : NULL;
}

const prune_tensor *prune_archive_tensor(const prune_archive *archive, int32_t index)
{
    return archive && index >= 0 && index < archive->tensors.count ? archive->tensors.items[index].tensor : NULL;
}

const prune_tensor *prune_archive_find(const prune_archive *archive, const char *name)
{
    const struct pm_item *item = archive && name ? item_of(&archive->tensors, name) : NULL;
    return item ? item->tensor : NULL;
}

int32_t prune_archive_text_count(const prune_archive *archive)
{
    return archive ? archive->texts.count : 0;
}

const char *prune_archive_text_key(const prune_archive *archive, int32_t index)
{
    return archive && index >= 0 && index < archive->texts.count ? archive->texts.items[index].name : NULL;
}

const char *prune_archive_text(const prune_archive *archive, const char *key)
{
    const struct pm_item *item = archive && key ? item_of(&archive->texts, key) : NULL;
    return item ? item->text : NULL;
}
