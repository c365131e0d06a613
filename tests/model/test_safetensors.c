/* SPDX-License-Identifier: BSD-2-Clause
 *
 * safetensors: what is written comes back, byte for byte where the format fixes the bytes, and each way in which a file
 * can lie is refused with its own sentence.
 */
#include <time.h>

#include "counting.h"
#include "files.h"

/* A file of this header and these data. */
static void save_file(const char *path, const char *json, size_t json_length, const void *data, size_t length)
{
    unsigned char *bytes = calloc(1, 8 + json_length + length);
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)((uint64_t)json_length >> 8 * i);
    memcpy(bytes + 8, json, json_length);
    if (length > 0)
        memcpy(bytes + 8 + json_length, data, length);
    save(path, bytes, 8 + json_length + length);
    free(bytes);
}

/* Reading `path` fails so, leaves the out-parameter alone and no memory behind. */
static void refuses_path(const char *path, int32_t status, const char *word)
{
    struct counting counting;
    prune_context *context = counting_context(&counting);
    prune_archive *archive = UNTOUCHED;
    FAILS(prune_archive_read(&archive, context, path), status, word);
    ck_assert_ptr_eq(archive, UNTOUCHED);
    ck_assert_int_eq(counting.blocks, 0);
    prune_context_free(context);
}

static void refuses_bytes(const void *bytes, size_t length, int32_t status, const char *word)
{
    const char *path = scratch("bad.safetensors");
    save(path, bytes, length);
    refuses_path(path, status, word);
}

static void refuses_json(const char *json, size_t json_length, size_t length, int32_t status, const char *word)
{
    const char *path = scratch("bad.safetensors");
    unsigned char *data = calloc(1, length + 1);
    save_file(path, json, json_length, data, length);
    free(data);
    refuses_path(path, status, word);
}

/* The header as a literal (it may hold NUL), and how many zero bytes of data follow. */
#define REFUSES(json, length, word) refuses_json("" json, sizeof(json) - 1, length, PRUNE_E_FORMAT, word)
#define REFUSES_AS(json, length, status, word) refuses_json("" json, sizeof(json) - 1, length, status, word)

static prune_archive *read_json(const char *json, const void *data, size_t length)
{
    const char *path = scratch("good.safetensors");
    prune_archive *archive = NULL;
    save_file(path, json, strlen(json), data, length);
    OK(prune_archive_read(&archive, NULL, path));
    return archive;
}

static prune_tensor *tensor_of(int32_t dtype, int32_t rank, const int64_t *shape, int seed)
{
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, dtype, rank, shape));
    unsigned char *bytes = prune_tensor_data(tensor);
    int64_t count = prune_tensor_count(tensor) * prune_dtype_size(dtype);
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(dtype == PRUNE_BOOL ? (i + seed) & 1 : 7 * i + seed);
    return tensor;
}

static void add(prune_archive *archive, const char *name, int32_t dtype, int32_t rank, const int64_t *shape, int seed)
{
    prune_tensor *tensor = tensor_of(dtype, rank, shape, seed);
    OK(prune_archive_add(archive, name, tensor));
    prune_tensor_free(tensor);
}

static void expect_same(const prune_tensor *a, const prune_tensor *b)
{
    ck_assert_ptr_nonnull(a);
    ck_assert_ptr_nonnull(b);
    ck_assert_int_eq(prune_tensor_dtype(a), prune_tensor_dtype(b));
    ck_assert_int_eq(prune_tensor_rank(a), prune_tensor_rank(b));
    for (int32_t i = 0; i < prune_tensor_rank(a); i++)
        ck_assert_int_eq(prune_tensor_shape(a)[i], prune_tensor_shape(b)[i]);
    size_t bytes = (size_t)(prune_tensor_count(a) * prune_dtype_size(prune_tensor_dtype(a)));
    ck_assert(bytes == 0 || memcmp(prune_tensor_const_data(a), prune_tensor_const_data(b), bytes) == 0);
}

static void expect_same_archives(const prune_archive *a, const prune_archive *b)
{
    ck_assert_int_eq(prune_archive_count(a), prune_archive_count(b));
    ck_assert_int_eq(prune_archive_text_count(a), prune_archive_text_count(b));
    for (int32_t i = 0; i < prune_archive_count(a); i++) {
        ck_assert_str_eq(prune_archive_name(a, i), prune_archive_name(b, i));
        expect_same(prune_archive_tensor(a, i), prune_archive_tensor(b, i));
    }
    for (int32_t i = 0; i < prune_archive_text_count(a); i++) {
        const char *key = prune_archive_text_key(a, i);
        ck_assert_str_eq(key, prune_archive_text_key(b, i));
        ck_assert_str_eq(prune_archive_text(a, key), prune_archive_text(b, key));
    }
}

