/* SPDX-License-Identifier: BSD-2-Clause
 *
 * npy: what NumPy writes is read, what is written NumPy reads, and everything else is refused.
 */
#include "allocator.h"
#include "files.h"

/* Version 1.0, the header padded and ended as NumPy does, then the data. */
static void save_npy(const char *path, const char *dict, const void *data, size_t length)
{
    size_t used = strlen(dict), total = (10 + used + 1 + 63) / 64 * 64;
    unsigned char *bytes = calloc(1, total + length);
    memcpy(bytes, "\x93NUMPY\1\0", 8);
    bytes[8] = (unsigned char)(total - 10);
    bytes[9] = (unsigned char)((total - 10) >> 8);
    memset(bytes + 10, ' ', total - 10);
    memcpy(bytes + 10, dict, used);
    bytes[total - 1] = '\n';
    if (length > 0)
        memcpy(bytes + total, data, length);
    save(path, bytes, total + length);
    free(bytes);
}

static void refuses_path(const char *path, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_tensor *tensor = UNTOUCHED;
    FAILS(prune_npy_read(&tensor, context, path), status, word);
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    ck_assert_int_eq(allocator.live, 0);
    ck_assert_int_lt(allocator.peak, 4096);
    prune_context_free(context);
}

/* `length` zero bytes of data follow the dictionary. */
static void refuses_as(const char *dict, size_t length, int32_t status, const char *word)
{
    unsigned char *data = calloc(1, length + 1);
    save_npy(scratch("bad.npy"), dict, data, length);
    free(data);
    refuses_path(scratch("bad.npy"), status, word);
}

static void refuses(const char *dict, size_t length, const char *word)
{
    refuses_as(dict, length, PRUNE_E_FORMAT, word);
}

static void refuses_bytes(const void *bytes, size_t length, int32_t status, const char *word)
{
    save(scratch("bad.npy"), bytes, length);
    refuses_path(scratch("bad.npy"), status, word);
}

static prune_tensor *reads(const char *dict, const void *data, size_t length)
{
    prune_tensor *tensor = NULL;
    save_npy(scratch("good.npy"), dict, data, length);
    OK(prune_npy_read(&tensor, NULL, scratch("good.npy")));
    return tensor;
}

