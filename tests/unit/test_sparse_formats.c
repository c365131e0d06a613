/* SPDX-License-Identifier: BSD-2-Clause
 *
 * csc, bitmap, coo and codebook: what they store, what is taken from others, and what is refused with which words.
 */
#include <math.h>

#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

/* [[5, 0, 0, 1], [0, 0, 0, 0], [0, 8, 3, 0]] */
static float small[12] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 8, 3, 0};

static void expect_dense(const prune_sparse *sparse, const float *expected)
{
    prune_tensor *tensor;
    OK(prune_sparse_to_tensor(&tensor, sparse));
    const float *back = prune_tensor_const_data(tensor);
    for (int64_t i = 0; i < prune_tensor_count(tensor); i++)
        ck_assert_mem_eq(&back[i], &expected[i], sizeof *back);
    prune_tensor_free(tensor);
}

static prune_sparse *create(float *values, int64_t rows, int64_t columns, const char *spec)
{
    prune_tensor *tensor = borrow(values, PRUNE_F32, 2, SHAPE(rows, columns));
    prune_sparse *sparse;
    OK(prune_sparse_create(&sparse, tensor, NULL, spec));
    prune_tensor_free(tensor);
    return sparse;
}

/* Arrays of up to four parts, to be broken. */
struct parts {
    int64_t rows, columns;
    int count;
    int32_t dtype[4];
    int64_t shape[4][2];
    int32_t rank[4];
    union {
        int64_t i64[10];
        int32_t i32[10];
        float f32[256];
        uint8_t u8[16];
    } data[4];
};

static int32_t import(prune_sparse **out, const struct parts *p, const char *spec)
{
    prune_tensor *tensors[4] = {NULL};
    for (int i = 0; i < p->count; i++)
        tensors[i] = borrow(&p->data[i], p->dtype[i], p->rank[i], p->shape[i]);
    int32_t status = prune_sparse_import(out, NULL, spec, 2, SHAPE(p->rows, p->columns),
                                         (const prune_tensor *const *)tensors, p->count);
    for (int i = 0; i < p->count; i++)
        prune_tensor_free(tensors[i]);
    return status;
}

#define REFUSES(p, spec, status, word)                                                                                 \
    do {                                                                                                               \
        prune_sparse *out_ = UNTOUCHED;                                                                                \
        FAILS(import(&out_, &(p), spec), status, word);                                                                \
        ck_assert_ptr_eq(out_, UNTOUCHED);                                                                             \
    } while (0)

static const struct parts csc = {
    .rows = 3,
    .columns = 4,
    .count = 3,
    .dtype = {PRUNE_I64, PRUNE_I32, PRUNE_F32},
    .shape = {{5}, {4}, {4}},
    .rank = {1, 1, 1},
    .data = {{.i64 = {0, 1, 2, 3, 4}}, {.i32 = {0, 2, 2, 0}}, {.f32 = {5, 8, 3, 1}}},
};

static const struct parts bitmap = {
    .rows = 3,
    .columns = 4,
    .count = 3,
    .dtype = {PRUNE_F32, PRUNE_U8, PRUNE_I64},
    .shape = {{4}, {3, 1}, {3}},
    .rank = {1, 2, 1},
    .data = {{.f32 = {5, 1, 8, 3}}, {.u8 = {0x09, 0, 0x06}}, {.i64 = {0, 2, 2}}},
};

static const struct parts coo = {
    .rows = 3,
    .columns = 4,
    .count = 3,
    .dtype = {PRUNE_I32, PRUNE_I64, PRUNE_F32},
    .shape = {{4}, {4}, {4}},
    .rank = {1, 1, 1},
    .data = {{.i32 = {2, 0, 2, 0}}, {.i64 = {2, 3, 1, 0}}, {.f32 = {3, 1, 8, 5}}}, /* in no order */
};

