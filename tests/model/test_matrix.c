/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Files of one matrix: what each format says becomes the same elements; what breaks its rules is refused.
 */
#include <math.h>

#include "allocator.h"
#include "data.h"
#include "files.h"
#include "model/io/zip.h"
#include "prune/model.h"

static void refuses_path(const char *path, const char *format, int32_t status, const char *word)
{
    struct allocator allocator;
    prune_context *context = counted_context(&allocator);
    prune_matrix *matrix = UNTOUCHED;
    FAILS(prune_matrix_read(&matrix, context, path, format), status, word);
    ck_assert_ptr_eq(matrix, UNTOUCHED);
    ck_assert_int_eq(allocator.live, 0);
    ck_assert_int_lt(allocator.peak, 1 << 20);
    prune_context_free(context);
}

static void refuses(const char *format, const char *text, int32_t status, const char *word)
{
    save(scratch("bad"), text, strlen(text));
    refuses_path(scratch("bad"), format, status, word);
}

/* Reads `text` and compares with the dense matrix. */
static void reads(const char *format, const char *text, int64_t rows, int64_t columns, const double *expected)
{
    prune_matrix *matrix;
    prune_tensor *tensor, *values;
    save(scratch("good"), text, strlen(text));
    OK(prune_matrix_read(&matrix, NULL, scratch("good"), format));
    ck_assert_int_eq(prune_matrix_rows(matrix), rows);
    ck_assert_int_eq(prune_matrix_columns(matrix), columns);
    OK(prune_matrix_to_tensor(&tensor, matrix));
    ck_assert_int_eq(prune_tensor_dtype(tensor), prune_matrix_is_pattern(matrix) ? PRUNE_BOOL : PRUNE_F64);
    OK(prune_tensor_convert(&values, tensor, PRUNE_F64));
    ck_assert(rows * columns == 0 ||
              memcmp(prune_tensor_const_data(values), expected, (size_t)(rows * columns) * sizeof *expected) == 0);
    prune_tensor_free(values);
    prune_tensor_free(tensor);
    prune_matrix_free(matrix);
}

START_TEST(matrix_market_coordinates)
{
    const double expected[] = {0, 0.5, 0, -2e10, 0, 3};
    reads("mtx", "%%MatrixMarket matrix coordinate real general\n% a comment\n\n2 3 3\n2 3 3\n1 2 .5\n2 1 -2.0E+10\n",
          2, 3, expected);
    reads("mtx", "%%MatrixMarket MATRIX Coordinate Double GENERAL\r\n2 3 3\r\n2 3 3\r\n1 2 .5\r\n2 1 -2e10", 2, 3,
          expected);
    const double symmetric[] = {1, 4, 0, 4, 0, 5, 0, 5, 0}, skew[] = {0, -4, 0, 4, 0, -5, 0, 5, 0},
                 ones[] = {1, 1, 0, 1, 0, 1, 0, 1, 0};
    reads("mtx", "%%MatrixMarket matrix coordinate integer symmetric\n3 3 3\n1 1 1\n2 1 4\n3 2 5\n", 3, 3, symmetric);
    reads("mtx", "%%MatrixMarket matrix coordinate real skew-symmetric\n3 3 2\n2 1 4\n3 2 5\n", 3, 3, skew);
    reads("mtx", "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 3\n1 1\n2 1\n3 2\n", 3, 3, ones);
    reads("mtx", "%%MatrixMarket matrix coordinate real general\n0 0 0\n", 0, 0, NULL);
}
END_TEST

START_TEST(matrix_market_arrays_go_by_columns)
{
    const double general[] = {1, 3, 5, 2, 4, 6}, symmetric[] = {1, 2, 2, 3}, skew[] = {0, -7, 7, 0};
    reads("mtx", "%%MatrixMarket matrix array real general\n2 3\n1\n2\n3\n4\n5\n6\n", 2, 3, general);
    reads("mtx", "%%MatrixMarket matrix array integer symmetric\n2 2\n1\n2\n3\n", 2, 2, symmetric);
    reads("mtx", "%%MatrixMarket matrix array real skew-symmetric\n2 2\n7\n", 2, 2, skew);
}
END_TEST

