/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse arrays of others: what is taken, and what is refused with which words.
 */
#include <math.h>

#include "allocator.h"
#include "pruning.h"

/* A valid matrix to break: [[5, 0, 0, 1], [0, 0, 0, 0], [0, 8, 3, 0]]. */
struct csr {
    int64_t rows, columns;
    int64_t pointers, indices, values; /* how many */
    int64_t indptr[8], index[8];
    float value[8];
};

static const struct csr good = {
    .rows = 3,
    .columns = 4,
    .pointers = 4,
    .indices = 4,
    .values = 4,
    .indptr = {0, 2, 2, 4},
    .index = {0, 3, 1, 2},
    .value = {5, 1, 8, 3},
};

static int32_t import_csr(prune_sparse **out, const struct csr *c)
{
    prune_tensor *indptr = borrow(c->indptr, PRUNE_I64, 1, &c->pointers);
    prune_tensor *indices = borrow(c->index, PRUNE_I64, 1, &c->indices);
    prune_tensor *values = borrow(c->value, PRUNE_F32, 1, &c->values);
    const prune_tensor *parts[3] = {indptr, indices, values};
    int32_t status = prune_sparse_import(out, NULL, "csr", 2, SHAPE(c->rows, c->columns), parts, 3);
    prune_tensor_free(indptr);
    prune_tensor_free(indices);
    prune_tensor_free(values);
    return status;
}

/* Each refusal also leaves the out-parameter alone. */
#define REFUSES_CSR(c, status, word)                                                                                   \
    do {                                                                                                               \
        prune_sparse *out_ = UNTOUCHED;                                                                                \
        FAILS(import_csr(&out_, &(c)), status, word);                                                                  \
        ck_assert_ptr_eq(out_, UNTOUCHED);                                                                             \
    } while (0)

/* Frees it. */
static void expect_dense(prune_sparse *sparse, const float *expected)
{
    prune_tensor *tensor;
    OK(prune_sparse_to_tensor(&tensor, sparse));
    const float *back = prune_tensor_const_data(tensor);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        ck_assert_mem_eq(&back[i], &expected[i], sizeof *back);
    prune_tensor_free(tensor);
    prune_sparse_free(sparse);
}

START_TEST(csr_good_is_taken)
{
    prune_sparse *sparse;
    OK(import_csr(&sparse, &good));
    expect_dense(sparse, (float[]){5, 0, 0, 1, 0, 0, 0, 0, 0, 8, 3, 0});
}
END_TEST

START_TEST(csr_first_pointer_not_0)
{
    struct csr c = good;
    c.indptr[0] = 1;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[0] is 1; it must be 0");
    c.indptr[0] = -1;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[0] is -1");
    c.indptr[0] = INT64_MIN;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[0]");
}
END_TEST

START_TEST(csr_pointers_decrease)
{
    struct csr c = good;
    c.indptr[2] = 1;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[2] is 1, after 2; it must not decrease");
    c.indptr[2] = -5;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[2] is -5");
    c = good;
    c.indptr[1] = 4, c.indptr[2] = 3;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[2] is 3, after 4");
    c = good;
    c.indptr[1] = INT64_MAX;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[1] is 9223372036854775807");
}
END_TEST

START_TEST(csr_last_pointer_below_or_above_the_stored)
{
    struct csr c = good;
    c.indptr[3] = 3;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[3] is 3; there are 4 indices");
    c.indptr[3] = 5;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr[3] is 5; there are 4 indices");
}
END_TEST

START_TEST(csr_pointers_too_few_or_too_many)
{
    struct csr c = good;
    static const int64_t bad[] = {3, 5, 0, 1};
    for (int i = 0; i < 4; i++) {
        c.pointers = bad[i];
        REFUSES_CSR(c, PRUNE_E_SHAPE, "it must be [4]");
    }
}
END_TEST

START_TEST(csr_columns_out_of_range)
{
    static const int64_t bad[] = {4, -1, INT64_MIN, INT64_MAX, 1LL << 31, 1LL << 32, (1LL << 32) + 1};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int at = 0; at < 4; at++) {
            struct csr c = good;
            char word[80];
            c.index[at] = bad[i];
            snprintf(word, sizeof word, "indices[%d] in row %d is column %lld; there are 4 columns", at, at / 2 * 2,
                     (long long)bad[i]);
            REFUSES_CSR(c, PRUNE_E_FORMAT, word);
        }
    }
}
END_TEST