/* By columns: 5 | - 8 | - 3 | 1, gaps 0, 2, 2, 0. */
static const struct parts codebook = {
    .rows = 3,
    .columns = 4,
    .count = 4,
    .dtype = {PRUNE_I64, PRUNE_U8, PRUNE_U8, PRUNE_F32},
    .shape = {{5}, {2}, {2}, {16}},
    .rank = {1, 1, 1, 1},
    .data = {{.i64 = {0, 1, 2, 3, 4}}, {.u8 = {0x20, 0x02}}, {.u8 = {0x43, 0x12}}, {.f32 = {0, 1, 3, 5, 8}}},
};

START_TEST(parts_of_each_format_are_what_the_manual_says)
{
    static const struct parts *const all[] = {&csc, &bitmap, &codebook};
    static const char *const specs[] = {"csc", "bitmap", "codebook"};
    for (int f = 0; f < 3; f++) {
        prune_sparse *sparse = create(small, 3, 4, specs[f]);
        ck_assert_str_eq(prune_sparse_spec(sparse), specs[f]);
        ck_assert_int_eq(prune_sparse_stored(sparse), 4);
        ck_assert_int_eq(prune_sparse_part_count(sparse), all[f]->count);
        for (int i = 0; i < all[f]->count; i++) {
            const prune_tensor *part = prune_sparse_part(sparse, i);
            ck_assert_int_eq(prune_tensor_dtype(part), all[f]->dtype[i]);
            ck_assert_int_eq(prune_tensor_rank(part), all[f]->rank[i]);
            for (int a = 0; a < all[f]->rank[i]; a++)
                ck_assert_int_eq(prune_tensor_shape(part)[a], all[f]->shape[i][a]);
            ck_assert_mem_eq(prune_tensor_const_data(part), &all[f]->data[i],
                             (size_t)(prune_tensor_count(part) * prune_dtype_size(all[f]->dtype[i])));
        }
        expect_dense(sparse, small);
        prune_sparse_free(sparse);
    }
}
END_TEST

START_TEST(good_parts_are_taken)
{
    static const struct parts *const all[] = {&csc, &bitmap, &coo, &codebook};
    static const char *const specs[] = {"csc", "bitmap", "coo", "codebook:levels=16"};
    for (int f = 0; f < 4; f++) {
        prune_sparse *sparse;
        prune_mask *mask;
        OK(import(&sparse, all[f], specs[f]));
        expect_dense(sparse, small);
        OK(prune_sparse_to_mask(&mask, sparse));
        expect_kept(mask, 4);
        prune_sparse_free(sparse);
    }
}
END_TEST

START_TEST(every_format_gives_back_what_it_was_given)
{
    static const char *const specs[] = {"csc", "bitmap", "coo"};
    static const int64_t shapes[][2] = {{1, 1}, {7, 130}, {130, 7}, {33, 64}, {0, 5}, {5, 0}, {1, 8}};
    struct pr_rng rng;
    pr_rng_seed(&rng, 3);
    for (int s = 0; s < 7; s++)
        for (int f = 0; f < 3; f++)
            for (int d = 0; d < 3; d++) {
                int64_t count = shapes[s][0] * shapes[s][1];
                float *values = calloc((size_t)count + 1, sizeof *values);
                for (int64_t i = 0; i < count; i++)
                    if (pr_rng_uniform(&rng) < d * 0.5)
                        values[i] = (float)pr_rng_uniform(&rng) - 0.5f;
                prune_sparse *sparse = create(values, shapes[s][0], shapes[s][1], specs[f]), *again;
                expect_dense(sparse, values);
                const prune_tensor *parts[3];
                for (int i = 0; i < 3; i++)
                    parts[i] = prune_sparse_part(sparse, i);
                OK(prune_sparse_import(&again, NULL, specs[f], 2, shapes[s], parts, 3));
                expect_dense(again, values);
                prune_sparse_free(again);
                prune_sparse_free(sparse);
                free(values);
            }
}
END_TEST