#define MTX "%%MatrixMarket matrix coordinate real general\n"
START_TEST(matrix_market_that_is_broken)
{
    refuses("mtx", "", PRUNE_E_FORMAT, "does not begin");
    refuses("mtx", "%MatrixMarket matrix coordinate real general\n1 1 0\n", PRUNE_E_FORMAT, "does not begin");
    refuses("mtx", "%%MatrixMarket matrix sparse real general\n1 1 0\n", PRUNE_E_FORMAT, "sparse");
    refuses("mtx", "%%MatrixMarket matrix coordinate real\n1 1 0\n", PRUNE_E_FORMAT, "symmetry");
    refuses("mtx", "%%MatrixMarket matrix coordinate complex general\n1 1 0\n", PRUNE_E_UNSUPPORTED, "complex");
    refuses("mtx", "%%MatrixMarket matrix coordinate real hermitian\n1 1 0\n", PRUNE_E_UNSUPPORTED, "hermitian");
    refuses("mtx", "%%MatrixMarket matrix array pattern general\n1 1\n", PRUNE_E_FORMAT, "pattern");
    refuses("mtx", "%%MatrixMarket matrix coordinate pattern skew-symmetric\n1 1 0\n", PRUNE_E_FORMAT, "pattern");
    refuses("mtx", "%%MatrixMarket matrix coordinate real general more\n1 1 0\n", PRUNE_E_FORMAT, "more after");
    refuses("mtx", MTX, PRUNE_E_FORMAT, "number of rows is missing");
    refuses("mtx", MTX "2 -3 1\n", PRUNE_E_FORMAT, "\"-3\"");
    refuses("mtx", MTX "2 3 2\n1 1 1\n", PRUNE_E_FORMAT, "the row of element 1 is missing");
    refuses("mtx", MTX "2 3 1\n1 1\n", PRUNE_E_FORMAT, "value 0 is missing");
    refuses("mtx", MTX "2 3 1\n1 1 1\n1 2 1\n", PRUNE_E_FORMAT, "more after");
    refuses("mtx", MTX "2 3 1\n0 1 1\n", PRUNE_E_FORMAT, "row 0, column 1");
    refuses("mtx", MTX "2 3 1\n3 1 1\n", PRUNE_E_FORMAT, "2 x 3");
    refuses("mtx", MTX "2 3 1\n1 4 1\n", PRUNE_E_FORMAT, "column 4");
    refuses("mtx", MTX "2 3 2\n1 2 1\n1 2 1\n", PRUNE_E_FORMAT, "row 1, column 2, counted from 1, stands twice");
    refuses("mtx", MTX "2 3 1\n1 2 one\n", PRUNE_E_FORMAT, "\"one\"");
    refuses("mtx", MTX "2 3 1\n1 2 nan\n", PRUNE_E_FORMAT, "finite");
    refuses("mtx", MTX "2 3 1\n1 2 1e999\n", PRUNE_E_FORMAT, "finite");
    refuses("mtx", MTX "2 3 1000000\n1 1 1\n", PRUNE_E_FORMAT, "cannot hold 1000000");
    refuses("mtx", MTX "2 3 9223372036854775807\n", PRUNE_E_FORMAT, "cannot hold");
    refuses("mtx", MTX "2 3 9223372036854775808\n", PRUNE_E_FORMAT, "2^63");
    refuses("mtx", MTX "2147483648 3 0\n", PRUNE_E_UNSUPPORTED, "2147483647");
    refuses("mtx", "%%MatrixMarket matrix coordinate real symmetric\n2 3 0\n", PRUNE_E_FORMAT, "square");
    refuses("mtx", "%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n", PRUNE_E_FORMAT, "lower triangle");
    refuses("mtx", "%%MatrixMarket matrix coordinate real skew-symmetric\n2 2 1\n1 1 1\n", PRUNE_E_FORMAT, "diagonal");
    refuses("mtx", "%%MatrixMarket matrix coordinate integer general\n2 2 1\n1 1 1.5\n", PRUNE_E_FORMAT, "no integer");
    refuses("mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n", PRUNE_E_FORMAT, "value 3 is missing");
    refuses("mtx", "%%MatrixMarket matrix array real general\n2 2\n1\n2\n3\n4\n5\n", PRUNE_E_FORMAT, "more after");
    refuses("mtx", "%%MatrixMarket matrix array real general\n2147483647 2147483647\n1\n", PRUNE_E_FORMAT,
            "cannot hold");
}
END_TEST

#define HB_HEAD(type, sizes, formats)                                                                                  \
    "A title                                                                 KEY     \n"                               \
    "             4             1             1             1             1\n" type "           " sizes "\n" formats