/* Writes, reads back, compares. */
static void round_trip(const prune_archive *archive)
{
    prune_archive *back;
    const char *path = scratch("round.safetensors");
    OK(prune_archive_write(archive, path));
    OK(prune_archive_read(&back, NULL, path));
    expect_same_archives(archive, back);
    prune_archive_free(back);
}

static const char golden_json[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}";

START_TEST(the_golden_file_of_88_bytes)
{
    static const unsigned char golden[] =
        "\x40\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}       "
        "\0\0\x80\x3f\0\0\0\0\0\0\0\0\0\0\0\xc0";
    float values[] = {1, 0, 0, -2};
    const int64_t shape[] = {2, 2};
    prune_tensor *tensor;
    prune_archive *archive;
    const char *path = scratch("golden.safetensors");
    OK(prune_tensor_borrow(&tensor, NULL, values, PRUNE_F32, 2, shape, NULL));
    OK(prune_archive_create(&archive, NULL));
    OK(prune_archive_add(archive, "w", tensor));
    OK(prune_archive_write(archive, path));
    ck_assert_uint_eq(sizeof golden - 1, 88);
    ck_assert(holds(path, golden, 88));
    prune_archive_free(archive);
    OK(prune_archive_read(&archive, NULL, path));
    expect_same(prune_archive_find(archive, "w"), tensor);
    prune_archive_free(archive);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(every_dtype_comes_back)
{
    const int64_t shape[] = {3, 5};
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++)
        add(archive, prune_dtype_name(dtype), dtype, 2, shape, dtype);
    round_trip(archive);
    prune_archive_free(archive);
}
END_TEST

START_TEST(ranks_0_to_8_and_empty_tensors_come_back)
{
    const int64_t ones[] = {1, 2, 1, 3, 1, 2, 1, 2}, empty[] = {2, 0};
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    round_trip(archive);
    for (int32_t rank = 0; rank <= PRUNE_MAX_RANK; rank++) {
        char name[16];
        snprintf(name, sizeof name, "rank%d", (int)rank);
        add(archive, name, PRUNE_F32, rank, ones, rank);
    }
    add(archive, "empty", PRUNE_F32, 2, empty, 0);
    add(archive, "empty too", PRUNE_I64, 1, empty + 1, 0);
    round_trip(archive);
    prune_archive_free(archive);
}
END_TEST

START_TEST(odd_names_and_texts_come_back)
{
    static const char *const names[] = {"a b",          "weights/1",        "../x",      "say \"it\"",
                                        "back\\slash",  "line\nfeed",       "\x01",      "\b\f\r\t\x1f\x7f",
                                        "na\xc3\xafve", "\xf0\x9f\x8c\xb2", "__metadata"};
    char *long_name = malloc(65537);
    prune_archive *archive;
    memset(long_name, 'n', 65536);
    long_name[65536] = '\0';
    OK(prune_archive_create(&archive, NULL));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        add(archive, names[i], PRUNE_U8, 0, NULL, (int)i);
        OK(prune_archive_add_text(archive, names[i], names[sizeof names / sizeof *names - 1 - i]));
    }
    add(archive, long_name, PRUNE_U8, 0, NULL, 9);
    OK(prune_archive_add_text(archive, "empty text", ""));
    OK(prune_archive_add_text(archive, "long", long_name));
    round_trip(archive);
    prune_archive_free(archive);
    free(long_name);
}
END_TEST

START_TEST(a_thousand_tensors_come_back)
{
    const int64_t shape[] = {3};
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof name, "layer%d.weight", i * 7919 % 1000);
        add(archive, name, i % 3 ? PRUNE_F32 : PRUNE_F16, 1, shape, i);
    }
    ck_assert_int_eq(prune_archive_count(archive), 1000);
    round_trip(archive);
    prune_archive_free(archive);
}
END_TEST

