/* SPDX-License-Identifier: BSD-2-Clause
 *
 * The records that `prune report` reads: documents of `prune eval --json`, and which variant, curve and picture is made
 * of which file. prune(1) describes them.
 */
#ifndef RECORDS_H
#define RECORDS_H

#include "tool.h"

struct records {
    json_t *root;
    const char *path;
    int32_t batch; /* the larger batch that was timed; 0 when none was */
};

int records_read(struct records *records, const char *path);
void records_free(struct records *records);

/* A member of an object, or a BAD_INPUT that names it. */
int records_array(const struct records *records, const json_t *object, const char *key, json_t **array);
int records_string(const struct records *records, const json_t *object, const char *key, const char **text);

/* The measurements of a variant (an object of "variants", or the name of one); NULL after a complaint. Borrowed. */
const json_t *records_measured(const struct records *records, const json_t *variant);
const json_t *records_variant(const struct records *records, const char *name);

/* A number of a measurement; `otherwise` when it is not there. */
double record_number(const json_t *measured, const char *key, double otherwise);

/* Time of one sample at `batch` and speed against the first network; 0 when it was not measured. */
double record_time(const json_t *measured, int32_t batch, const char *key);

/* The path of a file that the records name, which is relative to their folder. Freed by the caller; NULL after a
 * complaint. */
char *records_file(const struct records *records, const char *name);

/* The table of all variants. */
int records_table(const struct records *records, struct table *table);

/* One sentence: what was saved, what was lost. Empty when the records name no closing pair. */
#define SENTENCE_SIZE 1024
int records_closing(const struct records *records, char sentence[SENTENCE_SIZE]);

#endif