#define HB_FORMATS "(4I3)           (5I2)           (3D9.2)             (2E8.1)             \n"
#define HB_RUA HB_HEAD("RUA", "             3             2             3             0", HB_FORMATS)
#define HB_RIGHT "F                          1             0\n"
#define HB_BODY "  1  3  4\n 1 3 2\n 1.00D+00-2.50d-01 0.5D+100\n"

START_TEST(harwell_boeing_by_the_width_of_fields)
{
    const double expected[] = {1, 0, 0, 0.5e100, -0.25, 0};
    prune_matrix *matrix;
    reads("hb", HB_RUA HB_RIGHT HB_BODY " 1.0E+00-2.0E-01\n 3.0E+00\n", 3, 2, expected);
    OK(prune_matrix_read(&matrix, NULL, scratch("good"), "hb"));
    const prune_tensor *sides = prune_matrix_right_sides(matrix);
    const double side[] = {1, -0.2, 3};
    ck_assert_int_eq(prune_tensor_rank(sides), 2);
    ck_assert_int_eq(prune_tensor_shape(sides)[0], 1);
    ck_assert(memcmp(prune_tensor_const_data(sides), side, sizeof side) == 0);
    prune_matrix_free(matrix);
    const double symmetric[] = {1, 2, 2, 0}, skew[] = {0, -2, 2, 0};
#define HB_SQUARE(type, count)                                                                                         \
    "t\n             4             1             1             1\n" type "           "                                 \
    "             2             2             " count "             0\n"                                               \
    "(4I3)           (5I2)           (1P,3E9.2)\n"
    reads("hb", HB_SQUARE("RSA", "2") "  1  3  3\n 1 2\n 1.00E+00 2.00E+00\n", 2, 2, symmetric);
    reads("hb", HB_SQUARE("rza", "1") "  1  2  2\n 2\n 2.00E+00\n", 2, 2, skew);
}
END_TEST

START_TEST(harwell_boeing_patterns)
{
    const double expected[] = {1, 0, 0, 1, 1, 0};
    reads("hb",
          HB_HEAD("PUA", "             3             2             3             0", HB_FORMATS) HB_RIGHT
          "  1  3  4\n 1 3 2\n 1.0E+00-2.0E-01\n 3.0E+00\n",
          3, 2, expected);
}
END_TEST

START_TEST(harwell_boeing_that_is_broken)
{
    refuses("hb", "", PRUNE_E_FORMAT, "truncated");
    refuses("hb", "title\n", PRUNE_E_FORMAT, "truncated");
    refuses("hb", "title\nno numbers\n", PRUNE_E_FORMAT, "no whole number");
    refuses("hb", HB_HEAD("XYZ", "             3             2             3             0", HB_FORMATS),
            PRUNE_E_FORMAT, "XYZ");
    refuses("hb", HB_HEAD("CUA", "             3             2             3             0", HB_FORMATS),
            PRUNE_E_UNSUPPORTED, "complex");
    refuses("hb", HB_HEAD("RUE", "             3             2             3             0", HB_FORMATS),
            PRUNE_E_UNSUPPORTED, "unassembled");
    refuses("hb", HB_HEAD("RSA", "             3             2             3             0", HB_FORMATS),
            PRUNE_E_FORMAT, "square");
    refuses("hb", HB_HEAD("RUA", "             3             2             3             0", "(4X3)\n"), PRUNE_E_FORMAT,
            "(20I4)");
    refuses("hb", HB_HEAD("RUA", "             3             2    1000000000             0", HB_FORMATS) HB_RIGHT,
            PRUNE_E_FORMAT, "cannot hold");
    refuses("hb", HB_RUA "M                          1             0\n", PRUNE_E_UNSUPPORTED, "(M)");
    refuses("hb", HB_RUA "F                    1000000             0\n" HB_BODY, PRUNE_E_FORMAT, "cannot hold");
    refuses("hb", HB_RUA HB_RIGHT "  1  3\n", PRUNE_E_FORMAT, "column pointer");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  5\n 1 3 2\n", PRUNE_E_FORMAT, "ascend from 1 to 4");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  3\n 1 3 2\n", PRUNE_E_FORMAT, "end at 3");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  4\n 1 4 2\n", PRUNE_E_FORMAT, "row 4, column 1");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  4\n 1 0 2\n", PRUNE_E_FORMAT, "row 0");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  4\n 1 x 2\n", PRUNE_E_FORMAT, "row index 1");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  4\n 1 1 2\n 1.00D+00-2.50d-01 0.5D+100\n 1.0E+00-2.0E-01\n 3.0E+00\n",
            PRUNE_E_FORMAT, "stands twice");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  4\n 1 3 2\n 1.00D+00-2.50d-01\n", PRUNE_E_FORMAT, "value 2");
    refuses("hb", HB_RUA HB_RIGHT "  1  3  4\n 1 3 2\n      100-2.50d-01 0.5D+100\n", PRUNE_E_FORMAT, "decimal point");
    refuses("hb", HB_RUA HB_RIGHT HB_BODY " 1.0E+00-2.0E-01\n", PRUNE_E_FORMAT, "right-hand side value 2 is missing");
    refuses("hb", HB_RUA HB_RIGHT HB_BODY " 1.0E+00-2.0E-01\n 3.0E+00\n7\n", PRUNE_E_FORMAT, "more after");
}
END_TEST