START_TEST(csr_columns_unsorted_or_twice)
{
    struct csr c = good;
    c.index[0] = 3, c.index[1] = 0;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indices[1] in row 0 is column 0, after 3; columns must ascend");
    c = good;
    c.index[3] = 1;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "indices[3] in row 2 is column 1, after 1");
}
END_TEST

START_TEST(csr_values_and_indices_differ_in_number)
{
    struct csr c = good;
    c.values = 3;
    REFUSES_CSR(c, PRUNE_E_SHAPE, "\"values\" has shape [3]; it must be [4]");
    c.values = 5;
    REFUSES_CSR(c, PRUNE_E_SHAPE, "\"values\"");
    c.values = 0;
    REFUSES_CSR(c, PRUNE_E_SHAPE, "\"values\"");
    c = good;
    c.indices = 3;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "there are 3 indices");
}
END_TEST

START_TEST(csr_nothing_in_it)
{
    static const int64_t shapes[][2] = {{0, 0}, {0, 4}, {3, 0}, {3, 4}};
    for (int i = 0; i < 4; i++) {
        struct csr c = {.rows = shapes[i][0], .columns = shapes[i][1], .pointers = shapes[i][0] + 1};
        prune_sparse *sparse;
        prune_mask *mask;
        OK(import_csr(&sparse, &c));
        ck_assert_int_eq(prune_sparse_stored(sparse), 0);
        ck_assert_int_eq(prune_sparse_rows(sparse), shapes[i][0]);
        ck_assert_int_eq(prune_sparse_columns(sparse), shapes[i][1]);
        OK(prune_sparse_to_mask(&mask, sparse));
        expect_kept(mask, 0);
        expect_dense(sparse, (float[12]){0});
        c.indptr[c.pointers - 1] = 1;
        REFUSES_CSR(c, PRUNE_E_FORMAT, "indptr");
        c = (struct csr){.rows = shapes[i][0], .columns = shapes[i][1], .pointers = shapes[i][0] + 1};
        c.indices = c.values = 1;
        REFUSES_CSR(c, PRUNE_E_FORMAT, "indices");
    }
}
END_TEST

START_TEST(csr_more_stored_than_the_matrix_has)
{
    struct csr c = {
        .rows = 1, .columns = 2, .pointers = 2, .indices = 3, .values = 3, .indptr = {0, 3}, .index = {0, 1, 1}};
    REFUSES_CSR(c, PRUNE_E_FORMAT, "3 indices for a matrix of 1 x 2");
}
END_TEST

START_TEST(csr_rows_plus_1_overflow)
{
    struct csr c = {.rows = INT64_MAX, .columns = 0, .pointers = 4};
    REFUSES_CSR(c, PRUNE_E_OVERFLOW, "63 bits");
    c.columns = 1;
    REFUSES_CSR(c, PRUNE_E_OVERFLOW, "63 bits");
    c.columns = 2;
    REFUSES_CSR(c, PRUNE_E_OVERFLOW, "63 bits");
    c.rows = INT64_MAX - 1, c.columns = 1;
    REFUSES_CSR(c, PRUNE_E_SHAPE, "\"indptr\" has shape [4]");
    c.rows = 1, c.columns = (1LL << 31) + 1;
    REFUSES_CSR(c, PRUNE_E_UNSUPPORTED, "2147483649 columns");
    /* The largest that I32 indices number, and the last column of it. */
    c = (struct csr){.rows = 1, .columns = 1LL << 31, .pointers = 2, .indices = 1, .values = 1, .indptr = {0, 1}};
    c.index[0] = INT32_MAX;
    prune_sparse *sparse;
    OK(import_csr(&sparse, &c));
    prune_sparse_free(sparse);
    c.index[0] = 1LL << 31;
    REFUSES_CSR(c, PRUNE_E_FORMAT, "column 2147483648; there are 2147483648 columns");
}
END_TEST

START_TEST(csr_the_callers_later_changes_do_not_matter)
{
    struct csr c = good;
    prune_sparse *sparse;
    OK(import_csr(&sparse, &c));
    memset(&c, 0x55, sizeof c);
    expect_dense(sparse, (float[]){5, 0, 0, 1, 0, 0, 0, 0, 0, 8, 3, 0});
}
END_TEST