START_TEST(the_golden_header_of_128_bytes)
{
    float values[] = {1, -2, 3, -4, 5, -6};
    const int64_t shape[] = {2, 3};
    unsigned char golden[128 + sizeof values];
    static const char dict[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    prune_tensor *tensor;
    memset(golden, ' ', 128);
    memcpy(golden, "\x93NUMPY\1\0\x76\0", 10);
    memcpy(golden + 10, dict, sizeof dict - 1);
    golden[127] = '\n';
    memcpy(golden + 128, values, sizeof values);
    OK(prune_tensor_borrow(&tensor, NULL, values, PRUNE_F32, 2, shape, NULL));
    OK(prune_npy_write(tensor, scratch("golden.npy")));
    ck_assert(holds(scratch("golden.npy"), golden, sizeof golden));
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(every_dtype_comes_back)
{
    static const int32_t dtypes[] = {PRUNE_F16, PRUNE_F32, PRUNE_F64, PRUNE_U8,  PRUNE_BOOL, PRUNE_I32,
                                     PRUNE_I64, PRUNE_I8,  PRUNE_I16, PRUNE_U16, PRUNE_U32};
    static const char *const descrs[] = {"'<f2'", "'<f4'", "'<f8'", "'|u1'", "'|b1'", "'<i4'",
                                         "'<i8'", "'|i1'", "'<i2'", "'<u2'", "'<u4'"};
    const int64_t shape[] = {2, 3};
    for (int i = 0; i < 11; i++) {
        prune_tensor *tensor, *back;
        OK(prune_tensor_create(&tensor, NULL, dtypes[i], 2, shape));
        unsigned char *bytes = prune_tensor_data(tensor);
        size_t length = (size_t)(6 * prune_dtype_size(dtypes[i]));
        for (size_t k = 0; k < length; k++)
            bytes[k] = (unsigned char)(dtypes[i] == PRUNE_BOOL ? k & 1 : 5 * k + 3);
        OK(prune_npy_write(tensor, scratch("a.npy")));
        struct content content = load(scratch("a.npy"));
        ck_assert_ptr_nonnull(strstr((const char *)content.bytes + 10, descrs[i]));
        free(content.bytes);
        OK(prune_npy_read(&back, NULL, scratch("a.npy")));
        ck_assert_int_eq(prune_tensor_dtype(back), dtypes[i]);
        ck_assert(memcmp(prune_tensor_const_data(back), bytes, length) == 0);
        prune_tensor_free(tensor);
        prune_tensor_free(back);
    }
}
END_TEST

START_TEST(bf16_has_no_npy_type)
{
    prune_tensor *tensor;
    OK(prune_tensor_create(&tensor, NULL, PRUNE_BF16, 0, NULL));
    FAILS(prune_npy_write(tensor, scratch("bf16.npy")), PRUNE_E_DTYPE, "bf16");
    ck_assert_int_ne(access(scratch("bf16.npy"), F_OK), 0);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(ranks_0_to_8_and_empty_tensors_come_back)
{
    static const char *const shapes[] = {"()", "(2,)", "(2, 0)"};
    const int64_t ones[] = {2, 1, 1, 3, 1, 2, 1, 9}, empty[] = {2, 0};
    for (int32_t rank = 0; rank <= PRUNE_MAX_RANK + 1; rank++) {
        prune_tensor *tensor, *back;
        int is_empty = rank > PRUNE_MAX_RANK;
        OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, is_empty ? 2 : rank, is_empty ? empty : ones));
        OK(prune_npy_write(tensor, scratch("rank.npy")));
        OK(prune_npy_read(&back, NULL, scratch("rank.npy")));
        ck_assert_int_eq(prune_tensor_rank(back), prune_tensor_rank(tensor));
        for (int32_t i = 0; i < prune_tensor_rank(back); i++)
            ck_assert_int_eq(prune_tensor_shape(back)[i], prune_tensor_shape(tensor)[i]);
        if (rank < 2 || is_empty) {
            struct content content = load(scratch("rank.npy"));
            ck_assert_ptr_nonnull(strstr((const char *)content.bytes + 10, shapes[is_empty ? 2 : rank]));
            ck_assert_uint_eq((content.bytes[8] + 10u) % 64, 0);
            free(content.bytes);
        }
        prune_tensor_free(tensor);
        prune_tensor_free(back);
    }
}
END_TEST

START_TEST(a_view_is_written_in_row_major_order)
{
    float values[] = {1, 2, 3, 4, 5, 6};
    const int64_t shape[] = {2, 3};
    const int32_t order[] = {1, 0};
    prune_tensor *tensor, *view, *back;
    OK(prune_tensor_borrow(&tensor, NULL, values, PRUNE_F32, 2, shape, NULL));
    OK(prune_tensor_permute(&view, tensor, order));
    OK(prune_npy_write(view, scratch("view.npy")));
    OK(prune_npy_read(&back, NULL, scratch("view.npy")));
    const float *got = prune_tensor_const_data(back), expected[] = {1, 4, 2, 5, 3, 6};
    ck_assert_int_eq(prune_tensor_shape(back)[0], 3);
    ck_assert(memcmp(got, expected, sizeof expected) == 0);
    prune_tensor_free(back);
    prune_tensor_free(view);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(big_endian_files_are_read)
{
    prune_tensor *tensor =
        reads("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", "\x3f\x80\0\0\xc0\0\0\0", 8);
    const float *floats = prune_tensor_const_data(tensor);
    ck_assert(floats[0] == 1.0f && floats[1] == -2.0f);
    prune_tensor_free(tensor);
    tensor = reads("{'descr': '>i8', 'fortran_order': False, 'shape': (1,), }", "\1\2\3\4\5\6\7\x08", 8);
    ck_assert_int_eq(*(const int64_t *)prune_tensor_const_data(tensor), 0x0102030405060708);
    prune_tensor_free(tensor);
    tensor = reads("{'descr': '>f2', 'fortran_order': False, 'shape': (1,), }", "\x3c\0", 2);
    ck_assert_int_eq(*(const uint16_t *)prune_tensor_const_data(tensor), 0x3c00);
    prune_tensor_free(tensor);
    tensor = reads("{'descr': '<i4', 'fortran_order': False, 'shape': (1,), }", "\1\2\3\4", 4);
    ck_assert_int_eq(*(const int32_t *)prune_tensor_const_data(tensor), 0x04030201);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(fortran_order_becomes_c_order)
{
    /* Element (i, j, k) of shape (2, 3, 2) stands at i + 2 j + 6 k. */
    const char data[] = "\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b";
    prune_tensor *tensor = reads("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 2), }", data, 12);
    const unsigned char *bytes = prune_tensor_const_data(tensor);
    ck_assert_int_eq(prune_tensor_is_contiguous(tensor), 1);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 2; k++)
                ck_assert_int_eq(bytes[6 * i + 2 * j + k], i + 2 * j + 6 * k);
    ck_assert_int_eq(prune_tensor_shape(tensor)[1], 3);
    prune_tensor_free(tensor);
    tensor = reads("{'descr': '|u1', 'fortran_order': True, 'shape': (), }", data + 1, 1);
    ck_assert_int_eq(prune_tensor_rank(tensor), 0);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(versions_2_and_3_are_read)
{
    static const char dict[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\n";
    for (char version = 2; version <= 3; version++) {
        char bytes[12 + sizeof dict - 1 + 4] = "\x93NUMPY";
        bytes[6] = version;
        bytes[8] = sizeof dict - 1;
        memcpy(bytes + 12, dict, sizeof dict - 1);
        memcpy(bytes + 12 + sizeof dict - 1, "\0\0\x80\x3f", 4);
        prune_tensor *tensor;
        save(scratch("v.npy"), bytes, sizeof bytes);
        OK(prune_npy_read(&tensor, NULL, scratch("v.npy")));
        ck_assert(*(const float *)prune_tensor_const_data(tensor) == 1.0f);
        prune_tensor_free(tensor);
    }
}
END_TEST

START_TEST(arguments_that_are_null_are_refused)
{
    prune_tensor *tensor = UNTOUCHED;
    FAILS(prune_npy_read(NULL, NULL, "x"), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_npy_read(&tensor, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    FAILS(prune_npy_write(NULL, "x"), PRUNE_E_ARGUMENT, "tensor");
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 0, NULL));
    FAILS(prune_npy_write(tensor, NULL), PRUNE_E_ARGUMENT, "path");
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(a_wrong_magic_or_version)
{
    refuses_bytes("", 0, PRUNE_E_FORMAT, "truncated");
    refuses_bytes("\x93NUMPY\1\0\1", 9, PRUNE_E_FORMAT, "truncated");
    refuses_bytes("\x93NUMPX\1\0\1\0\n", 11, PRUNE_E_FORMAT, "magic");
    refuses_bytes("\x89PNG\r\n\x1a\n0000", 12, PRUNE_E_FORMAT, "magic");
    refuses_bytes("\x93NUMPY\4\0\1\0\0\0\n", 13, PRUNE_E_UNSUPPORTED, "version 4.0");
    refuses_bytes("\x93NUMPY\1\1\1\0\n", 11, PRUNE_E_UNSUPPORTED, "version 1.1");
    refuses_bytes("\x93NUMPY\0\0\1\0\n", 11, PRUNE_E_UNSUPPORTED, "version 0.0");
}
END_TEST

START_TEST(a_header_of_4_gib_in_12_bytes)
{
    refuses_bytes("\x93NUMPY\2\0\xf0\xff\xff\xff", 12, PRUNE_E_FORMAT, "4294967280");
}
END_TEST

START_TEST(a_header_past_the_end)
{
    refuses_bytes("\x93NUMPY\1\0\3\0{}", 12, PRUNE_E_FORMAT, "truncated");
    refuses_bytes("\x93NUMPY\2\0\1\0\0", 11, PRUNE_E_FORMAT, "truncated");
}
END_TEST

START_TEST(a_header_longer_than_numpy_allows)
{
    unsigned char *bytes = calloc(1, 20000);
    memcpy(bytes, "\x93NUMPY\1\0\x11\x27", 10); /* 10001 */
    refuses_bytes(bytes, 20000, PRUNE_E_FORMAT, "at most 10000");
    free(bytes);
}
END_TEST

START_TEST(a_header_without_newline_or_brace)
{
    refuses_bytes("\x93NUMPY\1\0\2\0{}", 12, PRUNE_E_FORMAT, "newline");
    refuses_bytes("\x93NUMPY\1\0\0\0", 10, PRUNE_E_FORMAT, "newline");
    refuses_bytes("\x93NUMPY\1\0\1\0\n", 11, PRUNE_E_FORMAT, "\"{\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)", 4, "\",\" is expected");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,),", 4, "a key");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}}", 4, "nothing is expected");
    refuses("{'descr': '<f4", 4, "descr");
}
END_TEST

START_TEST(keys_missing_twice_or_unknown)
{
    refuses("{'fortran_order': False, 'shape': (1,)}", 4, "descr is missing");
    refuses("{'descr': '<f4', 'shape': (1,)}", 4, "fortran_order is missing");
    refuses("{'descr': '<f4', 'fortran_order': False}", 4, "shape is missing");
    refuses("{}", 4, "missing");
    refuses("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "descr stands twice");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 1}", 4, "'x' is no key");
    refuses("{descr: '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "a key");
    refuses("{'descr' '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "\":\"");
}
END_TEST

START_TEST(keys_in_any_order_and_other_quotes_are_read)
{
    prune_tensor *tensor =
        reads("{ \"shape\" : ( 1 , 1 ) ,\t'fortran_order':False,'descr':\"<f4\"}", "\0\0\x80\x3f", 4);
    ck_assert_int_eq(prune_tensor_rank(tensor), 2);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(dtypes_of_python_objects_and_other_kinds)
{
    static const char *const others[] = {"<f16", "<U999999999", "<c8", "<u8", "<c16",
                                         "|V2",  "|S3",         "<M8", "<f4", "|f4"};
    char dict[128];
    refuses_as("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", 8, PRUNE_E_UNSUPPORTED, "Python objects");
    refuses_as("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, PRUNE_E_UNSUPPORTED,
               "structured");
    for (int i = 0; i < 10; i++) {
        snprintf(dict, sizeof dict, "{'descr': '%s', 'fortran_order': False, 'shape': (1,)}", others[i]);
        if (i != 8)
            refuses_as(dict, 4, PRUNE_E_UNSUPPORTED, others[i]);
    }
    refuses("{'descr': 'f4', 'fortran_order': False, 'shape': (1,)}", 4, "no dtype");
    refuses("{'descr': '', 'fortran_order': False, 'shape': (1,)}", 4, "no dtype");
    refuses("{'descr': '<', 'fortran_order': False, 'shape': (1,)}", 4, "no dtype");
    refuses("{'descr': '<f4x', 'fortran_order': False, 'shape': (1,)}", 4, "no dtype");
    refuses("{'descr': '<f-4', 'fortran_order': False, 'shape': (1,)}", 4, "no dtype");
    refuses("{'descr': 4, 'fortran_order': False, 'shape': (1,)}", 4, "descr");
    refuses("{'descr': '<f4\\n', 'fortran_order': False, 'shape': (1,)}", 4, "descr");
    refuses("{'descr': '<f4                                       ', 'fortran_order': False, 'shape': (1,)}", 4,
            "descr");
}
END_TEST

START_TEST(fortran_order_that_is_no_bool)
{
    refuses("{'descr': '<f4', 'fortran_order': true, 'shape': (1,)}", 4, "True or False");
    refuses("{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}", 4, "True or False");
    refuses("{'descr': '<f4', 'fortran_order': 'False', 'shape': (1,)}", 4, "True or False");
    refuses("{'descr': '<f4', 'fortran_order': Falsely, 'shape': (1,)}", 4, "is expected");
}
END_TEST

START_TEST(shapes_that_are_none)
{
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 4, "0 or more");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775808,)}", 4, "63 bits");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (3)}", 12, "tuple");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': 3}", 12, "\"(\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': [3]}", 12, "\"(\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1.0,)}", 4, "\",\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1e0,)}", 4, "\",\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}", 4, "plain digits");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1_0,)}", 40, "\",\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,,)}", 4, "plain digits");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (,)}", 4, "plain digits");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1 2)}", 8, "\",\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", 4, "plain digits");
    refuses_as("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4, PRUNE_E_UNSUPPORTED,
               "more than 8");
}
END_TEST