START_TEST(smtx_with_empty_rows)
{
    const double expected[] = {1, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1};
    reads("smtx", "3, 4, 5\n0 2 2 5 \n0 3 1 2 3 \n", 3, 4, expected);
    reads("smtx", "3,  4, 5\n0 2 2 5\n0 3 3 1 2", 3, 4, expected);
    reads("smtx", "0, 4, 0\n0 \n\n", 0, 4, NULL);
}
END_TEST

START_TEST(smtx_that_is_broken)
{
    refuses("smtx", "", PRUNE_E_FORMAT, "rows is missing");
    refuses("smtx", "3, x, 5\n", PRUNE_E_FORMAT, "is \"x");
    refuses("smtx", "3, 4, 5\n0 2 1 5\n0 3 1 2 3\n", PRUNE_E_FORMAT, "row offset 2 is 1");
    refuses("smtx", "3, 4, 5\n1 2 2 5\n0 3 1 2 3\n", PRUNE_E_FORMAT, "row offset 0 is 1");
    refuses("smtx", "3, 4, 5\n0 2 2 4\n0 3 1 2 3\n", PRUNE_E_FORMAT, "end at 4");
    refuses("smtx", "3, 4, 5\n0 2 2 6\n0 3 1 2 3\n", PRUNE_E_FORMAT, "row offset 3 is 6");
    refuses("smtx", "3, 4, 5\n0 2 2 5\n0 3 1 2 4\n", PRUNE_E_FORMAT, "column 4");
    refuses("smtx", "3, 4, 5\n0 2 2 5\n0 3 1 2\n", PRUNE_E_FORMAT, "the column of nonzero 4 is missing");
    refuses("smtx", "3, 4, 5\n0 2 2 5\n0 3 1 1 3\n", PRUNE_E_FORMAT, "stands twice");
    refuses("smtx", "3, 4, 5\n0 2 2 5\n0 3 1 2 3 3\n", PRUNE_E_FORMAT, "more after");
    refuses("smtx", "300000000, 4, 5\n0 2 2 5\n", PRUNE_E_FORMAT, "cannot hold");
    refuses("smtx", "3, 4294967296, 5\n0 2 2 5\n", PRUNE_E_UNSUPPORTED, "4294967296");
}
END_TEST

/* An npz of SciPy's: format, shape, and up to five arrays with these names. */
static void save_scipy(const char *format, const int64_t *shape, prune_tensor *const *arrays, const char *const *names,
                       int count)
{
    unsigned char bytes[128 + 8];
    struct pm_zip_writer writer;
    int64_t length = (int64_t)strlen(format), two = 2;
    prune_tensor *extents;
    memset(bytes, ' ', 128);
    snprintf((char *)bytes + 10, 100, "{'descr': '|S%d', 'fortran_order': False, 'shape': (), }", (int)length);
    bytes[10 + strlen((char *)bytes + 10)] = ' ';
    memcpy(bytes, "\x93NUMPY\1\0\x76\0", 10);
    bytes[127] = '\n';
    memcpy(bytes + 128, format, (size_t)length);
    OK(pm_zip_create(&writer, NULL, scratch("s.npz"), 6));
    OK(pm_zip_add(&writer, "format.npy", bytes, 128 + length));
    OK(prune_tensor_borrow(&extents, NULL, (void *)(uintptr_t)shape, PRUNE_I64, 1, &two, NULL));
    OK(pm_npz_add(&writer, "shape", extents));
    prune_tensor_free(extents);
    for (int i = 0; i < count; i++)
        OK(pm_npz_add(&writer, names[i], arrays[i]));
    OK(pm_zip_commit(&writer));
    pm_zip_abandon(&writer);
}