START_TEST(csr_index_types_mix_and_strides_are_any)
{
    const int32_t index[8] = {2, 99, 1, 99, 3, 99, 0, 99}; /* from the end, every second */
    const int32_t pointers32[4] = {0, 2, 2, 4};
    const double values64[4] = {5, 1, 8, 3};
    static const int32_t types[] = {PRUNE_F32, PRUNE_F16, PRUNE_BF16};
    for (int wide = 0; wide < 2; wide++) {
        for (int t = 0; t < 3; t++) {
            prune_tensor *p32 = borrow(pointers32, PRUNE_I32, 1, SHAPE(4)), *p, *i, *v64, *v;
            prune_sparse *sparse;
            OK(prune_tensor_convert(&p, p32, wide ? PRUNE_I64 : PRUNE_I32));
            OK(prune_tensor_borrow(&i, NULL, (void *)(uintptr_t)(index + 6), PRUNE_I32, 1, SHAPE(4), SHAPE(-2)));
            v64 = borrow(values64, PRUNE_F64, 1, SHAPE(4));
            OK(prune_tensor_convert(&v, v64, types[t]));
            const prune_tensor *parts[3] = {p, i, v};
            OK(prune_sparse_import(&sparse, NULL, "csr", 2, SHAPE(3, 4), parts, 3));
            ck_assert_int_eq(prune_tensor_dtype(prune_sparse_part(sparse, 0)), PRUNE_I64);
            ck_assert_int_eq(prune_tensor_dtype(prune_sparse_part(sparse, 1)), PRUNE_I32);
            ck_assert_int_eq(prune_tensor_dtype(prune_sparse_part(sparse, 2)), PRUNE_F32);
            expect_dense(sparse, (float[]){5, 0, 0, 1, 0, 0, 0, 0, 0, 8, 3, 0});
            prune_tensor_free(p32);
            prune_tensor_free(p);
            prune_tensor_free(i);
            prune_tensor_free(v64);
            prune_tensor_free(v);
        }
    }
}
END_TEST

START_TEST(csr_types_that_are_none_of_its)
{
    prune_sparse *out = UNTOUCHED;
    const prune_tensor *parts[3];
    prune_tensor *of_type[PRUNE_F64 + 1], *pointers = borrow(good.indptr, PRUNE_I64, 1, SHAPE(4));
    prune_tensor *indices = borrow(good.index, PRUNE_I64, 1, SHAPE(4));
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++)
        OK(prune_tensor_create(&of_type[dtype], NULL, dtype, 1, SHAPE(4)));
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++) {
        parts[0] = pointers, parts[1] = indices, parts[2] = of_type[dtype];
        if (dtype != PRUNE_F32 && dtype != PRUNE_F16 && dtype != PRUNE_BF16)
            FAILS(prune_sparse_import(&out, NULL, "csr", 2, SHAPE(3, 4), parts, 3), PRUNE_E_DTYPE, "f32, f16 or bf16");
        if (dtype == PRUNE_I32 || dtype == PRUNE_I64)
            continue;
        parts[0] = of_type[dtype], parts[2] = of_type[PRUNE_F32];
        FAILS(prune_sparse_import(&out, NULL, "csr", 2, SHAPE(3, 4), parts, 3), PRUNE_E_DTYPE, "\"indptr\" is of type");
        parts[0] = pointers, parts[1] = of_type[dtype];
        FAILS(prune_sparse_import(&out, NULL, "csr", 2, SHAPE(3, 4), parts, 3), PRUNE_E_DTYPE,
              "\"indices\" is of type");
    }
    ck_assert_ptr_eq(out, UNTOUCHED);
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++)
        prune_tensor_free(of_type[dtype]);
    prune_tensor_free(pointers);
    prune_tensor_free(indices);
}
END_TEST

