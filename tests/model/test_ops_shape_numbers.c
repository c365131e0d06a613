/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Shape, Size, constants, Cast and Resize against numbers worked out here.
 */
#include "operator_inputs.h"

static const int32_t types[] = {PRUNE_F32, PRUNE_F64, PRUNE_F16, PRUNE_BF16, PRUNE_I8,  PRUNE_U8,
                                PRUNE_I16, PRUNE_U16, PRUNE_I32, PRUNE_U32,  PRUNE_I64, PRUNE_BOOL};

START_TEST(shapes_and_sizes)
{
    const double extents[] = {2, 0, 7};
    prune_tensor *x = random_of(PRUNE_BOOL, SHAPE(2, 0, 7), 3, 0), *shape = wholes(2, (const int64_t[]){2, 3}), *y;
    for (int start = -5; start <= 5; start++)
        for (int end = -5; end <= 5; end++) {
            int first = start < 0 ? start + 3 : start, last = end < 0 ? end + 3 : end;
            first = first < 0 ? 0 : first > 3 ? 3 : first;
            last = last < 0 ? 0 : last > 3 ? 3 : last;
            OK(apply(&y, 15, "Shape", INPUTS(x), "start", PM_INT, start, "end", PM_INT, end, NULL));
            expect_numbers(y, SHAPE(last > first ? last - first : 0), extents + first, "Shape");
            prune_tensor_free(y);
        }
    OK(apply(&y, 13, "Shape", INPUTS(x), NULL));
    ck_assert_int_eq(prune_tensor_dtype(y), PRUNE_I64);
    expect_numbers(y, SHAPE(3), extents, "Shape");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Size", INPUTS(x), NULL));
    expect_numbers(y, 0, NULL, (const double[]){0}, "Size");
    prune_tensor_free(y);
    OK(apply(&y, 13, "ConstantOfShape", INPUTS(shape), NULL));
    ck_assert_int_eq(prune_tensor_dtype(y), PRUNE_F32);
    expect_numbers(y, SHAPE(2, 3), (const double[6]){0}, "ConstantOfShape");
    prune_tensor_free(y);
    REFUSED(PRUNE_E_DTYPE, "whole numbers", 13, "ConstantOfShape", INPUTS(y = random_of(PRUNE_F32, SHAPE(2), 1, 0)),
            NULL);
    prune_tensor_free(y);
    REFUSED(PRUNE_E_SHAPE, "-4", 13, "ConstantOfShape", INPUTS(y = wholes(1, (const int64_t[]){-4})), NULL);
    prune_tensor_free(y);
    prune_tensor_free(x);
    prune_tensor_free(shape);
}
END_TEST

START_TEST(constants_of_plain_numbers)
{
    const int64_t whole[] = {3, -4};
    const float real[] = {0.5f, -2.25f, 8};
    prune_tensor *y;
    OK(apply(&y, 13, "Constant", 0, NULL, "value_float", PM_FLOAT, -1.5, NULL));
    expect_numbers(y, 0, NULL, (const double[]){-1.5}, "Constant");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Constant", 0, NULL, "value_int", PM_INT, -7, NULL));
    ck_assert_int_eq(prune_tensor_dtype(y), PRUNE_I64);
    expect_numbers(y, 0, NULL, (const double[]){-7}, "Constant");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Constant", 0, NULL, "value_ints", PM_INTS, 2, whole, NULL));
    expect_numbers(y, SHAPE(2), (const double[]){3, -4}, "Constant");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Constant", 0, NULL, "value_floats", PM_FLOATS, 3, real, NULL));
    expect_numbers(y, SHAPE(3), (const double[]){0.5, -2.25, 8}, "Constant");
    prune_tensor_free(y);
    REFUSED(PRUNE_E_UNSUPPORTED, "value_ints", 13, "Constant", 0, NULL, NULL);
    REFUSED(PRUNE_E_FORMAT, "one", 13, "Constant", 0, NULL, "value_int", PM_INT, 5, "value_ints", PM_INTS, 2, whole,
            NULL);
}
END_TEST