static prune_tensor *numbers(int32_t dtype, int64_t count, const double *values)
{
    prune_tensor *doubles, *made;
    OK(prune_tensor_borrow(&doubles, NULL, (void *)(uintptr_t)values, PRUNE_F64, 1, &count, NULL));
    OK(prune_tensor_convert(&made, doubles, dtype));
    prune_tensor_free(doubles);
    return made;
}
#define NUMBERS(dtype, ...)                                                                                            \
    numbers(dtype, (int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)), (double[]){__VA_ARGS__})

static void save_lines(const char *format, int64_t rows, int64_t columns, prune_tensor *indices, prune_tensor *indptr,
                       prune_tensor *data)
{
    prune_tensor *const arrays[] = {indices, indptr, data};
    static const char *const names[] = {"indices", "indptr", "data"};
    save_scipy(format, (int64_t[]){rows, columns}, arrays, names, 3);
    for (int i = 0; i < 3; i++)
        prune_tensor_free(arrays[i]);
}

static void is(const double *expected, int64_t rows, int64_t columns)
{
    prune_matrix *matrix;
    prune_tensor *tensor;
    OK(prune_matrix_read(&matrix, NULL, scratch("s.npz"), NULL));
    OK(prune_matrix_to_tensor(&tensor, matrix));
    ck_assert_int_eq(prune_tensor_shape(tensor)[0], rows);
    ck_assert_int_eq(prune_tensor_shape(tensor)[1], columns);
    ck_assert(memcmp(prune_tensor_const_data(tensor), expected, (size_t)(rows * columns) * sizeof *expected) == 0);
    prune_tensor_free(tensor);
    prune_matrix_free(matrix);
}

static const double small[] = {0, 0, 5, 6, 7, 0};

START_TEST(scipy_csr_csc_coo_and_bsr)
{
    save_lines("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, 1), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5, 6, 7));
    is(small, 2, 3);
    save_lines("csr", 2, 3, NUMBERS(PRUNE_I64, 2, 1, 0), NUMBERS(PRUNE_I64, 0, 1, 3), NUMBERS(PRUNE_F64, 5, 7, 6));
    is(small, 2, 3);
    save_lines("csc", 2, 3, NUMBERS(PRUNE_I32, 1, 1, 0), NUMBERS(PRUNE_I32, 0, 1, 2, 3), NUMBERS(PRUNE_I32, 6, 7, 5));
    is(small, 2, 3);
    prune_tensor *row = NUMBERS(PRUNE_I32, 1, 0, 1), *column = NUMBERS(PRUNE_I32, 1, 2, 0),
                 *data = NUMBERS(PRUNE_F16, 7, 5, 6), *flat = NUMBERS(PRUNE_I64, 1, 0, 1, 1, 2, 0), *coords;
    save_scipy("coo", (int64_t[]){2, 3}, (prune_tensor *[]){row, column, data}, (const char *[]){"row", "col", "data"},
               3);
    is(small, 2, 3);
    OK(prune_tensor_reshape(&coords, flat, 2, (int64_t[]){2, 3}));
    save_scipy("coo", (int64_t[]){2, 3}, (prune_tensor *[]){coords, data}, (const char *[]){"coords", "data"}, 2);
    is(small, 2, 3);
    prune_tensor_free(coords);
    prune_tensor_free(flat);
    prune_tensor_free(row);
    prune_tensor_free(column);
    prune_tensor_free(data);
    const double blocks[] = {0, 0, 1, 2, 3, 4, 0, 0};
    prune_tensor *values = NUMBERS(PRUNE_F32, 1, 2, 3, 4), *shaped;
    OK(prune_tensor_reshape(&shaped, values, 3, (int64_t[]){2, 1, 2}));
    prune_tensor_free(values);
    save_lines("bsr", 2, 4, NUMBERS(PRUNE_I32, 1, 0), NUMBERS(PRUNE_I32, 0, 1, 2), shaped);
    is(blocks, 2, 4);
}
END_TEST

#define BAD_LINES(format, rows, columns, indices, indptr, data, status, word)                                          \
    do {                                                                                                               \
        save_lines(format, rows, columns, indices, indptr, data);                                                      \
        refuses_path(scratch("s.npz"), NULL, status, word);                                                            \
    } while (0)

START_TEST(scipy_that_is_broken)
{
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, 3), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5, 6, 7),
              PRUNE_E_FORMAT, "column 3");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, -1), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5, 6, 7),
              PRUNE_E_FORMAT, "column -1");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 1, 1), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5, 6, 7),
              PRUNE_E_FORMAT, "stands twice");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, 1), NUMBERS(PRUNE_I32, 0, 4, 3), NUMBERS(PRUNE_F32, 5, 6, 7),
              PRUNE_E_FORMAT, "indptr[1] is 4");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, 1), NUMBERS(PRUNE_I32, 0, 1), NUMBERS(PRUNE_F32, 5, 6, 7),
              PRUNE_E_FORMAT, "holds 2 offsets");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, 1), NUMBERS(PRUNE_I32, 0, 1, 2), NUMBERS(PRUNE_F32, 5, 6, 7),
              PRUNE_E_FORMAT, "ends at 2");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, 1), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5, 6),
              PRUNE_E_FORMAT, "3 indices for 2 values");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_F32, 2, 0, 1), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5, 6, 7),
              PRUNE_E_FORMAT, "i32 or i64");
    BAD_LINES("csr", 2, 3, NUMBERS(PRUNE_I32, 2, 0, 1), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5, 6, INFINITY),
              PRUNE_E_FORMAT, "not finite");
    BAD_LINES("csr", -2, 3, NUMBERS(PRUNE_I32, 2), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5), PRUNE_E_FORMAT,
              "-2 rows");
    BAD_LINES("csr", (int64_t)1 << 40, 3, NUMBERS(PRUNE_I32, 2), NUMBERS(PRUNE_I32, 0, 1, 3), NUMBERS(PRUNE_F32, 5),
              PRUNE_E_UNSUPPORTED, "1099511627776 rows");
    BAD_LINES("dia", 2, 3, NUMBERS(PRUNE_I32, 2), NUMBERS(PRUNE_I32, 0), NUMBERS(PRUNE_F32, 5), PRUNE_E_UNSUPPORTED,
              "dia");
    BAD_LINES("bsr", 2, 3, NUMBERS(PRUNE_I32, 2), NUMBERS(PRUNE_I32, 0), NUMBERS(PRUNE_F32, 5), PRUNE_E_FORMAT,
              "rank 1");
    BAD_LINES("coo", 2, 3, NUMBERS(PRUNE_I32, 2), NUMBERS(PRUNE_I32, 0), NUMBERS(PRUNE_F32, 5), PRUNE_E_FORMAT,
              "no member row.npy");
    prune_archive *archive;
    OK(prune_archive_create(&archive, NULL));
    OK(prune_npz_write(archive, scratch("s.npz"), 0));
    prune_archive_free(archive);
    refuses_path(scratch("s.npz"), NULL, PRUNE_E_FORMAT, "no member format.npy");
    refuses("scipy", "no zip file", PRUNE_E_FORMAT, "truncated");
}
END_TEST