START_TEST(shapes_whose_bytes_wrap)
{
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387905,)}", 4, "too large");
    refuses("{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296)}", 0, "too large");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775807)}", 0, "too large");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000)}", 4, "truncated");
}
END_TEST

START_TEST(data_one_byte_short_or_long)
{
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 7, "truncated");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 9, "overlong");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", 0, "truncated");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 5)}", 4, "overlong");
}
END_TEST

START_TEST(python_is_not_evaluated)
{
    char dict[9000] = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
    size_t start = strlen(dict);
    refuses("__import__('os').abort()", 4, "\"{\"");
    refuses("{'descr': __import__('os'), 'fortran_order': False, 'shape': (1,)}", 4, "descr");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1+1,)}", 8, "\",\"");
    refuses("dict(descr='<f4', fortran_order=False, shape=(1,))", 4, "\"{\"");
    memset(dict + start, '(', 8900);
    dict[start + 8900] = '\0';
    refuses(dict, 4, "plain digits");
}
END_TEST

START_TEST(line_ends_and_tabs_are_space_an_l_is_not)
{
    prune_tensor *tensor = reads("{'descr':\t'<f4',\r\n'fortran_order': False,\r\n'shape': (1,)}\r", "\0\0\x80\x3f", 4);
    prune_tensor_free(tensor);
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1L,)}", 4, "\",\"");
    refuses("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\v", 4, "nothing is expected");
}
END_TEST