START_TEST(equal_archives_give_equal_bytes)
{
    const int64_t shape[] = {3};
    prune_archive *one, *other;
    OK(prune_archive_create(&one, NULL));
    OK(prune_archive_create(&other, NULL));
    add(one, "a", PRUNE_U8, 1, shape, 1);
    add(one, "b", PRUNE_F32, 1, shape, 2);
    add(one, "c", PRUNE_I64, 1, shape, 3);
    OK(prune_archive_add_text(one, "x", "1"));
    OK(prune_archive_add_text(one, "y", "2"));
    OK(prune_archive_add_text(other, "y", "2"));
    add(other, "c", PRUNE_I64, 1, shape, 3);
    add(other, "b", PRUNE_F32, 1, shape, 2);
    OK(prune_archive_add_text(other, "x", "1"));
    add(other, "a", PRUNE_U8, 1, shape, 1);
    OK(prune_archive_write(one, scratch("one")));
    OK(prune_archive_write(other, scratch("other")));
    struct content content = load(scratch("one"));
    ck_assert(holds(scratch("other"), content.bytes, content.length));
    /* By alignment, largest first, so that every tensor is aligned. */
    static const char start[] =
        "{\"__metadata__\":{\"x\":\"1\",\"y\":\"2\"},\"c\":{\"dtype\":\"I64\",\"shape\":[3],"
        "\"data_offsets\":[0,24]},\"b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"
        "\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[36,39]}}";
    ck_assert(memcmp(content.bytes + 8, start, sizeof start - 1) == 0);
    ck_assert_uint_eq(content.bytes[0] % 8, 0);
    free(content.bytes);
    prune_archive_free(one);
    prune_archive_free(other);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
    prune_archive *archive;
    prune_tensor *tensor = tensor_of(PRUNE_U8, 0, NULL, 0);
    OK(prune_archive_create(&archive, NULL));
    FAILS(prune_archive_add(archive, "", tensor), PRUNE_E_ARGUMENT, "empty");
    FAILS(prune_archive_add(archive, "__metadata__", tensor), PRUNE_E_ARGUMENT, "__metadata__");
    FAILS(prune_archive_add(archive, "\xc0\x80", tensor), PRUNE_E_ARGUMENT, "UTF-8");
    FAILS(prune_archive_add_text(archive, "", "x"), PRUNE_E_ARGUMENT, "empty");
    FAILS(prune_archive_add_text(archive, "x", "\xed\xa0\x80"), PRUNE_E_ARGUMENT, "UTF-8");
    OK(prune_archive_add(archive, "a", tensor));
    OK(prune_archive_add_text(archive, "a", "b"));
    FAILS(prune_archive_add(archive, "a", tensor), PRUNE_E_ARGUMENT, "already");
    FAILS(prune_archive_add_text(archive, "a", "c"), PRUNE_E_ARGUMENT, "already");
    ck_assert_int_eq(prune_archive_count(archive), 1);
    ck_assert_str_eq(prune_archive_text(archive, "a"), "b");
    prune_tensor_free(tensor);
    prune_archive_free(archive);
}
END_TEST