START_TEST(what_is_written_reads_back)
{
    static const char *const formats[] = {"mtx", "smtx", "scipy"};
    const double values[] = {0, 0.1, 0, -1e-300, 0, 123456789.123456789, 0, 0, 0, 0, 0, 0};
    prune_tensor *tensor;
    OK(prune_tensor_borrow(&tensor, NULL, (void *)(uintptr_t)values, PRUNE_F64, 2, (int64_t[]){4, 3}, NULL));
    for (int pattern = 0; pattern <= 1; pattern++)
        for (int i = 0; i < 3; i++) {
            prune_matrix *matrix, *back;
            prune_tensor *mask = NULL, *dense, *again;
            if (pattern) {
                OK(prune_tensor_create(&mask, NULL, PRUNE_BOOL, 2, (int64_t[]){4, 3}));
                for (int k = 0; k < 12; k++)
                    ((unsigned char *)prune_tensor_data(mask))[k] = values[k] != 0;
            }
            OK(prune_matrix_from_tensor(&matrix, pattern ? mask : tensor));
            ck_assert_int_eq(prune_matrix_stored(matrix), 3);
            OK(prune_matrix_write(matrix, scratch("w"), formats[i]));
            OK(prune_matrix_read(&back, NULL, scratch("w"), formats[i]));
            ck_assert_int_eq(prune_matrix_is_pattern(back), i == 1 || (pattern && i == 0));
            OK(prune_matrix_to_tensor(&dense, back));
            OK(prune_tensor_convert(&again, dense, PRUNE_F64));
            const double *got = prune_tensor_const_data(again);
            for (int k = 0; k < 12; k++)
                ck_assert(got[k] == (pattern || i == 1 ? values[k] != 0 : values[k]));
            prune_tensor_free(again);
            prune_tensor_free(dense);
            prune_tensor_free(mask);
            prune_matrix_free(back);
            prune_matrix_free(matrix);
        }
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(to_sparse_and_its_limits)
{
    prune_matrix *matrix;
    prune_sparse *sparse = UNTOUCHED;
    save(scratch("m.mtx"), MTX "2 3 2\n2 3 1e39\n1 1 0\n", strlen(MTX "2 3 2\n2 3 1e39\n1 1 0\n"));
    OK(prune_matrix_read(&matrix, NULL, scratch("m.mtx"), NULL));
    FAILS(prune_matrix_to_sparse(&sparse, matrix), PRUNE_E_VALUE, "1e+39");
    ck_assert_ptr_eq(sparse, UNTOUCHED);
    prune_matrix_free(matrix);
    save(scratch("m.mtx"), MTX "3 3 2\n3 2 -2.5\n1 1 0\n", strlen(MTX "3 3 2\n3 2 -2.5\n1 1 0\n"));
    OK(prune_matrix_read(&matrix, NULL, scratch("m.mtx"), NULL));
    OK(prune_matrix_to_sparse(&sparse, matrix));
    const int64_t offsets[] = {0, 1, 1, 2};
    ck_assert_str_eq(prune_sparse_spec(sparse), "csr");
    ck_assert(memcmp(prune_tensor_const_data(prune_sparse_part(sparse, 0)), offsets, sizeof offsets) == 0);
    ck_assert(((const float *)prune_tensor_const_data(prune_sparse_part(sparse, 2)))[1] == -2.5f);
    prune_sparse_free(sparse);
    prune_matrix_free(matrix);
}
END_TEST

START_TEST(arguments_and_names)
{
    prune_matrix *matrix = UNTOUCHED;
    prune_tensor *tensor;
    FAILS(prune_matrix_read(NULL, NULL, "x.mtx", NULL), PRUNE_E_ARGUMENT, "out");
    FAILS(prune_matrix_read(&matrix, NULL, NULL, NULL), PRUNE_E_ARGUMENT, "path");
    FAILS(prune_matrix_read(&matrix, NULL, "x", NULL), PRUNE_E_ARGUMENT, ".mtx");
    FAILS(prune_matrix_read(&matrix, NULL, "x", "csv"), PRUNE_E_ARGUMENT, "csv");
    FAILS(prune_matrix_read(&matrix, NULL, scratch("none.mtx"), NULL), PRUNE_E_NOTFOUND, "none.mtx");
    FAILS(prune_matrix_read(&matrix, NULL, scratch("none.smtx"), NULL), PRUNE_E_NOTFOUND, "none.smtx");
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 1, (int64_t[]){3}));
    FAILS(prune_matrix_from_tensor(&matrix, tensor), PRUNE_E_SHAPE, "rank 1");
    prune_tensor_free(tensor);
    OK(prune_tensor_create(&tensor, NULL, PRUNE_F32, 2, (int64_t[]){1, 1}));
    ((float *)prune_tensor_data(tensor))[0] = NAN;
    FAILS(prune_matrix_from_tensor(&matrix, tensor), PRUNE_E_VALUE, "element 0");
    ck_assert_ptr_eq(matrix, UNTOUCHED);
    ((float *)prune_tensor_data(tensor))[0] = 1;
    OK(prune_matrix_from_tensor(&matrix, tensor));
    FAILS(prune_matrix_write(matrix, scratch("x"), NULL), PRUNE_E_ARGUMENT, "does not say");
    FAILS(prune_matrix_write(matrix, scratch("x"), "hb"), PRUNE_E_UNSUPPORTED, "only read");
    FAILS(prune_matrix_write(NULL, scratch("x"), "mtx"), PRUNE_E_ARGUMENT, "matrix");
    ck_assert_int_eq(prune_matrix_rows(NULL) + prune_matrix_columns(NULL) + prune_matrix_stored(NULL), 0);
    ck_assert_ptr_null(prune_matrix_right_sides(NULL));
    ck_assert_ptr_null(prune_matrix_right_sides(matrix));
    prune_matrix_free(NULL);
    prune_matrix_free(matrix);
    prune_tensor_free(tensor);
}
END_TEST