START_TEST(csc_refusals)
{
    struct parts p = csc;
    p.data[0].i64[0] = 1;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "indptr[0] is 1; it must be 0");
    p = csc, p.data[0].i64[2] = 0;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "indptr[2] is 0, after 1; it must not decrease");
    p = csc, p.data[0].i64[4] = 3;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "indptr[4] is 3; there are 4 indices");
    p = csc, p.data[0].i64[4] = 5;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "indptr[4] is 5");
    p = csc, p.data[1].i32[1] = 3;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "in column 1 is row 3; there are 3 rows");
    p = csc, p.data[1].i32[1] = -1;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "row -1");
    p = csc, p.data[0].i64[1] = 2, p.data[1].i32[0] = 2, p.data[1].i32[1] = 0;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "row 0, after 2; rows must ascend within a column");
    p = csc, p.data[0].i64[1] = 2, p.data[1].i32[0] = 2;
    REFUSES(p, "csc", PRUNE_E_FORMAT, "row 2, after 2");
    p = csc, p.shape[0][0] = 4;
    REFUSES(p, "csc", PRUNE_E_SHAPE, "must be [5]");
    p = csc, p.shape[2][0] = 3;
    REFUSES(p, "csc", PRUNE_E_SHAPE, "\"values\"");
    p = csc, p.dtype[1] = PRUNE_F32;
    REFUSES(p, "csc", PRUNE_E_DTYPE, "indices");
    p = csc, p.data[2].f32[1] = NAN;
    REFUSES(p, "csc", PRUNE_E_VALUE, "NaN");
    p = csc, p.count = 2;
    REFUSES(p, "csc", PRUNE_E_ARGUMENT, "2 parts");
    p = csc, p.rows = 1LL << 62;
    REFUSES(p, "csc", PRUNE_E_OVERFLOW, "63 bits");
    p = csc, p.rows = 1LL << 32, p.columns = 1;
    REFUSES(p, "csc", PRUNE_E_UNSUPPORTED, "4294967296 rows");
}
END_TEST

START_TEST(bitmap_refusals)
{
    struct parts p = bitmap;
    p.data[2].i64[1] = 1;
    REFUSES(p, "bitmap", PRUNE_E_FORMAT, "row_offsets[1] is 1; the bits of the rows before it are 2");
    p = bitmap, p.data[2].i64[0] = -1;
    REFUSES(p, "bitmap", PRUNE_E_FORMAT, "row_offsets[0] is -1");
    p = bitmap, p.data[2].i64[2] = 1;
    REFUSES(p, "bitmap", PRUNE_E_FORMAT, "row_offsets[2]");
    p = bitmap, p.data[1].u8[0] = 0x19;
    REFUSES(p, "bitmap", PRUNE_E_FORMAT, "beyond the last of 4 columns");
    p = bitmap, p.data[1].u8[2] = 0x0e;
    REFUSES(p, "bitmap", PRUNE_E_FORMAT, "5 bits are set in the bitmask and there are 4 values");
    p = bitmap, p.shape[0][0] = 3;
    REFUSES(p, "bitmap", PRUNE_E_FORMAT, "there are 3 values");
    p = bitmap, p.shape[1][1] = 2;
    REFUSES(p, "bitmap", PRUNE_E_SHAPE, "bitmask");
    p = bitmap, p.dtype[1] = PRUNE_BOOL;
    REFUSES(p, "bitmap", PRUNE_E_DTYPE, "bitmask");
    p = bitmap, p.dtype[2] = PRUNE_F32;
    REFUSES(p, "bitmap", PRUNE_E_DTYPE, "row_offsets");
    p = bitmap, p.data[0].f32[3] = NAN;
    REFUSES(p, "bitmap", PRUNE_E_VALUE, "NaN");
    p = bitmap, p.rows = INT64_MAX;
    REFUSES(p, "bitmap", PRUNE_E_OVERFLOW, "63 bits");
}
END_TEST

