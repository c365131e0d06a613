/* SPDX-License-Identifier: BSD-2-Clause
 *
 * Sparse formats from tensor and mask and back. What import refuses is in test_sparse_import.c.
 */
#include <math.h>

#include "allocator.h"
#include "base/rng.h"
#include "pruning.h"

static const void *part(const prune_sparse *sparse, int32_t index)
{
    ck_assert_ptr_nonnull(prune_sparse_part(sparse, index));
    return prune_tensor_const_data(prune_sparse_part(sparse, index));
}

static prune_sparse *make(const float *data, const uint8_t *bytes, int64_t rows, int64_t columns, const char *spec)
{
    prune_tensor *weights = borrow(data, PRUNE_F32, 2, SHAPE(rows, columns));
    prune_mask *mask = NULL;
    prune_sparse *sparse;
    if (bytes)
        OK(prune_mask_from_bytes(&mask, NULL, 2, SHAPE(rows, columns), bytes, rows * columns));
    OK(prune_sparse_create(&sparse, weights, mask, spec));
    prune_mask_free(mask);
    prune_tensor_free(weights);
    return sparse;
}

START_TEST(csr_example_of_three_rows)
{
    const float w[9] = {5, 0, 0, 0, 8, 3, 0, 0, 6};
    prune_sparse *sparse = make(w, NULL, 3, 3, "csr");
    ck_assert_int_eq(prune_sparse_part_count(sparse), 3);
    ck_assert_str_eq(prune_sparse_part_name(sparse, 0), "indptr");
    ck_assert_str_eq(prune_sparse_part_name(sparse, 1), "indices");
    ck_assert_str_eq(prune_sparse_part_name(sparse, 2), "values");
    ck_assert_int_eq(prune_tensor_dtype(prune_sparse_part(sparse, 0)), PRUNE_I64);
    ck_assert_int_eq(prune_tensor_dtype(prune_sparse_part(sparse, 1)), PRUNE_I32);
    ck_assert_int_eq(prune_tensor_dtype(prune_sparse_part(sparse, 2)), PRUNE_F32);
    ck_assert_mem_eq(part(sparse, 0), ((int64_t[]){0, 1, 3, 4}), 32);
    ck_assert_mem_eq(part(sparse, 1), ((int32_t[]){0, 1, 2, 2}), 16);
    ck_assert_mem_eq(part(sparse, 2), ((float[]){5, 8, 3, 6}), 16);
    ck_assert_str_eq(prune_sparse_spec(sparse), "csr");
    ck_assert_int_eq(prune_sparse_stored(sparse), 4);
    ck_assert_int_eq(prune_sparse_bytes(sparse), 4 * 8 + 4 * 4 + 4 * 4);
    ck_assert_int_eq(prune_sparse_rank(sparse), 2);
    ck_assert_int_eq(prune_sparse_rows(sparse), 3);
    ck_assert_int_eq(prune_sparse_columns(sparse), 3);
    ck_assert_mem_eq(prune_sparse_shape(sparse), SHAPE(3, 3), 16);
    ck_assert_ptr_null(prune_sparse_part(sparse, 3));
    ck_assert_ptr_null(prune_sparse_part(sparse, -1));
    ck_assert_ptr_null(prune_sparse_part_name(sparse, 3));
    ck_assert_ptr_null(prune_sparse_part_name(sparse, -1));
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(two_of_four_row_of_the_lecture_is_9c)
{
    const float w[8] = {8, 3, 2, 7, 2, 6, 5, 4};
    const uint8_t keep[8] = {1, 0, 0, 1, 0, 1, 1, 0};
    prune_sparse *sparse = make(w, keep, 1, 8, "nm:keep_n=2,group_m=4");
    ck_assert_int_eq(prune_sparse_part_count(sparse), 2);
    ck_assert_str_eq(prune_sparse_part_name(sparse, 0), "values");
    ck_assert_str_eq(prune_sparse_part_name(sparse, 1), "positions");
    ck_assert_int_eq(prune_tensor_dtype(prune_sparse_part(sparse, 1)), PRUNE_U8);
    ck_assert_mem_eq(part(sparse, 0), ((float[]){8, 7, 6, 5}), 16); /* at 0, 3, 1, 2 */
    ck_assert_int_eq(prune_tensor_count(prune_sparse_part(sparse, 1)), 1);
    ck_assert_uint_eq(*(const uint8_t *)part(sparse, 1), 0x9c);
    ck_assert_int_eq(prune_sparse_bytes(sparse), 17);
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(hipsparselt_4x4_has_nibbles_4_e_9_d)
{
    const float w[16] = {1, 2, 0, 0, 0, 0, 3, 4, 0, 6, 7, 0, 0, 6, 0, 8};
    static const uint8_t nibbles[4] = {0x4, 0xe, 0x9, 0xd};
    prune_sparse *sparse = make(w, NULL, 4, 4, "nm:keep_n=2,group_m=4");
    ck_assert_mem_eq(part(sparse, 0), ((float[]){1, 2, 3, 4, 6, 7, 6, 8}), 32);
    ck_assert_mem_eq(part(sparse, 1), nibbles, 4); /* the high nibble of a row's last byte is left over */
    prune_sparse_free(sparse);
}
END_TEST

/* All 16 sets of kept positions of a group of four: the six full ones, and fillers at the highest free positions. */
START_TEST(all_16_masks_of_a_group_of_four)
{
    static const int expected[16] = {0xe, 0xc, 0xd, 0x4, 0xe, 0x8, 0x9, -1, 0xe, 0xc, 0xd, -1, 0xe, -1, -1, -1};
    const float w[4] = {1, 2, 3, 4};
    for (unsigned set = 0; set < 16; set++) {
        uint8_t keep[4];
        for (unsigned i = 0; i < 4; i++)
            keep[i] = set >> i & 1;
        if (expected[set] < 0) {
            prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(1, 4));
            prune_mask *mask;
            prune_sparse *out = UNTOUCHED;
            OK(prune_mask_from_bytes(&mask, NULL, 2, SHAPE(1, 4), keep, 4));
            FAILS(prune_sparse_create(&out, weights, mask, "nm:keep_n=2,group_m=4"), PRUNE_E_VALUE, "one more than");
            ck_assert_ptr_eq(out, UNTOUCHED);
            prune_mask_free(mask);
            prune_tensor_free(weights);
            continue;
        }
        prune_sparse *sparse = make(w, keep, 1, 4, "nm:keep_n=2,group_m=4");
        int nibble = *(const uint8_t *)part(sparse, 1);
        const float *values = part(sparse, 0);
        ck_assert_int_eq(nibble, expected[set]);
        for (int slot = 0; slot < 2; slot++) {
            int position = nibble >> 2 * slot & 3;
            float value = keep[position] ? w[position] : 0;
            ck_assert_mem_eq(&values[slot], &value, sizeof value);
        }
        prune_sparse_free(sparse);
    }
}
END_TEST

START_TEST(fillers_of_a_last_group_lie_beyond_the_last_column)
{
    const float w[5] = {1, 2, 0, 0, 9}; /* the second group has one column */
    prune_sparse *sparse = make(w, NULL, 1, 5, "nm:keep_n=2,group_m=4");
    ck_assert_mem_eq(part(sparse, 0), ((float[]){1, 2, 9, 0}), 16);
    ck_assert_uint_eq(*(const uint8_t *)part(sparse, 1), 0xc4); /* 0 1, 0 3 */
    prune_mask *mask;
    OK(prune_sparse_to_mask(&mask, sparse));
    expect_mask(mask, "11001");
    prune_sparse_free(sparse);
}
END_TEST

/* A random 0/1 choice with at most keep_n in each group and strip; every pattern of fewer too. */
static void random_keep(struct pr_rng *rng, uint8_t *keep, int64_t rows, int64_t columns, int32_t n, int32_t m,
                        int32_t unit_rows)
{
    memset(keep, 0, (size_t)(rows * columns));
    for (int64_t row = 0; row < rows; row += unit_rows) {
        for (int64_t first = 0; first < columns; first += m) {
            int64_t size = columns - first < m ? columns - first : m;
            int64_t want = (int64_t)pr_rng_below(rng, (uint64_t)(n < size ? n : size) + 1);
            if (pr_rng_below(rng, 2))
                want = n < size ? n : size;
            while (want > 0) {
                int64_t column = first + (int64_t)pr_rng_below(rng, (uint64_t)size);
                if (keep[row * columns + column])
                    continue;
                for (int64_t r = row; r < row + unit_rows && r < rows; r++)
                    keep[r * columns + column] = 1;
                want--;
            }
        }
    }
}

/* create -> parts -> import -> tensor: bit for bit what is kept, and +0.0. */
static void round_trip(const float *w, const uint8_t *keep, int64_t rows, int64_t columns, const char *spec)
{
    prune_sparse *made = make(w, keep, rows, columns, spec), *imported;
    const prune_tensor *parts[3] = {prune_sparse_part(made, 0), prune_sparse_part(made, 1), prune_sparse_part(made, 2)};
    OK(prune_sparse_import(&imported, NULL, spec, 2, SHAPE(rows, columns), parts, prune_sparse_part_count(made)));
    ck_assert_str_eq(prune_sparse_spec(imported), prune_sparse_spec(made));
    ck_assert_int_eq(prune_sparse_stored(imported), prune_sparse_stored(made));
    ck_assert_int_eq(prune_sparse_bytes(imported), prune_sparse_bytes(made));
    for (int32_t i = 0; i < prune_sparse_part_count(made); i++) {
        int64_t bytes = prune_tensor_count(parts[i]) * prune_dtype_size(prune_tensor_dtype(parts[i]));
        ck_assert_ptr_ne(part(imported, i), part(made, i));
        ck_assert_mem_eq(part(imported, i), part(made, i), (size_t)bytes);
    }
    prune_sparse_free(made); /* the import has copies */

    prune_tensor *tensor;
    prune_mask *mask;
    OK(prune_sparse_to_tensor(&tensor, imported));
    OK(prune_sparse_to_mask(&mask, imported));
    ck_assert_mem_eq(prune_tensor_shape(tensor), SHAPE(rows, columns), 16);
    const float *back = prune_tensor_const_data(tensor);
    int is_dense = strcmp(spec, "dense") == 0, is_csr = strcmp(spec, "csr") == 0;
    for (int64_t i = 0; i < rows * columns; i++) {
        float expected = keep[i] ? w[i] : 0;
        int stored = is_dense || (is_csr ? keep[i] : expected != 0);
        if (memcmp(&back[i], &expected, sizeof expected) != 0 || kept(mask, i) != stored)
            ck_abort_msg("%s, %lld x %lld: element %lld is %g, stored %d; kept %d of %g", spec, (long long)rows,
                         (long long)columns, (long long)i, (double)back[i], kept(mask, i), keep[i], (double)w[i]);
    }
    prune_mask_free(mask);
    prune_tensor_free(tensor);
    prune_sparse_free(imported);
}

static const int64_t sizes[][2] = {{0, 0},  {0, 5},  {5, 0},  {1, 1},  {1, 3},  {1, 4},   {3, 5},   {2, 63}, {3, 64},
                                   {2, 65}, {5, 16}, {7, 17}, {8, 31}, {9, 33}, {4, 128}, {6, 130}, {33, 7}};
#define SIZES (sizeof sizes / sizeof *sizes)

/* Both signs, infinities, denormals, zeros of both signs; the pruned ones may be NaN. */
static void random_weights(struct pr_rng *rng, float *w, const uint8_t *keep, int64_t count)
{
    static const float special[] = {0.0F, -0.0F, INFINITY, -INFINITY, 1e-45F, -1e-45F, 3.4e38F};
    for (int64_t i = 0; i < count; i++) {
        w[i] = (float)(pr_rng_uniform(rng) - 0.5);
        if (pr_rng_below(rng, 8) == 0)
            w[i] = special[pr_rng_below(rng, sizeof special / sizeof *special)];
        if (!keep[i] && pr_rng_below(rng, 4) == 0)
            w[i] = NAN;
    }
}

static void round_trips_of_nm(int32_t n, int32_t m, int32_t unit_rows)
{
    struct pr_rng rng;
    char spec[80];
    pr_rng_seed(&rng, (uint64_t)(n * 1000 + m));
    snprintf(spec, sizeof spec, unit_rows == 1 ? "nm:keep_n=%d,group_m=%d" : "nm:keep_n=%d,group_m=%d,unit_rows=%d", n,
             m, unit_rows);
    for (size_t i = 0; i < SIZES; i++) {
        float w[1000];
        uint8_t keep[1000];
        random_keep(&rng, keep, sizes[i][0], sizes[i][1], n, m, unit_rows);
        random_weights(&rng, w, keep, sizes[i][0] * sizes[i][1]);
        round_trip(w, keep, sizes[i][0], sizes[i][1], spec);
    }
}

START_TEST(csr_and_dense_round_trips)
{
    struct pr_rng rng;
    pr_rng_seed(&rng, 21);
    for (size_t i = 0; i < SIZES; i++) {
        float w[1000];
        uint8_t keep[1000];
        for (uint64_t density = 0; density <= 4; density++) {
            for (int64_t e = 0; e < sizes[i][0] * sizes[i][1]; e++) /* the third row is empty */
                keep[e] = pr_rng_below(&rng, 4) < density && e / sizes[i][1] != 2;
            random_weights(&rng, w, keep, sizes[i][0] * sizes[i][1]);
            round_trip(w, keep, sizes[i][0], sizes[i][1], "csr");
            round_trip(w, keep, sizes[i][0], sizes[i][1], "dense");
        }
    }
}
END_TEST

START_TEST(nm_round_trips)
{
    static const int32_t patterns[][2] = {{2, 4}, {1, 4}, {3, 4},  {4, 4},     {1, 2},   {2, 2},    {1, 1},   {1, 3},
                                          {2, 8}, {4, 8}, {1, 16}, {3, 16},    {16, 16}, {5, 17},   {7, 100}, {1, 255},
                                          {2, 5}, {6, 6}, {3, 7},  {255, 255}, {1, 256}, {128, 256}};
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        round_trips_of_nm(patterns[i][0], patterns[i][1], 1);
}
END_TEST

START_TEST(nm_round_trips_with_shared_rows_and_a_short_last_strip)
{
    static const int32_t units[] = {2, 3, 4, 1000, INT32_MAX};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        round_trips_of_nm(2, 4, units[i]);
        round_trips_of_nm(3, 16, units[i]);
    }
}
END_TEST

