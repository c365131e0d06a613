/* SPDX-License-Identifier: BSD-2-Clause
 *
 * What reading and writing safetensors share.
 */
#ifndef PM_SAFETENSORS_H
#define PM_SAFETENSORS_H

#include "model/io/io.h"
#include "model/io/json.h"
#include "prune/stream.h"

#define PM_SAFETENSORS_MOST_HEADER 100000000 /* bytes, the reference reader's limit */

/* The dtype that a file calls `name`; -1 for one of the format's that this version does not read, 0 for none. */
int32_t pm_safetensors_dtype(const char *name);

/* What a file calls `dtype`. */
const char *pm_safetensors_name(int32_t dtype);

/* The dtypes in the order in which a file holds them: largest alignment first. Ended by 0. */
extern const int32_t pm_safetensors_order[];

/* A tensor of a file, or one of its strings. */
struct pm_entry {
    const char *name;
    const char *text; /* of metadata, or of an index: the file */
    int64_t begin, end;
    int64_t shape[PRUNE_MAX_RANK];
    int32_t rank, dtype;
    int32_t file; /* which of an index's files */
    int was_put;
};

struct pm_entries {
    struct pm_entry *all;
    int64_t count, capacity;
};

/* A new entry of zeros at the end. */
int32_t pm_entries_add(prune_context *context, struct pm_entries *entries, struct pm_entry **entry);
/* By name; PRUNE_E_FORMAT where a name stands twice. */
int32_t pm_entries_sort(struct pm_entries *entries, const char *what);
/* The number of the entry of that name among sorted ones; -1 for none. */
int64_t pm_entries_find(const struct pm_entries *entries, const char *name);

/* A file whose head has been read and checked: entries by name, their names in the head's text. */
struct pm_safetensors {
    prune_context *context;
    struct pm_input file; /* .file is -1 where it is closed */
    struct pm_json json;
    int64_t data_begin, data_bytes;
    struct pm_entries tensors, texts;
    int has_metadata;
};

int32_t pm_safetensors_open(struct pm_safetensors *file, prune_context *context, const char *path);
int32_t pm_safetensors_load(const struct pm_safetensors *file, const struct pm_entry *entry, prune_tensor **out);
/* Closes the file and keeps what is known of it; and lets go of all. */
void pm_safetensors_rest(struct pm_safetensors *file);
void pm_safetensors_close(struct pm_safetensors *file);

/* The head of a file with these tensors and strings, length in front; sets begin and end of each tensor. Both lists are
 * sorted by name. */
int32_t pm_safetensors_head(char **head, int64_t *length, prune_context *context, struct pm_entries *tensors,
                            const struct pm_entries *texts);

#endif