/* The row [0, 5, 0, 6, 7, 0, 0, 8] is the byte 0x9a: compressed-tensors' bit order. */
START_TEST(bitmap_bit_order)
{
    float row[] = {0, 5, 0, 6, 7, 0, 0, 8};
    prune_sparse *sparse = create(row, 1, 8, "bitmap");
    ck_assert_uint_eq(*(const uint8_t *)prune_tensor_const_data(prune_sparse_part(sparse, 1)), 0x9a);
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(coo_refusals)
{
    struct parts p = coo;
    p.data[0].i32[1] = 3;
    REFUSES(p, "coo", PRUNE_E_FORMAT, "rows[1] is 3; there are 3 rows");
    p = coo, p.data[0].i32[3] = -1;
    REFUSES(p, "coo", PRUNE_E_FORMAT, "rows[3] is -1");
    p = coo, p.data[1].i64[2] = 4;
    REFUSES(p, "coo", PRUNE_E_FORMAT, "columns[2] is 4; there are 4 columns");
    p = coo, p.data[1].i64[2] = INT64_MIN;
    REFUSES(p, "coo", PRUNE_E_FORMAT, "columns[2]");
    p = coo, p.data[1].i64[2] = 2;
    REFUSES(p, "coo", PRUNE_E_FORMAT, "elements 0 and 2 both are row 2, column 2");
    p = coo, p.shape[1][0] = 3;
    REFUSES(p, "coo", PRUNE_E_SHAPE, "columns");
    p = coo, p.shape[2][0] = 5;
    REFUSES(p, "coo", PRUNE_E_SHAPE, "values");
    p = coo, p.dtype[0] = PRUNE_F32;
    REFUSES(p, "coo", PRUNE_E_DTYPE, "rows");
    p = coo, p.data[2].f32[0] = NAN;
    REFUSES(p, "coo", PRUNE_E_VALUE, "NaN");
    p = coo, p.rows = 1, p.columns = 3;
    REFUSES(p, "coo", PRUNE_E_FORMAT, "4 elements of a matrix of 1 x 3");
    p = coo, p.rows = 1LL << 40, p.columns = 1LL << 40;
    REFUSES(p, "coo", PRUNE_E_OVERFLOW, "63 bits");
}
END_TEST

START_TEST(coo_is_sorted_once_it_is_an_object)
{
    prune_sparse *sparse;
    OK(import(&sparse, &coo, "coo"));
    static const int32_t rows[] = {0, 0, 2, 2}, columns[] = {0, 3, 1, 2};
    static const float values[] = {5, 1, 8, 3};
    ck_assert_mem_eq(prune_tensor_const_data(prune_sparse_part(sparse, 0)), rows, sizeof rows);
    ck_assert_mem_eq(prune_tensor_const_data(prune_sparse_part(sparse, 1)), columns, sizeof columns);
    ck_assert_mem_eq(prune_tensor_const_data(prune_sparse_part(sparse, 2)), values, sizeof values);
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(codebook_refusals)
{
    struct parts p = codebook;
    p.data[0].i64[0] = 1;
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "indptr[0] is 1");
    p = codebook, p.data[0].i64[2] = 0;
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "indptr[2] is 0, after 1");
    p = codebook, p.data[0].i64[4] = 13;
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "13 entries for a matrix of 3 x 4");
    p = codebook, p.data[0].i64[4] = 5;
    REFUSES(p, "codebook", PRUNE_E_SHAPE, "gaps");
    p = codebook, p.data[1].u8[0] = 0x30;
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "gaps[1] leads to place 3 of column 1, which has 3");
    p = codebook, p.data[0].i64[4] = 3;
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "codes: bits are set after the last of 3");
    p.data[2].u8[1] = 0x02, p.data[1].u8[1] = 0x12;
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "gaps: bits are set after the last of 3");
    p = codebook, p.data[3].f32[0] = 1;
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "codebook[0] is 1; it must be 0");
    p = codebook, p.data[3].f32[7] = NAN;
    REFUSES(p, "codebook", PRUNE_E_VALUE, "NaN");
    p = codebook, p.shape[3][0] = 15;
    REFUSES(p, "codebook", PRUNE_E_SHAPE, "codebook");
    p = codebook, p.dtype[1] = PRUNE_BOOL;
    REFUSES(p, "codebook", PRUNE_E_DTYPE, "gaps");
    p = codebook, p.dtype[0] = PRUNE_F32;
    REFUSES(p, "codebook", PRUNE_E_DTYPE, "indptr");
    REFUSES(codebook, "codebook:levels=15", PRUNE_E_SPEC, "16");
    REFUSES(codebook, "codebook:gap_bits=5", PRUNE_E_SPEC, "8");
    p = codebook, p.rows = INT64_MAX, p.columns = 2;
    REFUSES(p, "codebook", PRUNE_E_OVERFLOW, "63 bits");
}
END_TEST

