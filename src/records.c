/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "records.h"

static int bad(const struct records *records, const char *what, const char *detail)
{
    return complain(BAD_INPUT, "%s: %s %s", records->path, what, detail);
}

int records_read(struct records *records, const char *path)
{
    json_error_t error;
    memset(records, 0, sizeof *records);
    records->path = path;
    FILE *file = fopen(path, "rb");
    if (!file)
        return complain(IO_FAILED, "%s cannot be opened for reading; examples/demo.sh writes such records", path);
    records->root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
    fclose(file);
    if (!records->root)
        return complain(BAD_INPUT, "%s is not JSON: %s in line %d", path, error.text, error.line);
    if (json_integer_value(json_object_get(records->root, "schema")) != 1)
        return bad(records, "has no \"schema\": 1,", "which is the version of records that this tool reads");
    size_t i, j, k;
    json_t *document, *network, *time;
    json_array_foreach(json_object_get(records->root, "evals"), i, document)
        json_array_foreach(json_object_get(document, "networks"), j, network)
            json_array_foreach(json_object_get(network, "times"), k, time)
    {
        int32_t batch = (int32_t)json_integer_value(json_object_get(time, "batch"));
        if (batch > records->batch)
            records->batch = batch;
    }
    return DONE;
}

void records_free(struct records *records)
{
    json_decref(records->root);
}

int records_array(const struct records *records, const json_t *object, const char *key, json_t **array)
{
    *array = json_object_get(object, key);
    return json_is_array(*array) ? DONE : bad(records, "has no list", key);
}

int records_string(const struct records *records, const json_t *object, const char *key, const char **text)
{
    *text = json_string_value(json_object_get(object, key));
    return *text ? DONE : bad(records, "has an entry without the text", key);
}

const json_t *records_variant(const struct records *records, const char *name)
{
    size_t i;
    json_t *variant;
    json_array_foreach(json_object_get(records->root, "variants"), i, variant)
    {
        const char *known = json_string_value(json_object_get(variant, "name"));
        if (known && strcmp(known, name) == 0)
            return variant;
    }
    bad(records, "names no variant", name);
    return NULL;
}

const json_t *records_measured(const struct records *records, const json_t *variant)
{
    const char *file;
    if (records_string(records, variant, "file", &file))
        return NULL;
    size_t i, j;
    json_t *document, *network;
    const json_t *found = NULL;
    /* The last measurement of a file counts, and one with times before one without. */
    json_array_foreach(json_object_get(records->root, "evals"), i, document)
        json_array_foreach(json_object_get(document, "networks"), j, network)
    {
        const char *name = json_string_value(json_object_get(network, "file"));
        if (name && strcmp(name, file) == 0 && (!found || json_object_get(network, "times")))
            found = network;
    }
    if (!found)
        bad(records, "has no measurement of", file);
    else if (!json_is_number(json_object_get(found, "accuracy")))
        found = (bad(records, "has no accuracy for", file), NULL);
    return found;
}

double record_number(const json_t *measured, const char *key, double otherwise)
{
    const json_t *number = json_object_get(measured, key);
    return json_is_number(number) ? json_number_value(number) : otherwise;
}

double record_time(const json_t *measured, int32_t batch, const char *key)
{
    size_t i;
    json_t *time;
    json_array_foreach(json_object_get(measured, "times"), i,
                       time) if (json_integer_value(json_object_get(time, "batch")) ==
                                 batch) return record_number(time, key, 0);
    return 0;
}

char *records_file(const struct records *records, const char *name)
{
    const char *slash = strrchr(records->path, '/');
    size_t folder = slash && name[0] != '/' ? (size_t)(slash - records->path) + 1 : 0;
    char *path = malloc(folder + strlen(name) + 1);
    if (!path) {
        complain(NO_MEMORY, "out of memory for a file name");
        return NULL;
    }
    memcpy(path, records->path, folder);
    strcpy(path + folder, name);
    return path;
}

static int time_cells(struct table *table, const json_t *measured, int32_t batch)
{
    char a[AMOUNT_SIZE];
    double seconds = record_time(measured, batch, "seconds");
    if (seconds <= 0)
        return table_cell(table, "-") || table_cell(table, "-");
    return table_cell(table, "%s", amount_time(a, seconds)) ||
           table_cell(table, "%.2fx", record_time(measured, batch, "speedup"));
}