/* Cast: numbers of TensorProto.DataType. */

static const int onnx_types[] = {1, 11, 10, 16, 3, 2, 5, 4, 6, 12, 7, 9}; /* as `types` */

static void try_cast(int32_t from, int to, int32_t count, const double *numbers, const double *wanted)
{
    prune_tensor *x = tensor_of(from, 1, &(int64_t){count}, numbers), *y;
    OK(apply(&y, 13, "Cast", INPUTS(x), "to", PM_INT, onnx_types[to], NULL));
    ck_assert_int_eq(prune_tensor_dtype(y), types[to]);
    double *got = doubles_of(y);
    for (int32_t i = 0; i < count; i++)
        if (!(got[i] == wanted[i] || (isnan(got[i]) && isnan(wanted[i]))))
            ck_abort_msg("%.17g of %s to %s: %.17g instead of %.17g", numbers[i], prune_dtype_name(from),
                         prune_dtype_name(types[to]), got[i], wanted[i]);
    free(got);
    prune_tensor_free(x);
    prune_tensor_free(y);
}

START_TEST(casts_of_numbers_that_every_type_has)
{
    double numbers[300], truth[300];
    for (int i = 0; i < 300; i++) {
        numbers[i] = i % 128;
        truth[i] = numbers[i] != 0;
    }
    for (int from = 0; from < COUNT_OF(types); from++)
        for (int to = 0; to < COUNT_OF(types); to++) {
            int is_truth = types[from] == PRUNE_BOOL || types[to] == PRUNE_BOOL;
            try_cast(types[from], to, 300, types[from] == PRUNE_BOOL ? truth : numbers, is_truth ? truth : numbers);
        }
}
END_TEST

START_TEST(casts_of_floats_are_cut_and_held)
{
    const double numbers[] = {2.9, -2.9, 0.4, -0.0, 300, -300, 1e30, -1e30, INFINITY, -INFINITY, NAN};
    const double i8[] = {2, -2, 0, 0, 127, -128, 127, -128, 127, -128, 0},
                 u8[] = {2, 0, 0, 0, 255, 0, 255, 0, 255, 0, 0};
    const double i32[] = {2, -2, 0, 0, 300, -300, 2147483647, -2147483648.0, 2147483647, -2147483648.0, 0};
    const double i64[] = {2, -2, 0, 0, 300, -300, 0x1p63, -0x1p63, 0x1p63, -0x1p63, 0}; /* of 2^63 - 1, as a double */
    const double truth[] = {1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1};
    for (int from = 0; from < 2; from++) {
        try_cast(types[from], 4, COUNT_OF(numbers), numbers, i8);
        try_cast(types[from], 5, COUNT_OF(numbers), numbers, u8);
        try_cast(types[from], 8, COUNT_OF(numbers), numbers, i32);
        try_cast(types[from], 10, COUNT_OF(numbers), numbers, i64);
        try_cast(types[from], 11, COUNT_OF(numbers), numbers, truth);
    }
    try_cast(PRUNE_I32, 4, 4, (const double[]){127, 128, -129, 65535}, (const double[]){127, -128, 127, -1});
    try_cast(PRUNE_I8, 9, 1, (const double[]){-1}, (const double[]){4294967295.0});
}
END_TEST

/* 1 + 2^-11 + 2^-30 is above the middle of two halves, but at it once it has been rounded to a float. */
START_TEST(casts_round_once)
{
    const double above[] = {1 + 0x1p-11 + 0x1p-30, -1 - 0x1p-11 - 0x1p-30, 1 + 0x1p-11};
    try_cast(PRUNE_F64, 2, 3, above, (const double[]){1 + 0x1p-10, -1 - 0x1p-10, 1});
    const double more[] = {1 + 0x1p-8 + 0x1p-30, -1 - 0x1p-8 - 0x1p-30, 1 + 0x1p-8};
    try_cast(PRUNE_F64, 3, 3, more, (const double[]){1 + 0x1p-7, -1 - 0x1p-7, 1});
}
END_TEST