START_TEST(arguments_that_are_null_are_refused)
{
    prune_archive *archive = UNTOUCHED;
    prune_tensor *tensor = tensor_of(PRUNE_U8, 0, NULL, 0);
    FAILS(prune_archive_create(NULL, NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_archive_read(NULL, NULL, "x"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_archive_read(&archive, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    ck_assert_ptr_eq(archive, UNTOUCHED);
    OK(prune_archive_create(&archive, NULL));
    FAILS(prune_archive_add(NULL, "a", tensor), PRUNE_E_ARGUMENT, "archive");
    FAILS(prune_archive_add(archive, NULL, tensor), PRUNE_E_ARGUMENT, "name");
    FAILS(prune_archive_add(archive, "a", NULL), PRUNE_E_ARGUMENT, "tensor");
    FAILS(prune_archive_add_text(NULL, "a", "b"), PRUNE_E_ARGUMENT, "archive");
    FAILS(prune_archive_add_text(archive, NULL, "b"), PRUNE_E_ARGUMENT, "key");
    FAILS(prune_archive_add_text(archive, "a", NULL), PRUNE_E_ARGUMENT, "text");
    FAILS(prune_archive_write(NULL, "x"), PRUNE_E_ARGUMENT, "archive");
    FAILS(prune_archive_write(archive, NULL), PRUNE_E_ARGUMENT, "path");
    ck_assert_int_eq(prune_archive_count(NULL), 0);
    ck_assert_ptr_null(prune_archive_name(archive, 0));
    ck_assert_ptr_null(prune_archive_tensor(archive, -1));
    ck_assert_ptr_null(prune_archive_find(archive, "a"));
    ck_assert_ptr_null(prune_archive_find(archive, NULL));
    ck_assert_ptr_null(prune_archive_text(archive, "a"));
    ck_assert_ptr_null(prune_archive_text_key(archive, 0));
    prune_archive_free(NULL);
    prune_archive_free(archive);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(a_bool_that_is_neither_0_nor_1_is_refused)
{
    unsigned char bytes[] = {0, 1, 2};
    const int64_t shape[] = {3};
    prune_tensor *tensor;
    prune_archive *archive;
    OK(prune_tensor_borrow(&tensor, NULL, bytes, PRUNE_BOOL, 1, shape, NULL));
    OK(prune_archive_create(&archive, NULL));
    FAILS(prune_archive_add(archive, "m", tensor), PRUNE_E_VALUE, "0 or 1");
    ck_assert_int_eq(prune_archive_count(archive), 0);
    prune_archive_free(archive);
    prune_tensor_free(tensor);
    static const char json[] = "{\"m\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[0,3]}}";
    save_file(scratch("bool"), json, sizeof json - 1, bytes, 3);
    refuses_path(scratch("bool"), PRUNE_E_FORMAT, "byte 2 of a bool tensor is 2");
}
END_TEST

/* ---- the length of the header ---- */

START_TEST(an_empty_file)
{
    refuses_bytes("", 0, PRUNE_E_FORMAT, "truncated");
}
END_TEST

START_TEST(one_to_seven_bytes)
{
    for (size_t length = 1; length < 8; length++)
        refuses_bytes("\2\0\0\0\0\0\0", length, PRUNE_E_FORMAT, "truncated");
}
END_TEST

START_TEST(a_header_of_no_bytes)
{
    refuses_bytes("\0\0\0\0\0\0\0\0", 8, PRUNE_E_FORMAT, "{");
}
END_TEST

START_TEST(a_header_of_one_brace)
{
    refuses_bytes("\1\0\0\0\0\0\0\0{", 9, PRUNE_E_FORMAT, "the end");
}
END_TEST

START_TEST(a_header_longer_than_the_limit)
{
    refuses_bytes("\x01\xe1\xf5\x05\0\0\0\0{}", 10, PRUNE_E_FORMAT, "at most 100000000");
}
END_TEST

START_TEST(a_header_of_2_to_the_63_bytes)
{
    refuses_bytes("\0\0\0\0\0\0\0\x80{}", 10, PRUNE_E_FORMAT, "9223372036854775808");
}
END_TEST

START_TEST(a_header_length_that_wraps)
{
    refuses_bytes("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10, PRUNE_E_FORMAT, "18446744073709551615");
}
END_TEST

START_TEST(a_header_longer_than_the_file)
{
    refuses_bytes("\x03\0\0\0\0\0\0\0{}", 10, PRUNE_E_FORMAT, "truncated");
}
END_TEST

/* ---- the header as text ---- */

START_TEST(a_header_that_is_not_utf8)
{
    REFUSES("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "UTF-8");
    REFUSES("{\xff}", 0, "0xff");
}
END_TEST

START_TEST(overlong_utf8_and_lone_surrogates)
{
    REFUSES("{\"\xc0\xaf\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "UTF-8");
    REFUSES("{\"\xe0\x80\xaf\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "UTF-8");
    REFUSES("{\"\xed\xa0\x80\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "UTF-8");
    REFUSES("{\"\xf4\x90\x80\x80\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "UTF-8");
    REFUSES("{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "surrogates");
    REFUSES("{\"\\ud800\\u0041\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "surrogates");
    REFUSES("{\"\\udc00\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "surrogates");
    REFUSES("{\"\\u12\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "four digits");
    REFUSES("{\"\\x41\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "escape");
}
END_TEST

START_TEST(escapes_are_decoded)
{
    prune_archive *archive = read_json("{\"\\ud83c\\udf32\\u00ef\\u0041\\n\\\"\\\\\\/\\b\\f\\r\\t\":"
                                       "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
                                       "x", 1);
    ck_assert_str_eq(prune_archive_name(archive, 0), "\xf0\x9f\x8c\xb2\xc3\xaf"
                                                     "A\n\"\\/\b\f\r\t");
    prune_archive_free(archive);
}
END_TEST

START_TEST(a_byte_order_mark)
{
    REFUSES("\xef\xbb\xbf{}", 0, "must begin with");
}
END_TEST

START_TEST(white_space_first)
{
    REFUSES(" {}", 0, "must begin with");
    REFUSES("\n{}", 0, "must begin with");
    prune_archive *archive = read_json("{ \n\t\r} \n", NULL, 0); /* within and after it is JSON's business */
    ck_assert_int_eq(prune_archive_count(archive), 0);
    prune_archive_free(archive);
}
END_TEST

START_TEST(garbage_after_the_json)
{
    REFUSES("{}x", 0, "nothing is expected");
    REFUSES("{}{}", 0, "nothing is expected");
    REFUSES("{}\0", 0, "nothing is expected");
}
END_TEST

START_TEST(json_that_is_none)
{
    REFUSES("[]", 0, "must begin with");
    REFUSES("{a}", 0, "is expected");
    REFUSES("{\"a\"}", 0, "\":\"");
    REFUSES("{\"a\":1}", 0, "\"{\"");
    REFUSES("{\"a\":{}}", 0, "a key");
    REFUSES("{,}", 0, "is expected");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},}", 1, "is expected");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1,],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}/*c*/}", 1, "is expected");
}
END_TEST

START_TEST(a_string_that_does_not_end)
{
    REFUSES("{\"w", 0, "closing quote");
    REFUSES("{\"w\\", 0, "escape");
    REFUSES("{\"w\\ud83c\\", 0, "surrogates");
    REFUSES("{\"w\n\":1}", 0, "closing quote");
}
END_TEST

START_TEST(nesting_100000_deep)
{
    size_t length = 100000;
    char *json = malloc(length + 5);
    memcpy(json, "{\"w\":", 5);
    memset(json + 5, '[', length);
    refuses_json(json, length + 5, 0, PRUNE_E_FORMAT, "\"{\"");
    memcpy(json, "{\"w\":{\"shape\":", 14);
    refuses_json(json, length + 5, 0, PRUNE_E_FORMAT, "whole number");
    free(json);
}
END_TEST

START_TEST(a_header_of_100000_tensors_takes_less_than_a_second)
{
    size_t count = 100000, length = 1;
    char *json = malloc(count * 90 + 2);
    json[0] = '{';
    for (size_t i = 0; i < count; i++) /* names in no order, so that sorting has to work */
        length +=
            (size_t)sprintf(json + length, "%s\"t%zu\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%zu,%zu]}",
                            i ? "," : "", i * 7919 % count, i, i + 1);
    json[length++] = '}';
    unsigned char *data = calloc(1, count);
    const char *path = scratch("many.safetensors");
    save_file(path, json, length, data, count);
    prune_archive *archive;
    clock_t start = clock();
    OK(prune_archive_read(&archive, NULL, path));
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    ck_assert_int_eq(prune_archive_count(archive), 100000);
    ck_assert_ptr_nonnull(prune_archive_find(archive, "t99999"));
    prune_archive_free(archive);
    ck_assert_msg(seconds < (getenv("SAN") ? 10 : 1), "%.2f s", seconds);
    free(data);
    free(json);
}
END_TEST

START_TEST(a_tensor_twice)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
            2, "\"w\" stands twice");
}
END_TEST

START_TEST(a_tensor_twice_behind_an_escape)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"\\u0077\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
            2, "\"w\" stands twice");
}
END_TEST

START_TEST(a_key_of_a_tensor_twice_missing_or_unknown)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
            "dtype stands twice");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "shape stands twice");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"data\\u005foffsets\":[0,1]}}", 1,
            "data_offsets stands twice");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1]}}", 1, "data_offsets is missing");
    REFUSES("{\"w\":{\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "dtype is missing");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1, "shape is missing");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"x\":1}}", 1, "\"x\" is no key");
}
END_TEST

START_TEST(metadata_that_is_not_strings)
{
    REFUSES("{\"__metadata__\":{\"a\":1}}", 0, "__metadata__");
    REFUSES("{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, "__metadata__");
    REFUSES("{\"__metadata__\":{\"a\":null}}", 0, "__metadata__");
    REFUSES("{\"__metadata__\":[]}", 0, "__metadata__");
    REFUSES("{\"__metadata__\":\"x\"}", 0, "__metadata__");
    REFUSES("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "\"a\" stands twice");
    REFUSES("{\"__metadata__\":{\"a\":\"1\",\"\\u0061\":\"2\"}}", 0, "\"a\" stands twice");
    REFUSES("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__ stands twice");
    REFUSES("{\"__metadata__\":{\"\":\"1\"}}", 0, "empty");
    REFUSES("{\"__metadata__\":{\"a\":\"\\u0000\"}}", 0, "NUL");
}
END_TEST

START_TEST(metadata_of_a_megabyte_is_read)
{
    size_t length = 1 << 20;
    char *json = malloc(length + 64);
    size_t start = (size_t)sprintf(json, "{\"__metadata__\":{\"k\":\"");
    memset(json + start, 'x', length);
    strcpy(json + start + length, "\"}}");
    prune_archive *archive = read_json(json, NULL, 0);
    ck_assert_uint_eq(strlen(prune_archive_text(archive, "k")), length);
    prune_archive_free(archive);
    free(json);
}
END_TEST

START_TEST(names_empty_or_with_nul)
{
    REFUSES("{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "empty");
    REFUSES("{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "NUL");
    REFUSES("{\"a\0b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "0x00");
}
END_TEST

START_TEST(names_like_paths_and_long_ones_are_only_names)
{
    prune_archive *archive = read_json("{\"../x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                       "\"/\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},"
                                       "\"\\n\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
                                       "abc", 3);
    ck_assert_int_eq(*(const char *)prune_tensor_const_data(prune_archive_find(archive, "../x")), 'a');
    ck_assert_int_eq(*(const char *)prune_tensor_const_data(prune_archive_find(archive, "/")), 'b');
    ck_assert_int_eq(*(const char *)prune_tensor_const_data(prune_archive_find(archive, "\n")), 'c');
    prune_archive_free(archive);
    /* A sentence stays one line however a name looks. */
    REFUSES("{\"a\\nb\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, "\"a?b\"");
}
END_TEST

/* ---- dtype, shape, offsets ---- */

START_TEST(dtypes_unknown_lower_case_or_null)
{
    REFUSES("{\"w\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "F33");
    REFUSES("{\"w\":{\"dtype\":\"f32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype");
    REFUSES("{\"w\":{\"dtype\":null,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "for dtype");
    REFUSES("{\"w\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "for dtype");
    REFUSES_AS("{\"w\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, PRUNE_E_UNSUPPORTED,
               "F8_E4M3");
    REFUSES_AS("{\"w\":{\"dtype\":\"I16\",\"shape\":[1],\"data_offsets\":[0,2]}}", 2, PRUNE_E_UNSUPPORTED, "I16");
}
END_TEST

START_TEST(extents_that_are_no_whole_numbers)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[-0],\"data_offsets\":[0,0]}}", 0, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1.0],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1e3],\"data_offsets\":[0,1000]}}", 1000, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1E0],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[01],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[+1],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[\"4\"],\"data_offsets\":[0,4]}}", 4, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[true],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[[1]],\"data_offsets\":[0,1]}}", 1, "whole number");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[18446744073709551616],\"data_offsets\":[0,0]}}", 0, "63 bits");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[9223372036854775808],\"data_offsets\":[0,0]}}", 0, "63 bits");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]}}", 1, "start of shape");
}
END_TEST