START_TEST(a_bool_that_is_neither_0_nor_1)
{
    save_npy(scratch("bool.npy"), "{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", "\0\1\xff", 3);
    prune_tensor *tensor = UNTOUCHED;
    FAILS(prune_npy_read(&tensor, NULL, scratch("bool.npy")), PRUNE_E_FORMAT, "0 or 1");
    ck_assert_ptr_eq(tensor, UNTOUCHED);
}
END_TEST

TEST_MAIN("npy", the_golden_header_of_128_bytes, every_dtype_comes_back, bf16_has_no_npy_type,
          ranks_0_to_8_and_empty_tensors_come_back, a_view_is_written_in_row_major_order, big_endian_files_are_read,
          fortran_order_becomes_c_order, versions_2_and_3_are_read, arguments_that_are_null_are_refused,
          a_wrong_magic_or_version, a_header_of_4_gib_in_12_bytes, a_header_past_the_end,
          a_header_longer_than_numpy_allows, a_header_without_newline_or_brace, keys_missing_twice_or_unknown,
          keys_in_any_order_and_other_quotes_are_read, dtypes_of_python_objects_and_other_kinds,
          fortran_order_that_is_no_bool, shapes_that_are_none, shapes_whose_bytes_wrap, data_one_byte_short_or_long,
          python_is_not_evaluated, line_ends_and_tabs_are_space_an_l_is_not, a_bool_that_is_neither_0_nor_1)