START_TEST(csr_errors_beyond_the_first_chunk_are_found)
{
    enum { COLUMNS = 2000 };
    static int64_t index[COLUMNS], pointers[COLUMNS + 1];
    static float value[COLUMNS];
    for (int64_t i = 0; i < COLUMNS; i++)
        index[i] = i, value[i] = 1, pointers[i + 1] = i + 1;
    prune_sparse *sparse = UNTOUCHED;
    prune_tensor *p = borrow(((int64_t[]){0, COLUMNS}), PRUNE_I64, 1, SHAPE(2)), *i, *v, *many;
    i = borrow(index, PRUNE_I64, 1, SHAPE(COLUMNS));
    v = borrow(value, PRUNE_F32, 1, SHAPE(COLUMNS));
    many = borrow(pointers, PRUNE_I64, 1, SHAPE(COLUMNS + 1));
    const prune_tensor *parts[3] = {p, i, v}, *tall[3] = {many, i, v};
    value[1777] = NAN;
    FAILS(prune_sparse_import(&sparse, NULL, "csr", 2, SHAPE(1, COLUMNS), parts, 3), PRUNE_E_VALUE, "(1777)");
    value[1777] = INFINITY;
    index[1024] = 1023;
    FAILS(prune_sparse_import(&sparse, NULL, "csr", 2, SHAPE(1, COLUMNS), parts, 3), PRUNE_E_FORMAT, "indices[1024]");
    ck_assert_ptr_eq(sparse, UNTOUCHED);
    index[1024] = 1024;
    OK(prune_sparse_import(&sparse, NULL, "csr", 2, SHAPE(1, COLUMNS), parts, 3));
    prune_sparse_free(sparse);
    OK(prune_sparse_import(&sparse, NULL, "csr", 2, SHAPE(COLUMNS, COLUMNS), tall, 3));
    prune_sparse_free(sparse);
    pointers[1500] = 1498;
    sparse = UNTOUCHED;
    FAILS(prune_sparse_import(&sparse, NULL, "csr", 2, SHAPE(COLUMNS, COLUMNS), tall, 3), PRUNE_E_FORMAT,
          "indptr[1500] is 1498, after 1499");
    ck_assert_ptr_eq(sparse, UNTOUCHED);
    prune_tensor_free(p);
    prune_tensor_free(i);
    prune_tensor_free(v);
    prune_tensor_free(many);
}
END_TEST

START_TEST(import_refuses_bad_arguments)
{
    prune_sparse *out = UNTOUCHED;
    prune_tensor *p = borrow(good.indptr, PRUNE_I64, 1, SHAPE(4)), *i = borrow(good.index, PRUNE_I64, 1, SHAPE(4));
    prune_tensor *v = borrow(good.value, PRUNE_F32, 1, SHAPE(4));
    const prune_tensor *parts[4] = {p, i, v, v};
    const int64_t *shape = SHAPE(3, 4, 1, 1, 1, 1, 1, 1, 1);
    FAILS(prune_sparse_import(NULL, NULL, "csr", 2, shape, parts, 3), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_sparse_import(&out, NULL, NULL, 2, shape, parts, 3), PRUNE_E_ARGUMENT, "spec is NULL");
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, NULL, parts, 3), PRUNE_E_ARGUMENT, "shape is NULL");
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, shape, NULL, 3), PRUNE_E_ARGUMENT, "parts is NULL");
    for (int32_t n = -1; n <= 4; n++)
        if (n != 3)
            FAILS(prune_sparse_import(&out, NULL, "csr", 2, shape, parts, n), PRUNE_E_ARGUMENT, "it has 3");
    for (int32_t n = 0; n < 3; n++) {
        const prune_tensor *holey[3] = {p, i, v};
        holey[n] = NULL;
        FAILS(prune_sparse_import(&out, NULL, "csr", 2, shape, holey, 3), PRUNE_E_ARGUMENT, "is NULL");
    }
    FAILS(prune_sparse_import(&out, NULL, "CSR", 2, shape, parts, 3), PRUNE_E_SPEC, "there are csr, nm, bsr, dense");
    FAILS(prune_sparse_import(&out, NULL, "csr", 0, shape, parts, 3), PRUNE_E_SHAPE, "rank 1 or more");
    FAILS(prune_sparse_import(&out, NULL, "csr", 9, shape, parts, 3), PRUNE_E_SHAPE, "rank is 9");
    FAILS(prune_sparse_import(&out, NULL, "csr", -1, shape, parts, 3), PRUNE_E_SHAPE, "rank is -1");
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, SHAPE(3, -4), parts, 3), PRUNE_E_SHAPE, "-4");
    FAILS(prune_sparse_import(&out, NULL, "csr", 2, SHAPE(INT64_MAX, 2), parts, 3), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_sparse_import(&out, NULL, "csr", 3, SHAPE(0, INT64_MAX, 2), parts, 3), PRUNE_E_OVERFLOW, "63 bits");
    FAILS(prune_sparse_import(&out, NULL, "csr", 1, SHAPE(12), parts, 3), PRUNE_E_SHAPE, "it must be [2]");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_sparse_import(&out, NULL, "csr", 9 - 1, shape, parts, 3)); /* [3, 4, 1, ...] */
    ck_assert_int_eq(prune_sparse_columns(out), 4);
    prune_sparse_free(out);
    prune_tensor_free(p);
    prune_tensor_free(i);
    prune_tensor_free(v);
}
END_TEST