START_TEST(a_shape_whose_product_wraps)
{
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[2,18446744073709551614],\"data_offsets\":[0,16]}}", 16, "63 bits");
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[4,4611686018427387905],\"data_offsets\":[0,16]}}", 16, "too large");
}
END_TEST

START_TEST(a_shape_whose_bytes_wrap)
{
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[9223372036854775807,2],\"data_offsets\":[0,8]}}", 8, "too large");
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}", 4, "too large");
}
END_TEST

START_TEST(nothing_times_more_than_fits)
{
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775808],\"data_offsets\":[0,0]}}", 0, "63 bits");
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807],\"data_offsets\":[0,0]}}", 0, "too large");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[0,9223372036854775807,2],\"data_offsets\":[0,0]}}", 0, "too large");
}
END_TEST

START_TEST(ranks_0_65_and_a_million)
{
    prune_archive *archive = read_json("{\"w\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", "x", 1);
    ck_assert_int_eq(prune_tensor_rank(prune_archive_find(archive, "w")), 0);
    prune_archive_free(archive);
    for (size_t rank = 65; rank <= 1000000; rank += 999935) {
        char *json = malloc(2 * rank + 100);
        size_t length = (size_t)sprintf(json, "{\"w\":{\"dtype\":\"U8\",\"shape\":[1");
        for (size_t i = 1; i < rank; i++, length += 2)
            memcpy(json + length, ",1", 2);
        length += (size_t)sprintf(json + length, "],\"data_offsets\":[0,1]}}");
        refuses_json(json, length, 1, PRUNE_E_UNSUPPORTED, "more than 8 extents");
        free(json);
    }
}
END_TEST