/* Sum and Frobenius norm of a tensor's numbers. */
static void sums(const prune_tensor *tensor, double *sum, double *norm)
{
    const double *values = prune_tensor_const_data(tensor);
    double squares = 0;
    *sum = 0;
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++) {
        *sum += values[i];
        squares += values[i] * values[i];
    }
    *norm = sqrt(squares);
}

static void near(double got, double expected, double relative)
{
    ck_assert_msg(fabs(got - expected) <= relative * fabs(expected), "%.17g instead of %.17g", got, expected);
}

START_TEST(published_matrices_have_their_sums)
{
    static const struct {
        const char *name;
        int64_t rows, stored;
        double sum, norm;
    } known[] = {{"mtx/lund_a.mtx", 147, 2449, 1.8825992056e+10, 1.3897259031e+09},
                 {"mtx/pores_1.mtx", 30, 180, -3.5697276968e+07, 3.7497689192e+07},
                 {"mtx/utm300.rua", 300, 3155, -6.3623796390, 17.320508076}};
    for (int i = 0; i < 3; i++) {
        const char *path = data_path(known[i].name);
        prune_matrix *matrix;
        prune_tensor *tensor;
        double sum, norm;
        if (!path)
            continue;
        OK(prune_matrix_read(&matrix, NULL, path, NULL));
        ck_assert_int_eq(prune_matrix_rows(matrix), known[i].rows);
        ck_assert_int_eq(prune_matrix_columns(matrix), known[i].rows);
        ck_assert_int_eq(prune_matrix_stored(matrix), known[i].stored);
        OK(prune_matrix_to_tensor(&tensor, matrix));
        sums(tensor, &sum, &norm);
        near(sum, known[i].sum, 2e-10);
        near(norm, known[i].norm, 1e-9);
        prune_tensor_free(tensor);
        const prune_tensor *sides = prune_matrix_right_sides(matrix);
        if (i == 2) {
            ck_assert_int_eq(prune_tensor_count(sides), 300);
            sums(sides, &sum, &norm);
            near(sum, -8.6870e-04, 1e-4);
        } else {
            ck_assert_ptr_null(sides);
        }
        prune_matrix_free(matrix);
    }
    const char *wrong = data_path("mtx/wrong.mtx");
    if (wrong)
        refuses_path(wrong, NULL, PRUNE_E_FORMAT, "row 0, column 1");
}
END_TEST

