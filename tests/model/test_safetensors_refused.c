/* SPDX-License-Identifier: BSD-2-Clause
 *
 * safetensors: each way in which a file can lie is refused with its own sentence, and the borders of what is not.
 */
#include "safetensors.h"

static const char golden_json[] = "{\"w\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}}";

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
    REFUSES_AS("{\"w\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, PRUNE_E_UNSUPPORTED, "U64");
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

START_TEST(a_small_file_that_declares_much_gets_no_memory)
{
    static const char *const headers[] = {
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1000000000,1000],\"data_offsets\":[0,4]}}",
        "{\"w\":{\"dtype\":\"F32\",\"shape\":[1000000000,1000],\"data_offsets\":[0,4000000000000]}}",
        "{\"w\":{\"dtype\":\"F64\",\"shape\":[536870912],\"data_offsets\":[0,4294967296]}}",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct allocator allocator;
        prune_context *context = counted_context(&allocator);
        prune_archive *archive = UNTOUCHED;
        const char *path = scratch("small");
        save_file(path, headers[i], strlen(headers[i]), "\0\0\0\0", 4);
        FAILS(prune_archive_read(&archive, context, path), PRUNE_E_FORMAT, "tensor");
        ck_assert_ptr_eq(archive, UNTOUCHED);
        ck_assert_int_lt(allocator.peak, 8192);
        ck_assert_int_eq(allocator.live, 0);
        prune_context_free(context);
    }
}
END_TEST

TEST_MAIN("safetensors_refused", an_empty_file, one_to_seven_bytes, a_header_of_no_bytes, a_header_of_one_brace,
          a_header_longer_than_the_limit, a_header_of_2_to_the_63_bytes, a_header_length_that_wraps,
          a_header_longer_than_the_file, a_header_that_is_not_utf8, overlong_utf8_and_lone_surrogates,
          a_byte_order_mark, white_space_first, garbage_after_the_json, json_that_is_none, a_string_that_does_not_end,
          nesting_100000_deep, a_tensor_twice, a_tensor_twice_behind_an_escape,
          a_key_of_a_tensor_twice_missing_or_unknown, metadata_that_is_not_strings, names_empty_or_with_nul,
          names_like_paths_and_long_ones_are_only_names, dtypes_unknown_lower_case_or_null,
          extents_that_are_no_whole_numbers, a_shape_whose_product_wraps, a_shape_whose_bytes_wrap,
          nothing_times_more_than_fits, ranks_0_65_and_a_million, empty_tensors_may_share_a_place,
          offsets_that_go_backwards, a_hole_between_tensors, an_overlap_of_tensors, a_first_offset_that_is_not_0,
          bytes_after_the_last_tensor, a_last_tensor_beyond_the_end, every_cut_of_a_good_file_is_refused,
          offsets_that_are_not_two_numbers, a_size_that_is_not_shape_times_dtype, elements_smaller_than_a_byte,
          a_small_file_that_declares_much_gets_no_memory)