START_TEST(empty_tensors_may_share_a_place)
{
    prune_archive *archive = read_json("{\"a\":{\"dtype\":\"U8\",\"shape\":[2,0],\"data_offsets\":[1,1]},"
                                       "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                                       "\"c\":{\"dtype\":\"F64\",\"shape\":[0],\"data_offsets\":[1,1]},"
                                       "\"d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
                                       "xy", 2);
    ck_assert_int_eq(prune_archive_count(archive), 4);
    ck_assert_int_eq(prune_tensor_shape(prune_archive_find(archive, "a"))[0], 2);
    prune_archive_free(archive);
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[9,9]}}", 0, "hole");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[1,1]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
            2, "overlap");
}
END_TEST

START_TEST(offsets_that_go_backwards)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,0]}}", 1, "backwards");
}
END_TEST

START_TEST(a_hole_between_tensors)
{
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]}}",
            3, "a hole");
}
END_TEST

START_TEST(an_overlap_of_tensors)
{
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]}}",
            3, "an overlap");
    REFUSES("{\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]},"
            "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
            2, "an overlap");
}
END_TEST

START_TEST(a_first_offset_that_is_not_0)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}", 2, "a hole");
}
END_TEST

START_TEST(bytes_after_the_last_tensor)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 2, "overlong");
    REFUSES("{}", 1, "overlong");
}
END_TEST

