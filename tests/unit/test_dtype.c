/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Element types and conversions.
 */
#include <float.h>
#include <math.h>

#include "core/tensor/tensor.h"
#include "testing.h"

START_TEST(dtypes_have_sizes_and_names)
{
    static const struct {
        int32_t dtype, size;
        const char *name;
    } all[] = {{1, 4, "f32"}, {2, 2, "f16"}, {3, 2, "bf16"}, {4, 1, "u8"},   {5, 1, "bool"}, {6, 4, "i32"},
               {7, 8, "i64"}, {8, 8, "f64"}, {9, 1, "i8"},   {10, 2, "i16"}, {11, 2, "u16"}, {12, 4, "u32"}};
    for (size_t i = 0; i < 12; i++) {
        ck_assert_int_eq(prune_dtype_size(all[i].dtype), all[i].size);
        ck_assert_str_eq(prune_dtype_name(all[i].dtype), all[i].name);
        ck_assert_int_eq(prune_dtype_from_name(all[i].name), all[i].dtype);
    }
    static const int32_t none[] = {0, 13, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(prune_dtype_size(none[i]), 0);
        ck_assert_str_eq(prune_dtype_name(none[i]), "?");
    }
    ck_assert_int_eq(prune_dtype_from_name(NULL), 0);
    ck_assert_int_eq(prune_dtype_from_name(""), 0);
    ck_assert_int_eq(prune_dtype_from_name("F32"), 0);
    ck_assert_int_eq(prune_dtype_from_name("f3"), 0);
}
END_TEST

