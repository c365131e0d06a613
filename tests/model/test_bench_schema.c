/* SPDX-License-Identifier: BSD-2-Clause
 *
 * A short run of the benchmark writes what tests/bench/bench.schema.json describes. Of JSON Schema the words that this
 * file uses are understood: type, required, properties, additionalProperties, items, enum, minimum, maximum.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "testing.h"

static int is_type(const json_t *value, const char *type)
{
    return (!strcmp(type, "object") && json_is_object(value)) || (!strcmp(type, "array") && json_is_array(value)) ||
           (!strcmp(type, "string") && json_is_string(value)) || (!strcmp(type, "integer") && json_is_integer(value)) ||
           (!strcmp(type, "number") && json_is_number(value)) || (!strcmp(type, "null") && json_is_null(value));
}

static int has_type(const json_t *value, const json_t *type)
{
    size_t i;
    json_t *one;
    if (json_is_string(type))
        return is_type(value, json_string_value(type));
    json_array_foreach(type, i, one)
    {
        if (is_type(value, json_string_value(one)))
            return 1;
    }
    return 0;
}

static int in_list(const json_t *value, const json_t *list)
{
    size_t i;
    json_t *one;
    json_array_foreach(list, i, one)
    {
        if (json_equal(value, one))
            return 1;
    }
    return 0;
}

/* NULL, or what is wrong; `where` is the place. */
static const char *violation(json_t *value, const json_t *schema, char *where, size_t size);

static const char *object_violation(json_t *value, const json_t *schema, char *where, size_t size)
{
    size_t i;
    const char *key;
    json_t *one, *properties = json_object_get(schema, "properties");
    json_array_foreach(json_object_get(schema, "required"), i, one)
    {
        if (!json_object_get(value, json_string_value(one))) {
            snprintf(where, size, "%s", json_string_value(one));
            return "is missing";
        }
    }
    json_object_foreach(value, key, one)
    {
        json_t *rule = json_object_get(properties, key);
        if (!rule && json_is_false(json_object_get(schema, "additionalProperties"))) {
            snprintf(where, size, "%s", key);
            return "is not described";
        }
        const char *wrong = rule ? violation(one, rule, where, size) : NULL;
        if (wrong) {
            if (!*where)
                snprintf(where, size, "%s", key);
            return wrong;
        }
    }
    return NULL;
}

static const char *violation(json_t *value, const json_t *schema, char *where, size_t size)
{
    size_t i;
    json_t *one, *type = json_object_get(schema, "type"), *list = json_object_get(schema, "enum");
    json_t *least = json_object_get(schema, "minimum"), *most = json_object_get(schema, "maximum");
    if (type && !has_type(value, type))
        return "has another type";
    if (list && !in_list(value, list))
        return "is not in the list";
    if (json_is_number(value) && ((least && json_number_value(value) < json_number_value(least)) ||
                                  (most && json_number_value(value) > json_number_value(most))))
        return "is out of range";
    json_array_foreach(value, i, one)
    {
        const char *wrong = violation(one, json_object_get(schema, "items"), where, size);
        if (wrong)
            return wrong;
    }
    return json_is_object(value) ? object_violation(value, schema, where, size) : NULL;
}

static const char *check_run(json_t *run, const json_t *schema, char *where, size_t size)
{
    *where = 0;
    return violation(run, schema, where, size);
}

/* build/tests/model/test_bench_schema stands beside build/tests/bench/bench_products. */
static int run_bench(const char *json)
{
    char self[512], command[1200];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    if (length <= 0)
        return -1;
    self[length] = 0;
    char *end = strstr(self, "/model/");
    if (!end)
        return -1;
    snprintf(end, sizeof self - (size_t)(end - self), "/bench/bench_products");
    if (access(self, X_OK))
        return -1;
    snprintf(command, sizeof command,
             "'%s' --m 32 --k 64 --n 1,3 --layout kxn,nxk --sparsity 0.5 --pattern 2:4,2:4x4,dense --rounds 3 --quick "
             "--json '%s' > /dev/null",
             self, json);
    return system(command);
}

START_TEST(a_run_fits_the_schema)
{
    char name[] = "/tmp/bench_schema_XXXXXX", where[256];
    int file = mkstemp(name);
    ck_assert_int_ge(file, 0);
    close(file);
    int status = run_bench(name);
    if (status < 0) {
        unlink(name);
        skip("a run of the benchmark", "bench_products was not built (make bench-programs)");
        return;
    }
    json_t *schema = json_load_file("tests/bench/bench.schema.json", 0, NULL), *run = json_load_file(name, 0, NULL);
    unlink(name);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_nonnull(schema);
    ck_assert_ptr_nonnull(run);
    const char *wrong = check_run(run, schema, where, sizeof where);
    ck_assert_msg(!wrong, "%s %s", where, wrong);
    json_t *records = json_object_get(run, "records"), *record = json_array_get(records, 0);
    ck_assert_uint_ge(json_array_size(records), 16);

    /* And the checker sees what does not fit. */
    json_object_set_new(record, "layout", json_string("mxn"));
    ck_assert_str_eq(check_run(run, schema, where, sizeof where), "is not in the list");
    ck_assert_str_eq(where, "layout");
    json_object_set_new(record, "layout", json_string("kxn"));
    json_object_set_new(record, "gflops", json_integer(-1));
    ck_assert_str_eq(check_run(run, schema, where, sizeof where), "is out of range");
    json_object_set_new(record, "gflops", json_string("1"));
    ck_assert_str_eq(check_run(run, schema, where, sizeof where), "has another type");
    json_object_set_new(record, "gflops", json_real(1));
    json_object_set_new(record, "speed", json_real(1));
    ck_assert_str_eq(check_run(run, schema, where, sizeof where), "is not described");
    json_object_del(record, "speed");
    json_object_del(record, "isa");
    ck_assert_str_eq(check_run(run, schema, where, sizeof where), "is missing");
    json_decref(run);
    json_decref(schema);
}
END_TEST

/* And so does the tool, which stands in the build folder itself. */
START_TEST(the_tool_fits_the_schema)
{
    char name[] = "/tmp/bench_schema_XXXXXX", self[512], command[1200], where[256];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    ck_assert_int_gt(length, 0);
    self[length] = 0;
    char *end = strstr(self, "/tests/model/");
    ck_assert_ptr_nonnull(end);
    snprintf(end, sizeof self - (size_t)(end - self), "/prune");
    int file = mkstemp(name);
    ck_assert_int_ge(file, 0);
    close(file);
    if (access(self, X_OK)) {
        unlink(name);
        skip("records of the tool", "prune was not built");
        return;
    }
    snprintf(command, sizeof command,
             "'%s' bench --m 32 --k 64 --n 3 --sparsity 0.5 --keep-n 2 --group-m 4 --milliseconds 20 --json > '%s'",
             self, name);
    int status = system(command);
    json_t *schema = json_load_file("tests/bench/bench.schema.json", 0, NULL), *run = json_load_file(name, 0, NULL);
    unlink(name);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_nonnull(schema);
    ck_assert_ptr_nonnull(run);
    const char *wrong = check_run(run, schema, where, sizeof where);
    ck_assert_msg(!wrong, "%s %s", where, wrong);
    ck_assert_uint_ge(json_array_size(json_object_get(run, "records")), 6);
    json_decref(run);
    json_decref(schema);
}
END_TEST

TEST_MAIN("bench schema", a_run_fits_the_schema, the_tool_fits_the_schema)