START_TEST(a_last_tensor_beyond_the_end)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}", 1, "truncated");
}
END_TEST

START_TEST(every_cut_of_a_good_file_is_refused)
{
    unsigned char bytes[88] = {0x40};
    memcpy(bytes + 8, golden_json, sizeof golden_json - 1);
    memset(bytes + 8 + sizeof golden_json - 1, ' ', 64 - (sizeof golden_json - 1));
    for (size_t length = 0; length < 88; length++)
        refuses_bytes(bytes, length, PRUNE_E_FORMAT, "truncated");
}
END_TEST

START_TEST(offsets_that_are_not_two_numbers)
{
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1,2]}}", 1, "data_offsets");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1]}}", 1, "data_offsets");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[]}}", 1, "data_offsets");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":\"0,1\"}}", 1, "data_offsets");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\"0\",\"1\"]}}", 1, "data_offsets");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1.0]}}", 1, "data_offsets");
    REFUSES("{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,-1]}}", 1, "data_offsets");
}
END_TEST

START_TEST(a_size_that_is_not_shape_times_dtype)
{
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "take 8 bytes");
    REFUSES("{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "take 4 bytes");
}
END_TEST

START_TEST(elements_smaller_than_a_byte)
{
    REFUSES_AS("{\"w\":{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,2]}}", 2, PRUNE_E_UNSUPPORTED, "F4");
    REFUSES_AS("{\"w\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[0,3]}}", 3, PRUNE_E_UNSUPPORTED,
               "F6_E2M3");
}
END_TEST

START_TEST(data_at_an_odd_place_become_aligned)
{
    const float values[] = {1.5f, -2.25f};
    prune_archive *archive = read_json("{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}} ", values, 8);
    const prune_tensor *tensor = prune_archive_find(archive, "w");
    const float *data = prune_tensor_const_data(tensor);
    ck_assert_uint_eq((uintptr_t)data % 64, 0);
    ck_assert(data[0] == 1.5f && data[1] == -2.25f);
    prune_archive_free(archive);
}
END_TEST