/* N:M: parts of any number and shape. */
static int32_t import_nm(prune_sparse **out, const char *spec, int64_t rows, int64_t columns, const float *values,
                         int64_t value_columns, const uint8_t *positions, int64_t position_columns)
{
    prune_tensor *v = borrow(values, PRUNE_F32, 2, SHAPE(rows, value_columns));
    prune_tensor *p = borrow(positions, PRUNE_U8, 2, SHAPE(rows, position_columns));
    const prune_tensor *parts[2] = {v, p};
    int32_t status = prune_sparse_import(out, NULL, spec, 2, SHAPE(rows, columns), parts, 2);
    prune_tensor_free(v);
    prune_tensor_free(p);
    return status;
}

#define NM24 "nm:keep_n=2,group_m=4"
static const float four[4] = {1, 2, 3, 4};

/* One row of two groups of four. */
static void refuses_byte(int byte, const char *word)
{
    prune_sparse *out = UNTOUCHED;
    FAILS(import_nm(&out, NM24, 1, 8, four, 4, (uint8_t[]){(uint8_t)byte}, 1), PRUNE_E_FORMAT, word);
    ck_assert_ptr_eq(out, UNTOUCHED);
}

START_TEST(nm_equal_positions)
{
    refuses_byte(0x40, "group 0: 0 after 0; they must ascend");
    refuses_byte(0x54, "group 1: 1 after 1");
    refuses_byte(0xf4, "group 1: 3 after 3");
}
END_TEST

START_TEST(nm_descending_positions)
{
    refuses_byte(0x41, "group 0: 0 after 1");
    refuses_byte(0x64, "group 1: 1 after 2");
}
END_TEST

START_TEST(nm_all_256_bytes_of_two_groups)
{
    static const uint8_t valid[] = {0x4, 0x8, 0x9, 0xc, 0xd, 0xe};
    int taken = 0;
    for (int byte = 0; byte < 256; byte++) {
        const uint8_t positions[1] = {(uint8_t)byte};
        int is_valid = memchr(valid, byte & 15, 6) && memchr(valid, byte >> 4, 6);
        prune_sparse *sparse = UNTOUCHED;
        if (!is_valid) {
            refuses_byte(byte, "positions of row 0");
            continue;
        }
        OK(import_nm(&sparse, NM24, 1, 8, four, 4, positions, 1));
        float expected[8] = {0};
        for (int slot = 0; slot < 4; slot++)
            expected[slot / 2 * 4 + (byte >> 2 * slot & 3)] = four[slot];
        expect_dense(sparse, expected);
        taken++;
    }
    ck_assert_int_eq(taken, 36);
}
END_TEST