/* Two numbers at the same place cannot be said; a column of 3 with four entries can. */
START_TEST(codebook_lines_too_long)
{
    struct parts p = codebook;
    p.data[0].i64[1] = p.data[0].i64[2] = p.data[0].i64[3] = 4;
    memset(p.data[1].u8, 0, 2);
    REFUSES(p, "codebook", PRUNE_E_FORMAT, "gaps[3] leads to place 3 of column 0");
}
END_TEST

static void expect_bytes(const prune_sparse *sparse, int32_t part, const uint8_t *expected, int64_t count)
{
    const prune_tensor *tensor = prune_sparse_part(sparse, part);
    ck_assert_int_eq(prune_tensor_count(tensor), count);
    ck_assert_mem_eq(prune_tensor_const_data(tensor), expected, (size_t)count);
}

/* EIE's column [0, 0, 1, 2, 18 zeros, 3]: codes 1, 2, 0, 3 and gaps 2, 0, 15, 2. */
START_TEST(codebook_example_of_eie)
{
    float column[23] = {[2] = 1, [3] = 2, [22] = 3};
    prune_sparse *sparse = create(column, 23, 1, "codebook");
    expect_bytes(sparse, 1, (const uint8_t[]){0x02, 0x2f}, 2);
    expect_bytes(sparse, 2, (const uint8_t[]){0x21, 0x30}, 2);
    ck_assert_int_eq(prune_sparse_stored(sparse), 4);
    expect_dense(sparse, column);
    prune_sparse_free(sparse);
    sparse = create(column, 1, 23, "codebook:by=rows");
    ck_assert_str_eq(prune_sparse_spec(sparse), "codebook:by=rows");
    expect_bytes(sparse, 1, (const uint8_t[]){0x02, 0x2f}, 2);
    expect_dense(sparse, column);
    prune_sparse_free(sparse);
}
END_TEST

/* 15 zeros fit a gap; 16 take a filler and gap 0; 31 a filler and 15; 32 two and 0; 33 two and 1. */
START_TEST(codebook_gaps_at_the_edge_of_four_bits)
{
    static const int zeros[] = {15, 16, 31, 32, 33}, fillers[] = {0, 1, 1, 2, 2}, last[] = {15, 0, 15, 0, 1};
    for (int i = 0; i < 5; i++) {
        float column[40] = {0};
        column[zeros[i]] = 2;
        prune_sparse *sparse = create(column, 40, 1, "codebook");
        const uint8_t *gaps = prune_tensor_const_data(prune_sparse_part(sparse, 1));
        ck_assert_int_eq(prune_sparse_stored(sparse), fillers[i] + 1);
        for (int g = 0; g <= fillers[i]; g++)
            ck_assert_int_eq(gaps[g / 2] >> (g % 2 * 4) & 15, g < fillers[i] ? 15 : last[i]);
        expect_dense(sparse, column);
        prune_sparse_free(sparse);
        sparse = create(column, 40, 1, "codebook:gap_bits=8");
        ck_assert_int_eq(prune_sparse_stored(sparse), 1);
        expect_dense(sparse, column);
        prune_sparse_free(sparse);
    }
}
END_TEST