START_TEST(nan_patterns_survive)
{
    const uint16_t patterns[] = {0x7f81, 0xffff, 0x7fc0, 0x8000};
    const int64_t shape[] = {4};
    prune_tensor *tensor;
    prune_archive *archive, *back;
    OK(prune_archive_create(&archive, NULL));
    for (int32_t dtype = PRUNE_F16; dtype <= PRUNE_BF16; dtype++) {
        OK(prune_tensor_borrow(&tensor, NULL, (void *)(uintptr_t)patterns, dtype, 1, shape, NULL));
        OK(prune_archive_add(archive, prune_dtype_name(dtype), tensor));
        prune_tensor_free(tensor);
    }
    OK(prune_archive_write(archive, scratch("nan")));
    OK(prune_archive_read(&back, NULL, scratch("nan")));
    ck_assert(memcmp(prune_tensor_const_data(prune_archive_find(back, "bf16")), patterns, 8) == 0);
    ck_assert(memcmp(prune_tensor_const_data(prune_archive_find(back, "f16")), patterns, 8) == 0);
    prune_archive_free(archive);
    prune_archive_free(back);
}
END_TEST

START_TEST(a_small_file_that_declares_much_gets_no_memory)
{
    static const char *const headers[] = {
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1000000000,1000],\"data_offsets\":[0,4]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1000000000,1000],\"data_offsets\":[0,4000000000000]}}",
        "{\"w\":{\"dtype\":\"F64\",\"shape\":[536870912],\"data_offsets\":[0,4294967296]}}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct counting counting;
        prune_context *context = counting_context(&counting);
        prune_archive *archive = UNTOUCHED;
        const char *path = scratch("small");
        save_file(path, headers[i], strlen(headers[i]), "\0\0\0\0", 4);
        FAILS(prune_archive_read(&archive, context, path), PRUNE_E_FORMAT, "tensor");
        ck_assert_ptr_eq(archive, UNTOUCHED);
        ck_assert_int_lt(counting.peak, 8192);
        ck_assert_int_eq(counting.blocks, 0);
        prune_context_free(context);
    }
}
END_TEST

/* Peak memory of reading a file of one tensor: the tensor, and little more. */
START_TEST(reading_takes_little_more_than_the_file)
{
    const int64_t shape[] = {1 << 20};
    struct counting counting;
    prune_context *context = counting_context(&counting);
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    add(archive, "w", PRUNE_F32, 1, shape, 1);
    OK(prune_archive_write(archive, scratch("large")));
    prune_archive_free(archive);
    OK(prune_archive_read(&archive, context, scratch("large")));
    ck_assert_int_lt(counting.peak, (4 << 20) + 16384);
    prune_archive_free(archive);
    ck_assert_int_eq(counting.blocks, 0);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("safetensors", the_golden_file_of_88_bytes, every_dtype_comes_back, ranks_0_to_8_and_empty_tensors_come_back,
          odd_names_and_texts_come_back, a_thousand_tensors_come_back, equal_archives_give_equal_bytes,
          names_that_are_none_are_refused, arguments_that_are_null_are_refused,
          a_bool_that_is_neither_0_nor_1_is_refused, an_empty_file, one_to_seven_bytes, a_header_of_no_bytes,
          a_header_of_one_brace, a_header_longer_than_the_limit, a_header_of_2_to_the_63_bytes,
          a_header_length_that_wraps, a_header_longer_than_the_file, a_header_that_is_not_utf8,
          overlong_utf8_and_lone_surrogates, escapes_are_decoded, a_byte_order_mark, white_space_first,
          garbage_after_the_json, json_that_is_none, a_string_that_does_not_end, nesting_100000_deep,
          a_header_of_100000_tensors_takes_less_than_a_second, a_tensor_twice, a_tensor_twice_behind_an_escape,
          a_key_of_a_tensor_twice_missing_or_unknown, metadata_that_is_not_strings, metadata_of_a_megabyte_is_read,
          names_empty_or_with_nul, names_like_paths_and_long_ones_are_only_names, dtypes_unknown_lower_case_or_null,
          extents_that_are_no_whole_numbers, a_shape_whose_product_wraps, a_shape_whose_bytes_wrap,
          nothing_times_more_than_fits, ranks_0_65_and_a_million, empty_tensors_may_share_a_place,
          offsets_that_go_backwards, a_hole_between_tensors, an_overlap_of_tensors, a_first_offset_that_is_not_0,
          bytes_after_the_last_tensor, a_last_tensor_beyond_the_end, every_cut_of_a_good_file_is_refused,
          offsets_that_are_not_two_numbers, a_size_that_is_not_shape_times_dtype, elements_smaller_than_a_byte,
          data_at_an_odd_place_become_aligned, nan_patterns_survive, a_small_file_that_declares_much_gets_no_memory,
          reading_takes_little_more_than_the_file)