/* Of each row's values and positions at 3:16 (four bits) and 5:17 (a byte): where they stand in the row. */
START_TEST(positions_are_packed_lowest_bits_first)
{
    float w[34] = {0};
    w[1] = 10, w[5] = 11, w[14] = 12; /* group 0 of 16 */
    w[16] = 13, w[33] = 14;           /* group 1 and, alone with its fillers, group 2 */
    prune_sparse *sparse = make(w, NULL, 1, 34, "nm:keep_n=3,group_m=16");
    ck_assert_mem_eq(part(sparse, 0), ((float[]){10, 11, 12, 13, 0, 0, 14, 0, 0}), 36);
    /* 1 5 14, 0 14 15, 1 14 15: nine nibbles, the tenth is 0 */
    ck_assert_mem_eq(part(sparse, 1), ((uint8_t[]){0x51, 0x0e, 0xfe, 0xe1, 0x0f}), 5);
    prune_sparse_free(sparse);

    sparse = make(w, NULL, 1, 34, "nm:keep_n=4,group_m=17");
    ck_assert_mem_eq(part(sparse, 0), ((float[]){10, 11, 12, 13, 0, 0, 0, 14}), 32);
    ck_assert_mem_eq(part(sparse, 1), ((uint8_t[]){1, 5, 14, 16, 13, 14, 15, 16}), 8);
    prune_sparse_free(sparse);

    const float ones[9] = {0, 1, 1, 0, 0, 0, 0, 1, 1};
    sparse = make(ones, NULL, 1, 9, "nm:keep_n=1,group_m=2"); /* one bit each: 1 0 1 1 0 */
    ck_assert_uint_eq(*(const uint8_t *)part(sparse, 1), 0x0d);
    prune_sparse_free(sparse);
    sparse = make(ones, NULL, 1, 9, "nm:keep_n=2,group_m=4"); /* a nibble each: 1 2, 2 3 and 0 3 */
    ck_assert_mem_eq(part(sparse, 1), ((uint8_t[]){0xe9, 0x0c}), 2);
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(without_a_mask_the_rows_of_a_unit_share_what_is_not_zero)
{
    const float w[3][4] = {{1, 0, 0, 0}, {0, 0, 2, 0}, {0, 3, 0, 4}}; /* the third row is a strip of its own */
    prune_sparse *sparse = make(&w[0][0], NULL, 3, 4, "nm:keep_n=2,group_m=4,unit_rows=2");
    ck_assert_mem_eq(part(sparse, 0), ((float[]){1, 0, 0, 2, 3, 4}), 24);
    ck_assert_mem_eq(part(sparse, 1), ((uint8_t[]){0x8, 0x8, 0xd}), 3);
    ck_assert_str_eq(prune_sparse_spec(sparse), "nm:keep_n=2,group_m=4,unit_rows=2");
    prune_sparse_free(sparse);
    const float too_many[2][4] = {{1, 1, 0, 0}, {0, 0, 2, 0}};
    prune_sparse *out = UNTOUCHED;
    prune_tensor *weights = borrow(too_many, PRUNE_F32, 2, SHAPE(2, 4));
    FAILS(prune_sparse_create(&out, weights, NULL, "nm:keep_n=2,group_m=4,unit_rows=2"), PRUNE_E_VALUE, "(1, 2)");
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(any_rank_strides_and_float_type)
{
    /* O I H W, given as H W O I in f16 and bf16, every second number of a larger array. */
    const int64_t source[4] = {3, 3, 8, 10}, oihw[4] = {8, 5, 3, 3};
    for (int32_t dtype = PRUNE_F32; dtype <= PRUNE_BF16; dtype++) {
        prune_tensor *base, *turned, *view, *typed, *plain, *back;
        prune_sparse *a, *b;
        struct pr_rng rng;
        pr_rng_seed(&rng, 22);
        OK(prune_tensor_create(&base, NULL, PRUNE_F32, 4, source));
        for (int64_t i = 0; i < 720; i++)
            ((float *)prune_tensor_data(base))[i] = (float)pr_rng_below(&rng, 3) - 1;
        OK(prune_tensor_convert(&typed, base, dtype));
        OK(prune_tensor_permute(&turned, typed, ((int32_t[]){2, 3, 0, 1})));
        OK(prune_tensor_slice(&view, turned, 1, 9, 5, -2));
        OK(prune_tensor_convert(&plain, view, PRUNE_F32));
        OK(prune_sparse_create(&a, view, NULL, "csr"));
        OK(prune_sparse_create(&b, plain, NULL, "csr"));
        ck_assert_int_eq(prune_sparse_rank(a), 4);
        ck_assert_mem_eq(prune_sparse_shape(a), oihw, sizeof oihw);
        ck_assert_int_eq(prune_sparse_rows(a), 8);
        ck_assert_int_eq(prune_sparse_columns(a), 45);
        ck_assert_int_eq(prune_sparse_bytes(a), prune_sparse_bytes(b));
        ck_assert_mem_eq(part(a, 2), part(b, 2), (size_t)prune_sparse_stored(a) * 4);
        ck_assert_mem_eq(part(a, 1), part(b, 1), (size_t)prune_sparse_stored(a) * 4);
        OK(prune_sparse_to_tensor(&back, a));
        ck_assert_mem_eq(prune_tensor_shape(back), oihw, sizeof oihw);
        for (int64_t i = 0; i < 360; i++)
            if (((const float *)prune_tensor_const_data(back))[i] != ((const float *)prune_tensor_const_data(plain))[i])
                ck_abort_msg("element %lld", (long long)i);
        prune_sparse_free(a);
        prune_sparse_free(b);
        prune_tensor_free(base);
        prune_tensor_free(turned);
        prune_tensor_free(view);
        prune_tensor_free(typed);
        prune_tensor_free(plain);
        prune_tensor_free(back);
    }
}
END_TEST

START_TEST(a_vector_is_one_row)
{
    const float w[5] = {0, 1, 0, 0, 2};
    prune_tensor *weights = borrow(w, PRUNE_F32, 1, SHAPE(5)), *back;
    prune_sparse *sparse;
    OK(prune_sparse_create(&sparse, weights, NULL, "csr"));
    ck_assert_int_eq(prune_sparse_rows(sparse), 1);
    ck_assert_int_eq(prune_sparse_columns(sparse), 5);
    ck_assert_mem_eq(part(sparse, 0), SHAPE(0, 2), 16);
    OK(prune_sparse_to_tensor(&back, sparse));
    ck_assert_int_eq(prune_tensor_rank(back), 1);
    ck_assert_mem_eq(prune_tensor_const_data(back), w, sizeof w);
    prune_tensor_free(back);
    prune_tensor_free(weights);
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(kept_zeros_are_stored)
{
    const float w[4] = {0, -0.0F, 3, 0};
    const uint8_t keep[4] = {1, 1, 1, 0};
    prune_sparse *sparse = make(w, keep, 2, 2, "csr");
    ck_assert_int_eq(prune_sparse_stored(sparse), 3);
    ck_assert_mem_eq(part(sparse, 2), w, 12);
    prune_sparse_free(sparse);
}
END_TEST

START_TEST(create_refuses_bad_arguments)
{
    float w[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 4)), *other;
    prune_mask *turned, *mask;
    prune_sparse *out = UNTOUCHED;
    OK(prune_mask_create(&turned, NULL, 2, SHAPE(4, 2), 1));
    OK(prune_mask_create(&mask, NULL, 2, SHAPE(2, 4), 1));
    FAILS(prune_sparse_create(NULL, weights, NULL, "csr"), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_sparse_create(&out, NULL, NULL, "csr"), PRUNE_E_ARGUMENT, "weights is NULL");
    FAILS(prune_sparse_create(&out, weights, NULL, NULL), PRUNE_E_ARGUMENT, "spec is NULL");
    FAILS(prune_sparse_create(&out, weights, NULL, "ellpack"), PRUNE_E_SPEC, "there are csr, nm, bsr, dense");
    FAILS(prune_sparse_create(&out, weights, NULL, "csr:x=1"), PRUNE_E_SPEC, "unknown key");
    FAILS(prune_sparse_create(&out, weights, NULL, "nm"), PRUNE_E_SPEC, "\"keep_n\" must be given");
    FAILS(prune_sparse_create(&out, weights, NULL, "nm:keep_n=2"), PRUNE_E_SPEC, "\"group_m\" must be given");
    FAILS(prune_sparse_create(&out, weights, turned, "csr"), PRUNE_E_SHAPE, "[4, 2]");
    FAILS(prune_sparse_create(&out, weights, mask, "nm:keep_n=2,group_m=4"), PRUNE_E_VALUE, "(0, 2)");
    OK(prune_mask_set(mask, 2, 0) || prune_mask_set(mask, 3, 0));
    FAILS(prune_sparse_create(&out, weights, mask, "nm:keep_n=2,group_m=4"), PRUNE_E_VALUE, "(1, 2)");
    FAILS(prune_sparse_create(&out, weights, mask, "nm:keep_n=4,group_m=4,unit_rows=2"), PRUNE_E_VALUE,
          "differs from the first row");
    for (int32_t dtype = PRUNE_U8; dtype <= PRUNE_F64; dtype++) {
        OK(prune_tensor_create(&other, NULL, dtype, 2, SHAPE(2, 4)));
        FAILS(prune_sparse_create(&out, other, NULL, "csr"), PRUNE_E_DTYPE, prune_dtype_name(dtype));
        prune_tensor_free(other);
    }
    OK(prune_tensor_create(&other, NULL, PRUNE_F32, 0, NULL));
    FAILS(prune_sparse_create(&out, other, NULL, "csr"), PRUNE_E_SHAPE, "rank 1 or more");
    prune_tensor_free(other);
    /* Columns that I32 indices cannot number: refused before anything of that size is made. */
    OK(prune_tensor_borrow(&other, NULL, w, PRUNE_F32, 2, SHAPE(1, (1LL << 31) + 1), SHAPE(0, 0)));
    FAILS(prune_sparse_create(&out, other, NULL, "csr"), PRUNE_E_UNSUPPORTED, "2147483649 columns");
    prune_tensor_free(other);
    ck_assert_ptr_eq(out, UNTOUCHED);
    prune_mask_free(turned);
    prune_mask_free(mask);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(a_kept_nan_is_refused_and_a_pruned_one_is_not)
{
    float w[8] = {1, 2, 3, 4, 5, NAN, 7, 8};
    static const char *const specs[] = {"csr", "nm:keep_n=4,group_m=4", "dense"};
    prune_tensor *weights = borrow(w, PRUNE_F32, 2, SHAPE(2, 4));
    prune_mask *mask;
    prune_sparse *out;
    OK(prune_mask_create(&mask, NULL, 2, SHAPE(2, 4), 1));
    for (int i = 0; i < 3; i++) {
        out = UNTOUCHED;
        FAILS(prune_sparse_create(&out, weights, NULL, specs[i]), PRUNE_E_VALUE, "(1, 1) is NaN");
        OK(prune_mask_set(mask, 5, 1));
        FAILS(prune_sparse_create(&out, weights, mask, specs[i]), PRUNE_E_VALUE, "(1, 1) is NaN");
        ck_assert_ptr_eq(out, UNTOUCHED);
        OK(prune_mask_set(mask, 5, 0));
        OK(prune_sparse_create(&out, weights, mask, specs[i]));
        prune_sparse_free(out);
    }
    prune_mask_free(mask);
    prune_tensor_free(weights);
}
END_TEST

START_TEST(accessors_take_null)
{
    prune_sparse *sparse = make(((float[]){1}), NULL, 1, 1, "csr");
    prune_tensor *tensor = UNTOUCHED;
    prune_mask *mask = UNTOUCHED;
    FAILS(prune_sparse_to_tensor(NULL, sparse), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_sparse_to_tensor(&tensor, NULL), PRUNE_E_ARGUMENT, "sparse is NULL");
    FAILS(prune_sparse_to_mask(NULL, sparse), PRUNE_E_ARGUMENT, "out is NULL");
    FAILS(prune_sparse_to_mask(&mask, NULL), PRUNE_E_ARGUMENT, "sparse is NULL");
    ck_assert_ptr_eq(tensor, UNTOUCHED);
    ck_assert_ptr_eq(mask, UNTOUCHED);
    prune_sparse_free(sparse);
    prune_sparse_free(NULL);
    ck_assert_int_eq(prune_sparse_part_count(NULL), 0);
    ck_assert_ptr_null(prune_sparse_part_name(NULL, 0));
    ck_assert_ptr_null(prune_sparse_part(NULL, 0));
    ck_assert_ptr_null(prune_sparse_spec(NULL));
    ck_assert_ptr_null(prune_sparse_shape(NULL));
    ck_assert_ptr_null(prune_sparse_context(NULL));
    ck_assert_int_eq(prune_sparse_rank(NULL), 0);
    ck_assert_int_eq(prune_sparse_rows(NULL), 0);
    ck_assert_int_eq(prune_sparse_columns(NULL), 0);
    ck_assert_int_eq(prune_sparse_stored(NULL), 0);
    ck_assert_int_eq(prune_sparse_bytes(NULL), 0);
}
END_TEST

START_TEST(failed_allocations_lose_nothing)
{
    static const char *const specs[] = {"csr", "nm:keep_n=8,group_m=8", "dense"};
    struct allocator a;
    prune_context *context = counted_context(&a);
    prune_tensor *base, *weights, *back;
    OK(prune_tensor_create(&base, context, PRUNE_F16, 2, SHAPE(8, 3)));
    for (int i = 0; i < 24; i += 3)
        ((uint16_t *)prune_tensor_data(base))[i] = 0x3c00;
    OK(prune_tensor_permute(&weights, base, ((int32_t[]){1, 0})));
    for (int i = 0; i < 3; i++) {
        prune_sparse *sparse, *imported;
        prune_mask *mask;
        SURVIVES(&a, &sparse, prune_sparse_create(&sparse, weights, NULL, specs[i]));
        ck_assert_ptr_eq(prune_sparse_context(sparse), context);
        const prune_tensor *parts[3] = {prune_sparse_part(sparse, 0), prune_sparse_part(sparse, 1),
                                        prune_sparse_part(sparse, 2)};
        SURVIVES(&a, &imported,
                 prune_sparse_import(&imported, context, prune_sparse_spec(sparse), 2, SHAPE(3, 8), parts,
                                     prune_sparse_part_count(sparse)));
        ck_assert_ptr_eq(prune_tensor_context(prune_sparse_part(imported, 0)), context);
        SURVIVES(&a, &back, prune_sparse_to_tensor(&back, imported));
        SURVIVES(&a, &mask, prune_sparse_to_mask(&mask, imported));
        prune_mask_free(mask);
        prune_tensor_free(back);
        prune_sparse_free(imported);
        prune_sparse_free(sparse);
    }
    prune_tensor_free(weights);
    prune_tensor_free(base);
    ck_assert_int_eq(a.live, 0);
    prune_context_free(context);
}
END_TEST

TEST_MAIN("sparse", csr_example_of_three_rows, two_of_four_row_of_the_lecture_is_9c,
          hipsparselt_4x4_has_nibbles_4_e_9_d, all_16_masks_of_a_group_of_four,
          fillers_of_a_last_group_lie_beyond_the_last_column, csr_and_dense_round_trips, nm_round_trips,
          nm_round_trips_with_shared_rows_and_a_short_last_strip, positions_are_packed_lowest_bits_first,
          without_a_mask_the_rows_of_a_unit_share_what_is_not_zero, any_rank_strides_and_float_type,
          a_vector_is_one_row, kept_zeros_are_stored, create_refuses_bad_arguments,
          a_kept_nan_is_refused_and_a_pruned_one_is_not, accessors_take_null, failed_allocations_lose_nothing)