START_TEST(casts_of_large_whole_numbers)
{
    const int64_t vast[] = {16777217, -9007199254740991, INT64_MAX, ((int64_t)1 << 62) + ((int64_t)1 << 54) + 1};
    prune_tensor *x = wholes(4, vast), *y;
    OK(apply(&y, 13, "Cast", INPUTS(x), "to", PM_INT, 11, NULL));
    const double *wide = prune_tensor_const_data(y);
    ck_assert(wide[0] == 16777217 && wide[1] == -9007199254740991 && wide[2] == 0x1p63);
    prune_tensor_free(y);
    OK(apply(&y, 13, "Cast", INPUTS(x), "to", PM_INT, 1, NULL));
    const float *narrow = prune_tensor_const_data(y);
    ck_assert(narrow[0] == 16777216 && narrow[1] == -0x1p53f && narrow[2] == 0x1p63f);
    prune_tensor_free(y);
    /* The last is one above the middle of two of bf16, a bit that neither a float nor a double has. */
    OK(apply(&y, 13, "Cast", INPUTS(x), "to", PM_INT, 16, NULL));
    double *few = doubles_of(y);
    ck_assert(few[0] == 0x1p24 && few[1] == -0x1p53 && few[2] == 0x1p63 && few[3] == 0x1p62 + 0x1p55);
    free(few);
    prune_tensor_free(y);
    prune_tensor_free(x);
}
END_TEST

START_TEST(casts_to_what_is_no_number_are_refused)
{
    prune_tensor *x = random_of(PRUNE_F32, SHAPE(2, 3), 3, 0);
    REFUSED(PRUNE_E_DTYPE, "8", 13, "Cast", INPUTS(x), "to", PM_INT, 8, NULL);
    REFUSED(PRUNE_E_DTYPE, "99", 13, "Cast", INPUTS(x), "to", PM_INT, 99, NULL);
    prune_tensor_free(x);
}
END_TEST

/* Resize along one axis against the definition, and what it refuses. */

START_TEST(resizes_to_the_nearest)
{
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    static const char *const ways[] = {"half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"};
    const double numbers[] = {0, 1, 2, 3, 4};
    prune_tensor *x = tensor_of(PRUNE_I16, SHAPE(1, 5), numbers);
    for (int64_t out = 1; out <= 11; out++)
        for (int w = 0; w < 4; w++)
            for (int r = 0; r < 4; r++) {
                prune_tensor *sizes = wholes(2, (const int64_t[]){1, out}), *y;
                double wanted[11];
                for (int64_t i = 0; i < out; i++) {
                    /* In 1 / (2 * out * (out - 1)), exactly. */
                    int64_t unit = 2 * out * (out > 1 ? out - 1 : 1), at;
                    if (w == 1)
                        at = out == 1 ? 0 : i * 4 * 2 * out;
                    else if (w == 2)
                        at = i * 5 * (unit / out);
                    else
                        at = w == 3 && out == 1 ? 0 : (2 * i + 1) * 5 * (unit / out / 2) - unit / 2;
                    double x_at = (double)at / (double)unit;
                    int is_middle = 2 * at % unit == 0 && at % unit != 0;
                    double near = is_middle ? (r == 0 ? floor(x_at) : ceil(x_at)) : floor(x_at + 0.5);
                    double low = at % unit == 0 ? (double)(at / unit) : floor(x_at);
                    double place = r < 2 ? near : r == 2 || at % unit == 0 ? low : low + 1;
                    wanted[i] = fmin(fmax(place, 0), 4);
                }
                OK(apply(&y, 13, "Resize", INPUTS(x, NULL, NULL, sizes), "mode", PM_STRING, "nearest",
                         "coordinate_transformation_mode", PM_STRING, ways[w], "nearest_mode", PM_STRING, roundings[r],
                         NULL));
                char what[120];
                snprintf(what, sizeof what, "%s %s to %d", ways[w], roundings[r], (int)out);
                expect_numbers(y, SHAPE(1, out), wanted, what);
                prune_tensor_free(y);
                prune_tensor_free(sizes);
            }
    prune_tensor_free(x);
}
END_TEST