/* Every pattern of the collection: extents, nonzeros and the deviation of the rows' lengths as its table has them. */
START_TEST(dlmc_patterns_are_what_their_table_says)
{
    const char *table = data_path("dlmc/dlmc.csv");
    char line[1024], head[1024];
    if (!table)
        return;
    FILE *file = fopen(table, "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(fgets(head, sizeof head, file));
    int seen = 0;
    while (fgets(line, sizeof line, file)) {
        char name[700], path[300] = "";
        long long rows = 0, columns = 0;
        double stored = 0, deviation = -1;
        ck_assert_int_eq(sscanf(line, "%*[^,],%*[^,],dlmc/%299[^,],%*[^,],%lld,%lld,%lf,%*[^,],%lf", path, &rows,
                                &columns, &stored, &deviation),
                         5);
        snprintf(name, sizeof name, "dlmc/%s", path);
        const char *where = data_path(name);
        prune_matrix *matrix;
        ck_assert_ptr_nonnull(where);
        OK(prune_matrix_read(&matrix, NULL, where, NULL));
        ck_assert_int_eq(prune_matrix_rows(matrix), rows);
        ck_assert_int_eq(prune_matrix_columns(matrix), columns);
        ck_assert_int_eq(prune_matrix_stored(matrix), (int64_t)stored);
        prune_sparse *sparse;
        OK(prune_matrix_to_sparse(&sparse, matrix));
        const int64_t *offsets = prune_tensor_const_data(prune_sparse_part(sparse, 0));
        double mean = stored / (double)rows, squares = 0;
        for (int64_t row = 0; row < rows; row++) {
            double apart = (double)(offsets[row + 1] - offsets[row]) - mean;
            squares += apart * apart;
        }
        ck_assert_double_eq_tol(sqrt(squares / (double)rows), deviation, 1e-5 * (1 + deviation));
        prune_sparse_free(sparse);
        prune_matrix_free(matrix);
        seen++;
    }
    fclose(file);
    ck_assert_int_eq(seen, 72);
}
END_TEST

TEST_MAIN("matrix", matrix_market_coordinates, matrix_market_arrays_go_by_columns, matrix_market_that_is_broken,
          harwell_boeing_by_the_width_of_fields, harwell_boeing_patterns, harwell_boeing_that_is_broken,
          smtx_with_empty_rows, smtx_that_is_broken, scipy_csr_csc_coo_and_bsr, scipy_that_is_broken,
          what_is_written_reads_back, to_sparse_and_its_limits, arguments_and_names, published_matrices_have_their_sums,
          dlmc_patterns_are_what_their_table_says)
