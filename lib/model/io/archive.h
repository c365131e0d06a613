/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The archive from the inside: two lists of named items, each in the order of the names' bytes.
 */
#ifndef PM_ARCHIVE_H
#define PM_ARCHIVE_H

#include "model/io/io.h"

struct pm_item {
    char *name;
    prune_tensor *tensor; /* in the list of tensors */
    char *text;           /* in the list of texts */
};

struct pm_list {
    struct pm_item *items;
    int32_t count, capacity;
};

struct prune_archive {
    prune_context *context;
    struct pm_list tensors, texts;
};

/* PRUNE_E_ARGUMENT unless `name` can name an item: not empty, UTF-8, not "__metadata__". */
int32_t pm_check_name(const char *name);

/* Puts `tensor` in under a copy of `name`. The archive owns it from then on; on failure the caller still does. */
int32_t pm_archive_put(prune_archive *archive, const char *name, prune_tensor *tensor);
void pm_archive_remove(prune_archive *archive, const char *name);
void pm_archive_remove_text(prune_archive *archive, const char *key);

#endif