START_TEST(resizes_between_neighbours)
{
    const double numbers[] = {1, 2, 3, 4}, double_of[] = {1, 1, 2, 2};
    const double half[] = {1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4};
    const double corners[] = {1,       4 / 3.0, 5 / 3.0, 2,        5 / 3.0, 2,        7 / 3.0,  8 / 3.0,
                              7 / 3.0, 8 / 3.0, 3,       10 / 3.0, 3,       10 / 3.0, 11 / 3.0, 4};
    prune_tensor *x = tensor_of(PRUNE_F32, SHAPE(1, 1, 2, 2), numbers), *y;
    prune_tensor *scales = tensor_of(PRUNE_F32, SHAPE(4), (const double[]){1, 1, 2, 2});
    prune_tensor *doubles = tensor_of(PRUNE_F32, SHAPE(4), double_of),
                 *sizes = wholes(4, (const int64_t[]){1, 1, 4, 4});
    prune_tensor *zero = tensor_of(PRUNE_F32, SHAPE(4), (const double[]){1, 1, 0, 2});
    prune_tensor *nan = tensor_of(PRUNE_F32, SHAPE(4), (const double[]){1, 1, NAN, 2});
    prune_tensor *less = wholes(4, (const int64_t[]){1, 1, -1, 4}), *few = wholes(2, (const int64_t[]){4, 4});
    OK(apply(&y, 13, "Resize", INPUTS(x, NULL, scales), "mode", PM_STRING, "linear", NULL));
    expect_numbers(y, SHAPE(1, 1, 4, 4), half, "Resize");
    prune_tensor_free(y);
    OK(apply(&y, 13, "Resize", INPUTS(x, NULL, NULL, sizes), "mode", PM_STRING, "linear",
             "coordinate_transformation_mode", PM_STRING, "align_corners", NULL));
    expect_numbers(y, SHAPE(1, 1, 4, 4), corners, "Resize");
    prune_tensor_free(y);
    OK(apply(&y, 10, "Resize", INPUTS(x, doubles), NULL));
    expect_numbers(y, SHAPE(1, 1, 4, 4), (const double[]){1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4}, "Resize");
    prune_tensor_free(y);
    REFUSED(PRUNE_E_FORMAT, "both", 13, "Resize", INPUTS(x, NULL, scales, sizes), NULL);
    REFUSED(PRUNE_E_FORMAT, "neither", 13, "Resize", INPUTS(x), NULL);
    REFUSED(PRUNE_E_SHAPE, "axis 2", 13, "Resize", INPUTS(x, NULL, zero), NULL);
    REFUSED(PRUNE_E_SHAPE, "axis 2", 13, "Resize", INPUTS(x, NULL, nan), NULL);
    REFUSED(PRUNE_E_SHAPE, "-1", 13, "Resize", INPUTS(x, NULL, NULL, less), NULL);
    REFUSED(PRUNE_E_SHAPE, "2 numbers", 13, "Resize", INPUTS(x, NULL, NULL, few), NULL);
    REFUSED(PRUNE_E_UNSUPPORTED, "area", 13, "Resize", INPUTS(x, NULL, scales), "mode", PM_STRING, "area", NULL);
    REFUSED(PRUNE_E_UNSUPPORTED, "antialias", 18, "Resize", INPUTS(x, NULL, scales), "antialias", PM_INT, 1, NULL);
    prune_tensor_free(x);
    prune_tensor_free(scales);
    prune_tensor_free(doubles);
    prune_tensor_free(sizes);
    prune_tensor_free(zero);
    prune_tensor_free(nan);
    prune_tensor_free(less);
    prune_tensor_free(few);
}
END_TEST

TEST_MAIN("ops_shape_numbers", shapes_and_sizes, constants_of_plain_numbers, casts_of_numbers_that_every_type_has,
          casts_of_floats_are_cut_and_held, casts_round_once, casts_of_large_whole_numbers,
          casts_to_what_is_no_number_are_refused, resizes_to_the_nearest, resizes_between_neighbours)