START_TEST(nm_positions_outside_the_group)
{
    prune_sparse *out = UNTOUCHED;
    FAILS(import_nm(&out, "nm:keep_n=1,group_m=3", 1, 3, four, 1, (uint8_t[]){3}, 1), PRUNE_E_FORMAT,
          "3 is outside 0 to 2");
    FAILS(import_nm(&out, "nm:keep_n=2,group_m=5", 1, 5, four, 2, (uint8_t[]){0x51}, 1), PRUNE_E_FORMAT,
          "5 is outside 0 to 4");
    FAILS(import_nm(&out, "nm:keep_n=2,group_m=17", 1, 17, four, 2, (uint8_t[]){3, 17}, 2), PRUNE_E_FORMAT,
          "17 is outside 0 to 16");
    FAILS(import_nm(&out, "nm:keep_n=1,group_m=255", 2, 255, four, 1, (uint8_t[]){254, 255}, 1), PRUNE_E_FORMAT,
          "row 1, group 0: 255 is outside 0 to 254");
    FAILS(import_nm(&out, "nm:keep_n=1,group_m=1", 1, 2, four, 2, (uint8_t[]){2}, 1), PRUNE_E_FORMAT,
          "group 1: 1 is outside 0 to 0");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(nm_columns_that_are_no_multiple_of_the_group_are_valid)
{
    prune_sparse *sparse, *out = UNTOUCHED;
    const float values[4] = {1, 2, 3, 0};
    OK(import_nm(&sparse, NM24, 1, 6, values, 4, (uint8_t[]){0x94}, 1)); /* 0 1, 1 2: the 2 lies beyond */
    expect_dense(sparse, (float[]){1, 2, 0, 0, 0, 3});
    OK(import_nm(&sparse, NM24, 1, 6, values, 4, (uint8_t[]){0xd4}, 1)); /* 0 1, 1 3 */
    expect_dense(sparse, (float[]){1, 2, 0, 0, 0, 3});
    FAILS(import_nm(&out, NM24, 1, 6, four, 4, (uint8_t[]){0xd4}, 1), PRUNE_E_FORMAT,
          "4 at position 3, beyond the last column; it must be 0");
    FAILS(import_nm(&out, NM24, 1, 5, four, 4, (uint8_t[]){0x94}, 1), PRUNE_E_FORMAT, "beyond the last column");
    ck_assert_ptr_eq(out, UNTOUCHED);
    const float minus_zero[4] = {1, 2, 3, -0.0F};
    OK(import_nm(&sparse, NM24, 1, 6, minus_zero, 4, (uint8_t[]){0xd4}, 1));
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(nm_parts_of_wrong_length)
{
    prune_sparse *out = UNTOUCHED;
    const float values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    const uint8_t positions[4] = {0x44, 0x44, 0x44, 0x44};
    static const int64_t lengths[] = {0, 1, 3, 4};
    for (int i = 0; i < 4; i++)
        FAILS(import_nm(&out, NM24, 1, 16, values, 8, positions, lengths[i]), PRUNE_E_SHAPE,
              "\"positions\" has shape [1, ");
    for (int64_t n = 0; n < 8; n++)
        FAILS(import_nm(&out, NM24, 1, 16, values, n, positions, 2), PRUNE_E_SHAPE, "\"values\" has shape [1, ");
    FAILS(import_nm(&out, NM24, 1, 17, values, 8, positions, 3), PRUNE_E_SHAPE, "it must be [1, 10]");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(import_nm(&out, NM24, 1, 16, values, 8, positions, 2));
    prune_sparse_free(out);
}
END_TEST

START_TEST(nm_groups_with_fewer_non_zeros)
{
    prune_sparse *sparse;
    prune_mask *mask;
    const float values[4] = {0, 2, 0, -0.0F};
    OK(import_nm(&sparse, NM24, 1, 8, values, 4, (uint8_t[]){0xe4}, 1)); /* fillers need not stand at the highest */
    OK(prune_sparse_to_mask(&mask, sparse));
    expect_mask(mask, "0100 0000");
    ck_assert_int_eq(prune_sparse_stored(sparse), 4);
    expect_dense(sparse, (float[]){0, 2, 0, 0, 0, 0, 0, -0.0F}); /* what is stored there, with its sign */
}
END_TEST

START_TEST(nm_patterns_that_cannot_be)
{
    static const struct {
        const char *spec, *word;
    } bad[] = {
        {"nm:keep_n=0,group_m=4", "keep_n=0 is outside its range"},
        {"nm:keep_n=5,group_m=4", "keep_n=5 is above group_m=4"},
        {"nm:keep_n=2,group_m=0", "group_m=0 is outside its range"},
        {"nm:keep_n=2,group_m=257", "group_m=257 is outside its range, 1 to 256"},
        {"nm:keep_n=-2,group_m=4", "outside its range"},
        {"nm:keep_n=2,group_m=4,unit_rows=0", "unit_rows=0 is outside its range"},
        {"nm:keep_n=2,group_m=4,unit_rows=2147483648", "outside its range"},
        {"nm:keep_n=1.5,group_m=4", "no whole number"},
        {"nm:keep_n=2,group_m=4,axis=1", "unknown key \"axis\""},
    };
    prune_sparse *out = UNTOUCHED;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        FAILS(import_nm(&out, bad[i].spec, 1, 8, four, 4, (uint8_t[]){0x44}, 1), PRUNE_E_SPEC, bad[i].word);
    ck_assert_ptr_eq(out, UNTOUCHED);
    /* N = M keeps all; M = 255 is a group like any other. */
    OK(import_nm(&out, "nm:keep_n=4,group_m=4", 1, 4, four, 4, (uint8_t[]){0xe4}, 1));
    expect_dense(out, four);
    float expected[255] = {0};
    expected[254] = 1;
    OK(import_nm(&out, "nm:keep_n=1,group_m=255", 1, 255, four, 1, (uint8_t[]){254}, 1));
    expect_dense(out, expected);
}
END_TEST

START_TEST(nm_bits_after_the_last_position)
{
    prune_sparse *out = UNTOUCHED;
    FAILS(import_nm(&out, NM24, 1, 4, four, 2, (uint8_t[]){0x14}, 1), PRUNE_E_FORMAT, "bits are set after the last");
    FAILS(import_nm(&out, NM24, 2, 4, four, 2, (uint8_t[]){0x04, 0x84}, 1), PRUNE_E_FORMAT, "row 1: bits are set");
    FAILS(import_nm(&out, "nm:keep_n=1,group_m=2", 1, 2, four, 1, (uint8_t[]){2}, 1), PRUNE_E_FORMAT, "bits are set");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(nm_rows_of_a_unit_that_differ)
{
    prune_sparse *out = UNTOUCHED;
    const float values[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    uint8_t positions[5] = {0x9, 0x9, 0x4, 0x4, 0xe};
    const char *spec = "nm:keep_n=2,group_m=4,unit_rows=2";
    OK(import_nm(&out, spec, 5, 4, values, 2, positions, 1));
    ck_assert_str_eq(prune_sparse_spec(out), spec);
    prune_sparse_free(out);
    out = UNTOUCHED;
    positions[3] = 0x8;
    FAILS(import_nm(&out, spec, 5, 4, values, 2, positions, 1), PRUNE_E_FORMAT, "row 3 differ from those of row 2");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(nm_types_and_nan)
{
    prune_sparse *out = UNTOUCHED;
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_F64; dtype++) {
        prune_tensor *v, *p;
        OK(prune_tensor_create(&v, NULL, PRUNE_F32, 2, SHAPE(1, 2)));
        OK(prune_tensor_create(&p, NULL, dtype, 2, SHAPE(1, 1)));
        const prune_tensor *parts[2] = {v, p};
        if (dtype != PRUNE_U8)
            FAILS(prune_sparse_import(&out, NULL, NM24, 2, SHAPE(1, 4), parts, 2), PRUNE_E_DTYPE, "must be u8");
        prune_tensor_free(v);
        prune_tensor_free(p);
    }
    const float values[2] = {1, NAN};
    FAILS(import_nm(&out, NM24, 1, 4, values, 2, (uint8_t[]){0x4}, 1), PRUNE_E_VALUE, "NaN");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(nm_without_columns_has_any_number_of_rows)
{
    prune_sparse *sparse;
    prune_mask *mask;
    OK(import_nm(&sparse, NM24, 1LL << 60, 0, four, 0, NULL, 0));
    ck_assert_int_eq(prune_sparse_rows(sparse), 1LL << 60);
    ck_assert_int_eq(prune_sparse_stored(sparse), 0);
    OK(prune_sparse_to_mask(&mask, sparse));
    expect_kept(mask, 0);
    expect_dense(sparse, NULL);
    prune_sparse *out = UNTOUCHED;
    FAILS(import_nm(&out, "nm:keep_n=256,group_m=256", 1, INT64_MAX / 128, four, 0, NULL, 0), PRUNE_E_SHAPE, "values");
    FAILS(import_nm(&out, "nm:keep_n=2,group_m=256", 0, INT64_MAX, four, 4, NULL, 1), PRUNE_E_SHAPE, "values");
    FAILS(import_nm(&out, "nm:keep_n=256,group_m=256", 0, INT64_MAX, four, 4, NULL, 1), PRUNE_E_OVERFLOW, "63 bits");
    ck_assert_ptr_eq(out, UNTOUCHED);
}
END_TEST

START_TEST(dense_parts)
{
    prune_sparse *out = UNTOUCHED;
    const float values[6] = {1, 0, -0.0F, INFINITY, NAN, 2};
    prune_tensor *v = borrow(values, PRUNE_F32, 2, SHAPE(2, 2)), *flat = borrow(values, PRUNE_F32, 1, SHAPE(4));
    prune_tensor *with_nan = borrow(values, PRUNE_F32, 2, SHAPE(2, 3)), *turned;
    prune_mask *mask;
    FAILS(prune_sparse_import(&out, NULL, "dense", 2, SHAPE(2, 2), (const prune_tensor *[]){flat}, 1), PRUNE_E_SHAPE,
          "it must be [2, 2]");
    FAILS(prune_sparse_import(&out, NULL, "dense", 2, SHAPE(2, 3), (const prune_tensor *[]){with_nan}, 1),
          PRUNE_E_VALUE, "(1, 1)");
    ck_assert_ptr_eq(out, UNTOUCHED);
    OK(prune_tensor_permute(&turned, v, ((int32_t[]){1, 0})));
    OK(prune_sparse_import(&out, NULL, "dense", 2, SHAPE(2, 2), (const prune_tensor *[]){turned}, 1));
    OK(prune_sparse_to_mask(&mask, out));
    expect_mask(mask, "11 11"); /* all are stored */
    expect_dense(out, (float[]){1, -0.0F, 0, INFINITY});
    prune_tensor_free(v);
    prune_tensor_free(flat);
    prune_tensor_free(with_nan);
    prune_tensor_free(turned);
}
END_TEST

START_TEST(refusals_lose_nothing)
{
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_sparse *out = UNTOUCHED;
    int64_t index[4] = {0, 3, 1, 1};
    prune_tensor *p = borrow(good.indptr, PRUNE_I64, 1, SHAPE(4)), *i = borrow(index, PRUNE_I64, 1, SHAPE(4));
    prune_tensor *v = borrow(good.value, PRUNE_F32, 1, SHAPE(4)), *w = borrow(four, PRUNE_F32, 2, SHAPE(2, 2));
    prune_tensor *nibbles = borrow(((uint8_t[]){0x4, 0x5}), PRUNE_U8, 2, SHAPE(2, 1));
    const prune_tensor *parts[3] = {p, i, v}, *nm[2] = {w, nibbles};
    FAILS(prune_sparse_import(&out, context, "csr", 2, SHAPE(3, 4), parts, 3), PRUNE_E_FORMAT, "ascend");
    FAILS(prune_sparse_import(&out, context, "csr", 2, SHAPE(3, 5), parts, 2), PRUNE_E_ARGUMENT, "2 parts");
    FAILS(prune_sparse_import(&out, context, NM24, 2, SHAPE(2, 4), nm, 2), PRUNE_E_FORMAT, "row 1");
    ck_assert_ptr_eq(out, UNTOUCHED);
    ck_assert_int_gt(a.calls, 0);
    ck_assert_int_eq(a.live, 0);
    prune_tensor_free(p);
    prune_tensor_free(i);
    prune_tensor_free(v);
    prune_tensor_free(w);
    prune_tensor_free(nibbles);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("sparse_import", csr_good_is_taken, csr_first_pointer_not_0, csr_pointers_decrease,
          csr_last_pointer_below_or_above_the_stored, csr_pointers_too_few_or_too_many, csr_columns_out_of_range,
          csr_columns_unsorted_or_twice, csr_values_and_indices_differ_in_number, csr_nothing_in_it,
          csr_more_stored_than_the_matrix_has, csr_rows_plus_1_overflow, csr_the_callers_later_changes_do_not_matter,
          csr_index_types_mix_and_strides_are_any, csr_types_that_are_none_of_its,
          csr_errors_beyond_the_first_chunk_are_found, import_refuses_bad_arguments, nm_equal_positions,
          nm_positions_outside_the_group, nm_descending_positions,
          nm_columns_that_are_no_multiple_of_the_group_are_valid, nm_parts_of_wrong_length,
          nm_groups_with_fewer_non_zeros, nm_patterns_that_cannot_be, nm_all_256_bytes_of_two_groups,
          nm_bits_after_the_last_position, nm_rows_of_a_unit_that_differ, nm_types_and_nan,
          nm_without_columns_has_any_number_of_rows, dense_parts, refusals_lose_nothing)