/* What a 16-bit pattern means, from the definition of the format; independent of the library. */
static double meaning(uint32_t bits, int fraction_bits)
{
    int exponent_bits = 15 - fraction_bits, bias = (1 << (exponent_bits - 1)) - 1;
    int exponent = (int)(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
    double fraction = (double)(bits & ((1U << fraction_bits) - 1)), sign = bits >> 15 ? -1.0 : 1.0;
    if (exponent == (1 << exponent_bits) - 1)
        return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(fraction, 1 - bias - fraction_bits);
    return sign * ldexp(1 + ldexp(fraction, -fraction_bits), exponent - bias);
}

static uint16_t to_bits(double value, int fraction_bits)
{
    return fraction_bits == 10 ? pr_f16_from_double(value) : pr_bf16_from_double(value);
}

static void all_patterns(int fraction_bits)
{
    for (uint32_t bits = 0; bits < 65536; bits++) {
        double expected = meaning(bits, fraction_bits);
        double read =
            fraction_bits == 10 ? (double)pr_f16_to_float((uint16_t)bits) : (double)pr_bf16_to_float((uint16_t)bits);
        if (isnan(expected)) {
            ck_assert(isnan(read));
            ck_assert(isnan(meaning(to_bits(read, fraction_bits), fraction_bits)));
            continue;
        }
        ck_assert_mem_eq(&read, &expected, sizeof read);
        ck_assert_uint_eq(to_bits(expected, fraction_bits), bits);
    }
}

START_TEST(all_65536_f16_patterns)
{
    all_patterns(10);
}
END_TEST

START_TEST(all_65536_bf16_patterns)
{
    all_patterns(7);
}
END_TEST

/* Between each two neighbours: the middle goes to the even one, what is nearer goes to the nearer one. */
static void all_roundings(int fraction_bits)
{
    const uint32_t infinity = fraction_bits == 10 ? 0x7c00 : 0x7f80;
    for (uint32_t bits = 0; bits < infinity; bits++) {
        double low = meaning(bits, fraction_bits), high = meaning(bits + 1, fraction_bits);
        if (isinf(high)) /* where it would be if exponents went on */
            high = low + (low - meaning(bits - 1, fraction_bits));
        double middle = low + (high - low) / 2;
        uint32_t even = bits & 1 ? bits + 1 : bits;
        for (uint32_t sign = 0; sign <= 0x8000; sign += 0x8000) {
            double s = sign ? -1 : 1;
            ck_assert_uint_eq(to_bits(s * middle, fraction_bits), sign | even);
            ck_assert_uint_eq(to_bits(s * nextafter(middle, 0), fraction_bits), sign | bits);
            ck_assert_uint_eq(to_bits(s * nextafter(middle, (double)INFINITY), fraction_bits), sign | (bits + 1));
            ck_assert_uint_eq(to_bits(s * (low + (high - low) / 4), fraction_bits), sign | bits);
        }
    }
    ck_assert_uint_eq(to_bits(DBL_MAX, fraction_bits), infinity);
    ck_assert_uint_eq(to_bits(-DBL_MAX, fraction_bits), infinity | 0x8000);
    ck_assert_uint_eq(to_bits(0x1p-1074, fraction_bits), 0);
    ck_assert_uint_eq(to_bits(-0x1p-1074, fraction_bits), 0x8000);
    ck_assert_uint_eq(to_bits(0x1p-1022, fraction_bits), 0);
}

START_TEST(f16_rounds_to_nearest_even)
{
    all_roundings(10);
    ck_assert_uint_eq(pr_f16_from_double(65504), 0x7bff);
    ck_assert_uint_eq(pr_f16_from_double(65519.99), 0x7bff);
    ck_assert_uint_eq(pr_f16_from_double(65520), 0x7c00);
}
END_TEST

START_TEST(bf16_rounds_to_nearest_even)
{
    all_roundings(7);
}
END_TEST

static prune_tensor *borrow(void *data, int32_t dtype, int64_t count)
{
    prune_tensor *tensor;
    OK(prune_tensor_borrow(&tensor, NULL, data, dtype, 1, &count, NULL));
    return tensor;
}

START_TEST(nan_with_a_small_payload_stays_nan)
{
    uint32_t bits[2] = {0x7f800001, 0xff800001};
    prune_tensor *source = borrow(bits, PRUNE_F32, 2), *to;
    static const int32_t targets[] = {PRUNE_F16, PRUNE_BF16, PRUNE_F64};
    for (size_t i = 0; i < 3; i++) {
        double back[2];
        OK(prune_tensor_convert(&to, source, targets[i]));
        pr_read_double(targets[i], prune_tensor_const_data(to), 1, 2, back);
        ck_assert(isnan(back[0]) && isnan(back[1]));
        prune_tensor_free(to);
    }
    OK(prune_tensor_convert(&to, source, PRUNE_F32)); /* the same type: the same bits */
    ck_assert_mem_eq(prune_tensor_const_data(to), bits, sizeof bits);
    prune_tensor_free(to);
    prune_tensor_free(source);
    const uint64_t least = 0x7ff0000000000001; /* signalling, and no bit of its payload fits */
    double value;
    memcpy(&value, &least, sizeof value);
    ck_assert(isnan(pr_f16_to_float(pr_f16_from_double(value))));
    ck_assert(isnan(pr_bf16_to_float(pr_bf16_from_double(value))));
}
END_TEST

START_TEST(f64_to_f16_rounds_once)
{
    /* Through float this would first go to the middle, and then down to even. */
    double value = 1 + 0x1p-11 + 0x1p-40;
    ck_assert_uint_eq(pr_f16_from_double(value), 0x3c01);
    ck_assert_uint_eq(pr_f16_from_double((double)(float)value), 0x3c00);
    /* The same for an integer of 63 bits on its way to bf16. */
    int64_t big = (1LL << 62) + (1LL << 54) + 1, even = (1LL << 62) + (1LL << 54);
    int64_t in[4] = {big, even, -big, -even};
    prune_tensor *source = borrow(in, PRUNE_I64, 4), *to;
    OK(prune_tensor_convert(&to, source, PRUNE_BF16));
    const uint16_t *bits = prune_tensor_const_data(to);
    ck_assert_uint_eq(bits[0], 0x5e81);
    ck_assert_uint_eq(bits[1], 0x5e80);
    ck_assert_uint_eq(bits[2], 0xde81);
    ck_assert_uint_eq(bits[3], 0xde80);
    prune_tensor_free(to);
    prune_tensor_free(source);
}
END_TEST

START_TEST(every_pair_of_types_keeps_small_whole_numbers)
{
    double in[4] = {0, 1, 1, 0}, more[4] = {0, 1, 100, 7};
    for (int32_t from = 1; from <= PRUNE_U32; from++) {
        for (int32_t to = 1; to <= PRUNE_U32; to++) {
            int truth = from == PRUNE_BOOL || to == PRUNE_BOOL;
            prune_tensor *first = borrow(truth ? in : more, PRUNE_F64, 4), *second, *third;
            OK(prune_tensor_convert(&second, first, from));
            OK(prune_tensor_convert(&third, second, to));
            double back[4];
            pr_read_double(to, prune_tensor_const_data(third), 1, 4, back);
            ck_assert_mem_eq(back, truth ? in : more, sizeof back);
            float single[4];
            pr_read_float(to, prune_tensor_const_data(third), 1, 4, single);
            for (int i = 0; i < 4; i++)
                ck_assert_double_eq((double)single[i], back[i]);
            prune_tensor_free(first);
            prune_tensor_free(second);
            prune_tensor_free(third);
        }
    }
}
END_TEST

START_TEST(i64_keeps_all_its_bits)
{
    int64_t in[3] = {INT64_MAX, INT64_MIN, (1LL << 53) + 1};
    prune_tensor *source = borrow(in, PRUNE_I64, 3), *copy, *out = UNTOUCHED;
    OK(prune_tensor_convert(&copy, source, PRUNE_I64));
    ck_assert_mem_eq(prune_tensor_const_data(copy), in, sizeof in);
    for (int32_t narrow = PRUNE_I8; narrow <= PRUNE_U32; narrow++)
        FAILS(prune_tensor_convert(&out, source, narrow), PRUNE_E_VALUE, prune_dtype_name(narrow));
    FAILS(prune_tensor_convert(&out, source, PRUNE_I32), PRUNE_E_VALUE, "i32");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(copy);
    prune_tensor_free(source);
}
END_TEST

START_TEST(integers_and_bool_refuse_what_they_cannot_hold)
{
    static const struct {
        double value;
        int32_t dtype;
    } bad[] = {
        {0.5, PRUNE_U8},           {-1, PRUNE_U8},
        {256, PRUNE_U8},           {(double)NAN, PRUNE_U8},
        {2, PRUNE_BOOL},           {-1, PRUNE_BOOL},
        {0.5, PRUNE_BOOL},         {(double)NAN, PRUNE_BOOL},
        {2147483648.0, PRUNE_I32}, {-2147483649.0, PRUNE_I32},
        {1e300, PRUNE_I32},        {(double)NAN, PRUNE_I32},
        {0x1p63, PRUNE_I64},       {-0x1.1p63, PRUNE_I64},
        {1.5, PRUNE_I64},          {(double)INFINITY, PRUNE_I64},
        {(double)NAN, PRUNE_I64},  {(double)-INFINITY, PRUNE_U8},
        {128, PRUNE_I8},           {-129, PRUNE_I8},
        {0.5, PRUNE_I8},           {(double)NAN, PRUNE_I8},
        {32768, PRUNE_I16},        {-32769, PRUNE_I16},
        {-1, PRUNE_U16},           {65536, PRUNE_U16},
        {4294967296.0, PRUNE_U32}, {-1, PRUNE_U32},
        {1.5, PRUNE_U32},          {(double)NAN, PRUNE_U32},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        double in[600] = {0};
        in[599] = bad[i].value; /* not in the first chunk */
        prune_tensor *source = borrow(in, PRUNE_F64, 600), *out = UNTOUCHED, *target;
        FAILS(prune_tensor_convert(&out, source, bad[i].dtype), PRUNE_E_VALUE, "(599)");
        ck_assert_ptr_eq(out, UNTOUCHED);
        OK(prune_tensor_create(&target, NULL, bad[i].dtype, 1, ((int64_t[]){600})));
        memset(prune_tensor_data(target), 1, (size_t)(600 * prune_dtype_size(bad[i].dtype)));
        FAILS(prune_tensor_copy(target, source), PRUNE_E_VALUE, prune_dtype_name(bad[i].dtype));
        for (int64_t b = 0; b < 600 * prune_dtype_size(bad[i].dtype); b++)
            ck_assert_int_eq(((const char *)prune_tensor_const_data(target))[b], 1);
        prune_tensor_free(target);
        prune_tensor_free(source);
    }
    double good[4] = {-0x1p63, 0x1p62, -0.0, 4294967296.0};
    prune_tensor *source = borrow(good, PRUNE_F64, 4), *out;
    OK(prune_tensor_convert(&out, source, PRUNE_I64));
    ck_assert_mem_eq(prune_tensor_const_data(out), ((int64_t[]){INT64_MIN, 1LL << 62, 0, 1LL << 32}), 32);
    prune_tensor_free(out);
    prune_tensor_free(source);
}
END_TEST

START_TEST(bool_bytes_other_than_0_and_1_are_refused)
{
    uint8_t bytes[3] = {0, 1, 2};
    prune_tensor *source = borrow(bytes, PRUNE_BOOL, 3), *out = UNTOUCHED;
    FAILS(prune_tensor_convert(&out, source, PRUNE_BOOL), PRUNE_E_VALUE, "0 or 1");
    bytes[2] = 0xff;
    FAILS(prune_tensor_convert(&out, source, PRUNE_BOOL), PRUNE_E_VALUE, "255");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(source);
}
END_TEST

START_TEST(convert_and_copy_refuse_bad_arguments)
{
    float data[3] = {0};
    prune_tensor *tensor = borrow(data, PRUNE_F32, 3), *other = borrow(data, PRUNE_F32, 2), *out = UNTOUCHED;
    FAILS(prune_tensor_convert(NULL, tensor, PRUNE_F32), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_tensor_convert(&out, NULL, PRUNE_F32), PRUNE_E_ARGUMENT, "tensor is NULL");
    FAILS(prune_tensor_convert(&out, tensor, 0), PRUNE_E_DTYPE, "0 is no dtype");
    FAILS(prune_tensor_copy(NULL, tensor), PRUNE_E_ARGUMENT, "target is NULL");
    FAILS(prune_tensor_copy(tensor, NULL), PRUNE_E_ARGUMENT, "source is NULL");
    FAILS(prune_tensor_copy(tensor, other), PRUNE_E_SHAPE, "[2]");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(tensor);
    prune_tensor_free(other);
}
END_TEST

TEST_MAIN("dtype", dtypes_have_sizes_and_names, all_65536_f16_patterns, all_65536_bf16_patterns,
          f16_rounds_to_nearest_even, bf16_rounds_to_nearest_even, nan_with_a_small_payload_stays_nan,
          f64_to_f16_rounds_once, every_pair_of_types_keeps_small_whole_numbers, i64_keeps_all_its_bits,
          integers_and_bool_refuse_what_they_cannot_hold, bool_bytes_other_than_0_and_1_are_refused,
          convert_and_copy_refuse_bad_arguments)