/* A variant with "accuracy_only" is one that nobody would run: before retraining. */
static int fill_row(const struct records *records, const json_t *variant, struct table *table)
{
    const char *name;
    if (records_string(records, variant, "name", &name))
        return BAD_INPUT;
    const json_t *measured = records_measured(records, variant);
    if (!measured)
        return BAD_INPUT;
    int brief = json_is_true(json_object_get(variant, "accuracy_only"));
    double all = record_number(measured, "parameters", 0), kept = record_number(measured, "parameters_kept", 0);
    char a[AMOUNT_SIZE];
    int code = table_cell(table, "%s", name) ||
               table_cell(table, "%s (%.1f %%)", amount_count(a, (int64_t)kept), all > 0 ? 100 * kept / all : 0) ||
               table_cell(table, "%.2f %%", 100 * record_number(measured, "accuracy", 0));
    if (!code && !brief)
        code = table_cell(table, "%s", amount_count(a, (int64_t)record_number(measured, "file_bytes", 0))) ||
               table_cell(table, "%s", amount_energy(a, record_number(measured, "energy_pj", 0)));
    if (!code && !brief && records->batch > 0)
        code = time_cells(table, measured, 1);
    if (!code && !brief && records->batch > 1)
        code = time_cells(table, measured, records->batch);
    while (!code && table->count % table->columns)
        code = table_cell(table, "%s", "");
    return code ? NO_MEMORY : DONE;
}

int records_table(const struct records *records, struct table *table)
{
    json_t *variants, *variant;
    size_t i;
    int code = records_array(records, records->root, "variants", &variants);
    if (code)
        return code;
    code = table_cell(table, "variant") || table_cell(table, "parameters kept") || table_cell(table, "accuracy") ||
           table_cell(table, "file bytes") || table_cell(table, "energy/image");
    if (!code && records->batch > 0)
        code = table_cell(table, "time/image, batch 1") || table_cell(table, "to dense");
    if (!code && records->batch > 1)
        code = table_cell(table, "batch %d", (int)records->batch) || table_cell(table, "to dense");
    table->columns = table->count;
    if (code)
        return NO_MEMORY;
    json_array_foreach(variants, i, variant)
    {
        code = fill_row(records, variant, table);
        if (code)
            return code;
    }
    return DONE;
}

/* "4.1 times less"; 0 when there is nothing to compare. */
static double ratio(const json_t *before, const json_t *after, const char *key)
{
    double a = record_number(before, key, 0), b = record_number(after, key, 0);
    return b > 0 ? a / b : 0;
}

int records_closing(const struct records *records, char sentence[SENTENCE_SIZE])
{
    const json_t *closing = json_object_get(records->root, "closing");
    const char *reference = NULL, *name = NULL;
    sentence[0] = 0;
    if (!closing)
        return DONE;
    int code = records_string(records, closing, "reference", &reference);
    if (!code)
        code = records_string(records, closing, "variant", &name);
    const json_t *first = code ? NULL : records_variant(records, reference);
    const json_t *second = first ? records_variant(records, name) : NULL;
    const json_t *before = second ? records_measured(records, first) : NULL;
    const json_t *after = before ? records_measured(records, second) : NULL;
    if (!after)
        return BAD_INPUT;
    char a[AMOUNT_SIZE], b[AMOUNT_SIZE], c[AMOUNT_SIZE], d[AMOUNT_SIZE], times[160] = "";
    double speedup = record_time(after, 1, "speedup");
    if (speedup > 0)
        snprintf(times, sizeof times, " and the time of one image from %s to %s (%.1f times %s)",
                 amount_time(a, record_time(before, 1, "seconds")), amount_time(b, record_time(after, 1, "seconds")),
                 speedup >= 1 ? speedup : 1 / speedup, speedup >= 1 ? "faster" : "slower");
    double lost = 100 * (record_number(before, "accuracy", 0) - record_number(after, "accuracy", 0));
    char change[64];
    snprintf(change, sizeof change,
             lost > 0   ? "%.2f points lost"
             : lost < 0 ? "%.2f points gained"
                        : "nothing lost",
             lost < 0 ? -lost : lost);
    char e[AMOUNT_SIZE], f[AMOUNT_SIZE];
    snprintf(sentence, SENTENCE_SIZE,
             "With %.1f %% of the parameters (%s) the file shrank from %s to %s bytes (%.1f times), the energy of one "
             "inference from %s to %s (%.1f times)%s, and the accuracy went from %.2f %% to %.2f %%: %s.",
             100 * record_number(after, "parameters_kept", 0) / record_number(after, "parameters", 1), name,
             amount_count(c, (int64_t)record_number(before, "file_bytes", 0)),
             amount_count(d, (int64_t)record_number(after, "file_bytes", 0)), ratio(before, after, "file_bytes"),
             amount_energy(e, record_number(before, "energy_pj", 0)),
             amount_energy(f, record_number(after, "energy_pj", 0)), ratio(before, after, "energy_pj"), times,
             100 * record_number(before, "accuracy", 0), 100 * record_number(after, "accuracy", 0), change);
    return DONE;
}