/* Lengths 0 to 1000; few enough numbers come back exactly, many as the nearest of the codebook. */
START_TEST(codebook_lengths_and_levels)
{
    static const char *const specs[] = {"codebook", "codebook:levels=256", "codebook:gap_bits=8",
                                        "codebook:levels=256,gap_bits=8,by=rows"};
    struct pr_rng rng;
    pr_rng_seed(&rng, 9);
    for (int64_t length = 0; length <= 1000; length += length < 70 ? 1 : 93)
        for (int f = 0; f < 4; f++)
            for (int exact = 0; exact < 2; exact++) {
                float *values = calloc((size_t)length * 3 + 1, sizeof *values);
                for (int64_t i = 0; i < length * 3; i++)
                    if (pr_rng_uniform(&rng) < 0.2)
                        values[i] = exact ? (float)pr_rng_below(&rng, 15) - 7.5f : (float)pr_rng_uniform(&rng) - 0.5f;
                prune_sparse *sparse = create(values, length, 3, specs[f]);
                if (exact)
                    expect_dense(sparse, values);
                prune_tensor *tensor;
                OK(prune_sparse_to_tensor(&tensor, sparse));
                const float *back = prune_tensor_const_data(tensor);
                const float *book = prune_tensor_const_data(prune_sparse_part(sparse, 3));
                for (int64_t i = 0; i < length * 3; i++) {
                    double least = INFINITY;
                    for (int64_t c = 1; c < prune_tensor_count(prune_sparse_part(sparse, 3)); c++)
                        if (book[c] != 0)
                            least = fmin(least, fabs((double)book[c] - (double)values[i]));
                    if (values[i] != 0)
                        ck_assert(fabs((double)back[i] - (double)values[i]) == least);
                    else
                        ck_assert(back[i] == 0);
                }
                prune_tensor_free(tensor);
                prune_sparse_free(sparse);
                free(values);
            }
}
END_TEST

START_TEST(codebook_of_infinities_is_refused)
{
    float values[] = {1, INFINITY};
    prune_tensor *tensor = borrow(values, PRUNE_F32, 2, SHAPE(1, 2));
    prune_sparse *sparse = UNTOUCHED;
    FAILS(prune_sparse_create(&sparse, tensor, NULL, "codebook"), PRUNE_E_VALUE, "finite");
    ck_assert_ptr_eq(sparse, UNTOUCHED);
    prune_tensor_free(tensor);
}
END_TEST

START_TEST(no_memory_loses_nothing)
{
    static const char *const specs[] = {"csc", "bitmap", "coo", "codebook", "codebook:levels=256,by=rows"};
    static const char *const packed_specs[] = {NULL, "format=csr", "format=codebook", "format=nm,group_m=8,keep_n=8",
                                               "format=csc,values=int8,form=rows"};
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_tensor *tensor, *many;
    float values[600];
    struct pr_rng rng;
    pr_rng_seed(&rng, 2);
    for (int i = 0; i < 600; i++)
        values[i] = i % 3 ? 0 : (float)pr_rng_uniform(&rng);
    OK(prune_tensor_borrow(&tensor, context, small, PRUNE_F32, 2, SHAPE(3, 4), NULL));
    OK(prune_tensor_borrow(&many, context, values, PRUNE_F32, 2, SHAPE(20, 30), NULL));
    for (int f = 0; f < 5; f++) {
        prune_sparse *sparse, *again;
        SURVIVES(&a, &sparse, prune_sparse_create(&sparse, f % 2 ? many : tensor, NULL, specs[f]));
        const prune_tensor *parts[4];
        for (int i = 0; i < prune_sparse_part_count(sparse); i++)
            parts[i] = prune_sparse_part(sparse, i);
        SURVIVES(&a, &again,
                 prune_sparse_import(&again, context, specs[f], 2, prune_sparse_shape(sparse), parts,
                                     prune_sparse_part_count(sparse)));
        for (int t = 0; t < 5; t++) {
            prune_packed *packed;
            SURVIVES(&a, &packed, prune_packed_from_sparse(&packed, again, packed_specs[t]));
            prune_packed_free(packed);
        }
        prune_sparse_free(again);
        prune_sparse_free(sparse);
    }
    prune_tensor_free(many);
    prune_tensor_free(tensor);
    prune_context_free(context);
    ck_assert_int_eq(a.live, 0);
}
END_TEST

TEST_MAIN("sparse formats", parts_of_each_format_are_what_the_manual_says, good_parts_are_taken,
          every_format_gives_back_what_it_was_given, csc_refusals, bitmap_refusals, bitmap_bit_order, coo_refusals,
          coo_is_sorted_once_it_is_an_object, codebook_refusals, codebook_lines_too_long, codebook_example_of_eie,
          codebook_gaps_at_the_edge_of_four_bits, codebook_lengths_and_levels, codebook_of_infinities_is_refused,
          no_memory_loses_nothing)
