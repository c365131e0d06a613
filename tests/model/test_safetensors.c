/* SPDX-License-Identifier: BSD-2-Clause
 *
 * safetensors: what is written comes back, byte for byte where the format fixes the bytes.
 */
#include <time.h>

#include "safetensors.h"

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
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_U32; dtype++)
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

/* Peak memory of reading a file of one tensor: the tensor, and little more. */
START_TEST(reading_takes_little_more_than_the_file)
{
    const int64_t shape[] = {1 << 20};
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    add(archive, "w", PRUNE_F32, 1, shape, 1);
    OK(prune_archive_write(archive, scratch("large")));
    prune_archive_free(archive);
    OK(prune_archive_read(&archive, context, scratch("large")));
    ck_assert_int_lt(allocator.peak, (4 << 20) + 16384);
    prune_archive_free(archive);
    ck_assert_int_eq(allocator.live, 0);
    prune_context_free(context);
}
END_TEST

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SECONDS 10.0
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SECONDS 10.0
#elif !defined(SECONDS)
#define SECONDS 1.0
#endif
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
    ck_assert_msg(seconds < SECONDS, "%.2f s", seconds);
    free(data);
    free(json);
}
END_TEST

TEST_MAIN("safetensors", the_golden_file_of_88_bytes, every_dtype_comes_back, ranks_0_to_8_and_empty_tensors_come_back,
          odd_names_and_texts_come_back, a_thousand_tensors_come_back, equal_archives_give_equal_bytes,
          names_that_are_none_are_refused, arguments_that_are_null_are_refused,
          a_bool_that_is_neither_0_nor_1_is_refused, escapes_are_decoded, metadata_of_a_megabyte_is_read,
          data_at_an_odd_place_become_aligned, nan_patterns_survive, reading_takes_little_more_than_the_file,
          a_header_of_100000_tensors_takes_less_than_a_second)
